"""An Excel workbook enters, its rows leave, each cell as the sheet shows it; macros are never looked at.

The XML is streamed here rather than through a library: python-calamine makes room for every cell of the rectangle that
a sheet claims, ends the process where that is too much, and drops errors and percent signs; openpyxl takes twice the
time and does not know merged cells while it streams. Called through `ragkit.readers`.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from ragkit.errors import DocumentError
from ragkit.readers.extraction import MAX_TEXT_CHARS, Builder, Extracted, Source
from ragkit.readers.office.cell_formats import AS_IT_IS, CellFormat, built_in_format, parse_format, shown
from ragkit.readers.office.facts import add_facts
from ragkit.readers.packages import (
    XML_OPTIONS,
    Package,
    attribute,
    child,
    children,
    local_name,
    main_part,
    open_package,
    related,
    relation_id,
)
from ragkit.readers.rows import Cells, MergedCells, TableContext, add_numbered_rows
from ragkit.readers.tidying import flat, whole_number

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_CELLS = 2_000_000
"""So many cells that hold something are read of one sheet; nobody wrote more by hand."""

MAX_MERGES = 100_000
"""So many merged ranges of one sheet are looked at."""

MAX_NAME_CHARS = 80
"""The name of a sheet is repeated with every row; a spreadsheet program allows 31."""

_WHAT = "Excel workbook"
_FEED_BYTES = 256 * 1024
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_MERGE = re.compile(rb"<(?:\w+:)?mergeCell\s[^<>]*?\bref\s*=\s*[\"']([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})[\"']")
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


def read_sheets(source: Source) -> Extracted:
    """The rows of all sheets of a workbook, hidden ones too, with the values that its formulas had when it was saved.

    Raises:
        DocumentError: It is damaged, encrypted, too large or no workbook.
    """
    package = open_package(source, _WHAT, ".xlsx")
    part = main_part(package, "xl/workbook.xml", _WHAT)
    if part.lower().endswith(".bin"):
        raise DocumentError(f"{source.name} is a binary workbook. Save it as .xlsx.")
    root = package.xml(part)
    if root is None or local_name(root) != "workbook":
        raise DocumentError(f"{source.name} is no {_WHAT}. Check what it is.")
    builder = Builder()
    add_facts(package, builder)
    workbook = _Workbook(package, part, root)
    relations = package.relations(part)
    for sheet in children(child(root, "sheets")):
        relation = relations.pop(relation_id(sheet), None)  # no sheet comes twice
        if relation and relation.kind == "worksheet":
            is_hidden = "hidden" in attribute(sheet, "state").lower()
            add_sheet(builder, attribute(sheet, "name"), _Sheet(workbook).rows(relation.part), is_hidden=is_hidden)
    return builder.extracted()


def add_sheet(builder: Builder, name: str, rows: Iterable[tuple[int, Cells]], *, is_hidden: bool) -> None:
    """Adds the rows of one sheet, as far as there are not too many.

    Args:
        builder: Takes the paragraphs.
        name: What the sheet is called.
        rows: Number and cells of each row that holds something, in order.
        is_hidden: Whether the sheet is.
    """
    name = flat(name)[:MAX_NAME_CHARS]
    place = f"sheet {name}" + (" (hidden)" if is_hidden else "")
    context = TableContext(lambda row: f"{place}, row {row}", (name,) if name else (), expects_names=False)
    add_numbered_rows(builder, _bounded(builder, rows, name), context)


def _bounded(builder: Builder, rows: Iterable[tuple[int, Cells]], name: str) -> Iterator[tuple[int, Cells]]:
    """The rows until there are too many; one long text may stand in many cells."""
    cells_left, chars_left = MAX_CELLS, MAX_TEXT_CHARS
    for number, cells in rows:
        cells_left -= len(cells)
        chars_left -= sum(map(len, cells.values()))
        if cells_left < 0 or chars_left < 0:
            builder.warnings.append(f"holds too much in sheet {name}: row {number} and what follows was left out")
            return
        yield number, cells


class _Workbook:
    """What the sheets of a workbook share."""

    def __init__(self, package: Package, part: str, root: "_Element") -> None:
        properties = child(root, "workbookPr")
        self.package = package
        self.is_1904 = properties is not None and properties.get("date1904") in ("1", "true")
        self.formats = _formats(package.xml(related(package, part, "styles")))
        strings = _SharedStrings()
        place = related(package, part, "sharedStrings")
        deque(_fed(package, place, package.read_xml(place), strings), maxlen=0)
        self.strings = strings.found


def _formats(root: "_Element | None") -> list[CellFormat]:
    """How the cells with each style are shown, by the number of the style."""
    codes = {attribute(one, "numFmtId"): attribute(one, "formatCode") for one in children(child(root, "numFmts"))}
    known: dict[str, CellFormat] = {}
    formats = []
    for style in children(child(root, "cellXfs")):
        number = attribute(style, "numFmtId")
        if number not in known:
            code = codes.get(number)
            known[number] = built_in_format(whole_number(number)) if code is None else parse_format(code)
        formats.append(known[number])
    return formats


def _fed(package: Package, part: str, data: bytes, target: "_Target") -> Iterator[None]:
    """Feeds a part to what takes its elements; stops after each piece so that what was taken can be used.

    Raises:
        DocumentError: It is damaged.
    """
    from lxml import etree

    options: dict[str, Any] = {**XML_OPTIONS, "target": target}
    parser = etree.XMLParser(**options)
    try:
        for start in range(0, len(data), _FEED_BYTES):
            parser.feed(data[start : start + _FEED_BYTES])
            yield
        if data:
            parser.close()
    except etree.XMLSyntaxError as exc:
        raise package.damaged(part) from exc
    yield


class _Target:
    """Takes the texts in elements as the parser comes by them; it calls the methods without a `_`."""

    def __init__(self) -> None:
        self._words: list[str] = []  # since the present cell or string began
        self._is_taking = False  # within an element whose text is shown
        self._phonetic = 0  # how many elements that only say how a text is pronounced the parser is within

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        name = tag.rpartition("}")[2]
        if name in ("v", "t"):
            self._is_taking = not self._phonetic
        elif name == "rPh":
            self._phonetic += 1
        else:
            self._begin(name, attributes)

    def end(self, tag: str) -> None:
        """An element ends."""
        name = tag.rpartition("}")[2]
        self._is_taking = False
        if name == "rPh":
            self._phonetic -= 1
        self._finish(name)

    def data(self, text: str) -> None:
        """There is text."""
        if self._is_taking:
            self._words.append(text)

    def close(self) -> None:
        """All is over."""

    def _begin(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins that holds others."""

    def _finish(self, name: str) -> None:
        """An element ends."""

    def _take(self) -> str:
        """The text since the last call."""
        text = "".join(self._words)
        self._words.clear()
        return _ESCAPE.sub(_unescaped, text) if "_x" in text else text


