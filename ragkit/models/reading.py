"""A question and paragraphs to how well each sentence answers it: the `Reader` protocol and the shipped reader.

The shipped reader is the lower layers of the shipped writing model with a low-rank adapter (Hu et al. 2021, "LoRA")
merged into them. It reads "Title: ... Text: ... Question: ... Answer:"; `reading_heads` scores sentences and tokens of
the text by its states. `python -m evals.reading` trains adapter and heads. Called by `evidence`.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ragkit.errors import ModelError
from ragkit.models.adapters import Adapted
from ragkit.models.embedding import Vectors
from ragkit.models.pieces import TOKENIZING

WINDOW_CHARS = 1600
"""Longer paragraphs are read in windows of whole sentences; the reader was trained on up to 420 tokens."""

MAX_ANSWER_TOKENS = 30

_TITLE, _TEXT = "Title: ", "Text: "
MAX_TITLE_CHARS = 160
_MAX_TEXT_TOKENS = 640
MAX_QUESTION_CHARS = 600
_BATCH = 8
_NO_TOKENS = -30.0

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class SentencedText:
    """A text with the spans of its sentences, in code points, and what it stands under."""

    text: str
    sentences: tuple[Span, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading one text for one question gave.

    Attributes:
        log_odds: For each sentence the log odds that it answers the question rather than nothing here does, shape
            (sentences,).
        answers: For each sentence the span of the short answer in it, in code points of the text.
    """

    log_odds: Vectors
    answers: tuple[Span, ...]


class Reader(Protocol):
    """What the rest of ragkit asks of a reading model."""

    def read(self, question: str, texts: Sequence[SentencedText]) -> list[Reading]:
        """A reading of each text, in order."""


class LanguageModelReader:
    """The lower layers of a causal language model with an adapter merged into them, and the heads that score.

    Safe to call from many threads.
    """

    def __init__(self, model: Adapted) -> None:
        self._model = model

    def read(self, question: str, texts: Sequence[SentencedText]) -> list[Reading]:
        """A reading of each text, in order.

        Raises:
            ModelError: The GPU has too little memory.
        """
        waiting = [(number, window) for number, text in enumerate(texts) for window in windows(text)]
        waiting.sort(key=lambda pair: len(pair[1].text))
        found: dict[int, dict[int, tuple[float, Span]]] = {number: {} for number in range(len(texts))}
        for start in range(0, len(waiting), _BATCH):
            batch = waiting[start : start + _BATCH]
            for (number, window), scored in zip(batch, self._read(question, [w for _, w in batch]), strict=True):
                found[number] |= dict(zip(window.numbers, scored, strict=True))
        return [_reading([found[number][n] for n in sorted(found[number])]) for number in range(len(texts))]

    def _read(self, question: str, windows: Sequence["Window"]) -> list[list[tuple[float, Span]]]:
        """For each window, log odds and answer span of each of its sentences."""
        import torch

        with TOKENIZING:
            asked = encode_question(self._model.tokenizer, question)
            encoded = [encode_text(self._model.tokenizer, window.text, window.title) for window in windows]
        rows = [tokens + asked for tokens, _ in encoded]
        width = max(len(row) for row in rows)
        try:
            with torch.inference_mode():
                # Padding stands at the end, where no token looks.
                ids = torch.tensor([row + [0] * (width - len(row)) for row in rows], device=self._model.layers.device)
                read = self._model.layers(ids, use_cache=False, output_hidden_states=True).hidden_states
                return [
                    self._score([read[tap][n, : len(rows[n])].float() for tap in self._model.taps], offsets, window)
                    for n, ((_, offsets), window) in enumerate(zip(encoded, windows, strict=True))
                ]
        except torch.OutOfMemoryError as error:
            raise ModelError(
                f"The GPU has too little memory to read {len(windows)} paragraphs at once. "
                "Set evidence_paragraphs lower, or hide the GPU: CUDA_VISIBLE_DEVICES="
            ) from error

    def _score(self, states: Sequence[Any], offsets: Sequence[Span], window: "Window") -> list[tuple[float, Span]]:
        """Log odds and answer span of each sentence.

        Args:
            states: At each tap, of the tokens of text and question, shape (tokens, width).
            offsets: Of the text's tokens in the window.
            window: What was read.
        """
        inside = [tokens_in(span, offsets) for span in window.sentences]
        read = [(tokens, span) for tokens, span in zip(inside, window.sentences, strict=True) if tokens]
        if not read:
            return [(_NO_TOKENS, (window.start + a, window.start + b)) for a, b in window.sentences]
        text = [tap[: len(offsets)] for tap in states]
        scores = self._model.heads(text, [[tap[len(offsets) :] for tap in states]], [tokens for tokens, _ in read])
        log_odds = (scores.sentences[0] - scores.nowhere[0]).tolist()
        starts, ends = scores.starts[0], scores.ends[0]
        found: dict[Span, tuple[float, Span]] = {}
        for (tokens, span), odds in zip(read, log_odds, strict=True):
            begin = tokens[int(starts[tokens].argmax())]
            until = begin + int(ends[begin : min(begin + MAX_ANSWER_TOKENS, tokens[-1] + 1)].argmax())
            first, last = _trimmed(window.text, offsets[begin][0], offsets[until][1])
            found[span] = odds, (window.start + first, window.start + last)
        return [found.get((a, b), (_NO_TOKENS, (window.start + a, window.start + b))) for a, b in window.sentences]


