import json
from dataclasses import asdict
from random import Random

import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import roc_auc_score

from ragkit.evaluation.measures.curves import Bin, Curves, Point, auroc, curves_of, load_curves, wrong_at_coverage
from ragkit.evaluation.results import Row


def row(confidence, right=None, *, answerable=True, abstained=False, if_answered=None):
    answer = {"confidence": confidence, "abstained": abstained}
    values = {"answers_right": right, "right_if_answered": if_answered}
    return Row("q", "Q?", (), {"answerable": answerable}, "d", answer, None, values)


def unanswerable(confidence, *, abstained=True):
    return row(confidence, float(abstained), answerable=False, abstained=abstained)


FOUR = [row(0.6, 0.0), row(0.9, 1.0), row(0.7, 1.0), row(0.8, 0.0)]


def test_coverage_goes_from_the_surest_answer_on():
    # surest first: right, wrong, right, wrong, so of 1, 2, 3, 4 answers 0, 1, 1, 2 are wrong
    assert curves_of(FOUR).coverage == (
        Point(0.25, 0.0, 0.9),
        Point(0.5, 0.5, 0.8),
        Point(0.75, pytest.approx(1 / 3), 0.7),
        Point(1.0, 0.5, 0.6),
    )


def test_the_area_under_risk_and_coverage_is_the_mean_risk():
    assert curves_of(FOUR).aurc == pytest.approx((0 + 1 / 2 + 1 / 3 + 2 / 4) / 4)


def test_answers_of_equal_confidence_are_one_point_whatever_their_order():
    rows = [row(0.8, 1.0), row(0.8, 0.0), row(0.5, 1.0)]
    curves = curves_of(rows)
    assert curves.coverage == (Point(pytest.approx(2 / 3), 0.5, 0.8), Point(1.0, pytest.approx(1 / 3), 0.5))
    # half of the first answer is wrong, then 1 of 2, then 1 of 3
    assert curves.aurc == pytest.approx((0.5 / 1 + 1 / 2 + 1 / 3) / 3)
    assert curves_of(rows[::-1]) == curves


@pytest.mark.parametrize(
    ("coverage", "wrong"), [(0.25, 0.0), (0.3, 0.5), (0.5, 0.5), (0.75, pytest.approx(1 / 3)), (1.0, 0.5)]
)
def test_wrong_answers_at_a_coverage(coverage, wrong):
    assert wrong_at_coverage(curves_of(FOUR), coverage) == wrong


@pytest.mark.parametrize("coverage", [0.0, -0.5, 1.5])
def test_a_coverage_is_a_share(coverage):
    with pytest.raises(ValueError, match="at most 1"):
        wrong_at_coverage(curves_of(FOUR), coverage)


def test_bins_hold_what_is_as_sure_and_their_error_is_weighed_by_n():
    rows = [row(0.85, 1.0), row(0.8, 0.0), row(1.0, 1.0), row(0.1, 0.0)]
    curves = curves_of(rows)
    assert curves.bins == (
        Bin(0.1, 0.2, 1, 0.1, 0.0),
        Bin(0.8, 0.9, 2, pytest.approx(0.825), 0.5),
        Bin(0.9, 1.0, 1, 1.0, 1.0),  # the last one holds 1 too
    )
    # (1 * |0 - .1| + 2 * |.5 - .825| + 1 * |1 - 1|) / 4 = (.1 + .65) / 4
    assert curves.calibration_error == pytest.approx(0.1875)


def test_bins_agree_with_scikit_learn():
    random = Random(1)
    sure = [random.random() for _ in range(300)]
    right = [float(random.random() < confidence) for confidence in sure]
    bins = curves_of([row(c, r) for c, r in zip(sure, right, strict=True)]).bins
    shares, means = calibration_curve(right, sure, n_bins=10, strategy="uniform")
    assert [one.right for one in bins] == pytest.approx(list(shares), abs=1e-9)
    assert [one.confidence for one in bins] == pytest.approx(list(means), abs=1e-9)


def test_auroc_counts_the_pairs_in_order():
    # of the 2 x 2 pairs .9 > .5, .9 > .7, .5 = .5 (half) and .5 < .7: 2.5 of 4
    assert auroc([0.9, 0.5], [0.5, 0.7]) == 0.625
    assert auroc([], [0.5]) is None
    assert auroc([0.5], []) is None


@pytest.mark.parametrize("digits", [1, 8], ids=["many ties", "no ties"])
def test_auroc_agrees_with_scikit_learn(digits):
    random = Random(2)
    higher = [round(random.betavariate(3, 2), digits) for _ in range(150)]
    lower = [round(random.betavariate(2, 3), digits) for _ in range(90)]
    expected = roc_auc_score([1] * 150 + [0] * 90, higher + lower)
    assert auroc(higher, lower) == pytest.approx(expected, abs=1e-9)


def test_any_answer_to_an_unanswerable_question_is_wrong_given_or_not():
    given, refused = curves_of([unanswerable(0.6, abstained=False)]), curves_of([unanswerable(0.6)])
    assert given == refused
    assert given.coverage == (Point(1.0, 1.0, 0.6),)


@pytest.mark.parametrize(("if_answered", "right"), [(1.0, 1.0), (0.0, 0.0)], ids=["right", "wrong"])
def test_a_refused_answer_counts_as_what_it_would_have_been(if_answered, right):
    refused = row(0.1, 0.0, abstained=True, if_answered=if_answered)
    assert [one.right for one in curves_of([refused]).bins] == [right]


def test_refused_answers_that_nobody_knows_count_only_for_the_order_of_questions():
    curves = curves_of([row(0.9, 1.0), row(0.2, 0.0, abstained=True), unanswerable(0.3)])
    assert curves.n == 2
    assert [point.confidence for point in curves.coverage] == [0.9, 0.3]
    assert curves.auroc == 0.5  # .9 > .3, .2 < .3


def test_answers_that_cannot_be_told_right_or_wrong_count_only_for_the_order_of_questions():
    curves = curves_of([row(0.9, None), row(0.7, 1.0), unanswerable(0.8)])
    assert curves.n == 2
    assert curves.auroc == 0.5  # .9 > .8, .7 < .8


def test_there_are_no_curves_where_nothing_is_known():
    error = Row("q", "Q?", (), {"answerable": True}, "d", None, "ModelError: x", {"answers_right": 0.0})
    assert curves_of([]) is None
    assert curves_of([error]) is None
    assert curves_of([row(0.9, None)]) is None
    assert curves_of([error, row(0.9, 1.0)]).n == 1


def test_without_unanswerable_questions_there_is_no_order_to_judge():
    assert curves_of(FOUR).auroc is None


def test_curves_are_read_back_as_they_were_written():
    curves = curves_of([*FOUR, unanswerable(0.3)])
    assert load_curves(json.loads(json.dumps(asdict(curves)))) == curves
    assert isinstance(curves, Curves)
    assert load_curves(None) is None
