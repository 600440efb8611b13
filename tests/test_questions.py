import pytest

from ragkit.questions import asked_kind, holds_kind, is_broad, is_exact_kind, is_yes_no, split_question


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        pytest.param("When was the letter released?", "time", id="when"),
        pytest.param("On which day of the week did he write?", "weekday", id="which-day"),
        pytest.param("How many prisoners were exchanged?", "number", id="how-many"),
        pytest.param("What percentage of them came home?", "number", id="percentage"),
        pytest.param("Where did Putin suggest meeting?", "name", id="where"),
        pytest.param("WHO WROTE THE LETTER?", "name", id="in-capitals"),
        pytest.param("Which city hosts the talks?", "name", id="which-city"),
        pytest.param("Why does the letter matter?", None, id="why"),
        pytest.param("What did he propose?", None, id="what"),
        pytest.param("会談はどこで行われますか?", None, id="another-language"),
        pytest.param("", None, id="empty"),
    ],
)
def test_the_kind_of_thing_asked_for_is_told_from_the_question(question, kind):
    assert asked_kind(question) == kind


@pytest.mark.parametrize(
    ("kind", "question", "sentence", "holds"),
    [
        pytest.param("number", "How many came?", "Some 45 came.", True, id="digits"),
        pytest.param("number", "How many came?", "A dozen came.", True, id="number-word"),
        pytest.param("number", "How many came?", "They came.", False, id="no-number"),
        pytest.param("number", "How many of the 45 came?", "The 45 came.", False, id="number-of-the-question"),
        pytest.param("time", "When?", "It happened on Thursday.", True, id="weekday"),
        pytest.param("time", "When?", "It happened in 1998.", True, id="year"),
        pytest.param("time", "When?", "It happened.", False, id="no-time"),
        pytest.param("name", "Where did Putin go?", "He suggested Istanbul.", True, id="name"),
        pytest.param("name", "Where did Putin go?", "There Putin rested.", False, id="name-of-the-question"),
        pytest.param("name", "Where?", "He went home.", False, id="only-a-sentence-start"),
    ],
)
def test_a_sentence_holds_a_thing_of_that_kind_that_the_question_does_not_name(kind, question, sentence, holds):
    assert holds_kind(kind, question, sentence) is holds


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        pytest.param(
            "Who won the race, and when was it held?", ["Who won the race?", "when was it held?"], id="two-questions"
        ),
        pytest.param(
            "who voiced pip and who voiced grumble", ["who voiced pip?", "who voiced grumble?"], id="search-words"
        ),
        pytest.param(
            "On which weekday and on which date did it come out?",
            ["On which weekday and on which date did it come out?"],
            id="one-verb-for-both",
        ),
        pytest.param("Where and when can we meet?", ["Where and when can we meet?"], id="question-words-joined"),
        pytest.param("Who discovered it and when?", ["Who discovered it and when?"], id="a-lone-word-at-the-end"),
        pytest.param("What do Rome and Paris share?", ["What do Rome and Paris share?"], id="things-joined"),
        pytest.param("", [""], id="empty"),
    ],
)
def test_questions_asked_in_one_are_told_apart(question, parts):
    assert split_question(question) == parts
    assert is_broad(question) == (len(parts) > 1)


@pytest.mark.parametrize(
    ("question", "kind", "holding", "lacking"),
    [
        (
            "On which day of the week was it signed?",
            "weekday",
            "It was signed on a Friday.",
            "It was signed on 4 June.",
        ),
        ("In which month did it open?", "month", "It opened in March 1998.", "It opened in 1998."),
        ("What year did it open?", "year", "It opened in 1998.", "It opened on 14 June."),
        ("At what time of day did it begin?", "clock time", "It began at half past nine.", "It began in June."),
    ],
)
def test_a_part_of_a_date_is_asked_for_exactly(question, kind, holding, lacking):
    assert asked_kind(question) == kind
    assert is_exact_kind(kind)
    assert holds_kind(kind, question, holding)
    assert not holds_kind(kind, question, lacking)


@pytest.mark.parametrize(
    ("question", "is_so"),
    [
        pytest.param("Did Kyiv accept?", True, id="did"),
        pytest.param("Isn't Istanbul neutral?", True, id="isnt"),
        pytest.param("Is the venue Istanbul or Geneva?", False, id="one-of-two"),
        pytest.param("Who did accept?", False, id="who"),
        pytest.param("any deaths at all", True, id="any"),
        pytest.param("Any number is a product of what?", False, id="any-what"),
        pytest.param("Since when, by his account, has it been shut?", False, id="since-when"),
        pytest.param("I moved here in May. May I vote?", True, id="after-a-sentence"),
        pytest.param("Were half of them there or more?", True, id="or-more"),
    ],
)
def test_what_can_be_answered_with_yes_or_no_is_told_from_how_it_begins(question, is_so):
    assert is_yes_no(question) is is_so
