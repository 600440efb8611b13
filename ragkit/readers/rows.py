"""The rows of a table enter, a paragraph for each leaves that names every cell after its column: `Name: Ann; Age: 31`.

A row is then understood alone, as the search finds it. Which row holds the names is told by what it looks like beside
the rows below it. Called by the readers of CSV, of spreadsheets and of whatever else has tables.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ragkit.readers.extraction import Builder
from ragkit.readers.tidying import flat
from ragkit.records import ParagraphKind

LOOKAHEAD_ROWS = 25
"""So many rows below a row are looked at to tell whether it names the columns; a page of a spreadsheet."""

MAX_NAME_CHARS = 60
"""Names of columns that are longer are rather sentences; and each is repeated in every row."""

_NUMBER = re.compile(
    r"[-+−(]?(?:[$€£¥]|[A-Z]{3} )?\s?[-+−]?(?:\d[\d.,' ]*|[.,]\d+)(?:[eE][-+]?\d+)?\)?\s?(?:%|‰|[$€£¥]|[A-Z]{3})?"
)
_MOMENT = re.compile(
    r"\d{4}-\d\d(?:-\d\d)?(?:[ T]\d\d:\d\d(?::\d\d)?)?|\d{1,2}:\d\d(?::\d\d)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}"
)
_YEAR = re.compile(r"(?:1[89]|2[01])\d\d")
_LOGICAL = frozenset({"true", "false"})
_NOTHING = frozenset({"-", "–", "—", "n/a", "na", "none", "null", "?", "x"})

MAX_REPEATED_CHARS = 200
"""A text merged over several rows is said in each of them if it is a label; longer ones are notes."""

Cells = Mapping[int, str]
"""The cells of a row that are not empty, by column."""


class MergedCells:
    """The cells that are merged over several rows, while the rows are gone through."""

    def __init__(self) -> None:
        self._reaching: dict[int, tuple[int, str]] = {}

    def reach(self, column: int, last: int, text: str) -> None:
        """A cell reaches down to the row of that number."""
        if len(text) <= MAX_REPEATED_CHARS:
            self._reaching[column] = (last, text)

    def repeat_in(self, number: int, cells: dict[int, str]) -> None:
        """Says in a row what is written in cells of rows above that reach down into it."""
        for column, (last, text) in list(self._reaching.items()):
            if number > last:
                del self._reaching[column]
            else:
                cells.setdefault(column, text)


@dataclass(frozen=True, slots=True)
class TableContext:
    """Where the rows of a table stand.

    Attributes:
        place: The words for where a row is, given its number.
        headings: Above the table.
        page: Of the table.
        expects_names: Whether two columns of nothing but text begin with their names, as in a CSV file. Elsewhere they
            may as well be a form, with a name and a value on each row.
    """

    place: Callable[[int], str]
    headings: tuple[str, ...] = ()
    page: int | None = None
    expects_names: bool = True


def add_rows(
    builder: Builder,
    rows: Iterable[Sequence[str]],
    *,
    place: Callable[[int], str],
    headings: tuple[str, ...] = (),
    page: int | None = None,
    expects_names: bool = True,
) -> None:
    """Adds a paragraph for each row that is not empty; rows are numbered from 1, empty ones too.

    Args:
        builder: Takes the paragraphs.
        rows: In order, each of as many cells as it likes; an empty one ends a table.
        place: As in `TableContext`, and so are the others.
        headings: Above the table.
        page: Of the table.
        expects_names: As is usual in a CSV file.
    """
    numbered = ((number, dict(enumerate(row))) for number, row in enumerate(rows, start=1))
    add_numbered_rows(builder, numbered, TableContext(place, headings, page, expects_names))


def add_numbered_rows(builder: Builder, rows: Iterable[tuple[int, Cells]], context: TableContext) -> None:
    """Adds a paragraph for each row; a gap in the numbers stands for empty rows.

    Args:
        builder: Takes the paragraphs.
        rows: Number and cells of each, in order.
        context: Where they stand.
    """
    tables = _Tables(builder, context)
    for number, row in rows:
        cells = {column: text for column, cell in row.items() if (text := flat(cell))}
        if cells:
            tables.add(number, cells)
    tables.end()


@dataclass(slots=True)
class _Tables:
    """The tables of one sheet, one after the other.

    Attributes:
        waiting: The first rows of a table, until it is known whether they begin with the names of its columns.
        names: Of the columns, in the present table or, while rows are waiting, in the one before.
        is_known: Whether it is known what the columns of the present table are called, or that they have no names.
        last: The number of the latest row.
    """

    builder: Builder
    context: TableContext
    waiting: list[tuple[int, Cells]] = field(default_factory=list)
    names: Cells = field(default_factory=dict)
    is_known: bool = False
    last: int = 0

    def add(self, number: int, cells: Cells) -> None:
        """Takes in the next row."""
        if number > self.last + 1:
            self.end()
        self.last = max(number, self.last + 1)
        if self.is_known:
            self._write(number, cells)
        elif not self.waiting and len(cells) == 1:
            self.names = {}  # they do not reach beyond a title or a note between tables
            self._write(number, cells)
        else:
            self.waiting.append((number, cells))
            if len(self.waiting) > LOOKAHEAD_ROWS:
                self._decide()

    def end(self) -> None:
        """Ends the present table; the next may have other columns."""
        self._decide()
        self.is_known = False

    def _decide(self) -> None:
        """Finds out how the columns are called and writes the rows that waited for it."""
        if not self.waiting:
            return
        rows, self.waiting, self.is_known = self.waiting, [], True
        first, below = rows[0][1], [cells for _, cells in rows[1:]]
        if _names_columns(first, below, self.context.expects_names):
            self.names = {column: text.rstrip(" :") for column, text in first.items()}
            rows = rows[1:]
        elif not all(cells.keys() <= self.names.keys() for _, cells in rows):
            self.names = {}  # else the table before goes on after an empty row
        for number, cells in rows:
            self._write(number, cells)

    def _write(self, number: int, cells: Cells) -> None:
        if self.names:
            if _says_the_same(cells, self.names):
                return  # the names again, at the top of a page
            named = (f"{self.names[at]}: {text}" if at in self.names else text for at, text in sorted(cells.items()))
            self._put("; ".join(named), number)
        else:
            joined = "; ".join(text for _, text in sorted(cells.items()))
            self._put(joined.replace(":; ", ": "), number, is_row=len(cells) > 1)

    def _put(self, text: str, number: int, *, is_row: bool = True) -> None:
        where = self.context
        kind: ParagraphKind = "table" if is_row else "prose"
        self.builder.add(text, kind, headings=where.headings, page=where.page, place=where.place(number))


def _says_the_same(cells: Cells, names: Cells) -> bool:
    return cells.keys() == names.keys() and all(text.rstrip(" :") == names[at] for at, text in cells.items())


def _names_columns(first: Cells, below: Sequence[Cells], expects_names: bool) -> bool:
    """Whether the first row of a table holds the names of its columns.

    They are short, all different, and neither numbers nor dates, unless these are years or dates above other values.
    The row names more than half of the columns used. Two columns of nothing but text may be a form.
    """
    columns = set().union(*below) if below else set()
    if len(first) < 2 or not columns or 2 * len(columns & first.keys()) <= len(columns):
        return False
    texts = [text.casefold() for text in first.values()]
    colons = sum(text.endswith(":") for text in texts)
    if len(set(texts)) < len(texts) or max(map(len, texts)) > MAX_NAME_CHARS or 0 < colons < len(texts):
        return False
    values = {column: [cells[column] for cells in below if column in cells] for column in first}
    if not all(_may_name(text, values[column]) for column, text in first.items()):
        return False
    if all(map(_is_value, first.values())):
        return False
    is_text_above_numbers = any(_all_values(values[column]) for column in first)
    return is_text_above_numbers or expects_names or len(columns | first.keys()) > 2


def _may_name(text: str, values: Sequence[str]) -> bool:
    """Whether a cell may name the column of values below it."""
    if not _is_value(text):
        return True
    is_label = _YEAR.fullmatch(text) or _MOMENT.fullmatch(text)
    return bool(is_label) and not any(_YEAR.fullmatch(value) or _MOMENT.fullmatch(value) for value in values)


def _all_values(values: Sequence[str]) -> bool:
    telling = [value for value in values if value.casefold() not in _NOTHING]
    return bool(telling) and all(map(_is_value, telling))


def _is_value(text: str) -> bool:
    """Whether a cell holds a number, a date, a time or a truth value."""
    return bool(_NUMBER.fullmatch(text) or _MOMENT.fullmatch(text)) or text.casefold() in _LOGICAL
