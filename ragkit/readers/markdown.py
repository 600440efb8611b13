"""Markdown enters, its paragraphs leave, each under its headings; the text itself stays as it was written.

markdown-it finds the blocks and says on which lines they lie; where a block begins within its first line is told by the
quotation signs and list markers of the blocks around it. Called through `ragkit.readers`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ragkit.readers.headings import fitting_headings
from ragkit.readers.spans import Line, Span, lines_of, trimmed
from ragkit.records import ParagraphKind

MAX_NESTING = 60
"""Blocks nested deeper are read as prose; each level costs the parser a few of Python's 1,000 stack frames."""

_LEAVES: dict[str, ParagraphKind] = {
    "heading_open": "heading",
    "paragraph_open": "prose",
    "table_open": "table",
    "fence": "code",
    "code_block": "code",
    "html_block": "prose",
}
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(?=[^\n]*:)(?:(?!---|\.\.\.)[^\n]*\n)*(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_QUOTE_SIGN = re.compile(r"[ \t]*>")
_LIST_MARKER = re.compile(r"[ \t]*(?:[-+*]|\d{1,9}[.)])(?=[ \t]|$)")
_TASK_BOX = re.compile(r"[ \t]*\[[ xX]\](?=[ \t])")
_ATX_OPENING = re.compile(r"[ \t]*#{1,6}")
_INVISIBLE_HTML = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1>|\Z)|<[^<>]*>|&nbsp;", re.S | re.I)
_INLINE_MARKUP = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)|(\*\*|__|~~|[*_`])(?=\S)")
_CLOSING_MARKUP = re.compile(r"(?<=\S)(?:\*\*|__|~~|[*_`])(?!\w)")
_MARKERS_ONLY = re.compile(r"(?:[ \t>]|[-+*=_]|\d{1,9}[.)](?=\s|$))*")


def markdown_spans(text: str) -> list[Span]:
    """The paragraphs of a Markdown text: headings, prose, list items, tables and blocks of code."""
    front = _FRONT_MATTER.match(text)
    body_start = front.end() if front else 0
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).enable("table").disable("inline")
    environment: dict[str, Any] = {}
    tokens = parser.parse(text[body_start:], environment)
    walk = _Walk(text, lines_of(text[body_start:], body_start))
    for token in tokens:
        walk.visit(token)
    references = [*environment.get("references", {}).values(), *environment.get("duplicate_refs", [])]
    walk.add_unparsed([definition["map"] for definition in references])
    return sorted(walk.spans, key=lambda span: span.start)


@dataclass
class _Walk:
    """One pass over the parser's tokens, collecting spans.

    Attributes:
        containers: The block quotes and list items that are open, outermost first.
        headings: Level and text of the headings in force.
        covered: Numbers of the lines that belong to some block.
        item: The list item whose paragraph is the latest span, so that a further paragraph of it extends that span.
    """

    text: str
    lines: list[Line]
    spans: list[Span] = field(default_factory=list)
    containers: list[Token] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    covered: set[int] = field(default_factory=set)
    item: Token | None = None

    def visit(self, token: Token) -> None:
        """Take in the next token."""
        if token.type in ("blockquote_open", "list_item_open"):
            self.containers.append(token)
            self.item = None
        elif token.type in ("blockquote_close", "list_item_close"):
            self.containers.pop()
            self.item = None
        elif token.map is not None and token.type == "hr":
            self.covered.update(range(*token.map))
        elif token.map is not None and token.type in _LEAVES:
            self.covered.update(range(*token.map))
            self._leaf(token, *token.map)

    def _leaf(self, token: Token, first: int, last: int) -> None:
        if token.type == "heading_open":
            self._heading(token, first, last)
        elif token.type == "paragraph_open":
            self._paragraph(first, last)
        elif token.type == "fence":
            self._fence(token, first, last)
        elif token.type != "html_block" or _INVISIBLE_HTML.sub("", token.content).strip():
            self._add(self._content_start(first), self.lines[last - 1].end, _LEAVES[token.type])

    def _heading(self, token: Token, first: int, last: int) -> None:
        """A heading, and from here on its place in the path."""
        start, end = self._content_start(first), self.lines[last - 1].end
        if token.markup.startswith("#"):
            opening = _ATX_OPENING.match(self.text, start, end)
            start = opening.end() if opening else start
            content = self.text[start:end].rstrip()
            unclosed = content.rstrip("#")
            end = start + len(unclosed if unclosed[-1:].isspace() else content)
        elif last - first > 1:
            end = self.lines[last - 2].end  # without the underline of = or -
        level = int(token.tag[1])
        if not self.containers:
            self.headings = [heading for heading in self.headings if heading[0] < level]
        self._add(start, end, "heading")
        if not self.containers:
            self.headings.append((level, _without_markup(self.text[start:end])))

    def _paragraph(self, first: int, last: int) -> None:
        """A paragraph of prose or of a list item."""
        container = self.containers[-1] if self.containers else None
        if container is None or container.type != "list_item_open":
            self._add(self._content_start(first), self.lines[last - 1].end, "prose")
        elif self.item is container:
            latest = self.spans.pop()
            self._add(latest.start, self.lines[last - 1].end, "list")
            self.item = container
        else:
            start = self._content_start(first)
            box = _TASK_BOX.match(self.text, start)
            self._add(box.end() if box else start, self.lines[last - 1].end, "list")
            self.item = container

    def _fence(self, token: Token, first: int, last: int) -> None:
        """The code between two fences."""
        inside = token.content.count("\n")
        if inside:
            self._add(self.lines[first + 1].start, self.lines[min(first + inside, last - 1)].end, "code")

    def add_unparsed(self, definitions: Sequence[Sequence[int]]) -> None:
        """Prose for lines that the parser gave up on, which are nested too deeply; link definitions are no text."""
        for first, last in definitions:
            self.covered.update(range(first, last))
        for number, line in enumerate(self.lines):
            if number in self.covered or line.is_blank:
                continue
            markers = _MARKERS_ONLY.match(line.text)
            self.item = None
            self._add(line.start + (markers.end() if markers else 0), line.end, "prose", headings=())

    def _content_start(self, number: int) -> int:
        """Where a block's content begins in its first line, after the markers of the containers that it stands in."""
        line = self.lines[number]
        position = 0
        for container in self.containers:
            starts_here = container.map is not None and container.map[0] == number
            pattern = _QUOTE_SIGN if container.type == "blockquote_open" else _LIST_MARKER if starts_here else None
            marker = pattern.match(line.text, position) if pattern else None
            position = marker.end() if marker else position
        return line.start + position

    def _add(self, start: int, end: int, kind: ParagraphKind, headings: tuple[str, ...] | None = None) -> None:
        self.item = None
        start, end = trimmed(self.text, start, end)
        if start < end:
            path = fitting_headings([text for _, text in self.headings]) if headings is None else headings
            self.spans.append(Span(start, end, kind, path))


def _without_markup(heading: str) -> str:
    """The words of a heading on one line, without the marks for bold, code and links."""
    plain = _CLOSING_MARKUP.sub("", _INLINE_MARKUP.sub(lambda match: match.group(1) or "", heading))
    return " ".join(plain.split())
