"""The online path on one page: question -> hits -> evidence -> draft -> verified sentences -> answer.

Called by `kit`. What is wrong with a question is an exception; that the documents do not answer it is an answer.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from ragkit.citations import number_citations, render
from ragkit.confidence import estimate_confidence
from ragkit.drafting import draft_answer
from ragkit.errors import QuestionError
from ragkit.evidence import score_sentences, select_evidence
from ragkit.index.snapshot import Snapshot
from ragkit.models.generation import Generator
from ragkit.prompts import REFUSAL
from ragkit.records import Answer, Seconds
from ragkit.repair import repair
from ragkit.retrieval import Retriever
from ragkit.settings import Settings

NEAREST = 3
"""So many of the closest paragraphs go with every answer."""


@dataclass(frozen=True, slots=True)
class Answerer:
    """What answering needs; `writer` is only called once there is something to write from."""

    retriever: Retriever
    writer: Callable[[], Generator]
    model_name: str
    settings: Settings

    def answer(self, question: str, snapshot: Snapshot, question_id: str | None = None) -> Answer:
        """The checked answer to one question, or the refusal with its reason.

        Raises:
            QuestionError: The question is empty or too long.
            ModelError: The writing model failed.
        """
        question = check_question(question, self.settings.max_question_chars)
        started = time.perf_counter()
        retrieved = self.retriever.retrieve(question, snapshot, self.settings.rerank_paragraphs)
        candidates = score_sentences(retrieved, self.settings.evidence_paragraphs)
        evidence = select_evidence(
            candidates,
            count=self.settings.evidence_sentences,
            margin=self.settings.evidence_margin,
            max_words=self.settings.evidence_words,
        )
        confidence = estimate_confidence(retrieved, candidates)
        seconds = Seconds(retrieve=time.perf_counter() - started)
        blank = Answer(question, REFUSAL, True, None, confidence, (), (), self.model_name, seconds, id=question_id)
        blank = replace(blank, nearest=retrieved.hits[:NEAREST])
        if not evidence:
            return replace(blank, reason="nothing-retrieved", confidence=0.0)
        if confidence < self.settings.min_confidence:
            return replace(blank, reason="no-evidence")

        started = time.perf_counter()
        draft = draft_answer(question, evidence, self.writer, self.settings.draft_tokens)
        seconds = replace(seconds, generate=time.perf_counter() - started)
        started = time.perf_counter()
        repaired = repair(question, draft, evidence)
        sentences, citations = number_citations(repaired.drawn, {item.label: item for item in evidence})
        seconds = replace(seconds, verify=time.perf_counter() - started)
        if not sentences:
            return replace(blank, reason="unsupported", seconds=seconds, unresolved_labels=repaired.unresolved)
        return replace(
            blank,
            text=render(sentences),
            abstained=False,
            sentences=sentences,
            citations=citations,
            seconds=seconds,
            unresolved_labels=repaired.unresolved,
        )


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
