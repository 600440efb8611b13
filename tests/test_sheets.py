import datetime
from collections.abc import Callable
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from ragkit.errors import DocumentError
from ragkit.readers.extraction import Builder, Extracted, Source
from ragkit.readers.office import sheets
from ragkit.readers.office.cell_formats import built_in_format, parse_format, plain_number, shown
from ragkit.readers.office.odf import read_odf
from ragkit.readers.office.sheets import read_sheets
from ragkit.readers.rows import add_rows

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def read(data: bytes, name: str = "a.xlsx") -> Extracted:
    return read_sheets(Source(name, data, read_sheets))


def paragraphs(extracted: Extracted) -> list[str]:
    return [extracted.text[span.start : span.end] for span in extracted.spans]


def workbook(fill: Callable[[Worksheet], None]) -> bytes:
    """A workbook with one sheet, Costs."""
    book = openpyxl.Workbook()
    book.active.title = "Costs"
    fill(book.active)
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    data = BytesIO()
    book.save(data)
    return data.getvalue()


def handmade(sheet: str, strings: str = "", properties: str = "", **parts: str) -> bytes:
    """A workbook with one sheet, Costs, of XML written by hand."""
    relation = '<Relationship Id="{}" Type="' + RELATIONS + '/{}" Target="{}"/>'
    written = {
        "_rels/.rels": relations(relation.format("r1", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">{properties}'
        '<sheets><sheet name="Costs" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relations(
            relation.format("r1", "worksheet", "worksheets/sheet1.xml")
            + relation.format("r2", "sharedStrings", "sharedStrings.xml")
        ),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}">{sheet}</worksheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{strings}</sst>',
        **parts,
    }
    return zipped(written)


def relations(content: str) -> str:
    return (
        f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{content}</Relationships>'
    )


