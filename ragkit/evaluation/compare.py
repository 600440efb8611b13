"""Two results of one suite to what changed between them, and whether chance could have done it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any, Literal

from ragkit.errors import GoldError
from ragkit.evaluation.measures.estimates import Estimate, Observation, estimate_mean
from ragkit.evaluation.measures.metrics import METRICS, Metric
from ragkit.evaluation.measures.significance import (
    SIGNIFICANT,
    correct_for_many,
    mean_p,
    share_p,
    smallest_mean_difference,
    smallest_share_difference,
)
from ragkit.evaluation.results import EvalResult, Row

Outcome = Literal["better", "worse", "perhaps better", "perhaps worse", "no difference"]
Pair = tuple[Row, Row]

OWN_UNITS = frozenset({"words", "seconds"})
"""Metrics that are no shares; the differences of all others are told in points of a hundred."""

LESS_IS_BETTER = frozenset(metric.name for metric in METRICS if metric.less_is_better)


@dataclass(frozen=True, slots=True)
class Change:
    """One metric before and after, over the questions that it could judge both times.

    Attributes:
        before: Mean over those questions.
        difference: Mean of after - before with its interval, in which whole documents are resampled, and n.
        p: The chance of so large a difference if both were equally good, were this the only metric compared.
        p_corrected: The same by Holm, as one of all metrics compared.
        smallest: The smallest true difference that so many questions would show (5 %, 80 % power), were this the only
            metric compared; None where it cannot be told.
    """

    name: str
    before: float
    after: float
    difference: Estimate
    p: float
    p_corrected: float
    smallest: float | None

    @property
    def outcome(self) -> Outcome:
        """Better or worse if chance is ruled out over all metrics, perhaps so if only for this one by itself."""
        if self.p >= SIGNIFICANT:
            return "no difference"
        is_better = (self.difference.mean > 0) != (self.name in LESS_IS_BETTER)
        if self.p_corrected >= SIGNIFICANT:
            return "perhaps better" if is_better else "perhaps worse"
        return "better" if is_better else "worse"

    @property
    def verdict(self) -> str:
        """The outcome in plain words, and by how much or what it would have taken to see any."""
        if self.outcome == "no difference":
            needed = "" if self.smallest is None else f": {say_amount(self.name, self.smallest)} would be needed"
            return f"no difference that {self.difference.n} questions could show{needed}"
        way = "up" if self.difference.mean > 0 else "down"
        doubt = ", but of so many metrics one may move so far by chance" if self.outcome.startswith("perhaps") else ""
        return f"{self.outcome}: {way} {say_amount(self.name, abs(self.difference.mean))}{doubt}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The later result against the earlier one, over the questions that both asked.

    Attributes:
        questions: How many both asked.
        is_same_suite: Whether questions and documents were the same; False where other samples of one suite were
            asked, since then the results do not tell whether its documents changed.
        metrics: Metric name to its change, in the order of `METRICS`; without those that could judge no question
            both times.
        fixed: Ids of the questions that went from wrong to right.
        broken: Ids of those that went from right to wrong.
    """

    before: EvalResult
    after: EvalResult
    questions: int
    is_same_suite: bool
    metrics: dict[str, Change]
    fixed: tuple[str, ...]
    broken: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """What got better, what worse, and of how many metrics nothing can be said, in a few plain sentences."""
        named = {outcome: self._names(outcome) for outcome in ("better", "worse", "perhaps better", "perhaps worse")}
        said = [f"{outcome.capitalize()}: {', '.join(names)}." for outcome, names in named.items() if names]
        if unmoved := len(self._names("no difference")):
            what = "the other" if said else "all"
            said.append(f"No difference could be shown in {what} {unmoved} metrics compared.")
        changes = f"{len(self.fixed)} went from wrong to right, {len(self.broken)} from right to wrong."
        warning = "" if self.is_same_suite else " Other samples were asked: see that the documents were the same."
        return f"{' '.join(said)} Of the {self.questions} questions asked both times {changes}{warning}".strip()

    def changed_settings(self) -> dict[str, tuple[Any, Any]]:
        """Every setting that differs, with its value before and after; None where a run did not have it."""
        old, new = self.before.settings, self.after.settings
        both = {name: (old.get(name), new.get(name)) for name in {**old, **new}}
        return {name: values for name, values in both.items() if values[0] != values[1]}

    def to_dict(self) -> dict[str, Any]:
        """The comparison as one JSON object, without the rows of the two results."""
        return {
            "suite": self.after.suite,
            "dates": [self.before.date, self.after.date],
            "questions": self.questions,
            "is_same_suite": self.is_same_suite,
            "changed_settings": {name: list(values) for name, values in self.changed_settings().items()},
            "verdict": self.verdict,
            "metrics": {
                name: {**asdict(change), "outcome": change.outcome, "verdict": change.verdict}
                for name, change in self.metrics.items()
            },
            "fixed": list(self.fixed),
            "broken": list(self.broken),
        }

    def _names(self, outcome: Outcome) -> list[str]:
        return [name for name, change in self.metrics.items() if change.outcome == outcome]


