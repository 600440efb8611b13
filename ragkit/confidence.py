"""How sure can ragkit be that the evidence answers the question? Named features -> a probability.

A logistic model; `python -m evals.confidence` fits it and writes its weights, with what they were fitted on, to
`confidence.json`: one set of weights with the question's likelihood, one for writers that cannot tell it.
Called by `answering`.
"""

import json
import math
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from ragkit.evidence import Candidate
from ragkit.questions import asked_kind, holds_date, holds_kind, lacks_speaker, missing_names
from ragkit.terms import content_terms


def measure_features(question: str, best: Candidate, gain: float | None) -> dict[str, float]:
    """What speaks for and against the best sentence, by name.

    Args:
        question: As it was searched for.
        best: The sentence.
        gain: By how much it raises the question's likelihood, in nats a token; None if the writer cannot tell.
    """
    kind = asked_kind(question)
    features = {
        "paragraph": float(best.paragraph_matches.mean()),
        "weakest_term": _weakest_term(best),
        "covered_nearby": _covered(question, best.paragraph.text),
        "lacks_number": float(kind == "number" and not holds_kind("number", question, best.text)),
        "lacks_date": float(kind == "time" and not holds_date(best.text)),
        "lacks_speaker": float(lacks_speaker(question, best.text)),
        "missing_names": float(missing_names(question, best.paragraph.text)),
    }
    return features if gain is None else features | {"gain": gain}


def estimate_confidence(features: dict[str, float]) -> float:
    """Probability in [0, 1] that the evidence answers the question."""
    model = _models()["with_likelihood" if "gain" in features else "without_likelihood"]
    logit = model["intercept"] + sum(weight * features[name] for name, weight in model["weights"].items())
    return 1 / (1 + math.exp(-logit))


def _weakest_term(best: Candidate) -> float:
    """The lowest cosine of a rare question token within the paragraph."""
    rare = best.weights > best.weights.max(initial=0) / 3
    return float(np.min(best.paragraph_matches[rare])) if rare.any() else 0.0


def _covered(question: str, text: str) -> float:
    """Share of the question's content terms that stand in the text."""
    wanted = set(content_terms(question))
    return len(wanted & set(content_terms(text))) / len(wanted) if wanted else 0.0


@cache
def _models() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(files("ragkit").joinpath("confidence.json").read_text(encoding="utf-8"))
    return loaded
