from dataclasses import replace

import pytest

from ragkit.evaluation.measures.estimates import Estimate
from ragkit.evaluation.measures.metrics import METRIC_NAMES
from ragkit.evaluation.report.headlines import (
    MAIN_METRICS,
    OUTCOMES,
    STEP_TITLES,
    UNTOLD,
    count_steps,
    describe_step,
    headlines,
    is_failure,
    summarize,
    tell_outcome,
)
from ragkit.evaluation.running.blame import STEPS
from tests.runs import answer, mixed_rows, refusal, result, row


def test_every_headline_is_a_metric_and_every_step_has_a_title():
    assert set(MAIN_METRICS) <= set(METRIC_NAMES)
    assert list(STEP_TITLES) == [*STEPS, UNTOLD]


def test_a_headline_says_its_figure_and_counts_in_plain_words():
    right, seconds = headlines({"seconds": Estimate(1.234, 4, 1.0, 2.0), "answers_right": Estimate(0.75, 4, 0.3, 0.95)})
    assert (right.title, right.figure, right.interval) == ("Right", "75.0\xa0%", "30.0 to 95.0\xa0%")
    assert right.sentence.startswith("3 of 4 questions were answered rightly")  # .75 * 4
    assert (seconds.figure, seconds.interval) == ("1.23", "1.00 to 2.00")


def test_sentences_supported_are_not_shown_beside_a_check_made_anew():
    one = Estimate(1.0, 1, 1.0, 1.0)
    assert [h.name for h in headlines({"sentences_supported": one})] == ["sentences_supported"]
    assert [h.name for h in headlines({"sentences_supported": one, "grounded": one})] == ["grounded"]


def test_every_row_has_an_outcome():
    assert [tell_outcome(row) for row in mixed_rows()] == [
        "right",
        "wrong",
        "refused-rightly",
        "refused-wrongly",
        "error",
    ]
    assert tell_outcome(row("long", None, answer())) == "not-judged"
    assert set(map(tell_outcome, mixed_rows())) < set(OUTCOMES)


@pytest.mark.parametrize(
    ("one", "failed"),
    [
        pytest.param(row("a", 1.0, answer()), False, id="right"),
        pytest.param(row("a", 0.0, answer()), True, id="wrong"),
        pytest.param(row("a", None, answer()), False, id="not judged"),
        pytest.param(row("a", None, refusal()), True, id="refused though answerable"),
        pytest.param(row("a", None, None, error="E: x"), True, id="error"),
    ],
)
def test_wrong_answers_needless_refusals_and_errors_are_failures(one, failed):
    assert is_failure(one) is failed


def test_blame_is_counted_in_the_order_of_the_steps_and_wrong_rows_without_one_are_counted_too():
    rows = [
        *mixed_rows(),
        row("other", 0.0, answer(), blame="not-indexed"),
        row("odd", 0.0, answer(), blame="new-step"),
    ]
    assert list(count_steps(rows).items()) == [
        ("not-indexed", 1),
        ("not-chosen", 1),
        ("refused", 1),
        ("untold", 1),  # broken
        ("new-step", 1),
    ]
    assert describe_step("not-indexed") == "The paragraph that answers is not in the index."


def test_a_summary_tells_what_was_right_how_the_rest_failed_and_where():
    rows = [*mixed_rows(), row("other", 0.0, answer(), blame="not-chosen")]
    assert summarize(result(rows)) == (
        "2 of 6 questions were answered rightly. The others: 2 answered wrongly, 1 refused without need, 1 ended by an "
        f"error. The step that lost the most (2): {describe_step('not-chosen')}"
    )
    assert summarize(result(rows[:1])) == "1 of 1 questions were answered rightly."
    unjudged = replace(rows[0], values={})
    assert summarize(result([unjudged])) == "None of the 1 questions can be judged right or wrong."
