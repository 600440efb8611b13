"""Numbers, months, currencies and names of a sentence that its source does not have. Called by `verification`.

What says something in other words keeps these, so they can be checked without understanding the rest. Left to the model
are small numbers, which are as often words of another kind ("one of them", "a second time"), and what stands in another
form on purpose: "nearly 50" for 48, "the 1930s" for 1934.
"""

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from ragkit.quantities import currencies, months, unify_quantities
from ragkit.terms import STOP_WORDS, WORD, stem

SMALL = 12
ROUNDED = Decimal("0.15")
"""How far a number may lie from one of the source where the sentence says that it is not exact."""

_HEDGES = frozenset(
    "about around nearly almost roughly approximately some over under more less fewer than least most within barely "
    "close just".split()
)
_PLAIN_NUMBER = re.compile(r"(?:minus)?(\d+(?:\.\d+)?)(percent)?")
_SHARES = re.compile(
    r"\b(?:hal(?:f|ves)|quarters?|thirds?|fifths?|tenths?|decades?|dozens?|fortnights?|centur(?:y|ies)|hundreds?"
    r"|in ten)\b",
    re.IGNORECASE,
)
_ROUND = frozenset(map(Decimal, (15, 20, 25, 30, 40, 45, 50, 60, 75, 80, 90, 100, 500000, 1000000)))
"""What "half", "a quarter of an hour" or "three decades" may become in figures."""

_TITLES = frozenset("mr mrs ms miss dr prof professor sir lady madam c f celsius fahrenheit i yes no".split())
_ABBREVIATED = re.compile(r"\b(?:Dr|Mr|Mrs|Ms|Prof|St|Gen|Col|Capt|Lt|Sgt|Rev|No)\.\s*$")
_NATIONAL = re.compile(r"(?:ish|ese|i?ans?|sh|ch|tch|iss|ek)$")
_COMMON_BEGINNING = 3
"""So many letters a people shares with its country: "Danish" with "Denmark", "French" not quite with "France"."""


def missing_facts(sentence: str, source: str) -> tuple[str, ...]:
    """What of the sentence is not in the source, each in one line."""
    return (*_missing_numbers(sentence, source), *_missing_names(sentence, source), *_missing_units(sentence, source))


def _missing_units(sentence: str, source: str) -> Iterator[str]:
    yield from (f"the month {month} is not in the source" for month in sorted(months(sentence) - months(source)))
    for name in sorted(currencies(sentence) - currencies(source)):
        if currencies(source) and name not in source.casefold():
            yield f"the currency {name} is not in the source"


def _missing_numbers(sentence: str, source: str) -> Iterator[str]:
    there = [match.group() for match in WORD.finditer(unify_quantities(source))]
    values = [value for word in there if (value := _value(word)) is not None]
    rounds = _ROUND if _SHARES.search(source) else frozenset()
    before = ""
    for match in WORD.finditer(unify_quantities(sentence)):
        word = match.group()
        value = _value(word)
        hedged, before = before in _HEDGES, word.casefold()
        if word in there or value is None or value in values:
            continue
        if (value <= SMALL and value == int(value)) or value in rounds:
            continue
        if hedged and any(abs(value - other) <= ROUNDED * max(value, other) for other in values):
            continue
        yield f"the number {word.replace('percent', ' %')} is not in the source"


def _value(word: str) -> Decimal | None:
    match = _PLAIN_NUMBER.fullmatch(word)
    try:
        return Decimal(match[1]) if match else None
    except InvalidOperation:
        return None


def _missing_names(sentence: str, source: str) -> Iterator[str]:
    known = {stem(match.group().casefold()) for match in WORD.finditer(source)}
    for match in list(WORD.finditer(sentence))[1:]:
        word = match.group()
        folded = word.casefold()
        before = sentence[: match.start()].rstrip()
        begins = before[-1:] in tuple('.!?:"“‘([') and not _ABBREVIATED.search(before)
        is_name = word[0].isupper() and folded not in STOP_WORDS | _TITLES and not months(word)
        if not is_name or begins or stem(folded) in known or _is_related(folded, known):
            continue
        if not (word.isupper() and _is_short_for(word, source)):
            yield f"the name {word} is not in the source"


def _is_short_for(word: str, source: str) -> bool:
    initials = "".join(match.group()[0] for match in WORD.finditer(source) if match.group()[0].isupper())
    return word in initials


def _is_related(folded: str, known: set[str]) -> bool:
    """Whether it is a longer or shorter form of a word of the source, or a people and that word its country."""
    for other in known:
        shorter, longer = sorted((folded, other), key=len)
        if len(shorter) > 4 and longer.startswith(shorter):
            return True
        is_national = bool(_NATIONAL.search(folded)) or bool(_NATIONAL.search(other))
        if is_national and len(shorter) > 3 and folded[:_COMMON_BEGINNING] == other[:_COMMON_BEGINNING]:
            return True
    return False
