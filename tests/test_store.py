import sqlite3

import numpy as np
import pytest
from fakes import WordEmbedder
from hypothesis import given, settings
from hypothesis import strategies as st

from ragkit.index.checksums import ChecksumError
from ragkit.index.draft import Draft
from ragkit.index.keywords import KEYWORDS_TABLE, MAX_TERMS, add_keywords, match_expression, search_keywords
from ragkit.index.store import FileStamp, KnownFile, Origin
from ragkit.index.vectors import VectorIndex
from ragkit.records import Chunk, Document, DocumentRef, Paragraph

STAMP = FileStamp(location="../a.txt", root="a.txt", bytes=10, mtime_ns=1)
ORIGIN = Origin(STAMP, "text/1")


def a_document(path="a.txt", texts=("Apples are red.", "Bananas are yellow."), headings=()):
    ref = DocumentRef(path, f"sha256:{path}")
    text, paragraphs = "", []
    for number, part in enumerate(texts, start=1):
        start = len(text) + 2 if text else 0
        text = f"{text}\n\n{part}" if text else part
        paragraphs.append(Paragraph(ref, number, start, len(text), part, "prose", headings, page=number))
    return Document(ref, text, tuple(paragraphs))


def embedded_chunks(document):
    chunks = [Chunk(p.document, p.start, p.end, p.text, (p,), len(p.text.split())) for p in document.paragraphs]
    return list(zip(chunks, WordEmbedder().embed_documents([chunk.embedded_text for chunk in chunks]), strict=True))


@pytest.fixture
def store(tmp_path):
    draft = Draft.open(tmp_path / "draft", new=True)
    yield draft
    draft.close()


def test_a_document_comes_out_as_it_went_in(store):
    document = a_document(texts=("Ünïcode — 𝒜 first.", "Second\x00 one."), headings=("Part", "Sub"))
    store.put_document(document, embedded_chunks(document), ORIGIN)
    assert store.document("a.txt") == document
    assert store.document("b.txt") is None
    assert store.refs() == [document.ref]
    assert store.known_files() == [KnownFile("a.txt", document.ref, ORIGIN)]


def test_chunks_come_out_as_they_went_in_and_unknown_ids_are_left_out(store):
    document = a_document(headings=("Fruit",))
    embedded = embedded_chunks(document)
    ids = store.put_document(document, embedded, ORIGIN)
    assert store.chunks([*ids, 999]) == {chunk_id: chunk for chunk_id, (chunk, _) in zip(ids, embedded, strict=True)}


def test_a_chunk_of_several_paragraphs_keeps_them_in_order(store):
    document = a_document()
    whole = Chunk(document.ref, 0, len(document.text), document.text, document.paragraphs, 6)
    (chunk_id,) = store.put_document(document, [(whole, np.ones(4, np.float32))], ORIGIN)
    assert store.chunks([chunk_id])[chunk_id].paragraphs == document.paragraphs


def test_ids_are_never_used_again(store):
    document = a_document()
    first = store.put_document(document, embedded_chunks(document), ORIGIN)
    assert store.retire("a.txt") == first
    second = store.put_document(document, embedded_chunks(document), ORIGIN)
    assert not set(first) & set(second)
    assert store.chunks(first) == {}


def test_removing_a_document_leaves_nothing_of_it(store):
    document = a_document()
    store.put_document(document, embedded_chunks(document), ORIGIN)
    store.retire("a.txt")
    for table in ("documents", "paragraphs", "chunks", "keywords"):
        assert store.connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    assert search_keywords(store.connection, "apples", 5) == []


