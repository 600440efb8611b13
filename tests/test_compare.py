import json
from dataclasses import replace

import pytest

from ragkit.errors import GoldError
from ragkit.evaluation.compare import compare_results, say_amount
from ragkit.evaluation.measures.estimates import Estimate
from ragkit.evaluation.results import EvalResult, Row, estimate_by_tag, estimate_metrics, measure_performance


def result(rights, words=(), suite_hash="sha256:1", suite="tiny", gold="yes", **settings):
    rows = []
    for i, right in enumerate(rights):
        values = {"answers_right": right, "words": words[i] if words else None}
        rows.append(Row(f"q{i}", f"Question {i}?", (), {"answers": [gold]}, f"d{i}", None, None, values))
    measured = (measure_performance(rows), estimate_metrics(rows), estimate_by_tag(rows), tuple(rows))
    return EvalResult(suite, suite_hash, "2026-01-01", settings, {}, *measured)


def rights(right, wrong):
    return [1.0] * right + [0.0] * wrong


def test_the_questions_that_changed_either_way_are_named():
    comparison = compare_results(result([0.0, 0.0, 1.0, 1.0, 1.0]), result([1.0, 1.0, 0.0, 1.0, 1.0]))
    assert comparison.fixed == ("q0", "q1")
    assert comparison.broken == ("q2",)
    assert comparison.questions == 5
    assert comparison.is_same_suite


def test_a_share_is_tested_by_the_questions_that_changed():
    # 6 gained, none lost: 2 * C(6,0) / 2**6 = .03125; the only metric, so Holm leaves it
    change = compare_results(result(rights(2, 6)), result(rights(8, 0))).metrics["answers_right"]
    assert (change.before, change.after, change.difference.mean, change.difference.n) == (0.25, 1.0, 0.75, 8)
    assert change.p == change.p_corrected == pytest.approx(0.03125)
    assert change.outcome == "better"
    assert change.verdict == "better: up 75 points"


def test_means_are_over_the_questions_judged_both_times():
    comparison = compare_results(
        result([1.0] * 4, words=[10.0, 20.0, 30.0, None]), result([1.0] * 4, words=[12.0, 22.0, 32.0, 99.0])
    )
    change = comparison.metrics["words"]
    assert (change.before, change.after) == (20.0, 22.0)  # (10 + 20 + 30) / 3, (12 + 22 + 32) / 3
    # each of the three pairs differs by 2, so the interval has no width; 3 pairs move one way by chance in 2 of 2**3
    assert change.difference == Estimate(2.0, 3, 2.0, 2.0)
    assert change.p == 0.25
    assert change.smallest is None
    assert change.verdict == "no difference that 3 questions could show"
    assert list(comparison.metrics) == ["answers_right", "words"]


def test_a_metric_of_which_less_is_better_gets_worse_by_rising():
    words = [float(i % 5) for i in range(40)]
    comparison = compare_results(result([1.0] * 40, words), result([1.0] * 40, [n + 3 + n % 2 for n in words]))
    # of 40 lengths 0 1 2 3 4 0 ... 16 are odd: up 3 + 16 / 40
    assert comparison.metrics["words"].verdict == "worse: up 3.4 words"


def test_where_nothing_is_shown_it_says_how_much_would_be_needed():
    # 148 pairs of which 9 gained and 9 lost; by the formula of smallest_share_difference:
    # factor = (1.95996 * 12.16553 + .84162 * sqrt(148 + .70833 - 3.84146)) / 148.70833 = .228462
    # times sqrt(18 / 148) = .079675, 8 points
    change = compare_results(result(rights(100, 48)), result([0.0] * 9 + [1.0] * 100 + [0.0] * 39)).metrics[
        "answers_right"
    ]
    assert change.smallest == pytest.approx(0.079675, abs=1e-5)
    assert change.verdict == "no difference that 148 questions could show: 8 points would be needed"


