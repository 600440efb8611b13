"""Text at a model's edge: characters it can read, tokens to whole characters, and a clean end at a stop string.

Called by `embedding`, `causal`, `reading`, `reranking` and `server`.
"""

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence

TOKENIZING = threading.Lock()
"""Held while a tokenizer works: reader and writer share one, which takes one caller at a time."""

_REPLACEMENT = "\ufffd"
_SURROGATE = re.compile("[\ud800-\udfff]")


def readable(text: str) -> str:
    """The text with each lone surrogate (from broken file names or arguments), which no tokenizer takes, replaced.

    Every code point keeps its place.
    """
    return _SURROGATE.sub(_REPLACEMENT, text)


def text_pieces(tokens: Iterable[int], decode: Callable[[list[int]], str], before: Sequence[int] = ()) -> Iterator[str]:
    """The text that each new token adds, held back while a character is not whole.

    Args:
        tokens: As they are generated.
        decode: Token ids to text.
        before: The last tokens of the prompt; some tokenizers decode a word after another one differently.
    """
    last, new = list(before), list[int]()  # decoding starts at a piece given out: there, characters are whole
    for token in tokens:
        new.append(token)
        text, shown = decode(last + new), decode(last) if last else ""
        if text.endswith(_REPLACEMENT) or len(text) <= len(shown):
            continue
        yield text[len(shown) :]
        last, new = new, []


def cut_at_stop(pieces: Iterable[str], stop: Sequence[str]) -> Iterator[str]:
    """The pieces up to the first stop string, which is not given out, nor is any part of it that a piece ended with."""
    held = ""
    for piece in pieces:
        held += piece
        ends = [place for place in (held.find(text) for text in stop if text) if place >= 0]
        if ends:
            if min(ends):
                yield held[: min(ends)]
            return
        kept = max((_overlap(held, text) for text in stop), default=0)
        if len(held) > kept:
            yield held[: len(held) - kept]
            held = held[len(held) - kept :]
    if held:
        yield held


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that is a beginning of `stop`."""
    return next((n for n in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:n])), 0)
