"""The pieces of one column enter, its lines leave, from top to bottom, with their text.

Called by `pdf_layout`.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ragkit.readers.pdf.glyphs import SUPERSCRIPTS
from ragkit.readers.pdf.pieces import Piece, is_leftward

MONO_SHARE = 0.9
"""A line of code may hold a few letters that its font does not have."""

LEFTWARD_SHARE = 0.3
"""Where so many letters are written from right to left, the line is read in that direction."""

MIN_SPACE = 0.2
"""A gap of this width, in font sizes, between two pieces parts words."""

MAX_SPACES = 200
"""A gap in a line of code is shown as so many spaces, at most."""

RAISED_SIZE, RAISED = 0.85, 0.2
"""A piece that is smaller than this share of its line and stands so much higher, in font sizes, is raised."""


@dataclass(slots=True)
class Line:
    """What stands on one baseline of a column.

    Attributes:
        pieces: From left to right, or as they are read.
        region: Number of the column on its page, in reading order.
        is_entry: Whether it belongs to a table of contents.
        size: Of most of its letters; `bold` and `hidden` are true if all are, `mono` if nearly all are.
    """

    page: int
    pieces: list[Piece]
    region: int = 0
    text: str = ""
    x0: float = 0.0
    x1: float = 0.0
    base: float = 0.0
    size: float = 0.0
    bold: bool = False
    mono: bool = False
    hidden: bool = False
    is_entry: bool = False

    def settle(self) -> "Line":
        """The same line, its text and measures worked out from the pieces."""
        weights: Counter[tuple[float, float]] = Counter()
        for piece in self.pieces:
            weights[piece.size, piece.base] += len(piece.text)
        (self.size, self.base), _ = weights.most_common(1)[0]
        self.x0 = min(piece.x0 for piece in self.pieces)
        self.x1 = max(piece.x1 for piece in self.pieces)
        lettered = [piece for piece in self.pieces if any(map(str.isalnum, piece.text))] or self.pieces
        self.bold = all(piece.bold for piece in lettered)
        typewritten = sum(len(piece.text) for piece in lettered if piece.mono)
        self.mono = typewritten > MONO_SHARE * sum(len(piece.text) for piece in lettered)
        self.hidden = all(piece.hidden for piece in self.pieces)
        is_rtl = sum(map(is_leftward, "".join(piece.text for piece in self.pieces))) > LEFTWARD_SHARE * sum(
            weights.values()
        )
        self.pieces.sort(key=(lambda piece: -piece.x1) if is_rtl else (lambda piece: piece.x0))
        self.mono = self.mono and (self.pieces[0].mono or len(self.pieces[0].text) > 1)
        self.text = "".join(_spaced(self, is_rtl))
        return self

    @property
    def top(self) -> float:
        """Where its letters begin."""
        return self.base - 0.75 * self.size

    @property
    def bottom(self) -> float:
        """Where they end."""
        return self.base + 0.25 * self.size


def _spaced(line: Line, is_rtl: bool) -> Iterable[str]:
    """The texts of the pieces of a line and the spaces between them."""
    before: Piece | None = None
    for piece in line.pieces:
        is_raised = piece.size < RAISED_SIZE * line.size and piece.base < line.base - RAISED * line.size
        if before is not None:
            gap = before.x0 - piece.x1 if is_rtl else piece.x0 - before.x1
            width = (piece.x1 - piece.x0) / len(piece.text)
            if before.mono and piece.mono and width > 0:
                yield " " * min(max(round(gap / width), int(piece.space and gap > 0)), MAX_SPACES)
            elif gap > MIN_SPACE * line.size or (piece.space and gap > 0 and not is_raised):
                yield " "
        yield piece.text.translate(SUPERSCRIPTS) if is_raised else piece.text
        before = piece


def lines_of(pieces: list[Piece], page: int) -> list[Line]:
    """The lines of one column: pieces at about the same height, from top to bottom."""
    groups: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda piece: (piece.base, piece.x0)):
        home = next((group for group in reversed(groups[-2:]) if _is_beside(piece, group)), None)
        if home is None:
            groups.append([piece])
        else:
            home.append(piece)
    return sorted((Line(page, group).settle() for group in groups), key=lambda line: line.base)


def _is_beside(piece: Piece, group: list[Piece]) -> bool:
    """Whether a piece stands on the line of others: the middle of the smaller one lies within the larger one."""
    other = max(group[-8:], key=lambda other: other.size)
    small, large = (piece, other) if piece.size < other.size else (other, piece)
    return large.top <= (small.top + small.bottom) / 2 <= large.bottom and (
        abs(piece.base - other.base) < 0.2 * large.size or small.size < 0.9 * large.size
    )
