"""Yes or no: an answer to a question that can be answered so begins with the word that its evidence gives.

A model of its own decides, for each sentence of evidence, whether it says yes, no, or neither; where it is not sure,
the sentence stands alone. Called by `answering`, `verification`, `disagreement` and `repair`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ragkit.models.deciding import Decider, Decision
from ragkit.questions import is_yes_no
from ragkit.records import Evidence, Sentence
from ragkit.terms import STOP_WORDS

SURE = 0.8
"""So likely must the word be that is said."""

_OPENING = re.compile(r"(?:Yes|No)[,:] ")

Drawn = tuple[Sentence, tuple[int, ...]]


def without_yes_or_no(sentence: str) -> str:
    """The sentence without "Yes," or "No," at its beginning."""
    opening = _OPENING.match(sentence)
    rest = sentence[opening.end() :] if opening else sentence
    return f"{rest[:1].upper()}{rest[1:]}" if opening else sentence


def both_ways(question: str, sentence: str) -> tuple[str, str]:
    """The question with the sentence as a "Yes" and as a "No", as the verifying model was taught to judge them."""
    first = sentence.partition(" ")[0]
    goes_on = first.casefold() in STOP_WORDS and first != "I"
    rest = f"{sentence[:1].lower()}{sentence[1:]}" if goes_on else sentence
    return f"{question} Yes, {rest}", f"{question} No, {rest}"


def decide(
    question: str, drawn: Sequence[Drawn], shown: Mapping[int, Evidence], decider: Callable[[], Decider]
) -> tuple[Decision, ...]:
    """What the evidence of each sentence says to a yes/no question; nothing for any other question.

    Args:
        question: What was asked.
        drawn: Sentences with the evidence labels they rest on.
        shown: The evidence by its labels.
        decider: Called only for a yes/no question.

    Raises:
        ModelError: The deciding model failed.
    """
    if not drawn or not is_yes_no(question):
        return ()
    return tuple(decider().decide(shown[labels[0]].text, question) for _, labels in drawn)


def word_of(decision: Decision) -> str | None:
    """Yes or No, if it is sure enough of either."""
    likeliest = max(decision.yes, decision.no)
    return None if likeliest < SURE else "Yes" if decision.yes == likeliest else "No"


def say_yes_or_no(drawn: Sequence[Drawn], decisions: Sequence[Decision]) -> tuple[Drawn, ...]:
    """The sentences, the first behind the word that its evidence gives, if that is sure."""
    word = word_of(decisions[0]) if decisions else None
    if word is None:
        return tuple(drawn)
    first, labels = drawn[0]
    support = min(first.support, max(decisions[0].yes, decisions[0].no))
    return (replace(first, text=f"{word}: {first.text}", support=support, quoted=False), labels), *drawn[1:]
