import pytest
from fakes import ScriptedDecider

from ragkit.models.deciding import Decision
from ragkit.polarity import both_ways, decide, say_yes_or_no, without_yes_or_no
from ragkit.records import DocumentRef, Evidence, Paragraph, Sentence

TEXT = "The lift is broken. We are waiting for a new one."
PARAGRAPH = Paragraph(DocumentRef("a.txt", "sha256:0"), 1, 0, len(TEXT), TEXT)
EVIDENCE = Evidence(1, PARAGRAPH, 0, 19, TEXT[:19], 2.0)
QUESTION = "Can I take the lift?"


def said(decision, question=QUESTION):
    drawn = [(Sentence(EVIDENCE.text, (), "supported", 1.0), (1,))]
    decisions = decide(question, drawn, {1: EVIDENCE}, lambda: ScriptedDecider({EVIDENCE.text: decision}))
    return [sentence for sentence, _ in say_yes_or_no(drawn, decisions)]


@pytest.mark.parametrize(
    ("decision", "text"),
    [
        pytest.param(Decision(0.1, 0.85), "No: The lift is broken.", id="no"),
        pytest.param(Decision(0.9, 0.1), "Yes: The lift is broken.", id="yes"),
        pytest.param(Decision(0.5, 0.4), "The lift is broken.", id="not-sure"),
        pytest.param(Decision(0.1, 0.2), "The lift is broken.", id="it does not tell"),
    ],
)
def test_yes_and_no_are_said_only_where_the_evidence_surely_tells_which(decision, text):
    assert [sentence.text for sentence in said(decision)] == [text]


def test_an_answer_is_supported_no_better_than_its_yes_or_no():
    assert [sentence.support for sentence in said(Decision(0.1, 0.85))] == [0.85]


def test_another_question_gets_neither():
    assert [sentence.text for sentence in said(Decision(0.0, 1.0), "What is broken?")] == [EVIDENCE.text]


def test_a_name_keeps_its_capital_behind_yes():
    assert both_ways("Did he?", "Peskov did.") == ("Did he? Yes, Peskov did.", "Did he? No, Peskov did.")


@pytest.mark.parametrize(
    ("sentence", "bare"),
    [("No, the lift is broken.", "The lift is broken."), ("Nobody takes it.", "Nobody takes it.")],
)
def test_the_word_at_the_beginning_is_taken_off(sentence, bare):
    assert without_yes_or_no(sentence) == bare
