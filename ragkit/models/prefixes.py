"""What a model has already read: the attention states of recent prompts, so that a shared beginning is read once.

A few-shot header of 300 tokens costs a second on two cores; every question repeats it. Called by `causal`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

# Fewer shared tokens than this are not worth copying, and are shared by chance (every prompt begins with <bos>).
MIN_SHARED_TOKENS = 16
_MAX_KEPT = 4


@dataclass(frozen=True, slots=True)
class Prefix:
    """The states of one prompt.

    Attributes:
        tokens: The prompt's token ids.
        layers: For each layer its keys and values, shape (1, heads, len(tokens), width); never written to.
    """

    tokens: tuple[int, ...]
    layers: tuple[tuple[Any, Any], ...]

    def cache(self, length: int, batch: int, config: Any) -> Any:
        """A transformers cache that holds the first `length` tokens, for `batch` sequences."""
        from transformers import DynamicCache

        cache = DynamicCache(config=config)
        for number, (keys, values) in enumerate(self.layers):
            shape = (batch, -1, -1, -1)
            cache.update(keys[:, :, :length].expand(shape), values[:, :, :length].expand(shape), number)
        return cache


@dataclass(slots=True)
class Prefixes:
    """The last few prompts that a model read, not two of which are mostly the same."""

    _kept: tuple[Prefix, ...] = field(default=())

    def longest(self, tokens: Sequence[int]) -> tuple[Prefix | None, int]:
        """The kept prompt that shares the longest beginning with `tokens`, and its length; (None, 0) if too short."""
        shared = [(shared_length((prefix.tokens, tokens)), prefix) for prefix in self._kept]
        length, best = max(shared, key=lambda pair: pair[0], default=(0, None))
        return (best, length) if length >= MIN_SHARED_TOKENS else (None, 0)

    def keep(self, tokens: Sequence[int], cache: Any) -> Prefix | None:
        """Remember the states in a cache of one sequence; None for models whose states cannot be cut anywhere.

        Those are models with recurrent layers, and sliding windows that have already dropped the beginning.
        """
        layers = []
        for layer in cache.layers:
            keys, values = getattr(layer, "keys", None), getattr(layer, "values", None)
            if type(layer).__name__ not in _SLICEABLE or keys is None or keys.shape[-2] != len(tokens):
                return None
            layers.append((keys, values))
        prefix = Prefix(tuple(tokens), tuple(layers))
        others = [old for old in self._kept if shared_length((old.tokens, tokens)) < len(old.tokens) / 2]
        self._kept = (prefix, *others[: _MAX_KEPT - 1])
        return prefix


_SLICEABLE = frozenset({"DynamicLayer", "DynamicSlidingWindowLayer"})


def shared_length(sequences: Sequence[Sequence[int]]) -> int:
    """How many tokens all sequences have in common at their beginning."""
    ordered = [tuple(tokens) for tokens in sequences]
    first, last = min(ordered), max(ordered)  # what these two share, all that sort between them share
    return next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
