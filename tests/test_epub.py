import struct
import zipfile
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragkit.errors import DocumentError
from ragkit.readers.extraction import Budget, Extracted, Source
from ragkit.readers.web import epub
from ragkit.readers.web.epub import read_epub

CONTAINER = """<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
<rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""
METADATA = """<dc:title>The  talks</dc:title><dc:creator>Ann Lee</dc:creator><dc:creator>Bo Ek</dc:creator>
<dc:date opf:event="modification">2026-07-01</dc:date><dc:date>2026-06-01T10:00:00Z</dc:date>
<dc:language>de</dc:language><dc:subject>Peace</dc:subject><dc:subject>Geneva</dc:subject>"""
CHAPTERS = {"a.xhtml": "<h1>One</h1><p>First.</p>", "b.xhtml": "<h1>Two</h1><ul><li>Second.</li></ul>"}


def no_reader(source: Source) -> Extracted:
    raise AssertionError(f"{source.name}: nothing lies inside a book but its chapters")


def package_file(items: str, spine: str, more: str = "") -> str:
    return (
        '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" xmlns:opf="http://www.idpf.org/2007/opf" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>{METADATA}</metadata><manifest>{items}</manifest>'
        f"<spine>{spine}</spine>{more}</package>"
    )


def listed(chapters: dict[str, str], items: str = "", more: str = "") -> str:
    """The package file of a book with these chapters in this order."""
    pages = "".join(
        f'<item id="{name}" href="{name}" media-type="application/xhtml+xml"/>' for name in sorted(chapters)
    )
    return package_file(pages + items, "".join(f'<itemref idref="{name}"/>' for name in chapters), more)


def packed(members: dict[str, str | bytes]) -> bytes:
    data = BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


def xhtml(body: str) -> str:
    return f'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><title/><body>{body}</body></html>'


def book(chapters: dict[str, str], opf: str | None = None, **more: str | bytes) -> bytes:
    """A book; the names of further members have `__` for a slash and `_` for a dot."""
    members: dict[str, str | bytes] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "OEBPS/book.opf": listed(chapters) if opf is None else opf,
        **{f"OEBPS/{name}": xhtml(body) for name, body in chapters.items()},
        **{name.replace("__", "/").replace("_", "."): content for name, content in more.items()},
    }
    return packed(members)


def read(data: bytes, budget: Budget | None = None) -> Extracted:
    return read_epub(Source("book.epub", data, no_reader, budget or Budget()))


def paragraphs(data: bytes) -> list[tuple[str, str]]:
    """Place and text of the paragraphs of a book."""
    found = read(data)
    return [(span.place, found.text[span.start : span.end]) for span in found.spans]


def test_a_book_has_the_paragraphs_of_its_chapters():
    found = read(book(CHAPTERS))

    assert [(span.kind, span.headings, span.place, found.text[span.start : span.end]) for span in found.spans] == [
        ("heading", (), "chapter 1", "One"),
        ("prose", ("One",), "chapter 1", "First."),
        ("heading", (), "chapter 2", "Two"),
        ("list", ("Two",), "chapter 2", "Second."),
    ]
    assert found.warnings == ()


def test_a_book_says_what_it_is():
    assert [(fact.name, fact.value) for fact in read(book(CHAPTERS)).facts] == [
        ("title", "The talks"),
        ("author", "Ann Lee"),
        ("author", "Bo Ek"),
        ("date", "2026-06-01"),
        ("language", "de"),
        ("tag", "Peace"),
        ("tag", "Geneva"),
    ]


def test_chapters_come_in_the_order_in_which_they_are_read():
    chapters = {"z.xhtml": "<p>1</p>", "b.xhtml": "<p>2</p>", "m.xhtml": "<p>3</p>"}

    assert paragraphs(book(chapters)) == [("chapter 1", "1"), ("chapter 2", "2"), ("chapter 3", "3")]


def test_what_is_read_apart_from_the_rest_comes_last():
    opf = listed({"n.xhtml": "", **CHAPTERS}).replace('idref="n.xhtml"', 'idref="n.xhtml" linear="no"')

    found = paragraphs(book({**CHAPTERS, "n.xhtml": "<p>A note.</p>"}, opf))

    assert [text for _, text in found] == ["One", "First.", "Two", "Second.", "A note."]


def test_a_chapter_that_is_named_twice_is_read_once():
    opf = listed(CHAPTERS).replace("<spine>", '<spine><itemref idref="b.xhtml"/>' * 2, 1)

    assert [text for _, text in paragraphs(book(CHAPTERS, opf))] == ["Two", "Second.", "One", "First."]


def test_a_book_without_a_spine_is_read_in_the_order_of_its_list():
    opf = package_file(
        '<item id="1" href="a.xhtml" media-type="application/xhtml+xml"/><item id="2" href="b.xhtml"/>'
        '<item id="3" href="c.png" media-type="image/png"/>',
        "",
    )

    assert [text for _, text in paragraphs(book(CHAPTERS, opf))] == ["One", "First.", "Two", "Second."]


NAV = """<nav epub:type="toc"><h2>Contents</h2><ol><li><a href="a.xhtml">The beginning</a></li>
<li><a href="b.xhtml#x">The end</a></li></ol></nav>"""
NCX = """<?xml version="1.0"?><ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap><navPoint><navLabel>
<text>The beginning</text></navLabel><content src="a.xhtml"/></navPoint><navPoint><navLabel><text>The end</text>
</navLabel><content src="b.xhtml#x"/></navPoint></navMap></ncx>"""
NAV_ITEM = '<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>'
NCX_ITEM = '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'


@pytest.mark.parametrize(
    ("item", "more"),
    [
        pytest.param(NAV_ITEM, {"OEBPS__nav_xhtml": xhtml(NAV)}, id="nav"),
        pytest.param(NCX_ITEM, {"OEBPS__toc_ncx": NCX}, id="ncx"),
    ],
)
def test_the_table_of_contents_names_chapters_that_do_not_name_themselves(item, more):
    chapters = {"a.xhtml": "<p>First.</p>", "b.xhtml": "<h1>Two</h1><p>Second.</p>"}
    opf = listed(chapters, item).replace("<spine>", '<spine><itemref idref="nav"/>')

    found = read(book(chapters, opf, **more))

    assert [(span.headings, found.text[span.start : span.end]) for span in found.spans] == [
        (("The beginning",), "First."),
        ((), "Two"),
        (("Two",), "Second."),
    ]


def test_pages_that_only_list_the_chapters_are_left_out():
    chapters = {"toc.xhtml": "<h1>Contents</h1>" + "".join(f"<p>Part {n}</p>" for n in range(4)), **CHAPTERS}
    points = "".join(f'<a href="{n}.xhtml">Part {n}</a>' for n in range(4))

    found = paragraphs(book(chapters, listed(chapters, NAV_ITEM), OEBPS__nav_xhtml=xhtml(points)))

    assert found[0] == ("chapter 1", "One")


@pytest.mark.parametrize(("cover", "first"), [("<p>The talks</p>", "One"), (f"<p>{'Long. ' * 60}</p>", "Long.")])
def test_a_cover_is_left_out_unless_it_is_more(cover, first):
    chapters = {"cover.xhtml": cover, **CHAPTERS}
    guide = '<guide><reference type="cover" href="cover.xhtml"/></guide>'

    assert paragraphs(book(chapters, listed(chapters, more=guide)))[0][1].startswith(first)


def test_names_lead_nowhere_but_into_the_book():
    opf = package_file(
        '<item id="1" href="../../../../OEBPS/a%20b.xhtml#x" media-type="application/xhtml+xml"/>'
        '<item id="2" href="/etc/passwd" media-type="application/xhtml+xml"/>'
        '<item id="3" href="file:///etc/passwd" media-type="application/xhtml+xml"/>',
        '<itemref idref="1"/><itemref idref="2"/><itemref idref="3"/><itemref idref="4"/>',
    )

    found = read(book({"a b.xhtml": "<p>Inside.</p>"}, opf))

    assert found.text == "Inside."
    assert found.warnings == ("has chapters that cannot be read (2 of 3), such as etc/passwd",)


def test_a_chapter_that_is_missing_or_damaged_is_warned_of():
    chapters = {**CHAPTERS, "c.xhtml": "<p>Third.</p>"}
    data = packed(
        {
            "META-INF/container.xml": CONTAINER,
            "OEBPS/book.opf": listed(chapters),
            "OEBPS/a.xhtml": b"\x00\x01\x02\x03" * 100,
            "OEBPS/b.xhtml": xhtml(CHAPTERS["b.xhtml"]),
        }
    )

    found = read(data)

    assert found.text == "Two\n\nSecond."
    assert found.warnings == ("has chapters that cannot be read (2 of 3), such as oebps/a.xhtml",)


BOMB = '<!ENTITY e0 "ha">' + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 20))


def test_entities_that_a_chapter_defines_are_not_expanded():
    page = xhtml("<p>&e19; text</p>").replace("?>", f"?><!DOCTYPE html [{BOMB}]>", 1)

    assert (
        read(book({"b.xhtml": "<p>Second.</p>"}, listed(CHAPTERS), OEBPS__a_xhtml=page)).text == "&e19; text\n\nSecond."
    )


def test_entities_that_the_package_file_defines_are_not_expanded():
    subset = '<!DOCTYPE package [<!ENTITY who "Bo"><!ENTITY file SYSTEM "file:///etc/passwd">]>'
    opf = listed(CHAPTERS).replace("?>", f"?>{subset}", 1).replace("Ann Lee", "Ann &who;&file;")

    found = read(book(CHAPTERS, opf))

    assert found.text.startswith("One")
    assert [fact.value for fact in found.facts if fact.name == "author"] == ["Ann", "Bo Ek"]


def test_a_package_file_that_would_grow_without_end_is_not_read():
    opf = listed(CHAPTERS).replace("?>", f"?><!DOCTYPE package [{BOMB}]>", 1).replace("Ann Lee", "Ann &e19;")

    with pytest.raises(DocumentError, match=r"^book\.epub "):
        read(book(CHAPTERS, opf))


def with_size(data: bytes, name: str, size: int) -> bytes:
    """The same archive, in whose list a member has another size."""
    entry = data.rindex(name.encode()) - 46
    return data[: entry + 24] + struct.pack("<I", size) + data[entry + 28 :]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        pytest.param(5, "Two\n\nSecond.", id="too-small"),
        pytest.param(10**6, "One\n\nFirst.\n\nTwo\n\nSecond.", id="too-large"),
        pytest.param(2**31, "Two\n\nSecond.", id="larger-than-anything"),
    ],
)
def test_a_size_that_is_not_true_costs_no_more_than_its_chapter(size, expected):
    assert read(with_size(book(CHAPTERS), "OEBPS/a.xhtml", size)).text == expected


def test_no_more_is_unpacked_than_one_file_may_hold():
    data = book({**CHAPTERS, "c.xhtml": f"<p>{'abc ' * 500}</p>"})

    with pytest.raises(DocumentError, match=r"^book\.epub unpacks to more than "):
        read(data, Budget(bytes=2_500))


def test_a_chapter_that_shrinks_to_next_to_nothing_is_not_unpacked():
    found = read(book({**CHAPTERS, "c.xhtml": "<p>" + "a" * 20_000_000}))

    assert found.text == read(book(CHAPTERS)).text
    assert found.warnings == ("has chapters that cannot be read (1 of 3), such as oebps/c.xhtml",)


def encryption(part: str, algorithm: str) -> str:
    return (
        '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container" xmlns:enc="http://www.w3.org/2001/04/xmlenc#">'
        f'<enc:EncryptedData><enc:EncryptionMethod Algorithm="{algorithm}"/><enc:CipherData>'
        f'<enc:CipherReference URI="{part}"/></enc:CipherData></enc:EncryptedData></encryption>'
    )


def test_a_protected_book_is_refused():
    rights = {"META-INF__encryption_xml": encryption("OEBPS/a.xhtml", "http://www.w3.org/2001/04/xmlenc#aes128-cbc")}

    with pytest.raises(DocumentError, match=r"^book\.epub is protected against copying\. Leave it out\.$"):
        read(book(CHAPTERS, **rights))


def test_a_book_with_protected_fonts_is_read():
    fonts = {"META-INF__encryption_xml": encryption("OEBPS/font.otf", "http://www.idpf.org/2008/embedding")}

    assert read(book(CHAPTERS, **fonts)).text.startswith("One")


def test_an_encrypted_archive_is_refused():
    data = bytearray(book(CHAPTERS))
    for start in (at for at in range(len(data)) if data[at : at + 4] == b"PK\x01\x02"):
        data[start + 8] |= 1

    with pytest.raises(DocumentError, match=r"^book\.epub is encrypted\. "):
        read(bytes(data))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", r"is no EPUB book, or it is damaged\. ", id="empty"),
        pytest.param(b"<html>", r"is no EPUB book, or it is damaged\. ", id="no-archive"),
        pytest.param(book(CHAPTERS)[:300], r"is no EPUB book, or it is damaged\. ", id="cut-off"),
        pytest.param(packed({"a": "b"}), r"is no EPUB book: it lacks META-INF/container\.xml\. ", id="other-archive"),
        pytest.param(
            packed({"META-INF/container.xml": CONTAINER}),
            r"is no EPUB book: it lacks the list of its files\. ",
            id="no-package-file",
        ),
        pytest.param(book(CHAPTERS, "no XML"), r"is no EPUB book: it lacks the list of its files\. ", id="no-xml"),
        pytest.param(book(CHAPTERS, "<package/>"), r"has not one chapter that can be read\. ", id="nothing-listed"),
        pytest.param(book({}, listed(CHAPTERS)), r"has not one chapter that can be read\. ", id="nothing-there"),
    ],
)
def test_what_is_no_book_is_refused(data, message):
    with pytest.raises(DocumentError, match=rf"^book\.epub {message}"):
        read(data)


def test_a_package_file_that_is_far_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(epub, "MAX_LIST_BYTES", 500)

    with pytest.raises(DocumentError, match=r"^book\.epub is too large: its part oebps/book\.opf has [\d,]+ bytes\. "):
        read(book(CHAPTERS))


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_a_damaged_book_is_read_or_refused(data):
    whole = bytearray(book(CHAPTERS, listed(CHAPTERS, NAV_ITEM), OEBPS__nav_xhtml=xhtml(NAV)))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))

    with suppress(DocumentError):
        read(bytes(whole))


@settings(deadline=None, max_examples=150)
@given(st.text("<>/&;\"'= abi", max_size=60), st.integers(0, 900), st.integers(0, 40))
def test_an_odd_package_file_is_read_or_refused(text, place, length):
    opf = listed(CHAPTERS, NAV_ITEM)

    with suppress(DocumentError):
        read(book(CHAPTERS, opf[:place] + text + opf[place + length :], OEBPS__nav_xhtml=xhtml(NAV)))
