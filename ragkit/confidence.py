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

import numpy as np

from ragkit.evidence import Candidate

LOWEST_LOG_ODDS = -12.0
"""Below this one sentence is as unlikely as another."""


def measure_features(ranked: Sequence[Candidate]) -> dict[str, float]:
    """What speaks for and against the best sentence, by name.

    `paragraph_log_odds` is what the reader says of the paragraph whose sentence ranks first: that any of its sentences
    answers. `second_log_odds` is the second highest of all single sentences: what is answered is seldom said only once.
    How many words question and sentence share is not among them: on questions that are close to the topic, the
    unanswerable ones share as many.

    Args:
        ranked: The candidate sentences, best first; at least one.
    """
    first = ranked[0].paragraph
    here = [candidate.log_odds for candidate in ranked if candidate.paragraph == first]
    ordered = sorted((candidate.log_odds for candidate in ranked), reverse=True)
    return {
        "paragraph_log_odds": max(LOWEST_LOG_ODDS, float(np.logaddexp.reduce(here))),
        "second_log_odds": max(LOWEST_LOG_ODDS, ordered[:2][-1]),
    }


def estimate_confidence(features: dict[str, float]) -> float:
    """Probability in [0, 1] that the evidence answers the question."""
    model = _model()
    logit = model["intercept"] + sum(weight * features[name] for name, weight in model["weights"].items())
    return probability(logit)


def probability(log_odds: float) -> float:
    """What log odds mean, in [0, 1]."""
    return 1 / (1 + math.exp(-max(-700.0, log_odds)))


@cache
def _model() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(files("ragkit").joinpath("confidence.json").read_text(encoding="utf-8"))
    return loaded
