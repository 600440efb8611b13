"""Text to vectors: the `Embedder` protocol and sentence-transformers behind it.

Called by `ingest` (documents), `retrieval` (questions) and `evidence` (token vectors for late interaction).
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ragkit.models.pieces import readable

Vectors = npt.NDArray[np.float32]

_BATCH = 32
# Tokens that two windows of a long text share; each takes its vector from the window whose edge is farther away.
_OVERLAP = 32


@dataclass(frozen=True, slots=True)
class TokenVectors:
    """One contextual vector for each token of a text.

    Attributes:
        vectors: Shape (tokens, dimensions), float32, each of unit length.
        starts: Shape (tokens,), where each token begins in the text, in code points.
        ends: Shape (tokens,), where it ends.
    """

    vectors: Vectors
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]


class Embedder(Protocol):
    """What the rest of ragkit asks of an embedding model."""

    @property
    def name(self) -> str:
        """What an index records and compares: the model's name and the first digits of its weights' hash."""

    @property
    def dimensions(self) -> int:
        """Width of a vector."""

    @property
    def max_tokens(self) -> int:
        """The longest text the model reads whole, in its tokens, without special tokens."""

    def count_tokens(self, text: str) -> int:
        """Length of a text in the model's tokens, without special tokens."""

    def embed_documents(self, texts: Sequence[str], on_done: Callable[[int], None] | None = None) -> Vectors:
        """Vectors of unit length for texts of documents, shape (len(texts), dimensions).

        `on_done` is called with the number of texts finished since the last call.
        """

    def embed_question(self, question: str) -> Vectors:
        """Vector of unit length for a question, shape (dimensions,)."""

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Token vectors for each text; a text longer than `max_tokens` is read in windows, none of it is dropped."""


class SentenceTransformerEmbedder:
    """A sentence-transformers model; safe to call from many threads, which take turns."""

    def __init__(self, model: Any, name: str) -> None:
        self.name = name
        self._model = model
        self._tokenizer = model.tokenizer
        self._running = threading.Lock()
        longest = model.max_seq_length or getattr(model[0].auto_model.config, "max_position_embeddings", 512)
        self._window_tokens = int(longest)

    @property
    def dimensions(self) -> int:
        """Width of a vector."""
        return int(self._model.get_embedding_dimension())

    @property
    def max_tokens(self) -> int:
        """The longest text the model reads whole, in its tokens, without special tokens."""
        return self._window_tokens - int(self._tokenizer.num_special_tokens_to_add())

    def count_tokens(self, text: str) -> int:
        """Length of a text in the model's tokens, without special tokens."""
        with self._running:
            encoded = self._tokenizer(readable(text), add_special_tokens=False, truncation=False, verbose=False)
        return len(encoded["input_ids"])

    def embed_documents(self, texts: Sequence[str], on_done: Callable[[int], None] | None = None) -> Vectors:
        """Vectors of unit length, shape (len(texts), dimensions), computed in batches of texts alike in length."""
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        longest_first = sorted(range(len(texts)), key=lambda number: -len(texts[number]))
        for first in range(0, len(texts), _BATCH):
            batch = longest_first[first : first + _BATCH]
            with self._running:
                found = self._model.encode_document([readable(texts[number]) for number in batch], **_ENCODING)
            vectors[batch] = _normalised(found)
            if on_done is not None:
                on_done(len(batch))
        return vectors

    def embed_question(self, question: str) -> Vectors:
        """Vector of unit length, shape (dimensions,)."""
        with self._running:
            found = self._model.encode_query([readable(question)], **_ENCODING)
        vector: Vectors = _normalised(found)[0]
        return vector

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Token vectors for each text, special tokens left out; long texts are read in overlapping windows."""
        windows = self._windows(texts)
        found: dict[int, TokenVectors] = {}
        longest_first = sorted(range(len(windows)), key=lambda number: -len(windows[number].tokens))
        for first in range(0, len(windows), _BATCH):
            batch = longest_first[first : first + _BATCH]
            for number, vectors in zip(batch, self._read([windows[number].tokens for number in batch]), strict=True):
                found[number] = windows[number].kept(vectors)
        parts: list[list[TokenVectors]] = [[] for _ in texts]
        for number, window in enumerate(windows):
            parts[window.text].append(found[number])
        return [_joined(pieces, self._hidden_width) for pieces in parts]

    @property
    def _hidden_width(self) -> int:
        return int(self._model[0].auto_model.config.hidden_size)

    def _windows(self, texts: Sequence[str]) -> list["_Window"]:
        if not texts:
            return []
        overlap = min(_OVERLAP, self.max_tokens // 2)
        with self._running:
            encoded = self._tokenizer(
                [readable(text) for text in texts],
                truncation=True,
                max_length=self._window_tokens,
                stride=overlap,
                return_overflowing_tokens=True,
                return_offsets_mapping=True,
                return_special_tokens_mask=True,
            )
        belongs = encoded["overflow_to_sample_mapping"]
        windows = []
        for number, text in enumerate(belongs):
            places = [n for n, special in enumerate(encoded["special_tokens_mask"][number]) if not special]
            if number and belongs[number - 1] == text:
                places = places[overlap - overlap // 2 :]
            if number + 1 < len(belongs) and belongs[number + 1] == text:
                places = places[: len(places) - overlap // 2]
            spans = np.array([encoded["offset_mapping"][number][n] for n in places], dtype=np.int64).reshape(-1, 2)
            windows.append(_Window(text, encoded["input_ids"][number], places, spans))
        return windows

    def _read(self, rows: list[list[int]]) -> list[Vectors]:
        """Last hidden states for rows of token ids, one array of shape (tokens, width) each."""
        import torch

        width = max(len(row) for row in rows)
        pad = self._tokenizer.pad_token_id or 0
        device = self._model.device
        tokens = torch.tensor([row + [pad] * (width - len(row)) for row in rows], device=device)
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows], device=device)
        with self._running, torch.inference_mode():
            states = self._model[0].auto_model(input_ids=tokens, attention_mask=mask).last_hidden_state
        found = states.float().cpu().numpy()
        return [found[number, : len(row)] for number, row in enumerate(rows)]


_ENCODING = {"batch_size": _BATCH, "show_progress_bar": False, "convert_to_numpy": True}


@dataclass(frozen=True, slots=True)
class _Window:
    """A stretch of a text that the model reads at once.

    Attributes:
        text: Which text, by position.
        tokens: Its token ids, special tokens among them.
        places: Which of the tokens to keep: not special, and not nearer to the edge than in another window.
        spans: Shape (len(places), 2), where these begin and end in the text.
    """

    text: int
    tokens: list[int]
    places: list[int]
    spans: npt.NDArray[np.int64]

    def kept(self, vectors: Vectors) -> TokenVectors:
        return TokenVectors(_normalised(vectors[self.places]), self.spans[:, 0], self.spans[:, 1])


def _joined(parts: list[TokenVectors], width: int) -> TokenVectors:
    """The windows of one text as one; `width` is for a text without tokens."""
    return TokenVectors(
        np.concatenate([part.vectors for part in parts] or [np.zeros((0, width), dtype=np.float32)]),
        np.concatenate([part.starts for part in parts] or [np.zeros(0, dtype=np.int64)]),
        np.concatenate([part.ends for part in parts] or [np.zeros(0, dtype=np.int64)]),
    )


def _normalised(vectors: npt.NDArray[Any]) -> Vectors:
    """Rows of unit length; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
