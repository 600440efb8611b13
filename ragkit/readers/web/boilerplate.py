"""The markup of a page enters; its tokens leave, and which of them are its text: nothing hidden, no menus.

What is left out is told by rules that rather keep a menu than lose a paragraph. Called by `html` and `epub`.
"""

import re

from ragkit.readers.web.pages import HEADINGS, MAX_BAR_CHARS, MOST, Element, Page, parse_page

MIN_KEPT_SHARE = 1 / 3
"""Where the rules would leave less than this of a page, they are mistaken, and all of it is kept."""

MIN_MENU_LINKS, MAX_MENU_LINK_CHARS = 4, 20
"""Fewer links may be a sentence; longer ones, on average, are a list of works or chapters rather than a menu."""

_ONLY_IF_EMPTY = frozenset({"noscript"})
_NO_TEXT = _ONLY_IF_EMPTY | frozenset(
    """script style template noframes svg canvas video audio iframe embed applet input select textarea option datalist
    progress meter title rt rp""".split()
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


def page_of(markup: str, *, has_menus: bool) -> Page:
    """The tokens of a page and what of them is text; only the page of a web site has menus to leave out."""
    page = parse_page(markup)
    _drop_hidden(page, _NO_TEXT)
    seen = page.measure()
    if not seen:
        _drop_hidden(page, _NO_TEXT - _ONLY_IF_EMPTY)
    elif has_menus:
        _drop_menus(page, seen)
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
