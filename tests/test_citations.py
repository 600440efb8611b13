import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragkit.citations import DraftSentence, cite, number_citations, parse_draft, render, without_marks
from ragkit.records import DocumentRef, Evidence, Paragraph, Sentence

REF = DocumentRef("a.txt", "sha256:0")
TEXT = "Anna met Bob [3]. They talked. Then they left."
PARAGRAPH = Paragraph(REF, 1, 0, len(TEXT), TEXT)
EVIDENCE = {
    1: Evidence(1, PARAGRAPH, 0, 17, TEXT[0:17], 0.9),
    2: Evidence(2, PARAGRAPH, 18, 30, TEXT[18:30], 0.8),
    3: Evidence(3, PARAGRAPH, 31, 46, TEXT[31:46], 0.7),
}


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        pytest.param("Anna met Bob [1].", [("Anna met Bob.", (1,))], id="before-the-stop"),
        pytest.param("Anna met Bob. [1]", [("Anna met Bob.", (1,))], id="after-the-stop"),
        pytest.param(
            "Anna met Bob.[1] They left.[2]", [("Anna met Bob.", (1,)), ("They left.", (2,))], id="after-each"
        ),
        pytest.param("Anna met Bob. [1] They left.", [("Anna met Bob.", (1,)), ("They left.", ())], id="first-only"),
        pytest.param("Anna met Bob [1][2].", [("Anna met Bob.", (1, 2))], id="side-by-side"),
        pytest.param("Anna met Bob [1, 2].", [("Anna met Bob.", (1, 2))], id="one-bracket"),
        pytest.param("Anna met Bob [2; 1][2].", [("Anna met Bob.", (2, 1))], id="each-once-in-order"),
        pytest.param("Anna [1] met Bob [2].", [("Anna met Bob.", (1, 2))], id="inside"),
        pytest.param("Anna met Bob.", [("Anna met Bob.", ())], id="none"),
        pytest.param("Anna met Bob [a], [x1] and [].", [("Anna met Bob [a], [x1] and [].", ())], id="no-labels"),
        pytest.param("[1]", [], id="only-a-label"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_labels_are_taken_out_of_a_draft(draft, expected):
    assert parse_draft(draft) == [DraftSentence(text, labels) for text, labels in expected]


WORDS = st.lists(st.sampled_from("anna bob letter river naïve 会談 17 it’s".split()), min_size=2, max_size=6)
LABELS = st.lists(st.integers(1, 999), max_size=4, unique=True).map(tuple)


@given(st.lists(st.tuples(WORDS, LABELS), min_size=1, max_size=4))
def test_what_is_rendered_is_parsed_again(drawn):
    sentences = [Sentence(f"The {' '.join(words)} came.", labels, "supported", 1.0) for words, labels in drawn]
    assert parse_draft(render(sentences)) == [DraftSentence(s.text, s.citations) for s in sentences]


@given(st.text(max_size=60))
def test_no_draft_breaks_the_parser_and_no_label_stays_in_the_text(draft):
    for sentence in parse_draft(draft):
        assert sentence.text
        assert not any(f"[{label}]" in sentence.text for label in sentence.labels)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("It ended the war [1], [2].", "It ended the war.", id="list"),
        pytest.param('"It is better" [12] , [3] he said.', '"It is better" he said.', id="inside"),
        pytest.param("An array a[i] and [x]  stay.", "An array a[i] and [x] stay.", id="other-brackets"),
        pytest.param("Two\n  lines.", "Two lines.", id="line-breaks"),
    ],
)
def test_quotations_lose_the_marks_of_the_document(text, expected):
    assert without_marks(text) == expected


def test_labels_of_the_answer_count_from_one_in_order_of_appearance_and_quotes_are_exact():
    first, second = (Sentence(text, (), "supported", 1.0) for text in ("They left.", "They met."))
    sentences, citations = number_citations([(first, (3,)), (second, (1, 3))], EVIDENCE)
    assert [sentence.citations for sentence in sentences] == [(1,), (2, 1)]
    assert [(c.label, c.quote) for c in citations] == [(1, "Then they left."), (2, "Anna met Bob [3].")]
    assert render(sentences) == "They left. [1] They met. [2][1]"
    assert all(TEXT[c.start : c.end] == c.quote for c in citations)


def test_a_citation_keeps_place_and_score_of_its_evidence():
    citation = cite(EVIDENCE[2], 5)
    assert (citation.label, citation.start, citation.end, citation.score) == (5, 18, 30, 0.8)
