"""A faithful sentence to one that says something else: one thing is exchanged, turned round or put in another's mouth.

Lessons for the verifier are made of them. Called by `verifying`.
"""

import random
import re
from collections.abc import Callable, Sequence
from itertools import pairwise

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NAME = re.compile(r"(?<!^)(?<![.!?:;] )(?<![\"“'‘(\[])\b[A-Z][^\W\d_]+(?:[ -][A-Z][^\W\d_]+)*")
_AUXILIARY = re.compile(
    r"\b(is|are|was|were|has|have|had|will|would|can|could|did|does|do|may|might|must|should)\b(?! not)"
)
_NEGATION = re.compile(r" (?:not|never)\b")

_WORDS = (
    "one two three four five six seven eight nine ten eleven twelve",
    "January February March April May June July August September October November December",
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "minutes hours days weeks months years decades",
    "minute hour day week month year decade century",
    "thousand million billion",
    "metres kilometres miles",
    "all most many some few",
    "north south east west",
    "northern southern eastern western",
    "spring summer autumn winter",
    "morning evening night",
    "first second third last",
    "first only last",
    "mother father son daughter brother sister",
    "half third quarter",
)
_OPPOSITES = (
    "before after, more less, more fewer, always never, everyone nobody, every no, older younger, earlier later, "
    "higher lower, longer shorter, larger smaller, bigger smaller, best worst, above below, over under, began "
    "ended, rose fell, won lost, bought sold, increased decreased, increase decrease, opened closed, accepted "
    "rejected, accepted refused, agreed refused, allowed forbidden, allowed forbade, supported opposed, succeeded "
    "failed, best worst, cheaper dearer, with without, because although, inside outside, arrived left, hot cold, "
    "up down, right left, same different, possible impossible, legal illegal, increases reduces, most least, at- "
    "least at-most, gave took, public private, old new, early late, large small, praised criticised, welcomed "
    "rejected, confirmed denied, men women, he she, his her, can cannot, will may, may will, must may, could did, "
    "probably certainly, nearly more-than, wanted refused, planned refused, hoped feared, said denied, for "
    "against, now no-longer, still no-longer, both neither "
)


def _exchanges() -> dict[str, list[str]]:
    groups = [group.split() for group in _WORDS] + [pair.split() for pair in _OPPOSITES.strip().split(", ")]
    found: dict[str, list[str]] = {}
    for group in groups:
        for word in group:
            others = [other.replace("-", " ") for other in group if other != word]
            found.setdefault(word.replace("-", " "), []).extend(others)
    return found


_EXCHANGES = _exchanges()
_EXCHANGEABLE = re.compile(rf"\b(?:{'|'.join(sorted(_EXCHANGES, key=len, reverse=True))})\b")

Corruption = Callable[[str, str, random.Random], str]


def corrupt(sentence: str, source: str, rng: random.Random) -> str:
    """The sentence with one thing wrong that the source does not say; empty if none of the ways fits.

    Args:
        sentence: Supported by the source.
        source: Where other names and numbers are taken from.
        rng: Chooses the way and the place.
    """
    ways = [_change_number, _change_name, _swap_names, _change_negation, _exchange_word, _exchange_word, _say_that]
    rng.shuffle(ways)
    for way in ways:
        wrong = way(sentence, source, rng)
        if wrong and wrong != sentence and wrong not in source:
            return wrong
    return ""


def _put(text: str, match: re.Match[str], new: str) -> str:
    return text[: match.start()] + new + text[match.end() :]


def _pick(pattern: re.Pattern[str], text: str, rng: random.Random) -> re.Match[str] | None:
    found = list(pattern.finditer(text))
    return rng.choice(found) if found else None


def _change_number(sentence: str, source: str, rng: random.Random) -> str:
    match = _pick(_NUMBER, sentence, rng)
    if match is None:
        return ""
    number, known = match.group(), set(_NUMBER.findall(sentence))
    others = [n for n in _NUMBER.findall(source) if n not in known and abs(len(n) - len(number)) < 2]
    if others and rng.random() < 0.5:
        return _put(sentence, match, rng.choice(others))
    place = rng.choice([n for n, c in enumerate(number) if c.isdigit()])
    digit = rng.choice([c for c in "123456789" if c != number[place]])
    return _put(sentence, match, f"{number[:place]}{digit}{number[place + 1 :]}")


def _change_name(sentence: str, source: str, rng: random.Random) -> str:
    match = _pick(_NAME, sentence, rng)
    others = _other_names(sentence, source)
    return _put(sentence, match, rng.choice(others)) if match and others else ""


def _other_names(sentence: str, source: str) -> Sequence[str]:
    return sorted({name for name in _NAME.findall(source) if not set(name.split()) & set(sentence.split())})


def _swap_names(sentence: str, _: str, rng: random.Random) -> str:
    names = list(_NAME.finditer(f"  {sentence}"))
    pairs = [
        (a, b)
        for a, b in pairwise(names)
        if a.group() != b.group() and not re.fullmatch(r"\W*(?:and|or)?\W*", f"  {sentence}"[a.end() : b.start()])
    ]
    if not pairs:
        return ""
    a, b = rng.choice(pairs)
    text = f"  {sentence}"
    return f"{text[: a.start()]}{b.group()}{text[a.end() : b.start()]}{a.group()}{text[b.end() :]}".strip()


def _change_negation(sentence: str, _: str, rng: random.Random) -> str:
    if match := _NEGATION.search(sentence):
        return _put(sentence, match, "")
    auxiliary = _pick(_AUXILIARY, sentence, rng)
    return _put(sentence, auxiliary, f"{auxiliary.group()} not") if auxiliary else ""


def _exchange_word(sentence: str, _: str, rng: random.Random) -> str:
    match = _pick(_EXCHANGEABLE, sentence, rng)
    return _put(sentence, match, rng.choice(_EXCHANGES[match.group()])) if match else ""


def _say_that(sentence: str, source: str, rng: random.Random) -> str:
    others = _other_names(sentence, source)
    if not others or rng.random() < 0.5:
        return ""
    begun = sentence[0] if sentence[:2].isupper() else sentence[0].lower()
    said = rng.choice(("said", "claimed", "denied", "confirmed", "doubted"))
    return f"{rng.choice(others)} {said} that {begun}{sentence[1:]}"
