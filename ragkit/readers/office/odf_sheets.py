"""A sheet of an OpenDocument spreadsheet enters, the number and the cells of each of its rows leave.

The file holds what each cell shows, which is taken as it is but for dates and truth values. It says once what stands
in many cells in a row, so that a short file may claim a billion of them. Called by the reader of OpenDocument files.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ragkit.readers.office.cell_formats import plain_number
from ragkit.readers.packages import attribute, local_name
from ragkit.readers.rows import MAX_REPEATED_CHARS, Cells, MergedCells
from ragkit.readers.tidying import whole_number

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_COLUMNS = 16_384
"""A sheet has no more."""

MAX_SAME_ROWS = 1_000
"""A row that comes again more often, as one attribute may say, was filled down to the end and tells nothing new."""

MAX_SAME_ROWS_OF_A_SHEET = 20_000
"""The same for all rows that come again, since many may say it."""

_BREAKS = frozenset({"s", "tab", "line-break"})


def sheet_rows(table: "_Element") -> Iterator[tuple[int, Cells]]:
    """Number and cells of each row that holds something, in order."""
    merged = MergedCells()
    number, room = 1, MAX_SAME_ROWS_OF_A_SHEET
    for row in table.iter("{*}table-row"):
        times = _times(row, "number-rows-repeated")
        columns = dict(_cells(row))
        if columns:
            shown = {column: text for column, (text, _) in columns.items()}
            again = min(times - 1, MAX_SAME_ROWS, room)
            room -= again
            for repeated in range(number, number + 1 + again):
                cells = dict(shown)
                merged.repeat_in(repeated, cells)
                yield repeated, cells
            for column, (text, height) in columns.items():
                if height > 1:
                    merged.reach(column, number + height - 1, text)
        number += times


def _times(element: "_Element", name: str) -> int:
    return max(whole_number(attribute(element, name), 1), 1)


def _cells(row: "_Element") -> Iterator[tuple[int, tuple[str, int]]]:
    """Column, text and height in rows of each cell that holds something."""
    column = 0
    for cell in row:
        times = _times(cell, "number-columns-repeated")
        text = _shown(cell) if local_name(cell) == "table-cell" else ""
        if text and not text.isspace() and column < MAX_COLUMNS:
            height = _times(cell, "number-rows-spanned")
            last = min(column + times, MAX_COLUMNS) if len(text) <= MAX_REPEATED_CHARS else column + 1
            for at in range(column, last):
                yield at, (text, height)
        column += times


def _shown(cell: "_Element") -> str:
    """What a cell shows; dates as ISO writes them, without a time that is midnight."""
    kind = attribute(cell, "value-type")
    if kind == "date":
        return attribute(cell, "date-value").removesuffix("T00:00:00").replace("T", " ")
    if kind == "boolean":
        return attribute(cell, "boolean-value").upper()
    paragraphs = [_words(paragraph) for paragraph in cell if local_name(paragraph) == "p"]
    return " ".join(paragraphs) or plain_number(attribute(cell, "value"))


def _words(paragraph: "_Element") -> str:
    """The text of a paragraph; what is shown as empty space separates words."""
    if not len(paragraph):
        return paragraph.text or ""
    from lxml import etree

    words = []
    for event, element in etree.iterwalk(paragraph, events=("start", "end")):
        if event == "start":
            words.append(" " if local_name(element) in _BREAKS else element.text or "")
        elif element is not paragraph:
            words.append(element.tail or "")
    return "".join(words)
