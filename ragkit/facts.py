"""Numbers, months, currencies and names of a sentence that its source does not have, or has of something else.

What says something in other words keeps these, so they can be checked without understanding the rest. Left to the model
are small numbers, which are as often words of another kind ("one of them", "a second time"), and what stands in another
form on purpose: "nearly 50" for 48, "the 1930s" for 1934. Called by `verification` and `repair`.
"""

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from rapidfuzz.distance import Levenshtein

from ragkit.quantities import currencies, months, unify_quantities
from ragkit.terms import STOP_WORDS, WORD, stem

SMALL = 12
ROUNDED = Decimal("0.15")
"""How far a number may lie from one of the source where the sentence says that it is not exact."""

_HEDGES = frozenset(
    "about around nearly almost roughly approximately approx circa ca some over under more less fewer than least most "
    "within barely close just many".split()
)
_HEDGED_AFTER = re.compile(r"\s*(?:or so|or more|or less|odd)\b")
_HEDGED_WITHIN = 2
"""So many words may stand between: "close to 50", "as many as 50"."""
_PLAIN_NUMBER = re.compile(r"(?:minus)?(\d+(?:\.\d+)?)(percent)?")
_SHARES = re.compile(
    r"\b(?:hal(?:f|ves)|quarters?|thirds?|fourths?|fifths?|eighths?|tenths?|decades?|dozens?|fortnights?"
    r"|centur(?:y|ies)|hundreds?|in (?:three|four|five|ten|[345]|10))\b",
    re.IGNORECASE,
)
_ROUND = frozenset(
    map(
        Decimal,
        (15, 20, 24, 25, 30, 33, 36, 40, 45, 48, 50, 60, 66, 67, 75, 80, 90, 100, 500000, 1000000),
    )
)
"""What "half", "a quarter of an hour", "two dozen" or "three decades" may become in figures."""

_SPEAKER = frozenset("i we me us my our mine ours myself ourselves".split())
_COUNTED_WITHIN = 2
"""So many words after a number may be what it counts: "five members", "five old members"."""

_TITLES = frozenset(
    "mr mrs ms miss dr prof professor sir lady madam c f celsius fahrenheit i yes no president king queen prince "
    "princess emperor pope governor senator general colonel captain minister saint st mount mt company co".split()
)
_NO_NAMES = re.compile(
    r"(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|one|two|three|four|five|six|seven|eight|nine|ten"
    r"|[ivx]+)s?",
    re.IGNORECASE,
)
"""Words that count kings and wars; the model judges them."""

_PEOPLES = (
    "america us usa united",
    "britain british uk united england english",
    "netherlands dutch holland",
    "wales welsh",
    "ireland irish",
    "france french",
    "denmark danish dane danes",
    "greece greek greeks",
    "turkey turkish turks",
    "spain spanish spaniards",
    "poland polish poles",
    "switzerland swiss",
    "finland finnish finns",
    "thailand thai",
    "iraq iraqi",
    "philippines filipino filipinos philippine",
    "czechia czech czechs",
    "cyprus cypriot",
    "israel israeli",
    "pakistan pakistani",
    "germany german germans",
)
_PEOPLE_OF = [set(line.split()) for line in _PEOPLES]
"""Countries with the names of their peoples, where they do not begin alike."""
_ABBREVIATED = re.compile(r"\b(?:Dr|Mr|Mrs|Ms|Prof|St|Gen|Col|Capt|Lt|Sgt|Rev|No)\.\s*$")
_NATIONAL = re.compile(r"(?:ish|ese|i?ans?|sh|ch|tch|iss|ek)$")
_LEAST_SPELT = 6
"""A name of so many letters may differ in one: "Zelensky" and "Zelenskyy"."""

_COMMON_BEGINNING = 3
"""So many letters a people shares with its country: "Danish" with "Denmark", "French" not quite with "France"."""


def missing_facts(sentence: str, source: str) -> tuple[str, ...]:
    """What of the sentence is not in the source, each in one line."""
    return (*_missing_numbers(sentence, source), *_missing_names(sentence, source), *_missing_units(sentence, source))


def exchanged_facts(sentence: str, source: str) -> tuple[str, ...]:
    """What the source says of something else than the sentence does, each in one line.

    A number that stands before another word than in the source, where that word has another number; and what "I" or
    "we" say of themselves, told of somebody named. A faithful sentence may look so, too ("842 people" for "842 of the
    1,126 people"), so this is for sentences in whose place the source can be quoted.
    """
    there, here = _counted(source), _counted(sentence)
    counts = [
        f"the source does not say {number} {word}"
        for key, numbers in here.items()
        for number, word in sorted(numbers.items())
        if there.get(key) and number not in there[key]
    ]
    speaks, tells = ({word.casefold() for word in WORD.findall(text)} & _SPEAKER for text in (source, sentence))
    return (*counts, *(["the source speaks of itself"] if speaks and not tells else []))


