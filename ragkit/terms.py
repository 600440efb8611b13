"""Words of a text as the keyword steps see them: words, stop words, stems.

Called by the keyword index, `retrieval`, `evidence` and `verification`.
"""

import re
import unicodedata
from functools import lru_cache

import snowballstemmer

WORD = re.compile(r"[^\W_]+(?:[.,](?=\d)[^\W_]+)*")
"""A word or a number; "2.6", "1,000" and "2016" are one, an apostrophe or hyphen parts."""

_STOP_WORD_TEXT = """
a about all also am an and any anyone anything are as at be been being but by can could did do does doing done each
either else ever every for from get give given had has have having he her here hers him his how however i if in into is
it its itself just let like many may me might mine much must my no nor not of off on once one only or other our ours out
over please say shall she should so some someone something such tell than that the their theirs them then there these
they this those though to too under until up upon us very was we were what whatever when where whether which while who
whom whose why will with within without would yes yet you your yours
d ll m re s t ve don doesn didn isn aren wasn weren won wouldn couldn shouldn hasn haven hadn ain
"""  # the last row: what is left of contractions once the apostrophe is gone

MONTHS = tuple("January February March April May June July August September October November December".split())
WEEKDAYS = tuple("Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split())

STOP_WORDS = frozenset(_STOP_WORD_TEXT.split())
"""Words that say how a sentence is built or how a question asks, not what it is about."""

NEGATIONS = frozenset(
    "not no never neither nor without cannot isn aren wasn weren don doesn didn won wouldn couldn shouldn hasn haven "
    "hadn ain".split()
)
"""Words that deny; of "isn't" only the part before the apostrophe is a word."""

_STEMMER = snowballstemmer.stemmer("english")


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The stem of one lower-case word (Porter 2)."""
    return str(_STEMMER.stemWord(word))


def words(text: str) -> list[str]:
    """The words of a text, case-folded, in order."""
    return [match.group().casefold() for match in WORD.finditer(unicodedata.normalize("NFC", text))]


def content_terms(text: str) -> list[str]:
    """The stems of the words that are not stop words, in order."""
    return [stem(word) for word in words(text) if word not in STOP_WORDS]


def statement(text: str) -> list[str]:
    """The content terms in order, and "not" for each negation."""
    return [
        "not" if word in NEGATIONS else stem(word)
        for word in words(text)
        if word in NEGATIONS or word not in STOP_WORDS
    ]


def says_again(text: str, other: str) -> bool:
    """Whether all that the text says stands in the other one, in the same order and as often negated."""
    ours, theirs = statement(text), statement(other)
    places = iter(theirs)
    return ours.count("not") == theirs.count("not") and all(term in places for term in ours)
