from dataclasses import replace

import pytest

from ragkit.disagreement import OTHERWISE, say_disagreement
from ragkit.models.deciding import Decision
from ragkit.records import DocumentRef, Evidence, Paragraph, Sentence


def evidence(label, text, short_answer, document):
    paragraph = Paragraph(DocumentRef(document, f"sha256:{document}"), 1, 0, len(text), text)
    return Evidence(label, paragraph, 0, len(text), text, 2.0, short_answer)


REPORT = evidence(1, "Eleven people fell into the river.", "Eleven people", "report.txt")
LETTER = evidence(2, "I counted fourteen of them in the water.", "fourteen", "letter.txt")
SAME = evidence(2, "There were 11 in the water.", "11", "letter.txt")
QUESTION = "How many people fell into the river?"


def said(question, *shown, decisions=()):
    drawn = [(Sentence(item.text, (), "supported", 1.0), (item.label,)) for item in shown]
    marked = say_disagreement(question, drawn, {item.label: item for item in shown}, decisions)
    return [sentence.text for sentence, _ in marked]


@pytest.mark.parametrize(
    ("first", "second", "is_told"),
    [
        pytest.param("4 June", "9 June", True, id="days"),
        pytest.param("4 June", "June 4, 2026", False, id="the same day, one with its year"),
        pytest.param("on Thursday", "on 4 June", False, id="a weekday and a date"),
        pytest.param("in 2026", "on 4 June", False, id="a year and a day"),
        pytest.param("on Thursday", "on Friday", True, id="weekdays"),
        pytest.param("4 June", "4 July", True, id="months"),
        pytest.param("about 1,200 days later", "1,187 days later", False, id="not-exact"),
        pytest.param("two decades ago", "20 years ago", False, id="other-units"),
        pytest.param("after 11 days", "after 14 days", False, id="a-bound"),
        pytest.param("11 days later", "14 days later", True, id="the-same-unit"),
    ],
)
def test_only_values_of_one_sort_exclude_each_other(first, second, is_told):
    shown = [
        evidence(1, f"It came out {first}.", first, "report.txt"),
        evidence(2, f"It was out {second}.", second, "letter.txt"),
    ]
    assert said("When did the letter come out?", *shown)[1].startswith(OTHERWISE) is is_told


def test_another_number_by_another_document_is_said_to_be_otherwise():
    assert said(QUESTION, REPORT, LETTER) == [REPORT.text, f"{OTHERWISE}{LETTER.text}"]


@pytest.mark.parametrize(
    ("question", "second"),
    [
        pytest.param(QUESTION, SAME, id="the same number"),
        pytest.param(QUESTION, replace(LETTER, paragraph=REPORT.paragraph), id="the same document"),
        pytest.param("Who fell into the river?", LETTER, id="a name, of which there may be two"),
        pytest.param("Why did eleven people fall into the river?", LETTER, id="an explanation"),
        pytest.param(QUESTION, replace(LETTER, short_answer=""), id="no short answer"),
    ],
)
def test_nothing_is_said_where_both_may_be_right(question, second):
    assert said(question, REPORT, second) == [REPORT.text, second.text]


@pytest.mark.parametrize(
    ("second", "is_told"),
    [
        pytest.param(Decision(0.1, 0.9), True, id="yes-and-no"),
        pytest.param(Decision(0.9, 0.1), False, id="yes-twice"),
        pytest.param(Decision(0.4, 0.5), False, id="not-sure"),
    ],
)
def test_a_no_by_another_document_is_said_to_be_otherwise_than_a_yes(second, is_told):
    found = said("Did anybody fall into the river?", REPORT, LETTER, decisions=[Decision(0.9, 0.1), second])
    assert found[1].startswith(OTHERWISE) is is_told
