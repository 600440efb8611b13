"""Answers the questions of suites whatever the confidence, and keeps what each answer was worth.

    python -m evals.answers neartopic seeds ../shared/data/xquad_en_public.json --part report
    python -m evals.answers ../shared/data/xquad_en_public.json --part report --style short

Prints a table for each suite and part: what the default threshold would have refused, and what the answers above it are
worth. `confidence` fits on what was kept, `support` draws sentences from it to be read.
"""

import argparse
import json
import random
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evals.parts import open_suite, part_of
from ragkit.confidence import estimate_confidence, least_confidence
from ragkit.errors import SettingsError
from ragkit.evaluation import GoldQuestion
from ragkit.evaluation.measures.curves import auroc
from ragkit.evaluation.measures.estimates import (
    RESAMPLES,
    Estimate,
    Observation,
    estimate_mean,
    estimate_proportion,
)
from ragkit.evaluation.measures.metrics import (
    answer_right,
    evidence_sentence_f1,
    first_citation_right,
    model_wording,
    rouge_l,
    words,
)
from ragkit.evaluation.report.tables import markdown_table
from ragkit.kit import Kit
from ragkit.models.weights import cache_folder
from ragkit.settings import Settings

PARTS, STYLES = ("choose", "report"), ("full", "short")
MOST_QUESTIONS, MOST_CANDIDATES = 300, 8
ACCEPTED_WRONG = (0.05, 0.1)
COLUMNS = ("measure", "95 % interval (n)")
SEED = 5


@dataclass(frozen=True, slots=True)
class Measured:
    """One question, answered whatever the confidence.

    Attributes:
        right: Whether that answer is right: never for an unanswerable question. Where gold is long, the first citation
            decides.
        first_citation: Whether its first citation is a gold paragraph, where there is one.
        rouge_l, evidence_sentence_f1: None where gold is short.
        candidates: Of the best sentences the reader's log odds and the score, in their order.
        dense: Cosine of the question and the best paragraph; -1 where vectors did not bring it up.
        answer: As `ragkit ask --json` prints it.
    """

    id: str
    part: str
    answerable: bool
    right: bool
    first_citation: bool
    words: float
    own_wording: float
    rouge_l: float | None
    evidence_sentence_f1: float | None
    features: dict[str, float]
    candidates: list[tuple[float, float]]
    dense: float
    answer: dict[str, Any]


def main() -> None:
    """Measures one place after the other."""
    parser = argparse.ArgumentParser()
    parser.add_argument("places", nargs="+", help="suites and public dataset files")
    parser.add_argument("--part", choices=(*PARTS, "both"), default="both")
    parser.add_argument("--style", choices=STYLES, default="full")
    parser.add_argument("--most", type=int, default=MOST_QUESTIONS, help="questions of each part of a place")
    parser.add_argument("--kept", action="store_true", help="take what was measured before, where it was kept")
    given = parser.parse_args()
    for place in given.places:
        for part in PARTS if given.part == "both" else (given.part,):
            kept = measured(place, part, given.style) if given.kept else []
            if rows := kept or measure(place, part, given.style, given.most):
                print(
                    f"{Path(place).stem}, {part}, {given.style}\n\n{markdown_table(COLUMNS, describe(rows))}\n",
                    flush=True,
                )


def measure(place: str, part: str, style: str, most: int) -> list[Measured]:
    """Answers at most so many questions of one part of a suite, and keeps the rows in the cache."""
    suite, kit = open_suite(place, Settings(min_confidence=0.0, style=style))
    parts = part_of(suite)
    random.Random(SEED).shuffle(questions := [q for q in suite.questions if parts[q.id] == part])
    with kit:
        rows = [_measure(question, part, kit) for question in questions[:most]]
    file = _kept(place, part, style)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(asdict(row)) + "\n" for row in rows), encoding="utf-8")
    return rows


def measured(place: str, part: str, style: str = "full") -> list[Measured]:
    """What was kept; nothing if that part of the suite was not measured."""
    file = _kept(place, part, style)
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [Measured(**json.loads(line)) for line in lines]


def _kept(place: str, part: str, style: str) -> Path:
    return cache_folder() / "measurements" / f"answers-{Path(place).stem}-{part}-{style}.jsonl"