def zipped(parts: dict[str, str]) -> bytes:
    data = BytesIO()
    with ZipFile(data, "w", ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return data.getvalue()


def rows_of(table: list[list[str]], *, expects_names: bool = True) -> list[str]:
    builder = Builder()
    add_rows(builder, table, place=lambda row: f"row {row}", expects_names=expects_names)
    extracted = builder.extracted()
    return [f"{span.place}: {extracted.text[span.start : span.end]}" for span in extracted.spans]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        pytest.param(
            [["Name", "Age"], ["Ann", "31"], ["Bob", ""]],
            ["row 2: Name: Ann; Age: 31", "row 3: Name: Bob"],
            id="names",
        ),
        pytest.param(
            [["Costs of the year"], ["Name", "Age"], ["Ann", "31"]],
            ["row 1: Costs of the year", "row 3: Name: Ann; Age: 31"],
            id="title-above",
        ),
        pytest.param(
            [["Ann", "31"], ["Bob", "40"]],
            ["row 1: Ann; 31", "row 2: Bob; 40"],
            id="no-names",
        ),
        pytest.param(
            [["Region", "2024", "2025"], ["North", "5", "6.5"]],
            ["row 2: Region: North; 2024: 5; 2025: 6.5"],
            id="years-as-names",
        ),
        pytest.param(
            [["Ann", "1990"], ["Bob", "1985"]],
            ["row 1: Ann; 1990", "row 2: Bob; 1985"],
            id="years-as-values",
        ),
        pytest.param(
            [["", "Q1", "Q2"], ["North", "1", "2"]],
            ["row 2: North; Q1: 1; Q2: 2"],
            id="column-without-a-name",
        ),
        pytest.param(
            [["A", "A", "B"], ["x", "y", "z"]],
            ["row 1: A; A; B", "row 2: x; y; z"],
            id="not-distinct",
        ),
        pytest.param(
            [["Name", "Age"], ["Ann", "31"], [], ["Item", "Price", "Shop"], ["Tea", "3", "Hall"]],
            ["row 2: Name: Ann; Age: 31", "row 5: Item: Tea; Price: 3; Shop: Hall"],
            id="two-tables",
        ),
        pytest.param(
            [["Name", "Age"], ["Ann", "31"], ["", ""], ["Bob", "40"]],
            ["row 2: Name: Ann; Age: 31", "row 4: Name: Bob; Age: 40"],
            id="empty-row-within-a-table",
        ),
        pytest.param(
            [["Name", "Age"], ["Ann", "31"], ["Name", "Age"], ["Bob", "40"]],
            ["row 2: Name: Ann; Age: 31", "row 4: Name: Bob; Age: 40"],
            id="names-repeated",
        ),
        pytest.param([["One"], [], ["Two"]], ["row 1: One", "row 3: Two"], id="one-column"),
        pytest.param([["Name", "Age"]], ["row 1: Name; Age"], id="nothing-but-names"),
        pytest.param(
            [["Name:", "Ann", "Born:", "1990-01-02"], ["City:", "Rome", "Job:", "Cook"]],
            ["row 1: Name: Ann; Born: 1990-01-02", "row 2: City: Rome; Job: Cook"],
            id="form",
        ),
        pytest.param(
            [[" Name\u00a0", "Note"], ["Ann", "two\nlines\x00 \u00adhere"]],
            ["row 2: Name: Ann; Note: two lines here"],
            id="untidy-cells",
        ),
        pytest.param([["Name", "Age"], ["Ann", "31", "tall"]], ["row 2: Name: Ann; Age: 31; tall"], id="more-cells"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_each_row_is_a_paragraph_that_names_its_cells(table, expected):
    assert rows_of(table) == expected


def test_two_columns_of_text_may_be_a_form():
    table = [["Name", "Ann"], ["City", "Rome"]]

    assert rows_of(table, expects_names=True) == ["row 2: Name: City; Ann: Rome"]
    assert rows_of(table, expects_names=False) == ["row 1: Name; Ann", "row 2: City; Rome"]


def test_names_hold_for_all_rows_of_a_long_table():
    rows = rows_of([["Name", "Age"], *([f"P{number}", str(number)] for number in range(100))])

    assert rows[-1] == "row 101: Name: P99; Age: 99"


def test_cells_are_as_a_person_would_write_them():
    def fill(sheet: Worksheet) -> None:
        sheet.append(["Kind", "Value", "More"])
        sheet.append(["whole", 31, 31.0])
        sheet.append(["noise", 0.1 + 0.2, 1234.5])
        sheet.append(["share", 0.25, -0.125])
        sheet.append(["day", datetime.date(2026, 6, 1), datetime.datetime(2026, 6, 1, 12, 30)])
        sheet.append(["time", datetime.time(3, 4), datetime.timedelta(hours=30)])
        sheet.append(["truth", True, False])
        sheet.append(["error", "#DIV/0!", "#N/A"])
        sheet["B4"].number_format, sheet["C4"].number_format = "0%", "0.0%"

    extracted = read(workbook(fill))

    assert paragraphs(extracted) == [
        "Kind: whole; Value: 31; More: 31",
        "Kind: noise; Value: 0.3; More: 1234.5",
        "Kind: share; Value: 25%; More: -12.5%",
        "Kind: day; Value: 2026-06-01; More: 2026-06-01 12:30",
        "Kind: time; Value: 03:04; More: 30:00",
        "Kind: truth; Value: TRUE; More: FALSE",
        "Kind: error; Value: #DIV/0!; More: #N/A",
    ]
    assert {(span.kind, span.headings) for span in extracted.spans} == {("table", ("Costs",))}


@pytest.mark.parametrize(
    ("number", "code", "expected"),
    [
        ("31", "General", "31"),
        ("1234.5", '#,##0.00 "€"', "1234.50 €"),
        ("1234.5", "[$$-409]#,##0.00", "$1234.50"),
        ("-5", "[$€-407] 0.00;[Red]-[$€-407] 0.00", "-€ 5.00"),
        ("-5", "0.00_);(0.00)", "-5.00"),
        ("2.5", "0", "3"),
        ("2.5", "0.##", "2.5"),
        ("7", "00000", "00007"),
        ("12", '0 "kg"', "12 kg"),
        ("12", 'General" kg"', "12 kg"),
        ("1234567", '0.0,,"m"', "1.2m"),
        ("0.5", "# ?/?", "0.5"),
        ("12345", "0.00E+00", "12345"),
        ("1", '"Yes";"Yes";"No"', "1"),
        ("5", "[>100]0.0;0", "5"),
        ("46174", "d. mmmm yyyy", "2026-06-01"),
        ("46174.75", "dd/mm/yyyy hh:mm", "2026-06-01 18:00"),
        ("0.75", "h:mm AM/PM", "18:00"),
        ("0.5000116", "mm:ss", "12:00:01"),
        ("59", "yyyy-mm-dd", "1900-02-28"),
        ("61", "yyyy-mm-dd", "1900-03-01"),
        ("-1", "yyyy-mm-dd", "-1"),
        ("9e99", "yyyy-mm-dd", "9e+99"),
        ("text", "0.00", "text"),
        ("1e400", "0.00", "1e400"),
    ],
)
def test_a_format_shows_a_number_as_the_sheet_does(number, code, expected):
    assert shown(number, parse_format(code)) == expected


def test_formats_may_be_named_by_number_and_days_counted_from_1904():
    assert shown("0.25", built_in_format(9)) == "25%"
    assert shown("46174", built_in_format(14)) == "2026-06-01"
    assert shown("44712", built_in_format(14), is_1904=True) == "2026-06-01"
    assert shown("31", built_in_format(999)) == "31"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("31.0", "31"),
        ("0.30000000000000004", "0.3"),
        ("1E-05", "0.00001"),
        ("1.5e20", "150000000000000000000"),
        ("-0", "0"),
        ("12 apples", "12 apples"),
        ("", ""),
    ],
)
def test_a_number_is_written_without_noise(text, expected):
    assert plain_number(text) == expected


