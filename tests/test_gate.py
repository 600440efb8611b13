import pytest

from ragkit.errors import SettingsError
from ragkit.evaluation.compare import compare_results
from ragkit.evaluation.gate import Limit, find_breaches, find_misses, parse_limits, parse_thresholds
from ragkit.evaluation.measures.estimates import Estimate
from ragkit.evaluation.measures.metrics import METRIC_NAMES
from ragkit.evaluation.results import EvalResult, Row, measure_performance


def result(rights, seconds):
    rows = [
        Row(f"q{i}", "Q?", (), {}, f"d{i}", None, None, {"answers_right": right, "seconds": seconds})
        for i, right in enumerate(rights)
    ]
    return EvalResult("tiny", "sha256:1", "2026-01-01", {}, {}, measure_performance(rows), {}, {}, tuple(rows))


def comparison():
    """Of 50 questions 41 were right and 40 are: .82 to .80; the seconds rise from 1 to 1.5."""
    return compare_results(result([1.0] * 41 + [0.0] * 9, 1.0), result([1.0] * 40 + [0.0] * 10, 1.5))


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


def test_limits_on_changes_are_read_from_texts():
    assert parse_limits(["answers_right drops 0.02", " seconds  rises 0.5,words rises 10"]) == (
        Limit("answers_right", "drops", 0.02),
        Limit("seconds", "rises", 0.5),
        Limit("words", "rises", 10.0),
    )
    assert parse_limits([]) == ()


@pytest.mark.parametrize(
    "spec",
    ["", "answers_right", "answers_right drops", "answers_right falls 0.02", "answers_right drops much", "a drops 1 2"],
)
def test_a_limit_of_another_form_is_refused_with_the_right_one(spec):
    with pytest.raises(SettingsError, match=r"not of the form 'answers_right drops 0\.02'"):
        parse_limits([spec])


def test_a_limit_on_an_unknown_metric_lists_those_known():
    with pytest.raises(SettingsError, match=", ".join(METRIC_NAMES)):
        parse_limits(["accuracy drops 0.02"])


@pytest.mark.parametrize("number", ["0", "-0.02", "nan", "inf"])
def test_a_limit_needs_a_number_above_zero(number):
    with pytest.raises(SettingsError, match=r"number above 0.*answers_right drops 0\.02"):
        parse_limits([f"answers_right drops {number}"])


@pytest.mark.parametrize(
    ("spec", "broken"),
    [
        pytest.param("answers_right drops 0.02", True, id="just as large"),
        pytest.param("answers_right drops 0.021", False, id="smaller"),
        pytest.param("answers_right rises 0.02", False, id="the other way"),
        pytest.param("seconds rises 0.5", True, id="rises"),
        pytest.param("seconds drops 0.5", False, id="rises instead of dropping"),
    ],
)
def test_a_change_counts_from_the_given_size_on(spec, broken):
    assert bool(find_breaches(comparison(), parse_limits([spec]))) is broken


def test_a_breach_says_what_was_measured():
    broken = find_breaches(comparison(), parse_limits(["seconds rises 0.1", "answers_right drops 0.01"]))
    assert [str(breach) for breach in broken] == [
        "seconds must not rise by 0.1 or more, but it rose by 0.5, from 1 to 1.5, over the 50 questions judged both "
        "times",
        "answers_right must not drop by 0.01 or more, but it dropped by 0.02, from 0.82 to 0.8, over the 50 questions "
        "judged both times",
    ]


def test_a_gate_that_measured_nothing_does_not_open():
    broken = find_breaches(comparison(), parse_limits(["rouge_l drops 0.02"]))
    assert [str(breach) for breach in broken] == [
        "rouge_l must not drop by 0.02 or more, but no question could be judged both times"
    ]
