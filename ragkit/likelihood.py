"""How much a sentence makes the writer expect the question: evidence for "this sentence answers it".

Query likelihood after Ponte and Croft 1998, with the language model that writes, as a gain over a text that says
nothing. Called by `answering`.
"""

from collections.abc import Sequence

from ragkit.models.generation import Generator
from ragkit.prompts import as_data, likelihood_prompt

_SAYS_NOTHING = "This is a text."


def question_gains(question: str, texts: Sequence[str], generator: Generator) -> list[float] | None:
    """For each text, by how many nats a token it raises the question's log likelihood; None if the model cannot say."""
    prompts = [likelihood_prompt(text) for text in (*texts, _SAYS_NOTHING)]
    found = generator.log_likelihoods(prompts, [f" {as_data(question)}"] * len(prompts))
    return None if found is None else [likelihood - found[-1] for likelihood in found[:-1]]
