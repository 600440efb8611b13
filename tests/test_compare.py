import pytest

from ragkit.errors import GoldError, SettingsError
from ragkit.evaluation.compare import compare_results
from ragkit.evaluation.estimates import Estimate
from ragkit.evaluation.gate import find_misses, parse_thresholds
from ragkit.evaluation.metrics import METRIC_NAMES
from ragkit.evaluation.results import EvalResult, Row, estimate_by_tag, estimate_metrics, measure_performance


def result(rights, words=(), suite_hash="sha256:1"):
    rows = []
    for i, right in enumerate(rights):
        values = {"answers_right": right, "words": words[i] if words else None}
        rows.append(Row(f"q{i}", f"Question {i}?", (), {}, f"d{i}", None, None, values))
    return EvalResult(
        "tiny",
        suite_hash,
        "2026-01-01",
        {},
        {},
        measure_performance(rows),
        estimate_metrics(rows),
        estimate_by_tag(rows),
        tuple(rows),
    )


def test_the_questions_that_changed_either_way_are_named():
    comparison = compare_results(result([0.0, 0.0, 1.0, 1.0, 1.0]), result([1.0, 1.0, 0.0, 1.0, 1.0]))
    assert comparison.fixed == ("q0", "q1")
    assert comparison.broken == ("q2",)
    assert comparison.p_value == 1.0  # 2 * (C(3,0) + C(3,1)) / 2**3 = 1
    assert comparison.is_same_suite
    assert comparison.questions == 5


def test_a_change_one_way_is_less_likely_to_be_chance():
    # 6 fixed, none broken: 2 * C(6,0) / 2**6 = .03125
    assert compare_results(result([0.0] * 6), result([1.0] * 6)).p_value == pytest.approx(0.03125)


def test_differences_are_paired():
    comparison = compare_results(
        result([1.0] * 4, words=[10.0, 20.0, 30.0, None]), result([1.0] * 4, words=[12.0, 22.0, 32.0, 99.0])
    )
    # each of the three pairs differs by 2, so the interval has no width; the fourth has no pair
    assert comparison.differences["words"] == Estimate(2.0, 3, 2.0, 2.0)
    assert comparison.differences["answers_right"].mean == 0.0
    assert "contains_gold" not in comparison.differences


def test_right_falls_back_on_the_first_citation_where_gold_is_long():
    def row(value):
        return Row("q", "Q?", (), {}, "d", None, None, {"answers_right": None, "first_citation_right_all": value})

    assert (row(1.0).right, row(0.0).right, row(None).right) == (True, False, None)


def test_results_of_other_suites_are_marked_or_refused():
    assert not compare_results(result([1.0]), result([1.0], suite_hash="sha256:2")).is_same_suite
    with pytest.raises(GoldError, match="no question in common"):
        compare_results(result([1.0]), result([]))


def test_thresholds_are_read_from_texts():
    assert parse_thresholds(["answers_right=0.85", "words = 40,seconds=2"]) == {
        "answers_right": 0.85,
        "words": 40.0,
        "seconds": 2.0,
    }


@pytest.mark.parametrize("spec", ["answers_right", "answers_right=", "answers_right=high", "=", ""])
def test_a_threshold_of_another_form_is_refused(spec):
    with pytest.raises(SettingsError, match="not of the form"):
        parse_thresholds([spec])


def test_a_threshold_on_an_unknown_metric_lists_those_known():
    with pytest.raises(SettingsError, match=", ".join(METRIC_NAMES)):
        parse_thresholds(["accuracy=0.5"])
    with pytest.raises(SettingsError, match="finite"):
        parse_thresholds(["words=nan"])


def test_thresholds_are_least_values_or_most_where_less_is_better():
    found = {"answers_right": Estimate(0.8, 10, 0.5, 0.9), "refused_wrongly": Estimate(0.2, 10, 0.1, 0.4)}
    assert find_misses(found, {"answers_right": 0.8, "refused_wrongly": 0.2}) == []
    missed = find_misses(found, {"answers_right": 0.85, "refused_wrongly": 0.1, "words": 40})
    assert [str(miss) for miss in missed] == [
        "answers_right must be at least 0.85, but it is 0.8",
        "refused_wrongly must be at most 0.1, but it is 0.2",
        "words must be at most 40, but no question could be judged",
    ]
