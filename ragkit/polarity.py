"""Yes or no: an answer to a question that can be answered so begins with the word that its source supports.

The verifying model is asked which of the two the cited paragraph supports before the first sentence; if neither
clearly, the sentence stands alone. Called by `answering`, `verification` and `repair`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ragkit.models.reading import SentencedText
from ragkit.models.verifying import Verifier
from ragkit.odds import probability
from ragkit.questions import is_yes_no
from ragkit.records import Evidence, Sentence
from ragkit.sentences import split_sentences
from ragkit.terms import STOP_WORDS

SURE = 1.0
"""So much likelier (log odds) than the other must one of the two words be."""

LEAST_LOG_ODDS = 0.0
"""And so much likelier than not that the paragraph supports it."""

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


def say_yes_or_no(
    question: str, drawn: Sequence[Drawn], shown: Mapping[int, Evidence], verifier: Callable[[], Verifier]
) -> tuple[Drawn, ...]:
    """The sentences, the first behind the right word if the paragraph that it cites tells which that is.

    Args:
        question: What was asked.
        drawn: Sentences with the evidence labels they rest on, the best first.
        shown: The evidence by its labels.
        verifier: Called only if yes or no may be said.

    Raises:
        ModelError: The verifying model failed.
    """
    if not drawn or not is_yes_no(question):
        return tuple(drawn)
    first, labels = drawn[0]
    source = shown[labels[0]].paragraph.text
    judged = verifier().judge(SentencedText(source, tuple(split_sentences(source))), both_ways(question, first.text))
    yes, no = judged.support
    if abs(yes - no) < SURE or max(yes, no) < LEAST_LOG_ODDS:
        return tuple(drawn)
    said = f"{'Yes' if yes > no else 'No'}: {first.text}"
    support = min(first.support, probability(max(yes, no) - LEAST_LOG_ODDS))
    return (replace(first, text=said, support=support, quoted=False), labels), *drawn[1:]
