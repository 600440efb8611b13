"""Search by vector: exact cosine over every chunk with FAISS, whose ids are the chunk ids of the database.

Called by `index` (load, search) and `writer` (make, save). Vectors come in with unit length, so their inner product is
their cosine. They lie in the order of the documents' paths and of the chunks within each, which settles ties the same
way however the index came about.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ragkit.models.embedding import Vectors

ChunkIds = npt.NDArray[np.int64]

SCORE_DIGITS = 5
"""Scores are rounded to so many digits before they are compared: processors differ in the seventh."""


class VectorIndex:
    """The vectors of all chunks of one generation, by chunk id."""

    def __init__(self, dimensions: int):
        import faiss

        self._faiss: Any = faiss.IndexIDMap2(faiss.IndexFlatIP(dimensions))

    @classmethod
    def of(cls, dimensions: int, chunk_ids: Sequence[int], vectors: Vectors) -> "VectorIndex":
        """Vectors of shape (len(chunk_ids), dimensions), in the order that settles ties."""
        made = cls(dimensions)
        if len(chunk_ids):
            rows = np.ascontiguousarray(vectors, dtype=np.float32)
            made._faiss.add_with_ids(rows, np.asarray(chunk_ids, dtype=np.int64))
        return made

    @classmethod
    def from_bytes(cls, content: bytes) -> "VectorIndex":
        """What `to_bytes` gave; the caller has checked the bytes, since FAISS does not."""
        import faiss

        index = cls.__new__(cls)
        index._faiss = faiss.deserialize_index(np.frombuffer(content, dtype=np.uint8))
        return index

    def to_bytes(self) -> bytes:
        """The content of a FAISS index file."""
        import faiss

        content: bytes = faiss.serialize_index(self._faiss).tobytes()
        return content

    def __len__(self) -> int:
        """How many chunks there are."""
        return int(self._faiss.ntotal)

    @cached_property
    def order(self) -> dict[int, int]:
        """The place of each chunk id in the order that settles ties."""
        import faiss

        return {int(chunk_id): place for place, chunk_id in enumerate(faiss.vector_to_array(self._faiss.id_map))}

    def chunk_ids(self) -> list[int]:
        """The ids of all chunks, ascending."""
        return sorted(self.order)

    @property
    def dimensions(self) -> int:
        """Width of a vector."""
        return int(self._faiss.d)

    def vector_of(self, chunk_id: int) -> npt.NDArray[np.float32]:
        """The vector of a chunk that is there, of shape (dimensions,)."""
        vector: npt.NDArray[np.float32] = self._faiss.reconstruct(chunk_id)
        return vector

    def search(self, vector: npt.ArrayLike, k: int, within: ChunkIds | None = None) -> list[tuple[int, float]]:
        """Up to `k` chunk ids with their cosine to a vector of shape (dimensions,), best first, ties in order.

        FAISS leaves open which of several equal scores come up last, so more are fetched until the last is worse.

        Args:
            vector: Of the question.
            k: How many.
            within: Only these chunks.
        """
        question = np.asarray(vector, dtype=np.float32).reshape(1, -1)
        if not np.isfinite(question).all():
            raise ValueError("the question's vector has values that are no numbers")
        if question.shape[1] != self.dimensions:
            raise ValueError(f"the question's vector has {question.shape[1]} dimensions, the index {self.dimensions}")
        total = len(self) if within is None else len(within)
        wanted = min(k, total)
        if wanted < 1:
            return []
        fetched = min(wanted + 1, total)
        scored = self._fetch(question, fetched, within)
        while fetched < total and scored[-1][1] == scored[wanted - 1][1]:
            fetched = min(2 * fetched, total)
            scored = self._fetch(question, fetched, within)
        return sorted(scored, key=lambda hit: (-hit[1], self.order[hit[0]]))[:wanted]

    def _fetch(self, question: Vectors, count: int, within: ChunkIds | None) -> list[tuple[int, float]]:
        """The best chunk ids with their rounded scores, best first."""
        import faiss

        if within is None:
            scores, ids = self._faiss.search(question, count)
        else:
            selected: Any = faiss.IDSelectorBatch(within)
            parameters = faiss.SearchParameters(sel=selected)  # type: ignore[call-arg]
            scores, ids = self._faiss.search(question, count, params=parameters)
        rounded = np.clip(np.round(scores[0].astype(np.float64), SCORE_DIGITS), -1.0, 1.0)
        return list(zip(ids[0].tolist(), rounded.tolist(), strict=True))
