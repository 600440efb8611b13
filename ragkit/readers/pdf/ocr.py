"""A page that is a picture enters, the text that is recognised on it leaves, as pieces for the layout.

Tesseract does the recognising: a program that is installed apart. Called by `pdf` for pages without text, and only if
the user asks for it.
"""

from collections import defaultdict
from functools import cache
from math import sqrt
from statistics import median
from typing import Any

from ragkit.errors import DocumentError
from ragkit.readers.pdf.pieces import Piece

DPI = 300
"""What Tesseract is trained on."""

MAX_PIXELS = 25_000_000
"""A page of A4 has 8.7 million at 300 dpi; larger ones are shown more coarsely."""

PAGE_TIMEOUT_S = 60
"""A dense page takes some seconds."""

MIN_CONFIDENCE = 25
"""Of a word, in per cent, as Tesseract says; what it reads into lines and stains lies below."""

MAX_LANGUAGES = 3
"""Each language makes recognising slower, and many together make it worse."""

_ASCENDING = frozenset("bdfhklt0123456789!?()[]{}|/\\\"'ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÜß")
_DESCENDING = frozenset("gjpqy,;()[]{}|/Q")


def recognise(page: Any, name: str) -> list[Piece] | None:
    """The words on a page that PDFium has loaded, in points from its upper left corner; None if it took too long.

    Raises:
        DocumentError: Tesseract or its Python module is missing.
    """
    import pypdfium2

    try:
        import pytesseract
    except ModuleNotFoundError as exc:
        raise DocumentError(f"{name} needs an extra to be recognised: pip install 'ragkit-qa[ocr]'") from exc
    width, height = page.get_size()
    scale = min(DPI / 72, sqrt(MAX_PIXELS / max(width * height, 1.0)))
    try:
        bitmap = page.render(scale=scale, grayscale=True)
    except pypdfium2.PdfiumError:
        return []
    try:
        found = pytesseract.image_to_data(
            bitmap.to_pil(), _languages(), timeout=PAGE_TIMEOUT_S, output_type=pytesseract.Output.DICT
        )
    except pytesseract.TesseractNotFoundError as exc:
        raise DocumentError(f"{name} cannot be recognised: tesseract is missing. Install tesseract-ocr") from exc
    except pytesseract.TesseractError as exc:
        reason = " ".join(str(exc.message).split())[:200]
        raise DocumentError(f"{name} cannot be recognised: {reason}. Check the installation of tesseract-ocr") from exc
    except RuntimeError:
        return None
    finally:
        bitmap.close()
    return _pieces(found, scale)


@cache
def _languages() -> str:
    """The languages that Tesseract has learnt on this machine, English last."""
    import pytesseract

    known = [language for language in pytesseract.get_languages() if language not in ("osd", "equ")]
    return "+".join(sorted(known, key=lambda language: language == "eng")[:MAX_LANGUAGES]) or "eng"


def _pieces(found: dict[str, list[Any]], scale: float) -> list[Piece]:
    """The words that Tesseract lists, with their size and baseline told from the line they stand in."""
    rows: dict[tuple[int, ...], list[tuple[str, float, float, float, float]]] = defaultdict(list)
    keys = ("block_num", "par_num", "line_num", "left", "top", "width", "height", "conf", "text")
    words_found = zip(*(found[key] for key in keys), strict=True)
    for block, part, line, left, top, width, height, confidence, text in words_found:
        word = "".join(letter for letter in str(text).strip() if letter.isprintable())
        if word and float(confidence) >= MIN_CONFIDENCE:
            sides = (left / scale, top / scale, (left + width) / scale, (top + height) / scale)
            rows[block, part, line].append((word, *sides))
    sizes = {key: _size(words) for key, words in rows.items()}
    pieces = []
    for key, words in rows.items():
        size = median(other for place, other in sizes.items() if place[0] == key[0])
        size = size if abs(size - sizes[key]) < 0.2 * size else sizes[key]
        base = median(bottom - 0.22 * size * bool(_DESCENDING & set(word)) for word, _, _, _, bottom in words)
        pieces += [Piece(word, x0, x1, base, size, hidden=True, space=True) for word, x0, _, x1, _ in words]
    return pieces


def _size(words: list[tuple[str, float, float, float, float]]) -> float:
    """The font size of a line: letters without strokes upwards or downwards are about half as high."""
    sizes = []
    for word, _, top, _, bottom in words:
        share = (0.72 if _ASCENDING & set(word) else 0.5) + (0.22 if _DESCENDING & set(word) else 0.0)
        sizes.append((bottom - top) / share)
    return max(median(sizes), 1.0)
