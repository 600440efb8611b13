"""Several sequences continued, or several continuations scored, at once, so that the weights are read once for all.

Called by `causal`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ragkit.models.packing import Packed, read_packed


@dataclass(frozen=True, slots=True)
class Continued:
    """What was written after one prompt, in tokens.

    Attributes:
        log_probabilities: Of each token among those allowed.
    """

    tokens: list[int]
    log_probabilities: list[float]


def continue_all(
    model: Any,
    prompts: Sequence[list[int]],
    allowed: Sequence[Sequence[int]],
    ends: tuple[frozenset[int], frozenset[int]],
    most: int,
) -> list[Continued]:
    """The most likely allowed token after each prompt, again and again.

    Args:
        model: A transformers causal language model.
        prompts: Their tokens.
        allowed: For each prompt the tokens that may follow.
        ends: Tokens that end a text, and those that do after they were written.
        most: How many tokens at most.
    """
    import torch
    from transformers import DynamicCache

    device = model.device
    vocabulary = sorted({token for tokens in allowed for token in tokens})
    closed = _closed(vocabulary, allowed, device)
    weights = model.get_output_embeddings().weight[torch.tensor(vocabulary, device=device)]
    ids, mask = (torch.tensor(rows, device=device) for rows in _padded(prompts))
    places = (mask.cumsum(1) - 1).clamp(min=0)
    cache = DynamicCache(config=model.config)
    found = [Continued([], []) for _ in prompts]
    running = set(range(len(prompts)))
    with torch.inference_mode():
        for _ in range(most):
            read = model.get_decoder()(
                input_ids=ids, attention_mask=mask, position_ids=places, past_key_values=cache, use_cache=True
            )
            likely = ((read.last_hidden_state[:, -1] @ weights.T).float() + closed).log_softmax(1)
            best = [vocabulary[int(number)] for number in likely.argmax(1)]
            for row in sorted(running):
                if best[row] not in ends[0]:
                    found[row].tokens.append(best[row])
                    found[row].log_probabilities.append(float(likely[row].max()))
                if best[row] in ends[0] | ends[1]:
                    running.discard(row)
            if not running:
                break
            ids = torch.tensor([[token] for token in best], device=device)
            mask = torch.cat([mask, torch.ones(len(prompts), 1, dtype=mask.dtype, device=device)], 1)
            places = places[:, -1:] + 1
    return found


def score_continuations(model: Any, pack: Packed, allowed: Sequence[int]) -> list[float]:
    """Of each continuation of a text the mean log probability of its tokens among those allowed and its own."""
    import torch

    vocabulary = sorted({*allowed, *(token for tokens in pack.follow for token in tokens)})
    place = {token: number for number, token in enumerate(vocabulary)}
    decoder, last = model.get_decoder(), len(pack.text) - 1
    with torch.inference_mode():
        states = read_packed(decoder, [pack], [len(decoder.layers)])[0][0]
        weights = model.get_output_embeddings().weight[torch.tensor(vocabulary, device=model.device)]
        found = []
        for start, tokens in list(pack.stretches())[1:]:
            rows = torch.tensor([last, *range(start, start + len(tokens) - 1)], device=model.device)
            likely = (states[rows].to(weights.dtype) @ weights.T).float().log_softmax(1)
            wanted = torch.tensor([place[token] for token in tokens], device=model.device)
            found.append(float(likely.gather(1, wanted[:, None]).mean()))
    return found


def _padded(rows: Sequence[list[int]]) -> tuple[list[list[int]], list[list[int]]]:
    """The rows with zeros before them, so that all end together, and a mask of the same shape."""
    width = max(map(len, rows))
    missing = [width - len(row) for row in rows]
    filled = [[0] * n + row for n, row in zip(missing, rows, strict=True)]
    return filled, [[0] * n + [1] * (width - n) for n in missing]


def _closed(vocabulary: Sequence[int], allowed: Sequence[Sequence[int]], device: Any) -> Any:
    """For each prompt 0 for the tokens that may follow and minus infinity for all others."""
    import torch

    place = {token: number for number, token in enumerate(vocabulary)}
    closed = torch.full((len(allowed), len(vocabulary)), float("-inf"), device=device)
    for row, tokens in enumerate(allowed):
        closed[row, [place[token] for token in tokens]] = 0.0
    return closed
