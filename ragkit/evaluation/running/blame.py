"""A wrong answer to the first step that lost the right one.

Pure decisions over an `Oracle`, which answers the question again with one thing put right; `oracle` has the real one.
A step is blamed only if putting it right would have helped: where the gold paragraphs put among those read change
nothing, retrieval is not what failed, and the next step is looked at.
"""

from collections.abc import Sequence
from typing import Protocol

from ragkit.evaluation.gold import GoldQuestion
from ragkit.evaluation.measures.citing import first_citation_right_all
from ragkit.evaluation.measures.metrics import LABELS, answer_right, includes, normalise
from ragkit.records import Answer, Paragraph
from ragkit.trace import Trace

NOT_INDEXED, NOT_RETRIEVED, NOT_CHOSEN, NOT_WRITTEN = "not-indexed", "not-retrieved", "not-chosen", "not-written"
DROPPED, REFUSED, SHOULD_REFUSE = "dropped", "refused", "should-refuse"
GOLD_DOUBTFUL, ERROR = "gold-doubtful", "error"

STEPS = {
    NOT_INDEXED: "the paragraph that answers is not in the index",
    NOT_RETRIEVED: "the paragraph that answers was not among those read",
    NOT_CHOSEN: "the paragraph was read, but other sentences were chosen as evidence",
    NOT_WRITTEN: "the evidence held the answer, the wording lost it",
    DROPPED: "the answer was written or quoted, and checking took it out",
    REFUSED: "the answer would have been right, but was not sure enough to be given",
    SHOULD_REFUSE: "answered, though the documents do not tell",
    GOLD_DOUBTFUL: "the paragraph said to answer does not hold the accepted answer",
    ERROR: "an error came instead of an answer",
}
"""Every step with what it means, in the order of reports."""


class Oracle(Protocol):
    """One question answered again with one thing put right; however unsure of it, it is answered."""

    def gold_paragraphs(self) -> list[Paragraph | None]:
        """Each gold paragraph as the index holds it, None if it does not.

        Where the gold names none, paragraphs that hold an accepted answer stand for them.
        """

    def without_threshold(self) -> Trace:
        """The same paragraphs, answered however low the confidence."""

    def quoting(self) -> Trace:
        """The same evidence, quoted word for word."""

    def with_paragraphs(self, paragraphs: Sequence[Paragraph]) -> Trace:
        """The paragraphs put before those that were retrieved."""

    def with_sentences(self, paragraphs: Sequence[Paragraph], *, quoted: bool = False) -> Trace:
        """The gold sentences of the paragraphs as the only evidence; all of them quoted if asked for."""


def find_blame(gold: GoldQuestion, trace: Trace | None, oracle: Oracle) -> str | None:
    """The first step that lost the right answer; None for right answers and where it cannot be told.

    Args:
        gold: The question with what a right answer says.
        trace: How the answer came about; None after an error.
        oracle: Asked only about wrong answers.
    """
    if trace is None:
        return ERROR
    if is_right(gold, trace.answer) is not False:
        return None
    if not gold.answerable:
        return SHOULD_REFUSE
    if is_unsure(trace):
        trace = oracle.without_threshold()
        if is_right(gold, trace.answer):
            return REFUSED
    found = oracle.gold_paragraphs()
    indexed = list(dict.fromkeys(paragraph for paragraph in found if paragraph is not None))
    if not is_enough(gold, indexed):
        doubtful = GOLD_DOUBTFUL if gold.evidence or is_told_by_words(gold) else None
        return NOT_INDEXED if None in found else doubtful
    return _blame_steps(gold, trace, indexed, oracle)


def _blame_steps(gold: GoldQuestion, trace: Trace, paragraphs: Sequence[Paragraph], oracle: Oracle) -> str:
    """The same for an answer that was not refused, with gold paragraphs that hold what they should."""
    read = {place_of(candidate.paragraph) for candidate, _ in trace.weighed}
    if not is_enough(gold, [paragraph for paragraph in paragraphs if place_of(paragraph) in read]):
        given = oracle.with_paragraphs(paragraphs)
        if is_right(gold, given.answer) or is_chosen(gold, given, paragraphs):
            return NOT_RETRIEVED
    elif is_chosen(gold, trace, paragraphs):
        lost = _blame_wording(gold, trace, oracle.quoting())
        if lost or not says_yes_or_no(gold):
            return lost or DROPPED
    put_in = oracle.with_sentences(paragraphs)
    if is_right(gold, put_in.answer):
        return NOT_CHOSEN
    lost = _blame_wording(gold, put_in, oracle.with_sentences(paragraphs, quoted=True))
    return lost or (NOT_WRITTEN if says_yes_or_no(gold) else GOLD_DOUBTFUL)


