"""How sure can ragkit be that its answer is right? Named features -> a probability.

A logistic model; `python -m evals.confidence` fits it and writes its weights, with what they were fitted on, to
`confidence.json`. What writing and verification found adds nothing to what reading did (`evals/README.md`), so a
question is refused before anything is written. Called by `answering`.
"""

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from ragkit.errors import SettingsError
from ragkit.evidence import MATCH_WEIGHT, Candidate
from ragkit.odds import probability

LONGEST_SENTENCE_WORDS = 80
"""Chosen among 40 to 150 by the likelihood of what the weights are fitted on."""

LOWEST_LOG_ODDS = -12.0
"""Below this one sentence is as unlikely as another."""


def measure_features(ranked: Sequence[Candidate]) -> dict[str, float]:
    """What speaks for and against the best sentence, by name.

    `paragraph_log_odds` is what the reader says of the paragraph whose sentence ranks first: that any of its sentences
    answers. `match` is how well that sentence fits without being read, by its tokens and words. `run_together` is 1 if
    it is longer than any sentence, as lists and tables are that lost their lines: such text seems to answer anything.

    Args:
        ranked: The candidate sentences, best first; at least one.
    """
    first = ranked[0]
    here = [candidate.log_odds for candidate in ranked if candidate.paragraph == first.paragraph]
    return {
        "paragraph_log_odds": max(LOWEST_LOG_ODDS, float(np.logaddexp.reduce(here))),
        "match": (first.score - first.log_odds) / MATCH_WEIGHT,
        "run_together": float(len(first.text.split()) > LONGEST_SENTENCE_WORDS),
    }


def estimate_confidence(features: dict[str, float]) -> float:
    """Probability in [0, 1] that the answer is right."""
    model = fitted()
    return probability(model["intercept"] + sum(weight * features[name] for name, weight in model["weights"].items()))


def least_confidence(max_wrong: float) -> float:
    """From which confidence on at most so many of the answers were wrong, where the model was fitted.

    Args:
        max_wrong: A share in (0, 1).

    Raises:
        SettingsError: However sure the answers were, more of them were wrong.
    """
    rates = [(least, wrong) for least, wrong in fitted()["wrong_from"]]
    reached = next((least for least, wrong in rates if wrong <= max_wrong), None)
    if reached is None:
        fewest = min((wrong for _, wrong in rates), default=1.0)
        raise SettingsError(
            f"So few wrong answers as {max_wrong:g} were never reached. Give --max-wrong {fewest:g} or more"
        )
    return float(reached)


@cache
def fitted() -> dict[str, Any]:
    """What `confidence.json` holds."""
    loaded: dict[str, Any] = json.loads(files("ragkit").joinpath("confidence.json").read_text(encoding="utf-8"))
    return loaded
