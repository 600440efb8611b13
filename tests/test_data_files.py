import csv
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragkit.errors import DocumentError
from ragkit.readers.csv_rows import read_csv
from ragkit.readers.extraction import Extracted, Source
from ragkit.readers.json_records import MAX_DEPTH, MAX_PARAGRAPH_CHARS, read_json, read_jsonl
from ragkit.readers.notebook import MAX_OUTPUT_CHARS, read_notebook

READERS = {"json": read_json, "jsonl": read_jsonl, "ipynb": read_notebook, "csv": read_csv, "tsv": read_csv}
LONG = "The treaty was signed in Geneva after nine days of talks, and both sides withdrew their weapons. " * 3
LONG = LONG.strip()


def read(name: str, data: str | bytes | dict | list) -> Extracted:
    if isinstance(data, dict | list):
        data = json.dumps(data)
    data = data if isinstance(data, bytes) else data.encode()
    found = READERS[name.rpartition(".")[2]](Source(name, data, lambda source: Extracted("", [])))
    position = 0
    for span in found.spans:
        assert position <= span.start < span.end <= len(found.text)
        position = span.end
    found.text.encode()
    return found


def texts(found: Extracted) -> list[str]:
    return [found.text[span.start : span.end] for span in found.spans]


def placed(found: Extracted) -> list[tuple[str, str]]:
    return [(span.place, found.text[span.start : span.end]) for span in found.spans]


def shown(found: Extracted) -> list[tuple[str, tuple[str, ...], str, str]]:
    return [(span.kind, span.headings, span.place, found.text[span.start : span.end]) for span in found.spans]


def test_a_list_of_objects_is_records():
    people = [
        {"name": "Ann", "age": 31, "address": {"city": "Oslo", "zip": "0150"}, "tags": ["a", "b"], "phone": None},
        {"name": "Bob", "is_member": True, "orders": [{"item": "pen"}, {"item": "ink"}], "note": "", "left": []},
    ]

    assert shown(read("a.json", people)) == [
        ("table", (), "record 1", "name: Ann; age: 31; address.city: Oslo; address.zip: 0150; tags: a, b"),
        ("table", (), "record 2", "name: Bob; is_member: true; orders.1.item: pen; orders.2.item: ink"),
    ]


def test_an_object_is_a_page_with_sections():
    config = {
        "name": "ragkit",
        "ports": [80, 443],
        "limits": {"memory": "2 GB", "retry": {"times": 3}},
        "people": [{"name": "Ann"}, "Bob"],
    }

    assert shown(read("a.json", config)) == [
        ("table", (), "", "name: ragkit; ports: 80, 443"),
        ("table", ("limits",), "", "memory: 2 GB"),
        ("table", ("limits", "retry"), "", "times: 3"),
        ("table", ("people",), "record 1", "name: Ann"),
        ("table", ("people",), "record 2", "Bob"),
    ]


def test_long_texts_are_paragraphs_under_the_name_of_their_record():
    found = read("a.json", [{"id": 7, "Title": "Peace", "body": f"{LONG}\n\n{LONG}", "note": "One.\n\nTwo."}])

    assert shown(found) == [
        ("table", (), "record 1", "id: 7; Title: Peace"),
        ("prose", ("Peace",), "record 1, body", LONG),
        ("prose", ("Peace",), "record 1, body", LONG),
        ("prose", ("Peace",), "record 1, note", "One."),
        ("prose", ("Peace",), "record 1, note", "Two."),
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param('{"a": 1.50, "b": 1e400, "c": -0}', ["a: 1.50; b: 1e400; c: -0"], id="numbers-as-written"),
        pytest.param('{"a": 1, "a": 2}', ["a: 1; a: 2"], id="a-name-twice"),
        pytest.param('{"a": NaN, "b": -Infinity}', ["a: NaN; b: -Infinity"], id="not-a-number"),
        pytest.param('{"a": ' + "9" * 10_000 + "}", ["a: " + "9" * 199 + "…"], id="huge-number"),
        pytest.param('{"a": "' + "QUJD" * 1_000 + '"}', ["a: " + "QUJD" * 49 + "QUJ…"], id="data-in-base-64"),
        pytest.param(r'{"a": "x\ud800y", "b": "\ud83d\ude00"}', ["a: x\ufffdy; b: 😀"], id="half-a-character"),
        pytest.param('{"a": "x\\u0000\\u00a0 \\t\\u00ady\nz"}', ["a: x y z"], id="spaces-and-controls"),
        pytest.param('["a", "b", 3]', ["a, b, 3"], id="simple-list"),
        pytest.param('"text"', ["text"], id="text"),
        pytest.param('\ufeff{"a": 1}', ["a: 1"], id="byte-order-mark"),
        pytest.param('{"a": 1}\n{"a": 2}\n', ["a: 1", "a: 2"], id="a-value-a-line"),
        pytest.param("[{}, [], null, [[1], [2, 3]]]", ["1: 1; 2: 2, 3"], id="empty-and-nested-lists"),
        pytest.param("{}", [], id="nothing"),
    ],
)
def test_values_are_shown_as_they_are_written(written, expected):
    assert texts(read("a.json", written)) == expected


