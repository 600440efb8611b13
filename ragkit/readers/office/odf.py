"""An OpenDocument file enters, its paragraphs leave: text (ODT), slides (ODP) or sheets (ODS).

The three are one XML format: text and tables lie in the text itself, on pages or in sheets. One walk collects them,
without what is deleted, hidden or commented. Nothing recurses, however deep the file is nested. Called through
`ragkit.readers`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ragkit.errors import DocumentError
from ragkit.readers.extraction import Builder, Extracted, Source
from ragkit.readers.office.blocks import Block, Notes, Table, Text, write_blocks
from ragkit.readers.office.facts import date_of
from ragkit.readers.office.odf_sheets import sheet_rows
from ragkit.readers.office.sheets import add_sheet
from ragkit.readers.office.slides import Position, Slide, in_reading_order, write_slide
from ragkit.readers.packages import Package, attribute, child, children, encrypted, local_name, open_package
from ragkit.readers.tidying import whole_number
from ragkit.records import ParagraphKind

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_LEVEL = 10
"""The deepest outline level of the format."""

MAX_STYLE_CHAIN = 32
"""So many styles may be derived from one another."""

_WHAT = "OpenDocument file"
_SKIPPED = frozenset(
    {
        *("tracked-changes", "annotation", "annotation-end", "note-citation", "ruby-text", "hidden-text", "forms"),
        *("script", "event-listeners", "footer-decl", "header-decl", "date-time-decl"),
    }
)
_INLINE = frozenset({"p", "h", "span", "a", "meta", "meta-field", "ruby-base"})
_FURNITURE = frozenset({"header", "footer", "date-time", "page-number", "page"})
_LENGTH = re.compile(r"(-?\d{1,6}(?:\.\d{1,9})?)(cm|mm|in|pt|pc|px)")
_EMU = {"cm": 360_000, "mm": 36_000, "in": 914_400, "pt": 12_700, "pc": 152_400, "px": 9_525}


def read_odf(source: Source) -> Extracted:
    """The paragraphs of an OpenDocument text, presentation or spreadsheet.

    Raises:
        DocumentError: It is damaged, encrypted, too large or none of these.
    """
    suffix = PurePosixPath(source.name).suffix.lower()
    package = open_package(source, _WHAT, suffix if suffix in (".odp", ".ods") else ".odt")
    if b"encryption-data" in package.read("META-INF/manifest.xml"):
        raise encrypted(source.name)
    root = package.xml("content.xml")
    body = child(root, "body")
    if root is None or body is None:
        raise DocumentError(f"{source.name} is no {_WHAT}: it has no text. Check what it is.")
    builder = Builder()
    _add_facts(package, builder)
    styles = _Styles(package.xml("styles.xml"), root)
    for content in body:
        match local_name(content):
            case "text":
                collector = _Collector(styles)
                write_blocks(builder, collector.blocks_of(content), collector.notes)
            case "presentation" | "drawing":
                _add_slides(builder, content, styles)
            case "spreadsheet":
                for sheet in content:
                    if local_name(sheet) == "table":
                        is_hidden = styles.is_hidden(sheet)
                        add_sheet(builder, attribute(sheet, "name"), sheet_rows(sheet), is_hidden=is_hidden)
    return builder.extracted()


def _add_facts(package: Package, builder: Builder) -> None:
    said = [(local_name(one), one.text or "") for one in children(child(package.xml("meta.xml"), "meta"))]
    first = dict(reversed(said))
    builder.fact("title", first.get("title"))
    builder.fact("author", first.get("initial-creator") or first.get("creator"))
    builder.fact("date", date_of(first.get("date") or first.get("creation-date") or ""))
    builder.fact("language", first.get("language"))
    for name, keyword in said:
        if name == "keyword":
            builder.fact("tag", keyword)


class _Styles:
    """What the styles say, by name."""

    def __init__(self, *roots: "_Element | None") -> None:
        groups = [child(root, name) for root in roots for name in ("styles", "automatic-styles")]
        styles = [style for group in groups for style in children(group) if local_name(style) == "style"]
        self._parents = {attribute(style, "name"): attribute(style, "parent-style-name") for style in styles}
        self._hidden = {attribute(style, "name") for style in styles if _hides(style)}

    def is_hidden(self, element: "_Element") -> bool:
        """Whether an element has a style that hides it."""
        return attribute(element, "style-name") in self._hidden

    def is_title(self, element: "_Element") -> bool:
        """Whether a paragraph has the style of titles or one that is derived from it."""
        name = attribute(element, "style-name")
        for _ in range(MAX_STYLE_CHAIN):
            if name == "Title" or not name:
                break
            name = self._parents.get(name, "")
        return name == "Title"


def _hides(style: "_Element") -> bool:
    """Whether a style hides text, a page or a sheet."""
    properties = {local_name(one): one for one in style}
    text, page, sheet = (properties.get(f"{name}-properties") for name in ("text", "drawing-page", "table"))
    return (
        (text is not None and attribute(text, "display") == "none")
        or (page is not None and attribute(page, "visibility") == "hidden")
        or (sheet is not None and attribute(sheet, "display") == "false")
    )


@dataclass
class _Collector:
    """One walk over the XML that puts together what belongs together.

    Attributes:
        notes: What stands in each note.
        texts: The paragraphs that are open, the outermost first; likewise below.
        tables: That are open.
        places: Lists that take what is complete.
        lists: How many list items are open.
    """

    styles: _Styles
    notes: Notes = field(default_factory=dict)
    texts: list[Text] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    places: list[list[Block]] = field(default_factory=lambda: [[]])
    lists: int = 0

    def blocks_of(self, root: "_Element") -> list[Block]:
        """All paragraphs and tables in an element, in order."""
        from lxml import etree

        walk = etree.iterwalk(root, events=("start", "end"))
        skipped: _Element | None = None
        for event, element in walk:
            name = local_name(element)
            if event == "start":
                if self._is_skipped(name, element):
                    skipped = element
                    walk.skip_subtree()
                else:
                    self._start(name, element)
                continue
            if element is not skipped:
                self._end(name)
            skipped = None
            self._add_tail(element)
        return self.places[0]

    def _is_skipped(self, name: str, element: "_Element") -> bool:
        return (
            name in _SKIPPED
            or name.endswith("-source")  # how an index is made
            or (name in ("title", "desc") and "svg" in str(element.tag))
            or (name == "section" and attribute(element, "display") == "none")
            or (name in ("p", "h", "span") and self.styles.is_hidden(element))
        )

    def _start(self, name: str, element: "_Element") -> None:
        if name in ("p", "h"):
            self._start_text(name, element)
        elif name == "list-item":
            self.lists += 1
        elif name == "table":
            self.tables.append(Table())
        elif name == "note":
            self._start_note(element)
        elif name in ("table-row", "table-cell", "covered-table-cell", "table-header-rows"):
            self._start_in_table(name, element)
        elif self.texts:
            self._start_inline(name, element)

    def _start_text(self, name: str, element: "_Element") -> None:
        kind: ParagraphKind = "list" if self.lists and not self.tables else "prose"
        level = 0
        if name == "h" or self.styles.is_title(element):
            kind = "heading"
            level = min(max(whole_number(attribute(element, "outline-level"), 1), 1), MAX_LEVEL) if name == "h" else 0
        text = Text(kind, level)
        self.texts.append(text)
        self.places.append(text.boxes)
        self._add_words(element.text)

    def _start_note(self, element: "_Element") -> None:
        key = (attribute(element, "note-class") or "footnote", str(len(self.notes)))
        self.notes[key] = []
        self.places.append(self.notes[key])
        if self.texts:
            self.texts[-1].notes.append(key)

    def _start_in_table(self, name: str, element: "_Element") -> None:
        table = self.tables[-1] if self.tables else Table()
        if name == "table-header-rows":
            table.has_names |= not table.rows
        elif name == "table-row":
            table.rows.append({})
            table.next_column = 0
        else:
            cell: list[Block] = []
            self.places.append(cell)
            if table.rows and name == "table-cell":  # a covered one holds what is not to be seen
                table.rows[-1][table.next_column] = cell
            table.next_column += max(whole_number(attribute(element, "number-columns-repeated"), 1), 1)

    def _start_inline(self, name: str, element: "_Element") -> None:
        text = self.texts[-1]
        if name in ("s", "tab", "line-break"):
            text.parts.append({"s": " ", "tab": "\t", "line-break": "\n"}[name])
        elif name == "hidden-paragraph" and attribute(element, "is-hidden") == "true":
            text.is_hidden = True
        else:
            self._add_words(element.text)

    def _end(self, name: str) -> None:
        if name in ("p", "h"):
            self.places.pop()
            text = self.texts.pop()
            if not text.is_hidden:
                self.places[-1].append(text)
        elif name in ("note", "table-cell", "covered-table-cell"):
            self.places.pop()
        elif name == "table":
            self.places[-1].append(self.tables.pop())
        elif name == "list-item":
            self.lists -= 1

    def _add_tail(self, element: "_Element") -> None:
        """Adds the text behind an element, if it is more than the layout of the XML."""
        tail, parent = element.tail, element.getparent()
        if tail and parent is not None and (not tail.isspace() or local_name(parent) in _INLINE):
            self._add_words(tail)

    def _add_words(self, words: str | None) -> None:
        if words and self.texts:
            self.texts[-1].parts.append(re.sub(r"\s", " ", words))


def _add_slides(builder: Builder, content: "_Element", styles: _Styles) -> None:
    pages = [page for page in content if local_name(page) == "page"]
    for number, page in enumerate(pages, start=1):
        slide = Slide(number, is_hidden=styles.is_hidden(page))
        for shape in _shapes(page):
            role = attribute(shape, "class")
            blocks = _Collector(styles).blocks_of(shape)
            if role == "title" and not slide.title:
                slide.title = " ".join("".join(one.parts) for one in blocks if isinstance(one, Text))
            elif role not in _FURNITURE:
                slide.blocks += blocks
        for shape in _shapes(child(page, "notes")):
            if attribute(shape, "class") == "notes":
                slide.notes += _Collector(styles).blocks_of(shape)
        write_slide(builder, slide)


def _shapes(page: "_Element | None") -> Iterator["_Element"]:
    """The shapes of a page in reading order; those of a group where the group stands."""
    waiting = [] if page is None else [page]
    while waiting:
        element = waiting.pop()
        if element is page or local_name(element) == "g":
            shapes = [(_position(one), one) for one in element if local_name(one) not in ("", "notes", *_SKIPPED)]
            waiting += reversed(in_reading_order(shapes))
        else:
            yield element


def _position(shape: "_Element") -> Position | None:
    """Where a shape stands, or the first shape of a group."""
    while local_name(shape) == "g" and len(shape):
        shape = shape[0]
    left, top = (_LENGTH.fullmatch(attribute(shape, name)) for name in ("x", "y"))
    if not left or not top:
        return None
    return int(float(left[1]) * _EMU[left[2]]), int(float(top[1]) * _EMU[top[2]])
