import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragkit.errors import DocumentError
from ragkit.readers.extraction import Extracted, Source
from ragkit.readers.web import html
from ragkit.readers.web.html import html_extracted, read_html

LONG = (
    "The treaty was signed in Geneva after nine days of talks, and both sides withdrew their heavy weapons by March. "
)
"""Enough text for a page beside which a menu is small."""


def no_reader(source: Source) -> Extracted:
    raise AssertionError(f"{source.name}: nothing lies inside a page")


def page(markup: str | bytes) -> Extracted:
    """What is read of a page of a web site."""
    data = markup.encode() if isinstance(markup, str) else markup
    return read_html(Source("page.html", data, no_reader))


def texts(extracted: Extracted) -> list[str]:
    return [extracted.text[span.start : span.end] for span in extracted.spans]


def kinds(extracted: Extracted) -> list[tuple[str, str]]:
    return [(span.kind, extracted.text[span.start : span.end]) for span in extracted.spans]


def piece(markup: str) -> list[tuple[str, str]]:
    """Kind and text of the paragraphs of a piece of HTML."""
    return kinds(html_extracted(markup, "a mail"))


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        pytest.param("<p>One <b>bo</b>ld,\n  <i>two</i>.</p>", [("prose", "One bold, two.")], id="inline-markup"),
        pytest.param("a<div>b<p>c</div>d", [("prose", one) for one in "abcd"], id="text-between-blocks"),
        pytest.param("<p>a<br>b<br> <br/>c", [("prose", "a\nb"), ("prose", "c")], id="line-breaks"),
        pytest.param("<td>x<br><br>y</td>", [("prose", "x"), ("prose", "y")], id="double-breaks-in-a-stray-cell"),
        pytest.param("soft&shy;hy&nbsp;phen\u200b s", [("prose", "softhy phen s")], id="invisible-characters"),
        pytest.param("<p>x<wbr>y &euro;&#8364;&#146;&lt;", [("prose", "xy €€’<")], id="character-references"),
        pytest.param(
            "<ul><li>one<ul><li>in one</ul>more<li><p>p1</p><p>p2</ul>after",
            [("list", "one"), ("list", "in one"), ("list", "more"), ("list", "p1"), ("list", "p2"), ("prose", "after")],
            id="nested-lists",
        ),
        pytest.param(
            "<dl><dt>-v</dt><dt>--verbose</dt><dd><p>Say more.</p><p>Much.</p></dd></dl>",
            [("list", "-v\n--verbose\nSay more."), ("list", "Much.")],
            id="terms-stand-with-their-definition",
        ),
        pytest.param(
            "<dl><dt>Chapter 1</dt><dt>Chapter 2</dt></dl><p>x</p>",
            [("list", "Chapter 1"), ("list", "Chapter 2"), ("prose", "x")],
            id="terms-without-definition",
        ),
        pytest.param("<dl><dt>A<dd><ul><li>b</ul></dl>", [("list", "A"), ("list", "b")], id="term-before-a-list"),
        pytest.param(
            "<blockquote><p>q1</p>q2</blockquote><figure><img alt='x'><figcaption>Fig</figcaption></figure>",
            [("prose", "q1"), ("prose", "q2"), ("prose", "Fig")],
            id="quotations-and-captions",
        ),
        pytest.param(
            "<aside><span>[</span>1<span>]</span><p>A note.</p></aside><li><b>2.</b> <p>Two</p>",
            [("prose", "[1] A note."), ("list", "2. Two")],
            id="a-number-stands-with-its-paragraph",
        ),
        pytest.param(
            "<pre>\n  if a:\n    b()\n\n  <b>c</b>()</pre>",
            [("code", "if a:\n  b()\n\nc()")],
            id="code-keeps-its-lines",
        ),
        pytest.param("<pre><div>one</div><div>two</div></pre>", [("code", "one\ntwo")], id="code-in-blocks"),
        pytest.param(
            "<pre>Dear all,\n\nplease come to the meeting\non Monday.\n\n- one thing\n- another</pre>",
            [
                ("prose", "Dear all,"),
                ("prose", "please come to the meeting\non Monday."),
                ("list", "one thing"),
                ("list", "another"),
            ],
            id="a-letter-as-typed",
        ),
        pytest.param(
            "10<sup>6</sup> in 2019<sup><a href='#n'>3</a></sup> on May 5<sup>th</sup>, H<sub>2</sub>O",
            [("prose", "10^6 in 2019^3 on May 5th, H2O")],
            id="raised-numbers-are-no-digits-of-others",
        ),
        pytest.param(
            '<p><math alttext="{\\displaystyle x^2}"><mi>x</mi><mn>2</mn></math>, <math><mi>a</mi><mi>b</mi>'
            '<annotation encoding="application/x-tex">a/b</annotation></math>, <math><mi>y</mi></math>',
            [("prose", "x^2, a/b, y")],
            id="formulas",
        ),
        pytest.param(
            "<p>a<script>x</script><style>x</style><template>x</template><noscript>x</noscript><svg><i>x</i></svg>"
            "<iframe>x</iframe><button>x</button><select><option>x</select><textarea>x</textarea>b",
            [("prose", "ab")],
            id="what-is-no-text",
        ),
        pytest.param(
            "<p hidden>x</p><p style='color:red; Display : none'>x</p><i aria-hidden=true>x</i><dialog>x</dialog>"
            "<p hidden=until-found>a</p><p>text of the page</p>",
            [("prose", "x"), ("prose", "a"), ("prose", "text of the page")],
            id="what-is-hidden",
        ),
        pytest.param(
            "<body style='display:none'><p>All of it", [("prose", "All of it")], id="a-page-hidden-for-a-script"
        ),
        pytest.param("<noscript><p>Only this", [("prose", "Only this")], id="a-page-without-other-text"),
        pytest.param(
            "<span style='display:none'><math alttext='E'><mi>E</mi></math></span><img aria-hidden=true alt=E>",
            [("prose", "E")],
            id="a-formula-behind-its-picture",
        ),
        pytest.param(
            "<h2><button>Question?</button></h2><details><summary>More</summary>Answer.</details>",
            [("heading", "Question?"), ("prose", "More"), ("prose", "Answer.")],
            id="what-folds",
        ),
        pytest.param(
            "<pre><![CDATA[a < b]]></pre><title/><a id='x'/><p>c</p>", [("code", "a < b"), ("prose", "c")], id="xhtml"
        ),
        pytest.param("just text", [("prose", "just text")], id="no-markup"),
        pytest.param("", [], id="nothing"),
        pytest.param(" <!-- comment --> ", [], id="nothing-to-see"),
    ],
)
def test_a_piece_of_html_has_the_paragraphs_that_one_sees(markup, expected):
    assert piece(markup) == expected


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        pytest.param(
            "<table><caption>People</caption><thead><tr><th>Name<th>Age:</thead><tr><td>Ann<td>31<tr><td>Bo<td></table>",
            ["People", "Name: Ann; Age: 31", "Name: Bo"],
            id="head",
        ),
        pytest.param(
            "<table><tr><th>Item<th>Cost<tr><th scope=row>Tea<td>2<tr><th>Total<th>5</table>",
            ["Item: Tea; Cost: 2", "Total; 5"],
            id="header-row",
        ),
        pytest.param(
            "<table><tr><th>Name<td>Ann<tr><th>Age:<td>31<td>years</table>", ["Name: Ann", "Age: 31; years"], id="form"
        ),
        pytest.param(
            "<table><tr><td>a<td>b<td>c<tr><td>d<td>e<td>f</table>", ["a; b; c", "d; e; f"], id="no-header-cells"
        ),
        pytest.param(
            "<table><tr><th rowspan=2>City<th colspan=2>People<tr><th>2001<th>2011<tr><td>Rome<td>2.5<td>2.6"
            "<tr><td colspan=3>North<tr><td rowspan=2>Oslo<td>.5<td>.6<tr><td>.7<td>.8</table>",
            [
                "City: Rome; People 2001: 2.5; People 2011: 2.6",
                "North",
                "City: Oslo; People 2001: .5; People 2011: .6",
                "City: Oslo; People 2001: .7; People 2011: .8",
            ],
            id="merged-cells",
        ),
        pytest.param(
            "<table><tr><th>x<th>y<tr><td>a:<ul><li>l1<li>l2</ul><td><p>p1</p><p>p2</p><br>p3</table>",
            ["x: a:, l1, l2; y: p1 p2 p3"],
            id="blocks-in-cells",
        ),
        pytest.param("<table><tr><th>only<th>names</table>", ["only; names"], id="names-of-nothing"),
        pytest.param("<table><td>a<td>b</table>", ["a; b"], id="cells-without-a-row"),
    ],
)
def test_a_row_of_a_table_is_a_paragraph(markup, expected):
    found = html_extracted(markup, "a mail")

    assert texts(found) == expected
    assert {span.kind for span in found.spans if found.text[span.start] != "P"} == {"table"}


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        pytest.param("<table><tr><td>one<tr><td>column</table>", ["one", "column"], id="one-column"),
        pytest.param("<table role=presentation><tr><td>a<td>b</table>", ["a", "b"], id="role"),
        pytest.param("<table><tr><td>menu<td><h1>Title</h1><p>text</table>", ["menu", "Title", "text"], id="headings"),
        pytest.param(f"<table><tr><td>left<td>{LONG * 6}</table>", ["left", (LONG * 6).strip()], id="long-texts"),
        pytest.param(
            "<table><tr><td><table><tr><th>A<th>B<tr><td>1<td>2</table><td>side</table>",
            ["A: 1; B: 2", "side"],
            id="nested",
        ),
        pytest.param(
            "<table><tr><td class=linenos><pre>1\n2</pre><td><pre>a()\nb()</pre></table>",
            ["a()\nb()"],
            id="line-numbers",
        ),
        pytest.param(
            "<table><tr><td rowspan=2><img alt='[Note]'><th>Note<tr><td><p>Be careful.</table>",
            ["Note", "Be careful."],
            id="note-beside-a-picture",
        ),
    ],
)
def test_a_table_that_arranges_text_is_no_table(markup, expected):
    assert texts(html_extracted(markup, "a mail")) == expected


