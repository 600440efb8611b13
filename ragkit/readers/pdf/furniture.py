"""The pages of a document enter and lose their running headers, footers and page numbers.

Such a line stands at the edge of its page, at the same height on many pages, and says the same but for numbers.
Called by `pdf` before the layout is made.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from ragkit.readers.pdf.grids import find_grids
from ragkit.readers.pdf.pieces import Page, Piece

EDGE_ROWS = 3
"""Running headers and footers are among the first and the last three lines of a page."""

EDGE_SHARE = 0.17
"""They stand in this share of the page's height at its top or bottom."""

FEW_PAGES = 3
"""In so short a document, a line that comes again may be text; what is no page number stays once."""

MIN_REPEATS = 3
"""A line that stands on fewer pages is no running header."""

REPEAT_SHARE = 0.1
"""Nor is one that stands on a smaller share of the pages of a long document, unless other headers stand there."""

WIDE_GAP = 1.5
"""A gap of so many font sizes parts what stands left and right in a header."""

BAND_SHARE = 0.6
"""Where this share of the pages has lines that come again at one height, what else stands there is a header as well,
such as the title of a section that is one page long."""

MIN_BAND_SHARE = 0.3
"""Such a height is one at which this share of all pages has a line."""

_NUMBER = re.compile(r"\d+|\b[ivxlc]+\b")
_PAGE_NUMBER = re.compile(
    r"[-–—|•(\[ ]*(?:(?:page|seite|página|pagina|p\.|s\.|стр\.|第)\s*)?(\d{1,5}|[ivxlc]{1,8})"
    r"(?:\s*(?:of|/|von|de|sur|di|из|\|)\s*\d{1,5})?[-–—|•)\] 页頁]*",
    re.I,
)


@dataclass(slots=True)
class _Row:
    """What stands at one height of a page; `edge` is its place counted from the edge, `height` in points.

    `keys` are what it says without its numbers: all of it, then each part between wide gaps.
    """

    page: int
    side: str
    edge: int
    height: int
    keys: tuple[str, ...]
    text: str
    pieces: list[Piece]


_CONTINUED = re.compile(
    r"\(?(?:continue[sd]|cont\.|fortsetzung|fortgesetzt|suite|continuación) "
    r"(?:on|from|auf|von|de|à|en|sur)(?: \w+){0,2} (?:page|seite|página)(?: \w+)?\)?",
    re.I,
)


def drop_furniture(pages: list[Page]) -> None:
    """Takes running headers, footers and page numbers out of the pages."""
    rows = [row for page in pages for row in _edge_rows(page)]
    repeated = _repeated if len(pages) > FEW_PAGES else _surely_repeated
    dropped = _numbers(rows) | repeated(rows, len(pages))
    gone: dict[int, set[int]] = defaultdict(set)
    outer: dict[tuple[int, str], bool] = {}
    for number, row in enumerate(rows):  # from the edge inwards: nothing is dropped behind a line that stays
        place = (row.page, row.side)
        outer[place] = outer.get(place, True) and number in dropped
        if outer[place]:
            gone[row.page].update(map(id, row.pieces))
    for page in pages:
        gone[page.number].update(id(piece) for piece in page.pieces if _CONTINUED.fullmatch(piece.text.strip()))
        if gone[page.number]:
            page.pieces = [piece for piece in page.pieces if id(piece) not in gone[page.number]]


def _edge_rows(page: Page) -> Iterable[_Row]:
    """The outermost lines of a page, the first and the last one first."""
    height = page.box.bottom - page.box.top
    tables = [grid.box for grid in find_grids(page.drawings) if grid.box.height > EDGE_SHARE * height]
    heights: dict[str, list[list[Piece]]] = {"top": [], "bottom": []}
    for side, sign in (("top", 1), ("bottom", -1)):
        limit = page.box.top + EDGE_SHARE * height if side == "top" else page.box.bottom - EDGE_SHARE * height
        near = [
            piece
            for piece in page.pieces
            if sign * piece.base < sign * limit and not any(table.holds(piece.x0, piece.base) for table in tables)
        ]
        for piece in sorted(near, key=lambda piece: (sign * piece.base, piece.x0)):
            groups = heights[side]
            if groups and abs(groups[-1][0].base - piece.base) < 0.3 * piece.size:
                groups[-1].append(piece)
            elif len(groups) < EDGE_ROWS:
                groups.append([piece])
            else:
                break
        for edge, group in enumerate(heights[side]):
            texts = _parts(group)
            keys = tuple(_NUMBER.sub("#", text.lower()).replace(" ", "") for text in (" ".join(texts), *texts))
            yield _Row(page.number, side, edge, round(group[0].base - page.box.top), keys, " ".join(texts), group)


def _parts(pieces: list[Piece]) -> list[str]:
    """The texts of a line between wide gaps."""
    parts: list[str] = []
    end = float("inf")
    for piece in sorted(pieces, key=lambda piece: piece.x0):
        if not parts or piece.x0 - end > WIDE_GAP * piece.size:
            parts.append(piece.text)
        else:
            parts[-1] += f" {piece.text}"
        end = piece.x1
    return parts


def _numbers(rows: list[_Row]) -> set[int]:
    """Which rows are page numbers: alone at the edge, and at the same distance to the number of the page elsewhere."""
    found: list[tuple[int, int]] = []
    for number, row in enumerate(rows):
        match = _PAGE_NUMBER.fullmatch(row.text.strip())
        if match and row.edge == 0:
            value = int(match[1]) if match[1].isdecimal() else _roman(match[1].lower())
            found.append((number, value - row.page))
    shifts = Counter(shift for _, shift in found)
    return {number for number, shift in found if shifts[shift] >= 2 or shift == 0}


def _roman(text: str) -> int:
    values = [{"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}[letter] for letter in text]
    return sum(-one if one < following else one for one, following in zip(values, [*values[1:], 0], strict=True))


def _repeated(rows: list[_Row], count: int) -> set[int]:
    """Which rows of a long document come again on other pages, or stand where most do."""
    pages: dict[tuple[str, int, str], set[int]] = defaultdict(set)
    for row in rows:
        for key in row.keys:
            pages[row.side, row.height // 4, key].add(row.page)
    counts: Counter[tuple[str, int]] = Counter()
    repeats: Counter[tuple[str, int]] = Counter()
    repeated = []
    for row in rows:
        times = [
            len(set[int]().union(*(pages.get((row.side, row.height // 4 + step, key), ()) for step in (-1, 0, 1))))
            for key in row.keys
        ]
        repeated.append(times[0])
        counts[row.side, row.height // 2] += 1
        repeats[row.side, row.height // 2] += max(times) >= 2
    usual = max(FEW_PAGES + 1, MIN_BAND_SHARE * count)
    bands = {band for band, times in counts.items() if times >= usual and repeats[band] >= BAND_SHARE * times}
    return {
        number
        for number, (row, times) in enumerate(zip(rows, repeated, strict=True))
        if times >= max(MIN_REPEATS, REPEAT_SHARE * count) or (row.side, row.height // 2) in bands
    }


def _surely_repeated(rows: list[_Row], pages: int) -> set[int]:
    """Which rows of a short document stand on each page, the first page left alone."""
    places: dict[tuple[str, str], list[_Row]] = defaultdict(list)
    for row in rows:
        places[row.side, row.keys[0]].append(row)
    return {
        number
        for number, row in enumerate(rows)
        if row.page > 1
        and pages > 1
        and len({other.page for other in places[row.side, row.keys[0]]}) == pages
        and all(abs(other.height - row.height) <= 2 for other in places[row.side, row.keys[0]])
    }
