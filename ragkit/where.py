"""A condition such as `date >= 2026-06-01 and tag = 'peace'` enters, SQL with bound parameters leaves.

Conditions compare what documents say of themselves: `name = value` (or `!= < <= > >= ~`), `name in (a, b)`, `has name`,
joined by `and`, `or`, `not` and parentheses; `WHERE_HELP` says what they mean. The SQL tests a row of `documents`
against its rows in `facts(document, name, value, is_own)`; nothing in it comes from the text. Called by what searches.
"""

import re
import sqlite3
import unicodedata
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from rapidfuzz import process
from rapidfuzz.distance import JaroWinkler

from ragkit.errors import InputError

if TYPE_CHECKING:
    from lark import Lark, Token, Tree, UnexpectedInput

MAX_CHARS = 2_000
MAX_COMPARISONS = 50
"""Nobody types more; a program that writes more can ask in parts. Listed values count as comparisons too."""

MAX_DEPTH = 50
"""SQLite's parser keeps at most 100 signs and words in mind; some 30 of them are not parentheses and negations."""

SIMILAR_NAME = 0.85
"""Jaro-Winkler similarity of a slip or an abbreviation ("autor", "lang") to the name that was meant."""

SHOWN_CHARS, SHOWN_NAMES = 30, 10
"""So much of what stands before a mistake, and so many names to choose from, fit into one line."""

WHERE_HELP = """\
tag = peace             has that value, whatever the letter case; != has no such value
title ~ 'cold war'      contains it; text of several words stands in single quotes ('' for a single quote in it)
language in (en, de)    has one of these; not in: has none of them
has author              has any value
pages > 100             < <= > >= compare as numbers, dates or text, whichever the wanted value is
date >= 2026-06-01      a month (2026-06) or a year can be wanted too: = within it, <= until its end, > after its end

Join them: date >= 2026 and (tag = peace or not has tag). Names with spaces stand in double quotes: "due on" < 2027.
A document that gives only a month or a year passes if all of that time does. Clock times (2026-06-01T10:00) compare as
they are written, in whatever time zone. In quotes a number is text to =, != and in: version = '1.10' is not 1.1.
"""

Parameter = str | float
_GRAMMAR = r"""
    ?any: all (_OR all)*
    ?all: part (_AND part)*
    ?part: _NOT part                                         -> negation
        | "(" any ")"                                        -> group
        | _HAS name                                          -> has
        | name OPERATOR value                                -> comparison
        | name _IN "(" value ("," value)* ")"                -> one_of
        | name _NOT _IN "(" value ("," value)* ")"           -> none_of
    ?name: NAME | QUOTED_NAME
    ?value: WORD | QUOTED
    _AND: /and(?![A-Za-z0-9_.-])/i
    _OR: /or(?![A-Za-z0-9_.-])/i
    _NOT: /not(?![A-Za-z0-9_.-])/i
    _IN: /in(?![A-Za-z0-9_.-])/i
    _HAS: /has(?![A-Za-z0-9_.-])/i
    OPERATOR: /[!<>]=|[=<>~]/
    NAME: /(?!(?:and|or|not|in|has)(?![A-Za-z0-9_.-]))[A-Za-z_][A-Za-z0-9_.-]*/i
    QUOTED_NAME: /"(?:[^"]|"")*"/
    WORD: /(?!(?:and|or|not|in|has)(?![^\s()'",=<>!~]))[^\s()'",=<>!~`´‘’‚“”„«»][^\s()'",=<>!~]*/i
    QUOTED: /'(?:[^']|'')*'/
    %ignore /\s+/
"""

