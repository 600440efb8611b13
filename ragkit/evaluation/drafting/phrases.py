"""What stands in a text that can be asked for: phrases of time and place, counted things, sums, persons' names.

Told by their form alone. Called by `clauses`, `wording` and `drafting`.
"""

import re
from collections.abc import Iterable
from itertools import dropwhile
from typing import Literal

from ragkit.terms import MONTHS, WEEKDAYS

Kind = Literal["when", "where", "who", "how many", "how much", "why", "what", "list"]
"""What a question asks for."""

PREPOSITIONS = frozenset(
    "in on at by to from with for into onto of over under between among against through within without near inside "
    "outside behind beside since until before after during across along around towards upon about than as".split()
)
_GOES_ON = r"(?=$|[,;:!?]|\.(?:\s|$)|\s(?:in|on|at|by|for|from|to|with|after|before|during|between|since|until|as)\b)"
"""Before what a phrase may end."""

_MONTH, _YEAR = rf"(?:{'|'.join(MONTHS)})", r"(?:1\d{3}|20\d{2})\b(?!\s?(?:%|per))"
_DAY = rf"(?:\d{{1,2}}(?:st|nd|rd|th)? (?:of )?{_MONTH}(?: {_YEAR})?|{_MONTH} \d{{1,2}}\b(?:, {_YEAR})?)"
_HOUR = (
    r"(?:\d{1,2}[:.]\d\d(?: ?[ap]m)?|\d{1,2} ?[ap]m|(?:half past |quarter past |quarter to )?\w+ o['’]clock"
    r"|noon|midnight)"
)
_WEEKDAY = "|".join(WEEKDAYS)
TIME = re.compile(
    rf"\b[Oo]n (?:(?:{_WEEKDAY}),? )?(?P<day>{_DAY})"
    rf"|\b[Oo]n (?P<weekday>{_WEEKDAY})\b(?: (?:morning|afternoon|evening|night)s?\b)?"
    rf"|\b[Ii]n (?P<month>(?:early |late )?{_MONTH} {_YEAR}|{_MONTH}\b)|\b[Ii]n (?P<year>{_YEAR})"
    rf"|\b[Aa]t (?P<hour>{_HOUR}){_GOES_ON}"
)
"""A phrase of time; of its groups, which are named after what they hold, one is filled."""

_NAME = r"\b[A-Z][\w-]{1,30}(?:(?: (?:of|de|la|le|del|di|da|upon|am|der|van|von|the))? [A-Z][\w-]{1,30}){0,3}\b(?!['’])"
_PLACE_NOUNS = "|".join(
    (
        "garden kitchen church chapel cathedral station market museum library school hospital village town city square "
        "street harbour port river lake island bridge castle palace theatre hall park forest valley hotel factory "
        "laboratory university college airport stadium court courtyard cellar attic tower basin warehouse monastery"
    ).split()
)
_NO_PLACE = (
    rf"(?:{_MONTH}|(?:{_WEEKDAY})s?|English|French|German|Dutch|Latin|Greek|Spanish|Italian|Russian|Chinese|Arabic|Turkish"
    r"|Swedish|Danish|Polish|Article|Chapter|St|Mt|Mr|Mrs|Ms|Dr)\b"
)
PLACE = re.compile(
    rf"\b[Ii]n (?:the )?(?!{_NO_PLACE})(?:{_NAME}(?: (?:{_PLACE_NOUNS}))?){_GOES_ON}"
    rf"|\b(?:[Aa]t|[Nn]ear|[Oo]utside) (?:the )?(?!{_NO_PLACE})(?:{_NAME}(?: (?:{_PLACE_NOUNS}))?){_GOES_ON}"
    rf"|\b(?:in|at|near|outside|inside|behind|beside) (?:the|a|an) (?:[a-z-]+ ){{0,2}}(?:{_PLACE_NOUNS}){_GOES_ON}"
)

