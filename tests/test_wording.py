import pytest

from ragkit.evaluation.drafting.phrases import Names
from ragkit.evaluation.drafting.wording import split_entries, word_absent, word_introduction, word_questions

NAMES = Names(
    [
        "The keeper Anna Voss, who came from Malmö, told Keller that the members, payment, production, insulin and the "
        "spots were safe; so Keller said."
    ]
)


def asked(sentence):
    return [(w.kind, w.question, w.answers or w.entries) for w in word_questions(sentence, NAMES)]


@pytest.mark.parametrize(
    ("sentence", "kind", "question", "answers"),
    [
        pytest.param(
            "The old bridge was opened on 14 June 1998.",
            "when",
            "When was the old bridge opened?",
            ("14 June 1998",),
            id="day",
        ),
        pytest.param(
            "In 1998 the railway bridge was opened.",
            "when",
            "In which year was the railway bridge opened?",
            ("1998",),
            id="year in front",
        ),
        pytest.param(
            "The licence was sold in Malmö after a quarrel.",
            "where",
            "Where was the licence sold after a quarrel?",
            ("Malmö",),
            id="place",
        ),
        pytest.param(
            "Anna Voss sold the licence to a Swedish firm.",
            "who",
            "Who sold the licence to a Swedish firm?",
            ("Anna Voss",),
            id="doer",
        ),
        pytest.param(
            "The old lighthouse was painted by Anna Voss in spring.",
            "who",
            "Who painted the old lighthouse in spring?",
            ("Anna Voss",),
            id="doer in the passive",
        ),
        pytest.param(
            "The keeper Anna Voss of Malmö painted the old lighthouse.",
            "who",
            "Who painted the old lighthouse?",
            ("the keeper Anna Voss of Malmö",),
            id="doer from a place",
        ),
        pytest.param(
            "Mayor Anna Voss painted the old lighthouse.",
            "who",
            "Who painted the old lighthouse?",
            ("Mayor Anna Voss", "Anna Voss"),
            id="doer with a title",
        ),
        pytest.param(
            "The Harrow Council refused the new plan.",
            "who",
            "Which council refused the new plan?",
            ("the Harrow Council",),
            id="organisation",
        ),
        pytest.param(
            "About 340 rare species were recorded in the reserve.",
            "how many",
            "How many rare species were recorded in the reserve?",
            ("340",),
            id="number of the subject",
        ),
        pytest.param(
            "The secondary school will remain there for two years.".replace(" there", " open"),
            "how many",
            "For how many years will the secondary school remain open?",
            ("two",),
            id="number after a preposition",
        ),
        pytest.param(
            "The outer fence is 3.5 metres high and cost a fortune.",
            "how much",
            "How high is the outer fence?",
            ("3.5 metres",),
            id="measure",
        ),
        pytest.param(
            "The old bridge cost $5 million in all.",
            "how much",
            "How much did the old bridge cost in all?",
            ("$5 million",),
            id="sum",
        ),
        pytest.param(
            "Production ended in spring because the maker of the screens had closed.",
            "why",
            "Why did production end in spring?",
            ("the maker of the screens had closed",),
            id="reason",
        ),
        pytest.param(
            "Insulin is a hormone of the pancreas.",
            "what",
            "What is insulin?",
            ("a hormone of the pancreas",),
            id="definition",
        ),
        pytest.param(
            "Keller sold the licence to a Swedish firm.",
            "what",
            "What did Keller sell to a Swedish firm?",
            ("the licence",),
            id="object",
        ),
        pytest.param(
            "The letter asks for two things: a truce and a meeting.",
            "list",
            "For which two things does the letter ask?",
            ("a truce", "a meeting"),
            id="enumeration after a colon",
        ),
        pytest.param(
            "The old kit contains a lamp, two ropes and a knife.",
            "list",
            "What does the old kit contain?",
            ("a lamp", "two ropes", "a knife"),
            id="enumeration",
        ),
    ],
)
def test_a_sentence_is_asked_for_what_it_holds(sentence, kind, question, answers):
    assert (kind, question, answers) in asked(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        pytest.param("He sold the licence in Malmö.", id="nobody knows who he is"),
        pytest.param("The bridge was not opened in 1998.", id="denial"),
        pytest.param("Keller sold it to them on 3 May 1998.", id="pointing words"),
        pytest.param("It rained.", id="nothing"),
    ],
)
def test_sentences_that_cannot_be_asked_about_alone_are_left_out(sentence):
    assert asked(sentence) == []


def test_a_question_is_asked_for_the_detail_that_a_sentence_lacks():
    found = {(w.kind, w.question) for w in word_absent("The old bridge was opened.", NAMES)}
    assert found == {
        ("when", "When was the old bridge opened?"),
        ("where", "Where was the old bridge opened?"),
        ("who", "By whom was the old bridge opened?"),
    }
    told = word_absent("The old bridge was opened in Malmö by Anna Voss on 14 June 1998.", NAMES)
    assert told == []


def test_of_a_person_it_is_asked_where_and_when_he_or_she_was_born():
    found = [w.question for w in word_absent("Mrs Anna Voss thinks the price too high.", NAMES)]
    assert found == ["In which year was Anna Voss born?", "Where was Anna Voss born?"]
    assert word_absent("Mrs Anna Voss thinks that she was born too late.", NAMES) == []


@pytest.mark.parametrize(
    ("introduction", "question"),
    [
        pytest.param("The members of the board are:", "What are the members of the board?", id="are"),
        pytest.param("There are three kinds of rock:", "What are the three kinds of rock?", id="there are"),
        pytest.param("The old kit has three parts:", "Which three parts does the old kit have?", id="number"),
        pytest.param(
            "The school offers the following courses:", "Which courses does the school offer?", id="following"
        ),
        pytest.param("Opening hours", "What are the opening hours?", id="heading"),
        pytest.param("You will need:", None, id="no thing named"),
        pytest.param("Process", None, id="no plural"),
        pytest.param("As I said before, with great regret:", None, id="something else"),
    ],
)
def test_the_line_before_a_list_says_what_it_lists(introduction, question):
    assert word_introduction(introduction, NAMES) == question


def test_an_enumeration_has_short_entries():
    assert split_entries("flour, butter, and brown sugar") == ("flour", "butter", "brown sugar")
    assert split_entries("flour") == ()
    assert split_entries("flour, and then after a while all the butter that is left") == ()
