"""Question and text to one score: the `Reranker` protocol and cross-encoders behind it. Called by `retrieval`."""

import threading
from collections.abc import Sequence
from typing import Any, Protocol

from ragkit.models.pieces import readable
from ragkit.neutral import without_tags

_BATCH = 32


class Reranker(Protocol):
    """What the rest of ragkit asks of a reranking model."""

    @property
    def name(self) -> str:
        """The model's name and the first digits of its weights' hash."""

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers the question, in order; higher is better, comparable within one question."""


class CrossEncoderReranker:
    """A sentence-transformers cross-encoder."""

    def __init__(self, model: Any, name: str) -> None:
        self.name = name
        self._model = model
        self._running = threading.Lock()

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """One score for each text; of a model with several labels, the last one's (relevant, entailed)."""
        if not texts:
            return []
        pairs = [(without_tags(readable(question)), without_tags(readable(text))) for text in texts]
        with self._running:
            scores = self._model.predict(pairs, batch_size=_BATCH, show_progress_bar=False, convert_to_numpy=True)
        return [float(score) for score in (scores if scores.ndim == 1 else scores[:, -1])]
