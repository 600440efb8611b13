"""A Word file enters, its text leaves as one reads it: without what is deleted, hidden or commented.

Its XML is walked here rather than through a library, since what libraries give back leaves out text boxes, footnotes,
content controls and insertions. Text is collected first, as paragraphs in cells in tables, and written when a block is
complete. Nothing recurses, however deep the file is nested. Called through `ragkit.readers`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragkit.errors import DocumentError
from ragkit.readers.extraction import Builder, Extracted, Source
from ragkit.readers.office.blocks import Block, Notes, Table, Text, write_blocks
from ragkit.readers.office.facts import add_facts
from ragkit.readers.packages import Package, attribute, child, children, local_name, main_part, open_package, related
from ragkit.readers.tidying import whole_number
from ragkit.records import ParagraphKind

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_STYLE_CHAIN = 32
"""So many styles may be derived from one another; Word itself stops at ten."""

_WHAT = "Word document"
_TITLE_LEVEL = 0
_SKIPPED = frozenset(
    {
        *("pPr", "rPr", "tblPr", "tblGrid", "trPr", "tcPr", "sdtPr", "sectPr"),  # looked at where they apply
        *("del", "moveFrom", "delText", "instrText", "delInstrText", "rt"),
    }
)
_CHARACTERS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_SYMBOLS = {0xF0E0: "→", 0xF0DF: "←", 0xF0FC: "✓", 0xF0FB: "✗", 0xF0FE: "☑", 0xF0A8: "☐"}  # of the font Wingdings
_HEADING_NAME = re.compile(r"heading ([1-9])")
_CODE = re.compile(r"[0-9A-Fa-f]{4}")
_NOTES = {"footnoteReference": "footnote", "endnoteReference": "endnote"}


@dataclass(frozen=True, slots=True)
class _Style:
    """What a style says; None for what it leaves to the style it is based on.

    Attributes:
        level: Of the headings that have it; negative for no heading.
        is_list: Whether paragraphs that have it are items of a list.
        is_hidden: Whether text that has it is hidden.
        based_on: The id of another style.
    """

    level: int | None = None
    is_list: bool | None = None
    is_hidden: bool | None = None
    based_on: str = ""


def read_docx(source: Source) -> Extracted:
    """The paragraphs of a Word file, each footnote after the paragraph that refers to it.

    Raises:
        DocumentError: It is damaged, encrypted, too large or no Word file.
    """
    package = open_package(source, _WHAT, ".docx")
    part = main_part(package, "word/document.xml", _WHAT)
    root = package.xml(part)
    if root is None or local_name(root) != "document":
        raise DocumentError(f"{source.name} is no {_WHAT}. Check what it is.")
    builder = Builder()
    add_facts(package, builder)
    styles = _Styles(package.xml(related(package, part, "styles")))
    notes: Notes = {}
    for kind in _NOTES.values():
        notes |= _notes(package, related(package, part, f"{kind}s"), styles, kind)
    write_blocks(builder, _Collector(styles).blocks_of(root), notes)
    return builder.extracted()


def _notes(package: Package, part: str, styles: "_Styles", kind: str) -> Notes:
    """The notes of one kind."""
    notes = [note for note in children(package.xml(part)) if local_name(note)]
    return {(kind, attribute(note, "id")): _Collector(styles).blocks_of(note) for note in notes}


def _value(element: "_Element | None") -> str:
    return attribute(element, "val") if element is not None else ""


def _is_on(switch: "_Element | None") -> bool | None:
    """What a switch says; None if it is not there."""
    return None if switch is None else _value(switch).lower() not in ("0", "false", "off")


class _Styles:
    """What the styles say of the paragraphs and runs that have them, each by its id."""

    def __init__(self, root: "_Element | None") -> None:
        styles = [element for element in children(root) if local_name(element) == "style"]
        self._own = {attribute(style, "styleId"): _style(style) for style in styles}
        self._known: dict[str, _Style] = {}

    def of(self, style_id: str) -> _Style:
        """What a style says, itself or through the styles it is based on; nothing if there is no such style."""
        if style_id not in self._known:
            self._known[style_id] = self._resolve(style_id)
        return self._known[style_id]

    def _resolve(self, style_id: str) -> _Style:
        level, is_list, is_hidden = None, None, None
        for _ in range(MAX_STYLE_CHAIN):
            style = self._own.get(style_id)
            if style is None:
                break
            level = style.level if level is None else level
            is_list = style.is_list if is_list is None else is_list
            is_hidden = style.is_hidden if is_hidden is None else is_hidden
            style_id = style.based_on
        return _Style(level, is_list, is_hidden)


def _style(element: "_Element") -> _Style:
    name = _value(child(element, "name")).lower()
    return _Style(
        _level_of(_value(child(element, "pPr", "outlineLvl")), name),
        _is_numbered(child(element, "pPr", "numPr"), name),
        _is_on(child(element, "rPr", "vanish")),
        _value(child(element, "basedOn")),
    )


def _level_of(outline: str, name: str) -> int | None:
    """The level of heading that an outline level or the name of a style means; -1: none, for sure; None: unsaid."""
    if outline:
        level = whole_number(outline, -1) + 1
        return level if 1 <= level <= 9 else -1
    heading = _HEADING_NAME.fullmatch(name)
    return int(heading[1]) if heading else _TITLE_LEVEL if name == "title" else None


def _is_numbered(numbering: "_Element | None", name: str) -> bool | None:
    """Whether a paragraph is an item of a list; None if nothing says so or denies it."""
    if numbering is not None:
        return _value(child(numbering, "numId")) != "0"
    return True if name.startswith("list ") and name != "list paragraph" else None


class _Collector:
    """One walk over the XML that puts together what belongs together."""

    def __init__(self, styles: _Styles) -> None:
        self._styles = styles
        self._texts: list[Text] = []  # that are open, the outermost first; likewise below
        self._tables: list[Table] = []
        self._places: list[list[Block]] = [[]]
        self._starts: dict[str, Callable[[_Element], bool]] = {
            "p": self._start_text,
            "r": self._start_run,
            "tbl": lambda _: self._start_table(),
            "tr": self._start_row,
            "tc": self._start_cell,
            "sdt": lambda control: child(control, "sdtPr", "showingPlcHdr") is None,  # which says what to fill in
            "Choice": lambda choice: choice.getprevious() is None,  # of several versions of the same, the first
            "Fallback": lambda fallback: fallback.getprevious() is None,
        }

    def blocks_of(self, root: "_Element") -> list[Block]:
        """All paragraphs and tables in an element, in order."""
        from lxml import etree

        walk = etree.iterwalk(root, events=("start", "end"))
        skipped: _Element | None = None
        for event, element in walk:
            name = local_name(element)
            if event == "start":
                start = self._starts.get(name)
                if name in _SKIPPED or (start is not None and not start(element)):
                    skipped = element
                    walk.skip_subtree()
                elif start is None:
                    self._add_character(name, element)
            elif element is skipped:
                skipped = None
            else:
                self._end(name)
        return self._places[0]

    def _start_text(self, element: "_Element") -> bool:
        properties = child(element, "pPr")
        style = self._styles.of(_value(child(properties, "pStyle")))
        outline = _level_of(_value(child(properties, "outlineLvl")), "")
        level = style.level if outline is None else outline
        numbered = _is_numbered(child(properties, "numPr"), "")
        is_list = style.is_list if numbered is None else numbered
        is_heading = level is not None and level >= 0
        kind: ParagraphKind = "heading" if is_heading else "list" if is_list else "prose"
        goes_on = child(properties, "rPr", "del") is not None
        text = Text(kind, level or 0, goes_on, style.is_hidden is True)
        self._texts.append(text)
        self._places.append(text.boxes)
        return True

    def _start_run(self, element: "_Element") -> bool:
        """Whether a run is to be seen."""
        properties = child(element, "rPr")
        said = _is_on(child(properties, "vanish"))
        is_hidden = self._styles.of(_value(child(properties, "rStyle"))).is_hidden if said is None else said
        return not is_hidden

    def _start_table(self) -> bool:
        self._tables.append(Table())
        return True

    def _start_row(self, element: "_Element") -> bool:
        properties = child(element, "trPr")
        if not self._tables or child(properties, "del") is not None:
            return False
        table = self._tables[-1]
        table.has_names |= not table.rows and _is_on(child(properties, "tblHeader")) is True
        table.next_column = whole_number(_value(child(properties, "gridBefore")))
        table.rows.append({})
        return True

    def _start_cell(self, element: "_Element") -> bool:
        if not self._tables or not self._tables[-1].rows:
            return False
        table = self._tables[-1]
        cell: list[Block] = []
        table.rows[-1][table.next_column] = cell
        table.next_column += max(whole_number(_value(child(element, "tcPr", "gridSpan")), 1), 1)
        self._places.append(cell)
        return True

    def _add_character(self, name: str, element: "_Element") -> None:
        if not self._texts or self._texts[-1].is_hidden:
            return
        text = self._texts[-1]
        if name == "t":
            text.parts.append(element.text or "")
        elif name in _CHARACTERS:
            text.parts.append(_CHARACTERS[name])
        elif name == "sym":
            text.parts.append(_symbol(attribute(element, "char")))
        elif name in _NOTES:
            text.notes.append((_NOTES[name], attribute(element, "id")))

    def _end(self, name: str) -> None:
        if name in ("p", "tc"):
            self._places.pop()
        if name == "p":
            self._end_text(self._texts.pop())
        elif name == "tbl":
            self._places[-1].append(self._tables.pop())

    def _end_text(self, text: Text) -> None:
        """Puts a paragraph in its place, or joins it to the one before, whose end is deleted."""
        place = self._places[-1]
        before = place[-1] if place else None
        if isinstance(before, Text) and before.goes_on:
            before.kind, before.level, before.goes_on = text.kind, text.level, text.goes_on
            before.parts += text.parts
            before.boxes += text.boxes
            before.notes += text.notes
        else:
            place.append(text)


def _symbol(code: str) -> str:
    """The character of a symbol font; those that only the font knows are a space."""
    number = int(code, 16) if _CODE.fullmatch(code) else 0x20
    is_private = 0xD800 <= number <= 0xF8FF
    return _SYMBOLS.get(number, " ") if is_private else chr(number)
