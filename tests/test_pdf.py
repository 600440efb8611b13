import shutil
import zlib

import pypdfium2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ragkit.errors import DocumentError
from ragkit.readers.extraction import Extracted, Source
from ragkit.readers.pdf.document import read_pdf
from ragkit.records import Fact

FONTS = {"F": "Helvetica", "B": "Helvetica-Bold", "C": "Courier"}
WIDTH, HEIGHT = 595, 842


def at(x: float, y: float, text: str, font: str = "F", size: float = 10) -> str:
    """Page content that shows a text at a place, counted from the lower left corner."""
    escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    return f"BT /{font} {size} Tf {x} {y} Td ({escaped}) Tj ET\n"


def block(x: float, y: float, *lines: str, font: str = "F", size: float = 10) -> str:
    return "".join(at(x, y - 1.2 * size * number, line, font, size) for number, line in enumerate(lines))


def pdf(
    *pages: str, info: str = "", catalog: str = "", trailer: str = "", more: tuple[bytes, ...] = (), extra=""
) -> bytes:
    """A PDF file of pages with this content; `more` are further objects, of which the first one has the number 10."""
    fonts = " ".join(f"/{key} {number} 0 R" for number, key in enumerate(FONTS, start=4))
    first = 10 + len(more)
    kids = " ".join(f"{first + 2 * number} 0 R" for number in range(len(pages)))
    objects = {
        1: f"<</Type/Catalog/Pages 2 0 R{catalog}>>".encode(),
        2: f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}/MediaBox[0 0 {WIDTH} {HEIGHT}]"
        f"/Resources<</Font<<{fonts}>>/XObject<</I 10 0 R>>>>>>".encode(),
        3: f"<<{info}>>".encode("latin-1"),
    }
    for number, name in enumerate(FONTS.values(), start=4):
        objects[number] = f"<</Type/Font/Subtype/Type1/BaseFont/{name}/Encoding/WinAnsiEncoding>>".encode()
    objects |= dict(enumerate(more, start=10))
    for number, content in enumerate(pages):
        data = content.encode("cp1252")
        page = f"<</Type/Page/Parent 2 0 R/Contents {first + 2 * number + 1} 0 R{extra}>>"
        objects[first + 2 * number] = page.encode()
        objects[first + 2 * number + 1] = b"<</Length %d>>stream\n%b\nendstream" % (len(data), data)
    out, places = b"%PDF-1.4\n", {}
    for number, content in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = "".join(
        f"{places[number]:010} 00000 n \n" if number in places else "0000000000 65535 f \n"
        for number in range(max(objects) + 1)
    )
    return (
        out
        + (
            f"xref\n0 {max(objects) + 1}\n{table}trailer\n<</Size {max(objects) + 1}/Root 1 0 R/Info 3 0 R{trailer}>>\n"
            f"startxref\n{len(out)}\n%%EOF\n"
        ).encode()
    )


def image(pixels: bytes, width: int, height: int) -> bytes:
    data = zlib.compress(pixels)
    head = f"<</Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace/DeviceGray/BitsPerComponent 8"
    return f"{head}/Filter/FlateDecode/Length {len(data)}>>stream\n".encode() + data + b"\nendstream"


def read(data: bytes, name: str = "a.pdf", use_ocr: bool = False) -> Extracted:
    def refuse(source: Source) -> Extracted:
        raise AssertionError("nothing lies inside a PDF")

    return read_pdf(Source(name, data, refuse, use_ocr=use_ocr))


def texts(result: Extracted) -> list[str]:
    return [result.text[span.start : span.end] for span in result.spans]


def kinds(result: Extracted) -> list[tuple[str, str]]:
    return [(span.kind, result.text[span.start : span.end]) for span in result.spans]


LEFT = (
    "The treaty was signed in Geneva after",
    "nine days of talks, and both of the",
    "sides withdrew their heavy weapons by",
    "the end of March as they had agreed.",
)
RIGHT = (
    "Observers arrived in April and stayed",
    "for two years, and they reported to a",
    "council in Vienna every month until a",
    "new mandate came to replace their own.",
)
PICTURE = "q 300 0 0 300 100 300 cm /I Do Q\n"
GREY = image(b"\x80" * 4, 2, 2)