def tokens_in(span: Span, offsets: Sequence[Span]) -> list[int]:
    """Numbers of the tokens that a span of the text touches."""
    return [n for n, (start, end) in enumerate(offsets) if end > max(start, span[0], 0) and start < span[1]]


def encode_text(tokenizer: Any, text: str, title: str = "") -> tuple[list[int], list[Span]]:
    """Tokens of the prompt up to the end of the text, and the span of each in the text, negative before it."""
    before = f"{_TITLE}{one_line(title[:MAX_TITLE_CHARS])}\n{_TEXT}" if title else _TEXT
    encoded = tokenizer(f"{before}{text}\n", return_offsets_mapping=True, split_special_tokens=True)
    offsets = [(start - len(before), end - len(before)) for start, end in encoded["offset_mapping"]]
    return encoded["input_ids"][:_MAX_TEXT_TOKENS], offsets[:_MAX_TEXT_TOKENS]


def encode_question(tokenizer: Any, question: str) -> list[int]:
    """Tokens of the prompt from the question to where the answer would follow."""
    prompt = f"Question: {one_line(question[:MAX_QUESTION_CHARS])}\nAnswer:"
    tokens: list[int] = tokenizer(prompt, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    return tokens


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a text that is read at once.

    Attributes:
        start: Where it begins in the text.
        text: On one line, every code point in its place.
        numbers: Of its sentences among those of the text.
        sentences: Their spans within the window.
        title: What the text stands under.
    """

    start: int
    text: str
    numbers: range
    sentences: tuple[Span, ...]
    title: str = ""


def _reading(sentences: Sequence[tuple[float, Span]]) -> Reading:
    return Reading(np.array([odds for odds, _ in sentences], dtype=np.float32), tuple(span for _, span in sentences))


def windows(text: SentencedText) -> Iterator[Window]:
    """The text in stretches of whole sentences that are short enough to be read."""
    first = 0
    for number, (_, end) in enumerate(text.sentences):
        is_last = number + 1 == len(text.sentences)
        start = text.sentences[first][0]
        if is_last or text.sentences[number + 1][1] - start > WINDOW_CHARS:
            spans = tuple((a - start, b - start) for a, b in text.sentences[first : number + 1])
            yield Window(start, one_line(text.text[start:end]), range(first, number + 1), spans, text.title)
            first = number + 1


def one_line(text: str) -> str:
    """The text with every control character and line break as a space, so that all offsets stay."""
    return "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)


def _trimmed(text: str, start: int, end: int) -> Span:
    """The span without the spaces at its ends."""
    start = max(start, 0)
    inside = text[start:end]
    return start + len(inside) - len(inside.lstrip()), start + len(inside.rstrip())