def _unescaped(escape: re.Match[str]) -> str:
    code = int(escape[1], 16)
    return " " if 0xD800 <= code <= 0xDFFF else chr(code)


class _SharedStrings(_Target):
    """The texts that cells refer to by number."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def _finish(self, name: str) -> None:
        if name == "si":
            self.found.append(self._take())


class _Sheet(_Target):
    """The rows of one sheet."""

    def __init__(self, workbook: _Workbook) -> None:
        super().__init__()
        self._workbook = workbook
        self._rows: list[tuple[int, dict[int, str]]] = []
        self._row = 0
        self._column = -1
        self._cells: dict[int, str] = {}
        self._type = ""
        self._style = 0
        self._merges: dict[int, list[tuple[int, int]]] = {}

    def rows(self, part: str) -> Iterator[tuple[int, Cells]]:
        """Number and cells of each row that holds something."""
        data = self._workbook.package.read_xml(part)
        self._find_merged(data)
        merged = MergedCells()
        for _ in _fed(self._workbook.package, part, data, self):
            rows, self._rows = self._rows, []
            for number, cells in rows:
                merged.repeat_in(number, cells)
                for column, last in self._merges.pop(number, ()):
                    if column in cells:
                        merged.reach(column, last, cells[column])
                yield number, cells

    def _find_merged(self, data: bytes) -> None:
        """Notes the cells that are merged over several rows, which the XML says after the rows themselves."""
        for match in islice(_MERGE.finditer(data), MAX_MERGES):
            letters, first, last = match.groups()
            if int(first) < int(last):
                self._merges.setdefault(int(first), []).append((_column_of(letters.decode()), int(last)))

    def _begin(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "c":
            reference = _REFERENCE.fullmatch(attributes.get("r", ""))
            self._column = _column_of(reference[1]) if reference else self._column + 1
            self._type = attributes.get("t", "n")
            self._style = whole_number(attributes.get("s", ""))
            self._words.clear()
        elif name == "row":
            self._row = max(whole_number(attributes.get("r", "")), self._row + 1)
            self._column = -1
            self._cells = {}

    def _finish(self, name: str) -> None:
        if name == "c":
            text = self._shown(self._take())
            if text and not text.isspace():
                self._cells[self._column] = text
        elif name == "row" and self._cells:
            self._rows.append((self._row, self._cells))

    def _shown(self, text: str) -> str:
        match self._type:
            case "s":
                strings, index = self._workbook.strings, whole_number(text.strip(), -1)
                return strings[index] if 0 <= index < len(strings) else ""
            case "n":
                formats = self._workbook.formats
                cell = formats[self._style] if 0 <= self._style < len(formats) else AS_IT_IS
                return shown(text.strip(), cell, is_1904=self._workbook.is_1904)
            case "b":
                return {"0": "FALSE", "1": "TRUE"}.get(text.strip(), text)
            case "d":
                return text.removesuffix("Z").removesuffix("T00:00:00").replace("T", " ")
            case _:
                return text


def _column_of(letters: str) -> int:
    """The number of a column, from 0 for A."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1
