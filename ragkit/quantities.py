"""A text with its numbers, dates and sums of money in one form, so that "1,000", "a thousand" and "1000" are one word.

Called by `copying`, `facts` and `disagreement`. Only the words change that stand for quantities; the result is for
comparing, not for showing.
"""

import re
import unicodedata
from decimal import Decimal

from ragkit.terms import MONTHS

_UNITS = "one two three four five six seven eight nine".split()
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_VALUES = {
    "zero": 0,
    "a": 1,
    **{word: value for value, word in enumerate((*_UNITS, *_TEENS), 1)},
    **{word: 10 * value for value, word in enumerate(_TENS, 2)},
}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "bn": 10**9, "trillion": 10**12}

_ONES = "|".join(_UNITS)
_SMALL = rf"(?:(?:{'|'.join(_TENS)})(?:[\s-](?:{_ONES}))?|{'|'.join(_TEENS)}|{_ONES}|zero)"
_HUNDREDS = rf"(?:(?:a|{_SMALL})\s+hundred(?:\s+(?:and\s+)?{_SMALL})?|{_SMALL}|a(?=\s+(?:thousand|million|billion)\b))"
_IN_WORDS = re.compile(rf"\b{_HUNDREDS}(?:\s+thousand(?:\s+(?:and\s+)?{_HUNDREDS})?)?\b", re.IGNORECASE)
# "one" is a number before a noun, but not in "one of them", "no one", "one another".
_NO_NUMBER = re.compile(
    r"\b(?:no|any|every|some|each|this|that|the|which)\s+one\b|\bone\s+(?:of|another|s)\b|\bone['’]s\b", re.I
)

_MONTHS = "|".join(MONTHS)
_DAY_FIRST = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?({_MONTHS})\b")
_ORDINAL_DAY = re.compile(rf"\b({_MONTHS})\s+(?:the\s+)?(\d{{1,2}})(?:st|nd|rd|th)\b")
_MONTH = re.compile(rf"\b(?:{_MONTHS})\b")

_ABBREVIATED = "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec"
_SHORT_MONTH = re.compile(rf"\b({_ABBREVIATED})\b\.?(?=\s\d)|(?<=\d\s)({_ABBREVIATED})\b\.?")
_FULL_MONTHS = {month[:3]: month for month in MONTHS}

_GROUPED = re.compile(r"(?<![\w.,])\d{1,3}(?:[ \u00a0\u2009\u202f]\d{3})+(?![\w])")
_TIME_OF_DAY = re.compile(r"(\d)\s?([ap])\.?\s?m\b\.?", re.IGNORECASE)
_SHORT_MILLION = re.compile(r"(?<=[$€£¥])(\d+(?:\.\d+)?)\s?(?:m|mn)\b", re.IGNORECASE)
_GLUED = re.compile(r"(?<=\d)(?=(?:km|kg|cm|mm|mph|kph|ft|lbs?|[kMGT]B|[kMG]W|[kMG]?Hz|[mghtCF])\b)")
_DOLLARS = re.compile(r"\b(?:US|A|C|NZ|HK|S)\$")
_YEARS = re.compile(r"\b(1\d|20)(\d\d)([–-])(\d\d)\b(?![–-])")
_PART_OF_SCALE = re.compile(r"\b(half|a\s+quarter)\s+(?:of\s+)?a\s+(thousand|million|billion)\b", re.IGNORECASE)
_PARTS = {"half": "0.5", "a quarter": "0.25"}
_AND_A_HALF = re.compile(r"\b(\d+)(?:\s+and\s+a\s+half\b|½)")

_INITIALS = re.compile(r"\b(?:[A-Z]\.){2,}")
_SEPARATOR = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_MINUS = re.compile(r"(?<![\w.,)])[-−](?=\d)")
_SCALED = re.compile(rf"\b(\d+(?:\.\d+)?)[\s-]*({'|'.join(_SCALES)})\b", re.IGNORECASE)
_PERCENT = re.compile(r"(?<=\d)\s*(?:%|percent\b|per\s+cent\b)")
_SIGNS = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen"}
_MONEY_BEFORE = re.compile(r"([$€£¥])\s?(?=\d)")
_MONEY_AFTER = re.compile(r"(?<=\d)\s+(dollar|euro|pound|yen)s?\b", re.IGNORECASE)


def unify_quantities(text: str) -> str:
    """The text with its quantities in digits: "-5", "five per cent" and "3rd of May" become minus5, 5percent, May 3."""
    text = _GROUPED.sub(lambda match: re.sub(r"\s", "", match.group()), unicodedata.normalize("NFC", text))
    text = _TIME_OF_DAY.sub(r"\1 \2m", _GLUED.sub(" ", _SHORT_MILLION.sub(r"\1 million", text)))
    text = _DOLLARS.sub("$", _YEARS.sub(r"\1\2\g<3>\1\4", text))
    text = _SHORT_MONTH.sub(lambda match: _FULL_MONTHS[match.group()[:3]], text)
    text = _INITIALS.sub(lambda match: match.group().replace(".", ""), text)
    text = _PART_OF_SCALE.sub(lambda match: f"{_PARTS[' '.join(match[1].lower().split())]} {match[2]}", text)
    text = _AND_A_HALF.sub(r"\1.5", _IN_WORDS.sub(lambda match: _in_digits(match, text), text))
    text = _MINUS.sub("minus", _SEPARATOR.sub("", text))
    text = _SCALED.sub(lambda match: _plain(Decimal(match[1]) * _SCALES[match[2].lower()]), text)
    text = _MONEY_AFTER.sub("", _MONEY_BEFORE.sub("", _PERCENT.sub("percent", text)))
    return _ORDINAL_DAY.sub(r"\1 \2", _DAY_FIRST.sub(r"\2 \1", text))


def currencies(text: str) -> set[str]:
    """The currencies in which the text counts money."""
    signs = {_SIGNS[match[1]] for match in _MONEY_BEFORE.finditer(text)}
    return signs | {match[1].lower() for match in _MONEY_AFTER.finditer(_SCALED.sub("0", unify_words(text)))}


def unify_words(text: str) -> str:
    """The text with its number words in digits."""
    return _IN_WORDS.sub(lambda match: _in_digits(match, text), text)


def months(text: str) -> set[str]:
    """The months that the text names."""
    return set(_MONTH.findall(unify_quantities(text)))


def _in_digits(match: re.Match[str], text: str) -> str:
    word = match.group()
    if word.lower() == "a" or (word.lower() == "one" and _is_no_number(match, text)):
        return word if word.lower() == "one" else "1"
    thousands, found, rest = re.sub(r"[\s-]+", " ", word.lower()).rpartition("thousand")
    return str((_below_thousand(thousands) or 1) * 1000 * bool(found) + _below_thousand(rest))


def _is_no_number(match: re.Match[str], text: str) -> bool:
    return any(other.start() <= match.start() < other.end() for other in _NO_NUMBER.finditer(text))


def _below_thousand(text: str) -> int:
    hundreds, found, rest = text.rpartition("hundred")
    ones = sum(_VALUES.get(word, 0) for word in rest.split())
    return 100 * sum(_VALUES.get(word, 0) for word in hundreds.split()) + ones if found else ones


def _plain(value: Decimal) -> str:
    return f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"
