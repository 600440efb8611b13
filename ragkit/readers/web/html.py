"""A web page enters, its paragraphs leave, each under its headings: a row of a table is one, and so is a list item.

Called through `ragkit.readers`, and for the HTML that stands in mails, books and notebooks. The page comes as a flat
list of tokens from `boilerplate`, which says what of it is text.
"""

import codecs
import re
from collections import defaultdict
from contextlib import suppress
from textwrap import dedent

from ragkit.errors import DocumentError
from ragkit.readers.decoding import decode
from ragkit.readers.extraction import Builder, Extracted, Source
from ragkit.readers.front_matter import facts_of
from ragkit.readers.headings import Outline
from ragkit.readers.rows import MAX_NAME_CHARS, MergedCells
from ragkit.readers.spans import Span
from ragkit.readers.text import text_spans
from ragkit.readers.tidying import flat, tidy, whole_number
from ragkit.readers.web.boilerplate import BLOCKS, HEADINGS, Element, Page, page_of

MAX_TAGS = 2_000_000
"""Each takes some 300 bytes of memory; the longest pages that people read have a few hundred thousand."""

MAX_SPAN = 300
"""No table that anyone reads has a cell over more columns or rows, and one tag may claim millions."""

MAX_CELL_CHARS = 600
"""Longer cells are text, in tables with header cells if they are four times as long; longer terms are paragraphs."""

MIN_WORD_SHARE = 0.75
"""Preformatted text with more words than this among what stands between spaces was typed to be read; code has half."""

