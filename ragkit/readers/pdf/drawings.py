"""A page of PDFium enters; what is drawn on it leaves, as far as it tells how the text is arranged.

Rules part the rows and columns of tables, pictures part columns of text. Called by `pdf_pieces`.
"""

from collections.abc import Iterator
from ctypes import byref, c_float, c_int
from dataclasses import dataclass, field
from typing import Any

MAX_OBJECTS = 20_000
"""So many drawn things of a page are looked at; maps and plots have far more."""

MAX_SEGMENTS = 500
"""An outline of more lines than this is a drawing, not the grid of a table."""

MAX_RULES = 2_000
"""More rules than this on a page are hatching, and none is taken for the grid of a table."""

MAX_THICKNESS = 2.5
"""Of a rule, in points."""

MIN_RULE = 5.0
"""Length of the shortest rule, in points: the side of a cell that holds one line."""

MANY_OUTLINES = 200
"""So many outlines on a page without text may be letters."""

MAX_PICTURE_SHARE = 0.5
"""A picture that covers more of its page than this lies under the text."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on the page: to the right and downwards, as its text reads."""

    x0: float
    top: float
    x1: float
    bottom: float

    @property
    def width(self) -> float:
        """In points."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """In points."""
        return self.bottom - self.top

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies within it."""
        return self.x0 < x < self.x1 and self.top < y < self.bottom


@dataclass(slots=True)
class Drawings:
    """What is drawn on a page.

    Attributes:
        rules: Horizontal lines.
        walls: Vertical lines.
        pictures: Images that are not as large as the page.
        may_be_text: Whether there is an image or so many outlines that they could be letters.
    """

    rules: list[Box] = field(default_factory=list)
    walls: list[Box] = field(default_factory=list)
    pictures: list[Box] = field(default_factory=list)
    may_be_text: bool = False


def turned(left: float, bottom: float, right: float, top: float, angle: int) -> Box:
    """A rectangle of the page as it lies where text that runs at an angle (in quarter turns) is upright."""
    if angle == 0:
        return Box(left, -top, right, -bottom)
    if angle == 1:
        return Box(bottom, left, top, right)
    if angle == 2:
        return Box(-right, bottom, -left, top)
    return Box(-top, -right, -bottom, -left)


def read_drawings(page: Any, area: float, angle: int) -> Drawings:
    """What is drawn on a page of so many square points."""
    import pypdfium2.raw as pdfium

    result = Drawings()
    outlines = 0
    sides = [c_float(), c_float(), c_float(), c_float()]
    for index in range(min(pdfium.FPDFPage_CountObjects(page), MAX_OBJECTS)):
        drawn = pdfium.FPDFPage_GetObject(page, index)
        kind = pdfium.FPDFPageObj_GetType(drawn) if drawn else pdfium.FPDF_PAGEOBJ_TEXT
        if kind == pdfium.FPDF_PAGEOBJ_TEXT or not pdfium.FPDFPageObj_GetBounds(drawn, *map(byref, sides)):
            continue
        box = turned(sides[0].value, sides[1].value, sides[2].value, sides[3].value, angle)
        if kind == pdfium.FPDF_PAGEOBJ_IMAGE:
            result.may_be_text = True
            if box.width * box.height < MAX_PICTURE_SHARE * area:
                result.pictures.append(box)
        elif kind == pdfium.FPDF_PAGEOBJ_PATH:
            outlines += 1
            for line in [box] if _is_thin(box) else _sides(drawn, angle):
                (result.rules if line.height <= MAX_THICKNESS else result.walls).append(line)
    result.may_be_text = result.may_be_text or outlines > MANY_OUTLINES
    if len(result.rules) + len(result.walls) > MAX_RULES:
        result.rules, result.walls = [], []
    return result


def _is_thin(box: Box) -> bool:
    """Whether a rectangle is a line, upright or lying."""
    return min(box.width, box.height) <= MAX_THICKNESS and max(box.width, box.height) >= MIN_RULE


def _sides(path: Any, angle: int) -> Iterator[Box]:
    """The straight lines of a stroked outline, such as the frame of a cell or the grid of a table."""
    import pypdfium2.raw as pdfium

    fill, stroke, matrix = c_int(), c_int(), pdfium.FS_MATRIX()
    count = pdfium.FPDFPath_CountSegments(path)
    if not 2 <= count <= MAX_SEGMENTS or not pdfium.FPDFPath_GetDrawMode(path, byref(fill), byref(stroke)):
        return
    if not stroke.value or not pdfium.FPDFPageObj_GetMatrix(path, byref(matrix)):
        return
    x, y = c_float(), c_float()
    start: tuple[float, float] | None = None
    before: tuple[float, float] | None = None
    for index in range(count):
        segment = pdfium.FPDFPath_GetPathSegment(path, index)
        pdfium.FPDFPathSegment_GetPoint(segment, byref(x), byref(y))
        point = (
            matrix.a * x.value + matrix.c * y.value + matrix.e,
            matrix.b * x.value + matrix.d * y.value + matrix.f,
        )
        kind = pdfium.FPDFPathSegment_GetType(segment)
        ends: list[tuple[tuple[float, float] | None, tuple[float, float] | None]] = []
        if kind == pdfium.FPDF_SEGMENT_LINETO:
            ends.append((before, point))
        if kind == pdfium.FPDF_SEGMENT_MOVETO:
            start = point
        elif pdfium.FPDFPathSegment_GetClose(segment):
            ends.append((point, start))
        for one, other in ends:
            if one is not None and other is not None:
                left, right = sorted((one[0], other[0]))
                bottom, top = sorted((one[1], other[1]))
                line = turned(left, bottom, right, top, angle)
                if _is_thin(line):
                    yield line
        before = point
