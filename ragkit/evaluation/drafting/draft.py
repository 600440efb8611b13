"""A user's own documents to gold questions for a person to look at: proposed, tried out, marked as unreviewed.

Each proposal (`proposing`) is asked of ragkit itself: one with an answer is kept if the reader finds it in the sentence
that it was made from, one without if nothing comes near. So those kept are questions that ragkit manages now: good for
noticing that a change made it worse, no measure of how good it is. Called by the command line.
"""

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ragkit.evaluation.drafting.goldfile import UNANSWERABLE, UNREVIEWED, beginning
from ragkit.evaluation.drafting.phrases import Names
from ragkit.evaluation.drafting.prompting import Asker, write_question
from ragkit.evaluation.drafting.proposing import Absences, Proposal, propose
from ragkit.evaluation.gold import GoldEvidence, GoldQuestion, is_same_document
from ragkit.evaluation.measures.metrics import normalise
from ragkit.quantities import unify_words
from ragkit.records import Document
from ragkit.sentences import in_context
from ragkit.trace import Trace

TRIES = 12
"""So many proposals are tried, at most, for each question that is wanted."""

MOST_SHORT_WORDS = 4

OVERLAP = 0.5
"""The short answer found and the gold answer share at least this much of the shorter one's words."""


@dataclass(frozen=True, slots=True)
class DraftLimits:
    """How many questions, and of which sort.

    Attributes:
        most: At most so many together.
        per_paragraph: At most so many of one paragraph.
        unanswerable: So much of that, in [0, 1], is for questions without an answer in the documents.
        seed: Of the choice among what could be asked.
    """

    most: int = 50
    per_paragraph: int = 2
    unanswerable: float = 0.2
    seed: int = 0


