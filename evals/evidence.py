"""Which scheme brings up the right paragraph, and which picks the right sentence? Prints a Markdown table.

    python -m evals.evidence ../shared/data/xquad_en_public.json ../shared/data/clapnq_dev_answerable_public.jsonl

Retrieval rows: share of questions whose gold paragraph comes first / among the first five. Sentence rows: share whose
best sentence holds the answer, given the gold paragraph / over all paragraphs that were retrieved / the same for the
best two sentences. Each row for the choosing and the reporting part (see `parts`).
"""

import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache

from evals.parts import is_gold, open_suite, part_of
from ragkit.evaluation import GoldQuestion
from ragkit.evaluation.measures.metrics import includes, normalise
from ragkit.evaluation.report.tables import markdown_table
from ragkit.evidence import MATCH_WEIGHT, Candidate, read_sentences, score_sentences
from ragkit.index.snapshot import Snapshot
from ragkit.kit import Kit
from ragkit.models.embedding import Vectors
from ragkit.retrieval import Retrieved, fuse
from ragkit.settings import Settings

Scheme = Callable[[Candidate], float]

SCHEMES: dict[str, Scheme] = {
    "BM25 among the candidates": lambda c: c.keyword,
    "late interaction in paragraph": lambda c: float(c.matches.mean()),
    "+ 0.05 BM25": lambda c: float(c.matches.mean()) + 0.05 * c.keyword,
    "+ kind of thing asked for": lambda c: float(c.matches.mean()) + 0.05 * c.keyword + 0.03 * bool(c.holds_kind),
    "late interaction, tokens weighted by rarity": lambda c: float(c.matches @ c.weights),
    "sentence + paragraph": lambda c: float(c.matches.mean() + c.paragraph_matches.mean()),
    "sentence + paragraph + BM25 + kind": lambda c: (
        float(c.matches.mean() + c.paragraph_matches.mean()) + 0.1 * c.keyword + 0.05 * bool(c.holds_kind)
    ),
    "the same + half the weighted": lambda c: c.score,
}
READ_SCHEMES: dict[str, Scheme] = {
    "the reader alone": lambda c: c.log_odds,
    f"the reader + {MATCH_WEIGHT:g} x the last but one (in use)": lambda c: c.score,
}


def main(places: Sequence[str]) -> None:
    for place in places:
        settings = Settings()
        suite, kit = open_suite(place, settings)
        parts = part_of(suite)
        shares: dict[tuple[str, str, str], list[bool]] = defaultdict(list)
        with kit, kit.index.snapshot() as snapshot:
            vector_of = cache(lambda text: kit.embedder.embed_documents([text])[0])  # noqa: B023
            for gold in suite.questions:
                if not gold.answerable:
                    continue
                for (row, column), hit in _judge(gold, kit, snapshot, vector_of).items():
                    shares[row, column, parts[gold.id]].append(hit)
        print(f"\n{suite.name}\n\n{_table(shares)}")


def _judge(
    gold: GoldQuestion, kit: Kit, snapshot: Snapshot, vector_of: Callable[[str], Vectors]
) -> dict[tuple[str, str], bool]:
    retrieved = kit.retriever.retrieve(gold.question, snapshot, kit.settings.rerank_paragraphs)
    judged = _judge_retrieval(gold, kit, snapshot, retrieved)
    candidates = score_sentences(retrieved, kit.settings.evidence_paragraphs)
    asked = kit.embedder.embed_question(gold.question)

    def dense(candidate: Candidate) -> float:
        return float(vector_of(candidate.text) @ asked)

    read = read_sentences(retrieved.question, candidates, kit.reader)
    rankings = {name: sorted(candidates, key=lambda c: -scheme(c)) for name, scheme in SCHEMES.items()}
    rankings |= {"dense, sentence alone": sorted(candidates, key=lambda c: -dense(c))}
    rankings |= {name: sorted(read, key=lambda c: -scheme(c)) for name, scheme in READ_SCHEMES.items()}
    for name, ranked in rankings.items():
        inside = [c for c in ranked if is_gold(gold, c.paragraph.document.path, c.paragraph.number)]
        judged[name, "given paragraph"] = any(_holds(gold, c) for c in inside[:1])
        judged[name, "open"] = any(_holds(gold, c) for c in ranked[:1])
        judged[name, "open, best two"] = any(_holds(gold, c) for c in ranked[:2])
    return judged


def _judge_retrieval(
    gold: GoldQuestion, kit: Kit, snapshot: Snapshot, retrieved: Retrieved
) -> dict[tuple[str, str], bool]:
    dense = [i for i, _ in snapshot.search_vectors(kit.embedder.embed_question(gold.question), 30)]
    keyword = [i for i, _ in snapshot.search_keywords(gold.question, 30)]
    fused = [i for i, _ in fuse([dense, keyword])]
    judged = {}
    for name, ids in (("dense", dense), ("BM25 (FTS5, Porter)", keyword), ("fused by rank", fused)):
        chunks = snapshot.chunks(ids[:5])
        found = [
            any(is_gold(gold, p.document.path, p.number) for p in chunks[i].paragraphs) for i in ids[:5] if i in chunks
        ]
        judged[name, "first"], judged[name, "in 5"] = any(found[:1]), any(found)
    found = [is_gold(gold, hit.paragraph.document.path, hit.paragraph.number) for hit in retrieved.hits[:5]]
    name = "fused, reranked by late interaction (in use)"
    judged[name, "first"], judged[name, "in 5"] = any(found[:1]), any(found)
    return judged


def _holds(gold: GoldQuestion, candidate: Candidate) -> bool:
    if gold.evidence_sentences:
        return any(normalise(candidate.text)[:60] == normalise(text)[:60] for text in gold.evidence_sentences)
    place = candidate.paragraph
    return is_gold(gold, place.document.path, place.number) and any(
        includes(candidate.text, answer) for answer in gold.answers
    )


def _table(shares: dict[tuple[str, str, str], list[bool]]) -> str:
    rows = []
    for row in dict.fromkeys(row for row, _, _ in shares):
        cells = [row]
        for part in ("choose", "report"):
            columns = dict.fromkeys(column for name, column, of in shares if name == row and of == part)
            values = [shares[row, column, part] for column in columns]
            cells.append(
                " / ".join(f"{sum(v) / len(v):.3f}" for v in values) + f" (n {len(values[0])})" if values else ""
            )
        rows.append(cells)
    return markdown_table(("scheme", "choose", "report"), rows)


if __name__ == "__main__":
    main(sys.argv[1:])
