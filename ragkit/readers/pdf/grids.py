"""The rules that are drawn on a page enter, the grids that they make leave; the text in a grid is a table.

A rule that a vertical line touches belongs to its grid. Called by `pdf_furniture`, `pdf_layout` and `pdf_blocks`.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

from ragkit.readers.pdf.drawings import Box, Drawings
from ragkit.readers.pdf.lines import Line
from ragkit.readers.pdf.text import spaced

TOUCH = 3.0
"""Lines that come so close to each other, in points, meet."""

ROW_RULE_SHARE = 0.5
"""A rule that is shorter than this share of the grid parts no row; it parts cells that others span."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The lines of a ruled table: where its columns and its rows are parted, from left to right and downwards."""

    box: Box
    columns: tuple[float, ...]
    rows: tuple[float, ...]

    def holds(self, line: Line) -> bool:
        """Whether a line stands within the grid."""
        return self.box.holds((line.x0 + line.x1) / 2, line.base - 0.3 * line.size)


def find_grids(drawings: Drawings) -> list[Grid]:
    """The grids of at least two columns on a page."""
    if not drawings.walls:
        return []
    rules = sorted(drawings.rules, key=lambda rule: rule.top)
    tops = [rule.top for rule in rules]
    boxes = [*rules, *drawings.walls]
    parent = list(range(len(boxes)))
    for number, wall in enumerate(drawings.walls, start=len(rules)):
        for other in range(bisect_left(tops, wall.top - TOUCH), bisect_left(tops, wall.bottom + TOUCH)):
            if rules[other].x0 - TOUCH <= wall.x0 <= rules[other].x1 + TOUCH:
                parent[_root(parent, number)] = _root(parent, other)
    groups: dict[int, list[Box]] = {}
    for number, box in enumerate(boxes):
        groups.setdefault(_root(parent, number), []).append(box)
    grids = (_grid(group) for group in groups.values() if len(group) > 2)
    return [grid for grid in grids if grid is not None]


def _root(parent: list[int], number: int) -> int:
    while parent[number] != number:
        parent[number] = parent[parent[number]]
        number = parent[number]
    return number


def _grid(boxes: Iterable[Box]) -> Grid | None:
    """The grid that lines which touch each other make, if it has two columns."""
    boxes = list(boxes)
    outer = Box(
        min(box.x0 for box in boxes),
        min(box.top for box in boxes),
        max(box.x1 for box in boxes),
        max(box.bottom for box in boxes),
    )
    walls = _distinct(box.x0 for box in boxes if box.height > box.width)
    inner = [wall for wall in walls if outer.x0 + 2 * TOUCH < wall < outer.x1 - 2 * TOUCH]
    lengths: dict[float, float] = {}
    rules = [box for box in boxes if box.width >= box.height]
    tops = _distinct(rule.top for rule in rules)
    for rule in rules:
        row = max((top for top in tops if top <= rule.top + 0.01), default=rule.top)
        lengths[row] = lengths.get(row, 0.0) + rule.width
    rows = [row for row, length in lengths.items() if length > ROW_RULE_SHARE * outer.width]
    inner_rows = sorted(row for row in rows if outer.top + 2 * TOUCH < row < outer.bottom - 2 * TOUCH)
    return Grid(outer, tuple(inner), tuple(inner_rows)) if inner else None


def _distinct(places: Iterable[float]) -> list[float]:
    """Places in order, of those that are close to each other the first one."""
    kept: list[float] = []
    for place in sorted(places):
        if not kept or place - kept[-1] > TOUCH:
            kept.append(place)
    return kept


def grid_rows(grid: Grid, lines: Sequence[Line]) -> list[list[str]]:
    """The cells of the rows of a grid that hold anything."""
    cells: dict[tuple[int, int], list[tuple[Line, list[str]]]] = {}
    for line in lines:
        row = bisect_left(grid.rows, line.base - 0.3 * line.size)
        for piece in line.pieces:
            place = (row, bisect_left(grid.columns, (piece.x0 + piece.x1) / 2))
            parts = cells.setdefault(place, [])
            if not parts or parts[-1][0] is not line:
                parts.append((line, []))
            parts[-1][1].append((" " if piece.space else "") + piece.text)
    texts = {
        place: reduce(spaced, (" ".join("".join(words).split()) for _, words in parts), "")
        for place, parts in cells.items()
    }
    shown = sorted({row for row, _ in texts})
    return [[texts.get((row, column), "") for column in range(len(grid.columns) + 1)] for row in shown]
