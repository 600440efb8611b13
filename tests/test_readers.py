import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import ragkit.readers
from ragkit.errors import DocumentError
from ragkit.readers import SUFFIXES, is_supported, read_document
from ragkit.records import Document

SEEDS = Path(__file__).parents[2] / "shared" / "seeds"
CAFE = "Café Müller – “quoted” text costs £5."
RUSSIAN = "Президент предложил переговоры в нейтральной стране."
JAPANESE = "これは日本語の文書です。会議は東京で行われます。"
CHINESE = "总统建议在中立国举行会谈。这是一个测试文件。"
LONG_A = "The treaty was signed in Geneva after nine days of talks. Both sides withdrew their heavy weapons by March."
LONG_B = "Observers arrived in April and stayed for two years. They reported to the council in Vienna every month."
DOUBLE_SPACED = """Both sides withdrew their heavy weapons by the end of March,

and observers who had arrived in April with a mandate of the

council stayed for two years. They reported to the council in

Vienna every month until the mandate came to an end."""


def read(tmp_path: Path, content: str | bytes, name: str = "a.txt") -> Document:
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_document(file, name)


def texts(document: Document) -> list[str]:
    return [paragraph.text for paragraph in document.paragraphs]


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the original seed documents are not here")
@pytest.mark.parametrize(("prefix", "count"), [("000", 8), ("003", 15)])
def test_a_seed_document_has_the_paragraphs_a_reader_sees(prefix, count):
    (file,) = SEEDS.glob(f"{prefix}_*.txt")

    document = read_document(file, file.name)

    assert len(document.paragraphs) == count
    assert [paragraph.number for paragraph in document.paragraphs] == list(range(1, count + 1))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(
            "One block\nof two lines.\n\n\n  Another. \n", ["One block\nof two lines.", "Another."], id="blocks"
        ),
        pytest.param(f"\n\n{LONG_A}\n{LONG_B}\n\n\n", [LONG_A, LONG_B], id="lines-with-blanks-only-around"),
        pytest.param(f"A title\n\n{LONG_A}\n{LONG_B}", ["A title", LONG_A, LONG_B], id="unwrapped-lines-in-a-block"),
        pytest.param(
            "The cat sat.\nThe dog ran.\nIt rained.", ["The cat sat.", "The dog ran.", "It rained."], id="facts"
        ),
        pytest.param(
            "It was late and the\nold man of Aran went\nhome to bed. He slept\nuntil the morning.",
            ["It was late and the\nold man of Aran went\nhome to bed. He slept\nuntil the morning."],
            id="wrapped-without-blank-lines",
        ),
        pytest.param(
            "It was late and the old man\nwent home and slept\nuntil noon.\nThe next day he went to the\nsea.",
            [
                "It was late and the old man\nwent home and slept\nuntil noon.",
                "The next day he went to the\nsea.",
            ],
            id="wrapped-with-a-short-last-line",
        ),
        pytest.param(
            "   It was late and the old man\nwent home to bed.\n   The next day he went to the\nsea and he swam.",
            [
                "It was late and the old man\nwent home to bed.",
                "The next day he went to the\nsea and he swam.",
            ],
            id="wrapped-with-indents",
        ),
        pytest.param(
            "Tyger Tyger, burning bright,\nIn the forests of the night;\nWhat immortal hand or eye,\nCould frame it?",
            ["Tyger Tyger, burning bright,\nIn the forests of the night;\nWhat immortal hand or eye,\nCould frame it?"],
            id="verse",
        ),
        pytest.param("Ada Byron\n12 High Street\nLondon", ["Ada Byron\n12 High Street\nLondon"], id="address"),
        pytest.param(
            "Intro.\n\nThe cat sat on the mat.\nThe dog ran.\nIt rained on us.\n\nEnd.",
            ["Intro.", "The cat sat on the mat.\nThe dog ran.\nIt rained on us.", "End."],
            id="one-line-a-sentence-in-a-block",
        ),
        pytest.param(
            "Buy:\n- apples and\n  pears\n* milk\n1. tea\n\nThen go home.",
            ["Buy:", "apples and\n  pears", "milk", "tea", "Then go home."],
            id="list-items",
        ),
        pytest.param("- apples\n- pears\nThen go home.", ["apples", "pears", "Then go home."], id="prose-after-a-list"),
        pytest.param("It stands on page\n12. Nobody read it", ["It stands on page\n12. Nobody read it"], id="no-item"),
        pytest.param(f"Talks\n{LONG_A}\n{LONG_B}", ["Talks", LONG_A, LONG_B], id="title-without-a-full-stop"),
        pytest.param(DOUBLE_SPACED, [DOUBLE_SPACED], id="double-spaced"),
        pytest.param("今日は晴れ。\n明日は雨。", ["今日は晴れ。", "明日は雨。"], id="japanese-lines"),
    ],
)
def test_text_falls_into_the_paragraphs_a_reader_sees(tmp_path, content, expected):
    assert texts(read(tmp_path, content)) == expected


