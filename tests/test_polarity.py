import pytest
from fakes import ScriptedVerifier

from ragkit.polarity import both_ways, say_yes_or_no, without_yes_or_no
from ragkit.records import DocumentRef, Evidence, Paragraph, Sentence

TEXT = "The lift is broken. We are waiting for a new one."
PARAGRAPH = Paragraph(DocumentRef("a.txt", "sha256:0"), 1, 0, len(TEXT), TEXT)
EVIDENCE = Evidence(1, PARAGRAPH, 0, 19, TEXT[:19], 2.0)
QUESTION = "Can I take the lift?"


def said(odds, question=QUESTION):
    drawn = [(Sentence(EVIDENCE.text, (), "supported", 1.0), (1,))]
    marked = say_yes_or_no(question, drawn, {1: EVIDENCE}, lambda: ScriptedVerifier(odds))
    return [sentence.text for sentence, _ in marked]


@pytest.mark.parametrize(
    ("odds", "text"),
    [
        pytest.param({"? No, the lift is broken.": 4.0}, "No: The lift is broken.", id="no"),
        pytest.param({"? Yes, the lift is broken.": 4.0}, "Yes: The lift is broken.", id="yes"),
        pytest.param(
            {"? Yes, the lift is broken.": 4.0, "? No, the lift is broken.": 3.9}, "The lift is broken.", id="not-sure"
        ),
    ],
)
def test_yes_and_no_are_said_only_where_the_source_tells_which(odds, text):
    assert said(odds) == [text]


def test_another_question_gets_neither():
    assert said({"? No, the lift is broken.": 4.0}, "What is broken?") == [EVIDENCE.text]


def test_a_name_keeps_its_capital_behind_yes():
    assert both_ways("Did he?", "Peskov did.") == ("Did he? Yes, Peskov did.", "Did he? No, Peskov did.")


@pytest.mark.parametrize(
    ("sentence", "bare"),
    [("No, the lift is broken.", "The lift is broken."), ("Nobody takes it.", "Nobody takes it.")],
)
def test_the_word_at_the_beginning_is_taken_off(sentence, bare):
    assert without_yes_or_no(sentence) == bare
