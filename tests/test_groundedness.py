import pytest

from ragkit.evaluation.measures import groundedness
from ragkit.evaluation.measures.groundedness import Verdicts
from ragkit.records import Answer, Citation, DocumentRef, Paragraph, Sentence

TEXTS = ("red and", "blue", "green")
CITATIONS = tuple(
    Citation(n, Paragraph(DocumentRef("a.txt", "sha256:0"), n, 0, len(text), text), 0, len(text), text, 1.0)
    for n, text in enumerate(TEXTS, start=1)
)


def answer(*sentences, verdict="supported", abstained=False):
    """Each sentence a text and its labels; all of the three paragraphs are cited if any is."""
    made = tuple(Sentence(text, labels, verdict, 1.0) for text, *labels in sentences)
    return Answer("Which?", "as said", abstained, None, 0.5, made, CITATIONS, "none")


def has_all_words(sentence, text):
    """A judge for which a text supports what uses only its words."""
    return set(sentence.lower().split()) <= set(text.lower().split())


@pytest.mark.parametrize(
    ("sentence", "verdicts"),
    [
        pytest.param(("red", 1), Verdicts(1, 0, 0), id="supported by what it cites"),
        pytest.param(("red and blue", 1, 2), Verdicts(1, 0, 0), id="supported by all that it cites together"),
        pytest.param(("red", 3), Verdicts(1, 0, 0), id="supported by what another sentence cites"),
        pytest.param(("red and blue", 1), Verdicts(0, 1, 0), id="by two of which it cites one"),
        pytest.param(("purple", 1), Verdicts(0, 1, 0), id="made up"),
        pytest.param(("red",), Verdicts(0, 0, 1), id="cites nothing, though true"),
    ],
)
def test_each_sentence_has_one_verdict(sentence, verdicts):
    assert groundedness.count_verdicts(answer(sentence), has_all_words) == verdicts


@pytest.mark.parametrize("verdict", ["supported", "unsupported"])
def test_shares_by_verdict_do_not_depend_on_what_the_answer_says_of_itself(verdict):
    given = answer(("red", 1), ("blue", 2), ("purple", 2), ("green",), verdict=verdict)
    assert groundedness.count_verdicts(given, has_all_words) == Verdicts(2, 1, 1)
    assert groundedness.grounded(given, has_all_words) == 0.5  # red and blue of 4
    assert groundedness.not_supported(given, has_all_words) == 0.25  # purple
    assert groundedness.not_cited(given) == 0.25  # green
    assert groundedness.sentences_supported(given) == float(verdict == "supported")


def test_shares_of_sentences_as_the_answer_says_itself():
    sentences = (
        Sentence("One.", (1,), "supported", 1.0, quoted=True),
        Sentence("Two.", (1,), "supported", 0.9),
        Sentence("Three.", (), "unsupported", 0.1),
        Sentence("Four.", (1,), "supported", 1.0, quoted=True),
    )
    given = Answer("Which?", "as said", False, None, 0.5, sentences, CITATIONS, "none")
    assert groundedness.sentences_supported(given) == 0.75  # 3 of 4
    assert groundedness.model_wording(given) == 0.5  # 2 of 4


@pytest.mark.parametrize("given", [answer(), answer(("red", 1), abstained=True)], ids=["nothing said", "refused"])
def test_there_is_no_share_of_nothing(given):
    assert groundedness.count_verdicts(given, has_all_words) == Verdicts(0, 0, 0)
    assert groundedness.grounded(given, has_all_words) is None
    assert groundedness.not_supported(given, has_all_words) is None
    assert groundedness.not_cited(given) is None
    assert groundedness.sentences_supported(given) is None
    assert groundedness.model_wording(given) is None
