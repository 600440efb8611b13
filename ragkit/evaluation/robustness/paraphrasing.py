"""A question to the ways in which a person might as well have asked it, made by rule. Pure; called by `perturb`.

Only forms that are grammatical whatever stands in the gaps: where English would bend a verb ("when did he die": "when
he died") no rule fits, and where none does there is nothing to return.
"""

import re

from ragkit.sentences import split_sentences

_BE = "is|are|was|were"
_MODAL = "can|could|will|would|should|must|may|might"
_HELPING = rf"{_BE}|am|be|been|being|do|does|did|has|have|had|shall|{_MODAL}"
_PRONOUN = "I|you|we|they|he|she|it|there"
_ASKS = r"who|what|when|where|why|how|(?:which|what|whose|how)(?: [\w'’-]+){1,3}?"
_NUMBER_OF = r"how (?:many|much)(?: [\w'’-]+)+?"

_BEFORE = "about|after|against|at|before|by|during|for|from|in|of|on|over|since|through|to|under|until|with|without"
_STARTERS = re.compile(
    rf"(?:{_HELPING}|(?:(?:{_BEFORE}) )?(?:who|whom|whose|what|which|when|where|why|how))\b", re.IGNORECASE
)
_HELPED = re.compile(rf"\b(?:{_HELPING}|cannot)\b|n['’]t\b|^\w+['’]s\b", re.IGNORECASE)
_SUBJECT = re.compile(r"(?:who|whose \w+|what \w+|which \w+|how many \w+|how much \w+) \w+", re.IGNORECASE)
_NO_SUBJECT = re.compile(r"(?:what|how) (?:about|if|come|else)\b|which of\b", re.IGNORECASE)
_THING_IS = re.compile(rf"(who|what) ({_BE}) (.+)", re.IGNORECASE)
_TURNED = re.compile(rf"({_ASKS}|{_NUMBER_OF}) ({_BE}|{_MODAL}) ({_PRONOUN})\b(.*)", re.IGNORECASE)
_DO = re.compile(rf"({_ASKS}) do (I|you|we|they)\b(.+)", re.IGNORECASE)
_YES_OR_NO = re.compile(rf"({_BE}|{_MODAL}) ({_PRONOUN})\b(.+)", re.IGNORECASE)

_DETERMINERS = frozenset("the a an this that these those my our your his her its their".split())
_DANGLING = frozenset(
    "about above after against at before by for from in into like of off on over to under up with "
    "able afraid born built called done given gone held kept known left likely lost made meant named paid put said "
    "seen sent sold spoken supposed taken told won worth written".split()
)
"""Words after "What is the ship ..." that show that what is asked for is not what the ship is."""

_REPLACED = (
    (re.compile(rf"why (?={_HELPING}\b)", re.IGNORECASE), "for what reason "),
    (re.compile(rf"when (?={_HELPING}\b)", re.IGNORECASE), "at what point in time "),
    (re.compile(r"how (?=(?:do|does|did|can|could|should|will)\b)", re.IGNORECASE), "in what way "),
    (
        re.compile(r"where (?=(?:is|are|was|were|do|does|did|can|could)\b)(?!.*\b(?:from|to|at)$)", re.I),
        "in what place ",
    ),
    (re.compile(r"how many (?=(?:\w+s|people|men|women|children)\b)", re.IGNORECASE), "what number of "),
)


def paraphrases(question: str) -> list[str]:
    """The question in other words, each time with the same meaning; nothing where it is no single question."""
    plain = question.strip().rstrip("?").rstrip()
    if len(split_sentences(question.strip())) != 1 or not _STARTERS.match(plain):
        return []
    lowered = plain[0].lower() + plain[1:]
    found = [f"Please tell me: {lowered}?", f"What I would like to know is this: {lowered}?"]
    for asked in _embed(lowered):
        found += [f"Could you tell me {asked}?", f"Do you know {asked}?", f"I would like to know {asked}."]
    found += [_capital(f"{pattern.sub(words, lowered)}?") for pattern, words in _REPLACED if pattern.match(lowered)]
    if (thing := _THING_IS.fullmatch(lowered)) and _is_a_thing(thing[3]):
        found.append(_capital(f"{thing[3]} {thing[2]} {thing[1]}?"))
    return found


def _embed(question: str) -> list[str]:
    """The question as it stands after "Could you tell me"; nothing where that takes more than moving a word."""
    if _is_about_subject(question):
        return [question]
    if (thing := _THING_IS.fullmatch(question)) and _is_a_thing(thing[3]):
        return [f"{thing[1]} {thing[3]} {thing[2]}"]
    if turned := _TURNED.fullmatch(question):
        return [f"{turned[1]} {turned[3]} {turned[2]}{turned[4]}"]
    if done := _DO.fullmatch(question):
        return [f"{done[1]} {done[2]}{done[3]}"]
    if polar := _YES_OR_NO.fullmatch(question):
        return [f"whether {polar[2]} {polar[1]}{polar[3]}"]
    return []


def _is_about_subject(question: str) -> bool:
    """Whether it asks for the subject, as in "who won": any other question has a helping verb in English."""
    return bool(_SUBJECT.match(question)) and not _HELPED.search(question) and not _NO_SUBJECT.match(question)


def _is_a_thing(words: str) -> bool:
    """Whether the words after "what is" name a thing or person, rather than saying something of it."""
    parts = words.split()
    has_name = all(part[0].isupper() for part in parts)
    if not (has_name or parts[0].lower() in _DETERMINERS) or _HELPED.search(words) or not words[-1].isalnum():
        return False
    lowered = [part.lower() for part in parts]
    return (
        lowered[-1] not in _DANGLING
        and not any(part.endswith(("ed", "ing")) for part in lowered)
        and not ({"born", "built", "called", "given", "made", "named", "said"} & set(lowered))
        and "," not in words
    )


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
