"""How sure can ragkit be that the evidence answers the question? Named features -> a probability.

A logistic model; `python -m evals.confidence` fits it and writes its weights, with what they were fitted on, to
`confidence.json`. Called by `answering`.
"""

import json
import math
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from ragkit.evidence import Candidate

LOWEST_LOG_ODDS = -12.0
"""Below this one sentence is as unlikely as another."""


def measure_features(ranked: Sequence[Candidate]) -> dict[str, float]:
    """What speaks for and against the best sentence, by name.

    `log_odds` is what the reader says of the sentence that ranks first, `best_log_odds` the highest of any sentence;
    they part where retrieval and reader disagree. How many words question and sentence share is not among them: on
    questions that are close to the topic, the unanswerable ones share as many.

    Args:
        ranked: The candidate sentences, best first; at least one.
    """
    return {
        "log_odds": max(ranked[0].log_odds, LOWEST_LOG_ODDS),
        "best_log_odds": max(LOWEST_LOG_ODDS, *(candidate.log_odds for candidate in ranked)),
    }


def estimate_confidence(features: dict[str, float]) -> float:
    """Probability in [0, 1] that the evidence answers the question."""
    model = _model()
    logit = model["intercept"] + sum(weight * features[name] for name, weight in model["weights"].items())
    return 1 / (1 + math.exp(-max(-700.0, logit)))


@cache
def _model() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(files("ragkit").joinpath("confidence.json").read_text(encoding="utf-8"))
    return loaded
