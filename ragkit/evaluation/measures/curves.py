"""What the confidence of answers is worth: how it orders them, and how right it is.

Rows go in, as `results` has them; `Curves` come out. Called by `run` when all questions are asked; `results` reads
stored ones back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

import numpy as np

BINS = 10
RIGHT_IF_ANSWERED = "right_if_answered"
"""The value of a refused row that tells whether its answer would have been right."""


class JudgedRow(Protocol):
    """What is needed of a row: the answer as JSON, the gold question, and what is known of right and wrong."""

    @property
    def answer(self) -> dict[str, Any] | None:
        """As `ragkit ask --json` prints it; None after an error."""

    @property
    def gold(self) -> dict[str, Any]:
        """The gold question with all its fields."""

    @property
    def values(self) -> dict[str, float | None]:
        """Metric name to value."""

    @property
    def right(self) -> bool | None:
        """Whether answering or refusing was right; None where it cannot be told."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers whose confidence lies in [low, high).

    Attributes:
        confidence: Mean over them.
        right: Share of them that are right.
    """

    low: float
    high: float
    n: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True)
class Point:
    """What it means to answer only from some confidence on.

    Attributes:
        coverage: Share of the questions that are answered.
        wrong: Share of the answers that are wrong.
    """

    coverage: float
    wrong: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Curves:
    """What the confidence of `n` answers is worth.

    Attributes:
        auroc: Probability that an answerable question has a higher confidence than an unanswerable one; None without
            both kinds.
        aurc: Area under the curve of risk and coverage.
    """

    n: int
    auroc: float | None
    aurc: float | None
    calibration_error: float
    bins: tuple[Bin, ...]
    coverage: tuple[Point, ...]


def load_curves(stored: Mapping[str, Any] | None) -> Curves | None:
    """The curves that were written with `asdict`."""
    if stored is None:
        return None
    bins = tuple(Bin(**one) for one in stored["bins"])
    points = tuple(Point(**one) for one in stored["coverage"])
    return Curves(**{**stored, "bins": bins, "coverage": points})


@dataclass(frozen=True, slots=True)
class _Told:
    """How sure an answer is, and whether it is right (or would have been, had it been given)."""

    confidence: float
    right: bool


def curves_of(rows: Sequence[JudgedRow]) -> Curves | None:
    """What the confidence of these rows is worth; None where no row has one and can be told right or wrong.

    The confidence is that of an answer, given or not. So a refused row counts as what the answer would have been: for
    an unanswerable question wrong, since any answer is; for an answerable one what its value `right_if_answered` says.
    Where a refused row lacks that value nobody knows, and it is left out of bins and coverage. What lies below the
    threshold of refusing then looks worse than it is: mostly unanswerable questions are left there.

    The order of answerable and unanswerable questions needs no right or wrong: `auroc` takes every row that has a
    confidence. Rows that ended in an error have none.
    """
    sure = [(float(row.answer["confidence"]), row) for row in rows if row.answer is not None]
    told = [_Told(confidence, right) for confidence, row in sure if (right := _right_if_answered(row)) is not None]
    if not told:
        return None
    told.sort(key=lambda one: -one.confidence)
    answerable = [confidence for confidence, row in sure if row.gold["answerable"]]
    unanswerable = [confidence for confidence, row in sure if not row.gold["answerable"]]
    bins = _bins(told)
    return Curves(
        n=len(told),
        auroc=auroc(answerable, unanswerable),
        aurc=_aurc(told),
        calibration_error=sum(one.n * abs(one.right - one.confidence) for one in bins) / len(told),
        bins=bins,
        coverage=_coverage(told),
    )


def auroc(higher: Sequence[float], lower: Sequence[float]) -> float | None:
    """Probability that one of `higher` lies above one of `lower`, ties counted half; None if either is empty.

    The area under the receiver operating characteristic, as the Mann-Whitney statistic (Hanley and McNeil 1982).
    """
    if not higher or not lower:
        return None
    ranked = np.sort(np.array(lower))
    below, upto = (np.searchsorted(ranked, np.array(higher), side) for side in ("left", "right"))
    return float((below + upto).sum()) / (2 * len(higher) * len(lower))


def wrong_at_coverage(curves: Curves, coverage: float) -> float:
    """Share of the answers that are wrong when the surest ones are given, for at least this share of the questions.

    Answers of equal confidence are given together, so that more may be answered than was asked for.

    Raises:
        ValueError: The coverage does not lie in (0, 1].
    """
    if not 0 < coverage <= 1:
        raise ValueError(f"a coverage lies above 0 and is at most 1, not {coverage}")
    return next(point.wrong for point in curves.coverage if point.coverage >= coverage)


def _right_if_answered(row: JudgedRow) -> bool | None:
    """Whether the answer is right, or would have been had it not been refused; None where nobody knows."""
    if row.answer is None:
        return None
    if not row.gold["answerable"]:
        return False
    if not row.answer["abstained"]:
        return row.right
    known = row.values.get(RIGHT_IF_ANSWERED)
    return None if known is None else known == 1.0


def _bins(told: Sequence[_Told]) -> tuple[Bin, ...]:
    """Bins of equal width that hold any answer, lowest first; a confidence of 1 lies in the last.

    Their mean distance of right from confidence, weighed by n, is the expected calibration error (Guo et al. 2017,
    eq. 3).
    """
    filled: dict[int, list[_Told]] = {}
    for one in told:
        filled.setdefault(min(int(one.confidence * BINS), BINS - 1), []).append(one)
    return tuple(
        Bin(
            low=number / BINS,
            high=(number + 1) / BINS,
            n=len(inside),
            confidence=sum(one.confidence for one in inside) / len(inside),
            right=sum(one.right for one in inside) / len(inside),
        )
        for number, inside in sorted(filled.items())
    )


def _coverage(told: Sequence[_Told]) -> tuple[Point, ...]:
    """A point for each confidence that occurs, surest first: what is answered from there on, and how wrong it is."""
    points, answered, wrong = [], 0, 0
    for confidence, equals in groupby(told, key=lambda one: one.confidence):
        rights = [one.right for one in equals]
        answered += len(rights)
        wrong += len(rights) - sum(rights)
        points.append(Point(answered / len(told), wrong / answered, confidence))
    return tuple(points)


def _aurc(told: Sequence[_Told]) -> float:
    """Mean share of wrong answers over all numbers of answers given, surest first (Geifman and El-Yaniv 2017).

    Answers of equal confidence share their wrong ones evenly, so that their order does not matter.
    """
    risks: list[float] = []
    wrong = 0.0
    for _, equals in groupby(told, key=lambda one: one.confidence):
        rights = [one.right for one in equals]
        share = 1 - sum(rights) / len(rights)
        for _ in rights:
            wrong += share
            risks.append(wrong / (len(risks) + 1))
    return sum(risks) / len(risks)
