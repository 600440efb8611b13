"""What the reader learns from: paragraphs with the questions put to them. Called by `reading`.

A lesson is a paragraph and, for each question, which of its sentences answer it and where the short answers stand; a
question that it does not answer has neither.
"""

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.parts import as_typed, documents_of, entries_of, is_gold, open_suite, part_of
from ragkit.evaluation import GoldQuestion
from ragkit.evaluation.measures.metrics import includes, normalise
from ragkit.models.packing import Packed
from ragkit.models.reading import encode_question, encode_text, tokens_in
from ragkit.records import Paragraph
from ragkit.sentences import split_sentences
from ragkit.settings import Settings

# How often a question is put to a paragraph that does not answer it. One that nothing answers goes mostly to the
# paragraph that comes closest, as an answerable one goes to its own: else the form of a question would tell.
FROM_THE_SAME_DOCUMENT, FROM_A_SIBLING = 0.3, 0.4
NEAREST, FAR_FROM_ANY = 0.8, 0.12
FROM_ANOTHER_DOCUMENT = 0.35
CAME_UP = 0.6

# How often a question is put as people type it into a search box.
AS_TYPED = 0.15

# How often a text is read under its title; some files are named so that it tells nothing.
TITLED, UNNUMBERED, CAPITALISED = 0.85, 0.8, 0.5

PACK_TOKENS, MAX_TEXT_TOKENS, MAX_QUESTION_TOKENS = 700, 420, 80

_IN_CLUSTER = re.compile(r"(?:^|/)([A-Z]\d\d)[abc]-[^/]*$")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question put to a paragraph: the numbers of the sentences that answer it, and the short answers' spans."""

    question: str
    sentences: tuple[int, ...] = ()
    answers: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Lesson:
    """A paragraph and what is asked of it."""

    title: str
    text: str
    spans: tuple[Span, ...]
    asked: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class Pack:
    """A lesson in tokens.

    Attributes:
        packed: Those of the text, then those of each question.
        offsets: Of the text's tokens, in code points of the text.
        sentence_tokens: For each sentence the numbers of its tokens; never empty.
    """

    packed: Packed
    offsets: list[Span]
    sentence_tokens: list[list[int]]
    asked: tuple[Asked, ...]

    @property
    def length(self) -> int:
        """Tokens of the text and all questions."""
        return self.packed.length

    def tokens_in(self, span: Span) -> list[int]:
        """Numbers of the tokens that a span of the text touches."""
        return tokens_in(span, self.offsets)


def gather_lessons(place: str, newest: int | None = None, sample: int = 0) -> Callable[[random.Random], list[Lesson]]:
    """A function that draws the lessons of one suite's choosing part, other ones each time it is called.

    Args:
        place: A suite or a dataset file.
        newest: Only so many of its questions, those written last.
        sample: Beside the newest so many of the others.
    """
    suite, kit = open_suite(place, Settings())
    parts = part_of(suite)
    questions = [question for question in suite.questions if parts[question.id] == "choose"]
    if newest is not None:
        older, questions = questions[:-newest], questions[-newest:]
        questions = [*random.Random(newest).sample(older, min(sample, len(older))), *questions]
    put: dict[tuple[str, int], tuple[Paragraph, list[tuple[GoldQuestion, float]]]] = {}
    read, siblings = suite.open_reader(), _siblings(suite.list_files())
    with kit, kit.index.snapshot() as snapshot:
        for question in questions:
            names = documents_of(question)
            for paragraph in (p for name in names if (doc := read(name)) for p in doc.paragraphs):
                _put(put, paragraph, question, _how_often(question, paragraph))
            own = {Path(name).name for name in names}
            others = dict.fromkeys(other for name in names for other in siblings(name) if Path(other).name not in own)
            for paragraph in (p for name in others if (doc := read(name)) for p in doc.paragraphs):
                _put(put, paragraph, question, FROM_A_SIBLING)
            if suite.name != "reading":
                for hit in kit.retriever.retrieve(question.question, snapshot, 2).hits:
                    if not is_gold(question, hit.paragraph.document.path, hit.paragraph.number):
                        _put(put, hit.paragraph, question, CAME_UP)

    def draw(rng: random.Random) -> list[Lesson]:
        lessons = []
        for paragraph, asked in put.values():
            drawn = [question for question, how_often in asked if rng.random() < how_often]
            if rng.random() < FROM_ANOTHER_DOCUMENT:
                drawn.append(rng.choice(questions))
            lessons.append(_lesson(paragraph, drawn))
        return lessons

    return draw


