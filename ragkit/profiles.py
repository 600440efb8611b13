"""What is known of single writing models: how each is best asked, and when its own wording is worth saying.

Read from `profiles.json`, whose weights `python -m evals.wording --fit` writes. Called by `drafting` and `repair`.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal


@dataclass(frozen=True, slots=True)
class Profile:
    """How a model is asked.

    Attributes:
        prompt: "direct" for a model that was taught to answer in one sentence; "examples" for one that continues them.
        hinted: Whether it was taught with the short answer as a hint, and to make follow-up questions whole.
        intercept, likelihood, answering: Of the worth of a wording; below 0 the evidence is quoted instead.
    """

    prompt: Literal["direct", "examples"] = "examples"
    hinted: bool = False
    intercept: float = 0.0
    likelihood: float = 0.0
    answering: float = 0.0

    def worth(self, likelihood: float | None, answering: float) -> float:
        """How much a wording is worth beside the quotation that it was made from.

        Args:
            likelihood: Mean log probability of its tokens by the model; None if the model cannot say.
            answering: How much likelier, in log odds, it answers the question than the quotation does.
        """
        return self.intercept + self.likelihood * (likelihood or 0.0) + self.answering * answering


def profile_of(model: str) -> Profile:
    """The profile of a model by the name that it reports; of an unknown one, what suits most."""
    return _profiles().get(model, Profile())


@cache
def _profiles() -> dict[str, Profile]:
    loaded = json.loads(files("ragkit").joinpath("profiles.json").read_text(encoding="utf-8"))
    return {name: Profile(**entry) for name, entry in loaded.items()}
