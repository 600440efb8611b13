from dataclasses import dataclass
from typing import Any

import pytest

from ragkit.evaluation.gold import GoldQuestion
from ragkit.evaluation.measures.refusals import Confusion, confusion, refused_rightly, refused_wrongly
from ragkit.records import Answer


@dataclass
class Row:
    gold: dict[str, Any]
    answer: dict[str, Any] | None


def row(answerable, abstained):
    return Row({"answerable": answerable}, None if abstained is None else {"abstained": abstained})


@pytest.mark.parametrize(
    ("answerable", "abstained", "rightly", "wrongly"),
    [
        pytest.param(True, False, None, 0.0, id="answered"),
        pytest.param(True, True, None, 1.0, id="refused wrongly"),
        pytest.param(False, True, 1.0, None, id="refused rightly"),
        pytest.param(False, False, 0.0, None, id="made up"),
    ],
)
def test_a_refusal_is_right_where_there_is_no_answer(answerable, abstained, rightly, wrongly):
    question = GoldQuestion("q", "Who won?", answerable=answerable)
    given = Answer("Who won?", "as said", abstained, None, 0.5, (), (), "none")
    assert refused_rightly(question, given) == rightly
    assert refused_wrongly(question, given) == wrongly


def test_questions_are_counted_by_kind_and_by_what_became_of_them():
    rows = [
        *(row(True, False) for _ in range(4)),
        *(row(True, True) for _ in range(3)),
        *(row(False, False) for _ in range(2)),
        row(False, True),
        row(True, None),
        row(False, None),
    ]
    assert confusion(rows) == Confusion(4, 3, 2, 1, errors=2)
    assert confusion([]) == Confusion(0, 0, 0, 0, errors=0)
