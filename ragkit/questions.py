"""What a question asks for: the kind of thing its answer must hold, and whether a sentence holds one.

Rules over English question words; a question they do not know asks for anything. Called by `evidence` and `repair`.
"""

import re
from typing import Literal

from ragkit.terms import words

AnswerKind = Literal["number", "time", "name"]

_NUMBER_ASKED = re.compile(
    r"\bhow (many|much|long|old|far|large|big|tall|high|fast|deep|wide|few|heavy|often)\b"
    r"|\b(what|which) (percent|percentage|number|amount|proportion|share|distance|size|age|score|rate|price)\b",
    re.IGNORECASE,
)
_TIME_ASKED = re.compile(
    r"\bwhen\b|\b(what|which) (year|date|month|day|weekday|time|century|decade)\b|\bhow long ago\b|\bsince when\b",
    re.IGNORECASE,
)
_NAME_ASKED = re.compile(
    r"\b(who|whom|whose|where)\b|\b(what|which) (city|country|state|place|county|region|island|river|university|school"
    r"|team|company|person|man|woman|king|queen|president|author|artist|town|capital|language)\b",
    re.IGNORECASE,
)

_NUMBER_WORDS = frozenset(
    "zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds thousand thousands "
    "million millions billion billions trillion dozen dozens half third quarter twice double triple none".split()
)
_DATE_WORDS = frozenset(
    "january february march april may june july august september october november december monday tuesday wednesday "
    "thursday friday saturday sunday".split()
)
_TIME_WORDS = _DATE_WORDS | frozenset(
    "century centuries decade decades year years month months week weeks day days hour hours minute minutes today "
    "yesterday tomorrow morning evening night noon midnight spring summer autumn winter before after during while "
    "until since when ago early late earlier later now soon immediately already always never".split()
)
_MARKS = re.compile(r"\[\d+\]")
_CAPITALISED = re.compile(r"(?<![.!?:;] )(?<![\"“'‘(\[])(?<!^)\b[A-Z][^\W\d_]+")


_BROAD = re.compile(
    r"^how\b(?! (?:many|much|long|old|far|large|big|tall|high|fast|deep|wide|few|heavy|often)\b)"
    r"|\b(?:why|explain|describe|list|compare|reasons?)\b|\bname (?:all|the|every)\b|\bwhat kinds? of\b"
    r"|\b(?:what|which) (?!is\b|was\b|does\b|has\b|this\b)(?:\w+ (?!is\b|was\b|does\b|has\b))?\w+(?<!s)s\b",
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


def is_broad(question: str) -> bool:
    """Whether the question asks for several things or for an explanation, so that one sentence may not do."""
    return bool(_BROAD.search(question)) or len(split_question(question)) > 1


def asked_kind(question: str) -> AnswerKind | None:
    """The kind of thing the question asks for, or None where that cannot be told."""
    if _TIME_ASKED.search(question):
        return "time"
    if _NUMBER_ASKED.search(question):
        return "number"
    if _NAME_ASKED.search(question):
        return "name"
    return None


def holds_kind(kind: AnswerKind, question: str, sentence: str) -> bool:
    """Whether the sentence holds a thing of that kind which the question does not already name."""
    known = set(words(question))
    if kind == "name":
        return any(name.group().casefold() not in known for name in _CAPITALISED.finditer(sentence))
    wanted = _NUMBER_WORDS if kind == "number" else _TIME_WORDS
    return any((word in wanted or _has_digit(word)) and word not in known for word in words(_MARKS.sub("", sentence)))


def _has_digit(word: str) -> bool:
    return any(character.isdigit() for character in word)
