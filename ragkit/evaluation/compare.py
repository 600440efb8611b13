"""Two results of one suite to what changed between them, and whether chance could have done it."""

from dataclasses import dataclass

from ragkit.errors import GoldError
from ragkit.evaluation.estimates import Estimate, Observation, estimate_mean, mcnemar_p
from ragkit.evaluation.metrics import METRIC_NAMES
from ragkit.evaluation.results import EvalResult, Row


@dataclass(frozen=True, slots=True)
class Comparison:
    """The later result against the earlier one, over the questions that both asked.

    Attributes:
        questions: How many both asked.
        is_same_suite: Whether questions and documents were the same; if not, read the rest with care.
        fixed: Ids of the questions that went from wrong to right.
        broken: Ids of those that went from right to wrong.
        p_value: McNemar's exact two-sided p for so uneven a change, were both equally good.
        differences: Metric name to the mean difference (after - before) over questions judged both times.
    """

    questions: int
    is_same_suite: bool
    fixed: tuple[str, ...]
    broken: tuple[str, ...]
    p_value: float
    differences: dict[str, Estimate]


def compare_results(before: EvalResult, after: EvalResult) -> Comparison:
    """What changed from one result to the other; GoldError if they share no question."""
    earlier = {(row.id, row.question): row for row in before.rows}
    pairs = [(earlier[row.id, row.question], row) for row in after.rows if (row.id, row.question) in earlier]
    if not pairs:
        raise GoldError(f"The results of {before.suite!r} and {after.suite!r} have no question in common.")
    fixed = tuple(new.id for old, new in pairs if old.right is False and new.right is True)
    broken = tuple(new.id for old, new in pairs if old.right is True and new.right is False)
    differences = {name: difference for name in METRIC_NAMES if (difference := _difference(name, pairs))}
    return Comparison(
        questions=len(pairs),
        is_same_suite=before.suite_hash == after.suite_hash,
        fixed=fixed,
        broken=broken,
        p_value=mcnemar_p(len(fixed), len(broken)),
        differences=differences,
    )


def _difference(name: str, pairs: list[tuple[Row, Row]]) -> Estimate | None:
    """The mean of the paired differences; its interval resamples whole documents."""
    values = [(old.values.get(name), new.values.get(name), new.cluster) for old, new in pairs]
    paired = [Observation(new - old, group) for old, new, group in values if old is not None and new is not None]
    return estimate_mean(paired) if paired else None
