import pytest

from ragkit.evaluation.robustness.paraphrasing import paraphrases

ALWAYS = 2  # "Please tell me: ...?" and "What I would like to know is this: ...?"


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        pytest.param("Who won the cup?", "Could you tell me who won the cup?", id="who did it"),
        pytest.param("How many dogs went along?", "I would like to know how many dogs went along.", id="how many did"),
        pytest.param("What caused the fire", "Do you know what caused the fire?", id="no question mark"),
        pytest.param(
            "What is the capital of France?", "Could you tell me what the capital of France is?", id="what is"
        ),
        pytest.param("Who was Ada Lovelace?", "Ada Lovelace was who?", id="name"),
        pytest.param("What is the capital of France?", "The capital of France is what?", id="question word moved"),
        pytest.param("How loud is it at night?", "Could you tell me how loud it is at night?", id="be and pronoun"),
        pytest.param("When can I come?", "Could you tell me when I can come?", id="modal"),
        pytest.param("What do I get for it?", "Could you tell me what I get for it?", id="do dropped"),
        pytest.param("Will they pay me?", "Could you tell me whether they will pay me?", id="yes or no"),
        pytest.param("Why did Putin refuse?", "For what reason did Putin refuse?", id="why"),
        pytest.param("How many boats were lost?", "What number of boats were lost?", id="how many"),
        pytest.param("On which day did she go?", "Please tell me: on which day did she go?", id="preposition"),
    ],
)
def test_a_question_is_put_in_other_words(question, expected):
    assert expected in paraphrases(question)


@pytest.mark.parametrize(
    "question",
    [
        pytest.param("Who is the letter addressed to?", id="participle"),
        pytest.param("What is the boy eating?", id="progressive"),
        pytest.param("What was the ship like?", id="dangling word"),
        pytest.param("What is wrong with it?", id="adjective"),
        pytest.param("What did he say?", id="did"),
        pytest.param("Which team did Denver beat?", id="which for the object"),
        pytest.param("What about the cup?", id="what about"),
        pytest.param("Has Mr Okoro won?", id="yes or no with a name"),
        pytest.param("Which of the two won?", id="which of"),
    ],
)
def test_where_more_than_a_word_would_have_to_move_only_the_plain_forms_are_left(question):
    assert len(paraphrases(question)) == ALWAYS


@pytest.mark.parametrize("text", ["", "?", "Denver won.", "I have a dog. Who feeds it?", "the cup and who won it"])
def test_what_is_no_single_question_has_no_other_words(text):
    assert paraphrases(text) == []
