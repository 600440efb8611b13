from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from fakes import WordEmbedder
from hypothesis import given, settings
from hypothesis import strategies as st

from ragkit.chunking import chunk_document
from ragkit.errors import DocumentError
from ragkit.readers import read_document
from ragkit.records import Chunk, Document

count_words = WordEmbedder().count_tokens


def read(content: str, name: str = "a.md") -> Document:
    with TemporaryDirectory() as folder:
        file = Path(folder, name)
        file.write_bytes(content.encode("utf-8", "surrogatepass"))
        return read_document(file, name)


def chunks_of(content: str, max_tokens: int = 12, min_tokens: int = 5) -> list[Chunk]:
    return chunk_document(read(content), count_words, max_tokens=max_tokens, min_tokens=min_tokens)


def texts(chunks: list[Chunk]) -> list[str]:
    return [chunk.text for chunk in chunks]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param("a b c d e\n\nf g h i j", ["a b c d e", "f g h i j"], id="long-enough-to-stand-alone"),
        pytest.param("a b\n\nc d\n\ne f g h i\n\nj", ["a b\n\nc d", "e f g h i", "j"], id="short-ones-joined"),
        pytest.param(
            "- a b c d\n- e f g h\n- i j k l\n- m n", ["a b c d\n- e f g h\n- i j k l", "m n"], id="up-to-the-budget"
        ),
        pytest.param("# T\n\n## U\n\na b\n\n## V\n\nc", ["T\n\n## U\n\na b", "V\n\nc"], id="headings-lead"),
        pytest.param("a b\n\n# T", ["a b", "T"], id="last-heading-alone"),
        pytest.param("a b\n\n<!-- hidden from the reader -->\n\nc d", ["a b", "c d"], id="hidden-text-parts"),
        pytest.param(
            "One two three four five. Six seven eight nine ten. Eleven twelve thirteen fourteen.",
            ["One two three four five. Six seven eight nine ten.", "Eleven twelve thirteen fourteen."],
            id="long-one-cut-at-sentences",
        ),
        pytest.param(
            "```\na b c d e\n\n  f g h i j\nk l m n\n```",
            ["a b c d e\n\n  f g h i j", "k l m n"],
            id="code-cut-at-lines",
        ),
        pytest.param(
            "a b c d e f g h i j k l m n", ["a b c d e f", "g h i j k l m n"], id="long-sentence-cut-at-words"
        ),
    ],
)
def test_paragraphs_fall_into_chunks(content, expected):
    assert texts(chunks_of(content)) == expected


def test_a_heading_goes_with_the_first_piece_of_a_long_paragraph():
    first, second = chunks_of("# T\n\nOne two three four five six. Seven eight nine ten eleven twelve.")

    assert first.text == "T\n\nOne two three four five six."
    assert first.embedded_text == first.text
    assert [paragraph.number for paragraph in first.paragraphs] == [1, 2]
    assert second.embedded_text == "T\nSeven eight nine ten eleven twelve."
    assert second.tokens == 7


def test_headings_take_at_most_a_third_of_the_budget():
    chunks = chunks_of("# a b c d e f g h i\n\n" + "word " * 40, max_tokens=12)

    assert all(count_words(chunk.text) <= 12 for chunk in chunks)
    assert max(chunk.tokens for chunk in chunks) <= 9 + 8


def test_a_giant_word_is_cut_between_code_points():
    chunks = chunks_of("é" * 2_500, max_tokens=10)

    assert "".join(texts(chunks)) == "é" * 2_500
    assert max(len(chunk.text) for chunk in chunks) <= 10 * 20 + 20


def test_counting_takes_time_linear_in_the_text():
    counted = 0

    def count(text: str) -> int:
        nonlocal counted
        counted += len(text)
        return len(text.split())

    content = "# Title\n\n" + "Some words here. " * 5_000 + "\n\n" + "- an item\n" * 5_000 + "\n\n" + "word " * 20_000
    chunk_document(read(content), count, max_tokens=50, min_tokens=20)

    assert counted < 8 * len(content)


DOCUMENTS = st.lists(
    st.sampled_from(
        ["\n", "\n\n", "- ", "# ", "## ", "> ", "```\n", "One two three. ", "word ", "x" * 90, "é“”。", "| a |\n"]
    )
    | st.text(max_size=30),
    max_size=40,
).map("".join)


@settings(max_examples=150, deadline=None)
@given(
    content=DOCUMENTS,
    name=st.sampled_from(["a.txt", "a.md"]),
    max_tokens=st.integers(1, 30),
    min_tokens=st.integers(1, 30),
)
def test_every_paragraph_lies_in_the_chunks_that_name_it(content, name, max_tokens, min_tokens):
    try:
        document = read(content, name)
    except DocumentError:
        return

    chunks = chunk_document(document, count_words, max_tokens=max_tokens, min_tokens=min_tokens)

    position = 0
    covered: set[int] = set()
    for chunk in chunks:
        assert position <= chunk.start < chunk.end
        position = chunk.end
        assert chunk.text == document.text[chunk.start : chunk.end]
        assert chunk.tokens == count_words(chunk.embedded_text)
        assert count_words(chunk.text) <= max_tokens + 1  # + 1: a word cut in two counts twice
        inside = [p for p in document.paragraphs if p.start < chunk.end and chunk.start < p.end]
        assert list(chunk.paragraphs) == inside
        covered.update(range(chunk.start, chunk.end))
    wanted = {i for p in document.paragraphs for i in range(p.start, p.end) if not document.text[i].isspace()}
    assert wanted <= covered
