import random

import pytest

from ragkit.errors import DocumentError
from ragkit.readers.extraction import Extracted, Source
from ragkit.readers.office.rtf import read_rtf


def read(rtf: bytes, name: str = "a.rtf") -> Extracted:
    return read_rtf(Source(name, rtf, read_rtf))


def document(content: str, head: str = "") -> bytes:
    fonts = r"{\fonttbl{\f0\fcharset0 Arial{\*\falt Sans};}{\f1\fcharset204 Cyr;}{\f2\fcharset128 Gothic;}}"
    return (
        r"{\rtf1\ansi\ansicpg1252\deff0" + fonts + r"{\colortbl;\red0\green0\blue0;}" + head + content + "}"
    ).encode()


def texts(rtf: bytes) -> list[str]:
    extracted = read(rtf)
    return [extracted.text[span.start : span.end] for span in extracted.spans]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(r"One.\par Two\line lines.\par", ["One.", "Two\nlines."], id="paragraphs"),
        pytest.param("One \nline\\\nTwo", ["One line", "Two"], id="line-ends-in-the-file"),
        pytest.param(r"No end", ["No end"], id="no-last-paragraph-end"),
        pytest.param(r"{\b bold} and {\i\b0 not}", ["bold and not"], id="formatting"),
        pytest.param(r"a\{b\}c\\d", [r"a{b}c\d"], id="escaped-signs"),
        pytest.param(r"Caf\'e9 \'80 5\~km co\-op e\_mail", ["Café € 5 km coop e-mail"], id="hex-escapes"),
        pytest.param(r"\ldblquote Hi\rdblquote\emdash it\rquote s", ["“Hi”—it’s"], id="quotes-and-dashes"),
        pytest.param(r"\u8364? \u945\'61 \u-10179?\u-8704?", ["€ α 😀"], id="unicode"),
        pytest.param(r"{\uc2 \u8364xxy}\uc0\u945 z", ["€yαz"], id="unicode-with-other-replacements"),
        pytest.param(r"\u-10179? alone", ["\ufffd alone"], id="half-a-character"),
        pytest.param(r"{\f1\'cf\'f0\'e8\'e2\'e5\'f2}, caf\'e9", ["Привет, café"], id="code-page-of-the-font"),
        pytest.param(r"{\f2\'93\'fa\'83A}", ["日ア"], id="characters-of-two-bytes"),
        pytest.param(r"a{\v hidden}b\v c\v0 d{\deleted gone}{\v\plain e}", ["abde"], id="hidden-and-deleted"),
        pytest.param(r"{\header Top\par}Text{\footer Page 1\par}{\*\unknown x{y}}", ["Text"], id="destinations"),
        pytest.param(r"{\field{\*\fldinst HYPERLINK {x}}{\fldrslt the link}}.", ["the link."], id="field"),
        pytest.param(r"A{\pict\pngblip 89504e47}B", ["AB"], id="picture"),
        pytest.param(r"A{\pict\bin6 }{\par}B", ["AB"], id="binary-data"),
        pytest.param(r"A{\bkmkstart}{\*\bkmkend x}B{\*\annotation remark}", ["AB"], id="bookmark-and-comment"),
        pytest.param(
            r"Host{\shp{\*\shpinst{\sp{\sn a}{\sv b}}{\shptxt Box\par}}{\shprslt no}}.\par Z",
            ["Host.", "Box", "Z"],
            id="box",
        ),
        pytest.param(r"a} after the end", ["a"], id="after-the-end"),
    ],
)
def test_rtf_holds_the_paragraphs_that_are_to_be_seen(content, expected):
    assert texts(document(content)) == expected


