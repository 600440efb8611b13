"""A sentence, or what introduces a list, to questions that it answers, worded by rule. Called by `drafting`.

What is asked for is found by its form (`phrases`), and the sentence turned round (`clauses`). Where a sentence lacks a
detail, a question for it can be worded as well.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ragkit.evaluation.drafting.clauses import BASE_OF, BE, PAST_OF, Clause, finish, parse_clause
from ragkit.evaluation.drafting.phrases import (
    COUNTED,
    MEASURE,
    MONEY,
    PLACE,
    PREPOSITIONS,
    ROLES,
    TIME,
    Kind,
    Names,
    agent_of,
    bare_name,
)
from ragkit.followups import stands_alone
from ragkit.questions import holds_kind
from ragkit.terms import content_terms, words

MOST_WORDS = 22
"""A longer question is nobody's."""

LEAST_TERMS = 3
"""A question with fewer content words that names nothing could be about anything."""

MOST_ENTRY_WORDS = 6

_POINTING = frozenset("him her them it he she they this that these those such there here".split())
_EVENTS = frozenset(
    "abolish appoint arrest arrive attack award begin build burn bury buy capture close collapse complete construct "
    "demolish destroy die discover elect establish evacuate execute explode film find fire found hire hold install "
    "introduce invade invent kill land launch leave marry meet move murder open paint perform photograph plant print "
    "produce publish record release rename repair replace rescue resign restore return sell shoot show sign sink start "
    "steal strike surrender test unveil visit win write".split()
)
_NO_OBJECT = frozenset(
    "want expect allow force make take give have get put keep leave let find call say become need ask help "
    "cause".split()
)
"""Verbs whose object alone is no answer, as in "take the credit for", "want the buses to become"."""

_BECAUSE = re.compile(
    r",? (?<!not )(?<!merely )(?<!only )(?<!partly )because (?!of\b)(?P<reason>[^;]+?)"
    r"(?:;.*|(?<=[a-z]{2})\. [A-Z].*|[. ]*)$"
)
_DEFINES = re.compile(r"(?:What|Who) (?:is|are|was|were)\b")
_IS = re.compile(r"^(?P<what>(?:an?|one of the|the \w+est|the (?:first|only|most)) [^,;:]+)")
_AFTER_OBJECT = "|".join(sorted(PREPOSITIONS - {"of", "than", "as"}))
_OBJECT = re.compile(
    rf"^(?P<what>(?:a|an|the) (?:[a-z-]+ ){{0,3}}?[a-z-]+(?: of (?:[a-z]+ )?[\w-]+)?)(?=$| (?:{_AFTER_OBJECT})\b)"
)
_ENUMERATED = re.compile(r"^(?P<main>[^:]+?)\s?:\s+(?P<entries>[^:;\"“”]+?)[. ]*$")
_CONSISTS = re.compile(
    r"^(?P<main>.+? (?P<verb>consists of|consisted of|includes|included|contains|contained|comprises)) "
    r"(?P<entries>[^:;\"“”]+?)[. ]*$"
)
_NUMBERS = "two three four five six seven eight nine ten".split()
_NUMBERED = re.compile(
    rf"^(?:.*?)(?P<before>(?:\b(?:in|for|at|with|on|from|to|of) )?)(?:the following |the )?"
    rf"(?P<noun>(?P<number>{'|'.join(_NUMBERS)}) (?:[a-z-]+ ){{0,3}}(?!times|years|days|months|weeks|hours)[a-z-]+s)$"
)
_THERE_ARE = re.compile(r"^There (?P<be>are|were) (?P<noun>[a-z]+(?: [a-z-]+){1,5})\s?:$")
_ARE = re.compile(r"^(?P<what>[^:,]+?) (?P<be>are|were)(?: as follows| the following| these)?\s?:$")


@dataclass(frozen=True, slots=True)
class Wording:
    """A question with what answers it.

    Attributes:
        answers: As they stand in the sentence; none for a question that it does not answer.
        entries: Of a list, all of which are needed.
    """

    kind: Kind
    question: str
    answers: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()


def word_questions(sentence: str, names: Names) -> list[Wording]:
    """The questions that a sentence answers and that can be understood without it.

    Args:
        sentence: On one line, without labels.
        names: Of the documents, so that names are told from other words.
    """
    found = [*_ask_for_entries(sentence, names), *_ask_why(sentence, names)]
    if clause := _plain_clause(sentence, names):
        found += [*_ask_when(clause), *_ask_where(clause), *_ask_how_many(clause), *_ask_how_much(clause)]
        found += [*_ask_who(clause, names), *_ask_what(clause, names)]
    return [wording for wording in found if _is_sound(wording)]