def test_every_sheet_is_read_and_each_row_says_where_it_stands():
    book = openpyxl.Workbook()
    book.active.title = "Costs"
    book.active["B12"] = "rent"
    for title, state in (("Plans", "hidden"), ("Secret", "veryHidden")):
        book.create_sheet(title).append(["word", title])
        book[title].sheet_state = state
    book.create_chartsheet("Chart")

    extracted = read(saved(book))

    assert [(span.place, text) for span, text in zip(extracted.spans, paragraphs(extracted), strict=True)] == [
        ("sheet Costs, row 12", "rent"),
        ("sheet Plans (hidden), row 1", "word; Plans"),
        ("sheet Secret (hidden), row 1", "word; Secret"),
    ]


def test_merged_cells_are_said_in_each_row_they_reach_into():
    def fill(sheet: Worksheet) -> None:
        for row in (
            ["Costs 2026", None, None],
            ["Region", "City", "Cost"],
            ["North", "Oslo", 1],
            [None, "Bergen", 2],
            ["South", "Rome", 3],
        ):
            sheet.append(row)
        sheet.merge_cells("A1:C1")
        sheet.merge_cells("A3:A4")

    assert paragraphs(read(workbook(fill))) == [
        "Costs 2026",
        "Region: North; City: Oslo; Cost: 1",
        "Region: North; City: Bergen; Cost: 2",
        "Region: South; City: Rome; Cost: 3",
    ]


def test_formulas_give_the_value_they_had_and_texts_come_in_all_forms():
    data = handmade(
        '<sheetData><row r="3"><c r="A3"><f>1+1</f><v>2</v></c><c r="B3" t="str"><f>A1&amp;"x"</f><v>ax</v></c>'
        '<c r="C3" t="s"><v>0</v></c><c t="s"><v>1</v></c>'
        '<c t="inlineStr"><is><r><t>in</t></r><r><t>line</t></r></is></c><c t="d"><v>2026-06-01T00:00:00</v></c>'
        '<c t="s"><v>99</v></c><c t="s"><v>x</v></c><c s="7"><v>5</v></c></row></sheetData>',
        strings="<si><t>a </t></si><si><r><t>b_x000D_</t></r><r><t>c</t></r><rPh><t>no</t></rPh></si>",
    )

    extracted = read(data)

    assert paragraphs(extracted) == ["2; ax; a; b c; inline; 2026-06-01; 5"]
    assert extracted.spans[0].place == "sheet Costs, row 3"


def test_days_are_counted_from_1904_where_the_workbook_says_so():
    styles = f'<styleSheet xmlns="{MAIN}"><cellXfs><xf numFmtId="14"/></cellXfs></styleSheet>'
    relation = f'<Relationship Id="{{}}" Type="{RELATIONS}/{{}}" Target="{{}}"/>'
    links = relation.format("r1", "worksheet", "worksheets/sheet1.xml") + relation.format("r3", "styles", "styles.xml")
    data = handmade(
        '<sheetData><row><c s="0"><v>44712</v></c></row></sheetData>',
        properties='<workbookPr date1904="1"/>',
        **{"xl/styles.xml": styles, "xl/_rels/workbook.xml.rels": relations(links)},
    )

    assert paragraphs(read(data)) == ["2026-06-01"]


def test_macros_are_left_alone():
    book = BytesIO(workbook(lambda sheet: sheet.append(["a", "b"])))
    with ZipFile(book, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0 a macro")

    assert paragraphs(read(book.getvalue(), "a.xlsm")) == ["a; b"]


def test_a_sheet_that_claims_all_cells_holds_only_those_it_has():
    data = handmade(
        '<dimension ref="A1:XFD1048576"/><sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
        '<row r="2"/><row r="1048576"><c r="XFD1048576"><v>2</v></c></row></sheetData>'
        '<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'
    )

    extracted = read(data)

    assert [span.place for span in extracted.spans] == ["sheet Costs, row 1", "sheet Costs, row 1048576"]


def test_what_is_too_much_of_a_sheet_is_left_out_with_a_warning(monkeypatch):
    monkeypatch.setattr(sheets, "MAX_CELLS", 5)

    extracted = read(workbook(lambda sheet: [sheet.append([row, row]) for row in range(4)]))

    assert paragraphs(extracted) == ["0; 0", "1; 1"]
    assert extracted.warnings == ("holds too much in sheet Costs: row 3 and what follows was left out",)


def test_one_long_text_in_many_cells_does_not_grow():
    cells = "".join('<c t="s"><v>0</v></c>' for _ in range(16_000))
    data = handmade(f"<sheetData><row>{cells}</row></sheetData>", strings=f"<si><t>{'long ' * 10_000}</t></si>")

    extracted = read(data)

    assert extracted.spans == []
    assert "holds too much in sheet Costs: row 1" in extracted.warnings[0]


ODF = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" ' + " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("text", "table", "style")
)