def test_paragraphs_stand_under_their_headings():
    found = html_extracted("<h1>A <code>b</code><br>c</h1>1<h3>D</h3>2<h2>E<p>3</p></h2><h2>F</h2><p>4", "x")

    assert [(found.text[span.start : span.end], span.headings) for span in found.spans] == [
        ("A b c", ()),
        ("1", ("A b c",)),
        ("D", ("A b c",)),
        ("2", ("A b c", "D")),
        ("E", ("A b c",)),
        ("3", ("A b c", "E")),
        ("F", ("A b c",)),
        ("4", ("A b c", "F")),
    ]
    assert all(span.place == "" and span.page is None for span in found.spans)


def test_a_path_of_headings_stays_short():
    found = html_extracted(f"<h1>{'long ' * 100}</h1><h2>{'word ' * 30}</h2><p>text", "x")

    assert [len(heading) <= 160 for heading in found.spans[-1].headings] == [True]


def test_signs_beside_headings_are_no_text():
    found = html_extracted("<h2>Use<a class='headerlink' href='#use'>¶</a></h2><p>x <a href='#y'>y</a>", "x")

    assert texts(found) == ["Use", "x y"]


MAIN = f"<main><h1>Talks</h1><nav>path</nav><p>{LONG}</p><aside>An aside.</aside><footer>By Ann</footer></main>"


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        pytest.param(
            f"<div>Some banner</div>{MAIN}<p>Below</p>", ["Talks", LONG.strip(), "An aside.", "By Ann"], id="main"
        ),
        pytest.param(
            f"<div class=top>x</div><div role=main><p>{LONG}</div><div>y</div>", [LONG.strip()], id="role-of-main"
        ),
        pytest.param(f"<p>x</p><article><p>{LONG}</article>", [LONG.strip()], id="one-article"),
        pytest.param(
            "<article><p>First</article><article><p>Second</article>", ["First", "Second"], id="several-articles"
        ),
        pytest.param(
            f"<main><p>Loading</main><p>{LONG}<p>{LONG}", ["Loading", LONG.strip(), LONG.strip()], id="main-is-empty"
        ),
        pytest.param(
            f"<header><a href=/>Site</a></header><nav><a href=a>A</a></nav><p>{LONG}<footer>© Ann</footer>",
            [LONG.strip()],
            id="frame-of-a-page",
        ),
        pytest.param(
            f"<header><h1>Title</h1><p>by Ann</header><p>{LONG * 2}",
            ["Title", "by Ann", (LONG * 2).strip()],
            id="title",
        ),
        pytest.param(
            f"<p>{LONG}<aside>In the flow.</aside><p>{LONG}<div>x</div><aside>Beside.</aside><div>y</div>",
            [LONG.strip(), "In the flow.", LONG.strip(), "x", "y"],
            id="asides",
        ),
        pytest.param(
            f"<p>{LONG * 4}<footer><p>{LONG * 2}</footer>",
            [(LONG * 4).strip(), (LONG * 2).strip()],
            id="footer-of-notes",
        ),
        pytest.param(
            "<div class=breadcrumb><a href=a>Home</a> &gt; Docs</div><div class=navHeader><a href=b>Next</a> One</div>"
            f"<h1>Nav</h1><p>{LONG * 2}<div id=cookie-banner>We use cookies.</div><div id=footer>Updated 2024</div>",
            ["Nav", (LONG * 2).strip()],
            id="names-of-boxes",
        ),
        pytest.param(
            f"<div class=banner><h1>Title</h1><a href=a>Start</a></div><p>{LONG * 2}",
            ["Title", "Start", (LONG * 2).strip()],
            id="title-in-a-banner",
        ),
        pytest.param(
            f"<div class=related>The work of others.</div><div class=cookies>Bake them.</div><p>{LONG * 2}",
            ["The work of others.", "Bake them.", (LONG * 2).strip()],
            id="names-without-links",
        ),
        pytest.param(
            f"<ul><li><a href=1>Home</a><li><a href=2>News</a><li><a href=3>Buy</a><li><a href=4>Us</a></ul>{LONG * 2}",
            [(LONG * 2).strip()],
            id="list-of-short-links",
        ),
        pytest.param(
            "<ul>"
            + "".join(f"<li><a href=x>A work with a title of its {n}</a>" for n in range(4))
            + f"</ul>{LONG * 9}",
            [*(f"A work with a title of its {n}" for n in range(4)), (LONG * 9).strip()],
            id="list-of-works",
        ),
        pytest.param(
            "<ul><li><a href=1>One</a><li><a href=2>Two</a><li><a href=3>Three</a><li><a href=4>Four</a></ul><p>Links",
            ["One", "Two", "Three", "Four", "Links"],
            id="a-page-of-links",
        ),
        pytest.param(
            f"<nav>{LONG}</nav><p>Little else</p>", [LONG.strip(), "Little else"], id="never-most-of-the-page"
        ),
    ],
)
def test_what_stands_around_the_text_of_a_page_is_left_out(markup, expected):
    assert texts(page(markup)) == expected


