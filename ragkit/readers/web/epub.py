"""A book in EPUB enters, its chapters leave in the order in which they are read, each paragraph with its chapter.

The package file of a book lists its files and says which of them are read in what order; each of these is a page.
Called through `ragkit.readers`.
"""

import posixpath
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ragkit.errors import DocumentError
from ragkit.readers.decoding import decode
from ragkit.readers.extraction import Builder, Extracted, Source
from ragkit.readers.front_matter import facts_of
from ragkit.readers.packages import XML_OPTIONS, Package, attribute, local_name, open_package
from ragkit.readers.tidying import flat
from ragkit.readers.web.boilerplate import page_of
from ragkit.readers.web.html import html_extracted
from ragkit.readers.web.pages import Element

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_LIST_BYTES = 8 * 1024 * 1024
"""The package file of an encyclopedia with ten thousand articles and pictures has two million bytes."""

MAX_COVER_CHARS = 300
"""A cover has a title and an author on it; what is named a cover and says more is none."""

MIN_CONTENTS, MAX_BESIDES = 4, 2
"""A page with so many titles of chapters, and no more than so many other paragraphs, is a table of contents."""

MAX_FIELDS = 10_000
"""A book says a hundred things of itself at most."""

_CONTAINER = "META-INF/container.xml"
_PAGES = ("application/xhtml+xml", "text/html", "text/x-oeb1-document")
_PAGE_SUFFIXES = (".xhtml", ".html", ".htm", ".xml")


@dataclass(frozen=True, slots=True)
class _Book:
    """What the package file says.

    Attributes:
        fields: Of the book itself.
        chapters: The names of the parts to read, in order.
        covers: Those that are said to be the cover.
        contents: Those with the titles of the chapters, for programs.
    """

    fields: dict[object, object]
    chapters: tuple[str, ...]
    covers: frozenset[str]
    contents: tuple[str, ...]


def read_epub(source: Source) -> Extracted:
    """The chapters of a book without its cover and table of contents; what is read apart from the rest comes last.

    Raises:
        DocumentError: It is no such book, damaged, protected, or has not one chapter that can be read.
    """
    package = open_package(source, "EPUB book", ".epub")
    book = _book(package)
    builder, failures, number = Builder(), list[str](), 0
    builder.facts += facts_of(book.fields)
    titles = _titles(package, book)
    listed = frozenset(titles.values())
    for part in book.chapters:
        try:
            page = _page(package, part)
        except DocumentError:
            if source.budget.bytes < 0:
                raise
            failures.append(part)
            continue
        if page.spans and not _is_cover(page, part, book) and not _is_contents(page, listed):
            number += 1
            has_heading = any(span.kind == "heading" for span in page.spans)
            headings = (titles[part],) if part in titles and not has_heading else ()
            builder.include(page, headings=headings, place=f"chapter {number}")
    if len(failures) == len(book.chapters):
        raise DocumentError(
            f"{source.name} has not one chapter that can be read. Check that it opens in a book reader."
        )
    if failures:
        share = f"{len(failures)} of {len(book.chapters)}"
        builder.warnings.append(f"has chapters that cannot be read ({share}), such as {_shown(failures[0])}")
    return builder.extracted()


def _book(package: Package) -> _Book:
    """What the package file of a book says, if its chapters can be read."""
    container = _xml(package, _CONTAINER)
    named = (_part("", attribute(element, "full-path")) for element in _all(container, "rootfile"))
    list_part = next(filter(package.has, named), "")
    root = _xml(package, list_part)
    if root is None:
        missing = _CONTAINER if container is None else "the list of its files"
        raise DocumentError(f"{package.name} is no EPUB book: it lacks {missing}. Check what it is.")
    folder = posixpath.dirname(list_part)
    items = {attribute(item, "id"): item for item in _all(root, "item")}
    parts = {key: _part(folder, attribute(item, "href")) for key, item in items.items()}
    is_contents = {
        key: "nav" in attribute(item, "properties").split() or "ncx" in attribute(item, "media-type")
        for key, item in items.items()
    }
    spine = [(attribute(ref, "linear") == "no", attribute(ref, "idref")) for ref in _all(root, "itemref")]
    keys = [key for _, key in sorted(spine, key=lambda one: one[0]) if key in items] or list(items)
    pages = [key for key in keys if not is_contents[key] and _is_page(items[key], parts[key])]
    chapters = tuple(dict.fromkeys(parts[key] for key in pages))
    if not set(chapters).isdisjoint(_encrypted(package)):
        raise DocumentError(f"{package.name} is protected against copying. Leave it out.")
    covers = (one for one in _all(root, "reference") if "cover" in attribute(one, "type").lower())
    return _Book(
        _fields(root),
        chapters,
        frozenset(_part(folder, attribute(one, "href")) for one in covers),
        tuple(parts[key] for key in items if is_contents[key]),
    )


