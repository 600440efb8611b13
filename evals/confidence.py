"""Fits the weights of `ragkit/confidence.json` and prints how well they tell answerable from unanswerable questions.

    python -m evals.confidence ../shared/data/xquad_en_public.json ../shared/data/clapnq_dev_answerable_public.jsonl

Fitted on the choosing parts only (see `parts`). CLAPNQ brings its own unanswerable questions. Each XQuAD question is
asked twice: as it is, and with the sentences that answer it taken out of the gold paragraph, so that what remains is
close to the topic and yet no answer. What a rule sees (a number is asked for and there is none) is too rare there to be
fitted: those weights were set by hand from counts on the choosing parts and `evals/neartopic`, with `evals/seeds` in
view, so the figures on `evals/seeds` are a little too good.
"""

import json
import random
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from evals.parts import is_gold, open_suite, part_of
from ragkit.answering import GAIN_CANDIDATES
from ragkit.confidence import measure_features
from ragkit.evaluation import GoldQuestion
from ragkit.evaluation.metrics import includes
from ragkit.evidence import rerank_by_gain, score_sentences
from ragkit.interaction import best_matches
from ragkit.kit import Kit
from ragkit.likelihood import question_gains
from ragkit.models.embedding import TokenVectors
from ragkit.retrieval import Retrieved
from ragkit.sentences import split_sentences
from ragkit.settings import Settings

FITTED = ("paragraph", "weakest_term", "covered_nearby")
RULES = {"lacks_number": -2.3, "lacks_date": -1.4, "lacks_speaker": -0.7, "missing_names": -0.7}
MOST_QUESTIONS = 160
SEED = 5
TARGET = Path("ragkit/confidence.json")

Measured = tuple[dict[str, float], bool]


def main(places: Sequence[str]) -> None:
    """Measures, fits, writes and reports."""
    chosen: list[Measured] = []
    reported: dict[str, list[Measured]] = {}
    for place in places:
        suite, kit = open_suite(place, Settings())
        parts = part_of(suite)
        with kit:
            for part, most in (("choose", MOST_QUESTIONS), ("report", MOST_QUESTIONS // 2)):
                questions = [question for question in suite.questions if parts[question.id] == part]
                random.Random(SEED).shuffle(questions)
                measured = [row for question in questions[:most] for row in _measure(question, kit)]
                chosen += measured if part == "choose" else []
                reported[f"{suite.name}, {part}"] = measured
    fitted = {
        "with_likelihood": _fit(chosen, (*FITTED, "gain")),
        "without_likelihood": _fit(chosen, FITTED),
    }
    data = {name: len(rows) for name, rows in reported.items() if name.endswith("choose")}
    TARGET.write_text(json.dumps({"fitted_on": data, **fitted}, indent=2) + "\n", encoding="utf-8")
    for name, rows in reported.items():
        for model, weights in fitted.items():
            print(name, model, _describe(rows, weights))


def _measure(question: GoldQuestion, kit: Kit) -> list[Measured]:
    """Features of the best sentence, and of the best one left once those that answer are taken out."""
    with kit.index.snapshot() as snapshot:
        retrieved = kit.retriever.retrieve(question.question, snapshot, kit.settings.rerank_paragraphs)
    rows = [(_features(retrieved, kit), question.answerable)]
    if question.answerable and not question.evidence_sentences:
        rows.append((_features(_without_answer(question, retrieved), kit), False))
    return rows


def _features(retrieved: Retrieved, kit: Kit) -> dict[str, float]:
    candidates = [c for c in score_sentences(retrieved, kit.settings.evidence_paragraphs) if c.matches.any()]
    texts = [candidate.text for candidate in candidates[:GAIN_CANDIDATES]]
    gains = question_gains(retrieved.question, texts, kit.generator) or []
    best = rerank_by_gain(candidates, gains)[0]
    return measure_features(retrieved.question, best, dict(zip(texts, gains, strict=True))[best.text])


def _without_answer(question: GoldQuestion, retrieved: Retrieved) -> Retrieved:
    """What was retrieved, without the tokens of the sentences that answer."""
    tokens = []
    for hit, found in zip(retrieved.hits, retrieved.paragraph_tokens, strict=True):
        kept = np.ones(len(found.starts), dtype=bool)
        if is_gold(question, hit.paragraph.document.path, hit.paragraph.number):
            for start, end in split_sentences(hit.paragraph.text):
                if any(includes(hit.paragraph.text[start:end], answer) for answer in question.answers):
                    kept &= (found.starts < start) | (found.ends > end)
        tokens.append(TokenVectors(found.vectors[kept], found.starts[kept], found.ends[kept]))
    matches = [best_matches(retrieved.question_tokens, found) for found in tokens]
    order = sorted(range(len(tokens)), key=lambda n: -float(matches[n].mean()))
    hits = tuple(replace(retrieved.hits[n], rank=rank) for rank, n in enumerate(order, 1))
    return replace(
        retrieved,
        hits=hits,
        paragraph_tokens=tuple(tokens[n] for n in order),
        matches=tuple(matches[n] for n in order),
    )


def _fit(rows: Sequence[Measured], names: Sequence[str]) -> dict[str, object]:
    """Intercept and weights for features as they are measured; fitted on standardised ones."""
    values = np.array([[features[name] for name in names] for features, _ in rows])
    mean, spread = values.mean(axis=0), values.std(axis=0)
    answerable = np.array([is_answerable for _, is_answerable in rows])
    model = LogisticRegression(max_iter=3000).fit((values - mean) / spread, answerable)
    weights = model.coef_[0] / spread
    intercept = float(model.intercept_[0] - weights @ mean)
    return {
        "intercept": round(intercept, 4),
        "weights": {**{n: round(float(w), 4) for n, w in zip(names, weights, strict=True)}, **RULES},
    }


def _describe(rows: Sequence[Measured], model: dict[str, object]) -> str:
    """AUROC, and the share of unanswerable questions refused where 8 % of the answerable ones are."""
    weights: dict[str, float] = model["weights"]  # type: ignore[assignment]
    logits = np.array([sum(weight * f[name] for name, weight in weights.items()) for f, _ in rows])
    logits += model["intercept"]
    answerable = np.array([is_answerable for _, is_answerable in rows])
    limit = np.quantile(logits[answerable], 0.08)
    return (
        f"AUROC {roc_auc_score(answerable, logits):.3f}; at 8 % wrongly refused "
        f"{(logits[~answerable] < limit).mean():.3f} rightly, threshold {1 / (1 + np.exp(-limit)):.2f} (n {len(rows)})"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
