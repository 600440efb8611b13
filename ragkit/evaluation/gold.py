"""A file of gold questions to `GoldQuestion`s, and the check that their evidence still stands where they say.

One JSON object a line, keys as in `GoldQuestion`. Called by `datasets` when a suite is loaded; the questions are what
`metrics` judges answers against. Whoever reads many lines hands over what to do with a broken one: stop, or note it.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ragkit.errors import GoldError
from ragkit.records import Paragraph

STRAIGHT_QUOTES = str.maketrans({"‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "\N{NO-BREAK SPACE}": " "})

OnBroken = Callable[[GoldError], None]
"""Told of a line that cannot be used; if it returns, reading goes on with the next line."""


@dataclass(frozen=True, slots=True)
class GoldEvidence:
    """A paragraph that answers a question; for an unanswerable one, the paragraph that looks as if it did.

    Attributes:
        document: Path as in citations; its last parts are enough.
        paragraph: Number within the document, from 1.
        starts_with: The first words of the paragraph, so that a document that changed is noticed.
        sentence: The sentence of it that answers, where the gold file tells.
        grade: How relevant it is, where others judged that: the higher the better, 1 if it only is.
    """

    document: str
    paragraph: int
    starts_with: str = ""
    sentence: str = ""
    grade: int = 1


@dataclass(frozen=True, slots=True)
class GoldQuestion:
    """A question with what a right answer says and where it stands.

    Attributes:
        answers: Accepted answers; any one of them will do. None for an answerable question of which only the relevant
            paragraphs are known.
        must_include: For questions that ask for several things: all entries are needed, each by any of its wordings.
        must_not_include: Words that no answer may hold, as a document that tries to give orders would have it say.
        evidence_sentences: For long answers, the sentences of the evidence they rest on; empty where answers are short.
        direct_answer: A good answer in one sentence, where the gold file gives one.
        answers_are_long: Whether the accepted answers are whole texts though no sentences of evidence are known.
    """

    id: str
    question: str
    answers: tuple[str, ...] = ()
    must_include: tuple[tuple[str, ...], ...] = ()
    evidence: tuple[GoldEvidence, ...] = ()
    answerable: bool = True
    tags: tuple[str, ...] = ()
    evidence_sentences: tuple[str, ...] = ()
    direct_answer: str = ""
    must_not_include: tuple[str, ...] = ()
    answers_are_long: bool = False

    @property
    def is_long(self) -> bool:
        """Whether the accepted answers are whole texts, which an answer cannot be expected to contain."""
        return (bool(self.evidence_sentences) or self.answers_are_long) and not self.must_include


Words = Annotated[str, Field(min_length=1, pattern=r"\S")]
Wordings = Annotated[
    tuple[Words, ...], Field(min_length=1), BeforeValidator(lambda v: [v] if isinstance(v, str) else v)
]


class _EvidenceEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    document: Words
    paragraph: int = Field(ge=1)
    starts_with: Words
    sentence: str = ""
    grade: int = Field(1, ge=1)


class _QuestionLine(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: Words
    question: Words
    answers: tuple[Words, ...] = ()
    must_include: tuple[Wordings, ...] = ()
    evidence: tuple[_EvidenceEntry, ...] = ()
    answerable: bool = True
    tags: tuple[Words, ...] = ()
    evidence_sentences: tuple[Words, ...] = ()
    direct_answer: str = ""
    must_not_include: tuple[Words, ...] = ()
    answers_are_long: bool = False

    def question_record(self) -> GoldQuestion:
        plain = {name: getattr(self, name) for name in type(self).model_fields if name != "evidence"}
        evidence = tuple(GoldEvidence(**dict(e)) for e in self.evidence)
        return GoldQuestion(**plain, evidence=evidence)


QUESTION_KEYS = frozenset(_QuestionLine.model_fields)
"""What a line of a gold file may hold."""


def load_questions(file: Path) -> tuple[GoldQuestion, ...]:
    """The questions of a gold file, in its order.

    Raises:
        GoldError: The file cannot be read, holds no question, or a line is broken; the message names file and line.
    """
    questions: list[GoldQuestion] = []
    first_seen: dict[str, int] = {}
    for number, question in read_questions(file):
        where = f"{file}, line {number}"
        if question.id in first_seen:
            raise GoldError(f"{where}: the id {question.id!r} is already used in line {first_seen[question.id]}.")
        first_seen[question.id] = number
        if problem := contradiction(question):
            raise GoldError(f"{where}: {question.id!r} {problem}.")
        questions.append(question)
    if not questions:
        raise GoldError(f"{file} holds no questions. Write one JSON object a line.")
    return tuple(questions)


def refuse(error: GoldError) -> None:
    """Nothing, ever: raises what it is given. The `OnBroken` that stops at the first broken line."""
    raise error


def read_questions(file: Path, on_broken: OnBroken = refuse) -> Iterator[tuple[int, GoldQuestion]]:
    """Line number and question, one after the other; whether the questions make sense is not looked at."""
    for number, line in enumerate(read_text(file).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            question = _parse_line(line, f"{file}, line {number}")
        except GoldError as error:
            on_broken(error)
        else:
            yield number, question


def contradiction(question: GoldQuestion) -> str | None:
    """What is wrong between a question's answers and its being answerable, to be said after its id; None if nothing.

    An answerable question without answers is wrong only in a gold file: others may know no more than the paragraphs.
    """
    has_answers = bool(question.answers or question.must_include)
    if question.answerable and not has_answers:
        return "is answerable but has neither answers nor must_include"
    if not question.answerable and has_answers:
        return "has answers but is marked as not answerable"
    return None


def read_text(file: Path) -> str:
    """The text of a UTF-8 file; GoldError if it cannot be read."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise GoldError(f"{file} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise GoldError(f"{file} is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error


def describe_first_problem(error: ValidationError) -> str:
    """One phrase for the first thing that a validation found wrong: where, what, and how many more."""
    problems = error.errors()
    place = ".".join(str(part) for part in problems[0]["loc"]) or "the whole"
    what = "unknown key" if problems[0]["type"] == "extra_forbidden" else problems[0]["msg"]
    return f"{place}: {what}" + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else "")