def test_a_long_record_is_several_paragraphs():
    found = read("a.json", [{f"field{number}": "x" * 90 for number in range(100)}, list(range(5_000))])

    assert len(found.spans) > 10
    assert {span.place for span in found.spans} == {"record 1", "record 2"}
    assert max(map(len, texts(found))) < 1.2 * MAX_PARAGRAPH_CHARS
    assert sum(text.count("field") for text in texts(found)) == 100


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param('{"a": 1,}', "is no valid JSON: .* in line 1, column 9. Correct it", id="comma"),
        pytest.param('{"a": 1}\nnonsense', "is no valid JSON: Extra data in line 2", id="more-after-it"),
        pytest.param("", "is no valid JSON", id="empty"),
        pytest.param('{"a": "' + "\\" * 1001, "is no valid JSON", id="open-text"),
        pytest.param("[" * 50_000, f"nested more than {MAX_DEPTH} levels deep", id="deep"),
        pytest.param('{"a":' * 50_000, f"nested more than {MAX_DEPTH} levels deep", id="deep-objects"),
        pytest.param("[" + "1," * 2_100_000 + "1]", "more than 2,000,000 values", id="too-many"),
        pytest.param("\x00\x01\x02" * 99, "looks binary", id="binary"),
    ],
)
def test_broken_json_is_refused(data, message):
    with pytest.raises(DocumentError, match=f"^a.json .*{message}"):
        read("a.json", data)


def test_brackets_in_texts_are_not_nesting():
    assert texts(read("a.json", {"a": "[" * 150 + '\\"'})) == ["a: " + "[" * 150 + '\\"']


def test_large_files_are_read_in_seconds():
    start = time.perf_counter()
    read("a.json", [{"id": number, "tags": ["a", "b"], "text": LONG} for number in range(5_000)])
    for data in ['"' * 2_000_000, '"' + '\\"' * 1_000_000, '{"' + "k" * 100_000 + '":[' + '{"a":1},' * 30_000 + "1]}"]:
        try:
            read("a.json", data)
        except DocumentError:
            continue
    assert time.perf_counter() - start < 30


def test_each_line_is_a_record_and_a_broken_one_stops_nothing():
    lines = ['{"a": 1}', "", "[1, 2]", '{"a": ', '"text"', *["broken"] * 5, '{"a": "\u2028"}', "[" * 1_000]

    found = read("a.jsonl", "\n".join(lines))

    assert placed(found) == [("line 1", "a: 1"), ("line 3", "1, 2"), ("line 5", "text")]
    assert found.warnings == ("has lines that are no valid JSON: 4, 6, 7 and 4 more",)


def test_lines_without_any_json_are_refused():
    with pytest.raises(DocumentError, match=r"^a\.jsonl has no line that is valid JSON\."):
        read("a.jsonl", "one\ntwo")


def notebook(*cells: dict, **metadata: object) -> dict:
    return {"nbformat": 4, "metadata": metadata, "cells": list(cells)}


def markdown(*lines: str) -> dict:
    return {"cell_type": "markdown", "source": [line + "\n" for line in lines]}


def code(source: str, *outputs: dict) -> dict:
    return {"cell_type": "code", "source": source, "outputs": list(outputs)}


