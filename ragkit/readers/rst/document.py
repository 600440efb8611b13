"""The bytes of a reStructuredText file enter, its paragraphs and what it says of itself leave.

docutils parses it; the tree is gone through without recursion, since documents may nest as deeply as they like. The
text is made anew, without the marks. Called through `ragkit.readers`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from ragkit.errors import DocumentError
from ragkit.readers.decoding import decode
from ragkit.readers.extraction import Builder, Extracted, Source
from ragkit.readers.front_matter import facts_of
from ragkit.readers.rst.parser import TangledError, parse_rst
from ragkit.readers.rst.words import SILENT, Words, flat, unmarked
from ragkit.readers.text import text_spans
from ragkit.records import ParagraphKind

MAX_HEADING_CHARS = 160
"""So much of each heading goes into the path of headings."""

MAX_REPEATED_CHARS = 200
"""A cell that spans several rows belongs to each of them, but is not repeated if it is longer."""

_Path = tuple[str, ...]
_Step = tuple[Any, _Path, ParagraphKind]
_FLAGS = {"orphan", "tocdepth", "nocomments", "nosearch", "no-search"}
_LONG_FIELDS = {"abstract", "dedication"}
_RCS_KEYWORD = re.compile(r"\$\w+:\s*(.*?)\s*\$")


def read_rst(source: Source) -> Extracted:
    """The paragraphs of a file; one that docutils cannot parse, or not in good time, is read as plain text.

    Raises:
        DocumentError: It is no text, or docutils is missing.
    """
    text = decode(source.data, source.name)
    try:
        document = parse_rst(text)
    except ModuleNotFoundError as exc:
        raise DocumentError(f"{source.name} needs docutils. Install it: pip install docutils") from exc
    except TangledError as exc:
        text = text.replace("\f", "\n")
        return Extracted(text, text_spans(text), warnings=(f"{exc}, so that it was read as plain text",))
    return _Walk(document).extracted()


class _Walk:
    """One pass over a tree, collecting paragraphs.

    Attributes:
        steps: The nodes still to be visited, the next one last, with the headings above and what their prose is.
        words: The words of single elements.
    """

    def __init__(self, document: Any):
        self.builder = Builder()
        self.words = Words(document)
        self.steps: list[_Step] = [(document, (), "prose")]
        self.fields = self._introduce(_loud(document))

    def extracted(self) -> Extracted:
        """All paragraphs and facts."""
        while self.steps:
            node, headings, kind = self.steps.pop()
            _HANDLERS.get(node.tagname, _Walk._enter)(self, node, headings, kind)
        return self.builder.extracted()

    def _introduce(self, body: list[Any]) -> Any:
        """Notes the facts at the top of a document; gives the fields that hold them."""
        fields = body.pop(0) if body and body[0].tagname == "field_list" else None
        if len(body) == 1 and body[0].tagname == "section":
            self.builder.fact("title", self.words.of(body[0][0]))
            below = _loud(body[0])[1:]
            fields = fields or (below[0] if below and below[0].tagname == "field_list" else None)
        self._note_facts(fields.children if fields else ())
        return fields

    def _note_facts(self, fields: Iterable[Any]) -> None:
        found: dict[object, list[str]] = {}
        for field in fields:
            name, body = self.words.of(field[0]).lower(), field[1]
            if name not in _FLAGS and name not in _LONG_FIELDS:
                items = [one for child in body.children if child.tagname.endswith("_list") for one in child.children]
                values = [_RCS_KEYWORD.sub(r"\1", self.words.of(one)) for one in items or [body]]
                found.setdefault(name, []).extend(_authors(values) if name == "authors" else values)
        self.builder.facts += facts_of(found)

    def _add(self, text: str, headings: _Path, kind: ParagraphKind) -> None:
        self.builder.add(text, kind, headings=headings)

    def _push(self, nodes: Iterable[Any], headings: _Path, kind: ParagraphKind) -> None:
        self.steps += [(node, headings, kind) for node in reversed(list(nodes))]

    def _enter(self, node: Any, headings: _Path, kind: ParagraphKind) -> None:
        self._push(node.children, headings, kind)

    def _skip(self, node: Any, headings: _Path, kind: ParagraphKind) -> None:
        pass

    def _prose(self, node: Any, headings: _Path, kind: ParagraphKind) -> None:
        self._add(self.words.of(node), headings, kind)

    def _heading(self, node: Any, headings: _Path, _: ParagraphKind) -> None:
        self._add(self.words.of(node), headings, "heading")

    def _section(self, node: Any, headings: _Path, _: ParagraphKind) -> None:
        self._heading(node[0], headings, "heading")
        self._push(node.children[1:], (*headings, self.words.of(node[0])[:MAX_HEADING_CHARS]), "prose")

    def _container(self, node: Any, headings: _Path, kind: ParagraphKind) -> None:
        signature = unmarked(node.get("signature", ""))
        if node.get("meta"):
            self._note_facts(field for child in node.children if child.tagname == "field_list" for field in child)
        elif signature:
            self._add(signature, headings, "code")
            self._push(node.children, (*headings, flat(signature)[:MAX_HEADING_CHARS]), kind)
        else:
            self._push(node.children, headings, kind)

    def _list(self, node: Any, headings: _Path, _: ParagraphKind) -> None:
        self._push(node.children, headings, "list")

    def _led(self, lead: str, body: list[Any], headings: _Path, kind: ParagraphKind) -> None:
        """A body whose first paragraph goes on the line of what leads it."""
        is_prose = bool(body) and body[0].tagname == "paragraph"
        self._add(f"{lead} {self.words.of(body.pop(0))}" if is_prose else lead, headings, kind)
        self._push(body, headings, kind)

    def _definition(self, node: Any, headings: _Path, _: ParagraphKind) -> None:
        terms = [self.words.of(child) for child in node.children if child.tagname in ("term", "classifier")]
        lead = f"{terms[0]} ({', '.join(terms[1:])})" if terms[1:] else "".join(terms)
        self._led(_with_colon(lead), list(node[-1].children), headings, "list")

    def _fields(self, node: Any, headings: _Path, _: ParagraphKind) -> None:
        for field in reversed(node.children):
            is_flag = node is self.fields and self.words.of(field[0]).lower() in _FLAGS
            self._push([] if is_flag else [field], headings, "list")

    def _field(self, node: Any, headings: _Path, _: ParagraphKind) -> None:
        self._led(_with_colon(self.words.of(node[0])), list(node[1].children), headings, "list")

    def _option(self, node: Any, headings: _Path, _: ParagraphKind) -> None:
        options = ", ".join(self.words.of(option) for option in node[0].children)
        self._led(_with_colon(options), list(node[1].children), headings, "list")

    def _note(self, node: Any, headings: _Path, _: ParagraphKind) -> None:
        body = [child for child in node.children if child.tagname != "label"]
        self._led(self.words.note(node), body, headings, "prose")

    def _code(self, node: Any, headings: _Path, _: ParagraphKind) -> None:
        self._add(unmarked(self.words.raw(node)).strip("\n"), headings, "code")

    def _verse(self, node: Any, headings: _Path, kind: ParagraphKind) -> None:
        lines, open_nodes = [], [(node, 0)]
        while open_nodes:
            current, depth = open_nodes.pop()
            if current.tagname == "line":
                lines.append("  " * depth + self.words.of(current))
            elif current.tagname == "line_block":
                open_nodes += [(child, min(depth + (child.tagname != "line"), 20)) for child in current.children[::-1]]
        self._add("\n".join(lines), headings, kind)

    def _table(self, node: Any, headings: _Path, kind: ParagraphKind) -> None:
        names: dict[int, list[str]] = {}
        for part in node.children:
            if part.tagname == "title":
                self._prose(part, headings, kind)
            rows = [one for one in part.children if one.tagname in ("thead", "tbody")]
            for row in rows:
                for cells in self._rows(row.children, is_head=row.tagname == "thead"):
                    if row.tagname == "thead":
                        for column, text in cells.items():
                            names.setdefault(column, []).append(text)
                    else:
                        self._add(_row(cells, names), headings, "table")

    def _rows(self, rows: list[Any], *, is_head: bool) -> Iterator[dict[int, str]]:
        """The texts of the cells of each row by column; those that span rows are in each, if they are not long."""
        carried: dict[int, tuple[int, str]] = {}
        for row in rows:
            cells: dict[int, str] = {}
            below = {column: (more - 1, text) for column, (more, text) in carried.items() if more > 1}
            column = 0
            for entry in row.children:
                while column in carried:
                    column += 1
                text = self.words.of(entry)
                width = 1 + entry.get("morecols", 0)
                cells |= dict.fromkeys(range(column, column + (width if is_head else 1)), text)
                if entry.get("morerows"):
                    repeated = text if len(text) <= MAX_REPEATED_CHARS else ""
                    below |= dict.fromkeys(range(column, column + width), (entry["morerows"], ""))
                    below[column] = (entry["morerows"], repeated)
                column += width
            yield cells | {column: text for column, (_, text) in carried.items()}
            carried = below

    def _complaint(self, node: Any, headings: _Path, kind: ParagraphKind) -> None:
        """The text of what docutils could not make sense of, rather than what it says of it."""
        if node["level"] >= 3:
            for child in node.children:
                if child.tagname == "literal_block":
                    self._add(flat(self.words.raw(child)), headings, kind)


def _row(cells: dict[int, str], names: dict[int, list[str]]) -> str:
    named = []
    for column, text in sorted(cells.items()):
        name = " ".join(dict.fromkeys(filter(None, names.get(column, ()))))
        named += [f"{name}: {text}" if name else text] if text else []
    return "; ".join(named)


def _loud(node: Any) -> list[Any]:
    """The children of an element that show something."""
    return [child for child in node.children if child.tagname not in SILENT]


def _with_colon(lead: str) -> str:
    return lead if not lead or lead[-1] in ":.?!;," else f"{lead}:"


def _authors(values: Sequence[str]) -> list[str]:
    """Single names, of which several may stand in one value."""
    return [name for value in values for name in value.split(";" if ";" in value else ",")]


_HANDLERS: dict[str, Callable[[_Walk, Any, _Path, ParagraphKind], None]] = {
    **dict.fromkeys(SILENT, _Walk._skip),
    **dict.fromkeys(("paragraph", "image", "attribution", "#text"), _Walk._prose),
    **dict.fromkeys(("title", "subtitle", "rubric"), _Walk._heading),
    **dict.fromkeys(("bullet_list", "enumerated_list"), _Walk._list),
    **dict.fromkeys(("footnote", "citation"), _Walk._note),
    **dict.fromkeys(("literal_block", "doctest_block", "math_block"), _Walk._code),
    "section": _Walk._section,
    "container": _Walk._container,
    "definition_list_item": _Walk._definition,
    "field_list": _Walk._fields,
    "field": _Walk._field,
    "option_list_item": _Walk._option,
    "line_block": _Walk._verse,
    "table": _Walk._table,
    "system_message": _Walk._complaint,
}