def test_nothing_but_what_is_hidden_is_left_out_of_a_mail():
    assert texts(html_extracted("<header>Dear Ann</header><nav>a</nav><p>b<footer>Yours</footer>", "x")) == [
        "Dear Ann",
        "a",
        "b",
        "Yours",
    ]


def test_a_page_says_what_it_is():
    found = page(
        """<html lang="de-DE"><head><title>The  talks</title><meta property="og:title" content="x">
        <meta name="Author" content="Ann Lee"><meta property="article:author" content="https://example.org/ann">
        <meta property="article:published_time" content="2026-06-01T10:00:00+02:00">
        <meta name="keywords" content="peace, Geneva ,"></head><p>Text"""
    )

    assert [(fact.name, fact.value) for fact in found.facts] == [
        ("title", "The talks"),
        ("author", "Ann Lee"),
        ("date", "2026-06-01"),
        ("language", "de-DE"),
        ("tag", "peace"),
        ("tag", "Geneva"),
    ]


@pytest.mark.parametrize(
    ("markup", "fact"),
    [
        ("<meta property=og:title content='A title'>", ("title", "A title")),
        ("<meta name=DC.date content=2026-06-01>", ("date", "2026-06-01")),
        ("<time datetime=2026-06-01 pubdate>June</time>", ("date", "2026-06-01")),
        ("<html xml:lang=fr>", ("language", "fr")),
        ("<meta http-equiv=Content-Language content=it>", ("language", "it")),
    ],
)
def test_what_a_page_is_may_be_said_elsewhere(markup, fact):
    assert [(fact.name, fact.value) for fact in page(f"{markup}<p>Text").facts] == [fact]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param("<meta charset=windows-1251><p>Президент".encode("cp1251"), "Президент", id="declared"),
        pytest.param("<meta charset=iso-8859-1><p>£5 – café".encode("cp1252"), "£5 – café", id="declared-as-latin-1"),
        pytest.param("<?xml version='1.0' encoding='shift_jis'?><p>会議".encode("cp932"), "会議", id="declared-in-xml"),
        pytest.param(
            b"<meta http-equiv=Content-Type content='text/html; charset=iso-2022-jp'><p>" + "会議".encode("iso2022_jp"),
            "会議",
            id="in-seven-bits",
        ),
        pytest.param("<meta charset=windows-1251><p>Президент".encode(), "Президент", id="declared-but-utf-8"),
        pytest.param(
            "<meta charset=utf-8><p>Die Straße nach Köln".encode("cp1252"), "Die Straße nach Köln", id="wrong"
        ),
        pytest.param("<p>Президент".encode("utf-16"), "Президент", id="utf-16"),
        pytest.param("<meta charset=zlib><p>abc é".encode(), "abc é", id="no-encoding-of-text"),
    ],
)
def test_a_page_is_read_in_the_encoding_it_was_written_in(data, expected):
    assert texts(page(data)) == [expected]