def test_paragraphs_carry_their_page():
    result = read(pdf(block(70, 700, "The first page has one sentence."), block(70, 700, "And the second one too.")))

    assert [(span.page, span.place) for span in result.spans] == [(1, "page 1"), (2, "page 2")]
    assert texts(result) == ["The first page has one sentence.", "And the second one too."]


@pytest.mark.parametrize("by_rows", [False, True], ids=["column-by-column", "row-by-row"])
def test_columns_are_read_one_after_the_other_under_a_title_across_both(by_rows):
    left, right = (LEFT * 3)[:10], (RIGHT * 3)[:10]
    if by_rows:
        rows = "".join(
            at(70, 640 - 12 * number, one) + at(310, 640 - 12 * number, other)
            for number, (one, other) in enumerate(zip(left, right, strict=True))
        )
    else:
        rows = block(70, 640, *left) + block(310, 640, *right)
    title = at(110, 700, "A title that runs across both of the columns", "B", 18)

    heading, *paragraphs = texts(read(pdf(title + rows)))

    assert heading == "A title that runs across both of the columns"
    assert " ".join(paragraphs) == " ".join((*left, *right))


def test_three_columns_and_a_line_across_between_two_bands():
    def narrow(words: str) -> tuple[str, ...]:
        return tuple(f"{words} of the {number} line" for number in ("first", "second", "third", "fourth"))

    bands = [
        block(60, y, *narrow(f"{name} left"))
        + block(230, y, *narrow(f"{name} middle"))
        + block(400, y, *narrow(f"{name} right"))
        for name, y in (("upper", 700), ("lower", 560))
    ]
    across = at(
        60, 620, "This line runs across all of the three columns and so it parts the upper band from the lower one."
    )

    found = " ".join(texts(read(pdf(bands[0] + across + bands[1]))))

    order = ["upper left", "upper middle", "upper right", "This line", "lower left", "lower middle", "lower right"]
    assert sorted(order, key=found.index) == order
    assert found.rindex("upper right") < found.index("This line") < found.index("lower left")


def test_a_ruled_table_across_both_columns_parts_them():
    columns = [block(70, y, *LEFT) + block(310, y, *RIGHT) for y in (700, 500)]
    rules = "".join(f"68 {y} m 500 {y} l S\n" for y in (630, 612, 594, 576))
    cells = [("Weapon", "Number"), ("Guns of all sizes", "two hundred"), ("Ships that can sail", "fourteen")]
    rows = "".join(at(70, 617 - 18 * n, left) + at(310, 617 - 18 * n, right) for n, (left, right) in enumerate(cells))

    assert texts(read(pdf(columns[0] + rules + rows + columns[1]))) == [
        " ".join(LEFT),
        " ".join(RIGHT),
        "Weapon\tNumber\nGuns of all sizes\ttwo hundred\nShips that can sail\tfourteen",
        " ".join(LEFT),
        " ".join(RIGHT),
    ]


def test_a_paragraph_goes_on_in_the_next_column_and_on_the_next_page():
    one = block(70, 700, *LEFT[:3], "the end of March and in the") + block(
        310, 700, "summer " + RIGHT[0], *RIGHT[1:3], "new man-"
    )
    two = block(70, 700, "date " + LEFT[0], *LEFT[1:]) + block(310, 700, *RIGHT)

    result = read(pdf(one, two))

    first = texts(result)[0]
    assert "in the summer Observers" in first
    assert "a new mandate The treaty" in first
    assert result.spans[0].page == 1


