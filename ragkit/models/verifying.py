"""Claims and a source text to how well the text supports each: the `Verifier` protocol, the shipped one, and others.

The shipped verifier is the lower layers of the shipped writing model with a low-rank adapter of its own and heads;
`python -m evals.verifying` trains them. Called by `verification`.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ragkit.models.adapters import Adapted
from ragkit.models.packing import Packed, read_packed
from ragkit.models.pieces import TOKENIZING, readable
from ragkit.models.reading import SentencedText, Span, encode_text, one_line, tokens_in, windows
from ragkit.neutral import without_tags

MAX_CLAIM_CHARS = 1000
_NO_TOKENS = -30.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a verifier makes of one source text.

    Attributes:
        support: For each claim the log odds that the text supports it.
        orders: For each sentence the log odds that it would order whoever answers from the text what to say or do,
            rather than inform.
    """

    support: tuple[float, ...]
    orders: tuple[float, ...]


class Verifier(Protocol):
    """What the rest of ragkit asks of a model that checks claims against texts."""

    def judge(self, source: SentencedText, claims: Sequence[str] = ()) -> Judgement:
        """What it makes of the claims and of the sentences of one source."""


class LanguageModelVerifier:
    """The lower layers of a causal language model with an adapter merged into them, and heads; safe to share."""

    def __init__(self, model: Adapted) -> None:
        self._model = model

    def judge(self, source: SentencedText, claims: Sequence[str] = ()) -> Judgement:
        """What it makes of the claims and of the sentences of one source; of a long one, window by window."""
        read = [(window, self._read(window.text, claims)) for window in windows(source)]
        found = [supports for _, (supports, _, _) in read] or [[_NO_TOKENS] * len(claims)]
        support = [max(supports) for supports in zip(*found, strict=True)]
        orders: dict[int, float] = {}
        for window, (_, ordered, offsets) in read:
            for number, span in zip(window.numbers, window.sentences, strict=True):
                inside = [ordered[n] for n in tokens_in(span, offsets)]
                orders[number] = sum(inside) / len(inside) if inside else _NO_TOKENS
        return Judgement(tuple(support), tuple(orders[n] for n in sorted(orders)))

    def _read(self, text: str, claims: Sequence[str]) -> tuple[list[float], list[float], list[Span]]:
        """Of one window: support of the claims, log odds of orders of its tokens, and the tokens' places."""
        import torch

        with TOKENIZING:
            tokens, offsets = encode_text(self._model.tokenizer, text)
            encoded = [encode_claim(self._model.tokenizer, claim) for claim in claims]
        pack = Packed(tokens, tuple(encoded))
        with torch.inference_mode():
            states = read_packed(self._model.layers, [pack], self._model.taps)[0]
            support = [float(support.log_odds) for support in judge_claims(self._model.heads, states, pack)]
            orders = self._model.heads.orders([tap[: len(tokens)] for tap in states]).tolist()
        return support, orders, offsets


class InferenceVerifier:
    """A cross-encoder that was trained for natural language inference or fact checking; safe to share.

    One label: the score is taken as log odds. Several: that of the label named "entailment" (or the last one) against
    all others.
    """

    def __init__(self, model: Any, shipped: Verifier) -> None:
        """Takes over a sentence-transformers cross-encoder; `shipped` says which sentences are orders."""
        names = {int(number): str(name).casefold() for number, name in model.config.id2label.items()}
        entailing = [number for number, name in names.items() if name.startswith(("entail", "support"))]
        self._entailed = entailing[0] if entailing else max(names)
        self._model = model
        self._shipped = shipped
        self._running = threading.Lock()

    def judge(self, source: SentencedText, claims: Sequence[str] = ()) -> Judgement:
        """What it makes of the claims; source and claim are cut to what the model reads."""
        orders = self._shipped.judge(source).orders
        if not claims:
            return Judgement((), orders)
        import torch

        text = without_tags(readable(source.text))
        pairs = [(text, without_tags(readable(claim))) for claim in claims]
        with self._running:
            scores = self._model.predict(
                pairs, show_progress_bar=False, convert_to_numpy=True, activation_fn=torch.nn.Identity()
            )
        return Judgement(tuple(self._log_odds(row) for row in scores), orders)

    def _log_odds(self, row: Any) -> float:
        if row.ndim == 0 or row.size == 1:
            return float(row)
        others = [value for number, value in enumerate(row) if number != self._entailed]
        return float(row[self._entailed] - np.logaddexp.reduce(others))


def judge_claims(heads: Any, states: Sequence[Any], pack: Packed) -> list[Any]:
    """The `Support` of each claim of a pack, by its states at each tap."""
    _, *claims = pack.stretches()
    return [heads([tap[start : start + len(tokens)] for tap in states]) for start, tokens in claims]


def encode_claim(tokenizer: Any, claim: str) -> list[int]:
    """Tokens of the prompt from the claim to where it is judged."""
    tokens: list[int] = tokenizer(claim_prompt(claim), add_special_tokens=False, split_special_tokens=True)["input_ids"]
    return tokens


def claim_prompt(claim: str) -> str:
    """What follows the text."""
    return f"{CLAIM}{one_line(claim[:MAX_CLAIM_CHARS])}\nSupported:"


CLAIM = "Claim: "
