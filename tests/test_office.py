import random
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import docx
import pytest
from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Cm

from ragkit.errors import DocumentError
from ragkit.readers import packages
from ragkit.readers.extraction import Budget, Extracted, Source
from ragkit.readers.office.docx import read_docx
from ragkit.readers.office.odf import read_odf
from ragkit.readers.office.pptx import read_pptx

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
STRICT_WORD = "http://purl.oclc.org/ooxml/wordprocessingml/main"
NAMESPACES = 'xmlns:w="{}" xmlns:mc="urn:mc" xmlns:v="urn:v" xmlns:m="urn:m"'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
ODF = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" ' + " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in (
        *((name, name) for name in ("text", "table", "style", "presentation", "meta")),
        ("draw", "drawing"),
        ("svg", "svg-compatible"),
        ("dc", "dc"),
    )
)


def read(data: bytes, name: str = "a.docx") -> Extracted:
    readers: dict[str, Callable[[Source], Extracted]] = {"docx": read_docx, "docm": read_docx, "doc": read_docx}
    reader = readers.get(name[2:]) or (read_pptx if name.startswith("a.pp") else read_odf)
    return reader(Source(name, data, reader))


def paragraphs(extracted: Extracted) -> list[str]:
    return [extracted.text[span.start : span.end] for span in extracted.spans]


def outlined(extracted: Extracted) -> list[tuple[str, tuple[str, ...], str]]:
    return [(span.kind, span.headings, extracted.text[span.start : span.end]) for span in extracted.spans]


def word_file(fill: Callable[[Document], None]) -> bytes:
    document = docx.Document()
    fill(document)
    return saved(document)


def saved(document: object) -> bytes:
    data = BytesIO()
    document.save(data)  # type: ignore[attr-defined]
    return data.getvalue()


