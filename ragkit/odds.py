"""Log odds as probabilities. Called wherever a model's log odds are shown or weighed."""

import math

_MOST = 700.0


def probability(log_odds: float) -> float:
    """What log odds mean, in [0, 1]."""
    return 1 / (1 + math.exp(-max(-_MOST, log_odds)))