def _xml(package: Package, part: str) -> "_Element | None":
    """The root of a part, as far as it can be made out; None if there is nothing."""
    from lxml import etree

    data = package.read(part)
    if len(data) > MAX_LIST_BYTES:
        raise DocumentError(f"{package.name} is too large: its part {_shown(part)} has {len(data):,} bytes. Split it.")
    parser = etree.XMLParser(**XML_OPTIONS, recover=True, remove_comments=True, remove_pis=True)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        return None


def _all(root: "_Element | None", name: str) -> "Iterator[_Element]":
    """All elements of a name, at whatever depth."""
    if root is not None:
        yield from (element for element in root.iter() if local_name(element).rpartition(":")[2] == name)


def _part(folder: str, reference: str) -> str:
    """The name of the part that a reference leads to; never one outside of the book."""
    path = unquote(reference.partition("#")[0]).replace("\\", "/")
    return posixpath.normpath(posixpath.join("/", folder, path)).lstrip("/").lower()


def _shown(part: str) -> str:
    return (part if part.isprintable() else ascii(part))[:80]


def _is_page(item: "_Element", part: str) -> bool:
    kind = attribute(item, "media-type").lower()
    return kind in _PAGES or (part.endswith(_PAGE_SUFFIXES) and not kind.startswith("image/"))


def _encrypted(package: Package) -> set[str]:
    """The parts that are not what they were; fonts may be, in any book."""
    root = _xml(package, "META-INF/encryption.xml")
    return {_part("", attribute(element, "URI")) for element in _all(root, "CipherReference")}


def _fields(root: "_Element") -> dict[object, object]:
    """What a book says of itself."""
    said = defaultdict[str, list[str]](list)
    metadata = next(_all(root, "metadata"), None)
    for element in islice(() if metadata is None else metadata.iter(), MAX_FIELDS):
        if attribute(element, "event") not in ("modification", "creation"):
            said[local_name(element).rpartition(":")[2].lower()].append(flat(element.text or ""))
    return {
        "title": said["title"][:1],
        "author": said["creator"],
        "date": said["date"][:1],
        "language": said["language"][:1],
        "tags": said["subject"],
    }


def _titles(package: Package, book: _Book) -> dict[str, str]:
    """The titles of the chapters by their parts, from the table of contents for programs."""
    titles: dict[str, str] = {}
    for contents in book.contents:
        try:
            page = page_of(decode(package.read(contents), package.name), has_menus=False)
        except DocumentError:
            continue  # the book can be read without
        title, folder = "", posixpath.dirname(contents)
        for place, token in enumerate(page.tokens):
            if not isinstance(token, Element) or token.start != place:
                continue
            if token.tag in ("a", "text"):
                title = flat("".join(one for one in page.tokens[place : token.end] if isinstance(one, str)))
            target = token.attributes.get("href" if token.tag == "a" else "src", "")
            if title and target and token.tag in ("a", "content"):
                titles.setdefault(_part(folder, target), title)
    return titles


def _page(package: Package, part: str) -> Extracted:
    data = package.read(part)
    if not data:
        raise package.damaged(part)
    return html_extracted(data, package.name)


def _is_cover(page: Extracted, part: str, book: _Book) -> bool:
    return part in book.covers and len(page.text) <= MAX_COVER_CHARS


def _is_contents(page: Extracted, titles: frozenset[str]) -> bool:
    """Whether a page but lists the chapters."""
    listed = sum(page.text[span.start : span.end] in titles for span in page.spans)
    return listed >= MIN_CONTENTS and len(page.spans) - listed <= MAX_BESIDES
