import pytest

from ragkit.spelling import correct_spelling

TEXTS = ["Putin's earlier suggestion was Istanbul.", "The prisoners were exchanged in Istanbul near the Bosporus."]
COMMON = {"where", "suggest", "meeting", "letter", "with", "quantum"}


def corrected(question: str) -> str:
    return correct_spelling(question, TEXTS, COMMON.__contains__)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        pytest.param("Where is Istnbul?", "Where is istanbul?", id="letter-left-out"),
        pytest.param("Where is Istanbbul?", "Where is istanbul?", id="letter-added"),
        pytest.param("Where is Istanbol?", "Where is istanbul?", id="letter-changed"),
        pytest.param("Where is Isatnbul?", "Where is istanbul?", id="letters-swapped"),
        pytest.param("Who was excahnged wiht them?", "Who was exchanged with them?", id="function-word"),
        pytest.param("exchnged prisonrs", "exchanged prisoners", id="two-words"),
    ],
)
def test_a_misspelt_word_becomes_the_nearest_of_the_documents(question, expected):
    assert corrected(question) == expected


@pytest.mark.parametrize(
    "question",
    [
        pytest.param("Where did Putin suggest meeting?", id="nothing-misspelt"),
        pytest.param("Is quantum in it?", id="common-word-the-documents-lack"),
        pytest.param("Where is Vladivostok?", id="nothing-near"),
        pytest.param("Where is Iznb?", id="too-short-for-two-slips"),
        pytest.param("会談はどこ? Où ça?", id="other-letters"),
        pytest.param("", id="empty"),
    ],
)
def test_other_words_are_left_alone(question):
    assert corrected(question) == question


def test_of_two_equally_near_words_the_more_frequent_wins():
    assert correct_spelling("battes", ["battle bottle batter", "batter"], lambda word: False) == "batter"
