"""The word after `ragkit eval` to a `Suite`: a suite's name, its folder, or a public dataset's file.

Datasets are known by their shape, not by their name. Their documents are written out as plain text files, so that they
go through the same readers and the same index as anybody's. Called by the command line before `run`.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ragkit.errors import GoldError
from ragkit.evaluation.gate import check_thresholds
from ragkit.evaluation.gold import GoldEvidence, GoldQuestion, describe_first_problem, load_questions, read_text
from ragkit.evaluation.public_formats import ClapnqLine, SquadFile
from ragkit.evaluation.suite import Suite
from ragkit.sentences import split_sentences

EVALS = Path("evals")
STARTING_WORDS = 8


class _SuiteFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    documents: tuple[str, ...] = Field(min_length=1)
    exclude: tuple[str, ...] = ()
    thresholds: dict[str, float] = {}


class _DocumentWriter:
    """Documents of a dataset on their way to files: gives each a name that is safe, unique and always the same."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._taken: set[str] = set()
        self._names: dict[tuple[str, str], str] = {}

    def add(self, title: str, paragraphs: Sequence[str]) -> str:
        """The file name for a document; the same one if the same document was added before."""
        text = "\n\n".join(paragraphs) + "\n"
        if (title, text) not in self._names:
            stem = re.sub(r"[^\w.-]+", "_", unquote(title)).strip("._")[:80] or "untitled"
            numbered = (f"{stem}.txt" if i == 1 else f"{stem}-{i}.txt" for i in count(1))
            name = next(name for name in numbered if name.casefold() not in self._taken)
            self._taken.add(name.casefold())
            self._names[title, text] = name
            self.texts[name] = text
        return self._names[title, text]

    def write(self, name: str, into: Path) -> Path:
        """The folder with all the files. Its name holds a hash of them, so no file of another version lies in it."""
        digest = hashlib.sha256(json.dumps(self.texts).encode()).hexdigest()[:8]
        folder = into / f"{name}-{digest}"
        folder.mkdir(parents=True, exist_ok=True)
        for file_name, text in self.texts.items():
            (folder / file_name).write_bytes(text.encode())
        return folder


def load_suite(place: str | Path, into: Path) -> Suite:
    """The suite that a name, a folder or a dataset file stands for, its gold evidence checked against its documents.

    Args:
        place: A name ("seeds" is evals/seeds), a folder with suite.toml and questions.jsonl, a SQuAD v1.1 or v2 file
            (each article becomes a document, each context one of its paragraphs) or a CLAPNQ file (each passage becomes
            a document of one paragraph).
        into: Folder to write a dataset's documents to; not touched for other suites.

    Raises:
        GoldError: There is no such suite, or its questions do not fit its documents.
        SettingsError: suite.toml names a metric that does not exist.
    """
    path = Path(place)
    named = EVALS / path
    if path.name == str(place) and (named / "suite.toml").is_file():
        path = named
    if path.is_dir() and (path / "suite.toml").is_file():
        suite = _load_folder(path)
    elif path.is_file():
        suite = _load_dataset(path, into)
    else:
        known = ", ".join(sorted(f.parent.name for f in EVALS.glob("*/suite.toml"))) or "none here"
        what = "has no suite.toml" if path.is_dir() else "does not exist"
        raise GoldError(f"{path} {what}. Give a dataset file or a suite under {EVALS}/ (there: {known}).")
    suite.check_evidence()
    return suite


def _load_folder(folder: Path) -> Suite:
    file = folder / "suite.toml"
    try:
        parsed = _SuiteFile.model_validate(tomllib.loads(read_text(file)))
    except tomllib.TOMLDecodeError as error:
        raise GoldError(f"{file}: not valid TOML: {error}.") from error
    except ValidationError as error:
        raise GoldError(f"{file}: {describe_first_problem(error)}.") from error
    check_thresholds(parsed.thresholds)
    return Suite(
        name=parsed.name,
        documents=tuple(_find_documents(folder, entry) for entry in parsed.documents),
        questions=load_questions(folder / "questions.jsonl"),
        exclude=parsed.exclude,
        thresholds=parsed.thresholds,
    )