def _parse_line(line: str, where: str) -> GoldQuestion:
    try:
        parsed = _QuestionLine.model_validate(json.loads(line))
    except json.JSONDecodeError as error:
        raise GoldError(f"{where}: not valid JSON: {error.msg} at column {error.colno}.") from error
    except ValidationError as error:
        raise GoldError(f"{where}: {describe_first_problem(error)}.") from error
    return parsed.question_record()


def check_evidence(questions: Sequence[GoldQuestion], paragraphs_of: Callable[[str], Sequence[Paragraph]]) -> None:
    """Raise unless every gold paragraph exists and begins with the words that the gold file gives.

    Args:
        questions: Those to check.
        paragraphs_of: A document's path to its paragraphs in order; an empty sequence means there is no such document.

    Raises:
        GoldError: Names the first question that does not fit, and how many more there are.
    """
    problems = [
        f"question {question.id!r}: {problem}"
        for question in questions
        for evidence in question.evidence
        if (problem := evidence_problem(evidence, paragraphs_of(evidence.document)))
    ]
    if problems:
        more = f" ({len(problems) - 1} more do not fit)" if len(problems) > 1 else ""
        raise GoldError(f"{problems[0]}{more}. Correct the gold file or restore the document.")


def evidence_problem(evidence: GoldEvidence, paragraphs: Sequence[Paragraph]) -> str | None:
    """What does not fit between gold evidence and the paragraphs of its document, as one phrase; None if all fits."""
    if not paragraphs:
        return f"there is no document {evidence.document!r}"
    found = next((p for p in paragraphs if p.number == evidence.paragraph), None)
    if found is None:
        return f"{evidence.document} has {len(paragraphs)} paragraphs, so there is no paragraph {evidence.paragraph}"
    if _begins(found, evidence.starts_with):
        if _plain(evidence.sentence) in _plain(found.text):
            return None
        return f"paragraph {found.number} of {evidence.document} has no sentence {evidence.sentence!r}"
    elsewhere = [str(p.number) for p in paragraphs if _begins(p, evidence.starts_with)]
    hint = f", but paragraph {elsewhere[0]} does" if elsewhere else f"; it starts with {found.text[:40]!r}"
    return f"paragraph {found.number} of {evidence.document} does not start with {evidence.starts_with!r}{hint}"


def _begins(paragraph: Paragraph, words: str) -> bool:
    return _plain(paragraph.text).startswith(_plain(words))


def _plain(text: str) -> str:
    """The text with straight quotes and single spaces."""
    return re.sub(r"\s+", " ", text.translate(STRAIGHT_QUOTES)).strip()


def is_same_document(one: str, other: str) -> bool:
    """Whether two paths name one document: equal, or one is the end of the other by whole parts."""
    one_parts, other_parts = (path.replace("\\", "/").removeprefix("./").split("/") for path in (one, other))
    shared = min(len(one_parts), len(other_parts))
    return one_parts[-shared:] == other_parts[-shared:]