def compare_results(before: EvalResult, after: EvalResult) -> Comparison:
    """What changed from one result to the other, over the questions in both.

    Raises:
        GoldError: The results are of different suites, questions or documents, or share no question.
    """
    pairs = _pair(before, after)
    _check_suites(before, after, pairs)
    return Comparison(
        before=before,
        after=after,
        questions=len(pairs),
        is_same_suite=before.suite_hash == after.suite_hash,
        metrics=_changes(pairs),
        fixed=tuple(new.id for old, new in pairs if old.right is False and new.right is True),
        broken=tuple(new.id for old, new in pairs if old.right is True and new.right is False),
    )


"""The name under which `ragkit.evaluation` gives it out."""


def say_amount(name: str, amount: float) -> str:
    """A difference in the metric's unit with two digits that mean something: "6.1 points", "0.25 seconds"."""
    value, unit = (amount, name) if name in OWN_UNITS else (100 * amount, "points")
    return f"{value:.0f} {unit}" if value >= 10 else f"{float(f'{value:.2g}'):g} {unit}"


def _pair(before: EvalResult, after: EvalResult) -> list[Pair]:
    earlier = {(row.id, row.question): row for row in before.rows}
    return [(earlier[row.id, row.question], row) for row in after.rows if (row.id, row.question) in earlier]


def _check_suites(before: EvalResult, after: EvalResult, pairs: Sequence[Pair]) -> None:
    """Raise GoldError unless both results are of one suite, or of samples of it whose shared questions are the same."""
    if before.suite != after.suite and before.suite_hash != after.suite_hash:
        raise GoldError(
            f"The results are of two suites, {before.suite!r} and {after.suite!r}. Compare two results of one: "
            f"ragkit eval {after.suite} --out FILE, once with each setting."
        )
    if not pairs:
        raise GoldError(
            f"The results of {before.suite!r} and {after.suite!r} have no question in common. Run both with the same "
            "--sample and --seed, or without a sample."
        )
    is_resampled = _sample(before) != _sample(after)
    is_changed = any(old.gold != new.gold for old, new in pairs)
    if before.suite_hash != after.suite_hash and (is_changed or not is_resampled):
        raise GoldError(
            f"The questions or documents of {after.suite!r} changed between the two results, so their figures do not "
            f"compare. Run the earlier setting again on the suite as it is now: ragkit eval {after.suite} --out FILE."
        )


def _sample(result: EvalResult) -> tuple[Any, Any] | None:
    """How many questions were drawn with which seed; None where all were asked."""
    size = result.settings.get("sample")
    return None if size is None else (size, result.settings.get("seed"))


def _changes(pairs: Sequence[Pair]) -> dict[str, Change]:
    paired = {metric: judged for metric in METRICS if (judged := _judged(metric.name, pairs))}
    differences = {
        metric: [Observation(new - old, cluster) for old, new, cluster in judged] for metric, judged in paired.items()
    }
    p_values = {
        metric.name: share_p(observed) if metric.is_share else mean_p(observed)
        for metric, observed in differences.items()
    }
    corrected = correct_for_many(p_values)
    return {
        metric.name: Change(
            name=metric.name,
            before=fmean(old for old, _, _ in judged),
            after=fmean(new for _, new, _ in judged),
            difference=estimate_mean(differences[metric]),
            p=p_values[metric.name],
            p_corrected=corrected[metric.name],
            smallest=_smallest(metric, differences[metric]),
        )
        for metric, judged in paired.items()
    }


def _judged(name: str, pairs: Sequence[Pair]) -> list[tuple[float, float, str]]:
    """Value before, value after and cluster of each question that the metric could judge both times."""
    values = [(old.values.get(name), new.values.get(name), new.cluster) for old, new in pairs]
    return [(old, new, cluster) for old, new, cluster in values if old is not None and new is not None]


def _smallest(metric: Metric, differences: Sequence[Observation]) -> float | None:
    return smallest_share_difference(differences) if metric.is_share else smallest_mean_difference(differences)