def _find_documents(folder: Path, entry: str) -> Path:
    """Where a suite's documents lie: from the folder that holds evals/, else from the current one."""
    root = folder.resolve().parent.parent
    candidates = [Path(entry) if root == Path.cwd() else root / entry, Path(entry)]
    for candidate in candidates:
        if candidate.exists():
            return candidate
    raise GoldError(f"{folder / 'suite.toml'} names the documents {entry!r}, but there is no {candidates[0]}.")


def _load_dataset(file: Path, into: Path) -> Suite:
    text = read_text(file)
    keys = _first_keys(text)
    if "data" in keys:
        return _load_squad(file, text, into)
    if "passages" in keys and "input" in keys:
        return _load_clapnq(file, into)
    raise GoldError(
        f"{file} is neither SQuAD JSON nor CLAPNQ JSONL. Gold questions of your own go into a folder, as "
        "questions.jsonl with a suite.toml beside it that names the documents."
    )


def _first_keys(text: str) -> frozenset[str]:
    """The keys of the first JSON object, whether it fills one line or the whole text; none if neither is JSON."""
    for candidate in (text.strip().partition("\n")[0], text):
        try:
            value = json.loads(candidate)
        except json.JSONDecodeError:
            continue
        return frozenset(value) if isinstance(value, dict) else frozenset()
    return frozenset()


def _load_squad(file: Path, text: str, into: Path) -> Suite:
    try:
        articles = SquadFile.model_validate_json(text).data
    except ValidationError as error:
        raise GoldError(f"{file} is not SQuAD v1.1 or v2 JSON: {describe_first_problem(error)}.") from error
    writer = _DocumentWriter()
    questions = []
    for article in articles:
        document = writer.add(article.title, [_one_line(paragraph.context) for paragraph in article.paragraphs])
        for number, paragraph in enumerate(article.paragraphs, start=1):
            for question in paragraph.qas:
                sentence = _sentence_at(paragraph.context, question.starts_at)
                evidence = GoldEvidence(document, number, _first_words(paragraph.context), sentence)
                questions.append(question.to_gold((evidence,)))
    return _dataset_suite(file.stem, writer, questions, into)


def _load_clapnq(file: Path, into: Path) -> Suite:
    writer = _DocumentWriter()
    questions = []
    files = _clapnq_files(file)
    for part in files:
        for number, line in enumerate(read_text(part).split("\n"), start=1):
            if not line.strip():
                continue
            try:
                parsed = ClapnqLine.model_validate_json(line)
            except ValidationError as error:
                raise GoldError(f"{part}, line {number}: not CLAPNQ: {describe_first_problem(error)}.") from error
            passages = [_one_line(passage.text) for passage in parsed.passages]
            documents = [writer.add(p.title, [text]) for p, text in zip(parsed.passages, passages, strict=True)]
            evidence = [GoldEvidence(d, 1, _first_words(t)) for d, t in zip(documents, passages, strict=True)]
            questions.append(parsed.to_gold(tuple(evidence)))
    name = file.stem if len(files) == 1 else files[0].stem.replace("answerable", "answerable+unanswerable")
    return _dataset_suite(name, writer, questions, into)


def _clapnq_files(file: Path) -> list[Path]:
    """The file and the one that holds the other kind of questions, if it lies beside it; the answerable ones first."""
    answerable = file.with_name(file.name.replace("unanswerable", "answerable"))
    unanswerable = answerable.with_name(answerable.name.replace("answerable", "unanswerable"))
    pair = [answerable, unanswerable]
    return pair if answerable != unanswerable and all(part.is_file() for part in pair) else [file]


def _dataset_suite(name: str, writer: _DocumentWriter, questions: Sequence[GoldQuestion], into: Path) -> Suite:
    seen: set[str] = set()
    for question in questions:
        if question.id in seen:
            raise GoldError(f"{name}: the question id {question.id!r} occurs twice.")
        seen.add(question.id)
    if not questions:
        raise GoldError(f"{name} holds no questions.")
    return Suite(name, (writer.write(name, into),), tuple(questions))


def _sentence_at(context: str, place: int | None) -> str:
    """The sentence of a context that holds a place, on one line; nothing where no place is given."""
    spans = split_sentences(context) if place is not None else []
    return next((_one_line(context[start:end]) for start, end in spans if start <= (place or 0) < end), "")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _first_words(text: str) -> str:
    return " ".join(text.split()[:STARTING_WORDS])
