"""Do two documents answer the question differently? Then the answer says so. Called by `answering`.

Only where one value is asked for, a number or a time, can two answers be told to exclude each other by their words; two
names may both be right.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ragkit.quantities import unify_quantities
from ragkit.questions import asked_kind, is_broad
from ragkit.records import Evidence, Sentence
from ragkit.terms import STOP_WORDS, words

OTHERWISE = "Another document says otherwise: "

Drawn = tuple[Sentence, tuple[int, ...]]


def say_disagreement(question: str, drawn: Sequence[Drawn], shown: Mapping[int, Evidence]) -> tuple[Drawn, ...]:
    """The sentences, each that contradicts the first by another document introduced as such.

    Args:
        question: What was asked.
        drawn: Sentences with the evidence labels they rest on, the best first.
        shown: The evidence by its labels.
    """
    kind = asked_kind(question)
    if kind in {None, "name"} or is_broad(question) or len(drawn) < 2:
        return tuple(drawn)
    first = shown[drawn[0][1][0]]
    marked = [drawn[0]]
    for sentence, labels in drawn[1:]:
        other = shown[labels[0]]
        if other.paragraph.document != first.paragraph.document and _exclude(question, first, other):
            marked.append((replace(sentence, text=f"{OTHERWISE}{sentence.text}"), labels))
        else:
            marked.append((sentence, labels))
    return tuple(marked)


def _exclude(question: str, first: Evidence, second: Evidence) -> bool:
    """Whether both short answers hold values and share none."""
    asked = set(words(unify_quantities(question)))
    ours, theirs = (_values(item.short_answer) - asked for item in (first, second))
    return bool(ours) and bool(theirs) and not ours & theirs


def _values(short_answer: str) -> set[str]:
    """The numbers in it; without any, its content words."""
    said = set(words(unify_quantities(short_answer)))
    return {word for word in said if any(c.isdigit() for c in word)} or (said - STOP_WORDS)