def test_entities_that_a_page_defines_are_not_expanded():
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 20))

    found = page(f'<?xml version="1.0"?><!DOCTYPE html [<!ENTITY e0 "ha">{bomb}]><html><p>&e19; text</p></html>')

    assert texts(found) == ["&e19; text"]


@pytest.mark.parametrize("data", [b"%PDF-1.7 x", b"PK\x03\x04 x", bytes(range(256)) * 20])
def test_what_is_no_text_is_refused(data):
    with pytest.raises(DocumentError, match=r"^page\.html looks binary: .* Convert it"):
        page(data)


def test_a_page_of_too_many_tags_is_refused(monkeypatch):
    monkeypatch.setattr(html, "MAX_TAGS", 3)

    with pytest.raises(DocumentError, match=r"^page\.html is too large: it has more than 3 tags\. Split it"):
        page("<p>1<p>2<p>3<p>4")


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


@pytest.mark.parametrize(
    "markup",
    [
        pytest.param("<p>before</p>" + "<div>" * 20_000 + "deep" + "</div>" * 20_000 + "<p>after</p>", id="closed"),
        pytest.param("<p>before</p>" + "<div>" * 20_000 + "deep<p>after", id="open"),
        pytest.param("<b>before<br><br>" + "<b>" * 20_000 + "deep<br><br>after", id="inline"),
        pytest.param("<p>before" + "<ul><li>" * 20_000 + "deep<p>after", id="lists"),
        pytest.param("<p>before" + "<table><tr><td>" * 20_000 + "deep<p>after", id="tables"),
        pytest.param("before<br><br>" + "<i<b>" * 20_000 + "<br><br>deep<br><br>after", id="no-tags"),
    ],
)
def test_no_text_is_lost_however_deep_it_lies(markup):
    html_extracted("", "loads the library")

    assert seconds(lambda: page(markup)) < 3  # on a machine that is busy; a tenth of that else
    assert texts(page(markup)) == ["before", "deep", "after"]


