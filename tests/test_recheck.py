"""What becomes of a saved citation when the documents change."""

import pytest
from fakes import WordEmbedder

from ragkit.errors import InputError
from ragkit.index.index import Index
from ragkit.ingest import index_paths
from ragkit.ingest_records import IngestOptions
from ragkit.recheck import SavedCitation, read_citations, recheck

LETTER = "Anna wrote to the council in May.\n\nThe bridge will cost 40 million crowns, said the mayor. Nobody came.\n"
QUOTE = "The bridge will cost 40 million crowns, said the mayor."
START = LETTER.index(QUOTE)
OLD = SavedCitation("q1", 1, "It is dear.", "docs/letter.txt", START, START + len(QUOTE), QUOTE)


@pytest.fixture
def after(tmp_path, monkeypatch):
    """What `recheck` says once the documents are these: {name: text}."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()

    def check(documents, citation=OLD):
        for name, text in documents.items():
            (tmp_path / "docs" / name).write_text(text, encoding="utf-8")
        index_paths(["docs"], "index", WordEmbedder(), IngestOptions(chunk_tokens=60, min_chunk_tokens=10))
        with Index.open("index") as index, index.snapshot() as snapshot:
            return recheck(citation, snapshot)

    return check


def test_an_untouched_document_still_holds_it(after):
    found = after({"letter.txt": LETTER})
    assert (found.status, found.now.paragraph, found.now.start) == ("same", 2, START)


def test_words_that_stand_elsewhere_have_moved(after):
    found = after({"letter.txt": "A new first paragraph of the letter.\n\n" + LETTER})
    assert (found.status, found.now.paragraph, found.now.quote) == ("moved", 3, QUOTE)


def test_of_several_places_the_nearest_is_meant(after):
    found = after({"letter.txt": f"Dear {LETTER}\n{'It is long. ' * 20}\n\n{QUOTE}"})
    assert found.now.paragraph == 2


def test_new_line_breaks_are_no_change_of_words(after):
    found = after({"letter.txt": LETTER.replace("cost 40", "cost\n40").replace("Anna", "Dear Anna")})
    assert (found.status, found.change) == ("moved", None)


def test_a_renamed_document_is_found(after):
    found = after({"renamed.txt": LETTER, "other.txt": "Something else is said here."})
    assert (found.status, found.now.document) == ("moved", "docs/renamed.txt")


def test_a_changed_sentence_is_shown_with_its_change(after):
    found = after({"letter.txt": LETTER.replace("40", "55")})
    assert found.status == "edited"
    assert found.change == "The bridge will cost [-40-] {+55+} million crowns, said the mayor."


def test_what_nothing_resembles_is_gone(after):
    assert after({"letter.txt": "Anna wrote to the council in May.\n\nNobody came."}).to_dict() == {
        "status": "gone",
        "now": None,
        "change": None,
    }


def test_a_saved_answer_gives_each_citation_with_the_sentence_that_cites_it():
    place = {"document": "docs/letter.txt", "start": OLD.start, "end": OLD.end, "quote": QUOTE}
    answer = {
        "id": "q1",
        "sentences": [{"text": "It is dear.", "citations": [1]}, {"text": "It is.", "citations": [1]}],
        "citations": [{"label": 1, **place}],
    }
    assert read_citations(answer) == [OLD]


@pytest.mark.parametrize(
    "saved",
    [
        pytest.param({}, id="empty"),
        pytest.param({"sentences": [], "citations": [{"label": 1}]}, id="no-place"),
        pytest.param({"sentences": [], "citations": "none"}, id="no-list"),
    ],
)
def test_what_is_no_saved_answer_says_so(saved):
    with pytest.raises(InputError, match="no answer of `ragkit ask --json`"):
        read_citations(saved)


def test_a_digit_more_is_an_edit_though_the_old_words_are_in_the_new_ones(after):
    shorter = "10 people died in the fire."
    place = SavedCitation("q1", 1, "", "docs/letter.txt", 0, len(shorter), shorter)
    assert after({"letter.txt": f"1{shorter}"}, place).status == "edited"


def test_the_same_words_in_another_document_come_before_like_ones_in_this(after):
    found = after({"letter.txt": LETTER.replace("40", "55"), "other.txt": QUOTE})
    assert (found.status, found.now.document) == ("moved", "docs/other.txt")


def test_a_changed_sentence_in_a_renamed_document_is_edited(after):
    found = after({"renamed.txt": LETTER.replace("40", "55")})
    assert (found.status, found.now.document) == ("edited", "docs/renamed.txt")


def test_other_quotation_marks_are_no_change_of_words(after):
    said = "“It’s ready”, said Bob – twice."
    plain = '"It\'s ready", said Bob - twice.'
    assert after({"letter.txt": plain}, SavedCitation("q1", 1, "", "docs/letter.txt", 0, 5, said)).status == "moved"


def test_words_outside_of_all_paragraphs_are_gone(after):
    found = after({"letter.md": f"<!-- {QUOTE} -->\n\nAnna wrote to the council."})
    assert found.status == "gone"
