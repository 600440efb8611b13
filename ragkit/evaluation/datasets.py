"""The word after `ragkit eval` to a `Suite`: a suite's name, its folder, or a dataset's file or folder.

Datasets are known by their shape, not by their name. The documents they bring are written out as plain text files, so
that they go through the same readers and the same index as anybody's. Called by the command line before `run`.
"""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ragkit.errors import GoldError, SettingsError
from ragkit.evaluation.checking import Problem, check_suite, describe_broken
from ragkit.evaluation.formats.documents import Dataset
from ragkit.evaluation.formats.known import KNOWN_FORMATS, find_dataset
from ragkit.evaluation.gold import (
    GoldQuestion,
    OnBroken,
    contradiction,
    describe_first_problem,
    load_questions,
    read_questions,
    read_text,
    refuse,
)
from ragkit.evaluation.suite import Suite, check_thresholds
from ragkit.settings import Settings

EVALS = Path("evals")
SUITE_FILE, QUESTIONS_FILE = "suite.toml", "questions.jsonl"
DOCUMENTS = "documents"
"""The folder beside a file of questions that holds their documents, unless others are given."""


class _SuiteFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    documents: tuple[str, ...] = Field(min_length=1)
    exclude: tuple[str, ...] = ()
    thresholds: dict[str, float] = {}
    settings: dict[str, Any] = {}


def load_suite(place: str | Path, into: Path, *, documents: Sequence[Path] = ()) -> Suite:
    """The suite that a name, a folder or a dataset stands for, its gold evidence checked against its documents.

    Args:
        place: A name ("seeds" is evals/seeds), a folder with suite.toml and questions.jsonl, or a dataset: a file of
            SQuAD, CLAPNQ, RGB, HotpotQA or questions and answers; a folder (or a file in it) of BEIR, MTRAG or TREC.
        into: Folder to write a dataset's documents to; not touched for other suites.
        documents: Files and folders that questions without documents of their own are asked of; by default the folder
            `documents` beside them.

    Raises:
        GoldError: There is no such suite, or its questions do not fit its documents.
        SettingsError: suite.toml names a metric or a setting that does not exist.
    """
    suite = _load(place, into, documents, None)
    _refuse_contradictions(suite)
    suite.check_evidence()
    return suite


def find_problems(place: str | Path, into: Path, *, documents: Sequence[Path] = ()) -> tuple[Suite, list[Problem]]:
    """The suite as far as it can be read, and all that is wrong with it; broken lines come first.

    The arguments are those of `load_suite`.

    Raises:
        GoldError: There is no such suite, or nothing of it can be read.
        SettingsError: suite.toml names a metric or a setting that does not exist.
    """
    broken: list[Problem] = []
    suite = _load(place, into, documents, lambda error: broken.append(describe_broken(error)))
    return suite, broken + check_suite(suite)


def _load(place: str | Path, into: Path, documents: Sequence[Path], on_broken: OnBroken | None) -> Suite:
    """A suite; without `on_broken` the first broken line is an error."""
    path = Path(place)
    named = EVALS / path
    if path.name == str(place) and (named / SUITE_FILE).is_file():
        path = named
    if path.name == QUESTIONS_FILE and path.with_name(SUITE_FILE).is_file():
        path = path.parent
    if (path / SUITE_FILE).is_file():
        if documents:
            raise GoldError(f"{path / SUITE_FILE} names its own documents. Leave --documents out.")
        return _load_folder(path, on_broken)
    if not path.exists():
        raise GoldError(f"{path} does not exist. Give a dataset or a suite under {EVALS}/ (there: {_list_suites()}).")
    found = find_dataset(path)
    if found is None:
        what = f"has no {SUITE_FILE} and is" if path.is_dir() else "is"
        own = f"Questions of your own go into {EVALS}/NAME/{QUESTIONS_FILE}, with a {SUITE_FILE} beside it"
        known = f"{KNOWN_FORMATS}. {own} that names the documents (there: {_list_suites()})"
        raise GoldError(f"{path} {what} no dataset of a known format: {known}.")
    load, file = found
    return _make_suite(load(file, on_broken or refuse), file, into, documents)


def _load_folder(folder: Path, on_broken: OnBroken | None) -> Suite:
    file = folder / SUITE_FILE
    try:
        parsed = _SuiteFile.model_validate(tomllib.loads(read_text(file)))
    except tomllib.TOMLDecodeError as error:
        raise GoldError(f"{file}: not valid TOML: {error}.") from error
    except ValidationError as error:
        raise GoldError(f"{file}: {describe_first_problem(error)}.") from error
    check_thresholds(parsed.thresholds)
    try:
        Settings(**parsed.settings)
    except ValidationError as error:
        known = f"Known settings: {', '.join(Settings.model_fields)}"
        raise SettingsError(f"{file}: settings.{describe_first_problem(error)}. {known}") from error
    return Suite(
        name=parsed.name,
        documents=tuple(_find_documents(folder, entry) for entry in parsed.documents),
        questions=_load_own(folder / QUESTIONS_FILE, on_broken),
        exclude=parsed.exclude,
        thresholds=parsed.thresholds,
        settings=parsed.settings,
    )


def _find_documents(folder: Path, entry: str) -> Path:
    """Where a suite's documents lie: from the folder that holds evals/, else from the current one."""
    root = folder.resolve().parent.parent
    candidates = [Path(entry) if root == Path.cwd() else root / entry, Path(entry)]
    for candidate in candidates:
        if candidate.exists():
            return candidate
    raise GoldError(f"{folder / SUITE_FILE} names the documents {entry!r}, but there is no {candidates[0]}.")


def _load_own(file: Path, on_broken: OnBroken | None) -> tuple[GoldQuestion, ...]:
    """The questions of a gold file; if broken lines are only told, other faults are left to `checking`."""
    return load_questions(file) if on_broken is None else tuple(q for _, q in read_questions(file, on_broken))


def _list_suites() -> str:
    return ", ".join(sorted(file.parent.name for file in EVALS.glob(f"*/{SUITE_FILE}"))) or "none here"


def _make_suite(dataset: Dataset, place: Path, into: Path, documents: Sequence[Path]) -> Suite:
    """A dataset as a suite, its documents written out if it brings any."""
    if dataset.documents is not None:
        if documents:
            raise GoldError(f"{place} brings its own documents, so others cannot be given. Leave --documents out.")
        return Suite(dataset.name, (dataset.documents.write(dataset.name, into),), dataset.questions)
    beside = (place if place.is_dir() else place.parent) / DOCUMENTS
    folders = tuple(documents) or ((beside,) if beside.is_dir() else ())
    if not folders:
        cure = f"Give them with --documents, or put them into a folder {beside}"
        raise GoldError(f"{place} holds questions, but not the documents that they are asked of. {cure}.")
    for folder in folders:
        if not folder.exists():
            raise GoldError(f"The documents {folder} do not exist. Check --documents.")
    return Suite(dataset.name, folders, dataset.questions)


def _refuse_contradictions(suite: Suite) -> None:
    """Raise GoldError for a suite without questions, an id used twice, or answers where none can be."""
    seen: set[str] = set()
    for question in suite.questions:
        if question.id in seen:
            raise GoldError(f"{suite.name}: the question id {question.id!r} occurs twice.")
        seen.add(question.id)
        problem = contradiction(question)
        if problem and not (question.answerable and question.evidence):
            raise GoldError(f"{suite.name}: the question {question.id!r} {problem}.")
    if not suite.questions:
        raise GoldError(f"{suite.name} holds no questions.")