def test_a_finished_paragraph_does_not_swallow_the_next_page():
    result = read(pdf(block(70, 700, *LEFT), block(70, 700, *RIGHT)))

    assert texts(result) == [" ".join(LEFT), " ".join(RIGHT)]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(("All of this infor-", "mation is here."), "All of this information is here.", id="joined"),
        pytest.param(
            ("A well-known man is a well-", "known man to me."),
            "A well-known man is a well-known man to me.",
            id="compound",
        ),
        pytest.param(
            ("The long work had a term, the long-", "term work had not."),
            "The long work had a term, the long-term work had not.",
            id="compound-of-two-words",
        ),
        pytest.param(
            ("We met the Franco-", "German council here."), "We met the Franco-German council here.", id="capital"
        ),
        pytest.param(
            ("See https://example.org/", "papers for all of it."),
            "See https://example.org/papers for all of it.",
            id="address",
        ),
        pytest.param(("They offered us 2 -", "and we took them."), "They offered us 2 - and we took them.", id="dash"),
    ],
)
def test_words_that_were_cut_at_a_line_end_are_whole_again(lines, expected):
    assert texts(read(pdf(block(70, 700, *lines)))) == [expected]


def running(number: int, side: str = "left") -> str:
    header = at(70, 810, "Annual report of the council") + at(400, 810, f"Chapter {1 + number // 4}")
    return header + at(290, 25, str(number))


def test_running_headers_and_page_numbers_are_dropped():
    pages = [
        running(number) + block(70, 700, f"Only page {number} says {'so ' * number}much.") for number in range(1, 9)
    ]

    assert texts(read(pdf(*pages))) == [f"Only page {number} says {'so ' * number}much." for number in range(1, 9)]


def test_a_header_that_changes_on_one_page_is_still_a_header():
    headers = ["Chapter 1. Sides"] * 3 + ["Chapter 2. Talks"] + ["Chapter 3. Weapons"] * 3
    pages = [
        at(70, 810, header) + block(70, 700, f"Text of {name}.")
        for header, name in zip(headers, "abcdefg", strict=True)
    ]

    assert texts(read(pdf(*pages))) == [f"Text of {name}." for name in "abcdefg"]


def test_a_short_document_keeps_a_header_once_and_loses_page_numbers():
    pages = [
        at(70, 810, "Miller & Sons") + block(70, 600, f"Letter part {'ab'[n]}.") + at(290, 25, f"Page {n + 1} of 2")
        for n in (0, 1)
    ]

    assert texts(read(pdf(*pages))) == ["Miller & Sons", "Letter part a.", "Letter part b."]
    assert texts(read(pdf(block(70, 600, "One page only.") + at(290, 25, "1")))) == ["One page only."]


def test_headings_are_told_by_their_letters_and_make_a_path():
    content = (
        at(70, 780, "The Treaty", "B", 22)
        + at(70, 740, "1 Sides", "B", 15)
        + block(70, 715, *LEFT)
        + at(70, 640, "1.1 Weapons", "B", 12)
        + block(70, 620, *RIGHT)
        + at(70, 540, "2 Talks", "B", 15)
        + block(70, 515, *LEFT)
    )

    result = read(pdf(content))

    assert [(span.kind, span.headings) for span in result.spans] == [
        ("heading", ()),
        ("heading", ("The Treaty",)),
        ("prose", ("The Treaty", "1 Sides")),
        ("heading", ("The Treaty", "1 Sides")),
        ("prose", ("The Treaty", "1 Sides", "1.1 Weapons")),
        ("heading", ("The Treaty",)),
        ("prose", ("The Treaty", "2 Talks")),
    ]


def test_the_outline_says_how_deep_a_heading_stands():
    outline = (
        b"<</Type/Outlines/First 11 0 R/Last 11 0 R/Count 2>>",
        b"<</Title(Sides)/Parent 10 0 R/First 12 0 R/Last 12 0 R/Count 1/Dest[13 0 R/Fit]>>",
        b"<</Title(Weapons)/Parent 11 0 R/Dest[13 0 R/Fit]>>",
    )
    content = at(70, 740, "1 Sides", "B", 14) + at(70, 700, "1.1 Weapons", "B", 14) + block(70, 670, *LEFT)

    result = read(pdf(content, more=outline, catalog="/Outlines 10 0 R"))

    assert result.spans[-1].headings == ("1 Sides", "1.1 Weapons")


