"""Which questions were refused and which should have been. Called by `metrics` for one, by reports for all of them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ragkit.evaluation.gold import GoldQuestion
from ragkit.records import Answer


def refused_rightly(gold: GoldQuestion, answer: Answer) -> float | None:
    """Whether an unanswerable question was refused; None for answerable ones."""
    return None if gold.answerable else float(answer.abstained)


def refused_wrongly(gold: GoldQuestion, answer: Answer) -> float | None:
    """Whether an answerable question was refused; None for unanswerable ones."""
    return float(answer.abstained) if gold.answerable else None


class Asked(Protocol):
    """A row of a result, as far as refusals go."""

    @property
    def gold(self) -> Mapping[str, Any]:
        """The gold question, of which `answerable` is read."""

    @property
    def answer(self) -> Mapping[str, Any] | None:
        """The answer, of which `abstained` is read; None after an error."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """How many questions there were of each kind, by what became of them; those that ended in an error are apart."""

    answerable_answered: int
    answerable_refused: int
    unanswerable_answered: int
    unanswerable_refused: int
    errors: int


def confusion(rows: Iterable[Asked]) -> Confusion:
    """The questions counted by whether the documents answer them and whether they were refused."""
    counts = Counter((bool(row.gold["answerable"]), row.answer and bool(row.answer["abstained"])) for row in rows)
    return Confusion(
        answerable_answered=counts[True, False],
        answerable_refused=counts[True, True],
        unanswerable_answered=counts[False, False],
        unanswerable_refused=counts[False, True],
        errors=counts[True, None] + counts[False, None],
    )
