"""Values of single questions to a mean with its n and 95 % interval.

Pure numbers; called by `results` for one run and by `compare` for the differences of two.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Z_95 = 1.959963984540054
RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over `n` questions; the true one lies between `low` and `high` in 95 of 100 such samples."""

    mean: float
    n: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Observation:
    """One question's value, and what it is about: questions about one document or paragraph tend to fail together."""

    value: float
    cluster: str


def estimate_proportion(observations: Sequence[Observation]) -> Estimate:
    """The share of ones among zeros and ones, with the Wilson score interval (Wilson 1927, eq. 7).

    Takes the questions as independent. Raises ValueError if there are none.
    """
    n = _count(observations)
    share = sum(o.value for o in observations) / n
    spread = Z_95**2 / n
    centre = (share + spread / 2) / (1 + spread)
    half = Z_95 * math.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    return Estimate(share, n, max(0.0, centre - half), min(1.0, centre + half))


def estimate_mean(observations: Sequence[Observation], *, seed: int = 0) -> Estimate:
    """The mean, with the percentile interval of a bootstrap over whole clusters (Davison and Hinkley 1997, 3.8).

    Deterministic for one seed. Raises ValueError if there are no observations.
    """
    n = _count(observations)
    totals: dict[str, float] = {}
    sizes: dict[str, int] = {}
    for observation in observations:
        totals[observation.cluster] = totals.get(observation.cluster, 0.0) + observation.value
        sizes[observation.cluster] = sizes.get(observation.cluster, 0) + 1
    total, size = np.array(list(totals.values())), np.array(list(sizes.values()))
    drawn = np.random.default_rng(seed).integers(0, len(total), size=(RESAMPLES, len(total)))
    means = total[drawn].sum(axis=1) / size[drawn].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Estimate(float(total.sum()) / n, n, float(low), float(high))


def mcnemar_p(one_way: int, other_way: int) -> float:
    """Exact two-sided p of McNemar's test: would as many questions change this unevenly by chance?

    Args:
        one_way: Questions that went from wrong to right.
        other_way: Questions that went from right to wrong.
    """
    changed = one_way + other_way
    tail = sum(math.comb(changed, k) for k in range(min(one_way, other_way) + 1))
    return min(1.0, 2 * tail / (1 << changed))


def _count(observations: Sequence[Observation]) -> int:
    if not observations:
        raise ValueError("a mean needs at least one observation")
    return len(observations)
