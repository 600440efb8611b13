"""A page of PDFium enters, its `Piece`s leave: stretches of text of one style on one baseline, and what is drawn.

Coordinates are turned so that text reads to the right and lines follow downwards, whatever the page is rotated by.
Called by `pdf` for each page; the layout is made of the pieces alone, without PDFium.
"""

import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from ctypes import byref
from dataclasses import dataclass, field
from typing import Any

from ragkit.readers.pdf.drawings import Box, Drawings, read_drawings, turned
from ragkit.readers.pdf.glyphs import Glyph, Glyphs, Style, direction

MAX_PAGE_GLYPHS = 200_000
"""A large poster has some ten thousand; more than this on one page is no text that anyone reads."""

MAX_PIECE_GAP = 1.0
"""A wider gap (in font sizes) between two glyphs may be the gap between two columns, so a new piece begins."""

MIN_SPACE = 0.24
"""A gap of this width (in font sizes) parts words even where no space is written; kerning stays far below it."""

MAX_SPACES = 8
"""A gap within a piece is no wider than so many spaces, however narrow a broken font says its letters are."""

FARTHEST = 1_000_000.0
"""Nothing lies as far off as this, in points; pages have up to 14,400."""

UNREADABLE_SHARE = 0.5
"""Where more of the glyphs than this have no letter to them, the page's fonts say nothing and it is but a picture."""

ANGLE_SAMPLES = 30
"""So many glyphs of a page are asked in which direction they run."""

MAX_WALLS = 50
"""So many vertical lines between two glyphs are asked whether they stand at the height of the glyphs."""

_ACCENTS = {"`": "\u0300", "´": "\u0301", "ˆ": "\u0302", "˜": "\u0303", "¯": "\u0304", "˘": "\u0306", "˙": "\u0307"}
_ACCENTS |= {"¨": "\u0308", "˚": "\u030a", "˝": "\u030b", "ˇ": "\u030c", "¸": "\u0327", "˛": "\u0328"}
_SPACING = {mark: accent for accent, mark in _ACCENTS.items()}
_DOTLESS = {"ı": "i", "ȷ": "j"}


@dataclass(slots=True)
class Piece:
    """A stretch of text of one style, see `Style`.

    Attributes:
        space: Whether a space stands in front of it.
    """

    text: str
    x0: float
    x1: float
    base: float
    size: float
    bold: bool = False
    mono: bool = False
    hidden: bool = False
    space: bool = False
    angle: int = 0

    @property
    def top(self) -> float:
        """Where its letters begin."""
        return self.base - 0.75 * self.size

    @property
    def bottom(self) -> float:
        """Where they end."""
        return self.base + 0.25 * self.size


@dataclass(slots=True)
class Page:
    """What stands on one page.

    Attributes:
        number: From 1.
        pieces: In the order in which they are written in the file, those of the main direction of reading only.
        aside: Those that run in another direction, like a stamp along the margin.
        glyphs: How many of them were read.
        is_cut: Whether it holds more than that.
    """

    number: int
    box: Box
    glyphs: int = 0
    pieces: list[Piece] = field(default_factory=list)
    aside: list[Piece] = field(default_factory=list)
    drawings: Drawings = field(default_factory=Drawings)
    is_cut: bool = False


def read_page(page: Any, number: int) -> Page:
    """What stands on a page that PDFium has loaded; what lies outside of its edges is left out."""
    import pypdfium2.raw as pdfium

    bounds = pdfium.FS_RECTF()
    pdfium.FPDF_GetPageBoundingBox(page, byref(bounds))
    sides = (bounds.left, bounds.bottom, bounds.right, bounds.top)
    left, bottom, right, top = (min(max(side, -FARTHEST), FARTHEST) for side in sides)
    text_page = pdfium.FPDFText_LoadPage(page)
    try:
        count = max(pdfium.FPDFText_CountChars(text_page), 0) if text_page else 0
        angle = _main_angle(text_page, count)
        box = turned(left, bottom, right, top, angle)
        drawings = read_drawings(page, box.width * box.height, angle)
        walls = sorted((wall.x0, wall.top, wall.bottom) for wall in drawings.walls)
        result = Page(number, box, min(count, MAX_PAGE_GLYPHS), drawings=drawings, is_cut=count > MAX_PAGE_GLYPHS)
        for piece in _pieces(Glyphs(text_page, result.glyphs), walls, angle):
            box = result.box if piece.angle == angle else turned(left, bottom, right, top, piece.angle)
            if _is_within(piece, box):
                (result.pieces if piece.angle == angle else result.aside).append(piece)
    finally:
        if text_page:
            pdfium.FPDFText_ClosePage(text_page)
    return result