_HEDGE = (
    r"(?:(?:about|around|nearly|almost|roughly|only|some|over|more than|less than|fewer than|at least|at most|up to"
    r"|exactly|just) )*"
)
_COUNT = (
    r"(?:\d{1,3}(?:[,\u202f]\d{3})+|\d+(?:\.\d+)?|(?i:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    r"|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
    r"|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:-\w+)?))(?: (?:hundred|thousand|million|billion))*"
)
_COUNTABLE = r"(?:[a-z-]*[a-z](?<!s)s|people|men|women|children|species|sheep|per cent|percent)"
_MORE_WORDS = r"(?:(?!(?:of|for|in|to|on|at|by|with|from|per|than|and|or|the|a)\b)[a-z-]+ ){0,3}?"
_NOT_AFTER = "".join(
    rf"(?<!\b{word} )"
    for word in "the of and or to than between under after its his her their all by other last next".split()
)
"""A number after one of these belongs to more than what it counts."""

COUNTED = re.compile(
    rf"{_NOT_AFTER}(?P<before>(?:\b(?:in|for|at|with|on|from|(?<!up )to|over|within|after|by) )?)"
    rf"{_HEDGE}\b(?P<count>{_COUNT})"
    rf" (?P<noun>{_MORE_WORDS}{_COUNTABLE})(?! to (?:\d|two|three|four|five|six|seven|eight|nine|ten))"
    r"(?=$|,| (?:in|on|at|by|to|from|with|for|into|under|between|through|within|during|per|a year)\b)"
)
"""A number with what it counts, and the preposition before it."""

MONEY = re.compile(rf"^{_HEDGE}(?P<sum>[$€£¥]\s?\d[\d,.]*(?: (?:thousand|million|billion))?)(?=$| (?:for|in|to|on)\b)")
MEASURE = re.compile(
    rf"^{_HEDGE}(?P<size>{_COUNT} [a-z]+s) (?P<how>long|wide|high|deep|tall|old|thick|away)\b{_GOES_ON}"
)

TITLES = frozenset(
    "President King Queen Prince Princess Emperor Pope Mr Mrs Ms Miss Dr Professor Sir Lady Captain Colonel General "
    "Mayor Minister Senator Judge Bishop Saint Father Sister Doctor Major Lieutenant Admiral Inspector".split()
)
ROLES = frozenset(
    "president king queen emperor pope surgeon student boy girl man woman mayor minister engineer writer poet painter "
    "architect author doctor nurse teacher professor physicist chemist biologist historian captain judge bishop abbot "
    "founder owner director manager chairman chairwoman secretary treasurer driver farmer fisherman carpenter musician "
    "composer conductor singer actor actress player referee spokesman spokeswoman leader governor general monk "
    "priest sailor soldier baker mother father brother sister son daughter wife husband widow uncle aunt "
    "keeper warden clerk lawyer scientist economist inspector minister winner owner tenant".split()
)
_ORGANISATIONS = frozenset(
    "company university college school council committee party ministry court museum hospital bank church parliament "
    "institute foundation society association union club team agency commission board library newspaper".split()
)
_TITLED = rf"(?:{'|'.join(sorted(TITLES))})\.?"
_ROLE = rf"(?:{'|'.join(sorted(ROLES))})"
_PERSON = re.compile(rf"(?:the )?(?:[a-z-]+ ){{0,2}}{_ROLE}(?: {_NAME})?|{_TITLED} {_NAME}")
_DOES_AS_A_PERSON = (
    r"(?:said|says|wrote|writes|told|tells|asked|asks|added|adds|argued|argues|thinks|thought|believes|believed"
    r"|was born|died|married|warns|warned|insists|admits|admitted|recalls|resigned)"
)
_NAMED_PERSON = re.compile(
    rf"(?:{_TITLED}|\b{_ROLE}) (?P<titled>{_NAME})|(?P<who>{_NAME}), (?:who|whose|aged)\b"
    rf"|(?P<doing>{_NAME}) {_DOES_AS_A_PERSON}\b"
)
_BY = re.compile(rf"\bby (?P<agent>(?:the )?(?:[a-z-]+ ){{0,2}}{_NAME}|the (?:[a-z-]+ )?{_ROLE}){_GOES_ON}")
_BARE_NAME = re.compile(r"[A-Z][\w-]+(?: (?:de |van |von |der |di |da )?[A-Z][\w-]+)*$")
_AFTER = re.compile(r" (?:of|for|in|at|from) ")
_TO_TITLE = re.compile(rf"^.*\b(?:{'|'.join(sorted(TITLES))})\.? ")
_IN = re.compile(r"\b[Ii]n ([A-Z][\w-]+)")
_LATER_NAME = re.compile(rf"(?<=[a-z,] ){_NAME}")
_NO_PLACE_AT = re.compile(_NO_PLACE)
_ENTRY = r"(?:[\w'’-]+ ){0,2}[\w'’-]+"
_ENUMERATED = re.compile(rf"\b[A-Z][\w'’-]+, (?:{_ENTRY}, )*{_ENTRY},? (?:and|or) {_ENTRY}(?=[,.;:]|$)")
_BETWEEN = re.compile(r", (?:and |or )?| (?:and|or) ")
_LOWER, _UPPER = re.compile(r"\b[a-z][\w-]+"), re.compile(r"(?<=[a-z,] )[A-Z][\w-]+")


