"""A Jupyter notebook enters, the paragraphs of its cells leave: prose, code, and what the code printed.

Headings in one cell stand above all that follows, up to the next. Called through the table of readers.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt

from ragkit.errors import DocumentError
from ragkit.readers.decoding import decode
from ragkit.readers.extraction import Builder, Extracted, Source
from ragkit.readers.headings import MAX_HEADING_CHARS
from ragkit.readers.json_records import parse_json
from ragkit.readers.markdown import MAX_NESTING, markdown_spans
from ragkit.readers.web.html import html_extracted

MAX_OUTPUT_CHARS = 2_000
"""Of each output; a page of it tells what came out, and the rest is seldom read."""

MAX_CELLS = 50_000
"""Each of them is parsed apart; nobody has written a tenth of this."""

_DATA_URI = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=%]+")
_TERMINAL_CODE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_MAY_BE_HEADING = re.compile(r"^[ \t]*[#=-]", re.M)
_NAME_OF_AN_OBJECT = re.compile(r"<[^<>\n]*>")


def read_notebook(source: Source) -> Extracted:
    """The cells of an `.ipynb`.

    Raises:
        DocumentError: It is no notebook.
    """
    root = _dict(parse_json(decode(source.data, source.name), source.name, dict))
    cells = list(_cells(root))
    if len(cells) > MAX_CELLS:
        raise DocumentError(f"{source.name} is too large: it has more than {MAX_CELLS:,} cells. Split it into parts.")
    if not cells:
        raise DocumentError(f"{source.name} is no notebook: it has no cells. Leave it out.")
    reading = _Reading(source.name, Builder())
    for number, cell in enumerate(cells, start=1):
        reading.add(cell, f"cell {number}")
    metadata = _dict(root.get("metadata"))
    builder = reading.builder
    builder.fact("title", _text(metadata.get("title")))
    for author in _list(metadata.get("authors")):
        builder.fact("author", _text(_dict(author).get("name")))
    builder.fact("language", _language(metadata, cells))
    return builder.extracted()


def _cells(root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The cells, which in old notebooks lie in worksheets."""
    for sheet in (root, *map(_dict, _list(root.get("worksheets")))):
        yield from map(_dict, _list(sheet.get("cells")))


def _language(metadata: dict[str, Any], cells: list[dict[str, Any]]) -> str:
    """The programming language of the code."""
    kernel, info = _dict(metadata.get("kernelspec")), _dict(metadata.get("language_info"))
    named = (info.get("name"), kernel.get("language"), metadata.get("language"), *(c.get("language") for c in cells))
    return next((name for name in map(_text, named) if name), "")


@dataclass(slots=True)
class _Reading:
    """A notebook while its cells are read.

    Attributes:
        name: By which it is called in messages.
        builder: Takes the paragraphs.
        above: Markdown that is nothing but the headings in force.
        path: The same as a path.
    """

    name: str
    builder: Builder
    above: str = "\n"
    path: tuple[str, ...] = ()

    def add(self, cell: dict[str, Any], place: str) -> None:
        """Adds the paragraphs of the next cell."""
        text = _text(cell.get("source", cell.get("input")))
        kind = cell.get("cell_type")
        if kind == "heading":  # only in old notebooks
            level = _text(cell.get("level"))
            self._add_prose("#" * (int(level) if level in tuple("123456") else 1) + " " + " ".join(text.split()), place)
        elif kind == "markdown":
            self._add_prose(text, place)
        else:
            self.builder.add(text.strip("\n"), "code", headings=self.path, place=place)
        for output in map(_dict, _list(cell.get("outputs"))):
            self._add_output(output, f"{place}, output")

    def _add_prose(self, text: str, place: str) -> None:
        text = _DATA_URI.sub("data:", text).strip("\n")
        spans = markdown_spans(self.above + text)
        shift = len(self.above)
        own = [replace(span, start=span.start - shift, end=span.end - shift) for span in spans if span.start >= shift]
        self.builder.include(Extracted(text, own), place=place)
        headings = list(_headings(text)) if _MAY_BE_HEADING.search(text) else []
        for level, heading in headings:
            kept = [line for line in self.above.split("\n") if line and len(line) - len(line.lstrip("#")) < level]
            self.above = "\n".join(("", *kept, f"{'#' * level} {heading}", ""))
        if headings:
            self.path = markdown_spans(self.above + "\ntext")[-1].headings

    def _add_output(self, output: dict[str, Any], place: str) -> None:
        kind = output.get("output_type")
        if kind in ("error", "pyerr"):
            error, reason = _text(output.get("ename")), _text(output.get("evalue"))
            self._add_printed(f"{error}: {reason}".strip(": "), place)
            return
        data = _dict(output.get("data"))
        plain = _text(data.get("text/plain", output.get("text")))
        html = _text(data.get("text/html", output.get("html")))
        written = _text(data.get("text/markdown", output.get("latex")))
        if plain.strip() and not (_NAME_OF_AN_OBJECT.fullmatch(plain.strip()) and kind != "stream"):
            self._add_printed(plain, place)
        elif written.strip():
            self._add_printed(written, place)
        elif html.strip():
            try:
                inner = html_extracted(html, self.name)
            except DocumentError:
                self.builder.warnings.append(f"has HTML that cannot be read in {place}")
            else:
                self.builder.include(inner, headings=self.path, place=place)

    def _add_printed(self, text: str, place: str) -> None:
        lines = text.strip("\n")
        shown = lines if len(lines) <= MAX_OUTPUT_CHARS else lines[: MAX_OUTPUT_CHARS - 1] + "…"
        self.builder.add(shown, "code", headings=self.path, place=place)


def _headings(text: str) -> Iterator[tuple[int, str]]:
    """Level and text of each heading that stands in no list or quotation."""
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).disable("inline")
    for opening, content in pairwise(parser.parse("\n" + text)):
        if opening.type == "heading_open" and opening.level == 0:
            yield int(opening.tag[1]), " ".join(content.content.split())[:MAX_HEADING_CHARS]


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    """Text, which may be written as a list of its lines; empty if it is something else."""
    joined = "".join(line for line in value if isinstance(line, str)) if isinstance(value, list) else value
    if not isinstance(joined, str):
        return ""
    lines = _TERMINAL_CODE.sub("", joined.replace("\r\n", "\n").replace("\r", "\n"))
    return _UNPRINTABLE.sub(" ", lines).replace("\xa0", " ").replace("\xad", "")
