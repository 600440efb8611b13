"""A document enters, the chunks that are embedded and searched leave.

A paragraph of some length is a chunk of its own; short ones are joined with their neighbours under the same headings,
long ones are cut at sentence ends. Called by `ingest`.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from ragkit.records import Chunk, Document, Paragraph, embedded_text
from ragkit.sentences import split_sentences

CHUNKER_VERSION = 1
"""Recorded in the index; raised whenever the same document would be cut into other chunks."""

CODE_POINTS_PER_TOKEN = 20
"""A tokenizer may read a whole blob as one unknown token; more code points than this count as a further token."""

MAX_HIDDEN_LETTERS = 12
"""Markers and fences between two paragraphs have fewer letters and digits; a comment has more, and parts them."""

HEADINGS_SHARE = 1 / 3
"""The text of a chunk keeps the rest of the budget, however long the headings are that go in front of it."""

CountTokens = Callable[[str], int]

_LINE = re.compile(r"[^\n]*\S[^\n]*")


@dataclass(frozen=True, slots=True)
class _Unit:
    """A paragraph or a part of one that is not cut further."""

    paragraph: Paragraph
    start: int
    end: int
    tokens: int


def chunk_document(document: Document, count_tokens: CountTokens, *, max_tokens: int, min_tokens: int) -> list[Chunk]:
    """The chunks of a document in order; they do not overlap and hold every paragraph.

    A heading goes with what follows it, and counts with it. Tokens are counted part by part and added up, which takes
    time linear in the text and is exact where no token spans a space.

    Args:
        document: What to cut.
        count_tokens: Length of a text in the embedder's tokens.
        max_tokens: Most tokens in a chunk's `embedded_text`; only headings that take more than `HEADINGS_SHARE` of it
            make a chunk longer.
        min_tokens: A paragraph of at least this length is not joined with other text.
    """
    cutter = _Cutter(document, count_tokens, max_tokens, min_tokens)
    return [cutter.chunk(units) for units in cutter.groups()]


@dataclass
class _Cutter:
    """One pass over the paragraphs of a document.

    Attributes:
        group: The units of the chunk that is being filled.
        tokens: Their tokens, and those of the markers between them.
        heading_tokens: Length of each heading path met so far.
    """

    document: Document
    count_tokens: CountTokens
    max_tokens: int
    min_tokens: int
    group: list[_Unit] = field(default_factory=list)
    tokens: int = 0
    heading_tokens: dict[tuple[str, ...], int] = field(default_factory=dict)

    def groups(self) -> Iterator[list[_Unit]]:
        """The units of each chunk."""
        for paragraph in self.document.paragraphs:
            yield from self._add(paragraph)
        yield from self._flush()

    def chunk(self, units: list[_Unit]) -> Chunk:
        """The chunk that holds the units."""
        start, end = units[0].start, units[-1].end
        text = self.document.text[start:end]
        paragraphs = tuple(dict.fromkeys(unit.paragraph for unit in units))
        tokens = self.count_tokens(embedded_text(paragraphs[0].headings, text))
        return Chunk(self.document.ref, start, end, text, paragraphs, tokens)

    def _add(self, paragraph: Paragraph) -> Iterator[list[_Unit]]:
        """Take in the next paragraph; gives back the groups that it completes."""
        whole = _Unit(paragraph, paragraph.start, paragraph.end, self._measure(paragraph.start, paragraph.end))
        room = self._room(paragraph.headings)
        if self.group and not self._joins(whole):
            yield from self._flush()
        gap = self._gap_tokens(whole)
        is_text_after_heading = bool(self.group) and _is_heading(self.group[-1]) and not _is_heading(whole)
        if self.group and self.tokens + gap + whole.tokens > room and not is_text_after_heading:
            yield from self._flush()
            gap = 0
        if self.tokens + gap + whole.tokens > room:
            beside_headings = room - self.tokens - gap
            parts = self._parts(paragraph, beside_headings if beside_headings > room / 2 else room)
            yield from _packed([*self.group, *parts], room)
            self.group, self.tokens = [], 0
            return
        self.group.append(whole)
        self.tokens += gap + whole.tokens
        if self._stands_alone(whole):
            yield from self._flush()

    def _flush(self) -> Iterator[list[_Unit]]:
        if self.group:
            yield self.group
        self.group, self.tokens = [], 0

    def _joins(self, unit: _Unit) -> bool:
        """Whether the unit may share a chunk with those in the group, if there is room."""
        last = self.group[-1]
        hidden = self.document.text[last.end : unit.start]
        if sum(map(str.isalnum, hidden)) > MAX_HIDDEN_LETTERS or self._gap_tokens(unit) > self.max_tokens / 4:
            return False
        if _is_heading(last) or _is_heading(unit):
            return _is_heading(last)
        return last.paragraph.headings == unit.paragraph.headings and not self._stands_alone(unit)

    def _stands_alone(self, unit: _Unit) -> bool:
        return not _is_heading(unit) and unit.tokens >= self.min_tokens

    def _gap_tokens(self, unit: _Unit) -> int:
        return self._measure(self.group[-1].end, unit.start) if self.group else 0

    def _room(self, headings: tuple[str, ...]) -> int:
        """Tokens that the headings leave to the text."""
        if headings not in self.heading_tokens:
            self.heading_tokens[headings] = self.count_tokens(embedded_text(headings, "")) if headings else 0
        return max(1, self.max_tokens - min(self.heading_tokens[headings], int(HEADINGS_SHARE * self.max_tokens)))

    def _measure(self, start: int, end: int) -> int:
        return max(self.count_tokens(self.document.text[start:end]), (end - start) // CODE_POINTS_PER_TOKEN)

    def _parts(self, paragraph: Paragraph, room: int) -> Iterator[_Unit]:
        """The sentences of a paragraph (of code, the lines), each cut until it fits the room."""
        starts = [start for start, _ in _natural_parts(paragraph)]
        for start, end in pairwise([*starts, len(paragraph.text)]):
            yield from self._fitting(paragraph, paragraph.start + start, paragraph.start + end, room)

    def _fitting(self, paragraph: Paragraph, start: int, end: int, room: int) -> Iterator[_Unit]:
        tokens = self._measure(start, end)
        if tokens > room and end - start > 1:
            middle = _middle(self.document.text, start, end)
            yield from self._fitting(paragraph, start, middle, room)
            yield from self._fitting(paragraph, middle, end, room)
            return
        stretch = self.document.text[start:end]
        if stretch.strip():
            left = len(stretch) - len(stretch.lstrip())
            yield _Unit(paragraph, start + left, start + len(stretch.rstrip()), tokens)


def _is_heading(unit: _Unit) -> bool:
    return unit.paragraph.kind == "heading"


def _natural_parts(paragraph: Paragraph) -> list[tuple[int, int]]:
    if paragraph.kind != "code":
        return split_sentences(paragraph.text)
    return [match.span() for match in _LINE.finditer(paragraph.text)]


def _middle(text: str, start: int, end: int) -> int:
    """A place to cut near the middle: after the last space in the second quarter, else between two code points."""
    middle = (start + end) // 2
    low = start + (end - start) // 4
    return next((place for place in range(middle, low, -1) if text[place - 1].isspace()), middle)


def _packed(units: list[_Unit], room: int) -> Iterator[list[_Unit]]:
    """The units in groups that fit the room and are of about the same length, so that the last is no mere rest."""
    total = sum(unit.tokens for unit in units)
    target = total / math.ceil(total / room)
    group: list[_Unit] = []
    tokens = 0
    for unit in units:
        if group and (tokens + unit.tokens > room or (tokens >= target and not _is_heading(group[-1]))):
            yield group
            group, tokens = [], 0
        group.append(unit)
        tokens += unit.tokens
    yield group
