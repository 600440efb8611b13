"""Fits `ragkit/confidence.json` and prints how well confidence tells right answers from wrong ones.

    python -m evals.confidence ../shared/data/xquad_en_public.json ../shared/data/clapnq_dev_answerable_public.jsonl

Every question is answered without a threshold, and what the answer would have been worth is noted beside its features.
Fitted on `neartopic`, on the reporting part of `reading` (which no model was taught on: on what it was taught, it is
surer than on anything else) and on the choosing parts of the files given. Their reporting parts, and the suites named
in `REPORTED`, take no part in it. `--again` fits on what was measured last.
"""

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from evals.parts import open_suite, part_of
from ragkit.confidence import estimate_confidence, fitted
from ragkit.evaluation import GoldQuestion
from ragkit.evaluation.metrics import answer_right, first_citation_right, model_wording, words
from ragkit.kit import Kit
from ragkit.models.weights import cache_folder
from ragkit.settings import Settings

FITTED_ON, REPORTED = ("neartopic", "reading"), ("seeds", "disputes")
FEATURES = ("paragraph_log_odds", "match")
MOST_QUESTIONS = 300
ACCEPTED = (0.3, 0.25, 0.2, 0.15, 0.12, 0.1, 0.08, 0.06, 0.05, 0.04, 0.03, 0.02)
SEED = 5
TARGET = Path("ragkit/confidence.json")


@dataclass(frozen=True, slots=True)
class Measured:
    """One question, answered whatever the confidence.

    Attributes:
        right: Whether that answer is right: never for an unanswerable question.
        first_citation: Whether its first citation is a gold paragraph, where there is one.
    """

    id: str
    part: str
    answerable: bool
    right: bool
    first_citation: bool
    words: float
    own_wording: float
    features: dict[str, float]
    text: str


def main() -> None:
    """Measures, fits, writes and reports."""
    parser = argparse.ArgumentParser()
    parser.add_argument("places", nargs="*", help="public dataset files")
    parser.add_argument("--again", action="store_true", help="use what was measured last")
    parser.add_argument("--most", type=int, default=MOST_QUESTIONS, help="questions of each part of a place")
    given = parser.parse_args()
    most = None if given.again else given.most
    measured = {place: measure(place, most) for place in (*FITTED_ON, *REPORTED, *given.places)}
    taught = [row for place in FITTED_ON for row in measured[place]]
    taught += [row for place in given.places for row in measured[place] if row.part == "choose"]
    data = {place: len(measured[place]) for place in FITTED_ON}
    data |= {Path(place).stem: sum(row.part == "choose" for row in measured[place]) for place in given.places}
    model = {"fitted_on": data} | fit(taught)
    TARGET.write_text(json.dumps(model | {"wrong_from": []}, indent=2) + "\n", encoding="utf-8")
    fitted.cache_clear()
    sure = np.array([estimate_confidence(row.features) for row in taught])
    right = np.array([row.right for row in taught])
    TARGET.write_text(json.dumps(model | {"wrong_from": _wrong_from(sure, right)}, indent=2) + "\n", encoding="utf-8")
    for place, rows in measured.items():
        for part in ("choose", "report"):
            if chosen := [row for row in rows if row.part == part]:
                print(Path(place).stem, part, _describe(chosen))


def measure(place: str, most: int | None) -> list[Measured]:
    """Every question of a suite, at most so many of each part; kept in the cache. With None, what was kept."""
    file = cache_folder() / "measurements" / f"confidence-{Path(place).stem}.jsonl"
    if most is None:
        return [Measured(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]
    suite, kit = open_suite(place, Settings(min_confidence=0.0))
    parts = part_of(suite)
    random.Random(SEED).shuffle(questions := list(suite.questions))
    chosen = [q for q in questions if parts[q.id] == "report"][:most]
    if suite.name not in FITTED_ON:
        chosen += [q for q in questions if parts[q.id] == "choose"][:most]
    with kit:
        rows = [_measure(question, parts[question.id], kit) for question in chosen]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(asdict(row)) + "\n" for row in rows), encoding="utf-8")
    return rows


def _measure(question: GoldQuestion, part: str, kit: Kit) -> Measured:
    trace = kit.explain(question.question)
    answer = trace.answer
    cited = bool(first_citation_right(question, answer))
    right = answer_right(question, answer)
    return Measured(
        id=question.id,
        part=part,
        answerable=question.answerable,
        right=question.answerable and (cited if right is None else bool(right)),
        first_citation=cited,
        words=words(answer) or 0.0,
        own_wording=model_wording(answer) or 0.0,
        features=trace.features,
        text=answer.text,
    )


def fit(rows: Sequence[Measured]) -> dict[str, object]:
    """Intercept and weights for features as they are measured; fitted on standardised ones."""
    values = np.array([[row.features[name] for name in FEATURES] for row in rows])
    mean, spread = values.mean(axis=0), values.std(axis=0)
    model = LogisticRegression(max_iter=3000).fit((values - mean) / spread, [row.right for row in rows])
    weights = model.coef_[0] / spread
    intercept = float(model.intercept_[0] - weights @ mean)
    named = {name: round(float(weight), 4) for name, weight in zip(FEATURES, weights, strict=True)}
    return {"intercept": round(intercept, 4), "weights": named}


def _wrong_from(sure: np.ndarray, right: np.ndarray) -> list[tuple[float, float]]:
    """For each accepted share of wrong answers the lowest confidence from which on no more are wrong."""
    order = np.argsort(-sure)
    wrong = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    found = []
    for accepted in ACCEPTED:
        enough = np.flatnonzero(wrong <= accepted)
        if len(enough):
            found.append((round(float(sure[order[enough[-1]]]), 4), accepted))
    return found


def _describe(rows: Sequence[Measured]) -> str:
    """AUROC of answerable and of right, calibration error, and what the default threshold refuses."""
    sure = np.array([estimate_confidence(row.features) for row in rows])
    right, answerable = (np.array([getattr(row, name) for row in rows]) for name in ("right", "answerable"))
    said = sure >= Settings().min_confidence
    parts = [f"n {len(rows)}", f"calibration error {calibration_error(sure, right):.3f}"]
    if answerable.any() and not answerable.all():
        parts.append(f"AUROC {roc_auc_score(answerable, sure):.3f}, rightly refused {(~said[~answerable]).mean():.3f}")
    parts.append(f"wrongly {(~said[answerable]).mean():.3f}")
    parts.append(
        f"right without threshold {right[answerable].mean():.3f}, with {(right & said)[answerable].mean():.3f}"
    )
    cited = np.array([row.first_citation for row in rows])[answerable & said]
    parts.append(f"first citation {cited.mean():.3f} of answered")
    shown = [row for row, is_said in zip(rows, said, strict=True) if is_said]
    parts.append(f"words {np.mean([row.words for row in shown]):.1f}")
    parts.append(f"own wording {np.mean([row.own_wording for row in shown]):.3f}")
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
