"""The cells of an HTML table enter one after the other, its rows leave as paragraphs. Called by `html`."""

from ragkit.readers.extraction import Builder
from ragkit.readers.rows import MAX_NAME_CHARS, MergedCells
from ragkit.readers.tidying import whole_number
from ragkit.readers.web.pages import HEADINGS, Element, Page

MAX_SPAN = 300
"""No table that anyone reads has a cell over more columns or rows, and one tag may claim millions."""

MAX_CELL_CHARS = 600
"""Longer cells are text, in tables with header cells if they are four times as long; longer terms are paragraphs."""


CELLS = frozenset({"td", "th"})
PARTS = HEADINGS | frozenset({"blockquote", "dl", "ol", "pre", "table", "ul"})
"""Elements that a cell of a table of data does not hold."""


class Table:
    """A table of data while its cells come in."""

    def __init__(self) -> None:
        self.is_head = self._is_named = False
        self._names: list[dict[int, tuple[int, str]]] = []
        self._rows: list[dict[int, str]] = []
        self._merged = MergedCells()
        self._taken: dict[int, int] = {}  # up to which row each column is
        self._row: dict[int, tuple[int, str]] = {}  # width and text of each cell by column
        self._heads: set[int] = set()
        self._number, self._column = 1, 0

    def add(self, cell: Element, text: str) -> None:
        """Takes in the next cell of the row."""
        width, height = (min(max(whole_number(cell.get(name), 1), 1), MAX_SPAN) for name in ("colspan", "rowspan"))
        while self._taken.get(self._column, 0) >= self._number:
            self._column += 1
        at, self._column, last = self._column, self._column + width, self._number + height - 1
        self._taken.update((column, last) for column in range(at, min(self._column, MAX_SPAN)))
        if text:
            self._row[at] = width, text
            self._heads |= {at} if cell.tag == "th" else set()
            self._merged.reach(at, last, text)

    def end_row(self, builder: Builder, headings: tuple[str, ...]) -> None:
        """Takes it as names of columns, as a title of the rows below, or as one of these."""
        row, heads = self._row, self._heads
        self._row, self._heads, self._column, self._number = {}, set(), 0, self._number + 1
        texts = {at: text for at, (_, text) in row.items()}
        is_short = max(map(len, texts.values()), default=0) <= MAX_NAME_CHARS
        if row and is_short and (self.is_head or (len(row) > 1 and heads >= row.keys())):
            if self._rows or len(self._names) > 2:  # nobody stacks more of them
                self.end(builder, headings)
            self._names.append(row)
            self._is_named = False
        elif len(row) == 1 and max(row.values())[0] > 1:
            self._write(builder, headings)
            builder.add("".join(texts.values()), "table", headings=headings)
        elif row:
            if len(heads) == 1 < len(row) and not self._names and min(row) in heads:
                texts[min(row)] = texts[min(row)].rstrip(" :") + ":"
            self._merged.repeat_in(self._number - 1, texts)
            self._rows.append(texts)

    def end(self, builder: Builder, headings: tuple[str, ...]) -> None:
        """Adds what came so far; names without rows below them are rows themselves."""
        if not self._rows and not self._is_named:
            self._rows = [{at: text for at, (_, text) in row.items()} for row in self._names]
            self._names = []
        self._write(builder, headings)
        self._names = []

    def _write(self, builder: Builder, headings: tuple[str, ...]) -> None:
        names: dict[int, str] = {}
        for level, named in enumerate(self._names, start=1):
            for at, (width, text) in named.items():
                for column in range(at, at + (width if level < len(self._names) else 1)):
                    names[column] = f"{names.get(column, '')} {text}".strip(" :")
        for row in self._rows:
            cells = (f"{names[at]}: {text}" if at in names else text for at, text in sorted(row.items()))
            builder.add("; ".join(cells).replace(":; ", ": "), "table", headings=headings)
            self._is_named = True
        self._rows = []


def is_data(page: Page, table: Element) -> bool:
    """Whether a table has rows of cells rather than arranging text on the page."""
    size = longest = filled = widest = 0
    has_names = False
    for place, token in page.visible(table.start + 1, table.end):
        if isinstance(token, str):
            size += len(token.strip())
        elif token.tag in HEADINGS or token.tag == "table" or (token.tag in PARTS and not has_names):
            return False
        elif token.tag in CELLS and token.start != place:
            filled, longest, size = filled + (size > 0), max(longest, size), 0
            widest = max(widest, filled)
        elif token.tag in CELLS:
            size, has_names = 0, has_names or token.tag == "th"
        elif token.tag == "tr":
            filled = 0
    is_short = longest <= MAX_CELL_CHARS * (4 if has_names else 1)
    return widest > 1 and is_short and table.get("role") not in ("presentation", "none")
