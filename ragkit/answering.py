"""The online path on one page: question -> hits -> evidence -> draft -> verified sentences -> answer.

Called by `kit`. What is wrong with a question is an exception; that the documents do not answer it is an answer.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ragkit.citations import number_citations, render
from ragkit.confidence import estimate_confidence, least_confidence, measure_features
from ragkit.disagreement import OTHERWISE, say_disagreement
from ragkit.drafting import Draft, draft_answer
from ragkit.errors import QuestionError
from ragkit.evidence import (
    Limits,
    choose_candidates,
    complete_list,
    read_sentences,
    score_sentences,
    select_evidence,
    weigh_candidates,
)
from ragkit.index.snapshot import Snapshot
from ragkit.models.deciding import Decider
from ragkit.models.generation import Generator
from ragkit.models.reading import Reader
from ragkit.models.verifying import Verifier
from ragkit.polarity import decide, say_yes_or_no
from ragkit.profiles import Profile, profile_of
from ragkit.prompts import REFUSAL
from ragkit.questions import asks_for_list, is_broad
from ragkit.records import Answer, Evidence, Seconds
from ragkit.repair import repair
from ragkit.retrieval import Retrieved, Retriever
from ragkit.screening import GIVES_ORDERS, Screened, gives_orders, screen
from ragkit.settings import Settings
from ragkit.trace import Trace

BROAD_MARGIN = 2.0
BROAD_WORDS = 1.5
"""For questions that ask for several things or an explanation, the limits of evidence times this."""

SECOND_ANSWER = 4.0
"""From these log odds on, the best sentence of another document is evidence however far below the best it ranks."""

NEAREST = 3
"""So many of the closest paragraphs go with every answer."""


@dataclass(frozen=True, slots=True)
class Answerer:
    """What answering needs; the models are loaded when their functions are first called."""

    retriever: Retriever
    reader: Callable[[], Reader]
    writer: Callable[[], Generator]
    verifier: Callable[[], Verifier]
    decider: Callable[[], Decider]
    model_name: str
    settings: Settings

    def answer(self, question: str, snapshot: Snapshot, question_id: str | None = None) -> Answer:
        """The checked answer to one question, or the refusal with its reason.

        Raises:
            QuestionError: The question is empty or too long.
            ModelError: The writing model failed.
        """
        return self.trace(question, snapshot, question_id).answer

    def trace(
        self, question: str, snapshot: Snapshot, question_id: str | None = None, *, given: Retrieved | None = None
    ) -> Trace:
        """The answer with every step that led to it; raises what `answer` does.

        Args:
            question: What is asked.
            snapshot: Of the index that is searched.
            question_id: Goes with the answer.
            given: To answer from instead of searching.
        """
        question = check_question(question, self.settings.max_question_chars)
        self.reader(), self.verifier()  # loading them is no part of an answer's seconds
        watch = _Watch()
        retrieved = given or self.retriever.retrieve(question, snapshot, self.settings.rerank_paragraphs)
        limits = self.limits(retrieved.question)
        screened = self.rank(retrieved, limits)
        ranked = screened.kept
        features = measure_features(ranked) if ranked else {}
        confidence = estimate_confidence(features) if ranked else 0.0
        weighed = tuple(weigh_candidates(ranked, limits))
        refusal = Answer(
            question,
            REFUSAL,
            True,
            "no-evidence" if retrieved.hits else "nothing-retrieved",
            confidence,
            (),
            (),
            self.model_name,
            Seconds(retrieve=watch.lap()),
            nearest=retrieved.hits[:NEAREST],
            id=question_id,
            generation=snapshot.generation,
        )
        weighed += tuple((order, GIVES_ORDERS) for order in screened.orders)
        trace = Trace(retrieved, weighed, features, self.least_confidence(), refusal, Draft(), ())
        if not ranked or confidence < trace.min_confidence:
            return trace
        evidence = select_evidence(ranked, limits)
        listed = self.list_items(retrieved.question, evidence[0], snapshot)
        return self.write(trace, listed or evidence, whole=bool(listed))

    def write(self, trace: Trace, evidence: Sequence[Evidence], *, whole: bool = False) -> Trace:
        """The trace with what was written from the evidence, its checks, and the answer; a `whole` list is quoted."""
        tokens = 0 if whole else self.settings.draft_tokens
        if tokens:
            self.writer()
        watch, refusal, question = _Watch(), trace.answer, trace.answer.question
        brief = self.settings.style == "short"
        draft = draft_answer(question, evidence, self.writer, tokens, brief=brief)
        seconds = replace(refusal.seconds, generate=watch.lap())
        if draft.refuses:
            return replace(trace, draft=draft, answer=replace(refusal, seconds=seconds, reason="unsupported"))
        profile = profile_of(self.writer().name) if draft.statements else Profile()
        repaired = repair(trace.retrieved.question, draft, evidence, self.verifier, self.reader, profile, brief=brief)
        shown = {item.label: item for item in evidence}
        decisions = decide(trace.retrieved.question, repaired.drawn, shown, self.decider)
        drawn = say_yes_or_no(repaired.drawn, decisions)
        drawn = say_disagreement(trace.retrieved.question, drawn, shown, decisions)
        if brief:
            drawn = drawn[:1] + tuple(pair for pair in drawn[1:] if pair[0].text.startswith(OTHERWISE))
        sentences, citations = number_citations(drawn, shown)
        seconds = replace(seconds, verify=watch.lap())
        said = replace(refusal, seconds=seconds, reason="unsupported", unresolved_labels=repaired.unresolved)
        if sentences:
            said = replace(
                said, abstained=False, reason=None, text=render(sentences), sentences=sentences, citations=citations
            )
        decided = tuple(
            (sentence.text, decision) for (sentence, _), decision in zip(repaired.drawn, decisions, strict=False)
        )
        return replace(trace, draft=draft, checked=repaired.checked, decided=decided, answer=said)

    def list_items(self, question: str, first: Evidence, snapshot: Snapshot) -> list[Evidence]:
        """All items of the list that the best evidence belongs to, where the question asks for several things."""
        if self.settings.style == "short" or not asks_for_list(question):
            return []
        items = complete_list(first, snapshot.paragraphs(first.paragraph.document.path))
        return [] if any(gives_orders(item.text, self.verifier()) for item in items) else items

    def rank(self, retrieved: Retrieved, limits: Limits) -> Screened:
        """The candidate sentences, best first, and apart from them those that give orders."""
        found = score_sentences(retrieved, self.settings.evidence_paragraphs)
        read = read_sentences(retrieved.question, found, self.reader()) if found else []
        return screen(read, lambda ranked: choose_candidates(ranked, limits), self.verifier)

    def least_confidence(self) -> float:
        """Below this a question is refused."""
        accepted = self.settings.max_wrong
        return self.settings.min_confidence if accepted is None else least_confidence(accepted)

    def limits(self, question: str) -> Limits:
        """How much the answer may be written from; more for a broad question, one sentence for a short answer."""
        if self.settings.style == "short":
            return Limits(1, self.settings.evidence_margin, self.settings.evidence_words, SECOND_ANSWER)
        broad = is_broad(question)
        return Limits(
            count=self.settings.evidence_sentences + broad,
            margin=self.settings.evidence_margin * (BROAD_MARGIN if broad else 1),
            max_words=int(self.settings.evidence_words * (BROAD_WORDS if broad else 1)),
            elsewhere=SECOND_ANSWER,
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