def _is_within(piece: Piece, box: Box) -> bool:
    """Whether something of a piece is to be seen on the page."""
    return (
        -FARTHEST < piece.x0 <= piece.x1 < FARTHEST
        and box.x0 < piece.x1
        and piece.x0 < box.x1
        and box.top < piece.base - 0.3 * piece.size < box.bottom
    )


def _main_angle(text_page: Any, count: int) -> int:
    """In which direction most of the text of a page runs, in quarter turns."""
    import pypdfium2.raw as pdfium

    matrix = pdfium.FS_MATRIX()
    angles: Counter[int] = Counter()
    for index in range(0, count, max(count // ANGLE_SAMPLES, 1)):
        if pdfium.FPDFText_GetMatrix(text_page, index, byref(matrix)):
            angles[direction(matrix.a, matrix.b)] += 1
    return angles.most_common(1)[0][0] if angles else 0


def _pieces(glyphs: Iterable[Glyph], walls: list[tuple[float, float, float]], angle: int) -> list[Piece]:
    """The pieces that glyphs make, in their order; none where the fonts do not say which letters they show."""
    pieces: list[Piece] = []
    known = unknown = 0
    for glyph in _with_accents(glyphs):
        if not glyph.text:
            unknown += 1
            continue
        known += 1
        piece = pieces[-1] if pieces else None
        if piece is not None and glyph.has_space and walls and piece.angle == angle and _is_walled(piece, glyph, walls):
            piece = None
        if piece is None or not _extend(piece, glyph):
            style = glyph.style
            pieces.append(Piece(glyph.text, glyph.x0, glyph.x1, style.base, style.size, space=glyph.has_space))
            piece = pieces[-1]
            piece.bold, piece.mono, piece.hidden, piece.angle = style.bold, style.mono, style.hidden, style.angle
    return pieces if unknown <= UNREADABLE_SHARE * (known + unknown) else []


def _with_accents(glyphs: Iterable[Glyph]) -> Iterator[Glyph]:
    """The glyphs; an accent that is drawn over a letter as a glyph of its own makes one with it."""
    accent: Glyph | None = None
    for glyph in glyphs:
        if accent is not None:
            middle = (accent.x0 + accent.x1) / 2
            mark = _ACCENTS.get(accent.text, accent.text)
            letter = unicodedata.normalize("NFC", _DOTLESS.get(glyph.text, glyph.text) + mark)
            if glyph.x0 <= middle <= glyph.x1 and glyph.text.isalpha() and len(letter) == 1:
                glyph.text, glyph.has_space = letter, accent.has_space or glyph.has_space
            else:
                accent.text = _SPACING.get(accent.text, accent.text)
                yield accent
            accent = None
        if glyph.text in _ACCENTS or glyph.text in _SPACING:
            accent = glyph
        else:
            yield glyph
    if accent is not None:
        yield accent


def _is_walled(piece: Piece, glyph: Glyph, walls: list[tuple[float, float, float]]) -> bool:
    """Whether a vertical line stands between a piece and a glyph after it."""
    first = bisect_left(walls, (piece.x1 - 0.5,))
    height = piece.base - 0.2 * piece.size
    return any(x <= glyph.x0 + 0.5 and top < height < bottom for x, top, bottom in walls[first : first + MAX_WALLS])


def _extend(piece: Piece, glyph: Glyph) -> bool:
    """Appends a glyph to a piece, unless it is of another style or stands elsewhere."""
    style, x0, x1 = glyph.style, glyph.x0, glyph.x1
    if not _is_alike(piece, style):
        return False
    goes_left = x1 <= piece.x0 + 0.3 * style.size and is_leftward(glyph.text) and is_leftward(piece.text[-1])
    gap = piece.x0 - x1 if goes_left else x0 - piece.x1
    if not -0.5 * style.size <= gap <= MAX_PIECE_GAP * style.size:
        return False
    if glyph.has_space or gap > MIN_SPACE * style.size:
        piece.text += " " * (min(max(1, round(gap / (x1 - x0))), MAX_SPACES) if style.mono and x1 > x0 else 1)
    piece.text += glyph.text
    piece.x0, piece.x1 = min(piece.x0, x0), max(piece.x1, x1)
    return True


def _is_alike(piece: Piece, style: Style) -> bool:
    return (
        style.angle == piece.angle
        and abs(style.base - piece.base) <= 0.1 * piece.size
        and abs(style.size - piece.size) <= 0.05 * piece.size
        and style.bold == piece.bold
        and style.mono == piece.mono
        and style.hidden == piece.hidden
    )


def is_leftward(text: str) -> bool:
    """Whether a letter belongs to a script that is written from right to left."""
    return text >= "\u0590" and unicodedata.bidirectional(text[0]) in ("R", "AL")
