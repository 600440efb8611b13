import math
from random import Random

import pytest
from scipy.stats import binom, binomtest, ttest_1samp

from ragkit.evaluation.measures.estimates import Observation
from ragkit.evaluation.measures.significance import (
    SIGNIFICANT,
    correct_for_many,
    mean_p,
    share_p,
    smallest_mean_difference,
    smallest_share_difference,
)


def observe(*values):
    """Differences of questions that each stand alone."""
    return [Observation(value, str(i)) for i, value in enumerate(values)]


def changed(gained, lost, same):
    return observe(*[1.0] * gained, *[-1.0] * lost, *[0.0] * same)


@pytest.mark.parametrize(
    ("gained", "lost", "p"),
    [
        pytest.param(0, 0, 1.0, id="no change"),
        pytest.param(5, 0, 2 / 2**5, id="all one way"),  # 2 * C(5,0) / 2**5
        pytest.param(1, 7, 2 * (1 + 8) / 2**8, id="mostly one way"),  # 2 * (C(8,0) + C(8,1)) / 2**8
        pytest.param(4, 4, 1.0, id="even"),
    ],
)
def test_only_questions_that_changed_tell_whether_a_share_did(gained, lost, p):
    assert share_p(changed(gained, lost, 0)) == pytest.approx(p)
    assert share_p(changed(gained, lost, 500)) == pytest.approx(p)


def test_the_p_of_shares_agrees_with_scipy():
    for gained, lost in [(3, 12), (30, 18), (0, 9), (150, 100)]:
        expected = binomtest(gained, gained + lost, 0.5).pvalue
        assert share_p(changed(gained, lost, 50)) == pytest.approx(expected, abs=1e-9)


def test_the_p_of_a_mean_is_near_that_of_a_t_test():
    random = Random(3)
    values = [random.gauss(0.1, 1.0) for _ in range(400)]
    p = mean_p(observe(*values))
    assert p == pytest.approx(ttest_1samp(values, 0.0).pvalue, abs=0.02)
    assert p == mean_p(observe(*values))  # deterministic


def test_a_mean_that_did_not_move_has_a_p_of_one():
    assert mean_p(observe(0.0, 0.0, 0.0)) == 1.0
    assert mean_p(observe(1.0, -1.0)) == 1.0


def test_few_clusters_never_rule_out_chance():
    # every resample of equal differences has the same mean; 3 that move one way do so by chance in 2 of 2**3 cases
    assert mean_p(observe(2.0, 2.0, 2.0)) == 0.25
    assert mean_p(observe(2.0, 2.1, 1.9)) == 0.25  # though they vary little
    assert mean_p([Observation(2.0, "one document")] * 100) == 1.0


def test_chance_alone_is_taken_for_a_difference_in_about_5_of_100_runs():
    random = Random(4)
    found = 0
    for _ in range(200):
        shifts = [random.gauss(0.0, 0.5) for _ in range(10)]
        found += mean_p([Observation(random.gauss(s, 1.0), str(s)) for s in shifts for _ in range(5)]) < SIGNIFICANT
    assert found <= 20  # 10 are expected, and in 999 of 1,000 such tests at most 20


