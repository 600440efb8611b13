"""The lines of a column enter; the stretches of them that are tables leave, row by row.

A table is told by white channels that run down through its lines. What is drawn around it, if anything is, says where
its rows end. Called by `pdf_blocks`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ragkit.readers.pdf.drawings import Box
from ragkit.readers.pdf.grids import Grid, grid_rows
from ragkit.readers.pdf.lines import Line

CELL_GAP = 1.2
"""Cells are at least this far apart, in font sizes; a space of justified text seldom is that wide."""

WIDE_GAP = 2.0
"""Two lines alone are a table only if their cells are this far apart, in font sizes."""

MIN_CHANNEL = 0.8
"""What is left of the gap between two columns, over all lines, is at least this wide, in font sizes."""

MIN_CELLED_SHARE = 0.4
"""At least this share of the lines of a table has several cells; the others are further lines of one cell."""

MAX_CELL_LINES = 20
"""A stretch of more lines than this with too few cells is given up, even if cells follow further down."""

MIN_ENTRIES = 3
"""So many lines with dots that lead to a number make a table of contents."""

LEADER_CHARS = 60
"""So much of a line before the number is looked at for dots."""

DIGITS = "0123456789"
"""What the number of a page is made of, where it follows the dots without a space."""

MAX_CELLS = 200
"""A line of more cells than this is no row of a table that anyone reads."""

MAX_LINE_GAP = 3.5
"""Lines of one table are no further apart than this, in font sizes."""

_LEADER = re.compile(r"(?:\s?[.·…_]){4,}\s*")
_LEADER_BACKWARDS = re.compile(r"\s*(?:[.·…_]\s?){3,}")
_PAGE_LABEL = re.compile(r"\d{1,4}|[ivxlc]{1,7}|[A-Z]-?\d{1,3}")
_MARKER = re.compile(r"[•◦▪●○■□‣⁃∙·–—*-]|\(?(?:\d{1,3}|[a-z]|[ivx]{1,4})[.)]|\d{1,2}(?:\.\d{1,2})*\.?")


@dataclass(slots=True)
class Cell:
    """The pieces of a line between two wide gaps."""

    x0: float
    x1: float
    text: str


@dataclass(slots=True)
class Table:
    """Lines `start` to `end` (half-open) of a column, and what they say."""

    start: int
    end: int
    text: str


def mark_contents(lines: Sequence[Line]) -> None:
    """Marks the lines of a column that are entries of a table of contents: those with dots that lead to a number.

    Among these, lines that end in a number are entries as well; chapters often have no dots.
    """
    dotted = []
    for number, line in enumerate(lines):
        start, label = _without_label(line.text)
        line.is_entry = bool(label and _LEADER_BACKWARDS.match(start[: -LEADER_CHARS - 1 : -1]))
        dotted += [number] if line.is_entry else []
    if len(dotted) >= MIN_ENTRIES:
        for line in lines[max(dotted[0] - 1, 0) : dotted[-1]]:
            line.is_entry = line.is_entry or all(_without_label(line.text))


def _without_label(text: str) -> tuple[str, str]:
    """A line without the number of a page at its end, and the number; nothing if there is none."""
    start, _, label = text.rstrip().rpartition(" ")
    if not start:
        start, label = text.rstrip(DIGITS), text[len(text.rstrip(DIGITS)) :]
    return (start, label) if _PAGE_LABEL.fullmatch(label) else (text, "")


def without_leader(text: str) -> str:
    """The text of an entry of a table of contents without the dots."""
    return _LEADER.sub("  ", text)


def find_tables(lines: Sequence[Line], grids: Sequence[Grid], rules: Sequence[Box]) -> list[Table]:
    """The tables among the lines of one column, from top to bottom."""
    tables: list[Table] = []
    number = 0
    while number < len(lines):
        table = _ruled_table(lines, number, grids) or _table_from(lines, number, rules)
        if table:
            tables.append(table)
        number = table.end if table else number + 1
    return tables


def _ruled_table(lines: Sequence[Line], start: int, grids: Sequence[Grid]) -> Table | None:
    """The table in the grid in which a line stands."""
    grid = next((grid for grid in grids if grid.holds(lines[start])), None)
    if grid is None:
        return None
    end = start + 1
    while end < len(lines) and grid.holds(lines[end]):
        end += 1
    rows = grid_rows(grid, lines[start:end])
    if sum(sum(map(bool, row)) > 1 for row in rows) < 1:
        return None
    return Table(start, end, "\n".join(map("\t".join, rows)))


def _cells(line: Line) -> list[Cell]:
    """The cells of a line; a bullet or number in front belongs to what follows it."""
    cells: list[Cell] = []
    for piece in line.pieces:
        latest = cells[-1] if cells else None
        if latest is None or piece.x0 - latest.x1 > CELL_GAP * piece.size:
            cells.append(Cell(piece.x0, piece.x1, piece.text))
            continue
        space = " " if piece.space or piece.x0 - latest.x1 > 0.2 * piece.size else ""
        latest.text += space + piece.text
        latest.x1 = max(latest.x1, piece.x1)
    if len(cells) == 2 and _MARKER.fullmatch(cells[0].text):
        return [Cell(cells[0].x0, cells[1].x1, f"{cells[0].text} {cells[1].text}")]
    return cells


def _table_from(lines: Sequence[Line], start: int, rules: Sequence[Box]) -> Table | None:
    """The table that begins with a line, if one does."""
    first = _cells(lines[start])
    if not 2 <= len(first) <= MAX_CELLS or lines[start].mono or lines[start].is_entry:
        return None
    cells = [first]
    size = lines[start].size
    channels = [(left.x1, right.x0) for left, right in pairwise(first)]
    last_celled, celled = start, 1
    for number in range(start + 1, len(lines)):
        if lines[number].base - lines[number - 1].base > MAX_LINE_GAP * size:
            break
        is_thin = number - start > MAX_CELL_LINES and celled < MIN_CELLED_SHARE * (number - start)
        if lines[number].is_entry or is_thin:
            break
        cells.append(_cells(lines[number]))
        is_indented = len(cells[-1]) == 1 and size < cells[-1][0].x0 - first[0].x0 < first[0].x1 - first[0].x0
        if is_indented and cells[-1][0].x0 < min(low for low, _ in channels):
            break
        remaining = _narrowed(channels, cells[-1], MIN_CHANNEL * size)
        if not remaining:
            break
        channels = remaining
        if len(cells[-1]) > 1:
            last_celled, celled = number, celled + 1
    end = _end(lines, cells, start, last_celled, channels, rules)
    if celled < 2 or celled < MIN_CELLED_SHARE * (end - start):
        return None
    if celled == 2 and not any(right - left > WIDE_GAP * size for left, right in channels):
        return None
    edges = [(left + right) / 2 for left, right in sorted(channels)]
    return Table(start, end, _rows(lines[start:end], cells[: end - start], edges, rules))


def _narrowed(channels: list[tuple[float, float]], cells: list[Cell], width: float) -> list[tuple[float, float]]:
    """What the cells of a further line leave of the channels."""
    free = [float("-inf"), *(end for cell in cells for end in (cell.x0, cell.x1)), float("inf")]
    left = []
    for low, high in channels:
        for begin, end in zip(free[::2], free[1::2], strict=True):
            if min(high, end) - max(low, begin) >= width:
                left.append((max(low, begin), min(high, end)))
    return left


def _end(
    lines: Sequence[Line],
    cells: list[list[Cell]],
    start: int,
    last_celled: int,
    channels: list[tuple[float, float]],
    rules: Sequence[Box],
) -> int:
    """Where a table ends: after its last line of several cells and what belongs to that row."""
    first_channel = min(low for low, _ in channels)
    for number in range(last_celled + 1, start + len(cells)):
        gap = lines[number].base - lines[number - 1].base
        is_ruled = any(lines[number].bottom - 3 < rule.top < lines[number].bottom + 8 for rule in rules)
        crosses = not _narrowed(channels, cells[number - start], 0.1)
        if crosses or gap > 1.5 * lines[number].size or (cells[number - start][0].x0 < first_channel and not is_ruled):
            return number
    return start + len(cells)


def _rows(lines: Sequence[Line], cells: list[list[Cell]], edges: list[float], rules: Sequence[Box]) -> str:
    """The rows of a table, one on a line, with tabs between the cells."""
    gaps = [following.base - line.base for line, following in pairwise(lines)]
    close = [number for number, gap in enumerate(gaps, start=1) if gap <= 1.15 * min(gaps)]
    is_spaced = len(close) < len(gaps) and sum(len(cells[number]) <= len(edges) for number in close) > len(close) / 2
    inner = [
        sum(line.base - 0.3 * line.size < rule.top < following.base - 0.3 * line.size for rule in rules)
        for line, following in pairwise(lines)
    ]
    is_ruled = sum(map(bool, inner)) >= 2 or (len(lines) > 2 and all(inner))
    rows: list[list[str]] = []
    for number, line_cells in enumerate(cells):
        if number == 0:
            is_new = True
        elif is_ruled:
            is_new = bool(inner[number - 1])
        elif is_spaced:
            is_new = gaps[number - 1] > 1.15 * min(gaps)
        else:
            is_new = line_cells[0].x0 < edges[0]
        if is_new:
            rows.append([""] * (len(edges) + 1))
        for cell in line_cells:
            column = sum(edge < (cell.x0 + cell.x1) / 2 for edge in edges)
            rows[-1][column] = f"{rows[-1][column]} {cell.text}".strip()
    return "\n".join("\t".join(row) for row in rows)
