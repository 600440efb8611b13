"""Fits `ragkit/confidence.json` on what `answers` kept, and prints how well it tells right answers from wrong ones.

    python -m evals.answers neartopic reading ../shared/data/clapnq_dev_answerable_public.jsonl
    python -m evals.confidence ../shared/data/clapnq_dev_answerable_public.jsonl

Fitted on `neartopic` and on the choosing parts of the files given; then, as what was fitted is surer of other documents
than it should be, all log odds are divided by what makes the answers to `seeds` likeliest. The reporting parts, and the
suites named in `REPORTED`, take no part in it: nor does the reporting part of `reading`, whose questions became harder
with each round than what people ask, so that with them the confidence in everything else was too low.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from evals.answers import COLUMNS, PARTS, Measured, describe, measured
from ragkit.confidence import estimate_confidence, fitted
from ragkit.evaluation.report.tables import markdown_table

FITTED_ON, SHRUNK_ON, REPORTED = ("neartopic",), "seeds", ("disputes", "reading")
TEMPERATURES = np.arange(1.0, 3.01, 0.05)
FEATURES = ("paragraph_log_odds", "match", "run_together")
ACCEPTED = (0.3, 0.25, 0.2, 0.15, 0.12, 0.1, 0.08, 0.06, 0.05, 0.04, 0.03, 0.02)
LEAST_ANSWERS = 30
TARGET = Path("ragkit/confidence.json")


def main() -> None:
    """Fits, writes and reports."""
    parser = argparse.ArgumentParser()
    parser.add_argument("places", nargs="*", help="public dataset files")
    given = parser.parse_args()
    taught = {place: measured(place, "report") for place in FITTED_ON}
    taught |= {Path(place).stem: measured(place, "choose") for place in given.places}
    elsewhere = measured(SHRUNK_ON, "report")
    rows = [row for of_place in taught.values() for row in of_place]
    missing = [name for name, found in (*taught.items(), (SHRUNK_ON, elsewhere)) if not found]
    if missing:
        raise SystemExit(f"Not measured yet: {', '.join(missing)}")
    model = {"fitted_on": {name: len(found) for name, found in taught.items()}}
    model |= {"shrunk_on": {SHRUNK_ON: len(elsewhere)}} | shrink(fit(rows), elsewhere)
    TARGET.write_text(json.dumps(model | {"wrong_from": []}, indent=2) + "\n", encoding="utf-8")
    fitted.cache_clear()
    sure = np.array([estimate_confidence(row.features) for row in rows])
    right = np.array([row.right for row in rows])
    TARGET.write_text(json.dumps(model | {"wrong_from": _wrong_from(sure, right)}, indent=2) + "\n", encoding="utf-8")
    fitted.cache_clear()
    apart: list[Measured] = []
    for place in (*FITTED_ON, SHRUNK_ON, *REPORTED, *given.places):
        for part in PARTS:
            if found := measured(place, part):
                print(f"{Path(place).stem}, {part}\n\n{markdown_table(COLUMNS, describe(found))}\n")
                apart += found if part == "report" and place not in (*FITTED_ON, SHRUNK_ON) else []
    if apart:
        print(f"all that reports only\n\n{markdown_table(COLUMNS, describe(apart))}")


def fit(rows: Sequence[Measured]) -> dict[str, Any]:
    """Intercept and weights for features as they are measured; fitted on standardised ones."""
    values = np.array([[row.features[name] for name in FEATURES] for row in rows])
    mean, spread = values.mean(axis=0), values.std(axis=0)
    model = LogisticRegression(max_iter=3000).fit((values - mean) / spread, [row.right for row in rows])
    weights = model.coef_[0] / spread
    intercept = float(model.intercept_[0] - weights @ mean)
    named = {name: round(float(weight), 4) for name, weight in zip(FEATURES, weights, strict=True)}
    return {"intercept": round(intercept, 4), "weights": named}


def shrink(model: dict[str, Any], rows: Sequence[Measured]) -> dict[str, Any]:
    """The model with all log odds divided by the temperature that makes these rows likeliest (Guo et al. 2017, 4.2)."""
    weights = model["weights"]
    log_odds = np.array([sum(weight * r.features[name] for name, weight in weights.items()) for r in rows])
    signed = (log_odds + model["intercept"]) * np.array([1 if row.right else -1 for row in rows])
    losses = [np.logaddexp(0, -signed / temperature).mean() for temperature in TEMPERATURES]
    best = float(TEMPERATURES[int(np.argmin(losses))])
    shrunk = {name: round(weight / best, 4) for name, weight in weights.items()}
    return {"temperature": round(best, 2), "intercept": round(model["intercept"] / best, 4), "weights": shrunk}


def _wrong_from(sure: np.ndarray, right: np.ndarray) -> list[tuple[float, float]]:
    """For each accepted share of wrong answers the lowest confidence from which on no more are wrong.

    First comes the share without a threshold; a share that fewer than `LEAST_ANSWERS` answers reach is left out.
    """
    order = np.argsort(-sure)
    wrong = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    found = [(0.0, round(float(wrong[-1]), 4))]
    for accepted in ACCEPTED:
        enough = np.flatnonzero(wrong <= accepted)
        if accepted < wrong[-1] and len(enough) and enough[-1] + 1 >= LEAST_ANSWERS:
            found.append((round(float(sure[order[enough[-1]]]), 4), accepted))
    return found


if __name__ == "__main__":
    main()
