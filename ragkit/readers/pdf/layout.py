"""The pieces of a page enter, its lines leave in the order in which they are read, column after column.

A column is recognised by the left edge that its lines share and by the gap before it. Lines that run across the gap
part the page into bands: within a band the left side is read before the right one. Tables also have gaps, but their
cells are short and mostly written row by row. Called by `pdf`.
"""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from ragkit.readers.pdf.grids import find_grids
from ragkit.readers.pdf.lines import Line, lines_of
from ragkit.readers.pdf.pieces import Page, Piece

MIN_GUTTER = 0.7
"""Columns are at least this far apart, in font sizes; newspapers go down to about one."""

MIN_COLUMN_LINES = 3
"""Fewer lines beside each other do not show that there are columns."""

MIN_COLUMN_CHARS = 7
"""Lines of columns hold at least so many letters on average; the entries of an index do, bullets and numbers do not."""

PROSE_CHARS = 25
"""Lines of running text in columns hold at least so many; only then is the order in the file of no account."""

MAX_SWITCHES = 0.34
"""Text in columns is written column after column. In a table, the writer changes sides at each row; this share of the
lines allows for columns that are broken by figures."""

MAX_SPLITS = 8
"""So often a page is cut in two, at most; newspapers have six columns or so."""

MAX_CUT_PIECES = 5_000
"""A page of more pieces is a map or a plot; a dense page in columns has some hundreds."""

CANDIDATES = 5
"""So many left edges are tried as the edge of a column, those with most lines first."""

MIN_ALIGNED_SHARE = 0.4
"""At least this share of the lines of a column begins at its edge; the others are indented or centred."""

MAX_OVERFULL = 0.25
"""A line that reaches further into the next column than this share of its width runs across both of them."""

LARGE = 1.1
"""Text of so many times the usual size is a headline, and runs across even if it reaches less far."""

MAX_ROW = 0.3
"""Between two rules that are closer than this share of the page stands a row of a table."""

OVERFULL = 0.6
"""Lines whose baselines are closer than this, in font sizes, stand beside each other."""

ALIGNMENT = 0.7
"""As far from the edge may a line begin, in font sizes, that counts as beginning there."""


def page_lines(page: Page) -> list[Line]:
    """The lines of a page in reading order; what runs in another direction comes last."""
    order = {id(piece): number for number, piece in enumerate(page.pieces)}
    regions = _Cutter(page, order).cut(page.pieces, 0)
    aside: dict[int, list[Piece]] = {}
    for piece in page.aside:
        aside.setdefault(piece.angle, []).append(piece)
    lines = []
    for number, pieces in enumerate([*regions, *aside.values()]):
        for line in lines_of(pieces, page.number):
            line.region = number
            lines.append(line)
    return lines


@dataclass(frozen=True, slots=True)
class _Blocker:
    """Something that runs across the gap between two columns: a headline, a picture or a rule."""

    top: float
    bottom: float
    piece: Piece | None
    is_rule: bool = False