def test_the_cells_of_a_notebook_stand_under_the_headings_before_them():
    found = read(
        "a.ipynb",
        notebook(
            markdown("# Sales", "", "Two years."),
            markdown("Setup", "-----"),
            code("import pandas\n\nx = 1"),
            markdown("More.", "> # quoted", "", "### By **month**"),
            code("x", {"output_type": "execute_result", "data": {"text/plain": ["   a  b\n", "0  1  2"]}}),
            markdown("## Result", "Up."),
            markdown("# End"),
            code("y"),
        ),
    )

    setup, month = ("Sales", "Setup"), ("Sales", "Setup", "By month")
    assert shown(found) == [
        ("heading", (), "cell 1", "Sales"),
        ("prose", ("Sales",), "cell 1", "Two years."),
        ("heading", ("Sales",), "cell 2", "Setup"),
        ("code", setup, "cell 3", "import pandas\n\nx = 1"),
        ("prose", setup, "cell 4", "More."),
        ("heading", setup, "cell 4", "quoted"),
        ("heading", setup, "cell 4", "By **month**"),
        ("code", month, "cell 5", "x"),
        ("code", month, "cell 5, output", "a  b\n0  1  2"),
        ("heading", ("Sales",), "cell 6", "Result"),
        ("prose", ("Sales", "Result"), "cell 6", "Up."),
        ("heading", (), "cell 7", "End"),
        ("code", ("End",), "cell 8", "y"),
    ]


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        pytest.param({"output_type": "stream", "text": ["a\n", "b\n"]}, "a\nb", id="stream"),
        pytest.param({"output_type": "stream", "text": "\x1b[1;31mred\x1b[0m\r\n"}, "red", id="colours"),
        pytest.param({"output_type": "stream", "text": "<b>"}, "<b>", id="stream-in-angles"),
        pytest.param(
            {"output_type": "error", "ename": "KeyError", "evalue": "'a'", "traceback": ["long"]},
            "KeyError: 'a'",
            id="error",
        ),
        pytest.param(
            {"output_type": "display_data", "data": {"text/html": "<p>one</p>", "text/plain": "two"}},
            "two",
            id="html-beside-text",
        ),
        pytest.param(
            {"output_type": "display_data", "data": {"text/html": "<p>one</p>", "text/plain": "<IPython HTML object>"}},
            "one",
            id="html-beside-the-name-of-an-object",
        ),
        pytest.param(
            {"output_type": "display_data", "data": {"text/plain": "<Figure 1 axes>", "image/png": "iVBOR"}},
            None,
            id="picture",
        ),
        pytest.param({"output_type": "stream", "text": "x" * 9_999}, "x" * (MAX_OUTPUT_CHARS - 1) + "…", id="long"),
        pytest.param({"output_type": "pyout", "text": "old"}, "old", id="of-an-old-notebook"),
    ],
)
def test_what_code_printed_is_shown_within_bounds(output, expected):
    found = read("a.ipynb", notebook(code("run()", output)))

    assert placed(found)[1:] == ([("cell 1, output", expected)] if expected else [])


def test_a_notebook_says_its_language_and_authors():
    found = read(
        "a.ipynb", notebook(code("x"), title="T", language_info={"name": "python"}, authors=[{"name": "Ann"}, "Bob"])
    )

    assert [(fact.name, fact.value) for fact in found.facts] == [
        ("title", "T"),
        ("author", "Ann"),
        ("language", "python"),
    ]


def test_an_old_notebook_is_read():
    cells = [
        {"cell_type": "heading", "level": 2, "source": "Old"},
        {"cell_type": "code", "input": "x = 1", "language": "julia", "outputs": []},
        {"cell_type": "raw", "source": "raw"},
    ]

    found = read("a.ipynb", {"nbformat": 3, "worksheets": [{"cells": cells}]})

    assert shown(found) == [
        ("heading", (), "cell 1", "Old"),
        ("code", ("Old",), "cell 2", "x = 1"),
        ("code", ("Old",), "cell 3", "raw"),
    ]
    assert [(fact.name, fact.value) for fact in found.facts] == [("language", "julia")]


def test_pictures_in_markdown_are_not_text():
    found = read("a.ipynb", notebook(markdown(f"Before ![](data:image/png;base64,{'QUJD' * 999}) after")))

    assert texts(found) == ["Before ![](data:) after"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param("{", "is no valid JSON", id="broken"),
        pytest.param("[]", "is no notebook: it has no cells", id="a-list"),
        pytest.param('{"cells": {}}', "is no notebook: it has no cells", id="no-cells"),
    ],
)
def test_what_is_no_notebook_is_refused(data, message):
    with pytest.raises(DocumentError, match=rf"^a\.ipynb {message}"):
        read("a.ipynb", data)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("long text\n\n" * 30),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=5)
            | st.sampled_from(
                ["cells", "worksheets", "metadata", "outputs", "source", "data", "cell_type", "level", "text/html"]
            ),
            inner | st.sampled_from(["markdown", "code", "heading", "# A\n\nb", "<p>x"]),
            max_size=6,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(value=VALUES, name=st.sampled_from(["a.json", "a.jsonl", "a.ipynb"]), is_cell=st.booleans())
