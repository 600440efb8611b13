"""A question to ranked hits: vectors and keywords, fused by rank, reranked by late interaction.

Fusing by rank: Cormack, Clarke and Büttcher 2009, "Reciprocal Rank Fusion". The constants were compared on the first
half of the XQuAD articles and CLAPNQ passages by `python -m evals.evidence`; its table is in `evals/README.md`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ragkit.index.snapshot import Snapshot
from ragkit.interaction import LateInteraction, best_matches
from ragkit.models.embedding import Embedder, TokenVectors, Vectors
from ragkit.models.reranking import Reranker
from ragkit.records import Hit, Paragraph
from ragkit.spelling import correct_spelling
from ragkit.terms import content_terms

RANK_CONSTANT = 60
"""How little the first ranks weigh above the later ones; the value of the paper, and not sensitive."""

LONG_QUESTION_TOKENS = 128
"""Questions are cut to so many tokens' worth of words before their tokens meet those of paragraphs."""

_LOOKED_AT_TOGETHER = 500  # chunks, so that a large index does not fill the memory


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What retrieval found, best first, with the question's token vectors and the similarities behind each hit.

    Attributes:
        question: As it was searched for, misspelt words put right.
        others: Hits further down the fused list, which were not reranked.
        fused: Every hit in the order before reranking.
    """

    question: str
    hits: tuple[Hit, ...]
    question_tokens: TokenVectors
    paragraph_tokens: tuple[TokenVectors, ...]
    matches: tuple[Vectors, ...]
    others: tuple[Hit, ...] = ()
    fused: tuple[Hit, ...] = ()

    def stages(self) -> dict[str, list[str]]:
        """Paragraph keys by stage, best first: `dense`, `keyword`, `fused`, and `reranked` with the rest behind it.

        A paragraph that vectors or keywords did not bring up is not in their stage; equal scores are in fused order.
        """
        dense = [(hit.dense, hit) for hit in self.fused if hit.dense is not None]
        keyword = [(hit.keyword, hit) for hit in self.fused if hit.keyword is not None]
        ranked = {
            "dense": [hit for _, hit in sorted(dense, key=lambda pair: -pair[0])],
            "keyword": [hit for _, hit in sorted(keyword, key=lambda pair: -pair[0])],
            "fused": self.fused,
            "reranked": (*self.hits, *self.fused),
        }
        return {stage: _distinct_keys(hits) for stage, hits in ranked.items()}


@dataclass(frozen=True, slots=True)
class Located:
    """Where a paragraph stands for a question.

    Attributes:
        dense: The rank of its best chunk by vectors, from 1.
        keyword: By keywords; None if none of the question's words is in it.
        total: So many chunks there are.
        pool: So many of each list are looked at.
    """

    dense: int | None
    keyword: int | None
    total: int
    pool: int


@dataclass(frozen=True, slots=True)
class Retriever:
    """The models that retrieval needs, and how wide it looks.

    Attributes:
        pool: So many chunks are taken from the vectors and so many from the keywords.
        rerank: So many paragraphs of the fused list are reranked.
    """

    embedder: Embedder
    interaction: LateInteraction
    pool: int
    rerank: int
    reranker: Reranker | None = None

    def retrieve(self, question: str, snapshot: Snapshot, k: int) -> Retrieved:
        """The best `k` paragraphs for a question (fewer if the index holds fewer), reranked."""
        hits = self._search(question, snapshot, k)
        corrected = correct_spelling(question, (hit.paragraph.text for hit in hits), self._is_common)
        if corrected != question:
            question, hits = corrected, self._search(corrected, snapshot, k)
        reranked = max(self.rerank, k)
        fused = tuple(replace(hit, rank=rank) for rank, hit in enumerate(hits, 1))
        return replace(self._rerank(question, hits[:reranked], k), others=fused[reranked:], fused=fused)

    def locate(self, question: str, path: str, number: int, snapshot: Snapshot) -> Located | None:
        """How far down a paragraph stands in either list, however long; None if the index does not hold it."""
        if all(paragraph.number != number for paragraph in snapshot.paragraphs(path)):
            return None
        total = snapshot.counts().chunks
        dense = snapshot.search_vectors(self.embedder.embed_question(question), total)
        keyword = snapshot.search_keywords(question, total)
        ranks = [_rank_of(path, number, [n for n, _ in found], snapshot) for found in (dense, keyword)]
        return Located(ranks[0], ranks[1], total, self.pool)

    def _is_common(self, word: str) -> bool:
        """Whether the embedder's vocabulary holds the word whole."""
        return self.embedder.count_tokens(word) == 1

    def _search(self, question: str, snapshot: Snapshot, k: int) -> list[Hit]:
        """Paragraphs by vectors and keywords, fused by rank, best first."""
        pool = max(self.pool, k)
        dense = dict(snapshot.search_vectors(self.embedder.embed_question(question), pool))
        keyword = dict(snapshot.search_keywords(question, pool))
        fused = fuse([list(dense), list(keyword)], snapshot.vectors.order)
        chunks = snapshot.chunks([chunk_id for chunk_id, _ in fused])
        hits: dict[tuple[str, int], Hit] = {}
        for chunk_id, score in fused:
            if chunk_id not in chunks:
                continue
            for paragraph in _by_overlap(question, chunks[chunk_id].paragraphs):
                hit = Hit(paragraph, chunks[chunk_id], score, 0, dense.get(chunk_id), keyword.get(chunk_id))
                hits.setdefault((paragraph.document.path, paragraph.number), hit)
        return list(hits.values())

    def _rerank(self, question: str, hits: list[Hit], k: int) -> Retrieved:
        """The hits in the order of their late interaction, or of the cross-encoder where there is one."""
        tokens = self.interaction.encode_question(" ".join(question.split()[:LONG_QUESTION_TOKENS]))
        encoded = self.interaction.encode_paragraphs([hit.paragraph for hit in hits])
        matches = [best_matches(tokens, paragraph) for paragraph in encoded]
        scores = [float(match.mean()) for match in matches]
        if self.reranker is not None:
            scores = self.reranker.score(question, [hit.paragraph.text for hit in hits])
        order = sorted(range(len(hits)), key=lambda n: -scores[n])[:k]
        ranked = tuple(replace(hits[n], score=scores[n], rank=rank) for rank, n in enumerate(order, 1))
        return Retrieved(question, ranked, tokens, tuple(encoded[n] for n in order), tuple(matches[n] for n in order))


