"""A source text and a question to yes, no, or that the text does not tell: the `Decider` protocol and the shipped one.

The shipped decider is the layers of the shipped writing model with a low-rank adapter of its own and a head;
`python -m evals.deciding` trains them. Called by `polarity`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ragkit.models.adapters import Adapted
from ragkit.models.packing import Packed, read_packed
from ragkit.models.pieces import TOKENIZING
from ragkit.models.reading import encode_question, encode_text, one_line


@dataclass(frozen=True, slots=True)
class Decision:
    """How likely each answer is; with the chance that the text does not tell, they add up to 1."""

    yes: float
    no: float


class Decider(Protocol):
    """What the rest of ragkit asks of a model that answers yes/no questions."""

    def decide(self, source: str, question: str) -> Decision:
        """What a short text, such as a sentence, says to a question."""


class LanguageModelDecider:
    """The lower layers of a causal language model with an adapter merged into them, and a head; safe to share."""

    def __init__(self, model: Adapted) -> None:
        self._model = model

    def decide(self, source: str, question: str) -> Decision:
        """What a short text says to a question; of a longer one the beginning is read."""
        import torch

        with TOKENIZING:
            pack = pack_questions(self._model.tokenizer, source, [question])
        with torch.inference_mode():
            states = read_packed(self._model.layers, [pack], self._model.taps)[0]
            yes, no, _ = decide_packed(self._model.heads, states, pack).softmax(1)[0].tolist()
        return Decision(yes, no)


def pack_questions(tokenizer: Any, source: str, questions: Sequence[str]) -> Packed:
    """The prompt of each question about one text, as the decider was taught."""
    text, _ = encode_text(tokenizer, one_line(source))
    return Packed(text, tuple(encode_question(tokenizer, question) for question in questions))


def decide_packed(heads: Any, states: Sequence[Any], pack: Packed) -> Any:
    """Scores of yes, no and neither for each question of a pack, by its states at each tap; shape (questions, 3)."""
    _, *questions = pack.stretches()
    ends = [start + len(tokens) - 1 for start, tokens in questions]
    return heads([tap[ends] for tap in states])
