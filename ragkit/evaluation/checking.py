"""A suite to all that is wrong with its gold, so that a figure is not blamed on the answers.

What nobody could answer rightly is an error; what a person should look at is a warning. Called through `datasets`,
which adds the lines that could not be read at all.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ragkit.errors import DocumentError, GoldError
from ragkit.evaluation.gold import GoldEvidence, GoldQuestion, contradiction, evidence_problem
from ragkit.evaluation.measures.metrics import includes, normalise
from ragkit.evaluation.suite import Suite, document_finder
from ragkit.index.files import find_files, real_path
from ragkit.index.patterns import Selection
from ragkit.readers import is_supported, read_document
from ragkit.records import Paragraph

Severity = Literal["error", "warning"]

VERDICTS = frozenset({"yes", "no", "true", "false", "neither", "both", "none"})
"""Answers that follow from a paragraph without standing in it."""
SHOWN = 80


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a suite.

    Attributes:
        question_id: The question it is about; None for a line that could not be read, or the suite as a whole.
        severity: `error` if a figure would be wrong, `warning` if somebody should look.
        cure: What to do about it.
    """

    question_id: str | None
    severity: Severity
    what: str
    cure: str

    def __str__(self) -> str:
        about = "" if self.question_id is None else f"question {self.question_id!r}: "
        return f"{self.severity}: {about}{self.what}. {self.cure}."


def describe_broken(error: GoldError) -> Problem:
    """A line that could not be used, as a problem."""
    return Problem(None, "error", str(error).removesuffix("."), "Correct it or take it out")


def check_suite(suite: Suite) -> list[Problem]:
    """Everything that is wrong with a suite, in the order of its questions; empty if all is well.

    Found are: ids used twice, gold paragraphs that do not exist, begin otherwise or cannot be reached, accepted answers
    that stand in no gold paragraph, unanswerable questions with answers and answerable ones without anything to judge
    by, questions asked twice, and missing tags.
    """
    if not suite.questions:
        return [Problem(None, "error", f"{suite.name} holds no questions", "Add some")]
    documents = _Documents(suite)
    ids = Counter(question.id for question in suite.questions)
    has_tags = any(question.tags for question in suite.questions)
    asked: dict[tuple[str, ...], str] = {}
    problems: list[Problem] = []
    for question in suite.questions:
        words = tuple(normalise(question.question))
        earlier = asked.setdefault(words, question.id) if words else question.id
        if ids.pop(question.id, 1) > 1:
            problems.append(_error(question, "its id is used more than once", "Give each question an id of its own"))
        problems += _check_answers(question)
        problems += _check_evidence(question, documents)
        if earlier != question.id:
            problems.append(
                _warning(question, f"it asks the same as {earlier!r}", "Say in each what it is about, or take one out")
            )
        if any(not tag.strip() for tag in question.tags) or (has_tags and not question.tags):
            problems.append(_warning(question, "it has an empty tag or none", "Tag it, so that it counts by tag"))
    return problems


def _check_answers(question: GoldQuestion) -> Iterator[Problem]:
    if question.answerable and question.evidence and not (question.answers or question.must_include):
        return
    if problem := contradiction(question):
        cure = "Give it an answer" if question.answerable else "Take the answers out or mark it as answerable"
        yield _error(question, f"it {problem}", cure)


def _check_evidence(question: GoldQuestion, documents: "_Documents") -> Iterator[Problem]:
    """What is wrong with the gold paragraphs and, only if nothing is, whether the answers stand in them."""
    texts = []
    is_whole = True
    for evidence in question.evidence:
        problem = documents.find_problem(evidence)
        if problem:
            is_whole = False
            yield _error(question, *problem)
        else:
            texts.append(documents.text_of(evidence))
    if is_whole and texts:
        yield from _check_standing(question, texts)


def _check_standing(question: GoldQuestion, texts: Sequence[str]) -> Iterator[Problem]:
    """Warnings for what an answer must say, or rests on, that stands in none of the gold paragraphs."""

    def stands(wordings: Sequence[str]) -> bool:
        is_verdict = all(" ".join(normalise(wording)) in VERDICTS for wording in wordings)
        return is_verdict or any(includes(text, wording) for text in texts for wording in wordings)

    short = question.answers if question.answerable and not question.is_long else ()
    sentences = question.evidence_sentences if question.answerable else ()
    for wordings in ((short,) if short else ()) + question.must_include + tuple((one,) for one in sentences):
        if not stands(wordings):
            what = f"{' / '.join(wordings)[:SHOWN]!r} stands in none of its gold paragraphs"
            yield _warning(question, what, "Correct it, or name the paragraph that says it")


class _Documents:
    """The documents of a suite as an index would get them."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._files = _all_files(suite.documents)
        self._find = document_finder(self._files)
        self._reached = set(find_files(list(suite.documents), Selection(exclude=suite.exclude)).files)
        self._read: dict[str, tuple[Paragraph, ...] | str] = {}

    def find_problem(self, evidence: GoldEvidence) -> tuple[str, str] | None:
        """What is wrong with gold evidence, and the cure; None if an index can find the paragraph."""
        paragraphs = self._paragraphs(evidence.document)
        if isinstance(paragraphs, str):
            return paragraphs, "Let it be indexed, or take the question out"
        problem = evidence_problem(evidence, paragraphs)
        return (problem, "Correct the gold file or restore the document") if problem else None

    def text_of(self, evidence: GoldEvidence) -> str:
        """The text of a gold paragraph that was found to be there."""
        paragraphs = self._paragraphs(evidence.document)
        return next(p.text for p in paragraphs if isinstance(p, Paragraph) and p.number == evidence.paragraph)

    def _paragraphs(self, path: str) -> tuple[Paragraph, ...] | str:
        """The paragraphs of a document, none if there is no such; or why no reader can reach them."""
        if path not in self._read:
            name = self._find(path)
            self._read[path] = () if name is None else self._reach(path, self._files[name])
        return self._read[path]

    def _reach(self, path: str, file: Path) -> tuple[Paragraph, ...] | str:
        if not is_supported(file):
            return f"{path} is never indexed: ragkit does not read such files"
        if real_path(file) not in self._reached:
            return f"{path} is never indexed: it is hidden, excluded by the suite, or a link that leads out"
        try:
            return read_document(file, path).paragraphs
        except DocumentError as error:
            return str(error).removesuffix(".")


def _all_files(places: Sequence[Path]) -> dict[str, Path]:
    """Every file of the documents, hidden and excluded ones too, under the path that citations would give it."""
    listed = {}
    for place in places:
        for file in place.rglob("*") if place.is_dir() else [place]:
            if file.is_file():
                listed[file.relative_to(place.parent).as_posix()] = file
    return dict(sorted(listed.items()))


def _error(question: GoldQuestion, what: str, cure: str) -> Problem:
    return Problem(question.id, "error", what, cure)


def _warning(question: GoldQuestion, what: str, cure: str) -> Problem:
    return Problem(question.id, "warning", what, cure)
