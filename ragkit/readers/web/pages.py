"""The markup of a page enters, a flat list of its tokens leaves, in which each element knows where it begins and ends.

So nothing recurses, however deep a page nests. Called by `boilerplate`, which says what of it is text.
"""

import re
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_NESTING = 1_000
"""Where elements nest deeper (tags that nobody closed, mostly), the parser would take too long over closing them."""

MOST = 0.5
"""A part is most of the page with at least this share of its text, and links are most of a menu."""

SMALL_SHARE = 0.2
"""A footer or an aside that holds more than this share of a page is rather a part of its text."""

MAX_BAR_CHARS = 300
"""Bars with links to the previous and next page, or with the path to this one, say but the name of the page besides."""

_CHUNK_BYTES = 64 * 1024
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
BLOCKS = HEADINGS | frozenset(
    """address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure
    footer form frameset header hgroup hr html legend li main menu nav ol p pre search section summary table tbody td
    tfoot th thead tr ul""".split()
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|_")
_SCRIPT = re.compile(r"<(script|style)\b(?:[^<]++|<(?!/\1))*+", re.I)
_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)[^<>]*>")
_ANY_TAG = re.compile(r"<(?!br>)")


@dataclass(slots=True, eq=False)
class Element:
    """An element of a page: it stands in the list of tokens where it begins (`start`) and again where it ends."""

    tag: str
    attributes: Mapping[str, str]
    start: int
    end: int = 0

    def get(self, name: str) -> str:
        """An attribute in lower case; empty if it is missing."""
        return self.attributes.get(name, "").strip().lower()

    @property
    def names(self) -> str:
        """Its class and id, in lower case and with hyphens between words."""
        names = f"{self.attributes.get('class', '')} {self.attributes.get('id', '')}"
        return _CAMEL.sub("-", names[:MAX_BAR_CHARS]).lower().strip()


Token = Element | str


class Page:
    """The tokens of a page, as lxml's parser reports them, and which of them are its text.

    Attributes:
        tokens: All of them.
        dropped: Where the elements begin that are no text.
        first: Where the text begins; it ends before `last`.
        is_too_deep: Whether the tokens are not all.
    """

    def __init__(self) -> None:
        self.tokens: list[Token] = []
        self.dropped: set[int] = set()
        self.first, self.last = 0, 0
        self.is_too_deep = False
        self._open: list[Element] = []
        self._sums: tuple[array[int], ...] = ()  # before each token: characters, those in links, and the links

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        self.is_too_deep |= len(self._open) >= MAX_NESTING
        element = Element(tag.rpartition(":")[2].lower(), dict(attributes) if attributes else {}, len(self.tokens))
        self._open.append(element)
        self.tokens.append(element)

    def end(self, _tag: str) -> None:
        """The element ends that began last."""
        self._open[-1].end = len(self.tokens)
        self.tokens.append(self._open.pop())

    def data(self, text: str) -> None:
        """Text stands here."""
        self.tokens.append(text)

    def close(self) -> None:
        """Nothing more comes."""
        self.last = len(self.tokens)

    def visible(self, first: int, last: int) -> Iterator[tuple[int, Token]]:
        """The tokens between two places; what is dropped when it is given out is not gone into."""
        place = first
        while place < last:
            token = self.tokens[place]
            if place not in self.dropped:
                yield place, token
            place = token.end + 1 if isinstance(token, Element) and place in self.dropped else place + 1

    def elements(self) -> Iterator[Element]:
        """Those that are not dropped, where they begin."""
        for place, token in self.visible(0, len(self.tokens)):
            if isinstance(token, Element) and token.start == place:
                yield token

    def measure(self) -> int:
        """Counts the characters of what is not dropped, without spaces."""
        chars_at, linked_at, links_at = self._sums = array("q", [0]), array("q", [0]), array("q", [0])
        chars = linked = links = depth = behind = 0
        for place, token in enumerate(self.tokens):
            if isinstance(token, str):
                size = sum(map(len, token.split())) if place >= behind else 0
                chars, linked = chars + size, linked + size * (depth > 0)
            elif place in self.dropped:
                behind = max(behind, token.end + 1)
            elif token.tag == "a" and "href" in token.attributes and place >= behind:
                begins = token.start == place
                depth, links = depth + (1 if begins else -1), links + begins
            chars_at.append(chars)
            linked_at.append(linked)
            links_at.append(links)
        return chars

    def size(self, element: Element, column: int = 0) -> int:
        """How many characters, characters in links (1) or links (2) are in an element."""
        return self._sums[column][element.end] - self._sums[column][element.start]

    def is_linked(self, element: Element) -> bool:
        """Whether it is several links, and not much besides."""
        return self.size(element, 2) > 1 and self.size(element, 1) >= MOST * self.size(element)

    def is_small(self, element: Element) -> bool:
        """Whether it is little of the page."""
        return self.size(element) <= SMALL_SHARE * self._sums[0][-1]


def parse_page(markup: str) -> Page:
    """The tokens of a page; where it nests too deep, its text in lines and paragraphs without any other structure."""
    page = _parsed(markup)
    if page.is_too_deep:
        unnested = _TAG.sub(_unnested, _SCRIPT.sub("", markup))
        page = _parsed(unnested)
        if page.is_too_deep:  # what is no tag, such as `<p<q>`, nests as well
            page = _parsed(_ANY_TAG.sub(" ", unnested))
    return page


def _unnested(tag: re.Match[str]) -> str:
    name = tag[1].lower()
    return "<br><br>" if name in BLOCKS else tag[0] if name in ("br", "meta", "title") else ""


def _parsed(markup: str) -> Page:
    from lxml import etree

    # lxml's own trees end where 2,048 elements are nested, and it takes hours to give one a million attributes. HTML
    # has no entities of its own, and nothing is fetched for it.
    target: Any = (page := Page())
    parser = etree.HTMLParser(target=target, encoding="utf-8", no_network=True, huge_tree=True)
    data = markup.encode("utf-8", "replace")
    for start in range(0, len(data), _CHUNK_BYTES):
        parser.feed(data[start : start + _CHUNK_BYTES])
        if page.is_too_deep:
            return page
    try:
        parser.close()
    except etree.XMLSyntaxError:  # there is not one character in it
        page = Page()
    return page