def zipped(parts: dict[str, str | bytes]) -> bytes:
    data = BytesIO()
    with ZipFile(data, "w", ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return data.getvalue()


def handmade(body: str, *, styles: str = "", footnotes: str = "", endnotes: str = "", namespace: str = WORD) -> bytes:
    """A Word file of XML written by hand."""
    names = NAMESPACES.format(namespace)
    kinds = ("styles", "footnotes", "endnotes")
    links = "".join(f'<Relationship Id="{kind}" Type="{RELATIONS}/{kind}" Target="{kind}.xml"/>' for kind in kinds)
    return zipped(
        {
            "word/document.xml": f"<w:document {names}><w:body>{body}</w:body></w:document>",
            "word/_rels/document.xml.rels": f"<Relationships>{links}</Relationships>",
            "word/styles.xml": f"<w:styles {names}>{styles}</w:styles>",
            "word/footnotes.xml": f"<w:footnotes {names}>{footnotes}</w:footnotes>",
            "word/endnotes.xml": f"<w:endnotes {names}>{endnotes}</w:endnotes>",
        }
    )


def p(*runs: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{''.join(runs)}</w:p>"


def r(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def text_box(text: str) -> str:
    return f"<w:txbxContent>{p(r(text))}</w:txbxContent>"


def either(better: str, simpler: str) -> str:
    versions = f"<mc:Choice>{better}</mc:Choice><mc:Fallback>{simpler}</mc:Fallback>"
    return f"<w:r><mc:AlternateContent>{versions}</mc:AlternateContent></w:r>"


def control(content: str, properties: str = "") -> str:
    return f"<w:sdt><w:sdtPr>{properties}</w:sdtPr><w:sdtContent>{content}</w:sdtContent></w:sdt>"


def table(*rows: list[str]) -> str:
    cells = ("".join(f"<w:tc>{cell}</w:tc>" for cell in row) for row in rows)
    return f"<w:tbl><w:tblPr/>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"


VANISH = "<w:vanish/>"
HIDING_STYLES = """
<w:style w:styleId="Secret" w:type="character"><w:name w:val="Secret"/><w:rPr><w:vanish/></w:rPr></w:style>
<w:style w:styleId="Loop"><w:basedOn w:val="Loop"/></w:style>
"""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            p(r("a "), f"<w:ins>{r('new')}</w:ins>", "<w:del><w:r><w:delText>old</w:delText></w:r></w:del>"),
            ["a new"],
            id="tracked",
        ),
        pytest.param(p(f"<w:moveFrom>{r('from')}</w:moveFrom>", f"<w:moveTo>{r('to')}</w:moveTo>"), ["to"], id="moved"),
        pytest.param(
            p(r("one "), properties="<w:rPr><w:del/></w:rPr>") + p(r("two")) + p(r("three")),
            ["one two", "three"],
            id="deleted-paragraph-end",
        ),
        pytest.param(
            p(r("seen"), r(" not", VANISH), r(" again", '<w:vanish w:val="0"/>')), ["seen again"], id="hidden"
        ),
        pytest.param(p(r("seen"), r(" not", '<w:rStyle w:val="Secret"/>')), ["seen"], id="hidden-by-style"),
        pytest.param(p(r("x"), properties='<w:pStyle w:val="Loop"/>'), ["x"], id="style-based-on-itself"),
        pytest.param(
            p(f"<w:hyperlink>{r('link')}</w:hyperlink>", f"<w:smartTag>{r('s')}</w:smartTag>"), ["links"], id="tag"
        ),
        pytest.param(control(p(r("filled in"))), ["filled in"], id="control"),
        pytest.param(control(p(r("Enter")), "<w:showingPlcHdr/>"), [], id="empty-control"),
        pytest.param(
            p(r("host"), either(text_box("in a box"), text_box("in a box")), r("ess")) + p(r("end")),
            ["hostess", "in a box", "end"],
            id="text-box",
        ),
        pytest.param(
            p(f"<w:r><w:pict><v:shape>{text_box('old')}</v:shape></w:pict></w:r>"), ["old"], id="old-text-box"
        ),
        pytest.param(p(either("", text_box("only"))), [], id="nothing-in-the-better-version"),
        pytest.param(
            p(
                "<w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:noBreakHyphen/><w:t>d</w:t><w:softHyphen/></w:r>"
            ),
            ["a\tb\nc-d"],
            id="characters",
        ),
        pytest.param(
            p(r("5\u00a0km  soft\u00adly \u200bdone\u2028next")), ["5 km softly done\nnext"], id="spaces-and-line-ends"
        ),
        pytest.param(
            p('<w:r><w:sym w:char="F0E0"/><w:sym w:char="00E9"/><w:sym w:char="x"/><w:sym/></w:r>'),
            ["→é"],
            id="symbols",
        ),
        pytest.param(
            p(
                "<w:r><w:fldChar/><w:instrText>PAGE</w:instrText></w:r>",
                r("7"),
                f"<w:fldSimple>{r(' of 9')}</w:fldSimple>",
            ),
            ["7 of 9"],
            id="fields",
        ),
        pytest.param(p("<m:oMath><m:r><m:t>x=2</m:t></m:r></m:oMath>"), ["x=2"], id="formula"),
        pytest.param(
            p(f"<w:r><w:ruby><w:rt>{r('kana')}</w:rt><w:rubyBase>{r('字')}</w:rubyBase></w:ruby></w:r>"),
            ["字"],
            id="ruby",
        ),
        pytest.param(p("<w:r><w:commentReference/></w:r>", r("text")), ["text"], id="comment"),
    ],
)
def test_a_word_file_holds_the_text_that_is_to_be_seen(body, expected):
    assert paragraphs(read(handmade(body, styles=HIDING_STYLES))) == expected


def test_headings_and_lists_of_a_word_file_are_told_by_style():
    def fill(document: Document) -> None:
        derived = document.styles.add_style("Kapitel", WD_STYLE_TYPE.PARAGRAPH)
        derived.base_style = document.styles["Heading 1"]
        document.add_heading("Report", 0)
        document.add_paragraph("Costs", style="Kapitel")
        document.add_heading("Rent", 2)
        document.add_paragraph("It rose.")
        document.add_paragraph("By half", style="List Bullet")
        document.add_paragraph("Gains", style="Heading 1")
        document.add_paragraph("None.")

    assert outlined(read(word_file(fill))) == [
        ("heading", (), "Report"),
        ("heading", ("Report",), "Costs"),
        ("heading", ("Report", "Costs"), "Rent"),
        ("prose", ("Report", "Costs", "Rent"), "It rose."),
        ("list", ("Report", "Costs", "Rent"), "By half"),
        ("heading", ("Report",), "Gains"),
        ("prose", ("Report", "Gains"), "None."),
    ]


