"""How sure can ragkit be that the evidence answers the question? Named features -> a probability.

A logistic model; `python -m evals.confidence` fits it and writes its coefficients, with what they were fitted on, to
`confidence.json`. Called by `answering`.
"""

import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from ragkit.evidence import Candidate
from ragkit.questions import asked_kind
from ragkit.retrieval import Retrieved
from ragkit.terms import content_terms


def measure_features(retrieved: Retrieved, candidates: Sequence[Candidate]) -> dict[str, float]:
    """What speaks for and against the best candidate, by name; empty if there is none."""
    if not candidates:
        return {}
    best = candidates[0]
    content = best.weights > best.weights.max() / 3 if len(best.weights) else best.weights > 0
    covered, covered_nearby = _coverage(retrieved.question, best)
    kind = asked_kind(retrieved.question)
    runner_up = retrieved.hits[1].score if len(retrieved.hits) > 1 else 0.0
    return {
        "paragraph": float(best.paragraph_matches.mean()),
        "sentence": float(best.matches.mean()),
        "paragraph_weighted": float(best.paragraph_matches @ best.weights),
        "sentence_weighted": float(best.matches @ best.weights),
        "weakest_term": float(best.paragraph_matches[content].min()) if content.any() else 0.0,
        "dense": max((hit.dense or 0.0 for hit in retrieved.hits), default=0.0),
        "covered": covered,
        "covered_nearby": covered_nearby,
        "lead": retrieved.hits[0].score - runner_up,
        "lacks_number": float(kind == "number" and not best.holds_kind),
        "lacks_time": float(kind == "time" and not best.holds_kind),
        "lacks_name": float(kind == "name" and not best.holds_kind),
    }


def estimate_confidence(retrieved: Retrieved, candidates: Sequence[Candidate]) -> float:
    """Probability in [0, 1] that the evidence answers the question; 0 without evidence."""
    features = measure_features(retrieved, candidates)
    if not features:
        return 0.0
    model = _model()
    logit = model["intercept"] + sum(weight * features[name] for name, weight in model["weights"].items())
    return 1 / (1 + math.exp(-logit))


def _coverage(question: str, best: Candidate) -> tuple[float, float]:
    """Share of the question's content terms in the best sentence, and in its paragraph."""
    wanted = set(content_terms(question))
    if not wanted:
        return 0.0, 0.0
    shares = [len(wanted & set(content_terms(text))) / len(wanted) for text in (best.text, best.paragraph.text)]
    return shares[0], shares[1]


@cache
def _model() -> Mapping[str, object]:
    return json.loads(files("ragkit").joinpath("confidence.json").read_text(encoding="utf-8"))