class _Cutter:
    """Cuts a page into columns."""

    def __init__(self, page: Page, order: dict[int, int]) -> None:
        self.page = page
        self.order = order
        self.grids = find_grids(page.drawings)

    def cut(self, pieces: list[Piece], depth: int) -> list[list[Piece]]:
        """The columns in which pieces stand, in reading order."""
        if depth >= MAX_SPLITS or not 2 * MIN_COLUMN_LINES <= len(pieces) <= MAX_CUT_PIECES:
            return [pieces] if pieces else []
        for edge, gutter in self._edges(pieces):
            bands = self._bands(pieces, edge, gutter)
            if any(right for _, right in bands):
                return self._cut_bands(bands, len(pieces), depth)
        return [pieces]

    def _cut_bands(self, bands: list[tuple[list[Piece], list[Piece]]], count: int, depth: int) -> list[list[Piece]]:
        regions: list[list[Piece]] = []
        for left, right in bands:
            is_smaller = len(left) < count
            regions += self.cut(left, depth + 1) if is_smaller else [left]
            regions += self.cut(right, depth + 1) if right else []
        return regions

    def _edges(self, pieces: list[Piece]) -> list[tuple[float, float]]:
        """Where columns may begin, the likeliest first, and how wide the gap before them must be."""
        starts: Counter[int] = Counter()
        lefts = sorted(piece.x0 for piece in pieces)
        for piece in pieces:
            if piece.space or piece.x0 - lefts[0] > piece.size:
                starts[round(piece.x0 / 2)] += 1
        left_most = lefts[len(lefts) // 50]
        size = sorted(piece.size for piece in pieces)[len(pieces) // 2]
        edges: list[tuple[float, float]] = []
        for bucket, count in starts.most_common(4 * CANDIDATES):
            edge = 2.0 * bucket
            if count + starts[bucket - 1] + starts[bucket + 1] < MIN_COLUMN_LINES or edge < left_most + 3 * size:
                continue
            if all(abs(edge - other) > 4 for other, _ in edges):
                edges.append((edge - 2.5, MIN_GUTTER * size))
        return edges[:CANDIDATES]

    def _bands(self, pieces: list[Piece], edge: float, gutter: float) -> list[tuple[list[Piece], list[Piece]]]:
        """The page cut along a gap: pairs of a left and a right side, or of a stretch without columns and nothing."""
        blockers = self._blockers(pieces, edge, gutter)
        heights = [blocker.top + 0.7 * (blocker.bottom - blocker.top) for blocker in blockers]
        blocked = {id(blocker.piece) for blocker in blockers}
        groups: list[list[Piece]] = [[] for _ in range(len(blockers) + 1)]
        for piece in pieces:
            if id(piece) not in blocked:
                groups[bisect_left(heights, (piece.top + piece.bottom) / 2)].append(piece)
        sides = [_sides(group, edge) for group in groups]
        in_table = [self._is_row(one, other) for one, other in pairwise([None, *blockers, None])]
        good = [
            not row and self._are_columns(left, right, edge, is_known=False)
            for row, (left, right) in zip(in_table, sides, strict=True)
        ]
        if not any(good):
            return []
        bands: list[tuple[list[Piece], list[Piece]]] = []
        plain: list[Piece] = []
        for number, (left, right) in enumerate(sides):
            if good[number] or (not in_table[number] and self._are_columns(left, right, edge, is_known=True)):
                bands += [(plain, [])] if plain else []
                bands.append((left, right))
                plain = []
            else:
                plain += left + right
            across = blockers[number].piece if number < len(blockers) else None
            plain += [across] if across else []
        return [*bands, (plain, [])] if plain else bands

    def _blockers(self, pieces: list[Piece], edge: float, gutter: float) -> list[_Blocker]:
        """What runs across the gap before an edge, from top to bottom."""
        start = edge - gutter
        firsts = [piece for piece in pieces if edge <= piece.x0 < edge + ALIGNMENT * piece.size]
        firsts.sort(key=lambda piece: piece.base)
        limit = edge + MAX_OVERFULL * (max(piece.x1 for piece in pieces) - edge)
        usual = LARGE * gutter / MIN_GUTTER
        tables = [grid.box for grid in self.grids if grid.box.x0 < start and grid.box.x1 > edge + gutter]
        blockers = [
            _Blocker(piece.top, piece.bottom, piece)
            for piece in pieces
            if any(table.holds((piece.x0 + piece.x1) / 2, piece.base - 0.3 * piece.size) for table in tables)
            or (
                piece.x0 < edge
                and piece.x1 > start + 1
                and (
                    self._goes_on(piece)
                    or ((piece.x1 > limit or piece.bold or piece.size > usual) and not self._is_overfull(piece, firsts))
                )
            )
        ]
        drawings = self.page.drawings
        for boxes, is_rule in ((drawings.pictures, False), (drawings.rules, True)):
            crossing = (box for box in boxes if box.x0 < start and box.x1 > edge + gutter)
            blockers += [_Blocker(box.top, box.bottom, None, is_rule) for box in crossing]
        return sorted(blockers, key=lambda blocker: blocker.top)

    def _is_row(self, above: _Blocker | None, below: _Blocker | None) -> bool:
        """Whether what stands between two things that run across is a row of a ruled table."""
        if above is None or below is None or not (above.is_rule and below.is_rule):
            return False
        return below.top - above.bottom < MAX_ROW * self.page.box.height

    def _goes_on(self, piece: Piece) -> bool:
        """Whether the line goes on with a piece of another style."""
        number = self.order[id(piece)] + 1
        after = self.page.pieces[number] if number < len(self.page.pieces) else None
        return (
            after is not None
            and abs(after.base - piece.base) < 0.5 * piece.size
            and -0.5 * piece.size < after.x0 - piece.x1 < MIN_GUTTER * piece.size
        )

    def _is_overfull(self, piece: Piece, firsts: list[Piece]) -> bool:
        """Whether a piece sticks out of its column: a line of the next column begins beside it, and not after it."""
        reach = OVERFULL * piece.size
        place = bisect_left(firsts, piece.base - reach, key=lambda first: first.base)
        for first in firsts[place : place + 3]:
            is_next = abs(self.order[id(first)] - self.order[id(piece)]) == 1 and first.x0 > piece.x1
            if first.base < piece.base + reach and not is_next:
                return True
        return False

    def _are_columns(self, left: list[Piece], right: list[Piece], edge: float, is_known: bool) -> bool:
        """Whether two sides of a band are columns of text rather than cells of a table.

        Where columns are known from elsewhere on the page, fewer lines will do.
        """
        if min(len(left), len(right)) < (1 if is_known else MIN_COLUMN_LINES):
            return False
        lines = _beside(lines_of(left, 0), lines_of(right, 0))
        least = min(map(len, lines))
        if least < (1 if is_known else MIN_COLUMN_LINES):
            return False
        aligned = sum(edge <= line.x0 < edge + ALIGNMENT * line.size for line in lines[1])
        chars = min(sum(len(line.text) for line in side) / len(side) for side in lines)
        if aligned < MIN_ALIGNED_SHARE * len(lines[1]) or chars < MIN_COLUMN_CHARS:
            return False
        switches = self._switches(left, right)
        if switches > 1 and all(sum(line.mono for line in side) > len(side) / 2 for side in lines):
            return False
        if switches <= max(2, MAX_SWITCHES * least):
            return True
        return not is_known and chars >= PROSE_CHARS and all(map(_is_filled, lines))

    def _switches(self, left: list[Piece], right: list[Piece]) -> int:
        """How often the writer of the file went from one side to the other."""
        sides = sorted([(self.order[id(p)], 0) for p in left] + [(self.order[id(p)], 1) for p in right])
        return sum(one != other for (_, one), (_, other) in pairwise(sides))


def _sides(pieces: list[Piece], edge: float) -> tuple[list[Piece], list[Piece]]:
    left = [piece for piece in pieces if piece.x0 < edge]
    return left, [piece for piece in pieces if piece.x0 >= edge]


def _beside(left: list[Line], right: list[Line]) -> tuple[list[Line], list[Line]]:
    """The lines of two sides that have lines of the other side beside them."""
    top, bottom = max(left[0].top, right[0].top), min(left[-1].bottom, right[-1].bottom)
    return [line for line in left if top - 1 <= line.base <= bottom + 1], [
        line for line in right if top - 1 <= line.base <= bottom + 1
    ]


def _is_filled(lines: list[Line]) -> bool:
    """Whether most lines reach to about the right edge, as lines of running text do."""
    left, right = min(line.x0 for line in lines), max(line.x1 for line in lines)
    return sum(line.x1 - left > 0.75 * (right - left) for line in lines) > 0.5 * len(lines)
