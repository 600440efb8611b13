"""Search by vector: exact cosine over every chunk with FAISS, whose ids are the chunk ids of the database.

Called by `index` (load, search) and `writer` (add, remove, save). Vectors come in with unit length, so their inner
product is their cosine.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ragkit.models.embedding import Vectors


class VectorIndex:
    """The vectors of all chunks of one generation, by chunk id."""

    def __init__(self, dimensions: int):
        import faiss

        self._faiss: Any = faiss.IndexIDMap2(faiss.IndexFlatIP(dimensions))

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

    def chunk_ids(self) -> list[int]:
        """The ids of all chunks, ascending."""
        import faiss

        return sorted(int(chunk_id) for chunk_id in faiss.vector_to_array(self._faiss.id_map))

    @property
    def dimensions(self) -> int:
        """Width of a vector."""
        return int(self._faiss.d)

    def add(self, chunk_ids: Sequence[int], vectors: Vectors) -> None:
        """Adds vectors of shape (len(chunk_ids), dimensions)."""
        self._faiss.add_with_ids(np.ascontiguousarray(vectors, dtype=np.float32), np.asarray(chunk_ids, dtype=np.int64))

    def remove(self, chunk_ids: Sequence[int]) -> None:
        """Removes those chunks that are there."""
        if chunk_ids:
            self._faiss.remove_ids(np.asarray(chunk_ids, dtype=np.int64))

    def search(self, vector: npt.ArrayLike, k: int) -> list[tuple[int, float]]:
        """Up to `k` chunk ids with their cosine to a vector of shape (dimensions,), best first, ties by id.

        FAISS leaves open which of several equal scores come up last, so more are fetched until the last is worse.
        """
        question = np.asarray(vector, dtype=np.float32).reshape(1, -1)
        if not np.isfinite(question).all():
            raise ValueError("the question's vector has values that are no numbers")
        if question.shape[1] != self.dimensions:
            raise ValueError(f"the question's vector has {question.shape[1]} dimensions, the index {self.dimensions}")
        total = len(self)
        wanted = min(k, total)
        if wanted < 1:
            return []
        fetched = min(wanted + 1, total)
        scores, ids = self._faiss.search(question, fetched)
        while fetched < total and scores[0, -1] == scores[0, wanted - 1]:
            fetched = min(2 * fetched, total)
            scores, ids = self._faiss.search(question, fetched)
        ranked = sorted(zip(ids[0].tolist(), scores[0].tolist(), strict=True), key=lambda hit: (-hit[1], hit[0]))
        return [(chunk_id, min(1.0, max(-1.0, score))) for chunk_id, score in ranked[:wanted]]