def test_questions_about_one_document_are_not_as_many_proofs():
    values = [1.0] * 60 + [-1.0] * 30
    apart = mean_p([Observation(value, str(i)) for i, value in enumerate(values)])
    together = mean_p([Observation(value, str(i // 10)) for i, value in enumerate(values)])
    assert apart < 0.01 < SIGNIFICANT < together


def test_holm_corrects_for_the_number_of_metrics():
    # smallest first: 3 * .01 = .03; 2 * .03 = .06; 1 * .04 = .04, but no less than the one before
    assert correct_for_many({"a": 0.04, "b": 0.01, "c": 0.03}) == pytest.approx({"a": 0.06, "b": 0.03, "c": 0.06})
    assert list(correct_for_many({"a": 0.9, "b": 0.8}).items()) == [("a", 1.0), ("b", 1.0)]  # 2 * .8, cut at 1
    assert correct_for_many({}) == {}


def test_the_smallest_difference_of_a_share():
    # 100 pairs, 20 changed: factor = (1.95996 * 10 + .84162 * sqrt(100 + .70833 - 3.84146)) / (100 + .70833)
    #                               = (19.5996 + .84162 * 9.84210) / 100.70833 = .276868; times sqrt(.2) = .123819
    assert smallest_share_difference(changed(12, 8, 80)) == pytest.approx(0.123819, abs=1e-5)


def test_where_too_few_changed_all_changes_would_have_to_go_one_way():
    # as above, but .276868 ** 2 = .076656 is more than .276868 * sqrt(.05) = .061910
    assert smallest_share_difference(changed(5, 0, 95)) == pytest.approx(0.076656, abs=1e-5)
    assert smallest_share_difference(changed(0, 0, 100)) == pytest.approx(0.076656, abs=1e-5)


def power(n, share, difference):
    """Of the exact test: how often it finds a difference where so large a share of n questions changes."""
    gains = (share + difference) / (2 * share)
    found = 0.0
    for total in range(n + 1):
        rejected = (k for k in range(total + 1) if share_p(changed(k, total - k, 0)) < SIGNIFICANT)
        found += binom.pmf(total, n, share) * sum(binom.pmf(k, total, gains) for k in rejected)
    return found


@pytest.mark.parametrize(("gained", "lost", "same"), [(0, 0, 40), (8, 4, 28), (12, 12, 16)])
def test_the_exact_test_finds_the_smallest_difference_in_about_80_of_100_runs(gained, lost, same):
    smallest = smallest_share_difference(changed(gained, lost, same))
    share = max((gained + lost) / 40, smallest)
    assert 0.74 < power(40, share, smallest) < 0.82


def test_below_six_pairs_no_share_can_be_shown_to_differ():
    # 2 / 2**5 = .0625 and 2 / 2**6 = .03125
    assert smallest_share_difference(changed(5, 0, 0)) is None
    assert 0.8 < smallest_share_difference(changed(6, 0, 0)) < 1


def test_the_smallest_difference_of_a_mean_is_2_8_standard_errors():
    # 1, 2, 3, 4: standard deviation sqrt(5 / 3) = 1.290994, by sqrt(4) = .645497, times 2.801585 = 1.808416
    assert smallest_mean_difference(observe(1.0, 2.0, 3.0, 4.0)) == pytest.approx(1.808416, abs=1e-5)


def test_the_smallest_difference_of_a_mean_counts_clusters():
    # two clusters of two, mean 2.5: residuals (1 + 2) - 2 * 2.5 = -2 and (3 + 4) - 5 = 2; squares 8, times 2 / (2 - 1)
    # = 16; root 4, by n = 4: 1; times 2.801585
    clustered = [Observation(float(i), "first" if i < 3 else "second") for i in (1, 2, 3, 4)]
    assert smallest_mean_difference(clustered) == pytest.approx(2.801585, abs=1e-5)


def test_the_smallest_difference_of_a_mean_cannot_be_told_without_spread():
    assert smallest_mean_difference(observe(0.0, 0.0, 0.0)) is None
    assert smallest_mean_difference(observe(0.1, 0.1, 0.1)) is None
    assert smallest_mean_difference([Observation(1.0, "one"), Observation(2.0, "one")]) is None


@pytest.mark.parametrize("test", [mean_p, smallest_mean_difference])
def test_no_pairs_are_refused(test):
    with pytest.raises(ValueError, match="at least one pair"):
        test([])


def test_the_smallest_difference_shrinks_with_the_root_of_n():
    few, many = smallest_share_difference(changed(20, 20, 60)), smallest_share_difference(changed(80, 80, 240))
    assert few / many == pytest.approx(math.sqrt(4), rel=0.02)
