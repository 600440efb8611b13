"""The lines of a page enter in reading order; its blocks leave: paragraphs, list items, tables, code.

Nothing in the file says where a paragraph ends. It is judged from the space between lines, from where they begin, and
from whether the first word of the next line would still have fitted on the line before. Called by `pdf`.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median

from ragkit.readers.pdf.grids import Grid, find_grids
from ragkit.readers.pdf.kinds import Measures, begins_surely, ends_sentence, is_heading, is_item, may_begin_item
from ragkit.readers.pdf.lines import Line
from ragkit.readers.pdf.pieces import Page
from ragkit.readers.pdf.tables import find_tables, mark_contents
from ragkit.records import ParagraphKind

PARAGRAPH_GAP = 1.22
"""Lines that are further apart than this many times the usual distance belong to different paragraphs."""

CODE_GAP = 3.5
"""In code, blank lines are common; so many usual distances are more than two of them."""

MIN_INDENT = 0.8
"""Of the first line of a paragraph, in font sizes."""

MIN_SLACK = 0.3
"""So much wider than the next word, in font sizes, is the room that a line leaves which was ended on purpose."""

MUCH_SLACK = 4.0
"""The same where the line does not end like a sentence, or the next one goes on in lower case."""

JUSTIFIED = 0.2
"""Lines of justified text end as close to the edge as this, in font sizes."""

LAST_LINES = 10
"""So many of the last lines of a paragraph tell whether it is justified."""

JUSTIFIED_SHARE = 0.3
"""Where so many lines of a column end at one place, that is the edge of justified text."""

OVERFULL_SHARE = 0.2
"""At most this share of the lines of a narrow column sticks out of it, for long words."""

SAME_SIZE = 0.1
"""Sizes that differ by less than this share are the same to the eye."""


@dataclass(slots=True)
class Block:
    """Lines that make one paragraph, or a part of one that is continued on the next page.

    Attributes:
        left: Where the column begins.
        right: Where its lines end.
        text: Of a table; else the text is made of the lines.
        is_first: Whether nothing stands above it in its column.
    """

    kind: ParagraphKind
    lines: list[Line]
    left: float
    right: float
    text: str = ""
    is_first: bool = False

    @property
    def size(self) -> float:
        """Of most of its text, in points."""
        return median(line.size for line in self.lines)

    @property
    def is_bold(self) -> bool:
        """Whether all of it is bold."""
        return all(line.bold for line in self.lines)

    @property
    def is_cut_short(self) -> bool:
        """Whether it ends in the middle of justified text, as far as its last line tells: it is full to the point."""
        full = [abs(line.x1 - self.right) < JUSTIFIED * line.size for line in self.lines[-LAST_LINES:]]
        return full[-1] and sum(full) >= max(2, len(full) / 2)


def page_blocks(page: Page, lines: Sequence[Line], measures: Measures) -> Iterator[Block]:
    """The blocks of a page in reading order."""
    grids = find_grids(page.drawings)
    for _, group in groupby(lines, key=lambda line: line.region):
        is_first = True
        for block in _column_blocks(page, list(group), grids, measures):
            block.is_first, is_first = is_first, False
            yield block


def _column_blocks(page: Page, lines: list[Line], grids: Sequence[Grid], measures: Measures) -> Iterator[Block]:
    """The blocks of one column."""
    left, right = min(line.x0 for line in lines), _edge(lines)
    mark_contents(lines)
    start = 0
    for table in find_tables(lines, grids, page.drawings.rules):
        yield from _text_blocks(lines[start : table.start], left, right, measures)
        yield Block("table", lines[table.start : table.end], left, right, table.text)
        start = table.end
    yield from _text_blocks(lines[start:], left, right, measures)


def _text_blocks(lines: list[Line], left: float, right: float, measures: Measures) -> Iterator[Block]:
    """The blocks of a stretch of a column without tables."""
    for run in _runs(lines, right, measures):
        if measures.is_code(run[0]):
            yield Block("code", run, left, right)
            continue
        for part in [run] if is_heading(run, measures) else _paragraphs(run, right):
            yield Block(_kind(part, measures), part, left, right)


def _kind(lines: list[Line], measures: Measures) -> ParagraphKind:
    if is_heading(lines, measures):
        return "heading"
    return "list" if is_item(lines[0].text) or lines[0].is_entry else "prose"


def _runs(lines: list[Line], right: float, measures: Measures) -> Iterator[list[Line]]:
    """Lines that follow each other at the usual distance and are alike."""
    run: list[Line] = []
    for line in lines:
        if run and _is_parted(run, line, right, measures):
            yield run
            run = []
        run.append(line)
    if run:
        yield run


def _is_parted(run: list[Line], following: Line, right: float, measures: Measures) -> bool:
    """Whether a gap, another size or another kind of text parts a line from those before."""
    line, is_code = run[-1], measures.is_code(run[0])
    size, step = max(line.size, following.size), following.base - line.base
    is_all_code = is_code and measures.is_code(following)
    if step < 0 or step > (CODE_GAP if is_all_code else PARAGRAPH_GAP) * measures.distance(size):
        return True
    is_alike = abs(line.size - following.size) < SAME_SIZE * size or following.hidden
    if is_code == measures.is_code(following):
        return not is_code and not is_alike
    has_room = right - line.x1 > _first_word_width(following) + line.size
    return not is_alike or has_room or not _goes_on(line, following, is_code)


def _goes_on(line: Line, following: Line, is_code: bool) -> bool:
    """Whether a line of prose only happens to hold nothing but words in typewriter letters."""
    if is_code:
        return following.text[:1].islower() and len(line.text.split()) < 12
    return line.pieces[-1].mono or not ends_sentence(line.text)


def _paragraphs(run: list[Line], right: float) -> Iterator[list[Line]]:
    """The paragraphs of lines at the usual distance in a column that ends at `right`."""
    edge = _edge(run) if len(run) > 2 else right
    margin = min(line.x0 for line in run) + MIN_INDENT * run[0].size
    is_hanging = run[0].x0 < margin and sum(line.x0 > margin for line in run) > len(run) / 2
    part = [run[0]]
    for following in run[1:]:
        if _ends_paragraph(part, following, edge, margin, is_hanging):
            yield part
            part = []
        part.append(following)
    yield part


def _ends_paragraph(part: list[Line], following: Line, edge: float, margin: float, is_hanging: bool) -> bool:
    """Whether a new paragraph begins with the line that follows a part of one.

    Args:
        part: What of the paragraph is known so far.
        following: The next line.
        edge: Where full lines end.
        margin: Lines that begin to the right of this are indented.
        is_hanging: Whether all lines of a paragraph but the first are indented, rather than the first one.
    """
    line = part[-1]
    if line.is_entry or begins_surely(following.text):
        return True
    slack = (edge - line.x1 - _first_word_width(following)) / line.size
    is_end, is_lower = ends_sentence(line.text), following.text[:1].islower()
    ended_early = slack > (MIN_SLACK if is_end and not is_lower else MUCH_SLACK) and (is_end or not is_lower)
    may_end = is_end or (slack > MIN_SLACK and not is_lower)
    in_item = is_item(part[0].text)
    is_item_beside = in_item and may_begin_item(following.text) and following.x0 < part[0].x0 + 0.5 * line.size
    is_run_in = len(part) == 1 and line.bold and not following.bold and may_end
    is_outdented = is_hanging and following.x0 < margin and len(part) > 1
    is_indented = not is_hanging and following.x0 > margin
    return (
        ended_early
        or is_item_beside
        or is_run_in
        or (may_end and may_begin_item(following.text))
        or (may_end and not in_item and (is_outdented or is_indented))
    )


def _first_word_width(line: Line) -> float:
    """About how wide the first word of a line and a space are."""
    word = line.text.split(maxsplit=1)[0] if line.text.strip() else ""
    return (len(word) + 1) * (line.x1 - line.x0) / max(len(line.text), 1)


def _edge(lines: list[Line]) -> float:
    """Where full lines end; the few that stick out of their column do not count."""
    ends = sorted(line.x1 for line in lines)
    place, times = Counter(round(end) for end in ends).most_common(1)[0]
    if times > max(2, JUSTIFIED_SHARE * len(lines)):
        return max(place, median(ends))
    for _ in range(int(OVERFULL_SHARE * len(ends))):
        if ends[-1] - ends[-2] < lines[0].size:
            break
        ends.pop()
    return ends[-1]