def _measure(question: GoldQuestion, part: str, kit: Kit) -> Measured:
    trace = kit.explain(question.question)
    answer = trace.answer
    cited = bool(first_citation_right(question, answer))
    right = answer_right(question, answer)
    read = [candidate for candidate, _ in trace.weighed[:MOST_CANDIDATES]]
    return Measured(
        id=question.id,
        part=part,
        answerable=question.answerable,
        right=question.answerable and (cited if right is None else bool(right)),
        first_citation=cited,
        words=words(answer) or 0.0,
        own_wording=model_wording(answer) or 0.0,
        rouge_l=rouge_l(question, answer),
        evidence_sentence_f1=evidence_sentence_f1(question, answer),
        features=trace.features,
        candidates=[(round(c.log_odds, 3), round(c.score, 3)) for c in read],
        dense=max((hit.dense for hit in trace.retrieved.hits if hit.dense is not None), default=-1.0),
        answer=answer.to_dict(),
    )


def describe(rows: Sequence[Measured]) -> list[tuple[str, str]]:
    """What the default threshold refuses and what the answers above it are worth, each with interval and n."""
    told = [(row, estimate_confidence(row.features)) for row in rows]
    least = Settings().min_confidence
    said = [row for row, sure in told if sure >= least]
    answerable = [row for row in rows if row.answerable]
    shown = {id(row) for row in said}
    answered = [row for row in said if row.answerable]
    found = [
        (
            "right, refusing where it should included",
            _share(rows, lambda r: (r.right and id(r) in shown) or _refused(r, shown)),
        ),
        ("right, of the answerable", _share(answerable, lambda r: r.right and id(r) in shown)),
        ("the same if none were refused", _share(answerable, lambda r: r.right)),
        ("first citation right, of those answered", _share(answered, lambda r: r.first_citation)),
        ("refused where it should", _share([r for r in rows if not r.answerable], lambda r: id(r) not in shown)),
        ("refused where it should not", _share(answerable, lambda r: id(r) not in shown)),
        ("AUROC, answerable or not", _auroc(told)),
        ("calibration error", f"{calibration_error(told):.3f} ({len(told)})"),
        ("words", _mean(said, lambda r: r.words)),
        ("own wording", _mean(said, lambda r: r.own_wording)),
        ("ROUGE-L", _mean(answered, lambda r: r.rouge_l)),
        ("F1 of the quoted sentences", _mean(answered, lambda r: r.evidence_sentence_f1)),
    ]
    for accepted in ACCEPTED_WRONG:
        with suppress(SettingsError):
            above = [row for row, sure in told if sure >= least_confidence(accepted)]
            found.append(
                (f"wrong with --max-wrong {accepted:g}, of those answered", _share(above, lambda r: not r.right))
            )
    return [(name, value) for name, value in found if value]


def _refused(row: Measured, shown: AbstractSet[int]) -> bool:
    return not row.answerable and id(row) not in shown


def _share(rows: Sequence[Measured], is_so: Callable[[Measured], bool]) -> str:
    return _said(estimate_proportion([Observation(float(is_so(row)), row.id) for row in rows])) if rows else ""


def _mean(rows: Sequence[Measured], value_of: Callable[[Measured], float | None]) -> str:
    known = [Observation(value, row.id) for row in rows if (value := value_of(row)) is not None]
    return _said(estimate_mean(known)) if known else ""


def _auroc(told: Sequence[tuple[Measured, float]]) -> str:
    """With the percentile interval of a bootstrap over questions."""
    kinds = [np.array([sure for row, sure in told if row.answerable == kind]) for kind in (True, False)]
    value = auroc(*(kind.tolist() for kind in kinds))
    if value is None:
        return ""
    rng = np.random.default_rng(SEED)
    drawn = [auroc(*(rng.choice(kind, len(kind)).tolist() for kind in kinds)) or 0.0 for _ in range(RESAMPLES)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return _said(Estimate(value, len(told), float(low), float(high)))


def _said(estimate: Estimate) -> str:
    return f"{estimate.mean:.3f}, {estimate.low:.3f} to {estimate.high:.3f} ({estimate.n})"


def calibration_error(told: Sequence[tuple[Measured, float]], bins: int = 10) -> float:
    """Mean distance of confidence and share right over bins of equal width, weighed by how many are in each.

    Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3.
    """
    sure, right = np.array([value for _, value in told]), np.array([row.right for row, _ in told])
    numbers = np.minimum((sure * bins).astype(int), bins - 1)
    inside = [numbers == number for number in range(bins)]
    return float(sum(one.mean() * abs(sure[one].mean() - right[one].mean()) for one in inside if one.any()))


if __name__ == "__main__":
    main()