class Names:
    """Which words of some texts are names, and which names are persons', told from how they are used elsewhere."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._words: set[str] = set()
        self._names: set[str] = set()
        self._persons: set[str] = set()
        places: set[str] = set()
        for text in texts:
            self._words.update(_LOWER.findall(text))
            self._names.update(_UPPER.findall(text))
            for match in _NAMED_PERSON.finditer(text):
                self._persons.add((match["titled"] or match["who"] or match["doing"]).split()[-1])
            for match in _IN.finditer(text):
                places.add(match[1])
        self._persons -= places | {word.title() for word in _ORGANISATIONS}

    def is_name(self, word: str) -> bool | None:
        """Whether a capitalised word is a name rather than the beginning of a sentence; None if nothing tells."""
        is_word, is_name = word.lower() in self._words, word in self._names
        return None if is_word == is_name else is_name

    def is_person(self, name: str) -> bool:
        """Whether it is the name, or the description, of a person."""
        words = name.split()
        named = list(dropwhile(str.islower, words)) if words[0] == "the" else words
        is_bare = PREPOSITIONS.isdisjoint(words) and all(re.fullmatch(r"[A-Z][\w.-]*", word) for word in named)
        return (is_bare and words[-1] in self._persons) or bool(_PERSON.fullmatch(name))

    def asked_by(self, name: str) -> str | None:
        """The words that ask for whoever bears a name ("Who", "Which council"); None if nobody can tell."""
        head = re.split(r" (?:of|for|in|at) ", name)[0].split()[-1]
        if head.casefold() in _ORGANISATIONS:
            others = [word for word in name.split() if word != head and word[:1].isupper()]
            return f"Which {head.casefold()}" if others else None
        return "Who" if self.is_person(name) else None


def bare_name(description: str) -> str:
    """The name at the end of what describes a person; empty if there is none, or if it may be another thing's."""
    match = None if _AFTER.search(description) else _BARE_NAME.search(description)
    return _TO_TITLE.sub("", match.group()) if match else ""


def agent_of(rest: str) -> re.Match[str] | None:
    """Who did what is told in the passive, as a match with the group "agent"; None if that is not said."""
    return _BY.search(rest)


def find_details(sentence: str, names: Names) -> list[tuple[Kind, str]]:
    """What can be asked for in a sentence of any shape: days and years, counted things, places and other names."""
    found: list[tuple[Kind, str]] = []
    for match in TIME.finditer(sentence):
        found.append(("when", next(text for text in match.groups() if text)))
    for match in COUNTED.finditer(sentence):
        if not TIME.search(match.group()):
            found.append(("how many", match["count"]))
    for match in PLACE.finditer(sentence):
        found.append(("where", match.group().split(" ", 1)[1]))
    known = " ".join(answer for _, answer in found)
    for match in _LATER_NAME.finditer(sentence):
        if match.group() not in known and not _NO_PLACE_AT.match(match.group()):
            found.append(("who" if names.is_person(match.group()) else "what", match.group()))
    return found


def find_entries(sentence: str) -> list[tuple[str, ...]]:
    """Three or more things that a sentence lists behind one another, the first of them a name."""
    return [
        tuple(entry for entry in _BETWEEN.split(match.group()) if entry) for match in _ENUMERATED.finditer(sentence)
    ]