def _blame_wording(gold: GoldQuestion, trace: Trace, quoted: Trace) -> str | None:
    """What lost the answer between evidence and answer; None if quoting the evidence would have lost it as well."""
    if is_written(gold, trace):
        return DROPPED
    return NOT_WRITTEN if is_right(gold, quoted.answer) else None


def right_if_answered(gold: GoldQuestion, trace: Trace, oracle: Oracle) -> float | None:
    """Whether a refused answer would have been right without the threshold.

    None for unanswerable questions, for those that were answered, and where right cannot be told.
    """
    if not gold.answerable or not trace.answer.abstained:
        return None
    answer = oracle.without_threshold().answer if is_unsure(trace) else trace.answer
    right = is_right(gold, answer)
    return None if right is None else float(right)


def is_right(gold: GoldQuestion, answer: Answer) -> bool | None:
    """Right by the gold answer or, where that is long, by the first citation; None where neither can judge."""
    for judge in (answer_right, first_citation_right_all):
        if (value := judge(gold, answer)) is not None:
            return value == 1.0
    return None


def is_unsure(trace: Trace) -> bool:
    """Whether the question was refused for want of confidence, before anything was written."""
    return trace.answer.abstained and trace.answer.confidence < trace.min_confidence


def is_told_by_words(gold: GoldQuestion) -> bool:
    """Whether a text that answers holds the gold answer: it is short, and no bare yes or no."""
    return not gold.is_long and bool(gold.answers or gold.must_include) and not says_yes_or_no(gold)


def holds_answer(gold: GoldQuestion, texts: Sequence[str]) -> bool:
    """Whether the texts together hold an accepted answer, or everything that an answer must include."""
    return all(any(holds_one(text, entry) for text in texts) for entry in entries_of(gold))


def is_enough(gold: GoldQuestion, paragraphs: Sequence[Paragraph]) -> bool:
    """Whether gold paragraphs suffice for the answer: they hold it or, where words cannot tell, there is one."""
    if not is_told_by_words(gold):
        return bool(paragraphs)
    return holds_answer(gold, [paragraph.text for paragraph in paragraphs])


def is_chosen(gold: GoldQuestion, trace: Trace, paragraphs: Sequence[Paragraph]) -> bool:
    """Whether the evidence from gold paragraphs holds the answer.

    Where words cannot tell, it is enough that some evidence comes from one of them; where the first citation is what
    is judged, the best has to.
    """
    places = {place_of(paragraph) for paragraph in paragraphs}
    chosen = [candidate for candidate, objection in trace.weighed if not objection]
    from_gold = [candidate.text for candidate in chosen if place_of(candidate.paragraph) in places]
    if is_told_by_words(gold):
        cited = [citation.quote for citation in trace.answer.citations if place_of(citation.paragraph) in places]
        return holds_answer(gold, from_gold + cited)
    return bool(from_gold) if says_yes_or_no(gold) else bool(chosen) and place_of(chosen[0].paragraph) in places


def is_written(gold: GoldQuestion, trace: Trace) -> bool:
    """Whether the model wrote the answer; never so for yes and no, which are not left to it."""
    if is_told_by_words(gold):
        return holds_answer(gold, [LABELS.sub("", trace.draft.written)])
    return bool(trace.draft.statements) and not says_yes_or_no(gold)


def entries_of(gold: GoldQuestion) -> Sequence[Sequence[str]]:
    """What must be said, each thing in any of its wordings."""
    return gold.must_include or (gold.answers,)


def holds_one(text: str, wordings: Sequence[str]) -> bool:
    """Whether a text holds any of the wordings."""
    return any(includes(text, wording) for wording in wordings)


def says_yes_or_no(gold: GoldQuestion) -> bool:
    """Whether a bare "yes" or "no" is an accepted answer: words that stand in a text for other reasons."""
    return any(normalise(accepted) in (["yes"], ["no"]) for accepted in gold.answers) and not gold.must_include


def place_of(paragraph: Paragraph) -> tuple[str, int]:
    """Document and number, which tell paragraphs apart."""
    return paragraph.document.path, paragraph.number