def test_many_unpunctuated_lines_are_records(tmp_path):
    lines = [f"2024-05-{day:02} Job {day} done" for day in range(1, 31)]

    assert texts(read(tmp_path, "\n".join(lines), "a.log")) == lines


def test_a_form_feed_begins_a_page_and_ends_a_paragraph(tmp_path):
    document = read(tmp_path, "One.\n\nTwo\fThree.\f\fFour.")

    assert [(p.text, p.page) for p in document.paragraphs] == [("One.", 1), ("Two", 1), ("Three.", 2), ("Four.", 4)]
    assert read(tmp_path, "No pages.").paragraphs[0].page is None


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        *[
            (encoding, CAFE)
            for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "cp1252")
        ],
        ("latin-1", "Die Straße nach Köln ist größer."),
        *[(encoding, RUSSIAN) for encoding in ("cp1251", "koi8-r", "utf-16-le")],
        ("cp1250", "Zażółć gęślą jaźń. Prezydent zaproponował rozmowy."),
        *[(encoding, JAPANESE) for encoding in ("shift-jis", "euc-jp")],
        *[(encoding, CHINESE) for encoding in ("gb18030", "utf-16-le")],
    ],
)
def test_text_is_read_in_the_encoding_it_was_written_in(tmp_path, encoding, text):
    assert read(tmp_path, text.encode(encoding)).text == text


def test_one_broken_byte_does_not_make_utf_8_another_encoding(tmp_path):
    assert read(tmp_path, (RUSSIAN + " ").encode() + b"\xd0").text == RUSSIAN + " \ufffd"


def test_line_ends_and_stray_control_characters_are_normalised(tmp_path):
    text = "a\r\nb\rc\x00d and some more text to be mostly text\u200b" + "." * 20

    assert read(tmp_path, text).text == text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", " ")


MARKDOWN = """---
title: Not a paragraph
---
# The **Treaty** #

Signed in `1992`
in [Geneva](http://x).

Sides
-----

- first
  line
  - nested

- [ ] second

  still second

> quoted
> words

| a | b |
|---|---|
| 1 | 2 |

```py
x = 1

y = 2
```

<!-- hidden -->
<br>

<p>shown</p>

# Next
End.
"""


def test_markdown_blocks_keep_their_kind_and_their_headings(tmp_path):
    document = read(tmp_path, MARKDOWN, "a.md")

    title, sides = ("The Treaty",), ("The Treaty", "Sides")
    assert [(p.kind, p.headings, p.text) for p in document.paragraphs] == [
        ("heading", (), "The **Treaty**"),
        ("prose", title, "Signed in `1992`\nin [Geneva](http://x)."),
        ("heading", title, "Sides"),
        ("list", sides, "first\n  line"),
        ("list", sides, "nested"),
        ("list", sides, "second\n\n  still second"),
        ("prose", sides, "quoted\n> words"),
        ("table", sides, "| a | b |\n|---|---|\n| 1 | 2 |"),
        ("code", sides, "x = 1\n\ny = 2"),
        ("prose", sides, "<p>shown</p>"),
        ("heading", (), "Next"),
        ("prose", ("Next",), "End."),
    ]


def test_nothing_is_lost_below_the_deepest_nesting(tmp_path):
    quotes = ">" * 5_000 + " bottom"
    nested = "\n".join("  " * depth + f"- item{depth}" for depth in range(200))

    found = " ".join(texts(read(tmp_path, f"{quotes}\n\n{nested}", "a.md")))

    assert all(word in found.split() for word in ["bottom", *(f"item{depth}" for depth in range(200))])


