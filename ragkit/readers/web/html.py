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
from ragkit.readers.spans import Span
from ragkit.readers.text import text_spans
from ragkit.readers.tidying import flat, tidy
from ragkit.readers.web.boilerplate import page_of
from ragkit.readers.web.pages import BLOCKS, HEADINGS, Element, Page
from ragkit.readers.web.tables import CELLS, MAX_CELL_CHARS, PARTS, Table, is_data

MAX_TAGS = 2_000_000
"""Each takes some 300 bytes of memory; the longest pages that people read have a few hundred thousand."""

MIN_WORD_SHARE = 0.75
"""Preformatted text with more words than this among what stands between spaces was typed to be read; code has half."""

_ITEMS = frozenset({"li", "dt", "dd"})
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


class _Walk:
    """One pass over a page, collecting paragraphs."""

    def __init__(self, page: Page) -> None:
        self.page, self.builder, self.outline = page, Builder(), Outline()
        self.builder.facts += facts_of(_fields(page))
        self.parts: list[str] = []  # of the present paragraph
        self.held: Element | None = None  # a heading, term or cell: one paragraph whatever is in it
        self.table: Table | None = None
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
        if tag in HEADINGS or tag == "dt" or (tag in CELLS and self.table):
            self.held = element
        elif tag == "table" and is_data(self.page, element):
            self.table = Table()
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
        if self.held and (self.held.tag in CELLS or tag not in PARTS):
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
        if element.tag in CELLS and self.table:
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
