from xml.etree import ElementTree as ET

import pytest

from ragkit.evaluation.report.junit import to_junit
from tests.runs import HOSTILE, answer, mixed_rows, result, row


def suite_of(rows):
    return ET.fromstring(to_junit(result(rows)).encode())[0]


def test_each_question_is_a_test_case_and_what_went_wrong_is_told():
    suite = suite_of([*mixed_rows(), row("long", None, answer())])
    assert suite.attrib == {
        "name": "tiny",
        "timestamp": "2026-01-01T10:00:00",
        "tests": "6",
        "failures": "2",
        "errors": "1",
        "skipped": "1",
        "time": "1.500",  # 5 answers of .3 seconds
    }
    assert [(case.get("name"), [child.tag for child in case]) for case in suite] == [
        ("right: Who won right?", []),
        ("wrong: Who won wrong?", ["failure"]),
        ("sang: Who won sang?", []),
        ("shy: Who won shy?", ["failure"]),
        ("broken: Who won broken?", ["error"]),
        ("long: Who won long?", ["skipped"]),
    ]


def test_a_failure_tells_what_was_said_what_was_looked_for_and_the_step_to_blame():
    failure = suite_of(mixed_rows())[1][0]
    assert failure.attrib == {"type": "not-chosen", "message": "said: Carolina lost [1]"}
    asked, said, wanted, lost = failure.text.split("\n")
    assert (asked, said) == ("asked: Who won wrong?", "said: Carolina lost [1]")
    assert wanted == "looked for: Denver (games.txt paragraph 1)"
    assert lost.startswith("lost at: not-chosen. The paragraph was read")


def test_an_error_is_told_by_its_kind():
    error = suite_of(mixed_rows())[4][0]
    assert error.attrib == {"type": "QuestionError", "message": "QuestionError: The question is broken."}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        pytest.param("\x00 \x1b \ufffe", "� � �", id="control characters and noncharacters"),
        pytest.param("\ud800", "�", id="half a surrogate pair"),
        pytest.param("<b> & ]]> \"'", "<b> & ]]> \"'", id="what XML escapes"),
        pytest.param("𝒜 ü", "𝒜 ü", id="any letter"),
    ],
)
def test_what_xml_forbids_is_replaced(text, kept):
    case = suite_of([row("odd", 0.0, answer(text), question=text)])[0]
    assert case.get("name") == f"odd: {kept}"
    assert f"said: {kept}\n" in case[0].text


def test_a_hostile_document_stays_text():
    case = suite_of([row("odd", 0.0, answer(HOSTILE))])[0]
    assert '<img src=x onerror="window.hacked = 1">' in case[0].get("message")