def test_headings_and_lists_of_a_word_file_are_told_by_outline_level_and_numbering():
    styles = """
    <w:style w:styleId="berschrift2"><w:name w:val="heading 2"/></w:style>
    <w:style w:styleId="Own"><w:name w:val="Own"/><w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:style>
    <w:style w:styleId="Body"><w:basedOn w:val="Own"/><w:pPr><w:outlineLvl w:val="9"/></w:pPr></w:style>
    <w:style w:styleId="Item"><w:pPr><w:numPr><w:numId w:val="3"/></w:numPr></w:pPr></w:style>"""
    body = "".join(
        p(r(text), properties=properties)
        for text, properties in [
            ("One", '<w:pStyle w:val="Own"/>'),
            ("Two", '<w:pStyle w:val="berschrift2"/>'),
            ("text", '<w:pStyle w:val="Body"/>'),
            ("also text", '<w:pStyle w:val="Own"/><w:outlineLvl w:val="9"/>'),
            ("item", '<w:pStyle w:val="Item"/>'),
            ("no item", '<w:pStyle w:val="Item"/><w:numPr><w:numId w:val="0"/></w:numPr>'),
            ("numbered", '<w:numPr><w:numId w:val="1"/></w:numPr>'),
            ("Three", '<w:outlineLvl w:val="0"/>'),
        ]
    )

    assert [(kind, text) for kind, _, text in outlined(read(handmade(body, styles=styles)))] == [
        ("heading", "One"),
        ("heading", "Two"),
        ("prose", "text"),
        ("prose", "also text"),
        ("list", "item"),
        ("prose", "no item"),
        ("list", "numbered"),
        ("heading", "Three"),
    ]


def test_a_long_heading_is_cut_in_the_path():
    extracted = read(word_file(lambda document: (document.add_heading("x" * 300, 1), document.add_paragraph("y"))))

    assert paragraphs(extracted)[0] == "x" * 300
    assert extracted.spans[1].headings == ("x" * 159 + "…",)


def test_each_row_of_a_word_table_is_a_paragraph():
    def fill(document: Document) -> None:
        rows = [["Name", "Age", "City"], ["Ann", "31", "Oslo\nNorway"], ["Bob", "40", ""], ["Together", "", "71"]]
        written = document.add_table(4, 3)
        for cells, texts in zip(written.rows, rows, strict=True):
            for cell, text in zip(cells.cells, texts, strict=True):
                cell.text = text
        written.cell(3, 0).merge(written.cell(3, 1)).text = "Together"

    assert outlined(read(word_file(fill))) == [
        ("table", (), "Name: Ann; Age: 31; City: Oslo Norway"),
        ("table", (), "Name: Bob; Age: 40"),
        ("table", (), "Name: Together; City: 71"),
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            table([p(r("a")), p(r("b")) + table([p(r("c")), p(r("d"))])], [p(r("e")), p(r("f"))]) + p(r("g")),
            ["a; b", "e; f", "c; d", "g"],
            id="nested",
        ),
        pytest.param(table([p(r("framed")) + p(r("text"))]), ["framed", "text"], id="frame"),
        pytest.param(
            table([p(r("a")), "<w:tcPr><w:vMerge/></w:tcPr>" + p(r("")), p(r("c"))], [p(r("d"))]),
            ["a; c", "d"],
            id="merged",
        ),
        pytest.param(
            f"<w:tbl><w:tr><w:tc>{p(r('a'))}</w:tc><w:tc>{p(r('b'))}</w:tc></w:tr>"
            f"<w:tr><w:trPr><w:del/></w:trPr><w:tc>{p(r('gone'))}</w:tc></w:tr></w:tbl>",
            ["a; b"],
            id="deleted-row",
        ),
        pytest.param(
            f"<w:tbl><w:sdt><w:sdtContent><w:tr><w:tc>{p(r('a'))}</w:tc><w:sdt><w:sdtContent><w:tc>{p(r('b'))}</w:tc>"
            "</w:sdtContent></w:sdt></w:tr></w:sdtContent></w:sdt></w:tbl>",
            ["a; b"],
            id="controls-around-rows-and-cells",
        ),
        pytest.param(
            f"<w:tbl><w:tr><w:trPr><w:tblHeader/></w:trPr><w:tc>{p(r('Term'))}</w:tc><w:tc>{p(r('Sense'))}</w:tc></w:tr>"
            f"<w:tr><w:tc>{p(r('SLA'))}</w:tc><w:tc>{p(r('promise'))}</w:tc></w:tr></w:tbl>",
            ["Term: SLA; Sense: promise"],
            id="row-of-names",
        ),
        pytest.param(f"<w:tc>{p(r('a'))}</w:tc><w:tr/>{p(r('b'))}<w:tbl><w:tc/></w:tbl>", ["b"], id="cells-astray"),
    ],
)
def test_tables_of_a_word_file_may_be_of_any_shape(body, expected):
    assert paragraphs(read(handmade(body))) == expected


