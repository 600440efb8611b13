"""What a question asks for: the kind of thing its answer must hold, and whether a sentence holds one.

Rules over English question words; a question they do not know asks for anything. Called by `evidence` and `repair`.
"""

import re
from typing import Literal

from ragkit.neutral import without_labels
from ragkit.terms import MONTHS, WEEKDAYS, words

AnswerKind = Literal["number", "time", "name", "weekday", "month", "year", "clock time"]

_QUESTION_WORD = re.compile(r"\b(?:who|whom|whose|what|when|where|why|which|how)\b", re.IGNORECASE)
_NUMBER_ASKED = re.compile(
    r"\bhow (many|much|long|old|far|large|big|tall|high|fast|deep|wide|few|heavy|often)\b"
    r"|\b(what|which) (percent|percentage|number|amount|proportion|share|distance|size|age|score|rate|price)\b",
    re.IGNORECASE,
)
_TIME_ASKED = re.compile(
    r"\bwhen\b|\b(what|which) (year|date|month|day|weekday|time|century|decade)\b|\bhow long ago\b",
    re.IGNORECASE,
)
_NAME_ASKED = re.compile(
    r"\b(who|whom|whose|where)\b|\b(what|which) (city|country|state|place|county|region|island|river|university|school"
    r"|team|company|person|man|woman|king|queen|president|author|artist|town|capital|language)\b",
    re.IGNORECASE,
)

_WEEKDAY = rf"\b(?:{'|'.join(WEEKDAYS)})s?\b"
_MONTH = rf"\b(?:{'|'.join(MONTHS)})\b"
_YEAR = r"\d{3,4}|\b\d+ (?:bc|ad|b\.c\.|a\.d\.|bce|ce)\b"
_CLOCK = (
    r"\d|\bo['’]clock\b|\b(?:noon|midday|midnight|dawn|dusk|sunrise|sunset|morning|afternoon|evening|night|half|quarter)\b"
    r"|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b"
)
_EXACT: tuple[tuple[AnswerKind, re.Pattern[str], re.Pattern[str]], ...] = (
    ("weekday", re.compile(r"\bweekday\b|\bdays? of the week\b", re.IGNORECASE), re.compile(_WEEKDAY, re.IGNORECASE)),
    ("month", re.compile(r"\b(?:what|which) months?\b", re.IGNORECASE), re.compile(_MONTH, re.IGNORECASE)),
    ("year", re.compile(r"\b(?:what|which) years?\b", re.IGNORECASE), re.compile(_YEAR, re.IGNORECASE)),
    (
        "clock time",
        re.compile(
            r"\bwhat time\b(?! (?:period|frame|span|zone|limit))|\btime of (?:the )?day\b|\b(?:what|which) hour\b",
            re.IGNORECASE,
        ),
        re.compile(_CLOCK, re.IGNORECASE),
    ),
)
"""Kinds of time with what asks for them and what every answer holds: 95 % to 100 % of the answering sentences do."""

_NUMBER_WORDS = frozenset(
    "zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds thousand thousands "
    "million millions billion billions trillion dozen dozens half third quarter twice double triple none".split()
)
_DATE_WORDS = frozenset(word.casefold() for word in (*MONTHS, *WEEKDAYS))
_TIME_WORDS = _DATE_WORDS | frozenset(
    "century centuries decade decades year years month months week weeks day days hour hours minute minutes today "
    "yesterday tomorrow morning evening night noon midnight spring summer autumn winter before after during while "
    "until since when ago early late earlier later now soon immediately already always never".split()
)
_CAPITALISED = re.compile(r"(?<![.!?:;] )(?<![\"“'‘(\[])(?<!^)\b[A-Z][^\W\d_]+")


_BROAD = re.compile(
    r"^how\b(?! (?:many|much|long|old|far|large|big|tall|high|fast|deep|wide|few|heavy|often)\b)"
    r"|\b(?:why|explain|describe|list|compare|reasons?)\b|\bname (?:all|the|every)\b|\bwhat kinds? of\b"
    r"|\b(?:what|which) (?!is\b|was\b|does\b|has\b|this\b)(?:\w+ (?!is\b|was\b|does\b|has\b))?\w+(?<!s)s\b",
    re.IGNORECASE,
)