_ITEMS, _CELLS = frozenset({"li", "dt", "dd"}), frozenset({"td", "th"})
_PARTS = HEADINGS | frozenset({"blockquote", "dl", "ol", "pre", "table", "ul"})
_SPACES = re.compile(r"\s+")
_EMPTY_LINE = re.compile(r"\n\s*\n")
_LABEL = re.compile(r"\s*(?:\(?(?:\d{1,4}|[a-zA-Z]|[ivxIVX]{1,6})[).:]|\[\w{1,10}\]|\d{1,4}|[*†‡•·▪–-])\s*")
_WORD = re.compile(r"[(\"'“‘]?[^\W\d_]+(?:[-'’][^\W\d_]+)*[.,;:!?)\"'”’]*")
_TEX_STYLE = re.compile(r"\{\\(?:display|text)style (.*)\}", re.S)
_UNSEEN = {**dict.fromkeys((*range(9), *range(11, 32), *range(127, 161)), " "), 0xAD: "", 0x200B: "", 0xFEFF: ""}
_SUBSET = re.compile(r"\A(\s*(?:<\?[^>]*>\s*)?<!DOCTYPE[^\[>]*)\[.*?\]\s*>", re.S | re.I)
_ENCODING = re.compile(rb"<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.I)
_CODECS = re.compile(r"cp\d+|iso8859-\d+|koi8-[rut]|mac-\w+|euc_jp|gb18030|big5|iso2022_(?:jp|kr)")
_WIDER = {"iso8859-1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949"}
_AUTHORS = "author article:author dc.creator dcterms.creator citation_author".split()
_DATES = "article:published_time date dc.date dcterms.date dcterms.created citation_publication_date pubdate".split()


def read_html(source: Source) -> Extracted:
    """The text of a web page without its menus and what else stands around it."""
    return html_extracted(source.data, source.name, has_menus=True)


def html_extracted(markup: str | bytes, name: str, *, has_menus: bool = False) -> Extracted:
    """The paragraphs of a piece of HTML, however broken; pages of web sites have menus, which are left out.

    Raises:
        DocumentError: It is no text, or far too large; `name` is what it is called.
    """
    text = _decoded(markup, name) if isinstance(markup, bytes) else markup
    if text.count("<") > MAX_TAGS:
        raise DocumentError(f"{name} is too large: it has more than {MAX_TAGS:,} tags. Split it into parts.")
    text = _SUBSET.sub(r"\1>", text).replace("<![CDATA[", "").replace("]]>", "")
    return _Walk(page_of(text, has_menus=has_menus)).extracted()


def _decoded(data: bytes, name: str) -> str:
    """The text of a page: in the encoding that it says unless it is UTF-8 all the same, else in the likeliest."""
    said = _ENCODING.search(data[:4096])
    with suppress(LookupError, UnicodeDecodeError):
        codec = codecs.lookup(said[1].decode("ascii")).name if said else ""
        codec = _WIDER.get(codec, codec)
        is_other = codec.startswith("iso2022") or "\ufffd" in data.decode(errors="replace")
        if is_other and _CODECS.fullmatch(codec):
            return data.decode(codec)
    return decode(data, name)


def _fields(page: Page) -> dict[object, object]:
    """What a page says of itself."""
    said = defaultdict[str, list[str]](list)
    for element in (one for at, one in enumerate(page.tokens) if isinstance(one, Element) and one.start == at):
        attributes = element.attributes
        if element.tag == "meta":
            name = element.get("name") or element.get("property") or element.get("http-equiv")
            said[name].append(flat(attributes.get("content", "")))
        elif element.tag == "title":
            said["title"].append(_string(page, element))
        elif element.tag == "html":
            said["lang"] += [attributes.get("lang", ""), attributes.get("xml:lang", "")]
        elif element.tag == "time" and ("pubdate" in attributes or element.get("itemprop") == "datepublished"):
            said["pubdate"].append(attributes.get("datetime", ""))
    return {
        "title": next(filter(None, said["title"] + said["og:title"]), ""),
        "author": [value for name in _AUTHORS for value in said[name] if "://" not in value],
        "date": next((value for name in _DATES for value in said[name] if value), ""),
        "language": next(filter(None, said["lang"] + said["content-language"]), ""),
        "tags": said["keywords"] + said["article:tag"],
    }


def _string(page: Page, element: Element) -> str:
    return flat("".join(token for token in page.tokens[element.start : element.end] if isinstance(token, str)))


class _Table:
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


def _is_data(page: Page, table: Element) -> bool:
    """Whether a table has rows of cells rather than arranging text on the page."""
    size = longest = filled = widest = 0
    has_names = False
    for place, token in page.visible(table.start + 1, table.end):
        if isinstance(token, str):
            size += len(token.strip())
        elif token.tag in HEADINGS or token.tag == "table" or (token.tag in _PARTS and not has_names):
            return False
        elif token.tag in _CELLS and token.start != place:
            filled, longest, size = filled + (size > 0), max(longest, size), 0
            widest = max(widest, filled)
        elif token.tag in _CELLS:
            size, has_names = 0, has_names or token.tag == "th"
        elif token.tag == "tr":
            filled = 0
    is_short = longest <= MAX_CELL_CHARS * (4 if has_names else 1)
    return widest > 1 and is_short and table.get("role") not in ("presentation", "none")


class _Walk:
    """One pass over a page, collecting paragraphs."""

    def __init__(self, page: Page) -> None:
        self.page, self.builder, self.outline = page, Builder(), Outline()
        self.builder.facts += facts_of(_fields(page))
        self.parts: list[str] = []  # of the present paragraph
        self.held: Element | None = None  # a heading, term or cell: one paragraph whatever is in it
        self.table: _Table | None = None
        self.items = self.raw = 0  # how many list items and preformatted blocks are open
        self.is_term = False  # whether a definition may go on in the paragraph of its term

    def extracted(self) -> Extracted:
        """The paragraphs of the page."""
        for place, token in self.page.visible(self.page.first, self.page.last):
            if isinstance(token, str):
                self.parts.append(token if self.raw and not self.held else _SPACES.sub(" ", token))
                self.is_term = self.is_term and token.isspace()
            elif token.start != place:
                self._close(token)
            elif token.tag == "math" and (formula := self._formula(token)):
                self.parts.append(formula)
                self.page.dropped.add(place)
            else:
                self._open(token)
        self._flush()
        return self.builder.extracted()

    def _formula(self, math: Element) -> str:
        """A formula in TeX, if it is there in TeX, too."""
        inside = self.page.tokens[math.start : min(math.end, math.start + 5_000)]
        notes = [token for token in inside if isinstance(token, Element) and "tex" in token.get("encoding")]
        return _TEX_STYLE.sub(r"\1", _string(self.page, notes[0]) if notes else math.attributes.get("alttext", ""))

    def _open(self, element: Element) -> None:
        tag = element.tag
        if tag in BLOCKS:
            self._border(tag, begins=True)
        self.items += tag in _ITEMS
        self.raw += tag == "pre"
        if tag in HEADINGS or tag == "dt" or (tag in _CELLS and self.table):
            self.held = element
        elif tag == "table" and _is_data(self.page, element):
            self.table = _Table()
        elif tag == "thead" and self.table:
            self.table.is_head = True
        elif tag == "sup" and self.parts and self.parts[-1][-1:].isdecimal():  # a power, or a reference to a note
            inside = self.page.tokens[element.start + 1 : element.start + 3]
            self.parts += ["^" for token in inside if isinstance(token, str) and token[:1].isdecimal()][:1]
        elif tag == "br":
            self.parts.append(" " if self.held else "\n")

    def _close(self, element: Element) -> None:
        tag, table = element.tag, self.table
        if element is self.held:
            self._release(element)
        elif tag in BLOCKS:
            self._border(tag, begins=False)
        self.items -= tag in _ITEMS
        self.raw -= tag == "pre"
        if table and tag in ("tr", "thead", "table"):
            table.end_row(self.builder, self.outline.path)
            table.is_head = table.is_head and tag == "tr"
            if tag == "table":
                table.end(self.builder, self.outline.path)
                self.table = None

    def _border(self, tag: str, *, begins: bool) -> None:
        """Ends the paragraph where a block begins or ends, unless it is one with what follows: a term, or a number."""
        if self.held and (self.held.tag in _CELLS or tag not in _PARTS):
            self.parts.append(", " if tag == "li" and begins and any(map(str.strip, self.parts[-4:])) else " ")
            return
        if self.held:
            self._release(self.held)
        is_term = self.is_term and len(self.parts[0]) <= MAX_CELL_CHARS
        is_label = begins and len(self.parts) < 6 and bool(_LABEL.fullmatch("".join(self.parts)))
        if self.raw and tag != "pre" and tag not in HEADINGS:
            self.parts.append("" if begins else "\n")
        elif tag not in ("dd", "div", "dt", "p") or not (is_term or is_label):
            self._flush()
        else:
            self.parts.append(" ")

    def _release(self, element: Element) -> None:
        """Ends a heading, a term or a cell."""
        text = tidy("".join(self.parts))
        self.held, self.parts = None, []
        if element.tag in _CELLS and self.table:
            self.table.add(element, flat(text).replace(" , ", ", "))
        elif element.tag in HEADINGS and text:
            self.builder.add(flat(text), "heading", headings=self.outline.enter(int(element.tag[1]), text))
        elif text:
            self.parts, self.is_term = [text, "\n"], True

    def _flush(self) -> None:
        text, path, is_term = "".join(self.parts), self.outline.path, self.is_term
        self.parts, self.is_term = [], False
        if self.raw:
            text = dedent(text.translate(_UNSEEN)).strip("\n")
            words = text.split()
            is_typed = "\n\n" in text and sum(map(bool, map(_WORD.fullmatch, words))) > MIN_WORD_SHARE * len(words)
            for span in text_spans(text) if is_typed else [Span(0, len(text), "code")]:
                self.builder.add(text[span.start : span.end], span.kind, headings=path)
            return
        for part in text.split("\n") if is_term else _EMPTY_LINE.split(text):  # terms that nothing defines
            self.builder.add(tidy(part), "list" if self.items or is_term else "prose", headings=path)
