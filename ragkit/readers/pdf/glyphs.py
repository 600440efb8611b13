"""The text of a page of PDFium enters, its glyphs leave one by one, with what they say, their style and their place.

Called by `pdf_pieces`; all that is asked of PDFium for each glyph is asked here.
"""

import re
import unicodedata
from collections.abc import Iterator
from ctypes import addressof, byref, c_double, c_float, create_string_buffer
from dataclasses import dataclass
from typing import Any

from ragkit.readers.pdf.drawings import turned

SUPERSCRIPTS = str.maketrans("0123456789+-()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾")
"""Raised digits are exponents and marks of footnotes; as common digits they would change the number before them."""

RAISED = 0.2
"""Digits that begin so far above the baseline, in font sizes, are raised."""

MIN_SIZE = 0.5
"""Of a font, in points; nothing smaller can be seen."""

MAX_SIZE = 2_000.0
"""A larger one is a mistake of the file."""

_BOLD_NAME = re.compile(r"bold|black|heavy|demi|(?:^|[-,])(?:bd|sb)(?![a-z])|bx\d", re.I)
_MONO_NAME = re.compile(r"mono|courier|typewriter|consol|menlo|fixed|(?<![a-z])tt(?![a-z])|tt\d|code(?:$|-)", re.I)
_FIXED_PITCH, _FORCE_BOLD = 1, 1 << 18
_INVISIBLE, _FILL_AND_STROKE = 3, 2
_SPACES = frozenset((0x09, 0x0A, 0x0D, 0x20, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000))
_HYPHENS = {0x02: "-", 0xAD: "-", 0x2010: "-", 0x2011: "-", 0xFFFE: "-"}
_DIGITS = range(0x30, 0x3A)


@dataclass(frozen=True, slots=True)
class Style:
    """What the glyphs that one command of the file writes have in common.

    Attributes:
        size: Of the font, in points as they appear on the page.
        angle: In which direction the text runs, in quarter turns anticlockwise.
        base: The baseline, downwards from some point above.
        hidden: Whether it is invisible: text that was recognised, under the picture of the page.
    """

    size: float
    angle: int
    base: float
    bold: bool
    mono: bool
    hidden: bool


@dataclass(slots=True)
class Glyph:
    """What one glyph says and where it begins and ends; no text if that is unknown.

    Attributes:
        has_space: Whether a space stands before it.
    """

    text: str
    style: Style
    x0: float
    x1: float
    has_space: bool


