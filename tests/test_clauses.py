import pytest

from ragkit.evaluation.drafting.clauses import PAST, PRESENT, parse_clause
from ragkit.evaluation.drafting.phrases import Names

NAMES = Names(["In Bergen a prisoner saw the tunnels, and prisoners dug; so did Keller, whom Keller knew."])


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        pytest.param("The bridge was opened by a queen.", "When was the bridge opened by a queen?", id="passive"),
        pytest.param("Keller sold the licence to a firm.", "When did Keller sell the licence to a firm?", id="past"),
        pytest.param("The clinic charges 180 euros.", "When does the clinic charge 180 euros?", id="present"),
        pytest.param("Prisoners would be exchanged in full.", "When would prisoners be exchanged in full?", id="modal"),
        pytest.param("The team had a plan.", "When did the team have a plan?", id="had as the verb"),
        pytest.param("The team had left the town.", "When had the team left the town?", id="had as a helper"),
        pytest.param(
            "The plans were approved at last.", "When were the plans approved at last?", id="noun like a verb"
        ),
        pytest.param(
            "A ship built in Kiel sank near Riga.", "When did a ship built in Kiel sink near Riga?", id="aside"
        ),
        pytest.param("About 340 birds were seen.", "When were about 340 birds seen?", id="number"),
        pytest.param("Anna Voss, an engineer, left the firm.", "When did Anna Voss leave the firm?", id="apposition"),
        pytest.param("The mayor rang the bell and sold it.", "When did the mayor ring the bell?", id="second verb"),
    ],
)
def test_a_statement_is_turned_into_a_question(sentence, question):
    assert parse_clause(sentence, NAMES.is_name).asked("When") == question


@pytest.mark.parametrize(
    "sentence",
    [
        pytest.param("He opened the bridge.", id="pronoun"),
        pytest.param("This was opened by a queen.", id="pointing word"),
        pytest.param("Zebras were seen here.", id="a first word that may be a name"),
        pytest.param("The mayor said the ship sank.", id="a statement in a statement"),
        pytest.param("A ladder brought from the cellar squeaks.", id="participle that looks like a verb"),
        pytest.param("“Never,” the mayor replied.", id="quotation"),
        pytest.param("Because of the rain, nothing happened.", id="no subject first"),
        pytest.param("Seventy-one bought bottled water.", id="bare number"),
    ],
)
def test_statements_that_are_not_plain_are_left_alone(sentence):
    assert parse_clause(sentence, NAMES.is_name) is None


def test_what_is_asked_for_is_taken_out_and_what_stands_in_front_goes_to_the_end():
    clause = parse_clause("In Bergen, the court met on 3 May, when it rained.", NAMES.is_name)
    assert (clause.subject, clause.verb, clause.rest, clause.front) == ("the court", "met", "on 3 May", "in Bergen")
    assert clause.ending == ","
    assert clause.asked("When", "on 3 May") == "When did the court meet in Bergen?"
    assert clause.asked("Where", "in Bergen") == "Where did the court meet on 3 May?"


def test_forms_of_verbs_follow_the_spelling():
    assert {form: PAST[form] for form in ("carried", "stopped", "created", "stayed", "wrote")} == {
        "carried": "carry",
        "stopped": "stop",
        "created": "create",
        "stayed": "stay",
        "wrote": "write",
    }
    assert {form: PRESENT[form] for form in ("carries", "teaches", "goes", "plays")} == {
        "carries": "carry",
        "teaches": "teach",
        "goes": "go",
        "plays": "play",
    }