_HOW_OR_WHY = re.compile(
    r"\bwhy\b|^\W*how\b(?! (?:many|much|long|old|far|large|big|tall|high|fast|deep|wide|few|heavy|often)\b)"
    r"|\b(?:explain|describe|compare|reasons?)\b",
    re.IGNORECASE,
)
_LISTED = re.compile(r"\b(?:what|who|which)\s+(?:are|were)\b", re.IGNORECASE)
_YES_NO = re.compile(
    r"^\W*(?:(?!(?:\w+\s+)?(?:who|what|when|where|why|which|how)\b)[^?]{1,120}[,.!]\s+)?(?:(?:and|but|so|then)\s+)?(?:(?:any|ok|okay)(?!.*\bwhat\b)|"
    r"(?:is|are|was|were|am|do|does|did|has|have|had|can|could|will|would|should|may|might|must)(?:n['’]t)?)\b"
    r"(?!.*\bor\b(?!\s+(?:her|no|not|more|less)\b))",
    re.IGNORECASE,
)

_PREPOSITION = r"(?:(?:in|on|at|by|for|to|from|with|of|since|until)\s+)?"
_ASKS = rf"{_PREPOSITION}(?:who|whom|whose|what|when|where|why|how|which)\b(?:\W+\w+){{2}}"
_ONE_QUESTION = re.compile(_ASKS, re.IGNORECASE)
_NEXT_PART = re.compile(rf",?\s+and\s+(?={_ASKS})", re.IGNORECASE)


def split_question(question: str) -> list[str]:
    """The questions that are asked in one, as in "Who won, and when was the race?"; mostly just the one."""
    parts = [part.rstrip(" ?") + "?" for part in _NEXT_PART.split(question)]
    return parts if len(parts) > 1 and all(_ONE_QUESTION.match(part) for part in parts) else [question]


def asks_how_or_why(question: str) -> bool:
    """Whether it asks for an explanation."""
    return bool(_HOW_OR_WHY.search(question))


def is_broad(question: str) -> bool:
    """Whether the question asks for several things or for an explanation, so that one sentence may not do."""
    return bool(_BROAD.search(question)) or len(split_question(question)) > 1


def asks_for_list(question: str) -> bool:
    """Whether several things are asked for, of which a list in a document may be the whole answer."""
    return bool(_LISTED.search(question)) or is_broad(question)


def is_yes_no(question: str) -> bool:
    """Whether the question can be answered with yes or no."""
    return bool(_YES_NO.match(question))


def asked_kind(question: str) -> AnswerKind | None:
    """The kind of thing the question asks for, or None where that cannot be told."""
    first = _QUESTION_WORD.search(question)
    if first is None or is_yes_no(question):
        return None
    for kind, asks, _ in _EXACT:
        if asks.search(question):
            return kind
    kinds: tuple[tuple[re.Pattern[str], AnswerKind], ...] = (
        (_TIME_ASKED, "time"),
        (_NUMBER_ASKED, "number"),
        (_NAME_ASKED, "name"),
    )
    return next((kind for asks, kind in kinds if asks.match(question, first.start())), None)


def is_exact_kind(kind: AnswerKind) -> bool:
    """Whether a sentence without a thing of that kind hardly ever answers."""
    return any(kind == exact for exact, _, _ in _EXACT)


def holds_kind(kind: AnswerKind, question: str, sentence: str) -> bool:
    """Whether the sentence holds a thing of that kind which the question does not already name."""
    known = set(words(question))
    for exact, _, holds in _EXACT:
        if kind == exact:
            return any(match.group().casefold() not in known for match in holds.finditer(sentence))
    if kind == "name":
        return any(name.group().casefold() not in known for name in _CAPITALISED.finditer(sentence))
    wanted = _NUMBER_WORDS if kind == "number" else _TIME_WORDS
    return any((word in wanted or _has_digit(word)) and word not in known for word in words(without_labels(sentence)))


def _has_digit(word: str) -> bool:
    return any(character.isdigit() for character in word)