def test_a_long_heading_is_cut_in_the_path():
    title = "A title of many words that goes on and on " * 4

    result = read(pdf(block(70, 740, title[:84], title[84:], font="B", size=13) + block(70, 650, *LEFT, *RIGHT)))

    assert [len(heading) for heading in result.spans[1].headings] == [160]


def test_lists_code_and_prose_are_told_apart():
    content = (
        block(70, 700, "To index a folder, do all of these steps one after the other, and do not leave any out:")
        + block(80, 676, "• read the manual that came with it, which is a long")
        + block(90, 664, "one but worth it;")
        + block(80, 646, "• run the program.")
        + block(80, 622, "1. Open the door.", "2. Close the door.")
        + block(70, 590, "for line in lines:", "    if line:", "        print(line)", font="C", size=9)
        + block(70, 548, *LEFT)
    )

    assert kinds(read(pdf(content))) == [
        ("prose", "To index a folder, do all of these steps one after the other, and do not leave any out:"),
        ("list", "read the manual that came with it, which is a long one but worth it;"),
        ("list", "run the program."),
        ("list", "1. Open the door."),
        ("list", "2. Close the door."),
        ("code", "for line in lines:\n    if line:\n        print(line)"),
        ("prose", " ".join(LEFT)),
    ]


def test_code_goes_on_over_the_page():
    code = [f"call({number})" for number in range(8)]
    prose = block(70, 780, *LEFT * 3)
    one = prose + block(70, 600, *code[:4], font="C", size=9)
    two = block(70, 780, *code[4:], font="C", size=9) + block(70, 700, *RIGHT)

    assert ("code", "\n".join(code)) in kinds(read(pdf(one, two)))


def test_notes_that_code_or_a_table_goes_on_are_dropped():
    one = (
        block(70, 780, *LEFT) + block(70, 700, "make all", font="C", size=9) + at(400, 680, "(continues on next page)")
    )
    two = at(70, 780, "(continued from previous page)") + block(70, 760, "make install", font="C", size=9)

    assert kinds(read(pdf(one, two)))[1:] == [("code", "make all\nmake install")]


def test_a_footnote_does_not_part_a_paragraph_that_goes_on():
    note = at(70, 60, "1", size=5) + at(74, 58, "A note at the foot of the page.", size=7)
    one = block(70, 700, *LEFT[:3], "the end of March as it had") + note

    assert texts(read(pdf(one, block(70, 700, "been agreed.") + block(70, 650, *RIGHT)))) == [
        " ".join((*LEFT[:3], "the end of March as it had been agreed.")),
        "¹ A note at the foot of the page.",
        " ".join(RIGHT),
    ]


def test_a_line_that_the_outline_names_is_a_heading_whatever_its_letters():
    outline = (
        b"<</Type/Outlines/First 11 0 R/Last 11 0 R/Count 1>>",
        b"<</Title(On Arms)/Parent 10 0 R/Dest[12 0 R/Fit]>>",
    )

    result = read(pdf(at(70, 740, "3. On Arms") + block(70, 700, *LEFT), more=outline, catalog="/Outlines 10 0 R"))

    assert [(span.kind, span.headings) for span in result.spans] == [("heading", ()), ("prose", ("3. On Arms",))]


def test_a_typewritten_document_is_not_all_code():
    assert kinds(read(pdf(block(70, 700, *LEFT, font="C")))) == [("prose", " ".join(LEFT))]


def test_first_line_indents_part_paragraphs():
    content = (
        block(70, 700, *LEFT)
        + block(85, 652, RIGHT[0])
        + block(70, 640, *RIGHT[1:])
        + block(85, 604, *LEFT[:1])
        + block(70, 592, *LEFT[1:])
    )

    assert texts(read(pdf(content))) == [" ".join(LEFT), " ".join(RIGHT), " ".join(LEFT)]