@pytest.mark.parametrize(
    "markup",
    [
        pytest.param("<p " + " ".join(f"a{n}" for n in range(100_000)) + ">text", id="attributes"),
        pytest.param("<div>" * 900 + "</p>" * 20_000 + "text", id="ends-of-nothing"),
        pytest.param("<table><tr>" + "<td colspan=1000 rowspan=60000>x" * 3_000 + "text", id="merged-cells"),
        pytest.param("<table>" + "<tr><th>a<th>text" * 5_000, id="nothing-but-names"),
        pytest.param("<dl>" + "<dt>text</dt>" * 10_000, id="nothing-but-terms"),
        pytest.param("<table><tr><th>a<th>b<tr><td>" + "<li>x" * 10_000 + "<td>text", id="a-long-cell"),
        pytest.param("1<p>" * 10_000 + "text", id="nothing-but-numbers"),
        pytest.param("<header>" * 900 + "text" * 1000, id="headers"),
        pytest.param("<![CDATA[" * 20_000 + "text", id="open-sections"),
        pytest.param("<!DOCTYPE a [" + "]  " * 20_000 + "<p>text", id="open-subset"),
        pytest.param("<script>" * 20_000 + "</script>text", id="scripts"),
        pytest.param("<a href=x><p>text" * 5_000, id="open-links"),
    ],
)
def test_odd_pages_are_read_in_time(markup):
    html_extracted("", "loads the library")

    assert seconds(lambda: page(markup)) < 5
    assert "text" in page(markup).text


PIECES = st.sampled_from(
    """<p> </p> <div> </div> <h1> </h2> <table> <tr> <td@colspan=9> <th@rowspan=3> </td> </table> <ul> <li> <dl> <dt>
    <dd> <pre> </pre> <br> <sup> 2 <math> <a@href=x> </a> <main> <nav> </nav> <header> <aside> <script> </script>
    <!-- --> &amp; &#0; &bogus; word <title> <button> <thead> <noscript> <p@hidden> < [1] \xad \0 \ud800""".split()
).map(lambda written: written.replace("@", " "))


@settings(deadline=None, max_examples=150)
@given(st.lists(PIECES, max_size=40).map(" ".join), st.booleans())
def test_whatever_the_markup_paragraphs_lie_in_the_text_in_order(markup, has_menus):
    found = html_extracted(markup, "x", has_menus=has_menus)

    assert all(text and text == text.strip() and "\x00" not in text for text in texts(found))
    assert all(one.end < other.start for one, other in zip(found.spans, found.spans[1:], strict=False))


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_read_or_refused(data):
    with suppress(DocumentError):
        assert "\x00" not in page(b"<p>" + data).text