def paragraph_key(path: str, number: int) -> str:
    """A paragraph's name in rankings, `document#number`."""
    return f"{path}#{number}"


def _distinct_keys(hits: Iterable[Hit]) -> list[str]:
    return list(dict.fromkeys(paragraph_key(hit.paragraph.document.path, hit.paragraph.number) for hit in hits))


def _rank_of(path: str, number: int, chunk_ids: Sequence[int], snapshot: Snapshot) -> int | None:
    """From 1, of the first chunk that holds the paragraph; None if none does."""
    for start in range(0, len(chunk_ids), _LOOKED_AT_TOGETHER):
        chunks = snapshot.chunks(chunk_ids[start : start + _LOOKED_AT_TOGETHER]).values()
        for rank, chunk in enumerate(chunks, start + 1):
            if chunk.document.path == path and any(paragraph.number == number for paragraph in chunk.paragraphs):
                return rank
    return None


def fuse(rankings: Sequence[Sequence[int]], order: Mapping[int, int] | None = None) -> list[tuple[int, float]]:
    """Ids with the sum of their reciprocal ranks over several rankings, best first, ties by place or, failing that, id.

    Args:
        rankings: Ids, best first.
        order: The place of each id among equal sums.
    """
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, 1):
            scores[item] = scores.get(item, 0.0) + 1.0 / (RANK_CONSTANT + rank)
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0] if order is None else order[pair[0]]))


def _by_overlap(question: str, paragraphs: Sequence[Paragraph]) -> list[Paragraph]:
    """The paragraphs of one chunk, those that share more of the question's terms first; headings only by themselves."""
    bodies = [paragraph for paragraph in paragraphs if paragraph.kind != "heading"] or list(paragraphs)
    if len(bodies) == 1:
        return bodies
    wanted = set(content_terms(question))
    return sorted(bodies, key=lambda paragraph: -len(wanted & set(content_terms(paragraph.text))))
