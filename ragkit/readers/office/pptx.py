"""A PowerPoint file enters, its slides leave: title, then text, tables and charts as they are read, then the notes.

A shape that does not say where it stands does so where its layout puts it. Called through `ragkit.readers`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragkit.errors import DocumentError
from ragkit.readers.extraction import Builder, Extracted, Source
from ragkit.readers.office.blocks import Block, Table, Text
from ragkit.readers.office.cell_formats import plain_number
from ragkit.readers.office.facts import add_facts
from ragkit.readers.office.slides import Position, Slide, in_reading_order, write_slide
from ragkit.readers.packages import (
    Package,
    Relation,
    attribute,
    child,
    children,
    local_name,
    main_part,
    open_package,
    related,
    relation_id,
)
from ragkit.readers.tidying import whole_number
from ragkit.records import ParagraphKind

if TYPE_CHECKING:
    from lxml.etree import _Element

_WHAT = "PowerPoint file"
_TITLES = frozenset({"title", "ctrTitle"})
_FURNITURE = frozenset({"dt", "ftr", "hdr", "sldNum", "sldImg"})
_BULLETED = frozenset({"obj", "body"})
_MERGED = frozenset({"hMerge", "vMerge"})
_BULLETS = frozenset({"buChar", "buAutoNum", "buBlip"})


def read_pptx(source: Source) -> Extracted:
    """The slides of a PowerPoint file, hidden ones too.

    Raises:
        DocumentError: It is damaged, encrypted, too large or no PowerPoint file.
    """
    package = open_package(source, _WHAT, ".pptx")
    part = main_part(package, "ppt/presentation.xml", _WHAT)
    root = package.xml(part)
    if root is None or local_name(root) != "presentation":
        raise DocumentError(f"{source.name} is no {_WHAT}. Check what it is.")
    builder = Builder()
    add_facts(package, builder)
    relations = package.relations(part)
    deck = _Deck(package)
    for number, element in enumerate(children(child(root, "sldIdLst")), start=1):
        relation = relations.pop(relation_id(element), None)  # no slide comes twice
        slide = deck.slide(relation.part, number) if relation else None
        if slide:
            write_slide(builder, slide)
        else:
            builder.warnings.append(f"lists a slide {number} that it does not hold")
    return builder.extracted()


@dataclass(frozen=True, slots=True)
class _Placeholder:
    """What a layout says of the shapes that are put in its place."""

    position: Position | None
    is_plain: bool


_Layout = dict[tuple[str, str], _Placeholder]


class _Deck:
    """The slides with what they share."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._layouts: dict[str, _Layout] = {"": {}}

    def slide(self, part: str, number: int) -> Slide | None:
        """What stands on a slide; None if there is none."""
        root = self._package.xml(part)
        if root is None:
            return None
        relations = self._package.relations(part)
        parts = {relation.kind: relation.part for relation in relations.values()}
        layout = self._layout(parts.get("slideLayout", ""))
        slide = Slide(number, is_hidden=root.get("show") in ("0", "false"))
        for shape in _shapes(child(root, "cSld", "spTree"), layout):
            role = _role(shape)
            if role in _TITLES and not slide.title:
                slide.title = " ".join("".join(text.parts) for text in _texts(shape, "", is_plain=True))
            elif role not in _FURNITURE:
                slide.blocks += self._blocks(shape, layout, relations)
        notes = self._package.xml(parts.get("notesSlide", ""))
        for shape in _shapes(child(notes, "cSld", "spTree"), {}):
            if _role(shape) == "body":
                slide.notes += _texts(shape, "body", is_plain=True)
        return slide

    def _layout(self, part: str) -> _Layout:
        """The placeholders of a layout by type and by index, with those of its master behind."""
        if part not in self._layouts:
            master = related(self._package, part, "slideMaster")
            self._layouts[part] = {**self._placeholders(master), **self._placeholders(part)}
        return self._layouts[part]

    def _placeholders(self, part: str) -> _Layout:
        found: _Layout = {}
        for shape in children(child(self._package.xml(part), "cSld", "spTree")):
            mark = _mark(shape)
            if mark is not None:
                style = child(shape, "txBody", "lstStyle", "lvl1pPr", "buNone")
                said = _Placeholder(_own_position(shape), style is not None)
                for key in (("type", attribute(mark, "type")), ("index", attribute(mark, "idx"))):
                    if key[1] and (said.position or said.is_plain):
                        found.setdefault(key, said)
        return found

    def _blocks(self, shape: "_Element", layout: _Layout, relations: dict[str, Relation]) -> Sequence[Block]:
        """What stands in one shape."""
        data = child(shape, "graphic", "graphicData")
        if data is None:
            said = _inherited(shape, layout)
            return _texts(shape, _role(shape), is_plain=said is not None and said.is_plain)
        table = child(data, "tbl")
        if table is not None:
            return [_table(table)]
        chart, diagram = child(data, "chart"), child(data, "relIds")
        if chart is not None and (relation := relations.pop(relation_id(chart), None)):
            return list(_chart(self._package.xml(relation.part)))
        if diagram is not None and (relation := relations.pop(relation_id(diagram, "dm"), None)):
            points = children(child(self._package.xml(relation.part), "ptLst"))
            return [text for point in points for text in _texts(point, "obj")]
        return []