def test_a_table_is_read_row_by_row():
    rows = [("Item", "Price", "Stock"), ("Apples", "1.20", "14"), ("Pears", "2.50", "7"), ("Plums", "3.10", "none")]
    table = "".join(
        at(x, 600 - 14 * n, cell) for n, row in enumerate(rows) for x, cell in zip((70, 200, 300), row, strict=True)
    )

    result = kinds(read(pdf(block(70, 700, *LEFT) + table + block(70, 500, *RIGHT))))

    assert result[1] == ("table", "Item\tPrice\tStock\nApples\t1.20\t14\nPears\t2.50\t7\nPlums\t3.10\tnone")
    assert len(result) == 3


def test_the_cells_of_a_ruled_table_hold_several_lines():
    walls = "".join(f"{x} 560 m {x} 620 l S\n" for x in (68, 150, 400))
    rules = "".join(f"68 {y} m 400 {y} l S\n" for y in (620, 605, 560))
    text = (
        at(70, 609, "Word")
        + at(152, 609, "Meaning")
        + at(70, 590, "treaty")
        + block(152, 594, "a contract between two or", "more states")
    )

    result = kinds(read(pdf(block(70, 700, *LEFT) + walls + rules + text)))

    assert result[1] == ("table", "Word\tMeaning\ntreaty\ta contract between two or more states")


def test_a_table_of_contents_has_one_entry_a_paragraph_without_dots():
    lines = [f"{n} Chapter of the book {'. ' * 40} {n * 7}" for n in range(1, 5)]

    assert kinds(read(pdf(block(70, 700, *lines)))) == [
        ("list", f"{n} Chapter of the book {n * 7}") for n in range(1, 5)
    ]


def test_turned_pages_and_stamps_along_the_margin_are_read():
    upright = block(70, 700, *LEFT)
    stamp = "BT /F 10 Tf 0 1 -1 0 30 300 Tm (arXiv:1234) Tj ET\n"
    turned = "".join(f"BT /F 10 Tf 0 1 -1 0 {100 + 12 * n} 100 Tm ({line}) Tj ET\n" for n, line in enumerate(RIGHT))

    assert texts(read(pdf(stamp + upright))) == [" ".join(LEFT), "arXiv:1234"]
    assert texts(read(pdf(turned, extra="/Rotate 90"))) == [" ".join(RIGHT)]


def test_hidden_text_is_kept_and_text_outside_of_the_page_is_not():
    content = (
        "BT 3 Tr /F 10 Tf 70 700 Td (Recognised words.) Tj ET\n" + at(70, 2000, "Outside.") + at(-300, 600, "Outside.")
    )

    assert texts(read(pdf(content))) == ["Recognised words."]


def test_raised_digits_do_not_become_part_of_a_number():
    content = at(70, 700, "It was signed in 1998") + at(164, 704, "2", size=6) + at(170, 700, "by all.")

    assert texts(read(pdf(content))) == ["It was signed in 1998² by all."]


def test_accents_that_are_drawn_over_a_letter_make_one_with_it():
    content = "BT /F 10 Tf 70 700 Td [(The caf) -110 (\xb4) 445 (e is open.)] TJ ET\n"

    assert texts(read(pdf(content))) == ["The café is open."]


def test_facts_come_from_the_file():
    info = "/Title(The Treaty)/Author(Ann Lee)/CreationDate(D:20260601120000Z)/Keywords(peace, arms)"

    result = read(pdf(block(70, 700, *LEFT), info=info, catalog="/Lang(en-GB)"))

    assert result.facts == (
        Fact("title", "The Treaty"),
        Fact("author", "Ann Lee"),
        Fact("date", "2026-06-01"),
        Fact("language", "en-GB"),
        Fact("tag", "peace"),
        Fact("tag", "arms"),
    )


def test_what_was_filled_into_a_form_is_read():
    field = b"<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(Ada Byron)/Rect[150 690 350 710]/F 4/DA(/F 10 Tf)>>"
    form = "/AcroForm<</Fields[10 0 R]/NeedAppearances true/DR<</Font<</F 4 0 R>>>>/DA(/F 10 Tf)>>"

    result = read(pdf(at(70, 695, "Your name:"), more=(field,), catalog=form, extra="/Annots[10 0 R]"))

    assert " ".join(texts(result)).split() == ["Your", "name:", "Ada", "Byron"]