def test_notes_of_a_word_file_follow_the_paragraph_that_refers_to_them():
    body = (
        p(r("First"), '<w:r><w:footnoteReference w:id="2"/></w:r>', r(" goes on."))
        + table([p(r("cell"), '<w:r><w:endnoteReference w:id="2"/></w:r>'), p(r("more"))])
        + p(r("Last"), '<w:r><w:footnoteReference w:id="99"/></w:r>')
    )
    footnotes = (
        f'<w:footnote w:id="0">{p(r("---"))}</w:footnote><w:footnote w:id="2">{p(r("See"))}{p(r("here"))}</w:footnote>'
    )

    extracted = read(handmade(body, footnotes=footnotes, endnotes=footnotes.replace("footnote", "endnote")))

    assert [(text, span.place) for text, span in zip(paragraphs(extracted), extracted.spans, strict=True)] == [
        ("First goes on.", ""),
        ("See", "footnote"),
        ("here", "footnote"),
        ("cell; more", ""),
        ("See", "endnote"),
        ("here", "endnote"),
        ("Last", ""),
    ]


def test_a_word_file_says_its_title_author_date_language_and_tags():
    def fill(document: Document) -> None:
        said = document.core_properties
        said.title, said.author, said.language, said.keywords = "The  Report", "Ann Lee", "en-GB", "rent, costs; "
        said.modified = said.created.replace(year=2026, month=6, day=1)
        document.add_paragraph("x")

    facts = read(word_file(fill)).facts

    assert [(fact.name, fact.value) for fact in facts] == [
        ("title", "The Report"),
        ("author", "Ann Lee"),
        ("date", "2026-06-01"),
        ("language", "en-GB"),
        ("tag", "rent"),
        ("tag", "costs"),
    ]


def test_headers_footers_and_comments_are_left_out():
    def fill(document: Document) -> None:
        document.sections[0].header.paragraphs[0].text = "Header"
        document.sections[0].footer.paragraphs[0].text = "Footer"
        document.add_comment(document.add_paragraph("Body").runs, text="Remark")

    assert paragraphs(read(word_file(fill))) == ["Body"]


def test_files_with_macros_and_files_of_the_strict_format_are_read():
    macro = BytesIO(word_file(lambda document: document.add_paragraph("Body")))
    with ZipFile(macro, "a") as archive:
        archive.writestr("word/vbaProject.bin", b"\xd0\xcf\x11\xe0 a macro")

    assert paragraphs(read(macro.getvalue(), "a.docm")) == ["Body"]
    assert paragraphs(read(handmade(p(r("Body")), namespace=STRICT_WORD))) == ["Body"]


def deck(fill: Callable[[object], None]) -> Extracted:
    presentation = Presentation()
    fill(presentation)
    return read(saved(presentation), "a.pptx")


def add_text(shapes: object, text: str, left: float, top: float) -> None:
    shapes.add_textbox(Cm(left), Cm(top), Cm(3), Cm(1)).text_frame.text = text  # type: ignore[attr-defined]


def test_a_slide_is_read_under_its_title_from_top_to_bottom_and_left_to_right():
    def fill(presentation: object) -> None:
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        add_text(slide.shapes, "bottom", 1, 18)
        add_text(slide.shapes, "top right", 12, 0.2)
        add_text(slide.shapes, "top left", 1, 0.4)
        group = slide.shapes.add_group_shape()
        add_text(group.shapes, "second in group", 1, 17)
        add_text(group.shapes, "first in group", 1, 16)
        slide.placeholders[1].text = "point\nother point"
        slide.shapes.title.text = "Plan"
        slide.notes_slide.notes_text_frame.text = "Speak slowly."

    extracted = deck(fill)

    assert outlined(extracted) == [
        ("heading", (), "Plan"),
        ("prose", ("Plan",), "top left"),
        ("prose", ("Plan",), "top right"),
        ("list", ("Plan",), "point"),
        ("list", ("Plan",), "other point"),
        ("prose", ("Plan",), "first in group"),
        ("prose", ("Plan",), "second in group"),
        ("prose", ("Plan",), "bottom"),
        ("prose", ("Plan",), "Speak slowly."),
    ]
    assert {span.page for span in extracted.spans} == {1}
    assert [extracted.spans[0].place, extracted.spans[-1].place] == ["slide 1", "slide 1, notes"]