def _shapes(tree: "_Element | None", layout: _Layout) -> Iterator["_Element"]:
    """The shapes that are to be seen, in reading order; those of a group where the group stands."""
    waiting = [tree] if tree is not None else []
    while waiting:
        element = waiting.pop()
        name = local_name(element)
        if name in ("spTree", "grpSp", "Choice", "Fallback"):
            shapes = [(_position(shape, layout), shape) for shape in element if local_name(shape)]
            waiting += reversed(in_reading_order(shapes))
        elif name == "AlternateContent":
            waiting += list(element)[:1]  # of several versions of the same, the first
        elif name in ("sp", "graphicFrame") and not _is_hidden(element):
            yield element


def _about(shape: "_Element") -> "_Element | None":
    """The element that says what a shape is, which is its first."""
    return next(iter(shape), None)


def _is_hidden(shape: "_Element") -> bool:
    about = child(_about(shape), "cNvPr")
    return about is not None and about.get("hidden") in ("1", "true")


def _mark(shape: "_Element") -> "_Element | None":
    """What makes a shape a placeholder."""
    return child(_about(shape), "nvPr", "ph")


def _role(shape: "_Element") -> str:
    """The type of placeholder that a shape is; `obj` for one without a type, empty for no placeholder."""
    mark = _mark(shape)
    return "" if mark is None else attribute(mark, "type") or "obj"


def _inherited(shape: "_Element", layout: _Layout) -> _Placeholder | None:
    mark = _mark(shape)
    if mark is None:
        return None
    return layout.get(("index", attribute(mark, "idx"))) or layout.get(("type", attribute(mark, "type")))


def _position(shape: "_Element", layout: _Layout) -> Position | None:
    if local_name(shape) == "AlternateContent":
        shape = next((inner for version in shape for inner in version), shape)
    own, inherited = _own_position(shape), _inherited(shape, layout)
    return own or (inherited.position if inherited else None)


def _own_position(shape: "_Element") -> Position | None:
    for path in (("spPr", "xfrm", "off"), ("xfrm", "off"), ("grpSpPr", "xfrm", "off")):
        offset = child(shape, *path)
        if offset is not None:
            return whole_number(attribute(offset, "x")), whole_number(attribute(offset, "y"))
    return None


def _texts(shape: "_Element", role: str, *, is_plain: bool = False) -> list[Text]:
    """The paragraphs of a shape; those with bullets, by themselves or as usual for the role, are of a list."""
    body = next((part for part in shape if local_name(part) in ("txBody", "t")), None)
    usual = role in _BULLETED and not is_plain and child(body, "lstStyle", "lvl1pPr", "buNone") is None
    texts = []
    for paragraph in children(body):
        if local_name(paragraph) == "p":
            properties = child(paragraph, "pPr")
            marks = {local_name(mark) for mark in children(properties)}
            level = 0 if properties is None else whole_number(attribute(properties, "lvl"))
            is_item = bool(marks & _BULLETS) or ("buNone" not in marks and (usual or level > 0))
            kind: ParagraphKind = "list" if is_item else "prose"
            texts.append(Text(kind, parts=_parts(paragraph)))
    return texts


def _parts(paragraph: "_Element") -> list[str]:
    parts = []
    for element in paragraph.iter():
        name = local_name(element)
        if name == "t":
            parts.append(element.text or "")
        elif name in ("br", "tab"):
            parts.append("\n" if name == "br" else "\t")
    return parts


def _table(element: "_Element") -> Table:
    """A table; cells that are merged into others are left out."""
    properties = child(element, "tblPr")
    table = Table(has_names=properties is not None and properties.get("firstRow") in ("1", "true"))
    for row in element:
        if local_name(row) == "tr":
            cells = enumerate(cell for cell in row if local_name(cell) == "tc")
            shown = ((at, cell) for at, cell in cells if not _MERGED & set(cell.keys()))
            table.rows.append({at: list(_texts(cell, "", is_plain=True)) for at, cell in shown})
    return table


def _chart(root: "_Element | None") -> Iterator[Text]:
    """The title of a chart and, for each category, the value of each series."""
    chart = child(root, "chart")
    title = child(chart, "title")
    if title is not None:
        yield Text(parts=_parts(title))
    rows: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    series = [] if chart is None else [element for element in chart.iter() if local_name(element) == "ser"]
    for one in series:
        name = " ".join(_points(child(one, "tx")).values())
        categories = _points(child(one, "cat"))
        names |= {index: name for index, name in categories.items() if index not in names}
        for index, value in _points(child(one, "val")).items():
            rows.setdefault(index, []).append(f"{name}: {plain_number(value)}" if name else plain_number(value))
    for index, cells in rows.items():
        yield Text("table", parts=["; ".join([names.get(index, ""), *cells]).lstrip("; ")])


def _points(element: "_Element | None") -> dict[str, str]:
    """The values that are stored for a series, by index; of several levels of categories the innermost."""
    points: dict[str, str] = {}
    for point in () if element is None else element.iter():
        if local_name(point) == "pt":
            points.setdefault(attribute(point, "idx"), _words(child(point, "v")))
    return points


def _words(element: "_Element | None") -> str:
    return "" if element is None else element.text or ""