def test_a_heading_path_stays_short(tmp_path):
    content = f"# {'a' * 100}\n## {'b' * 100}\n### {'c' * 50}\ntext\n# {'d' * 1000}\nmore"

    *_, under_long = read(tmp_path, content, "a.md").paragraphs

    assert [p.headings for p in read(tmp_path, content, "a.md").paragraphs if p.text == "text"] == [
        ("b" * 100, "c" * 50)
    ]
    assert len(under_long.headings[0]) == 160


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param("a.txt", b"", "a.txt is empty", id="empty"),
        pytest.param("a.md", b"\n \n<!-- x -->\n", "a.md is empty", id="nothing-visible"),
        pytest.param("a.txt", b"%PDF-1.7 ...", "begins like a PDF file", id="pdf"),
        pytest.param("a.txt", bytes(range(256)) * 40, "a.txt looks binary", id="bytes"),
        pytest.param("a.txt", b"\x00" * 100, "a.txt looks binary", id="zeros"),
        pytest.param("a.xyz", b"x", r"does not know \.xyz files", id="suffix"),
        pytest.param("a\nb.txt", b"", r"a\\nb\.txt is empty", id="name-with-a-newline"),
    ],
)
def test_what_is_no_text_is_refused_in_one_line(tmp_path, name, content, message):
    with pytest.raises(DocumentError, match=message) as caught:
        read(tmp_path, content, name)

    assert "\n" not in str(caught.value)


def test_what_cannot_be_opened_is_refused(tmp_path, monkeypatch):
    with pytest.raises(DocumentError, match=r"no\.txt cannot be read: No such file or directory\. Check"):
        read_document(tmp_path / "no.txt", "no.txt")
    (tmp_path / "folder.txt").mkdir()
    with pytest.raises(DocumentError, match="is not a file"):
        read_document(tmp_path / "folder.txt", "folder.txt")
    monkeypatch.setattr(ragkit.readers, "MAX_FILE_BYTES", 10)
    with pytest.raises(DocumentError, match=r"too large: 11 bytes, and the limit is 10\. Split it"):
        read(tmp_path, "x" * 11)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_forbidden_file_is_refused(tmp_path):
    read(tmp_path, "x")
    (tmp_path / "a.txt").chmod(0)
    with pytest.raises(DocumentError, match="Permission denied"):
        read_document(tmp_path / "a.txt", "a.txt")


def test_the_id_is_the_hash_of_the_bytes_and_suffixes_ignore_case(tmp_path):
    assert read(tmp_path, b"abc", "A.TXT").ref.id.startswith("sha256:ba7816bf8f01cfea414140de5dae2223")
    assert is_supported(Path("x/README.MD"))
    assert not is_supported(Path("x.exe"))
    assert {".txt", ".md", ".pdf", ".docx", ".eml"} <= set(SUFFIXES)


def assert_offsets_hold(document: Document) -> None:
    position = 0
    for number, p in enumerate(document.paragraphs, start=1):
        assert p.number == number
        assert position <= p.start < p.end
        assert document.text[p.start : p.end] == p.text == p.text.strip()
        position = p.end


MARKUP = st.lists(
    st.sampled_from(
        ["\n", "\n\n", " ", "    ", "\t", "> ", "- ", "1. ", "# ", "---", "```", "|a|", "|-|", "<!--", "-->"]
    )
    | st.sampled_from(["<p>", "[a]: b", "Word", "end.", "\f", "=", "é“”", "*", "_", "`", ":"]),
    max_size=40,
).map("".join)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=MARKUP | st.text(max_size=200), name=st.sampled_from(["a.txt", "a.md"]))
@example(content="- a\n\n  b\n\n      c\n- # d\n\n  e", name="a.md")
def test_offsets_hold_for_any_text(tmp_path, content, name):
    try:
        document = read(tmp_path, content.encode("utf-8", "surrogatepass"), name)
    except DocumentError:
        return
    assert_offsets_hold(document)
    if name == "a.txt":  # only list markers lie outside the paragraphs
        words = [word for word in document.text.split() if len(word) > 8]
        found = " ".join(texts(document))
        assert all(word in found for word in words)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300), name=st.sampled_from(["a.txt", "a.md"]))
def test_any_bytes_are_read_exactly_or_refused(tmp_path, content, name):
    try:
        document = read(tmp_path, content, name)
    except DocumentError:
        return
    assert_offsets_hold(document)
