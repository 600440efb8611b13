"""Fits the weights of `ragkit/confidence.json` and prints how well they tell answerable from unanswerable questions.

    python -m evals.confidence ../shared/data/clapnq_dev_answerable_public.jsonl

Fitted on `evals/neartopic` and the reporting part of `evals/reading`, which the reader was not trained on: on questions
that it was trained on it is surer than it is on others. The reporting parts of the public files given, and
`evals/seeds`, take no part in it.
"""

import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from evals.parts import open_suite, part_of
from ragkit.confidence import measure_features
from ragkit.evaluation import GoldQuestion
from ragkit.evidence import read_sentences, score_sentences
from ragkit.kit import Kit
from ragkit.settings import Settings

FITTED_ON = ("neartopic", "reading")
FITTED = ("paragraph_log_odds", "second_log_odds")
MOST_QUESTIONS = 300
SEED = 5
TARGET = Path("ragkit/confidence.json")

Measured = tuple[dict[str, float], bool]


def main(places: Sequence[str]) -> None:
    """Measures, fits, writes and reports."""
    measured = {place: _measure_suite(place) for place in (*FITTED_ON, "seeds", *places)}
    weights = fit([row for place in FITTED_ON for row in measured[place]])
    data = {place: len(measured[place]) for place in FITTED_ON}
    TARGET.write_text(json.dumps({"fitted_on": data, **weights}, indent=2) + "\n", encoding="utf-8")
    for place, rows in measured.items():
        print(Path(place).stem, _describe(rows, weights))


def _measure_suite(place: str) -> list[Measured]:
    """Features of at most so many questions of the reporting part, and whether each is answerable."""
    suite, kit = open_suite(place, Settings())
    parts = part_of(suite)
    questions = [question for question in suite.questions if parts[question.id] == "report"]
    random.Random(SEED).shuffle(questions)
    with kit:
        return [_measure(question, kit) for question in questions[:MOST_QUESTIONS]]


def _measure(question: GoldQuestion, kit: Kit) -> Measured:
    with kit.index.snapshot() as snapshot:
        retrieved = kit.retriever.retrieve(question.question, snapshot, kit.settings.rerank_paragraphs)
    candidates = score_sentences(retrieved, kit.settings.evidence_paragraphs)
    ranked = read_sentences(retrieved.question, candidates, kit.reader)
    return measure_features(ranked), question.answerable


def fit(rows: Sequence[Measured]) -> dict[str, object]:
    """Intercept and weights for features as they are measured; fitted on standardised ones."""
    values = np.array([[features[name] for name in FITTED] for features, _ in rows])
    mean, spread = values.mean(axis=0), values.std(axis=0)
    answerable = np.array([is_answerable for _, is_answerable in rows])
    model = LogisticRegression(max_iter=3000).fit((values - mean) / spread, answerable)
    weights = model.coef_[0] / spread
    intercept = float(model.intercept_[0] - weights @ mean)
    named = {name: round(float(weight), 4) for name, weight in zip(FITTED, weights, strict=True)}
    return {"intercept": round(intercept, 4), "weights": named}


def _describe(rows: Sequence[Measured], model: dict[str, object]) -> str:
    """AUROC, and the share of unanswerable questions refused where 8 % of the answerable ones are."""
    weights: dict[str, float] = model["weights"]  # type: ignore[assignment]
    logits = np.array([sum(weight * features[name] for name, weight in weights.items()) for features, _ in rows])
    logits += model["intercept"]
    answerable = np.array([is_answerable for _, is_answerable in rows])
    limit = np.quantile(logits[answerable], 0.08)
    threshold = 1 / (1 + np.exp(-limit))
    if answerable.all():
        return f"8 % wrongly refused at a threshold of {threshold:.2f} (n {len(rows)})"
    return (
        f"AUROC {roc_auc_score(answerable, logits):.3f}; at 8 % wrongly refused "
        f"{(logits[~answerable] < limit).mean():.3f} rightly, threshold {threshold:.2f} (n {len(rows)})"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
