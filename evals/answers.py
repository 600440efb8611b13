"""Answers the questions of suites whatever the confidence, and keeps what each answer was worth.

    python -m evals.answers neartopic seeds ../shared/data/xquad_en_public.json --part report
    python -m evals.answers ../shared/data/xquad_en_public.json --part report --style short

Prints a line for each suite and part: what the default threshold would have refused, and what the answers above it are
worth. `confidence` fits on what was kept, `support` draws sentences from it to be read.
"""

import argparse
import json
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from evals.parts import open_suite, part_of
from ragkit.confidence import estimate_confidence, least_confidence
from ragkit.errors import SettingsError
from ragkit.evaluation import GoldQuestion
from ragkit.evaluation.measures.metrics import (
    answer_right,
    evidence_sentence_f1,
    first_citation_right,
    model_wording,
    rouge_l,
    words,
)
from ragkit.kit import Kit
from ragkit.models.weights import cache_folder
from ragkit.settings import Settings

PARTS, STYLES = ("choose", "report"), ("full", "short")
MOST_QUESTIONS, MOST_CANDIDATES = 300, 8
ACCEPTED_WRONG = (0.05, 0.1)
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
    given = parser.parse_args()
    for place in given.places:
        for part in PARTS if given.part == "both" else (given.part,):
            if rows := measure(place, part, given.style, given.most):
                print(Path(place).stem, part, given.style, describe(rows), flush=True)


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


def describe(rows: Sequence[Measured]) -> str:
    """AUROC of answerable, calibration error, what the default threshold refuses, and what the rest is worth."""
    sure = np.array([estimate_confidence(row.features) for row in rows])
    right, answerable = (np.array([getattr(row, name) for row in rows]) for name in ("right", "answerable"))
    said = sure >= Settings().min_confidence
    parts = [f"n {len(rows)}", f"calibration error {calibration_error(sure, right):.3f}"]
    if answerable.any() and not answerable.all():
        parts.append(f"AUROC {roc_auc_score(answerable, sure):.3f}, rightly refused {(~said[~answerable]).mean():.3f}")
    parts.append(f"wrongly {(~said[answerable]).mean():.3f}")
    overall = np.where(answerable, right & said, ~said)
    parts.append(f"right {overall.mean():.3f}; of the answerable {(right & said)[answerable].mean():.3f}")
    parts.append(f"without threshold {right[answerable].mean():.3f}")
    cited = np.array([row.first_citation for row in rows])[answerable & said]
    parts.append(f"first citation {cited.mean():.3f} of answered")
    shown = [row for row, is_said in zip(rows, said, strict=True) if is_said]
    parts.append(f"words {np.mean([row.words for row in shown]):.1f}")
    parts.append(f"own wording {np.mean([row.own_wording for row in shown]):.3f}")
    for name in ("rouge_l", "evidence_sentence_f1"):
        if values := [value for row in shown if row.answerable and (value := getattr(row, name)) is not None]:
            parts.append(f"{name} {np.mean(values):.3f}")
    for accepted in ACCEPTED_WRONG:
        with suppress(SettingsError):
            above = sure >= least_confidence(accepted)
            wrong = (~right[above]).mean() if above.any() else 0.0
            parts.append(f"--max-wrong {accepted:g}: {wrong:.3f} wrong of {int(above.sum())}")
    return ", ".join(parts)


def calibration_error(sure: np.ndarray, right: np.ndarray, bins: int = 10) -> float:
    """Mean distance of confidence and share right over bins of equal width, weighed by how many are in each.

    Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3.
    """
    numbers = np.minimum((sure * bins).astype(int), bins - 1)
    total = 0.0
    for number in range(bins):
        inside = numbers == number
        if inside.any():
            total += inside.mean() * abs(sure[inside].mean() - right[inside].mean())
    return float(total)


if __name__ == "__main__":
    main()
