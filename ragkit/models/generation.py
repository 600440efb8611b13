"""Prompts to text: the `Generator` protocol and the models behind it. Called by `answering`."""

from collections.abc import Iterator, Sequence
from typing import Protocol


class Generator(Protocol):
    """What the rest of ragkit asks of a writing model."""

    @property
    def name(self) -> str:
        """What an answer reports as its model."""

    def stream(self, prompt: str, *, max_tokens: int, stop: Sequence[str] = ()) -> Iterator[str]:
        """Greedy continuation of a prompt, piece by piece; ends before the first stop string or after `max_tokens`."""

    def log_likelihoods(self, prompts: Sequence[str], continuations: Sequence[str]) -> list[float] | None:
        """Mean log probability (nats a token) of each continuation after its prompt; None if the model cannot say."""
