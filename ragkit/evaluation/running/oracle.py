"""The oracle that `blame` asks: a kit answers a question again with the gold paragraphs or sentences put in.

`command` hands `look_back` to `run`, which calls it for each question that went wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from ragkit.answering import Answerer
from ragkit.evaluation.gold import GoldEvidence, GoldQuestion, is_same_document
from ragkit.evaluation.measures.metrics import includes, normalise
from ragkit.evaluation.running.blame import (
    ERROR,
    entries_of,
    find_blame,
    holds_answer,
    holds_one,
    is_told_by_words,
    place_of,
    right_if_answered,
)
from ragkit.evidence import Candidate, Limits, select_evidence
from ragkit.index.snapshot import Snapshot
from ragkit.interaction import best_matches
from ragkit.kit import Kit
from ragkit.records import Chunk, Hit, Paragraph
from ragkit.retrieval import Retrieved
from ragkit.trace import Trace

MOST_ALIKE = 3
"""So many sentences or paragraphs that hold the same answer are put in."""

MOST_READ = 50
"""Most gold paragraphs whose sentences are read."""

EVERYTHING = Limits(count=1000, margin=float("inf"), max_words=100_000)

Holding = TypeVar("Holding", Candidate, Paragraph)


@dataclass(frozen=True, slots=True)
class Finding:
    """What looking back at one question found.

    Attributes:
        blame: A name of `STEPS`; None where nothing was lost or it cannot be told what was.
        right_if_answered: Whether a refused answer would have been right, 1.0 or 0.0; None where none was refused.
    """

    blame: str | None
    right_if_answered: float | None


def look_back(kit: Kit, gold: GoldQuestion, trace: Trace | None) -> Finding:
    """What lost the right answer, if it was lost; a trace of None stands for an error.

    Raises:
        ModelError: A model failed when the question was answered again.
    """
    if trace is None:
        return Finding(ERROR, None)
    oracle = KitOracle(kit, gold, trace)
    return Finding(find_blame(gold, trace, oracle), right_if_answered(gold, trace, oracle))


class KitOracle:
    """An `Oracle` that asks a kit again about one question, from the paragraphs that came up for it."""

    def __init__(self, kit: Kit, gold: GoldQuestion, trace: Trace):
        self._kit = kit
        self._gold = gold
        self._trace = trace
        self._answered: Trace | None = None

    def gold_paragraphs(self) -> list[Paragraph | None]:
        """Each gold paragraph, None if the index lacks it; where none is named, the first few that hold the answer."""
        with self._kit.index.snapshot() as snapshot:
            if self._gold.evidence:
                return [_find_paragraph(evidence, snapshot) for evidence in self._gold.evidence]
            known = self._search(snapshot) if is_told_by_words(self._gold) else []
        return [*_holding(self._gold, known)]

    def without_threshold(self) -> Trace:
        """The same paragraphs, answered however low the confidence; asked once."""
        if self._answered is None:
            self._answered = self._ask(self._trace.retrieved)
        return self._answered

    def quoting(self) -> Trace:
        """The same evidence, quoted word for word."""
        return self._ask(self._trace.retrieved, draft_tokens=0)

    def with_paragraphs(self, paragraphs: Sequence[Paragraph]) -> Trace:
        """The paragraphs put before those that were retrieved."""
        return self._ask(self._put_in(paragraphs))

    def with_sentences(self, paragraphs: Sequence[Paragraph], *, quoted: bool = False) -> Trace:
        """The gold sentences of the paragraphs as the only evidence; all of them quoted if asked for."""
        read = min(MOST_READ, max(len(paragraphs), self._kit.settings.evidence_paragraphs))
        given = self._put_in(paragraphs)
        ranked = self._ask(given, evidence_paragraphs=read, min_confidence=1.0)
        places = {place_of(paragraph) for paragraph in paragraphs}
        candidates = [candidate for candidate, _ in ranked.weighed if place_of(candidate.paragraph) in places]
        evidence = select_evidence(gold_sentences(self._gold, candidates), EVERYTHING)
        answerer = self._answerer(draft_tokens=0, style="full") if quoted else self._answerer()
        return answerer.write(ranked, evidence) if evidence else ranked

    def _ask(self, given: Retrieved, **changed: Any) -> Trace:
        """The question answered from what was retrieved, without the threshold, with other settings changed."""
        with self._kit.index.snapshot() as snapshot:
            return self._answerer(**changed).trace(self._trace.answer.question, snapshot, given=given)

    def _answerer(self, **changed: Any) -> Answerer:
        without = {"min_confidence": 0.0, "max_wrong": None}
        return replace(self._kit.answerer, settings=self._kit.settings.model_copy(update=without | changed))

    def _put_in(self, paragraphs: Sequence[Paragraph]) -> Retrieved:
        """What was retrieved, with the paragraphs in front."""
        found, places = self._trace.retrieved, {place_of(paragraph) for paragraph in paragraphs}
        encoded = self._kit.retriever.interaction.encode_paragraphs(paragraphs)
        put = [
            (self._hit(p), t, best_matches(found.question_tokens, t)) for p, t in zip(paragraphs, encoded, strict=True)
        ]
        others = zip(found.hits, found.paragraph_tokens, found.matches, strict=True)
        kept = [other for other in others if place_of(other[0].paragraph) not in places]
        hits, tokens, matches = zip(*put, *kept, strict=True)
        return replace(found, hits=hits, paragraph_tokens=tokens, matches=matches)

    def _hit(self, paragraph: Paragraph) -> Hit:
        """A paragraph as if it had come up first, through a chunk of its own."""
        chunk = Chunk(paragraph.document, paragraph.start, paragraph.end, paragraph.text, (paragraph,), 0)
        return Hit(paragraph, replace(chunk, tokens=self._kit.embedder.count_tokens(chunk.embedded_text)), 1.0, 1)

    def _search(self, snapshot: Snapshot) -> list[Paragraph]:
        """The paragraphs that came up, then those with words of question and accepted answers in them."""
        retrieved = self._trace.retrieved
        known = [hit.paragraph for hit in (*retrieved.hits, *retrieved.others)]
        for wording in (wording for entry in entries_of(self._gold) for wording in entry):
            found = snapshot.search_keywords(f"{retrieved.question} {wording}", self._kit.settings.retrieve_chunks)
            chunks = snapshot.chunks([chunk_id for chunk_id, _ in found])
            known += [paragraph for chunk in chunks.values() for paragraph in chunk.paragraphs]
        return list({place_of(paragraph): paragraph for paragraph in known}.values())


def gold_sentences(gold: GoldQuestion, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The sentences that the gold names or, if it names none, the first few that hold an accepted answer.

    If none does, the paragraphs that hold it as a whole; where words cannot tell, the best sentences.

    Args:
        gold: The question with its evidence.
        candidates: The sentences of its gold paragraphs, best first.
    """
    named = [*(evidence.sentence for evidence in gold.evidence if evidence.sentence), *gold.evidence_sentences]
    found = [c for c in candidates if any(includes(c.text, s) or includes(s, c.text) for s in named)]
    if found or not is_told_by_words(gold):
        return found or list(candidates[:MOST_ALIKE])
    if holds_answer(gold, [candidate.text for candidate in candidates]):
        return _holding(gold, candidates)
    first = {place_of(candidate.paragraph): candidate for candidate in reversed(candidates)}
    whole = [replace(c, start=c.paragraph.start, end=c.paragraph.end, text=c.paragraph.text) for c in first.values()]
    return _holding(gold, whole)


def _find_paragraph(evidence: GoldEvidence, snapshot: Snapshot) -> Paragraph | None:
    """The paragraph that the evidence names, if it begins as the gold says."""
    paths = [evidence.document]
    if snapshot.document(evidence.document) is None:
        paths = [ref.path for ref in snapshot.documents() if is_same_document(ref.path, evidence.document)]
    beginning = " ".join(normalise(evidence.starts_with))
    for paragraph in (paragraph for path in paths for paragraph in snapshot.paragraphs(path)):
        if paragraph.number == evidence.paragraph and " ".join(normalise(paragraph.text)).startswith(beginning):
            return paragraph
    return None


def _holding(gold: GoldQuestion, items: Sequence[Holding]) -> list[Holding]:
    """Of each thing that must be said the first few items that hold it, in their order."""
    holding = [[n for n, item in enumerate(items) if holds_one(item.text, entry)] for entry in entries_of(gold)]
    return [items[n] for n in sorted({n for found in holding for n in found[:MOST_ALIKE]})]