def test_a_vector_is_found_again_by_the_text_it_was_made_from(store):
    document = a_document(headings=("Fruit",))
    (chunk, vector), _ = embedded_chunks(document)
    store.put_document(document, embedded_chunks(document), ORIGIN)
    assert np.array_equal(store.vector_of(chunk.embedded_text), vector)
    assert store.vector_of(chunk.text) is None


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE documents SET text = replace(text, 'red', 'bad')",
        "UPDATE documents SET path = 'other.txt'",
        "UPDATE documents SET document_id = 'sha256:0'",
        "UPDATE paragraphs SET start = start + 1",
        "UPDATE paragraphs SET page = 7",
        "UPDATE paragraphs SET headings = '[\"Other\"]'",
        "DELETE FROM paragraphs",
        "UPDATE chunks SET stop = stop - 1",
        "UPDATE chunks SET tokens = 99",
        "UPDATE chunks SET vector = zeroblob(256)",
        "UPDATE chunks SET paragraphs = '[2]'",
        "UPDATE chunks SET paragraphs = '[]'",
    ],
)
def test_a_chunk_that_is_not_what_was_stored_is_not_handed_out(store, damage):
    document = a_document()
    first, _ = store.put_document(document, embedded_chunks(document), ORIGIN)
    store.connection.execute(damage)
    with pytest.raises(ChecksumError):
        store.chunks([first])


def test_a_document_that_is_not_what_was_stored_is_not_handed_out(store):
    document = a_document()
    store.put_document(document, embedded_chunks(document), ORIGIN)
    store.connection.execute("UPDATE paragraphs SET kind = 'code' WHERE number = 2")
    with pytest.raises(ChecksumError, match=r"a\.txt"):
        store.document("a.txt")


def test_offsets_that_do_not_give_their_text_are_refused(store):
    document = a_document()
    wrong = Document(document.ref, "X" + document.text, document.paragraphs)
    with pytest.raises(ValueError, match="do not give their text"):
        store.put_document(wrong, [], ORIGIN)


# keywords


@pytest.fixture
def keywords():
    connection = sqlite3.connect(":memory:")
    connection.executescript(KEYWORDS_TABLE)
    yield connection
    connection.close()


def test_a_question_becomes_its_content_words():
    assert match_expression("Where did Putin suggest meeting?") == '"putin" OR "suggest" OR "meeting"'
    assert match_expression("What's the café's Wi-Fi?") == '"café" OR "wi" OR "fi"'


def test_a_question_of_stop_words_alone_keeps_them():
    assert match_expression("Who are you?") == '"who" OR "are" OR "you"'


def test_a_question_without_words_searches_nothing(keywords):
    assert match_expression(" ?! \x00 — ") is None
    assert search_keywords(keywords, "?!", 5) == []


def test_terms_are_distinct_and_capped():
    question = " ".join(f"word{i} WORD{i}" for i in range(200))
    expression = match_expression(question)
    assert expression.count(" OR ") == MAX_TERMS - 1
    assert '"word63"' in expression
    assert "WORD" not in expression


def test_words_match_in_any_case_form_and_accent(keywords):
    for chunk_id, text in enumerate(["The MONKEYS were eating", "un cafe\u0301 noir", "nothing of the kind"], start=1):
        add_keywords(keywords, chunk_id, text)
    assert [chunk_id for chunk_id, _ in search_keywords(keywords, "monkey eats", 5)] == [1]
    assert [chunk_id for chunk_id, _ in search_keywords(keywords, "caf\u00e9", 5)] == [2]
    assert [chunk_id for chunk_id, _ in search_keywords(keywords, "CAFE", 5)] == [2]


@pytest.mark.parametrize("word", ["Straße", "GIESSEN", "gießen", "o\ufb03ce", "ΣΊΣΥΦΟΣ", "İzmir"])
def test_a_word_is_found_as_it_is_written(keywords, word):
    add_keywords(keywords, 1, f"Here {word} is said.")
    assert [chunk_id for chunk_id, _ in search_keywords(keywords, word, 5)] == [1]
    assert [chunk_id for chunk_id, _ in search_keywords(keywords, word, 5, within=[1])] == [1]


def test_the_rarer_word_weighs_more_and_ties_go_by_id(keywords):
    texts = ["apple pear", "apple plum", "apple plum", "apple kiwi", "fig kiwi", "fig fig", "nut", "nut", "nut"]
    for chunk_id, text in enumerate(texts, start=1):
        add_keywords(keywords, chunk_id, text)
    hits = search_keywords(keywords, "apple pear plum", 4)
    assert [chunk_id for chunk_id, _ in hits] == [1, 2, 3, 4]
    scores = [score for _, score in hits]
    assert scores[0] > scores[1] == scores[2] > scores[3] > 0