_EXPECTED = {
    "QUOTED": "a value was expected, such as 2026-06-01 or 'peace'",
    "OPERATOR": "one of = != < <= > >= ~ in was expected (or has before the name)",
    "_HAS": "a comparison was expected, such as tag = 'peace'",
    "NAME": "a name was expected, such as author",
    "COMMA": 'a comma or ")" was expected',
    "RPAR": 'only "and", "or" or ")" can follow (text of several words stands in single quotes)',
    "$END": 'only "and" or "or" can follow (text of several words stands in single quotes)',
    "LPAR": "values in parentheses were expected, such as ('peace', 'war')",
    "_IN": 'the word "in" was expected',
}
"""By what the parser would take; the first that applies, or the end where it takes nothing more."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?")
"""Longer ones are identifiers: as floats, different ones would be equal."""

_DATE = re.compile(
    r"([0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?)?)?)"
    r"(?:(?<=:[0-9]{2})(?:\.[0-9]+)? ?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_LIKE_A_DATE = re.compile(r"\d{4}([-/.])\d{1,2}(?:\1\d{1,2}(?:T.*)?)?|\d{1,2}([-/.])\d{1,2}\2\d{4}")
_FACT = "EXISTS (SELECT 1 FROM facts WHERE facts.document = documents.id AND facts.name = ?"
_OF_FILE = ("path", "name", "folder", "type", "collection", "modified")  # a document that says them is not believed
_TEXT_TESTS = {operator: f"ragkit_folded(facts.value) {operator} ?" for operator in ("=", "<", "<=", ">", ">=")}
_NUMBER_TESTS = {operator: f"ragkit_number(facts.value) {operator} ?" for operator in _TEXT_TESTS}
_DATE_TESTS = {
    "=": ("ragkit_first(facts.value) >= ? AND ragkit_last(facts.value) <= ?", slice(0, 2)),
    "<": ("ragkit_last(facts.value) < ?", slice(0, 1)),
    "<=": ("ragkit_last(facts.value) <= ?", slice(1, 2)),
    ">": ("ragkit_first(facts.value) > ?", slice(1, 2)),
    ">=": ("ragkit_first(facts.value) >= ?", slice(0, 1)),
}
"""With which of the wanted date's two moments, its first and its last, take the places of the `?`."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What documents have to be like, as SQL.

    Attributes:
        sql: Is 1 or 0 (never NULL) for a row of `documents`, on a connection that went through `prepare`.
        parameters: What takes the places of its `?`, in order.
        names: Of all facts that it asks about, in lower case.
        comparisons: How many there are in it.
        depth: How deep parentheses and negations lie; what is joined counts as two deeper, but for its deepest part.
    """

    sql: str
    parameters: tuple[Parameter, ...]
    names: frozenset[str]
    comparisons: int = 1
    depth: int = 0


def parse_condition(text: str) -> Condition:
    """What was asked for with `--where`.

    Raises:
        InputError: It is no condition; the message says where it stops being one, and what was expected there.
    """
    from lark import UnexpectedInput

    if len(text) > MAX_CHARS:
        raise InputError(f"--where: the condition has {len(text):,} characters, and the limit is {MAX_CHARS:,}")
    if lone := re.search("[\ud800-\udfff]", text):
        raise _mistake("a character that belongs to no text stands there", lone.start())
    try:
        condition = _compiled(_parser().parse(text))
    except UnexpectedInput as exc:
        raise _unexpected(exc, text) from exc
    return replace(condition, sql=f"({condition.sql})")


def prepare(connection: sqlite3.Connection) -> None:
    """Registers the functions that the SQL calls, on a connection that no two threads use at the same time.

    SQLite keeps it while it waits for Python to run one; a thread that wants it then waits with Python's lock in hand.
    """
    connection.create_function("ragkit_folded", 1, folded, deterministic=True)
    connection.create_function("ragkit_number", 1, _number, deterministic=True)
    connection.create_function("ragkit_first", 1, lambda value: (_moments(value) or (None,))[0], deterministic=True)
    connection.create_function("ragkit_last", 1, lambda value: (_moments(value) or (None,))[-1], deterministic=True)


def folded(text: str) -> str:
    """The text as it is compared: without differences of letter case and of Unicode form."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def unknown_names(condition: Condition, known: Iterable[str]) -> list[str]:
    """The names that the condition asks about and that are not among the known ones, sorted."""
    return sorted(condition.names - set(known))


def explain_unknown_name(name: str, known: Iterable[str]) -> str:
    """One line for a name that no document has: which was probably meant or, if none is like it, which come closest."""
    closest = process.extract(name, sorted(set(known)), scorer=JaroWinkler.normalized_similarity, limit=SHOWN_NAMES)
    names = [_shown(other) for other, _, _ in closest]
    if closest and closest[0][1] >= SIMILAR_NAME:
        return f"No document has '{_shown(name)}' (did you mean '{names[0]}'?)"
    return f"No document has '{_shown(name)}'; the closest of what they have: {', '.join(names) or 'nothing'}"


@cache
def _parser() -> "Lark":
    """The one parser; it keeps no state between calls, so threads share it."""
    from lark import Lark

    return Lark(_GRAMMAR, parser="lalr", start="any", maybe_placeholders=False)


def _compiled(tree: "Tree[Token]") -> Condition:
    """The condition of a parse tree, which may be far deeper than Python's stack, from the leaves upwards."""
    done: dict[int, Condition] = {}
    for branch in tree.iter_subtrees():
        parts = [done[id(child)] for child in branch.children if id(child) in done]
        tokens = [child for child in branch.children if isinstance(child, str)]
        condition = _joined(str(branch.data), parts) if parts else _leaf(str(branch.data), *tokens)
        if condition.comparisons > MAX_COMPARISONS:
            raise InputError(f"--where: more than {MAX_COMPARISONS} comparisons and listed values. Leave some out")
        if condition.depth > MAX_DEPTH:
            raise InputError(f"--where: more than {MAX_DEPTH} levels of parentheses and negations. Leave some out")
        done[id(branch)] = condition
    return done[id(tree)]