def _counted(text: str) -> dict[str, dict[str, str]]:
    """By the stem of a content word the numbers right before it, or one word further, each with the word itself."""
    found: dict[str, dict[str, str]] = {}
    words = [match.group() for match in WORD.finditer(unify_quantities(text))]
    for place, number in enumerate(words):
        if _value(number) is None:
            continue
        for word in words[place + 1 : place + 1 + _COUNTED_WITHIN]:
            if word.casefold() in STOP_WORDS or _value(word) is not None:
                break
            found.setdefault(stem(word.casefold()), {})[number] = word
    return found


def _missing_units(sentence: str, source: str) -> Iterator[str]:
    yield from (f"the month {month} is not in the source" for month in sorted(months(sentence) - months(source)))
    for name in sorted(currencies(sentence) - currencies(source)):
        if currencies(source) and name not in source.casefold():
            yield f"the currency {name} is not in the source"


def _missing_numbers(sentence: str, source: str) -> Iterator[str]:
    there = [match.group() for match in WORD.finditer(unify_quantities(source))]
    values = [value for word in there if (value := _value(word)) is not None]
    rounds = _ROUND if _SHARES.search(source) else frozenset()
    unified = unify_quantities(sentence)
    before: list[str] = []
    for match in WORD.finditer(unified):
        word = match.group()
        value = _value(word)
        hedged = not _HEDGES.isdisjoint(before) or bool(_HEDGED_AFTER.match(unified, match.end()))
        before = [*before[-_HEDGED_WITHIN:], word.casefold()]
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
    there = {_unaccented(match.group().casefold()) for match in WORD.finditer(source)}
    known = there | {stem(word) for word in there}
    for match in list(WORD.finditer(sentence))[1:]:
        word = match.group()
        folded = _unaccented(word.casefold())
        before = sentence[: match.start()].rstrip()
        begins = before[-1:] in tuple('.!?:"“‘([') and not _ABBREVIATED.search(before)
        is_name = word[0].isupper() and folded not in STOP_WORDS | _TITLES and not months(word)
        if not is_name or begins or _NO_NAMES.fullmatch(word) or stem(folded) in known or _is_related(folded, known):
            continue
        is_short = word.isupper() and any(word in initials for initials in _initials(source))
        if not is_short and not any(word[0] in short for short in _short_names(source, sentence)):
            yield f"the name {word} is not in the source"


def _initials(text: str) -> tuple[str, ...]:
    """Those of the names of a text; of all its words; of those that are not stop words. In capitals."""
    found = [match.group() for match in WORD.finditer(text)]
    names = "".join(word[0] for word in found if word[0].isupper())
    content = "".join(word[0] for word in found if word.casefold() not in STOP_WORDS)
    return names, "".join(word[0] for word in found).upper(), content.upper()


def _short_names(source: str, sentence: str) -> list[str]:
    """The short names of the source that stand written out in the sentence."""
    shorts = {match.group() for match in WORD.finditer(unify_quantities(source)) if match.group().isupper()}
    return [short for short in shorts if len(short) > 1 and any(short in initials for initials in _initials(sentence))]


def _unaccented(word: str) -> str:
    decomposed = unicodedata.normalize("NFD", word.replace("ł", "l").replace("ø", "o"))
    return "".join(c for c in decomposed if unicodedata.category(c) != "Mn")


def _is_related(folded: str, known: set[str]) -> bool:
    """Whether it is a longer or shorter form of a word of the source, or a people and that word its country."""
    if any(folded in people and not people.isdisjoint(known) for people in _PEOPLE_OF):
        return True
    for other in known:
        if len(folded) >= _LEAST_SPELT and Levenshtein.distance(folded, other, score_cutoff=1) <= 1:
            return True
        shorter, longer = sorted((folded, other), key=len)
        if len(shorter) > 4 and longer.startswith(shorter):
            return True
        is_national = bool(_NATIONAL.search(folded)) or bool(_NATIONAL.search(other))
        if is_national and len(shorter) > 3 and folded[:_COMMON_BEGINNING] == other[:_COMMON_BEGINNING]:
            return True
    return False