class Glyphs:
    """One pass over the glyphs of a page."""

    def __init__(self, text_page: Any, count: int) -> None:
        import pypdfium2.raw as pdfium

        self._pdfium: Any = pdfium
        self._text_page = text_page
        self._count = count
        self._styles: dict[int, Style] = {}
        self._fonts: dict[int, tuple[bool, bool]] = {}

    def __iter__(self) -> Iterator[Glyph]:
        """The glyphs in the order of the file."""
        text_page, styles, box = self._text_page, self._styles, self._pdfium.FS_RECTF()
        get_unicode, get_object = self._pdfium.FPDFText_GetUnicode, self._pdfium.FPDFText_GetTextObject
        get_box, box_ref = self._pdfium.FPDFText_GetLooseCharBox, byref(box)
        has_space, handle_id, latest = False, 0, (0.0, 0.0)
        style: Style | None = None
        for index in range(self._count):
            code = get_unicode(text_page, index)
            if code in _SPACES:
                has_space = True
                continue
            handle = get_object(text_page, index)
            if not handle:
                continue
            new_id = addressof(handle.contents)
            if new_id != handle_id or style is None:
                handle_id = new_id
                style = styles.get(new_id) or self._style(new_id, handle, index)
            if not style.angle and get_box(text_page, index, box_ref):
                x0, x1 = box.left, box.right
            else:
                x0, x1, _ = self._tight_box(index, style.angle)
            if (x0, x1) == latest:  # a further letter of a ligature
                x0 = x1
            else:
                latest = (x0, x1)
            text = _letters(code)
            if code in _DIGITS and self._tight_box(index, style.angle)[2] < style.base - RAISED * style.size:
                text = text.translate(SUPERSCRIPTS)
            yield Glyph(text, style, x0, x1, has_space)
            has_space = False

    def _tight_box(self, index: int, angle: int) -> tuple[float, float, float]:
        """Left end, right end and lower end of what is drawn for a glyph."""
        left, right, bottom, top = c_double(), c_double(), c_double(), c_double()
        self._pdfium.FPDFText_GetCharBox(self._text_page, index, left, right, bottom, top)
        box = turned(left.value, bottom.value, right.value, top.value, angle)
        return box.x0, box.x1, box.bottom

    def _style(self, handle_id: int, handle: Any, index: int) -> Style:
        """The style of a text object, whose glyphs all stand on one baseline."""
        pdfium = self._pdfium
        matrix, x, y = pdfium.FS_MATRIX(), c_double(), c_double()
        pdfium.FPDFText_GetMatrix(self._text_page, index, byref(matrix))
        pdfium.FPDFText_GetCharOrigin(self._text_page, index, x, y)
        angle = direction(matrix.a, matrix.b)
        scale = max(abs(matrix.c), abs(matrix.d)) or 1.0
        size = abs(pdfium.FPDFText_GetFontSize(self._text_page, index)) * scale
        size = size if MIN_SIZE <= size <= MAX_SIZE else MIN_SIZE
        base = turned(x.value, y.value, x.value, y.value, angle).top
        mode = pdfium.FPDFTextObj_GetTextRenderMode(handle)
        bold, mono = self._font(handle) if mode != _INVISIBLE else (False, False)
        style = Style(size, angle, base, bold or mode == _FILL_AND_STROKE, mono, mode == _INVISIBLE)
        self._styles[handle_id] = style
        return style

    def _font(self, handle: Any) -> tuple[bool, bool]:
        """Whether the font of a text object is bold, and whether all its letters are equally wide."""
        pdfium = self._pdfium
        font = pdfium.FPDFTextObj_GetFont(handle)
        if not font:
            return False, False
        font_id = addressof(font.contents)
        if font_id not in self._fonts:
            buffer = create_string_buffer(256)
            pdfium.FPDFFont_GetBaseFontName(font, buffer, 256)
            name = buffer.value.decode("utf-8", "replace").split("+", 1)[-1]
            flags = max(pdfium.FPDFFont_GetFlags(font), 0)
            width, widths = c_float(), []
            for letter in "ilmW":
                pdfium.FPDFFont_GetGlyphWidth(font, ord(letter), 1_000.0, width)
                widths.append(width.value)
            is_even = min(widths) > 0 and max(widths) - min(widths) < 1
            bold = bool(_BOLD_NAME.search(name) or flags & _FORCE_BOLD)
            self._fonts[font_id] = bold, bool(flags & _FIXED_PITCH or _MONO_NAME.search(name) or is_even)
        return self._fonts[font_id]


def direction(right: float, up: float) -> int:
    """In which direction text runs, in quarter turns anticlockwise; slanted text counts as the nearest of them."""
    if abs(right) >= abs(up):
        return 0 if right >= 0 else 2
    return 1 if up > 0 else 3


def _letters(code: int) -> str:
    """What a glyph says: nothing where it is unknown, two or three letters where it is a ligature."""
    if 0x20 < code < 0x7F:
        return chr(code)
    if code in _HYPHENS:
        return _HYPHENS[code]
    if code > 0x10FFFF:
        return ""
    letter = chr(code)
    if 0xFB00 <= code <= 0xFB06:
        return unicodedata.normalize("NFKC", letter)
    is_unknown = unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Cn") or code == 0xFFFD or code >= 0xF0000
    return "" if is_unknown else letter