def test_tables_and_charts_of_a_slide_give_a_paragraph_for_each_row():
    def fill(presentation: object) -> None:
        shapes = presentation.slides.add_slide(presentation.slide_layouts[6]).shapes
        written = shapes.add_table(3, 2, Cm(1), Cm(1), Cm(9), Cm(3)).table
        for at, text in enumerate(["Name", "City", "Ann", "Oslo", "All", ""]):
            written.cell(at // 2, at % 2).text = text
        written.cell(2, 0).merge(written.cell(2, 1))
        data = CategoryChartData()
        data.categories = ["North", "South"]
        data.add_series("Costs", (0.1 + 0.2, 31.0))
        data.add_series("Gains", (4, 5))
        chart = shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Cm(1), Cm(9), Cm(9), Cm(5), data).chart
        chart.chart_title.text_frame.text = "Costs and gains"

    assert paragraphs(deck(fill)) == [
        "Name: Ann; City: Oslo",
        "Name: All",
        "Costs and gains",
        "North; Costs: 0.3; Gains: 4",
        "South; Costs: 31; Gains: 5",
    ]


def test_hidden_slides_say_so_and_slides_that_are_missing_are_warned_about():
    def fill(presentation: object) -> None:
        for text in ("one", "two"):
            add_text(presentation.slides.add_slide(presentation.slide_layouts[6]).shapes, text, 1, 1)
        presentation.slides[1]._element.set("show", "0")
        presentation.slides._sldIdLst.append(presentation.slides._sldIdLst.makeelement("{x}sldId"))

    extracted = deck(fill)

    assert [(span.page, span.place) for span in extracted.spans] == [(1, "slide 1"), (2, "slide 2 (hidden)")]
    assert extracted.warnings == ("lists a slide 3 that it does not hold",)


def opendocument(body: str, styles: str = "", meta: str = "") -> dict[str, str | bytes]:
    return {
        "content.xml": f"<office:document-content {ODF}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body>{body}</office:body></office:document-content>",
        "meta.xml": f"<office:document-meta {ODF}><office:meta>{meta}</office:meta></office:document-meta>",
    }


def test_an_opendocument_text_is_read_as_it_is_to_be_seen():
    body = """<office:text>
    <text:tracked-changes><text:changed-region><text:deletion><text:p>gone</text:p></text:deletion></text:changed-region>
    </text:tracked-changes><text:p text:style-name="P1">Report</text:p>
    <text:h text:outline-level="1">Costs</text:h>
    <text:p>It <text:span text:style-name="T1">was </text:span><text:span>rose<text:s text:c="2"/>by
      half</text:span><text:note text:note-class="endnote"><text:note-citation>i</text:note-citation>
      <text:note-body><text:p>In May.</text:p></text:note-body></text:note>.<text:line-break/>Then<text:tab/>fell
      <office:annotation><text:p>really?</text:p></office:annotation></text:p>
    <text:list><text:list-item><text:p>item</text:p><text:list><text:list-item><text:p>inner</text:p></text:list-item>
    </text:list></text:list-item></text:list>
    <text:section text:display="none"><text:p>hidden</text:p></text:section>
    <text:p><text:hidden-paragraph text:is-hidden="true"/>hidden</text:p>
    <text:p>ho<draw:frame><draw:text-box><text:p>boxed</text:p></draw:text-box><svg:desc>alt</svg:desc></draw:frame>st</text:p>
    <table:table><table:table-header-rows><table:table-row><table:table-cell><text:p>Name</text:p></table:table-cell>
    <table:table-cell><text:p>City</text:p></table:table-cell></table:table-row></table:table-header-rows>
    <table:table-row><table:covered-table-cell><text:p>no</text:p></table:covered-table-cell>
    <table:table-cell><text:p>Oslo</text:p></table:table-cell></table:table-row></table:table></office:text>"""
    styles = """<style:style style:name="P1" style:parent-style-name="Title"/>
    <style:style style:name="T1"><style:text-properties text:display="none"/></style:style>"""
    meta = """<dc:title>T</dc:title><meta:initial-creator>Ann</meta:initial-creator><dc:creator>Bob</dc:creator>
    <dc:date>2026-06-01T10:00:00</dc:date><meta:keyword>rent</meta:keyword><meta:keyword>costs</meta:keyword>"""

    extracted = read(zipped(opendocument(body, styles, meta)), "a.odt")

    assert outlined(extracted) == [
        ("heading", (), "Report"),
        ("heading", ("Report",), "Costs"),
        ("prose", ("Report", "Costs"), "It rose by half.\nThen\tfell"),
        ("prose", ("Report", "Costs"), "In May."),
        ("list", ("Report", "Costs"), "item"),
        ("list", ("Report", "Costs"), "inner"),
        ("prose", ("Report", "Costs"), "host"),
        ("prose", ("Report", "Costs"), "boxed"),
        ("table", ("Report", "Costs"), "City: Oslo"),
    ]
    assert [fact.value for fact in extracted.facts] == ["T", "Ann", "2026-06-01", "rent", "costs"]
    assert extracted.spans[3].place == "endnote"


