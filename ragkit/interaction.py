"""Late interaction: each token of a question meets its most similar token in a text.

The tokens of a text are encoded within their paragraph, so a sentence keeps what its neighbours say of it. Paragraphs
are encoded when a question needs them and remembered. Called by `retrieval` (to rerank) and `evidence` (to choose
sentences). Khattab and Zaharia 2020, "ColBERT", equation 3, with the mean over question tokens instead of the sum.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from ragkit.models.embedding import Embedder, TokenVectors, Vectors
from ragkit.records import Paragraph


class LateInteraction:
    """Token vectors of questions and paragraphs, the latest `capacity` paragraphs kept; safe to share by threads."""

    def __init__(self, embedder: Embedder, capacity: int = 512):
        self._embedder = embedder
        self._capacity = capacity
        self._kept: OrderedDict[str, TokenVectors] = OrderedDict()
        self._lock = threading.Lock()

    def encode_question(self, question: str) -> TokenVectors:
        """Token vectors of a question."""
        return self._embedder.embed_tokens([question])[0]

    def encode_paragraphs(self, paragraphs: Sequence[Paragraph]) -> list[TokenVectors]:
        """Token vectors of each paragraph, in order."""
        keys = [paragraph.text for paragraph in paragraphs]
        with self._lock:
            known = {key: self._kept[key] for key in keys if key in self._kept}
        missing = list(dict.fromkeys(key for key in keys if key not in known))
        encoded = self._embedder.embed_tokens(missing) if missing else []
        known.update(zip(missing, encoded, strict=True))
        with self._lock:
            self._kept.update(known)
            for key in keys:
                self._kept.move_to_end(key)
            while len(self._kept) > self._capacity:
                self._kept.popitem(last=False)
        return [known[key] for key in keys]


def best_matches(question: TokenVectors, text: TokenVectors, start: int = 0, end: int | None = None) -> Vectors:
    """For each question token the cosine of its most similar token in `text[start:end]`, shape (question tokens,).

    All zeros if the stretch holds no token.
    """
    inside = text.starts >= start
    if end is not None:
        inside &= text.ends <= end
    vectors = text.vectors[inside]
    if not len(vectors):
        return np.zeros(len(question.vectors), dtype=np.float32)
    found: Vectors = (question.vectors @ vectors.T).max(axis=1)
    return found
