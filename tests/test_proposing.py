from pathlib import Path

import pytest

from ragkit.evaluation.drafting.phrases import Names
from ragkit.evaluation.drafting.proposing import Absences, propose
from ragkit.readers import read_document

PROSE = (
    "The old bridge was opened on 14 June 1998 [1]. It is red.\n\n"
    "Since nobody came, the shop, which had cost 300,000 crowns, was shut on 3 May 2001 at once.\n"
)
LISTED = """# Staff handbook

## Opening hours

- Monday to Friday: 8 to 18
- Saturday: 9 to 12

The members of the board are:

- Anna Voss, chair
- Ida Holm

You will need:

- a pen
- paper
"""


@pytest.fixture
def read(tmp_path):
    def read_text(text, name="a.txt"):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return read_document(Path(file), name)

    return read_text


def test_sentences_are_asked_for_what_the_rules_find_and_the_rest_is_left_to_be_worded(read):
    document = read(PROSE)
    found = list(propose(document, Names([document.text])))
    assert [(p.kind, p.question, p.answers) for p in found] == [
        ("when", "When was the old bridge opened?", ("14 June 1998",)),
        ("when", "", ("3 May 2001",)),
        ("how many", "", ("300,000",)),
    ]
    paragraph, (start, end) = found[0].places[0]
    assert paragraph.text[start:end] == "The old bridge was opened on 14 June 1998 [1]."


def test_lists_are_asked_for_where_a_line_or_heading_names_them(read):
    document = read(LISTED, "a.md")
    lists = [p for p in propose(document, Names([document.text])) if p.kind == "list"]
    assert [(p.question, p.entries) for p in lists] == [
        ("What are the opening hours?", ("Monday to Friday", "Saturday")),
        ("What are the members of the board?", ("Anna Voss, chair", "Ida Holm")),
    ]
    assert [place[0].text for place in lists[1].places] == ["Anna Voss, chair", "Ida Holm"]


def absent(documents):
    names = Names([document.text for document in documents])
    return {p.question for document in documents for p in Absences(documents).propose(document, names)}


def test_questions_for_missing_details_are_not_answerable(read):
    document = read("The old bridge was opened by a queen.\n")
    names = Names([document.text])
    (when, where) = Absences([document]).propose(document, names)
    assert (when.question, where.question) == (
        "When was the old bridge opened by a queen?",
        "Where was the old bridge opened by a queen?",
    )
    assert not when.answerable
    assert when.answers == ()


@pytest.mark.parametrize(
    ("more", "left"),
    [
        pytest.param("It rained.", {"When", "Where"}, id="nothing to the point"),
        pytest.param("That was on 3 May.", {"Where"}, id="a time beside it"),
        pytest.param("The crowd waited in Malmö.", {"When"}, id="a place beside it"),
        pytest.param("A queen cut a ribbon on the bridge when it was opened.", set(), id="the same told again"),
    ],
)
def test_what_may_stand_elsewhere_is_not_taken_for_missing(read, more, left):
    found = absent([read(f"The old bridge was opened by a queen. {more}\n")])
    assert {question.split()[0] for question in found} == left


def test_another_document_may_answer_too(read):
    first = read("The old bridge was opened by a queen.\n")
    second = read("A queen opened the old bridge on Monday.\n", "b.txt")
    assert absent([first, second]) == set()