def test_opendocument_slides_are_read_like_others():
    def frame(text: str, top: str, left: str = "1cm", kind: str = "") -> str:
        words = f"<draw:text-box><text:p>{text}</text:p></draw:text-box>"
        return f'<draw:frame presentation:class="{kind}" svg:x="{left}" svg:y="{top}">{words}</draw:frame>'

    shapes = (
        frame("low", "90mm")
        + f"<draw:g>{frame('right', '5cm', '9cm')}{frame('left', '5.1cm')}</draw:g>"
        + frame("Plan", "1in", kind="title")
        + frame("7", "20cm", kind="page-number")
    )
    notes = f"<presentation:notes>{frame('Speak slowly.', '1cm', kind='notes')}</presentation:notes>"
    pages = f'<draw:page draw:style-name="dp1">{shapes}{notes}</draw:page><draw:page>{frame("two", "x")}</draw:page>'
    hidden = '<style:drawing-page-properties presentation:visibility="hidden"/>'
    styles = f'<style:style style:name="dp1">{hidden}</style:style>'

    extracted = read(zipped(opendocument(f"<office:presentation>{pages}</office:presentation>", styles)), "a.odp")

    places = ((span.page, span.place, text) for span, text in zip(extracted.spans, paragraphs(extracted), strict=True))
    assert list(places) == [
        (1, "slide 1 (hidden)", "Plan"),
        (1, "slide 1 (hidden)", "left"),
        (1, "slide 1 (hidden)", "right"),
        (1, "slide 1 (hidden)", "low"),
        (1, "slide 1 (hidden), notes", "Speak slowly."),
        (2, "slide 2", "two"),
    ]


HELLO = handmade(p(r("Hello")))
OVERWRITTEN = HELLO[:60] + b"\0" * 40 + HELLO[100:]
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500
ENCRYPTED = OLE + "EncryptedPackage".encode("utf-16-le")
ENCRYPTED_ODF = zipped({**opendocument(""), "META-INF/manifest.xml": '<encryption-data checksum="x"/>'})
DEEP = "<w:sdt>" * 10_000 + p(r("x")) + "</w:sdt>" * 10_000
ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
LAUGHS = f'<!DOCTYPE d [<!ENTITY e0 "ha">{ENTITIES}]><d>&e9;</d>'
OUTER_ENTITY = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><d>&x;</d>'