def draft_questions(
    documents: Sequence[Document],
    explain: Callable[[str], Trace],
    *,
    min_confidence: float,
    asker: Asker | None = None,
    limits: DraftLimits | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[GoldQuestion]:
    """Questions that survived being asked, tagged as unreviewed, in the order of the documents.

    The same documents, models and seed give the same questions. There may be fewer than wanted, or none.

    Args:
        documents: As they are in the index that is asked.
        explain: How a question is answered, as `Kit.explain` tells it. Whether it refuses does not matter: a kit that
            refuses everything is quickest.
        min_confidence: Below this ragkit refuses; a question without an answer is kept only there.
        asker: Words what the rules cannot ask for; without one that is left out.
        limits: How many, and of which sort.
        on_progress: Told (kept, wanted) whenever a question was tried.

    Raises:
        ModelError: A model failed.
    """
    limits = limits or DraftLimits()
    names, absences = Names(document.text for document in documents), Absences(documents)
    proposals = [[p for p in propose(d, names) if p.question or asker is not None] for d in documents]
    absent = [list(absences.propose(document, names)) for document in documents]
    trial = _Trial(explain, min_confidence, asker, limits, on_progress)
    trial.run(proposals, limits.most - round(limits.most * limits.unanswerable))
    trial.run(absent, len(trial.kept) + round(limits.most * limits.unanswerable))
    order = {document.ref.path: n for n, document in enumerate(documents)}
    kept = sorted(trial.kept, key=lambda pair: (order[pair[0].document], *_position(pair[0])))
    return [question for _, question in kept]


class _Trial:
    """Proposals asked one after the other, and those that survived.

    Attributes:
        kept: With the gold questions made of them.
    """

    def __init__(
        self,
        explain: Callable[[str], Trace],
        min_confidence: float,
        asker: Asker | None,
        limits: DraftLimits,
        on_progress: Callable[[int, int], None] | None,
    ) -> None:
        self.kept: list[tuple[Proposal, GoldQuestion]] = []
        self._explain = explain
        self._min_confidence = min_confidence
        self._asker = asker
        self._limits = limits
        self._on_progress = on_progress
        self._used: Counter[tuple[str, int]] = Counter()
        self._asked: set[str] = set()

    def run(self, proposals: Sequence[Sequence[Proposal]], most: int) -> None:
        """Asks proposals, one document after the other, until so many are kept together or enough were tried."""
        tries = TRIES * (most - len(self.kept))
        tried: Counter[str] = Counter()
        for proposal in _spread(proposals, tried, self._limits.seed):
            if tries == 0 or len(self.kept) >= most:
                return
            if any(self._used[place] >= self._limits.per_paragraph for place in _paragraphs(proposal)):
                continue
            worded = proposal if proposal.question else self._worded(proposal)
            if worded.question.casefold() in self._asked:
                continue
            tries -= 1
            tried[proposal.kind] += 1
            if not worded.question:
                continue
            self._asked.add(worded.question.casefold())
            if _survives(worded, self._explain(worded.question), self._min_confidence):
                self.kept.append((worded, _gold_question(worded, by_model=not proposal.question)))
                self._used.update(_paragraphs(worded))
            if self._on_progress:
                self._on_progress(len(self.kept), self._limits.most)

    def _worded(self, proposal: Proposal) -> Proposal:
        """The proposal with the question that the model words; without one if it finds none that can be used."""
        if self._asker is None:
            return proposal
        paragraph, span = proposal.places[0]
        text = in_context(paragraph.text, [span])
        question = write_question(self._asker, text, proposal.wanted, proposal.kind, paragraph.title)
        return replace(proposal, question=question or "")


def _spread(proposals: Sequence[Sequence[Proposal]], tried: Mapping[str, int], seed: int) -> Iterator[Proposal]:
    """The proposals of many documents in turn: of each the kind first that was tried least, worded by rule if any."""
    queues = [list(of_one) for of_one in proposals if of_one]
    chance = random.Random(seed)
    chance.shuffle(queues)
    for queue in queues:
        chance.shuffle(queue)
    while queues:
        for queue in queues:
            ranks = [(tried[proposal.kind], not proposal.question, n) for n, proposal in enumerate(queue)]
            yield queue.pop(min(ranks)[-1])
        queues = [queue for queue in queues if queue]


def _survives(proposal: Proposal, trace: Trace, min_confidence: float) -> bool:
    """Whether ragkit finds the answer where it stands or, where there is none, finds nothing."""
    if not proposal.answerable:
        return trace.answer.confidence < min_confidence
    if not trace.weighed:
        return False
    best = trace.weighed[0][0]
    places = [
        (paragraph.start + start, paragraph.start + end)
        for paragraph, (start, end) in (*proposal.places, *filter(None, [proposal.introduction]))
        if paragraph.number == best.paragraph.number
        and is_same_document(paragraph.document.path, best.paragraph.document.path)
    ]
    if not any(start <= best.start and best.end <= end for start, end in places):
        return False
    return bool(proposal.entries) or any(overlap(best.short_answer, answer) >= OVERLAP for answer in proposal.answers)


def overlap(one: str, other: str) -> float:
    """The share of the shorter text's words that the other one has, in [0, 1]; normalised as answers are."""
    ours, theirs = Counter(normalise(one)), Counter(normalise(other))
    shorter = min(ours.total(), theirs.total())
    return (ours & theirs).total() / shorter if shorter else 0.0


def _gold_question(proposal: Proposal, *, by_model: bool) -> GoldQuestion:
    sentences = tuple(" ".join(paragraph.text[start:end].split()) for paragraph, (start, end) in proposal.places)
    evidence = tuple(
        GoldEvidence(paragraph.document.path, paragraph.number, beginning(paragraph.text), sentence)
        for (paragraph, _), sentence in zip(proposal.places, sentences, strict=True)
    )
    kind = proposal.kind.replace(" ", "-") if proposal.answerable else UNANSWERABLE
    digest = hashlib.sha256(f"{proposal.document}\n{proposal.question}".encode()).hexdigest()
    return GoldQuestion(
        id=f"draft-{digest[:8]}",
        question=proposal.question,
        answers=tuple(dict.fromkeys(form for answer in proposal.answers for form in _forms(answer))),
        must_include=tuple((entry,) for entry in proposal.entries),
        evidence=evidence,
        answerable=proposal.answerable,
        tags=(UNREVIEWED, kind, *(["worded-by-model"] if by_model else [])),
        evidence_sentences=sentences if proposal.kind == "why" else (),
    )


def _forms(answer: str) -> list[str]:
    """The answer as it stands and, if it is short, with its numbers in digits."""
    return [answer, unify_words(answer)] if len(answer.split()) <= MOST_SHORT_WORDS else [answer]


def _paragraphs(proposal: Proposal) -> set[tuple[str, int]]:
    return {(paragraph.document.path, paragraph.number) for paragraph, _ in proposal.places}


def _position(proposal: Proposal) -> tuple[int, int, str]:
    paragraph, span = proposal.places[0]
    return paragraph.number, span[0], proposal.question