def test_of_chunks_that_all_hold_a_word_those_that_say_it_most_come_first(keywords):
    for chunk_id, text in enumerate(["fig nut nut nut", "fig nut fig nut", "fig fig fig nut"], start=1):
        add_keywords(keywords, chunk_id, text)
    assert [chunk_id for chunk_id, _ in search_keywords(keywords, "fig", 3)] == [3, 2, 1]
    assert [chunk_id for chunk_id, _ in search_keywords(keywords, "fig", 3, within=(1, 2, 3))] == [3, 2, 1]


WORDS = st.sampled_from(["apple", "apples", "pear", "Plum", "figs", "naïve", "the", "9", "kiwi's", "running"])
TEXTS = st.lists(st.lists(WORDS, max_size=12).map(" ".join), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(texts=TEXTS, hidden=TEXTS, question=st.lists(WORDS, min_size=1, max_size=5).map(" ".join))
def test_within_some_chunks_the_scores_are_those_of_an_index_of_these_chunks_alone(texts, hidden, question):
    alone, together = sqlite3.connect(":memory:"), sqlite3.connect(":memory:")
    for connection in (alone, together):
        connection.executescript(KEYWORDS_TABLE)
        for chunk_id, text in enumerate(texts, start=1):
            add_keywords(connection, chunk_id, text)
    for chunk_id, text in enumerate(hidden, start=100):
        add_keywords(together, chunk_id, text)
    seen = search_keywords(together, question, 5, within=range(1, len(texts) + 1))
    expected = search_keywords(alone, question, 5)
    assert [chunk_id for chunk_id, _ in seen] == [chunk_id for chunk_id, _ in expected]
    assert dict(seen) == pytest.approx(dict(expected), abs=2e-6)
    alone.close()
    together.close()


@given(question=st.text(max_size=60) | st.text(alphabet='"*:^(){}+-ANDORNEAT text\x00\ud800', max_size=40))
def test_no_question_is_read_as_query_syntax(question):
    connection = sqlite3.connect(":memory:")
    connection.executescript(KEYWORDS_TABLE)
    add_keywords(connection, 1, "some text about AND and NEAR")
    for chunk_id, score in search_keywords(connection, question, 5):
        assert chunk_id == 1
        assert score > 0
    connection.close()


# vectors


ROWS = np.array([[1, 0], [0, 1], [1, 0], [1, 1e-7]], np.float32)


def test_vector_search_is_exact_with_ties_by_place():
    index = VectorIndex.of(2, [7, 3, 9, 5], ROWS)
    assert index.search([1, 0], 2) == [(7, 1.0), (9, 1.0)]
    assert index.search([1, 0], 99) == [(7, 1.0), (9, 1.0), (5, 1.0), (3, 0.0)]
    assert index.search([1, 0], 0) == []


def test_vector_search_within_some_chunks_finds_no_others():
    index = VectorIndex.of(2, [7, 3, 9, 5], ROWS)
    assert index.search([1, 0], 3, np.array([3, 5], np.int64)) == [(5, 1.0), (3, 0.0)]
    assert index.search([1, 0], 3, np.array([], np.int64)) == []


def test_vectors_survive_being_saved():
    assert VectorIndex.of(2, [], np.zeros((0, 2), np.float32)).search([1, 0], 3) == []
    index = VectorIndex.of(2, [1, 3], np.array([[1, 0], [0.6, 0.8]], np.float32))
    loaded = VectorIndex.from_bytes(index.to_bytes())
    assert (len(loaded), loaded.chunk_ids()) == (2, [1, 3])
    assert [chunk_id for chunk_id, _ in loaded.search([0, 1], 5)] == [3, 1]
    assert loaded.vector_of(3).tolist() == index.vector_of(3).tolist()


def test_a_question_vector_of_another_width_or_without_numbers_is_refused():
    with pytest.raises(ValueError, match="3 dimensions"):
        VectorIndex(2).search([1, 0, 0], 1)
    with pytest.raises(ValueError, match="no numbers"):
        VectorIndex(2).search([1, float("nan")], 1)
