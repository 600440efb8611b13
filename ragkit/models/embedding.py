"""Text to vectors: the `Embedder` protocol and sentence-transformers behind it.

Called by `ingest` (documents), `retrieval` (questions) and `evidence` (token vectors for late interaction).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


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
