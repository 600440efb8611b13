"""Several sequences at once, so that the weights are read once for all: continued, or in batches to be scored.

Called by `causal`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

# Scores for a vocabulary of 262,000 take 1 MB a position; a batch stays under 128 MB of them.
_MAX_SCORED_POSITIONS = 128
_MAX_BATCH = 16


@dataclass(frozen=True, slots=True)
class Continued:
    """What was written after one prompt, in tokens.

    Attributes:
        log_probabilities: Of each token among those allowed.
        instead: Log probability that the text had begun with the token asked for.
    """

    tokens: list[int]
    log_probabilities: list[float]
    instead: float = 0.0


def continue_all(
    model: Any,
    prompts: Sequence[list[int]],
    allowed: Sequence[Sequence[int]],
    ends: tuple[frozenset[int], frozenset[int]],
    limits: tuple[int, int],
) -> list[Continued]:
    """The most likely allowed token after each prompt, again and again.

    Args:
        model: A transformers causal language model.
        prompts: Their tokens.
        allowed: For each prompt the tokens that may follow.
        ends: Tokens that end a text, and those that do after they were written.
        limits: How many tokens at most, and the token (allowed) whose probability at the beginning is told.
    """
    import torch
    from transformers import DynamicCache

    most, instead = limits
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
        for step in range(most):
            read = model.get_decoder()(
                input_ids=ids, attention_mask=mask, position_ids=places, past_key_values=cache, use_cache=True
            )
            likely = ((read.last_hidden_state[:, -1] @ weights.T).float() + closed).log_softmax(1)
            if step == 0:
                found = [Continued([], [], float(row[vocabulary.index(instead)])) for row in likely]
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


def batches(sequences: list[tuple[list[int], int]], *, alike: bool) -> Iterator[list[int]]:
    """Numbers of sequences to score together, alike in length so that little is padded; and not at all if `alike`."""
    shape = [(len(tokens) - start, len(tokens)) for tokens, start in sequences]
    batch: list[int] = []
    for number in sorted(range(len(sequences)), key=lambda n: shape[n]):
        full = len(batch) == _MAX_BATCH or (len(batch) + 1) * (shape[number][0] + 1) > _MAX_SCORED_POSITIONS
        if batch and (full or (alike and shape[number][1] != shape[batch[0]][1])):
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch
