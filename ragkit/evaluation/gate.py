"""Thresholds on metrics, from suite.toml or `--fail-under answers_right=0.85`, to the list of those missed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ragkit.errors import SettingsError
from ragkit.evaluation.estimates import Estimate
from ragkit.evaluation.metrics import METRIC_NAMES, METRICS

LESS_IS_BETTER = frozenset(metric.name for metric in METRICS if metric.less_is_better)


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


def check_thresholds(thresholds: Mapping[str, float]) -> None:
    """Raise SettingsError for a metric that does not exist or a threshold that is not a finite number."""
    for name, threshold in thresholds.items():
        if name not in METRIC_NAMES:
            raise SettingsError(f"There is no metric {name!r} to set a threshold on; known: {', '.join(METRIC_NAMES)}.")
        if not math.isfinite(threshold):
            raise SettingsError(f"The threshold of {name} must be a finite number, not {threshold}.")


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
