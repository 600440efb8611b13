"""A document to the questions that it might be asked, each with the sentences it was made from. Called by `drafting`.

Nothing here asks a model: what a proposal is worth, the round trip shows.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from ragkit.evaluation.drafting.phrases import PLACE, TIME, Kind, Names, find_details, find_entries
from ragkit.evaluation.drafting.wording import MOST_ENTRY_WORDS, Wording, word_absent, word_introduction, word_questions
from ragkit.models.reading import one_line
from ragkit.neutral import without_labels
from ragkit.records import Document, Paragraph
from ragkit.sentences import split_sentences
from ragkit.terms import content_terms

LEAST_WORDS, MOST_WORDS = 5, 45
"""Sentences with fewer or more words are not asked about."""

MOST_ITEMS, MOST_ITEM_WORDS = 12, 25
"""A longer list, or one of longer items, is no list of things."""

NEAR = 2 / 3
"""A sentence with this share of a question's content words might answer it, whatever a model says."""

Span = tuple[int, int]
Place = tuple[Paragraph, Span]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A question that might be drafted.

    Attributes:
        question: Empty where the model is still to word it.
        answers, entries: As in `Wording`.
        places: The sentences that answer, or the one that looks as if it did, as spans in their paragraphs.
        introduction: The line that introduces the list.
    """

    kind: Kind
    question: str
    answers: tuple[str, ...]
    entries: tuple[str, ...]
    places: tuple[Place, ...]
    answerable: bool = True
    introduction: Place | None = None

    @property
    def wanted(self) -> str:
        """The words of the text that a question is to be worded for."""
        return self.answers[0] if self.answers else ", ".join(self.entries)

    @property
    def document(self) -> str:
        """The path of the document it was made from."""
        return self.places[0][0].document.path


def propose(document: Document, names: Names) -> Iterator[Proposal]:
    """Every question that the rules find an answer for in a document, in its order.

    For details that the rules can find but not ask for, the question is left to be worded.
    """
    yield from _lists(document.paragraphs, names)
    for paragraph, span, sentence in _sentences(document):
        worded = word_questions(sentence, names)
        for wording in worded:
            yield _proposal(wording, paragraph, span)
        asked = {wording.kind for wording in worded}
        for kind, answer in find_details(sentence, names):
            if kind not in asked:
                yield Proposal(kind, "", (answer,), (), ((paragraph, span),))
        for entries in find_entries(sentence):
            yield Proposal("list", "", (), entries, ((paragraph, span),))


class Absences:
    """Questions that the documents do not answer, as far as words can tell."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._holding: dict[str, list[int]] = {}
        self._texts: list[str] = []
        for document in documents:
            for _, _, sentence in _sentences(document, every=True):
                for term in set(content_terms(sentence)):
                    self._holding.setdefault(term, []).append(len(self._texts))
                self._texts.append(sentence)

    def propose(self, document: Document, names: Names) -> Iterator[Proposal]:
        """Questions about what a document tells of, for details that neither it nor another one seems to hold."""
        for paragraph, span, sentence in _sentences(document):
            beside = one_line(paragraph.text[: span[0]] + paragraph.text[span[1] :])
            for wording in word_absent(sentence, names):
                told = {"when": TIME, "where": PLACE}.get(wording.kind)
                if not (told and told.search(beside)) and not self._is_near(wording.question, sentence):
                    yield _proposal(wording, paragraph, span, answerable=False)

    def _is_near(self, question: str, sentence: str) -> bool:
        """Whether another sentence holds most of the question's words."""
        wanted = set(content_terms(question))
        shared = Counter(number for term in wanted for number in self._holding.get(term, ()))
        return any(count >= NEAR * len(wanted) and self._texts[n] != sentence for n, count in shared.items())


def _proposal(wording: Wording, paragraph: Paragraph, span: Span, *, answerable: bool = True) -> Proposal:
    place = (paragraph, span)
    return Proposal(wording.kind, wording.question, wording.answers, wording.entries, (place,), answerable)


def _sentences(document: Document, *, every: bool = False) -> Iterator[tuple[Paragraph, Span, str]]:
    """The sentences of a document that can be asked about, or `every` one, with their places.

    They are on one line and without labels.
    """
    for paragraph in document.paragraphs:
        if not every and paragraph.kind != "prose":
            continue
        for start, end in split_sentences(paragraph.text):
            flat = " ".join(without_labels(one_line(paragraph.text[start:end])).split())
            sentence = re.sub(r" (?=[,.;:](?: |$))", "", flat)
            if every or LEAST_WORDS <= len(sentence.split()) <= MOST_WORDS:
                yield paragraph, (start, end), sentence


def _lists(paragraphs: Sequence[Paragraph], names: Names) -> Iterator[Proposal]:
    """A question for each list that a line or a heading introduces as one of things."""
    before: Paragraph | None = None
    for (kind, headings), run in groupby(paragraphs, key=lambda paragraph: (paragraph.kind, paragraph.headings)):
        items = list(run)
        if kind == "list" and 2 <= len(items) <= MOST_ITEMS and before is not None:
            is_heading = before.kind == "heading" and headings[-1:] == (before.text.strip(),)
            start, end = split_sentences(before.text)[-1]
            introduction = before.text[start:end] if is_heading or before.text.rstrip().endswith(":") else ""
            question = word_introduction(introduction, names)
            if question and all(len(item.text.split()) <= MOST_ITEM_WORDS for item in items):
                entries = tuple(_entry(item.text) for item in items)
                places = tuple((item, (0, len(item.text))) for item in items)
                yield Proposal("list", question, (), entries, places, introduction=(before, (start, end)))
        before = items[-1]


def _entry(item: str) -> str:
    """What a list item is about: the words before a colon or dash, if they are few, or all of it."""
    flat = " ".join(without_labels(one_line(item)).split())
    for mark in (":", " – ", " — ", " - "):
        head, found, _ = flat.partition(mark)
        if found and head and len(head.split()) <= MOST_ENTRY_WORDS:
            return head.strip()
    return flat.rstrip(".;, ")