def test_pages_that_are_pictures_are_named():
    text = block(70, 700, *LEFT)

    result = read(pdf(text, PICTURE, text, PICTURE, PICTURE, "", more=(GREY,)))

    assert result.warnings == ("has no text on pages 2, 4-5 (scanned?)",)


ENCRYPTION = "/Encrypt<</Filter/Standard/V 1/R 2/P -44/O<{0}>/U<{0}>>>/ID[<00><00>]".format("17" * 32)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "a.pdf is no PDF file or a broken one", id="empty-file"),
        pytest.param(b"%PDF-1.4\n1 0 obj\n<<", "a.pdf is no PDF file or a broken one", id="truncated"),
        pytest.param(pdf(""), "a.pdf is empty", id="no-text"),
        pytest.param(pdf(PICTURE, more=(GREY,)), r"a.pdf has no text.*--ocr.*ragkit-qa\[ocr\]", id="pictures"),
        pytest.param(
            pdf(LEFT[0], trailer=ENCRYPTION), "a.pdf is encrypted. Save a copy without a password", id="encrypted"
        ),
        pytest.param(pdf(*[""] * 5001), "a.pdf has more than 5,000 pages", id="too-long"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(data, message):
    with pytest.raises(DocumentError, match=message) as caught:
        read(data)

    assert "\n" not in str(caught.value)


def test_a_cut_off_file_gives_what_is_left_or_an_error():
    whole = pdf(block(70, 700, *LEFT), block(70, 700, *RIGHT))

    for end in range(0, len(whole), 97):
        try:
            assert set(texts(read(whole[:end]))) <= {" ".join(LEFT), " ".join(RIGHT)}
        except DocumentError:
            continue


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_the_content_the_spans_hold_its_text(data):
    number = st.integers(-50, 900)
    item = st.tuples(
        number, number, st.text("ab-1. •", max_size=12), st.sampled_from("FBC"), st.sampled_from((6, 10, 10, 18))
    )
    content = "".join(at(*item) for item in data.draw(st.lists(item, max_size=40)))
    lines = "".join(
        f"{x} {y} m {x + dx} {y + dy} l S\n"
        for x, y, dx, dy in data.draw(
            st.lists(st.tuples(number, number, st.sampled_from((0, 80)), st.sampled_from((0, 80))), max_size=12)
        )
    )

    try:
        result = read(pdf(content + lines))
    except DocumentError:
        return

    assert all(result.text[span.start : span.end].strip() for span in result.spans)
    assert [span.start for span in result.spans] == sorted(span.start for span in result.spans)


def test_a_missing_tesseract_is_named(monkeypatch):
    pytest.importorskip("pytesseract")
    monkeypatch.setenv("PATH", "")

    with pytest.raises(DocumentError, match=r"tesseract is missing. Install tesseract-ocr$"):
        read(pdf(PICTURE, more=(GREY,)), use_ocr=True)


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_a_scanned_page_is_recognised():
    pytest.importorskip("pytesseract")
    with pypdfium2.PdfDocument(pdf(block(70, 700, *LEFT, size=12) + block(70, 600, *RIGHT, size=12))) as document:
        bitmap = document[0].render(scale=200 / 72, grayscale=True)
        picture = image(bytes(bitmap.buffer), bitmap.stride, bitmap.height)
    scan = f"q {WIDTH} 0 0 {HEIGHT} 0 0 cm /I Do Q\n"

    result = read(pdf(block(70, 700, "The first page is text."), scan, more=(picture,)), use_ocr=True)

    assert texts(result) == ["The first page is text.", " ".join(LEFT), " ".join(RIGHT)]
    assert [span.place for span in result.spans] == ["page 1", "page 2 (recognised)", "page 2 (recognised)"]
    assert result.warnings == ()
