"""Documents that answer none of a suite's questions, to be indexed among its own. Called by `perturb`.

They are found among files that lie there anyway: a folder that somebody gives, or the documents of other suites.
"""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from ragkit.errors import DocumentError, InputError
from ragkit.evaluation.datasets import EVALS
from ragkit.evaluation.measures.metrics import normalise
from ragkit.evaluation.suite import Suite
from ragkit.index.files import find_files
from ragkit.index.patterns import Selection
from ragkit.readers import read_document
from ragkit.records import Document
from ragkit.terms import content_terms


def find_distractors(suite: Suite, count: int, places: Sequence[Path] = (), *, seed: int = 0) -> tuple[Path, ...]:
    """So many files, drawn with the seed, none of which answers a question of the suite as far as words can tell.

    A document is left out if an accepted answer stands in it anywhere, if one paragraph of it has all the content words
    of an unanswerable question, or if it has the file name of another document.

    Args:
        suite: Whose documents they go among.
        count: How many.
        places: Files and folders to take them from; by default the documents of the suites under evals/.
        seed: Of the draw.

    Raises:
        InputError: There are too few, or a place does not exist.
    """
    selection = Selection(exclude=suite.exclude)
    found = find_files([*(places or sorted(EVALS.glob("*/documents"))), *suite.documents], selection).files
    own = find_files(suite.documents, selection).files
    candidates = sorted(file.file for real, file in found.items() if real not in own)
    random.Random(seed).shuffle(candidates)
    taken = {file.file.name.casefold() for file in own.values()}
    chosen: list[Path] = []
    judge = _Judge(suite)
    for file in candidates:
        if len(chosen) == count:
            break
        if file.name.casefold() not in taken and not judge.may_answer(file):
            taken.add(file.name.casefold())
            chosen.append(file)
    if len(chosen) < count:
        raise InputError(
            f"Of {len(candidates)} documents only {len(chosen)} cannot answer a question of {suite.name!r}, but "
            f"{count} are needed as distractors. Give a folder with others, or ask for fewer: distractors:0.5"
        )
    return tuple(chosen)


class _Judge:
    """Tells documents that may answer a question of a suite."""

    def __init__(self, suite: Suite):
        answers = (text for gold in suite.questions for text in _accepted(gold.answers, gold.must_include))
        self._answers = frozenset(phrase for text in answers if (phrase := _phrase(text)).strip())
        unanswerable = (gold.question for gold in suite.questions if not gold.answerable)
        self._topics = [topic for question in unanswerable if (topic := frozenset(content_terms(question)))]

    def may_answer(self, file: Path) -> bool:
        """Whether it may; of a file that cannot be read nobody knows that it does not."""
        try:
            document = read_document(file, file.name)
        except DocumentError:
            return True
        text = _phrase(document.text)
        return any(answer in text for answer in self._answers) or self._is_on_topic(document)

    def _is_on_topic(self, document: Document) -> bool:
        said = [frozenset(content_terms(paragraph.text)) for paragraph in document.paragraphs]
        return any(topic <= terms for terms in said for topic in self._topics)


def _accepted(answers: Sequence[str], entries: Sequence[Sequence[str]]) -> Iterator[str]:
    yield from answers
    for entry in entries:
        yield from entry


def _phrase(text: str) -> str:
    """The normalised words with a space around each, so that one text stands in another only by whole words."""
    return f" {' '.join(normalise(text))} "
