"""A plain English statement to its subject, verb and rest, so that a question can be made of it. Called by `wording`.

Rules over a list of common verbs. Statements that the rules do not take apart with certainty are left alone: a question
less costs nothing, a broken one costs a person's time.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import dropwhile, pairwise

from ragkit.evaluation.drafting.phrases import COUNTED, PREPOSITIONS, TIME
from ragkit.quantities import unify_words
from ragkit.terms import STOP_WORDS

_REGULAR = """
abandon abolish accept accuse achieve acquire adapt add admit adopt advance advise agree aim allow amend announce
answer appear apply appoint approve argue arrange arrest arrive ask attack attend award ban base belong blame block
board borrow burn call cancel capture carry cause celebrate change charge chase claim clean climb close collapse
collect combine compare compete complain complete compose comprise conclude conduct confirm connect conquer consider
consist construct consult contain continue contribute control convert cook count cover create cross damage date deal
decide declare decline decorate defeat defend deliver demand demolish deny depend deposit describe deserve design
destroy develop die direct disappear discover discuss divide donate drop earn edit elect employ enable end enjoy enter
establish estimate evacuate examine exchange exclude execute exist expand expect explain explode explore export extend
fail fear feature fill film finance finish fire fix flood follow force form found fund gain gather grant guide happen
harvest help hire honour host identify ignore import improve include increase influence inform inherit insist inspect
install intend introduce invade invent invest invite issue join jump kidnap kill land last launch learn license like
limit link list live locate look lower maintain manage manufacture marry master measure mention merge monitor mount
move murder name need negotiate note notice observe obtain occupy occur offer open operate oppose order organise
organize own paint pass perform persuade phone photograph place plan plant play point postpone pour praise prefer
prepare present preserve prevent print produce promise promote propose protect prove provide publish pull punish
purchase push raise reach realise receive recognise recommend record recover reduce refer refuse register reject
release rely remain remember remove rename rent reopen repair repeat replace reply report represent require rescue
research resign resist resolve respond restore retain retire return reveal review rule sail sample save score search
secure select separate serve settle share ship sign sketch smell sponsor stage start state stay stop store struggle
study submit succeed suffer suggest supply support surrender survive suspect talk test thank threaten touch tour train
transfer transform translate travel treat try turn unveil update use visit vote wait walk want warn wash watch weigh
welcome witness work worry yield
"""
_IRREGULAR = """
beat beat beaten, become became become, begin began begun, bind bound bound, bite bit bitten, blow blew blown, break
broke broken, bring brought brought, build built built, buy bought bought, catch caught caught, choose chose chosen,
come came come, cost cost cost, cut cut cut, deal dealt dealt, dig dug dug, draw drew drawn, drink drank drunk, drive
drove driven, eat ate eaten, fall fell fallen, feed fed fed, feel felt felt, fight fought fought, find found found,
flee fled fled, fly flew flown, forbid forbade forbidden, forget forgot forgotten, freeze froze frozen, get got got,
give gave given, go went gone, grow grew grown, hear heard heard, hide hid hidden, hit hit hit, hold held held, keep
kept kept, know knew known, lay laid laid, lead led led, leave left left, lend lent lent, lose lost lost, make made
made, mean meant meant, meet met met, overcome overcame overcome, pay paid paid, put put put, ride rode ridden, ring
rang rung, rise rose risen, run ran run, say said said, see saw seen, seek sought sought, sell sold sold, send sent
sent, shake shook shaken, shoot shot shot, show showed shown, shut shut shut, sing sang sung, sink sank sunk, sit sat
sat, sleep slept slept, speak spoke spoken, spend spent spent, spread spread spread, stand stood stood, steal stole
stolen, strike struck struck, swear swore sworn, swim swam swum, take took taken, teach taught taught, tear tore torn,
tell told told, think thought thought, throw threw thrown, undergo underwent undergone, wear wore worn, win won won,
withdraw withdrew withdrawn, write wrote written
"""
_DOUBLED = frozenset("admit ban cancel control drop occur plan prefer refer ship stop submit transfer travel".split())


_NEEDS_OBJECT = frozenset(
    "bring build make buy catch find sell send tell use produce publish found name call design create paint print "
    "install employ award record require give take hire see know".split()
)
"""Whose past before a preposition is a participle, as in "a ladder brought from the cellar"."""


def _past(base: str) -> str:
    if base in _DOUBLED:
        return f"{base}{base[-1]}ed"
    return re.sub(r"(?<=[^aeiou])y$", "i", base).removesuffix("e") + "ed"


def _present(base: str) -> str:
    if re.search(r"(?:s|x|z|ch|sh|[^aeiou]o|^go)$", base):
        return f"{base}es"
    return f"{base[:-1]}ies" if re.search(r"[^aeiou]y$", base) else f"{base}s"


_FORMS = [(base, _past(base), _past(base)) for base in dict.fromkeys(_REGULAR.split())]
_FORMS += [tuple(forms.split()) for forms in " ".join(_IRREGULAR.split()).split(",")]  # type: ignore[misc]

PAST = {past: base for base, past, _ in _FORMS}
PRESENT = {_present(base): base for base, _, _ in _FORMS}
PAST_OF = {participle: past for _, past, participle in _FORMS}
"""A participle to the past of its verb."""
BASE_OF = {participle: base for base, _, participle in _FORMS}

BE = frozenset("is are was were".split())
"""Forms after which a participle makes the passive."""

_HAVE = {"had": "did", "has": "does", "have": "do"}
_AUXILIARIES = BE | frozenset("has have had will would can could may might must should did does do".split())

_DETERMINERS = frozenset({"the", "a", "an"})
_NO_SUBJECT = (
    (STOP_WORDS - _DETERMINERS)
    | PREPOSITIONS
    | frozenset(
        "although because unless whereas nobody none nothing someone somebody something another such perhaps instead "
        "today yesterday tomorrow later earlier still however therefore thus according many several few most some all "
        "both whoever anyone everyone two three four five six seven eight nine ten one first second next last finally "
        "meanwhile".split()
    )
)
"""What a subject does not begin with: it would stand for something named elsewhere, or be no subject at all."""

_JOINTS = frozenset(
    "and but or which who whom whose where that while when because although though whereas if unless so until".split()
)
_ENDS_BEFORE = re.compile(
    r"(?:\s(?:and|or))?,(?=\s)(?! (?:1\d|20)\d\d\b)"
    r"|\s(?:which|who|whom|whose|where|while|when|because|although|though|whereas|if|unless|but)\s"
)
_FRONT = re.compile(r"^(?P<front>(?:In|On|At|Near) [^,]{2,60}), (?=\S)")
_APPOSITION = re.compile(r"^((?:[A-Z][\w.’'-]*\s?){1,4}), (?:an?|the|then) [^,]{3,60}, (?=[a-z])(?!and\b)")
_WORD = re.compile(r"[\w.&’'-]+")
_OBJECT_BEGINS = re.compile(r"(?:an?|the|no|some|many|several|[A-Z\d].*|.*s)$")
_ADVERB = re.compile(r"[a-z]+ly|first|also|then|later|now|soon|never|not|still|already|finally|only|just|once|twice")
MOST_SUBJECT, MOST_REST = 9, 18
"""In words."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A statement in parts.

    Attributes:
        subject: As it stands in the middle of a sentence.
        verb: As it stands there.
        auxiliary: What a question puts before the subject: the verb itself ("was"), or "did" and "does".
        base: What stands after the subject then; empty if the auxiliary is the verb.
        rest: What follows the verb, up to the end of the clause.
        front: The phrase of time or place before the subject, if there is one, in small letters.
        ending: What it ends before in the sentence, such as "," or "which"; empty at the end of the sentence.
    """

    subject: str
    verb: str
    auxiliary: str
    base: str
    rest: str
    front: str = ""
    ending: str = ""

    def asked(self, question_word: str, without: str = "", instead: str = "") -> str:
        """The clause as a question that begins with the question word.

        Args:
            question_word: With what belongs to it, as in "How many people".
            without: The part of the clause that is asked for.
            instead: What stands in its place.
        """
        rest, front = (part.replace(without, instead, 1) if without else part for part in (self.rest, self.front))
        return finish(" ".join((question_word, self.auxiliary, self.subject, self.base, rest, front)))


def finish(question: str) -> str:
    """The question with single spaces, a capital and a question mark."""
    flat = re.sub(r"\s+([,.;])", r"\1", " ".join(question.split())).rstrip(" ,.;:?")
    return f"{flat[:1].upper()}{flat[1:]}?"


def parse_clause(sentence: str, is_name: Callable[[str], bool | None]) -> Clause | None:
    """The main clause of a sentence; None if it cannot be told apart.

    Args:
        sentence: On one line, without labels.
        is_name: Whether a word is a name, told from how it is written elsewhere; None if it cannot be told.
    """
    text, front = sentence.rstrip(" ."), ""
    if match := _FRONT.match(text):
        front, text = match["front"], text[match.end() :]
    elif (match := TIME.match(text)) and not text[match.end() :].startswith(","):
        front, text = match.group(), text[match.end() :].lstrip()
    if match := _APPOSITION.match(text):
        text = f"{match[1].rstrip()} {text[match.end() :]}"
    ended = _ENDS_BEFORE.search(text)
    tokens, ending = _first_predicate(text[: ended.start() if ended else None].split())
    ending = ending or (ended.group().split()[-1] if ended else "")
    for place in range(1, min(MOST_SUBJECT + 1, len(tokens))):
        before, verb, after = tokens[:place], tokens[place], tokens[place + 1 :]
        if not _is_subject(before) or not _is_rest(verb, after) or (forms := _asked_forms(verb, after)) is None:
            continue
        subject = _lowered(before, is_name)
        is_plural = before[-1].islower() and before[-1].endswith("s")
        if subject is None or (verb in PRESENT and is_plural):
            continue
        return Clause(subject, verb, *forms, " ".join(after), f"{front[:1].lower()}{front[1:]}", ending)
    return None


def _asked_forms(verb: str, after: list[str]) -> tuple[str, str] | None:
    """What a question puts before and after the subject in the place of a verb; None if it is none or unclear."""
    if verb in _HAVE and not _is_perfect(after):
        return (_HAVE[verb], "have") if _OBJECT_BEGINS.match(unify_words(after[0])) else None
    if verb in _AUXILIARIES:
        return verb, ""
    if verb in PAST:
        return "did", PAST[verb]
    return ("does", PRESENT[verb]) if verb in PRESENT else None


def _first_predicate(tokens: list[str]) -> tuple[list[str], str]:
    """The words up to an "and" that joins another verb, and that "and"; all, and nothing, if there is none."""
    for place, (word, after) in enumerate(pairwise(tokens)):
        if word in {"and", "or", "then"} and _is_verb(after) and any(_is_verb(token) for token in tokens[:place]):
            return tokens[:place], word
    return tokens, ""


def _is_verb(token: str) -> bool:
    return token in PAST or token in PRESENT or token in _AUXILIARIES or bool(re.fullmatch(r"[a-z]+ed", token))


def _is_subject(tokens: list[str]) -> bool:
    """Whether the words may be a subject that stands for itself."""
    lowered = [token.casefold() for token in tokens]
    counted = COUNTED.match(" ".join([lowered[0], *tokens[1:]]))
    if counted and counted.end() == len(" ".join(tokens)):
        return True
    following = [*lowered[1:], ""]
    objections = (
        lowered[0] in _NO_SUBJECT or lowered[0].endswith("ing"),
        lowered[-1] in _NO_SUBJECT | _DETERMINERS or bool(_ADVERB.fullmatch(lowered[-1])),
        len(tokens) == 1 and unify_words(tokens[0])[:1].isdigit(),
        any(not _WORD.fullmatch(token) for token in tokens),
        any(word in (_JOINTS - {"and"}) | _AUXILIARIES or word.endswith(("self", "selves")) for word in lowered),
        any(word in _DETERMINERS and before not in PREPOSITIONS | {"and"} for before, word in pairwise(lowered)),
        "and" in lowered and not PAST.keys().isdisjoint(lowered),
        any(word in PAST and after not in PREPOSITIONS for word, after in zip(lowered, following, strict=True)),
    )
    return not any(objections)


def _is_rest(verb: str, tokens: list[str]) -> bool:
    """Whether what follows the verb has no other verb of its own before the clause ends."""
    if not tokens or len(tokens) > MOST_REST or any(set(token) & set('“”`";()[]:?!—') for token in tokens):
        return False
    is_passive = verb in PAST and (tokens[0] == "by" or (PAST[verb] in _NEEDS_OBJECT and tokens[0] in PREPOSITIONS))
    if tokens[0] in _AUXILIARIES or tokens[0] in PRESENT or is_passive or ("between" in tokens and "and" not in tokens):
        return False
    rest = [token for token in tokens if not _ADVERB.fullmatch(token)]
    later = list(dropwhile(lambda token: token in {"be", "been", "being", "have"}, rest))
    later = later[1:] if verb in _AUXILIARIES else later
    return all(word not in _AUXILIARIES and word not in PAST and word not in {"that", "n’t"} for word in later)


def _is_perfect(tokens: list[str]) -> bool:
    """Whether "had" or "has" before the words helps another verb."""
    rest = [token for token in tokens if not _ADVERB.fullmatch(token)]
    return bool(rest) and (rest[0] in PAST_OF or rest[0] == "been" or rest[0].endswith("ed"))


def _lowered(tokens: list[str], is_name: Callable[[str], bool | None]) -> str | None:
    """The subject as it stands inside a sentence; None if its first word may or may not be a name."""
    first = tokens[0]
    if first[:1].islower() or first[:1].isdigit():
        return " ".join(tokens)
    if first.casefold() in STOP_WORDS | PREPOSITIONS or unify_words(first)[:1].isdigit():
        return " ".join([first.casefold(), *tokens[1:]])
    known = True if len(tokens) > 1 and tokens[1][:1].isupper() else is_name(first)
    return None if known is None else " ".join(tokens if known else [first.lower(), *tokens[1:]])
