"""The markup of a page enters; its tokens leave, and which of them are its text: nothing hidden, no menus.

A page is a flat list in which each element knows where it begins and ends, so that nothing recurses, however deep it
nests. What is left out is told by rules that rather keep a menu than lose a paragraph. Called by `html`.
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

MIN_KEPT_SHARE = 1 / 3
"""Where the rules would leave less than this of a page, they are mistaken, and all of it is kept."""

SMALL_SHARE = 0.2
"""A footer or an aside that holds more than this share of a page is rather a part of its text."""

MIN_MENU_LINKS, MAX_MENU_LINK_CHARS = 4, 20
"""Fewer links may be a sentence; longer ones, on average, are a list of works or chapters rather than a menu."""

MAX_BAR_CHARS = 300
"""Bars with links to the previous and next page, or with the path to this one, say but the name of the page besides."""

_CHUNK_BYTES = 64 * 1024
_ONLY_IF_EMPTY = frozenset({"noscript"})
_NO_TEXT = _ONLY_IF_EMPTY | frozenset(
    """script style template noframes svg canvas video audio iframe embed applet input select textarea option datalist
    progress meter title rt rp""".split()
)
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
BLOCKS = HEADINGS | frozenset(
    """address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure
    footer form frameset header hgroup hr html legend li main menu nav ol p pre search section summary table tbody td
    tfoot th thead tr ul""".split()
)
_SECTIONS = frozenset({"article", "aside", "blockquote", "details", "figure", "header", "main", "section"})
_FLOW = HEADINGS | frozenset({"p", "pre", "ul", "ol", "dl", "table", "blockquote", "figure"})
_BOXES = frozenset({"div", "dl", "form", "ol", "p", "table", "td", "ul"})
_FRAME_ROLES = frozenset({"navigation", "search", "menu", "menubar", "toolbar", "alertdialog"})
_BAR = re.compile(r"\b(?:banner|breadcrumbs?|(?:doc|top)?nav(?:bar|footer|header|igation)?|pager|pagination|skip)\b")
_LINK_LIST = re.compile(r"\b(?:menu|related|shar(?:e|ing)|sidebar|social)\b")
_CONSENT = re.compile(r"\bcookies?-?(?:banner|bar|bot|consent|law|message|modal|notice|popup)|\b(?:gdpr|onetrust)")
_FOOTER = re.compile(r"\bfooter\b")
_SIGNS = frozenset("header-anchor headerlink line-numbers lineno linenos link-target mw-editsection permalink".split())
_HIDING = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all)", re.I)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|_")
_SCRIPT = re.compile(r"<(script|style)\b(?:[^<]++|<(?!/\1))*+", re.I)
_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)[^<>]*>")


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


def page_of(markup: str, *, has_menus: bool) -> Page:
    """The tokens of a page and what of them is text; only the page of a web site has menus to leave out."""
    page = _parsed(markup)
    if page.is_too_deep:
        page = _parsed(_TAG.sub(_unnested, _SCRIPT.sub("", markup)))
    _drop_hidden(page, _NO_TEXT)
    seen = page.measure()
    if not seen:
        _drop_hidden(page, _NO_TEXT - _ONLY_IF_EMPTY)
    elif has_menus:
        _drop_menus(page, seen)
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


def _drop_hidden(page: Page, no_text: frozenset[str]) -> None:
    """Leaves out what nobody sees; a hidden part that is most of a page is shown by a script later on."""
    page.dropped = set()
    page.dropped |= {element.start for element in page.elements() if element.tag in no_text}
    seen = page.measure()
    for element in page.elements():
        is_sign = bool(_SIGNS & set(element.get("class").split()))  # to click on, or the number of a line
        is_control = element.tag == "button" and _neighbour(page, element.start, -1) not in HEADINGS  # which it folds
        if is_sign or is_control or (_is_hidden(page, element) and page.size(element) <= MOST * seen):
            page.dropped.add(element.start)


def _is_hidden(page: Page, element: Element) -> bool:
    if "hidden" in element.attributes or element.get("aria-hidden") == "true":
        return element.get("hidden") != "until-found"
    if not _HIDING.search(element.attributes.get("style", "")):
        return False
    inside = page.tokens[element.start : element.start + 4]
    return not any(isinstance(token, Element) and token.tag == "math" for token in inside)  # hidden behind its picture


def _drop_menus(page: Page, seen: int) -> None:
    """Confines a page to its main part or, if none is marked, leaves out what looks like menus, in two steps."""
    hidden = set(page.dropped)
    _drop_frame(page)
    kept = page.measure()
    mains = [element for element in page.elements() if "main" in (element.tag, element.get("role"))]
    articles = [element for element in page.elements() if "article" in (element.tag, element.get("role"))]
    if articles and articles[-1].start < articles[0].end:  # there is but one, whatever is in it
        mains = mains or articles[:1]
    main = max(mains, key=page.size, default=None)
    if main and page.size(main) >= MOST * kept > 0:
        page.first, page.last = main.start, main.end + 1
    elif kept < MIN_KEPT_SHARE * seen:
        page.dropped = hidden
    else:
        frame = set(page.dropped)
        page.dropped |= {element.start for element in page.elements() if _is_menu(page, element)}
        if page.measure() < MIN_KEPT_SHARE * seen:
            page.dropped = frame


def _is_menu(page: Page, element: Element) -> bool:
    links = page.size(element, 2)
    is_short = links >= MIN_MENU_LINKS and page.size(element) <= MAX_MENU_LINK_CHARS * links
    return element.tag in _BOXES and is_short and page.is_small(element) and page.is_linked(element)


def _neighbour(page: Page, place: int, step: int) -> str:
    """The tag of what begins or ends right before or behind a place."""
    near = page.tokens[max(place + 2 * step, 0) : place][::-1] if step < 0 else page.tokens[place + 1 : place + 3]
    found = [token for token in near if isinstance(token, Element) or not token.isspace()][:1]
    return "".join(token.tag for token in found if isinstance(token, Element))


def _drop_frame(page: Page) -> None:
    """Leaves out what is marked as navigation, or as head or foot of the page, or has a name like that."""
    sections = 0
    for place, token in page.visible(0, len(page.tokens)):
        if isinstance(token, str):
            continue
        step = token.tag in _SECTIONS or token.get("role") in ("banner", "main")
        if token.start != place:
            sections -= step
        elif _is_frame(page, token, is_top=not sections):
            page.dropped.add(place)
        else:
            sections += step


def _is_frame(page: Page, element: Element, *, is_top: bool) -> bool:
    tag, role = element.tag, element.get("role")
    if tag == "nav" or role in _FRAME_ROLES:
        return True
    if tag == "header" or role == "banner":
        return is_top and page.is_small(element) and not _has_title(page, element)
    if tag == "footer" or role == "contentinfo":
        return page.is_linked(element) or (is_top and page.is_small(element))
    if tag == "aside" or role == "complementary":
        is_in_flow = bool(_FLOW & {_neighbour(page, element.start, -1), _neighbour(page, element.end, 1)})
        return page.is_linked(element) or (is_top and page.is_small(element) and not is_in_flow)
    return tag in _BOXES and bool(element.names) and _has_name_of_frame(page, element, is_top=is_top)


def _has_title(page: Page, element: Element) -> bool:
    """Whether a heading in it names the page; one that is a link names the site."""
    inside = page.tokens[element.start : element.end]
    return any(isinstance(token, Element) and token.tag == "h1" and not page.size(token, 2) for token in inside)


def _has_name_of_frame(page: Page, element: Element, *, is_top: bool) -> bool:
    names, is_short = element.names, page.size(element) <= MAX_BAR_CHARS
    is_bar = bool(_BAR.search(names)) and not (is_short and _has_title(page, element))
    is_linked = page.is_linked(element) or (is_bar and is_short and page.size(element, 2) > 0)
    is_footer = is_top and is_short and bool(_FOOTER.search(names))
    is_notice = page.is_small(element) and (is_footer or bool(_CONSENT.search(names)))
    return is_notice or (is_linked and (is_bar or bool(_LINK_LIST.search(names))))
