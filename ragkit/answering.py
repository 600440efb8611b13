"""The online path on one page: question -> hits -> evidence -> draft -> verified sentences -> answer.

Called by `kit`. What is wrong with a question is an exception; that the documents do not answer it is an answer.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from ragkit.citations import number_citations, render
from ragkit.confidence import estimate_confidence, measure_features
from ragkit.drafting import Draft, draft_answer
from ragkit.errors import QuestionError
from ragkit.evidence import Candidate, Limits, read_sentences, score_sentences, select_evidence, weigh_candidates
from ragkit.index.snapshot import Snapshot
from ragkit.models.generation import Generator
from ragkit.models.reading import Reader
from ragkit.prompts import REFUSAL
from ragkit.questions import is_broad
from ragkit.records import Answer, Seconds
from ragkit.repair import repair
from ragkit.retrieval import Retrieved, Retriever
from ragkit.settings import Settings
from ragkit.trace import Trace

BROAD_MARGIN = 2.4
BROAD_WORDS = 1.5
"""For questions that ask for several things or an explanation, the limits of evidence times this."""

NEAREST = 3
"""So many of the closest paragraphs go with every answer."""


@dataclass(frozen=True, slots=True)
class Answerer:
    """What answering needs; `reader` and `writer` load their model when they are first called."""

    retriever: Retriever
    reader: Callable[[], Reader]
    writer: Callable[[], Generator]
    model_name: str
    settings: Settings

    def answer(self, question: str, snapshot: Snapshot, question_id: str | None = None) -> Answer:
        """The checked answer to one question, or the refusal with its reason.

        Raises:
            QuestionError: The question is empty or too long.
            ModelError: The writing model failed.
        """
        return self.trace(question, snapshot, question_id).answer

    def trace(self, question: str, snapshot: Snapshot, question_id: str | None = None) -> Trace:
        """The answer with every step that led to it; raises what `answer` does."""
        question = check_question(question, self.settings.max_question_chars)
        self.reader()  # loading it is no part of an answer's seconds
        watch = _Watch()
        retrieved = self.retriever.retrieve(question, snapshot, self.settings.rerank_paragraphs)
        ranked = self.rank(retrieved)
        features = measure_features(ranked) if ranked else {}
        confidence = estimate_confidence(features) if ranked else 0.0
        limits = self.limits(retrieved.question)
        evidence = select_evidence(ranked, limits)
        seconds = Seconds(retrieve=watch.lap())
        refusal = Answer(
            question, REFUSAL, True, "no-evidence", confidence, (), (), self.model_name, seconds, id=question_id
        )
        refusal = replace(refusal, nearest=retrieved.hits[:NEAREST])
        weighed = tuple(weigh_candidates(ranked, limits))
        trace = Trace(retrieved, weighed, features, self.settings.min_confidence, refusal, Draft(), ())
        if not evidence:
            return replace(trace, answer=replace(refusal, reason="nothing-retrieved"))
        if confidence < self.settings.min_confidence:
            return trace
        self.writer()
        watch.lap()
        draft = draft_answer(question, evidence, self.writer, self.settings.draft_tokens)
        seconds = replace(seconds, generate=watch.lap())
        repaired = repair(retrieved.question, draft.sentences, evidence)
        sentences, citations = number_citations(repaired.drawn, {item.label: item for item in evidence})
        seconds = replace(seconds, verify=watch.lap())
        said = replace(refusal, seconds=seconds, reason="unsupported", unresolved_labels=repaired.unresolved)
        if sentences:
            said = replace(
                said, abstained=False, reason=None, text=render(sentences), sentences=sentences, citations=citations
            )
        return replace(trace, draft=draft, checked=repaired.checked, answer=said)

    def rank(self, retrieved: Retrieved) -> list[Candidate]:
        """The candidate sentences, best first."""
        found = score_sentences(retrieved, self.settings.evidence_paragraphs)
        return read_sentences(retrieved.question, found, self.reader()) if found else []

    def limits(self, question: str) -> Limits:
        """How much the answer may be written from; more for a broad question."""
        broad = is_broad(question)
        return Limits(
            count=self.settings.evidence_sentences + broad,
            margin=self.settings.evidence_margin * (BROAD_MARGIN if broad else 1),
            max_words=int(self.settings.evidence_words * (BROAD_WORDS if broad else 1)),
        )


class _Watch:
    """Seconds from one lap to the next."""

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> float:
        """Seconds since the last lap."""
        last, self._last = self._last, time.perf_counter()
        return self._last - last


def check_question(question: str, max_chars: int) -> str:
    """The question on one line.

    Raises:
        QuestionError: It is empty or too long.
    """
    flat = " ".join(question.split())
    if not any(character.isalnum() for character in flat):
        raise QuestionError('The question is empty. Ask one in quotation marks: ragkit ask "Who wrote the letter?"')
    if len(flat) > max_chars:
        raise QuestionError(
            f"The question has {len(flat):,} characters, at most {max_chars:,} are read. Ask something shorter, "
            "or index the text as a document"
        )
    return flat
