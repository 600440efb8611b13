"""Several continuations of one text in one row, so that the text is read once.

Each continuation follows the text directly and sees it and itself, no other. Called by `verifying`, and by the
trainings under `evals`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Packed:
    """Tokens of a text and of what follows it, each time anew."""

    text: list[int]
    follow: tuple[list[int], ...]

    @property
    def length(self) -> int:
        """Tokens of all."""
        return len(self.text) + sum(len(tokens) for tokens in self.follow)

    def stretches(self) -> Iterator[tuple[int, list[int]]]:
        """Where the text and each continuation begin, and their tokens."""
        start = 0
        for tokens in (self.text, *self.follow):
            yield start, tokens
            start += len(tokens)


def read_packed(layers: Any, packs: Sequence[Packed], taps: Sequence[int]) -> list[list[Any]]:
    """What a decoder makes of each pack after each of the layers `taps`, counted from 1; shape (tokens, width)."""
    import torch

    device = layers.device
    width = max(pack.length for pack in packs)
    ids = torch.zeros(len(packs), width, dtype=torch.long, device=device)
    places = torch.zeros(len(packs), width, dtype=torch.long, device=device)
    seen = torch.eye(width, dtype=torch.bool, device=device).repeat(len(packs), 1, 1, 1)
    for row, pack in enumerate(packs):
        for start, tokens in pack.stretches():
            end, text = start + len(tokens), len(pack.text)
            ids[row, start:end] = torch.tensor(tokens, device=device)
            first = text if start else 0
            places[row, start:end] = torch.arange(first, first + len(tokens), device=device)
            seen[row, 0, start:end, : text if start else 0] = True
            seen[row, 0, start:end, start:end] = torch.ones(
                len(tokens), len(tokens), dtype=torch.bool, device=device
            ).tril()
    masks = {"full_attention": seen, "sliding_attention": seen}
    read = layers(
        input_ids=ids, position_ids=places, attention_mask=masks, use_cache=False, output_hidden_states=True
    ).hidden_states
    return [[read[tap][row, : pack.length].float() for tap in taps] for row, pack in enumerate(packs)]