def test_any_json_is_read_or_refused(value, name, is_cell):
    data = json.dumps({"cells": [value, {"cell_type": "markdown", "source": value}, value]} if is_cell else value)
    try:
        read(name, data.encode("utf-8", "surrogatepass"))
    except DocumentError:
        return


@pytest.mark.parametrize(
    ("name", "data"),
    [
        pytest.param("a.csv", "Name,Age,City\nAnn,31,Oslo\nBob,27,Rome\n", id="commas"),
        pytest.param("a.csv", "Name;Age;City\r\nAnn;31;Oslo\r\nBob;27;Rome", id="semicolons"),
        pytest.param("a.tsv", "Name\tAge\tCity\nAnn\t31\tOslo\nBob\t27\tRome", id="tabs"),
        pytest.param("a.csv", "Name|Age|City\nAnn|31|Oslo\nBob|27|Rome", id="bars"),
        pytest.param("a.csv", '"Name","Age","City"\n"Ann","31","Oslo"\n"Bob","27","Rome"', id="all-quoted"),
        pytest.param("a.csv", 'Name, "Age", "City"\nAnn, "31", "Oslo"\nBob, "27", "Rome"', id="spaces-before-quotes"),
        pytest.param("a.csv", "sep=;\nName;Age;City\nAnn;31;Oslo\nBob;27;Rome", id="separator-declared"),
    ],
)
def test_the_rows_of_a_table_name_their_columns(name, data):
    assert placed(read(name, data)) == [
        ("row 2", "Name: Ann; Age: 31; City: Oslo"),
        ("row 3", "Name: Bob; Age: 27; City: Rome"),
    ]


def test_decimal_commas_do_not_part_columns():
    found = read("a.csv", "1,5;2,5;3,5\n4,5;5,5;6,5\n7,5;8,5;9,5\n")

    assert texts(found)[0] == "1,5; 2,5; 3,5"


def test_sentences_on_lines_are_one_column():
    lines = ["Remark", "Yes, we did.", "No.", "First, second, third.", "Well, so, what, now"]

    assert texts(read("a.csv", "\n".join(lines))) == lines


def test_cells_hold_line_ends_and_rows_are_counted_as_in_a_spreadsheet():
    found = read("a.csv", 'Name,Note,Age\nAnn,"one\ntwo, ""three""",31\n\nBob,x,27\n')

    assert placed(found) == [
        ("row 2", 'Name: Ann; Note: one two, "three"; Age: 31'),
        ("row 4", "Name: Bob; Note: x; Age: 27"),
    ]


def test_ragged_rows_keep_every_cell():
    found = read("a.csv", "Name,Age,City\nAnn,31\nBob,27,Rome,extra\nCid,40,Bern\nDan,41,Bonn")

    assert texts(found)[:2] == ["Name: Ann; Age: 31", "Name: Bob; Age: 27; City: Rome; extra"]


def test_a_quotation_mark_that_is_never_closed_is_a_character():
    rows = [f"pipe {number},{number}" for number in range(2_000)]

    found = read("a.csv", "\n".join(["Name,Size,Unit", 'disk,"5,inch', *[f"{row},cm" for row in rows], 'end,"6,m']))

    assert len(found.spans) == 2_002
    assert texts(found)[0] == 'Name: disk; Size: "5; Unit: inch'
    assert texts(found)[-1] == 'Name: end; Size: "6; Unit: m'


def test_a_cell_may_be_long_and_pythons_limit_stays_as_it_was():
    before = csv.field_size_limit()

    found = read("a.csv", 'Name,Text,Age\nAnn,"' + "long " * 60_000 + '",31\n')

    assert len(texts(found)[0]) > 299_000
    assert csv.field_size_limit() == before


def test_text_after_a_closing_quotation_mark_is_kept():
    found = read("a.csv", 'Name,Nick,Age\n"Ann" Lee,"An, nie",31\nBob,x,27\n')

    assert texts(found)[0] == "Name: Ann Lee; Nick: An, nie; Age: 31"


def test_an_empty_table_has_no_paragraphs():
    assert read("a.csv", "\n,,,\n").spans == []


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.sampled_from(list('ab1",;\t|\n ')), max_size=200) | st.text(max_size=100))
def test_any_table_is_read_or_refused(text):
    try:
        read("a.csv", text.encode("utf-8", "replace"))
    except DocumentError:
        return


def test_hostile_tables_are_read_in_seconds():
    start = time.perf_counter()
    for data in ['"\n' * 50_000, '"a""\n' * 50_000, '"a,b\nc\n' * 30_000, "," * 300_000, '","\n' * 50_000]:
        read("a.csv", data)
    assert time.perf_counter() - start < 30