def word_absent(sentence: str, names: Names) -> list[Wording]:
    """Questions for what a sentence does not tell: the time, place or doer of an event, or where a person was born."""
    clause = _plain_clause(sentence, names)
    if clause is None:
        return []
    found = list(_ask_for_origin(clause, sentence, names))
    if not _is_event(clause):
        return [wording for wording in found if _is_sound(wording)]
    if not holds_kind("time", "", sentence):
        found.append(Wording("when", clause.asked("When")))
    if not PLACE.search(sentence):
        found.append(Wording("where", clause.asked("Where")))
    if clause.auxiliary in BE and " by " not in f"{sentence} ":
        found.append(Wording("who", clause.asked("By whom")))
    return [wording for wording in found if _is_sound(wording)]


def word_introduction(introduction: str, names: Names) -> str | None:
    """The question that a list answers, from the line that introduces it or the heading over it; None if none fits."""
    line = " ".join(introduction.split())
    if match := _THERE_ARE.match(line):
        return finish(f"What {match['be']} the {match['noun']}")
    if match := _ARE.match(line):
        return finish(f"What {match['be']} {match['what'][:1].lower()}{match['what'][1:]}")
    clause = _plain_clause(line.rstrip(": "), names) if line.endswith(":") else None
    if clause is not None and (match := re.match(r"^(?P<all>the following (?P<noun>[a-z -]+s))$", clause.rest)):
        return clause.asked(f"Which {match['noun']}", match["all"])
    if clause is not None and (match := _NUMBERED.match(clause.rest)):
        return clause.asked(f"{match['before']}which {match['noun']}", f"{match['before']}{match['noun']}")
    heading = line.rstrip(": ")
    first, *others = heading.split(" ")
    if len(others) in range(5) and re.fullmatch(r"[A-Z][a-z]+(?: [a-z]+)*", heading):
        head = re.split(r" (?:of|for|in|to|on) ", heading)[0]
        if head.endswith("s") and not head.endswith("ss"):
            return finish(f"What are the {first.lower()} {' '.join(others)}")
    return None


def split_entries(text: str) -> tuple[str, ...]:
    """The entries of an enumeration in a sentence, as in "flour, butter and sugar"; none if it is something else."""
    parts = re.split(r"\s?,\s+(?:and\s+|or\s+)?|\s+(?:and|or)\s+", text)
    short = [part.strip() for part in parts if 0 < len(part.split()) <= MOST_ENTRY_WORDS]
    return tuple(short) if len(short) == len(parts) > 1 else ()


def _plain_clause(sentence: str, names: Names) -> Clause | None:
    """The clause, if it denies nothing and points to nothing named elsewhere."""
    clause = parse_clause(sentence, names.is_name)
    if clause is None or {"not", "never", "no"} & set(words(clause.rest)) or _POINTING & set(words(clause.rest)):
        return None
    return clause


def _is_sound(wording: Wording) -> bool:
    """Whether the question stands alone, says what it is about and does not give its answer away."""
    question = wording.question
    is_named = any(word[:1].isupper() for word in question.split()[1:]) or bool(_DEFINES.match(question))
    enough = is_named or len(content_terms(question)) >= LEAST_TERMS
    alone = stands_alone(question) or (wording.kind == "what" and bool(_DEFINES.match(question)))
    asked = f" {' '.join(words(question))} "
    given = [said for said in (*wording.answers, *wording.entries) if f" {' '.join(words(said))} " in asked]
    return alone and enough and not given and len(question.split()) <= MOST_WORDS


def _is_event(clause: Clause) -> bool:
    """Whether it tells of something done, which has its time, its place and its doer."""
    if clause.verb in {"was", "were"}:
        return BASE_OF.get(clause.rest.partition(" ")[0]) in _EVENTS
    return clause.auxiliary == "did" and clause.base in _EVENTS


def _ask_for_origin(clause: Clause, sentence: str, names: Names) -> Iterator[Wording]:
    """When and where the person was born, or the company founded, of which the sentence tells something else."""
    doer, name = names.asked_by(clause.subject), bare_name(clause.subject)
    if doer is None or {"born", "founded", "established"} & set(words(sentence)) or (doer == "Who" and not name):
        return
    done, full = ("born", name) if doer == "Who" else ("founded", clause.subject)
    yield Wording("when", finish(f"In which year was {full} {done}"))
    yield Wording("where", finish(f"Where was {full} {done}"))


def _found(phrase: re.Pattern[str], clause: Clause) -> list[re.Match[str]]:
    """Where such a phrase stands after the verb, or is all that stands in front."""
    in_front = phrase.fullmatch(clause.front)
    behind = [match for match in phrase.finditer(clause.rest) if not _is_part(clause, match)]
    return [*behind, *([in_front] if in_front else [])]


def _is_part(clause: Clause, match: re.Match[str]) -> bool:
    """Whether the phrase belongs to what the subject is said to be, as in "is a play in four acts"."""
    first = clause.rest.partition(" ")[0]
    is_passive = first in PAST_OF or first.endswith("ed") or first in {"being", "to"}
    return clause.auxiliary in BE and match.start() > 0 and not is_passive


def _ask_when(clause: Clause) -> Iterator[Wording]:
    for match in _found(TIME, clause):
        sort, answer = next((name, text) for name, text in match.groupdict().items() if text)
        word = {"year": "In which year", "hour": "At what time", "weekday": "On which day"}.get(sort, "When")
        yield Wording("when", clause.asked(word, match.group()), (answer,))