def with_document(xml: str | bytes) -> bytes:
    return zipped({"word/document.xml": xml})


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        pytest.param(b"", "a.docx", "a.docx is no Word document, or it is damaged", id="empty"),
        pytest.param(b"%PDF-1.7 x", "a.pptx", "no PowerPoint file, or it is damaged. Open it in the program", id="pdf"),
        pytest.param(HELLO[:-30], "a.docx", "no Word document, or it is damaged", id="cut-off"),
        pytest.param(OVERWRITTEN, "a.docx", "a.docx is damaged: its part word/document.xml", id="overwritten"),
        pytest.param(HELLO, "a.pptx", "no part ppt/presentation.xml", id="another-document"),
        pytest.param(zipped({"a": "b"}), "a.odt", "a.odt is no OpenDocument file", id="another-zip"),
        pytest.param(with_document("<w:document"), "a.docx", "word/document.xml cannot be made out", id="broken-xml"),
        pytest.param(with_document("<html/>"), "a.docx", "is no Word document. Check what it is", id="another-root"),
        pytest.param(handmade(DEEP), "a.docx", "cannot be made out", id="nested-too-deeply"),
        pytest.param(OLE, "a.doc", "a.doc is an old binary Office file. Save it as .docx", id="old-doc"),
        pytest.param(OLE, "a.ppt", "an old binary Office file. Save it as .pptx", id="old-ppt"),
        pytest.param(ENCRYPTED, "a.docx", "is encrypted. Save it without a password", id="encrypted"),
        pytest.param(ENCRYPTED_ODF, "a.odt", "is encrypted. Save it without a password", id="encrypted-odf"),
        pytest.param(with_document(LAUGHS), "a.docx", "cannot be made out", id="billion-laughs"),
        pytest.param(with_document(OUTER_ENTITY), "a.docx", "cannot be made out", id="outer-entity"),
        pytest.param(with_document(OUTER_ENTITY.encode("utf-16")), "a.docx", "cannot be made out", id="wide-entity"),
    ],
)
def test_what_cannot_be_read_is_refused_with_advice(data, name, message):
    with pytest.raises(DocumentError, match=message):
        read(data, name)


def bomb(said_bytes: int) -> bytes:
    """A Word file whose text is three billion zeros, of which its directory says so many."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    packed = first + block * 2_999 + b"\x03\x00"
    data = BytesIO()
    with ZipFile(data, "w") as archive:
        archive.writestr("word/document.xml", packed)
    patched = bytearray(data.getvalue())
    for start, method in ((0, 8), (patched.index(b"PK\x01\x02"), 10)):
        patched[start + method : start + method + 2] = (8).to_bytes(2, "little")
        size = start + method + 14
        patched[size : size + 4] = said_bytes.to_bytes(4, "little")
    return bytes(patched)


@pytest.mark.parametrize(
    ("said_bytes", "message"),
    [
        pytest.param(3_000 * 2**20, "that unpack to 3,145,728,000, which no document does", id="says-so"),
        pytest.param(200, "is damaged: its part word/document.xml cannot be made out", id="lies"),
    ],
)
def test_a_zip_bomb_is_not_unpacked(said_bytes, message):
    data = bomb(said_bytes)
    tracemalloc.start()

    with pytest.raises(DocumentError, match=message):
        read(data)

    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_no_more_is_unpacked_than_a_file_may_hold():
    budget = Budget(bytes=1_000)
    source = Source("a.docx", handmade(p(r("word " * 1_000))), read_docx, budget)

    with pytest.raises(DocumentError, match="unpacks to more than"):
        read_docx(source)


def test_a_zip_with_too_many_members_is_not_opened():
    with pytest.raises(DocumentError, match="more than 20,000 files, which no Word document does"):
        read(b"PK\x03\x04" + b"PK\x01\x02" * 20_001)


def test_a_part_of_too_many_elements_is_refused(monkeypatch):
    monkeypatch.setattr(packages, "MAX_NODES", 100)

    with pytest.raises(DocumentError, match=r"too large: word/document\.xml has too many elements"):
        read(handmade(p(r("x")) * 50))


ITEMS = "<text:list><text:list-item><text:p>a</text:p></text:list-item></text:list>"
SEEDS = {
    "a.docx": handmade(p(r("x"), either(text_box("y"), "")) + table([p(r("a")), p(r("b"))]), styles=HIDING_STYLES),
    "a.pptx": saved(Presentation()),
    "a.odt": zipped(opendocument(f"<office:text>{ITEMS}</office:text>")),
}


@pytest.mark.parametrize("name", SEEDS)
def test_damage_never_raises_anything_but_a_document_error(name):
    randomness = random.Random(0)
    with ZipFile(BytesIO(SEEDS[name])) as archive:
        parts = {member: archive.read(member) for member in archive.namelist()}
    for _ in range(60):
        member = randomness.choice([part for part in parts if part.endswith((".xml", ".rels"))])
        content = bytearray(parts[member])
        for _ in range(3):
            content[randomness.randrange(len(content))] = randomness.choice(b"<>/=\"' a0\xff")
        with suppress(DocumentError):
            read(zipped({**parts, member: bytes(content)}), name)