def test_headings_are_told_by_style_or_outline_level():
    styles = (
        r"{\stylesheet{Normal;}{\s1\outlinelevel0 \'dcberschrift 1;}{\s2 heading 2;}{\s3 Title;}{\*\cs4 heading 1;}}"
    )
    content = (
        r"\pard\s3 Report\par\pard\s1 Costs\par\pard Text\par\pard\s2 Rent\par\pard\plain High.\par"
        r"\pard\outlinelevel0 Gains\par\pard None.\par"
    )

    extracted = read(document(content, styles))

    assert [(span.kind, span.headings) for span in extracted.spans] == [
        ("heading", ()),
        ("heading", ("Report",)),
        ("prose", ("Report", "Costs")),
        ("heading", ("Report", "Costs")),
        ("prose", ("Report", "Costs", "Rent")),
        ("heading", ("Report",)),
        ("prose", ("Report", "Gains")),
    ]


def test_list_items_lose_their_bullets():
    content = (
        r"\pard{\pntext\f0\'b7\tab}{\*\pn\pnlvlblt{\pntxtb\'b7}}One\par\pard\ls2{\listtext 2.\tab}Two\par\pard Three"
    )

    extracted = read(document(content))

    assert extracted.text.split("\n\n") == ["One", "Two", "Three"]
    assert [span.kind for span in extracted.spans] == ["list", "list", "prose"]


def test_rows_of_a_table_name_their_cells():
    row = r"\trowd\cellx1\cellx2\pard\intbl {a}\cell {b}\cell\row"
    table = "".join(row.replace("{a}", a).replace("{b}", b) for a, b in [("Name", "Age"), ("Ann", "31"), ("Bob", "")])

    extracted = read(document(rf"Before\par{table}\pard After\par{table}"))

    rows = ["Name: Ann; Age: 31", "Name: Bob"]
    assert extracted.text.split("\n\n") == ["Before", *rows, "After", *rows]
    assert [span.kind for span in extracted.spans] == ["prose", "table", "table", "prose", "table", "table"]


def test_notes_follow_the_paragraph_that_refers_to_them():
    content = (
        r"One{\super\chftn}{\footnote\pard{\super\chftn} See {\i there}.} goes on.\par "
        r"Two{\footnote\ftnalt End.}\par Three"
    )

    extracted = read(document(content))

    places = [(extracted.text[span.start : span.end], span.place) for span in extracted.spans]
    assert places == [("One goes on.", ""), ("See there.", "footnote"), ("Two", ""), ("End.", "endnote"), ("Three", "")]


def test_rtf_says_its_title_author_date_and_tags():
    dates = r"{\creatim\yr2025\mo3\dy4}{\revtim\yr2026\mo6\dy1}"
    info = r"{\info{\title The Caf\'e9}{\author Ann Lee}{\keywords rent, \'fcber}" + dates + "}"

    facts = read(document("Text", info)).facts

    assert [(fact.name, fact.value) for fact in facts] == [
        ("title", "The Café"),
        ("author", "Ann Lee"),
        ("date", "2026-06-01"),
        ("tag", "rent"),
        ("tag", "über"),
    ]


@pytest.mark.parametrize(
    ("rtf", "message"),
    [
        pytest.param(b"", "no RTF file", id="empty"),
        pytest.param(b"PK\x03\x04", "no RTF file. Open it in the program it came from", id="another-format"),
        pytest.param(rb"{\rtf1 " + b"{" * 10_000 + b"x", "nested 1,000 deep", id="nested-too-deeply"),
    ],
)
def test_what_is_no_rtf_is_refused(rtf, message):
    with pytest.raises(DocumentError, match=message):
        read(rtf)


def test_damaged_rtf_is_read_as_far_as_it_goes():
    whole = document(
        r"\trowd\intbl a\cell b\cell\row\pard\s1{\footnote x\ftnalt}\u8364?\'e9\bin3 abc{\shptxt y\par}{\f2\'83}\par",
        r"{\stylesheet{\s1 heading 1;}}{\info{\title t}{\creatim\yr9999\mo99\dy1}}",
    )
    randomness = random.Random(0)

    for length in range(6, len(whole)):
        cut = whole[:length]
        place = randomness.randrange(6, len(whole))
        read(cut)
        read(whole[:place] + bytes([randomness.randrange(256)]) + whole[place + 1 :])
        read(whole[:place] + whole[place + 3 :])
