"""What is known of single writing models: how each is best asked. Read from `profiles.json`; called by `drafting`."""

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
    """

    prompt: Literal["direct", "examples"] = "examples"


def profile_of(model: str) -> Profile:
    """The profile of a model by the name that it reports; of an unknown one, what suits most."""
    return _profiles().get(model, Profile())


@cache
def _profiles() -> dict[str, Profile]:
    loaded = json.loads(files("ragkit").joinpath("profiles.json").read_text(encoding="utf-8"))
    return {name: Profile(**entry) for name, entry in loaded.items()}