def _joined(kind: str, parts: list[Condition]) -> Condition:
    """The deepest part goes first, where nothing that is begun stands before it."""
    if kind in ("negation", "group"):
        (part,) = parts
        return replace(part, sql=f"NOT {part.sql}" if kind == "negation" else f"({part.sql})", depth=part.depth + 1)
    first, *others = sorted(parts, key=lambda part: -part.depth)
    return Condition(
        (" AND " if kind == "all" else " OR ").join(part.sql for part in (first, *others)),
        tuple(parameter for part in (first, *others) for parameter in part.parameters),
        frozenset().union(*(part.names for part in parts)),
        sum(part.comparisons for part in parts),
        max(first.depth, 2 + others[0].depth),
    )


def _leaf(kind: str, name_token: "Token", *others: "Token") -> Condition:
    """A comparison, a list or `has`."""
    name = _unquoted(name_token).lower()
    fact = _FACT + " AND NOT facts.is_own" * (name in _OF_FILE)
    if kind == "has":
        return Condition(f"{fact})", (name,), frozenset([name]))
    operator, values = (str(others[0]), others[1:]) if kind == "comparison" else ("=", others)
    tests = [test for value in values for test in _tests("=" if operator == "!=" else operator, value)]
    negation = "NOT " if kind == "none_of" or operator == "!=" else ""
    return Condition(
        f"{negation}{fact} AND ({' OR '.join(sql for sql, _ in tests)}))",
        (name, *(parameter for _, parameters in tests for parameter in parameters)),
        frozenset([name]),
        len(values),
    )


def _tests(operator: str, token: "Token") -> list[tuple[str, tuple[Parameter, ...]]]:
    """SQL and parameters of the tests of which a stored value has to pass one."""
    text, is_quoted = _unquoted(token), token.type == "QUOTED"
    if operator == "~":
        return [("instr(ragkit_folded(facts.value), ?) > 0", (folded(text),))]
    number, moments = None if is_quoted and operator == "=" else _number(text), _moments(text)
    tests: list[tuple[str, tuple[Parameter, ...]]] = []
    if number is not None:
        tests = [(_NUMBER_TESTS[operator], (number,))]
    if moments and (number is not None or "-" in text):  # a mere year in quotes is text like a number there
        sql, wanted = _DATE_TESTS[operator]
        tests.append((sql, (*moments[wanted],)))
    if not tests and not is_quoted and _LIKE_A_DATE.fullmatch(text):
        raise _mistake(f"{_shown(text)} is no date such as 2026-06-01 (text in single quotes)", token.start_pos or 0)
    return tests or [(_TEXT_TESTS[operator], (folded(text),))]


def _unquoted(token: "Token") -> str:
    quote = token[0]
    return token[1:-1].replace(quote * 2, quote) if token.type.startswith("QUOTED") else str(token)


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _moments(text: str) -> tuple[str, str] | None:
    """The first and the last second of a date, which may be a year, a month, a day, a minute; None if it is none."""
    if not (match := _DATE.fullmatch(text)):
        return None
    given = match[1].replace(" ", "T")
    first = given + "0001-01-01T00:00:00"[len(given) :]
    try:
        begin = datetime.fromisoformat(first)
    except ValueError:
        return None
    days = monthrange(begin.year, begin.month)[1] if len(given) == len("2026-06") else 31
    return first, given + f"9999-12-{days}T23:59:59"[len(given) :]


def _unexpected(exc: "UnexpectedInput", text: str) -> InputError:
    """What the parser stumbled over, in plain words."""
    token = getattr(exc, "token", None)  # None where not even a word or a sign could be made out
    position = exc.pos_in_stream or 0
    if token is not None and token.type == "$END":
        text = text.rstrip()
        position = len(text) + bool(text)
    accepted = exc.interactive_parser.accepts() if exc.interactive_parser else ()  # type: ignore[no-untyped-call]
    wanted = next((words for terminal, words in _EXPECTED.items() if terminal in accepted), _EXPECTED["$END"])
    if token is None and text.startswith(("'", '"'), position):
        wanted = "a quotation begins that does not end ('' stands for ' in text)"
    elif text.startswith('"', position) and "QUOTED" in accepted:
        wanted += " (text stands in single quotes)"
    before = _shown(text[:position])
    if len(before) > SHOWN_CHARS:
        before = f"...{before[-SHOWN_CHARS:].lstrip()}"
    return _mistake(f'after "{before}" {wanted}' if before else wanted, position)


def _mistake(what: str, position: int) -> InputError:
    return InputError(f"--where: {what} (column {position + 1})")


def _shown(text: str) -> str:
    """The text on one line that a terminal can show."""
    return "".join(sign if sign.isprintable() else "?" for sign in " ".join(text.split()))