def _siblings(paths: Iterable[str]) -> Callable[[str], list[str]]:
    """A function from a document of `evals/reading` to those on subjects that are easily taken for its own."""
    clusters: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        if found := _IN_CLUSTER.search(path):
            clusters[found[1]].append(path)
    return lambda name: clusters[found[1]] if (found := _IN_CLUSTER.search(name)) else []


def _how_often(question: GoldQuestion, paragraph: Paragraph) -> float:
    """How often the question is put to this paragraph of its documents."""
    here = is_gold(question, paragraph.document.path, paragraph.number)
    if question.answerable:
        return 1.0 if here else FROM_THE_SAME_DOCUMENT
    return NEAREST if here else FAR_FROM_ANY


def _put(
    put: dict[tuple[str, int], tuple[Paragraph, list[tuple[GoldQuestion, float]]]],
    paragraph: Paragraph,
    question: GoldQuestion,
    how_often: float,
) -> None:
    key = (paragraph.document.path.rpartition("/")[2], paragraph.number)
    put.setdefault(key, (paragraph, []))[1].append((question, how_often))


def _lesson(paragraph: Paragraph, questions: Sequence[GoldQuestion]) -> Lesson:
    spans = tuple(split_sentences(paragraph.text))
    asked = [found for question in questions if (found := _asked(paragraph, spans, question)) is not None]
    return Lesson(paragraph.title, paragraph.text, spans, tuple(asked))


def _asked(paragraph: Paragraph, spans: Sequence[Span], question: GoldQuestion) -> Asked | None:
    """The question as put to this paragraph; None where it cannot be told whether the paragraph answers it."""
    texts = [paragraph.text[start:end] for start, end in spans]
    here = is_gold(question, paragraph.document.path, paragraph.number)
    wordings = entries_of(question)
    if not question.answerable:
        return Asked(question.question)
    if not here:
        said = any(includes(paragraph.text, wording) for entry in wordings for wording in entry)
        return None if said and "yes-no" not in question.tags else Asked(question.question)
    marked = [_plain(e.sentence) for e in question.evidence if e.sentence and e.paragraph == paragraph.number]
    marked += [_plain(sentence) for sentence in question.evidence_sentences]
    right = tuple(n for n, text in enumerate(texts) if _plain(text) in marked)
    if not right:
        return None
    answers = [] if question.is_long or "yes-no" in question.tags else wordings
    found = [find_wording(paragraph.text, [spans[n] for n in right], entry) for entry in answers]
    return Asked(question.question, right, tuple(span for span in found if span is not None))


def _worded(question: str, rng: random.Random) -> str:
    """The question, now and then in small letters without its question mark."""
    return as_typed(question) if rng.random() < AS_TYPED else question


def _named(title: str, rng: random.Random) -> str:
    """The title, now and then none, as files are named: with or without a number before it, in capitals or not."""
    if rng.random() >= TITLED:
        return ""
    named = re.sub(r"^\w?\d+\w? ", "", title) if rng.random() < UNNUMBERED else title
    return named.title() if rng.random() < CAPITALISED and named.islower() else named


def _plain(sentence: str) -> str:
    return " ".join(normalise(sentence))[:80]


def find_wording(text: str, spans: Sequence[Span], wordings: Sequence[str]) -> Span | None:
    """Where one of the wordings stands within the spans."""
    for start, end in spans:
        for wording in wordings:
            found = re.search(rf"(?<!\w){re.escape(wording)}(?!\w)", text[start:end], re.IGNORECASE)
            if found:
                return start + found.start(), start + found.end()
    return None


def pack_lessons(lessons: Sequence[Lesson], tokenizer: Any, rng: random.Random) -> list[Pack]:
    """The lessons in tokens and in random order; a lesson with many questions makes several packs."""
    packs = []
    for lesson in lessons:
        tokens, offsets = encode_text(tokenizer, lesson.text, _named(lesson.title, rng))
        touched = [tokens_in(span, offsets) for span in lesson.spans]
        if len(tokens) > MAX_TEXT_TOKENS or not all(touched):
            continue
        waiting = [(encode_question(tokenizer, _worded(asked.question, rng)), asked) for asked in lesson.asked]
        waiting = [pair for pair in waiting if len(pair[0]) <= MAX_QUESTION_TOKENS]
        rng.shuffle(waiting)
        while waiting:
            taken, length = [], len(tokens)
            while waiting and length < PACK_TOKENS:
                taken.append(waiting.pop())
                length += len(taken[-1][0])
            packed = Packed(tokens, tuple(tokens for tokens, _ in taken))
            packs.append(Pack(packed, offsets, touched, tuple(asked for _, asked in taken)))
    rng.shuffle(packs)
    return packs
