"""The bytes of a file of source code or settings enter, its pieces leave; the text itself stays as it was written.

What is separated by blank lines and begins at the margin is a piece; a long one is cut where something inside it
begins, short ones without a name are joined. Called through `ragkit.readers`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from ragkit.readers.code_lines import COMMENT, CodeLines
from ragkit.readers.decoding import decode
from ragkit.readers.extraction import Extracted, Source
from ragkit.readers.spans import Span, trimmed
from ragkit.records import ParagraphKind

MAX_LINES = 60
"""What is longer than a screen is cut where something inside it begins."""

MAX_JOINED_LINES = 20
"""Imports, constants and the like are joined up to this."""

MAX_LEVELS = 20
"""Nobody nests deeper than this; what is, is cut after so many lines."""

MAX_SIGN_SHARE = 0.25
"""Comments with a larger share of signs and digits are code that is out of use, or tables."""

_SENTENCE = re.compile(r"\w{2}[)\"'`]*[.!?](?=\s|$)")
_OTHER = re.compile(r"[^\w\s]|[\d_]")
_SIGNS = re.compile(r"^[ \t]*(?:[#/*;%'-]+|\"\"\"|<!--)|(?:\"\"\"|\*/|-->)[ \t]*$", re.M)


def read_code(source: Source) -> Extracted:
    """The pieces of a file: functions and what stands between them; long comments are prose.

    Raises:
        DocumentError: It is no text.
    """
    text = decode(source.data, source.name).replace("\f", " ")
    return Extracted(text, _Cutter(text, source.name).spans())


@dataclass(frozen=True, slots=True)
class _Piece:
    """Lines from `first` to before `last`.

    Attributes:
        is_inner: Whether it was cut off something longer that begins before it.
        kind: What it is.
    """

    first: int
    last: int
    is_inner: bool = False
    kind: ParagraphKind = "code"

    @property
    def lines(self) -> range:
        """Their numbers, from 0."""
        return range(self.first, self.last)


class _Cutter:
    """One file on its way into pieces."""

    def __init__(self, text: str, name: str):
        self._text = text
        self._code = CodeLines(text, name)

    def spans(self) -> list[Span]:
        """The paragraphs of the file."""
        pieces = list(self._joined(part for piece in self._blocks() for part in self._cut(piece)))
        paths = self._code.paths([piece.first for piece in pieces])
        return [self._span(piece, path) for piece, path in zip(pieces, paths, strict=True)]

    def _span(self, piece: _Piece, path: tuple[str, ...]) -> Span:
        start, end = self._code.lines[piece.first].start, self._code.lines[piece.last - 1].end
        is_one = len(piece.lines) == 1
        place = f"line {piece.last}" if is_one else f"lines {piece.first + 1}-{piece.last}"
        return Span(*trimmed(self._text, start, end), piece.kind, path, place=place)

    def _blocks(self) -> Iterator[_Piece]:
        """What is separated by blank lines and stands furthest out."""
        code = self._code
        written = [number for number, words in enumerate(code.words) if words]
        margin = min((code.levels[number] for number in written if code.levels[number] >= 0), default=0)
        starts = [
            number
            for number in written
            if code.begins[number] and code.levels[number] <= margin and not self._is_within(number)
        ]
        return self._between([*written[:1], *starts], len(code.words))

    def _is_within(self, number: int) -> bool:
        """Whether a line lies in a comment or text that begins above the blank line before it."""
        return bool(self._code.marks[number]) and number > 0 and bool(self._code.marks[number - 1])

    def _between(self, starts: Iterable[int], end: int) -> Iterator[_Piece]:
        """The pieces that begin at some lines, without the blank lines at their ends."""
        firsts = sorted(set(starts))
        for number, first in enumerate(firsts):
            last = firsts[number + 1] if number + 1 < len(firsts) else end
            while last > first and not self._code.words[last - 1]:
                last -= 1
            if last > first:
                yield _Piece(first, last)

    def _cut(self, block: _Piece) -> Iterator[_Piece]:
        """The parts of a long block, none longer than a screen: cut at what begins inside, outermost first."""
        waiting = [(block, 0)]
        while waiting:
            piece, level = waiting.pop()
            if len(piece.lines) <= MAX_LINES:
                kind: ParagraphKind = "prose" if self._is_prose(piece) else "code"
                yield _Piece(piece.first, piece.last, piece.first > block.first, kind)
            else:
                starts = self._inner_starts(piece) if level < MAX_LEVELS else piece.lines[::MAX_LINES]
                parts = list(self._between([piece.first, *starts], piece.last))
                waiting += [(part, level + 1) for part in reversed(parts)]

    def _inner_starts(self, piece: _Piece) -> Iterable[int]:
        """Where the outermost things inside a piece begin; failing any, its outermost lines."""
        code, head = self._code, self._name_line(piece)
        inside = range((piece.first if head is None else head) + 1, piece.last)
        begins = [number for number in inside if code.begins[number] and code.levels[number] >= 0]
        starts = {code.top_of(number, inside.start) for number in inside if code.defines[number]}
        starts |= {number for number in begins if not self._is_within(number)}
        found = starts or set(begins) or {number for number in inside if code.words[number]}
        outermost = min((code.levels[number] for number in found), default=0)
        chosen = sorted(number for number in found if code.levels[number] == outermost)
        return chosen if starts else _spaced([piece.first, *chosen, piece.last])

    def _joined(self, pieces: Iterable[_Piece]) -> Iterator[_Piece]:
        """The pieces, the short ones among them in one."""
        current: _Piece | None = None
        for piece in pieces:
            if current is not None and self._is_joined(current, piece):
                current = _Piece(current.first, piece.last, current.is_inner)
                continue
            if current is not None:
                yield current
            current = piece
        if current is not None:
            yield current

    def _is_joined(self, before: _Piece, piece: _Piece) -> bool:
        """Whether a piece goes with the one before it: after a comment, or if neither has a name of its own."""
        lines = piece.last - before.first
        if lines > MAX_LINES or "prose" in (before.kind, piece.kind):
            return False
        if self._is_comment(before):
            return True
        named, holder = self._name_line(piece), self._name_line(before)
        if named is not None:
            return False
        levels = self._code.levels
        if piece.is_inner:
            return holder is None or levels[piece.first] > levels[holder]
        return holder is None and lines <= MAX_JOINED_LINES

    def _name_line(self, piece: _Piece) -> int | None:
        """The line by which a piece is called, if it is a definition."""
        code = self._code
        heads = (number for number in piece.lines if code.words[number] and not code.marks[number])
        for number in heads:
            if code.defines[number]:
                return number
            if not code.words[number].startswith("@"):
                return None
        return None

    def _is_comment(self, piece: _Piece) -> bool:
        return all(self._code.marks[number] == COMMENT for number in piece.lines if self._code.words[number])

    def _is_prose(self, piece: _Piece) -> bool:
        """Whether it is a comment, or in TeX anything, of at least two sentences."""
        if self._code.suffix != ".tex" and not self._is_comment(piece):
            return False
        words = _SIGNS.sub("", "\n".join(self._code.words[piece.first : piece.last]))
        return len(_SENTENCE.findall(words)) >= 2 and len(_OTHER.findall(words)) <= MAX_SIGN_SHARE * len(words)


def _spaced(starts: list[int]) -> Iterator[int]:
    """Of the places where a piece can be cut, between its ends, as few as keep the parts within a screen."""
    latest = starts[0]
    for start, following in pairwise(starts):
        if following - latest > MAX_LINES and start > latest:
            yield start
            latest = start