def _ask_where(clause: Clause) -> Iterator[Wording]:
    for match in _found(PLACE, clause):
        place = re.sub(r"^\w+ (?:(?:the|an?) )?", "", match.group())
        yield Wording("where", clause.asked("Where", match.group()), (place,))


def _ask_how_many(clause: Clause) -> Iterator[Wording]:
    if (match := COUNTED.match(clause.subject)) and match.end() == len(clause.subject):
        asked = f"{_how_many(match)} {clause.verb} {clause.rest} {clause.front}"
        yield Wording("how many", finish(asked), (match["count"],))
    elif clause.base != "say" and (match := COUNTED.search(clause.rest)) and not TIME.search(match.group()):
        before = match["before"].strip()
        if not _is_part(clause, match):
            asked = f"{before} {_how_many(match).lower()}" if before else _how_many(match)
            yield Wording("how many", clause.asked(asked, match.group()), (match["count"],))


def _how_many(match: re.Match[str]) -> str:
    return "What percentage" if match["noun"] in {"per cent", "percent"} else f"How many {match['noun']}"


def _ask_how_much(clause: Clause) -> Iterator[Wording]:
    if match := MONEY.match(clause.rest):
        yield Wording("how much", clause.asked("How much", match.group()), (match["sum"],))
    if clause.auxiliary in BE and (match := MEASURE.match(clause.rest)):
        how = "far away" if match["how"] == "away" else match["how"]
        yield Wording("how much", clause.asked(f"How {how}", match.group()), (match["size"],))


def _ask_who(clause: Clause, names: Names) -> Iterator[Wording]:
    """Who, or which company or council, did what the clause says."""
    if doer := names.asked_by(clause.subject):
        asked = f"{doer} {clause.verb} {clause.rest} {clause.front}"
        yield Wording("who", finish(asked), _names_of(clause.subject, doer))
    participle, _, rest = clause.rest.partition(" ")
    is_passive = clause.verb in {"was", "were"} and participle in PAST_OF
    match = agent_of(rest) if is_passive else None
    if match and (doer := names.asked_by(match["agent"])):
        others = rest.replace(match.group(), "", 1)
        asked = f"{doer} {PAST_OF[participle]} {clause.subject} {others} {clause.front}"
        yield Wording("who", finish(asked), _names_of(match["agent"], doer))


def _names_of(description: str, doer: str) -> tuple[str, ...]:
    """What names somebody, as it stands and, for a person, without title and role."""
    bare = bare_name(description) if doer == "Who" else ""
    return (description, bare) if bare not in {"", description} else (description,)


def _ask_what(clause: Clause, names: Names) -> Iterator[Wording]:
    """What something is, or what somebody did it to."""
    is_complete = clause.ending in {"", ",", "which"}
    if clause.auxiliary in BE and not clause.front and (match := _IS.match(clause.rest)):
        last = match["what"].split()[-1]
        if clause.verb not in {"is", "was"} or not is_complete or last in PREPOSITIONS:
            return
        if clause.subject.startswith(("a ", "an ", "the ")):
            return
        is_person = names.is_person(clause.subject) or bool(set(words(match["what"])) & ROLES)
        if is_person or len(clause.subject.split()) == 1:
            asked = f"{'Who' if is_person else 'What'} {clause.verb} {clause.subject}"
            yield Wording("what", finish(asked), (match["what"],))
        return
    has_object = clause.auxiliary in {"did", "does"} and not clause.ending and clause.base not in _NO_OBJECT
    match = _OBJECT.match(clause.rest) if has_object else None
    if match and not set(words(match["what"])) & ROLES:
        yield Wording("what", clause.asked("What", match["what"]), (match["what"],))


def _ask_why(sentence: str, names: Names) -> Iterator[Wording]:
    reason = _BECAUSE.search(sentence)
    clause = _plain_clause(sentence[: reason.start()], names) if reason else None
    if reason and clause is not None and not clause.ending:
        yield Wording("why", clause.asked("Why"), (reason["reason"],))


def _ask_for_entries(sentence: str, names: Names) -> Iterator[Wording]:
    """What stands enumerated in the sentence, after a colon or after "consists of"."""
    if match := _ENUMERATED.match(sentence):
        entries, clause = split_entries(match["entries"]), _plain_clause(match["main"], names)
        number = _NUMBERED.match(clause.rest) if clause is not None and not clause.ending else None
        if clause and number and len(entries) == _NUMBERS.index(number["number"]) + 2:
            phrase = clause.rest[number.start("before") :]
            asked = clause.asked(f"{number['before']}which {number['noun']}", phrase)
            yield Wording("list", asked, entries=entries)
    elif match := _CONSISTS.match(sentence):
        entries, clause = split_entries(match["entries"]), _plain_clause(f"{match['main']} things", names)
        if clause and len(entries) > 2 and clause.verb == match["verb"].split()[0]:
            yield Wording("list", clause.asked("What", "things"), entries=entries)
