import pytest

from ragkit.evaluation.gold import GoldEvidence, GoldQuestion
from ragkit.evaluation.measures import citing
from ragkit.records import Answer, Citation, DocumentRef, Paragraph, Sentence

TEXT = "Denver won 24 to 10. Carolina lost."


def cite(document="seeds/a.txt", number=1, start=0, end=20, *, label=1, text=TEXT):
    paragraph = Paragraph(DocumentRef(document, "sha256:0"), number, 0, len(text), text)
    return Citation(label, paragraph, start, end, text[start:end], 0.9)


def answer(*sentences, citations=(), abstained=False):
    """Each sentence a text and its labels."""
    made = tuple(Sentence(text, labels, "supported", 1.0) for text, *labels in sentences)
    return Answer("Who won?", "as said", abstained, None, 0.5, made, tuple(citations), "none")


REFUSAL = answer(abstained=True)


def gold(evidence=(("seeds/a.txt", 1),), **fields):
    return GoldQuestion("q", "Who won?", ("x",), evidence=tuple(GoldEvidence(*e) for e in evidence), **fields)


UNANSWERABLE = GoldQuestion("q", "Who won?", evidence=(GoldEvidence("seeds/a.txt", 1),), answerable=False)


def has_all_words(sentence, text):
    """A judge for which a text supports what uses only its words."""
    return set(sentence.lower().split()) <= set(text.lower().split())


@pytest.mark.parametrize(
    ("question", "given", "answered", "overall"),
    [
        pytest.param(gold(), answer(citations=[cite(), cite(number=2)]), 1.0, 1.0, id="right first"),
        pytest.param(gold(), answer(citations=[cite(number=2), cite()]), 0.0, 0.0, id="right second"),
        pytest.param(gold(), answer(citations=[cite("seeds/b.txt")]), 0.0, 0.0, id="another document"),
        pytest.param(gold(), answer(), 0.0, 0.0, id="no citation"),
        pytest.param(gold(), REFUSAL, None, 0.0, id="refused"),
        pytest.param(gold(evidence=()), answer(citations=[cite()]), None, None, id="no gold paragraph"),
        pytest.param(UNANSWERABLE, answer(citations=[cite()]), None, None, id="unanswerable"),
        pytest.param(gold(evidence_sentences=("y",)), answer(citations=[cite()]), 1.0, 1.0, id="long gold"),
    ],
)
def test_first_citation_right(question, given, answered, overall):
    assert citing.first_citation_right(question, given) == answered
    assert citing.first_citation_right_all(question, given) == overall


def test_citation_precision_and_recall_count_paragraphs():
    question = gold(evidence=(("seeds/a.txt", 1), ("seeds/a.txt", 4), ("seeds/b.txt", 1)))
    given = answer(citations=[cite(), cite(start=21, end=35), cite(number=2), cite("seeds/b.txt")])
    # cited: a1 (twice), a2, b1 = 3 paragraphs, of which a1 and b1 are gold: 2/3; gold: a1, a4, b1, of which 2 are cited
    assert citing.citation_precision(question, given) == pytest.approx(2 / 3)
    assert citing.citation_recall(question, given) == pytest.approx(2 / 3)


def test_without_citations_precision_is_unknown_and_recall_is_zero():
    assert citing.citation_precision(gold(), answer()) is None
    assert citing.citation_recall(gold(), answer()) == 0.0
    assert citing.citation_precision(gold(), REFUSAL) is None
    assert citing.citation_recall(gold(), REFUSAL) is None
    assert citing.citation_recall(UNANSWERABLE, answer()) is None


def test_quotes_are_exact_when_the_document_says_so():
    wrong = Citation(2, cite().paragraph, 0, 6, "Dallas", 0.9)
    given = answer(citations=[cite(), wrong, cite("gone.txt")])
    # the document that is not to be had counts neither way: 1 of 2
    assert citing.quotes_exact(given, lambda path: TEXT if path == "seeds/a.txt" else None) == 0.5
    assert citing.quotes_exact(given, lambda path: None) is None
    assert citing.quotes_exact(REFUSAL, lambda path: TEXT) is None


A, B, C, AA = (
    cite(number=n, label=label, end=end, text=text)
    for n, label, end, text in [(1, 1, 3, "red and"), (2, 2, 4, "blue"), (3, 3, 5, "green"), (1, 4, 7, "red and")]
)


@pytest.mark.parametrize(
    ("sentences", "support", "needed"),
    [
        pytest.param([("red", 1)], 1.0, 1.0, id="one that supports"),
        pytest.param([("red", 2)], 0.0, 0.0, id="one that does not"),
        pytest.param([("red and blue", 1, 2)], 1.0, 1.0, id="two that support together: neither can go"),
        pytest.param([("red", 1, 3)], 1.0, 0.5, id="one too many: of two citations the first is needed"),
        pytest.param([("red and blue", 1, 2, 3)], 1.0, 2 / 3, id="one too many beside two that are needed together"),
        pytest.param([("red and blue", 1, 3)], 0.0, 0.0, id="not enough: no citation of what is unsupported counts"),
        pytest.param([("red", 1, 4)], 1.0, 1.0, id="two quotes of one paragraph are one citation"),
        pytest.param([("red", 1), ("blue",)], 0.5, 1.0, id="a sentence that cites nothing"),
        pytest.param([("red",)], 0.0, None, id="nothing cited at all"),
        # supported: red, "red and blue" of 3; needed: 1 of 1, 2 of 2, 0 of 1
        pytest.param([("red", 1), ("red and blue", 1, 2), ("blue", 3)], 2 / 3, 0.75, id="over the whole answer"),
    ],
)
def test_sentences_are_weighed_against_what_they_cite(sentences, support, needed):
    given = answer(*sentences, citations=[A, B, C, AA])
    assert citing.citations_support(given, has_all_words) == pytest.approx(support)
    assert citing.citations_needed(given, has_all_words) == needed


def test_what_is_not_said_is_not_weighed():
    assert citing.citations_support(REFUSAL, has_all_words) is None
    assert citing.citations_needed(REFUSAL, has_all_words) is None
    assert citing.citations_support(answer(), has_all_words) is None


def test_the_judge_reads_whole_paragraphs_in_the_order_of_the_labels():
    asked = []
    given = answer(("red", 2, 1), citations=[A, B])
    citing.citations_support(given, lambda sentence, text: bool(asked.append((sentence, text))))
    assert asked == [("red", "blue\n\nred and")]


def test_a_label_without_a_citation_is_no_citation():
    given = answer(("red", 1, 9), citations=[A])
    assert [paragraph.number for paragraph in citing.cited_by(given.sentences[0], given)] == [1]
