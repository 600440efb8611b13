"""Do two documents answer the question differently? Then the answer says so. Called by `answering`.

That two answers exclude each other can be told where one value is asked for, a number or a time, and where one says yes
and the other no; two names may both be right.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ragkit.models.deciding import Decision
from ragkit.polarity import word_of
from ragkit.quantities import unify_quantities
from ragkit.questions import asked_kind, is_broad
from ragkit.records import Evidence, Sentence
from ragkit.terms import STOP_WORDS, WEEKDAYS, stem, words

_YEAR = re.compile(r"1\d{3}|20\d{2}")
_MONTHS = frozenset("january february march april may june july august september october november december".split())
_WEEKDAYS = frozenset(day.casefold() for day in WEEKDAYS)

_INEXACT = re.compile(
    r"\b(?:at least|at most|more than|less than|fewer than|over|under|up to|above|below|between|nearly|almost|about"
    r"|around|roughly|approximately|some|or so|before|after|since|until|by)\b|\d\s?[–-]\s?\d",
    re.IGNORECASE,
)
_UNITS = frozenset(
    map(
        stem,
        "km kilometres kilometers miles metres meters m cm feet ft inches years decades centuries months weeks days "
        "hours minutes seconds am pm percent degrees tonnes tons kg kilograms pounds dozen dozens".split(),
    )
)

OTHERWISE = "Another document says otherwise: "

Drawn = tuple[Sentence, tuple[int, ...]]


def say_disagreement(
    question: str, drawn: Sequence[Drawn], shown: Mapping[int, Evidence], decisions: Sequence[Decision] = ()
) -> tuple[Drawn, ...]:
    """The sentences, each that contradicts the first by another document introduced as such.

    Args:
        question: What was asked.
        drawn: Sentences with the evidence labels they rest on, the best first.
        shown: The evidence by its labels.
        decisions: Of a yes/no question, what the evidence of each sentence says.
    """
    first = shown[drawn[0][1][0]] if drawn else None
    words_said = [word_of(decision) for decision in decisions]
    has_value = asked_kind(question) not in {None, "name"} and not is_broad(question)
    marked = list(drawn[:1])
    for number, (sentence, labels) in enumerate(drawn[1:], 1):
        other = shown[labels[0]]
        if first is not None and other.paragraph.document != first.paragraph.document:
            is_other_word = bool(words_said) and {words_said[0], words_said[number]} == {"Yes", "No"}
            if is_other_word or (has_value and _exclude(question, first, other)):
                sentence = replace(sentence, text=f"{OTHERWISE}{sentence.text}")  # noqa: PLW2901
        marked.append((sentence, labels))
    return tuple(marked)


def _exclude(question: str, first: Evidence, second: Evidence) -> bool:
    """Whether both short answers hold exact values of one sort, in the same units, and share none of them."""
    if any(_INEXACT.search(item.short_answer) for item in (first, second)) or _unit(first) != _unit(second):
        return False
    asked = set(words(unify_quantities(question)))
    ours, theirs = (_values(item.short_answer, asked) for item in (first, second))
    common = [(ours[sort], theirs[sort]) for sort in ours.keys() & theirs.keys()]
    return bool(common) and any(not mine & other for mine, other in common)


def _unit(evidence: Evidence) -> set[str]:
    """What it counts in, where that can be told: 20 years are two decades, 3 pm is 15:00."""
    return {stem(word) for word in words(evidence.short_answer)} & _UNITS


def _values(short_answer: str, asked: set[str]) -> dict[str, set[str]]:
    """What it says beyond the question: its years, numbers, months and weekdays; without any, its content words."""
    said = set(words(unify_quantities(short_answer))) - asked
    numbers = {word for word in said if any(c.isdigit() for c in word)}
    years = {word for word in numbers if _YEAR.fullmatch(word)}
    sorts = {"year": years, "number": numbers - years, "month": said & _MONTHS, "weekday": said & _WEEKDAYS}
    found = {sort: values for sort, values in sorts.items() if values}
    return found or ({"word": said - STOP_WORDS} if said - STOP_WORDS else {})
