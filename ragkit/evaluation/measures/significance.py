"""Whether a difference between two runs could be chance, and how small a one could have been seen.

Paired differences of single questions (after - before) go in; p values and smallest differences come out. Pure
numbers, called by `compare`.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ragkit.evaluation.measures.estimates import RESAMPLES, Z_95, Observation, mcnemar_p

Numbers = npt.NDArray[np.float64]

SIGNIFICANT = 0.05
"""A p below this is taken for more than chance."""

ROUNDING = 1e-12
"""What is smaller than this is zero that was computed."""

Z_80 = 0.8416212335729143
"""The normal distribution's 80 % point: a true difference of the smallest size is found in 80 of 100 runs."""


def share_p(differences: Sequence[Observation]) -> float:
    """Exact two-sided p of McNemar's test (McNemar 1947), for values that are 0 or 1.

    Only questions that changed count. They are taken as independent, also where they share a document.

    Args:
        differences: After - before: 1 where a question gained the value, -1 where it lost it, 0 where nothing changed.
    """
    changes = Counter(difference.value for difference in differences)
    return mcnemar_p(changes[1.0], changes[-1.0])


def mean_p(differences: Sequence[Observation], *, seed: int = 0) -> float:
    """Two-sided p of a paired bootstrap over whole clusters (Efron and Tibshirani 1993, 16.4).

    How often a resampled mean lies as many of its standard errors from the observed mean as that lies from zero. Among
    values that do not vary this tells nothing, and among few clusters little; so p is never below 2 / 2**c, where c
    clusters changed: by chance so many would all change the same way as often. Deterministic for one seed. Raises
    ValueError if there are no differences.
    """
    totals, sizes = _by_cluster(differences)
    mean, error = _mean_and_error(totals, sizes)
    lowest = min(1.0, 2.0 ** (1 - int(np.count_nonzero(totals))))
    if error < ROUNDING:
        return lowest
    drawn = np.random.default_rng(seed).integers(0, len(totals), size=(RESAMPLES, len(totals)))
    means, errors = _mean_and_error(totals[drawn], sizes[drawn])
    as_far = int((np.abs(means - mean) * error >= abs(mean) * errors - ROUNDING).sum())
    return max(lowest, (as_far + 1) / (RESAMPLES + 1))


def correct_for_many(p_values: Mapping[str, float]) -> dict[str, float]:
    """Each p as large as it must be when so many tests are made at once, under its own name (Holm 1979).

    If no metric changed, the chance that any of the corrected p lies below 0.05 is at most 0.05.
    """
    corrected: dict[str, float] = {}
    so_far = 0.0
    for done, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        so_far = max(so_far, min(1.0, (len(p_values) - done) * p_values[name]))
        corrected[name] = so_far
    return {name: corrected[name] for name in p_values}


def smallest_share_difference(differences: Sequence[Observation]) -> float | None:
    """The smallest true difference of a share that so many pairs would show, at 5 % and with 80 % power.

    Connor 1987, "Sample size for testing differences in proportions for the paired-sample design", solved for the
    difference. The share of questions that change is the observed one, or the difference itself if that is larger. By
    the normal distribution: the exact test has a power of 75 to 80 % there, and less below 20 pairs. None where even
    a change of every question would not be significant (below 6 pairs).
    """
    n = len(differences)
    if mcnemar_p(n, 0) >= SIGNIFICANT:
        return None
    changed = sum(difference.value != 0 for difference in differences) / n
    spread = n + Z_80**2
    factor = (Z_95 * math.sqrt(n) + Z_80 * math.sqrt(spread - Z_95**2)) / spread
    return factor * max(math.sqrt(changed), factor)


def smallest_mean_difference(differences: Sequence[Observation]) -> float | None:
    """The smallest true difference of a mean that so many pairs would show, at 5 % and with 80 % power.

    (1.96 + 0.84) standard errors of the mean difference; with fewer than 20 clusters the power is somewhat less. None
    where it cannot be told: one cluster, or no difference between the differences.
    """
    error = float(_mean_and_error(*_by_cluster(differences))[1])
    return (Z_95 + Z_80) * error if error >= ROUNDING else None


def _by_cluster(differences: Sequence[Observation]) -> tuple[Numbers, Numbers]:
    """The sum of the differences of each cluster, and how many they are."""
    if not differences:
        raise ValueError("a test needs at least one pair")
    _, places = np.unique([difference.cluster for difference in differences], return_inverse=True)
    totals = np.bincount(places, weights=np.array([difference.value for difference in differences]))
    return totals.astype(np.float64), np.bincount(places).astype(np.float64)


def _mean_and_error(totals: Numbers, sizes: Numbers) -> tuple[Numbers, Numbers]:
    """The mean of clusters along the last axis and its standard error, both without that axis.

    The error is that of a ratio of totals to sizes (Cochran 1977, chapter 6); where each question is a cluster, it is
    the standard deviation by the root of n. One cluster has none: 0.
    """
    clusters = totals.shape[-1]
    count = sizes.sum(axis=-1)
    mean = totals.sum(axis=-1) / count
    squares = ((totals - sizes * mean[..., np.newaxis]) ** 2).sum(axis=-1)
    return mean, np.sqrt(squares * clusters / max(clusters - 1, 1)) / count
