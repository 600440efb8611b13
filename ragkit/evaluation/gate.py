"""What a result must not fall below, to the list of what it did.

Thresholds come from suite.toml or `--fail-under answers_right=0.85`; limits on changes against a stored baseline come
from `--fail-if "answers_right drops 0.02"`. Called by `command`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ragkit.errors import SettingsError
from ragkit.evaluation.compare import LESS_IS_BETTER, Comparison
from ragkit.evaluation.measures.estimates import Estimate
from ragkit.evaluation.measures.metrics import METRIC_NAMES
from ragkit.evaluation.suite import check_thresholds

Way = Literal["drops", "rises"]
_WAYS: dict[str, Way] = {"drops": "drops", "rises": "rises"}
_PAST = {"drops": "dropped", "rises": "rose"}

ROUNDING = 1e-9
"""So much is lost in computing: 0.82 - 0.80 is a drop of 0.02, though not quite in floating point."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A threshold that was not met; `value` is None where no question of the suite could be judged."""

    name: str
    threshold: float
    value: float | None

    def __str__(self) -> str:
        bound = "at most" if self.name in LESS_IS_BETTER else "at least"
        found = "no question could be judged" if self.value is None else f"it is {self.value:.4g}"
        return f"{self.name} must be {bound} {self.threshold:g}, but {found}"


@dataclass(frozen=True, slots=True)
class Limit:
    """A change against the baseline that must not happen: a metric that drops or rises by so much or more."""

    name: str
    way: Way
    amount: float


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that was broken; `before` and `after` are None where no question could be judged both times.

    Attributes:
        questions: So many were judged both times.
    """

    limit: Limit
    before: float | None
    after: float | None
    questions: int

    def __str__(self) -> str:
        limit = self.limit
        ruled = f"{limit.name} must not {limit.way.removesuffix('s')} by {limit.amount:g} or more"
        if self.before is None or self.after is None:
            return f"{ruled}, but no question could be judged both times"
        moved = f"it {_PAST[limit.way]} by {abs(self.after - self.before):.4g}"
        means = f"from {self.before:.4g} to {self.after:.4g}"
        return f"{ruled}, but {moved}, {means}, over the {self.questions} questions judged both times"


def parse_thresholds(specs: Sequence[str]) -> dict[str, float]:
    """Thresholds by metric name, from texts such as "answers_right=0.85", each with one or several after commas.

    Raises:
        SettingsError: A text is no `name=number`, or there is no metric of that name.
    """
    thresholds = {}
    for part in (part for spec in specs for part in spec.split(",")):
        name, _, number = part.partition("=")
        try:
            thresholds[name.strip()] = float(number)
        except ValueError as error:
            raise SettingsError(f"The threshold {part!r} is not of the form answers_right=0.85.") from error
    check_thresholds(thresholds)
    return thresholds


def find_misses(metrics: Mapping[str, Estimate], thresholds: Mapping[str, float]) -> list[Miss]:
    """The thresholds that the means do not meet, in the order given.

    A threshold is the least allowed value, or the most for the metrics in `LESS_IS_BETTER`. A metric that could judge
    no question misses its threshold: a gate that measured nothing must not open.
    """
    misses = []
    for name, threshold in thresholds.items():
        value = metrics[name].mean if name in metrics else None
        if value is None or (value > threshold if name in LESS_IS_BETTER else value < threshold):
            misses.append(Miss(name, threshold, value))
    return misses


def parse_limits(specs: Sequence[str]) -> tuple[Limit, ...]:
    """Limits on changes, from texts such as "answers_right drops 0.02", each with one or several after commas.

    Raises:
        SettingsError: A text is of another form, there is no metric of that name, or the number is not above 0.
    """
    return tuple(_parse_limit(part) for spec in specs for part in spec.split(","))


def find_breaches(comparison: Comparison, limits: Sequence[Limit]) -> list[Breach]:
    """The limits that the change from the baseline breaks, in the order given.

    What counts is the plain difference of the means over the questions judged both times, whether chance could have
    made it or not. A metric that could judge none of them breaks its limit: a gate that measured nothing must not open.
    """
    breaches = []
    for limit in limits:
        change = comparison.metrics.get(limit.name)
        if change is None:
            breaches.append(Breach(limit, None, None, 0))
            continue
        rise = change.after - change.before
        if (rise if limit.way == "rises" else -rise) >= limit.amount - ROUNDING:
            breaches.append(Breach(limit, change.before, change.after, change.difference.n))
    return breaches


def _parse_limit(text: str) -> Limit:
    try:
        name, way, number = text.split()
        limit = Limit(name, _WAYS[way], float(number))
    except (ValueError, KeyError) as error:
        raise SettingsError(f"{text!r} is not of the form 'answers_right drops 0.02' or 'seconds rises 1'.") from error
    if name not in METRIC_NAMES:
        raise SettingsError(f"There is no metric {name!r} that could change; known: {', '.join(METRIC_NAMES)}.")
    if not (math.isfinite(limit.amount) and limit.amount > 0):
        raise SettingsError(
            f"{text!r} needs a number above 0: the smallest change that counts, as in {name} {way} 0.02."
        )
    return limit