def test_what_one_metric_alone_would_show_is_doubted_among_several():
    # p of answers_right is .03125 as above; times 2 metrics .0625
    comparison = compare_results(result(rights(2, 6), words=[5.0] * 8), result(rights(8, 0), words=[5.0] * 8))
    change = comparison.metrics["answers_right"]
    assert change.p_corrected == pytest.approx(0.0625)
    assert change.outcome == "perhaps better"
    assert change.verdict == "perhaps better: up 75 points, but of so many metrics one may move so far by chance"


def test_the_verdict_says_what_got_better_and_what_worse():
    words = [float(i % 3) for i in range(40)]
    comparison = compare_results(result(rights(20, 20), words), result(rights(40, 0), [n + 9 + n % 2 for n in words]))
    assert comparison.verdict == (
        "Better: answers_right. Worse: words. Of the 40 questions asked both times 20 went from wrong to right, "
        "0 from right to wrong."
    )
    same = compare_results(result(rights(20, 20), words), result(rights(20, 20), words))
    assert same.verdict.startswith("No difference could be shown in all 2 metrics compared. Of the 40 questions")


def test_settings_that_differ_are_told():
    comparison = compare_results(result([1.0], top_k=5, style="short"), result([1.0], top_k=8, style="short", seed=1))
    assert comparison.changed_settings() == {"top_k": (5, 8), "seed": (None, 1)}


def test_a_comparison_can_be_written_as_json():
    stored = json.loads(json.dumps(compare_results(result(rights(2, 6)), result(rights(8, 0), top_k=8)).to_dict()))
    assert stored["metrics"]["answers_right"]["difference"]["mean"] == 0.75
    assert stored["metrics"]["answers_right"]["verdict"] == "better: up 75 points"
    assert stored["changed_settings"] == {"top_k": [None, 8]}
    assert stored["fixed"] == ["q2", "q3", "q4", "q5", "q6", "q7"]
    assert "rows" not in stored


def test_right_falls_back_on_the_first_citation_where_gold_is_long():
    def row(value):
        return Row("q", "Q?", (), {}, "d", None, None, {"answers_right": None, "first_citation_right_all": value})

    assert (row(1.0).right, row(0.0).right, row(None).right) == (True, False, None)


@pytest.mark.parametrize(
    ("after", "cure"),
    [
        pytest.param(
            result([1.0], suite_hash="sha256:2", suite="other"), "two suites.*ragkit eval other", id="another suite"
        ),
        pytest.param(result([1.0], suite_hash="sha256:2"), "changed.*Run the earlier setting again", id="changed"),
        pytest.param(result([1.0], suite_hash="sha256:2", seed=1), "changed", id="a seed without a sample"),
        pytest.param(
            result([1.0], suite_hash="sha256:2", sample=1, gold="no"), "changed", id="other gold in another sample"
        ),
        pytest.param(result([]), "no question in common.*--sample and --seed", id="nothing shared"),
    ],
)
def test_results_that_do_not_compare_are_refused_with_the_cure(after, cure):
    with pytest.raises(GoldError, match=cure):
        compare_results(result([1.0]), after)


def test_samples_of_one_suite_are_compared_over_what_they_share():
    comparison = compare_results(result([1.0, 0.0, 0.0]), result([1.0, 1.0], suite_hash="sha256:2", sample=2))
    assert comparison.questions == 2
    assert comparison.fixed == ("q1",)
    assert not comparison.is_same_suite
    assert comparison.verdict.endswith("Other samples were asked: see that the documents were the same.")


def test_a_suite_under_another_name_is_the_same_suite():
    assert compare_results(result([1.0]), replace(result([1.0]), suite="renamed")).is_same_suite


@pytest.mark.parametrize(
    ("name", "amount", "said"),
    [
        ("answers_right", 0.0608, "6.1 points"),
        ("answers_right", 0.06, "6 points"),
        ("token_f1", 1.0, "100 points"),
        ("words", 148.4, "148 words"),
        ("seconds", 0.2468, "0.25 seconds"),
    ],
)
def test_amounts_have_their_unit_and_two_digits(name, amount, said):
    assert say_amount(name, amount) == said