def read_ods(tables: str, styles: str = "") -> Extracted:
    content = (
        f"<office:document-content {ODF}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
    )
    return read_odf(Source("a.ods", zipped({"content.xml": content}), read_odf))


def cell(text: str, attributes: str = "") -> str:
    return f"<table:table-cell {attributes}><text:p>{text}</text:p></table:table-cell>"


def test_opendocument_sheets_are_read_as_they_show():
    table = (
        '<table:table table:name="Costs" table:style-name="ta1">'
        '<table:table-row table:number-rows-repeated="3"><table:table-cell table:number-columns-repeated="16384"/>'
        f"</table:table-row><table:table-row>{cell('Region')}{cell('When')}{cell('Open')}{cell('Share')}</table:table-row>"
        "<table:table-row>"
        + cell("North", 'table:number-rows-spanned="2"')
        + cell("1. Juni", 'office:value-type="date" office:date-value="2026-06-01"')
        + cell("WAHR", 'office:value-type="boolean" office:boolean-value="true"')
        + cell("25<text:s/>%", 'office:value-type="percentage" office:value="0.25"')
        + "</table:table-row><table:table-row><table:covered-table-cell/><table:table-cell/>"
        + cell("no", 'table:number-columns-repeated="2"')
        + "</table:table-row></table:table>"
    )
    hidden = '<style:style style:name="ta1"><style:table-properties table:display="false"/></style:style>'

    extracted = read_ods(table, hidden)

    assert paragraphs(extracted) == [
        "Region: North; When: 2026-06-01; Open: TRUE; Share: 25 %",
        "Region: North; Open: no; Share: no",
    ]
    assert [span.place for span in extracted.spans] == ["sheet Costs (hidden), row 5", "sheet Costs (hidden), row 6"]


def test_cells_that_an_opendocument_sheet_claims_to_repeat_are_bounded(monkeypatch):
    monkeypatch.setattr(sheets, "MAX_CELLS", 40_000)
    row = '<table:table-row table:number-rows-repeated="1048576">'
    wide = cell("x", 'table:number-columns-repeated="999999999"')

    extracted = read_ods(f'<table:table table:name="T">{row}{wide}</table:table-row></table:table>')

    assert len(extracted.spans) == 2  # of 16,384 cells each
    assert extracted.warnings


ENTITIES = (
    '<!DOCTYPE w [<!ENTITY a "secret"><!ENTITY b SYSTEM "file:///etc/passwd">]>'
    f'<worksheet xmlns="{MAIN}"><sheetData><row><c t="str"><v>x&a;&b;y</v></c></row></sheetData></worksheet>'
)


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        pytest.param(
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "a.xls",
            "a.xls is an old binary Office file. Save it as .xlsx",
            id="xls",
        ),
        pytest.param(b"a,b\n1,2\n", "a.xlsx", "no Excel workbook, or it is damaged", id="text"),
        pytest.param(zipped({"a.txt": "a"}), "a.xlsx", "no part xl/workbook.xml", id="zip"),
        pytest.param(
            zipped(
                {
                    "_rels/.rels": relations(f'<R Type="{RELATIONS}/officeDocument" Target="xl/workbook.bin"/>'),
                    "xl/workbook.bin": "x",
                }
            ),
            "a.xlsb",
            "is a binary workbook. Save it as .xlsx",
            id="xlsb",
        ),
        pytest.param(
            handmade("<sheetData><row>"), "a.xlsx", "part xl/worksheets/sheet1.xml cannot be made out", id="broken-xml"
        ),
        pytest.param(
            handmade("", **{"xl/worksheets/sheet1.xml": ENTITIES}), "a.xlsx", "cannot be made out", id="entities"
        ),
        pytest.param(
            zipped({"xl/workbook.xml": "<document/>"}), "a.xlsx", "is no Excel workbook", id="another-document"
        ),
    ],
)
def test_what_is_no_workbook_is_refused(data, name, message):
    with pytest.raises(DocumentError, match=message):
        read(data, name)


def test_deep_nesting_in_a_sheet_does_no_harm():
    deep = "<a>" * 10_000 + "</a>" * 10_000

    assert paragraphs(read(handmade(f"<sheetData><row><c><v>1</v></c></row></sheetData>{deep}"))) == ["1"]
