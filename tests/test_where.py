import re
import sqlite3
from calendar import monthrange
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Lock
from unicodedata import normalize

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ragkit import where
from ragkit.errors import InputError
from ragkit.where import WHERE_HELP, Condition, explain_unknown_name, parse_condition, prepare, unknown_names

Facts = list[tuple[str, str]]

SCHEMA = """
CREATE TABLE documents (id INTEGER PRIMARY KEY, is_live INTEGER NOT NULL);
CREATE TABLE facts (document INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, is_own DEFAULT 0);
CREATE INDEX facts_of_documents ON facts (document, name);
"""


def stored(facts_of: dict[int, Facts], connection: sqlite3.Connection | None = None) -> sqlite3.Connection:
    connection = connection or sqlite3.connect(":memory:")
    connection.executescript(SCHEMA)
    for document, facts in facts_of.items():
        connection.execute("INSERT INTO documents VALUES (?, 1)", (document,))
        connection.executemany(
            "INSERT INTO facts (document, name, value) VALUES (?, ?, ?)", [(document, *fact) for fact in facts]
        )
    connection.commit()
    prepare(connection)
    return connection


def found(connection: sqlite3.Connection, text: str) -> set[int]:
    return selected(connection, parse_condition(text))


def selected(connection: sqlite3.Connection, condition: Condition) -> set[int]:
    query = f"SELECT id FROM documents WHERE is_live AND ({condition.sql})"
    return {row for (row,) in connection.execute(query, condition.parameters)}


LIBRARY: dict[int, Facts] = {
    1: [("tag", "Peace"), ("tag", "cold war"), ("date", "2026-06-01"), ("pages", "90"), ("language", "en")],
    2: [("tag", "war"), ("date", "2026-06-15T10:00:00+02:00"), ("pages", "100.0"), ("language", "de")],
    3: [("date", "2026-06"), ("author", "Zo\u00eb Stra\u00dfe"), ("pages", "1200"), ("version", "1.10")],
    4: [("date", "2026"), ("author", "Zoe\u0308 STRASSE"), ("pages", "many"), ("version", "1.1")],
    5: [("date", "2025-12-31"), ("title", 'What isn\'t "peace"?'), ("room", "007"), ("due on", "2027-01-01")],
    6: [("date", "last summer"), ("title", "Of peace"), ("order", "in"), ("x.y-z_1", "a/b@c:d")],
    7: [],
}
ALL = {1, 2, 3, 4, 5, 6, 7}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("tag = peace", {1}, id="one-of-several-values-in-any-case"),
        pytest.param("TAG = 'COLD WAR'", {1}, id="several-words-in-quotes"),
        pytest.param("tag != peace", ALL - {1}, id="no-value-is-equal"),
        pytest.param("not tag = war", ALL - {2}, id="not"),
        pytest.param("not not tag = war", {2}, id="not-not"),
        pytest.param("tag ~ WAR", {1, 2}, id="contains"),
        pytest.param("title ~ 'isn''t \"peace'", {5}, id="quotes-of-both-kinds"),
        pytest.param("tag in (war, 'peace')", {1, 2}, id="in"),
        pytest.param("tag not in (war, 'peace')", ALL - {1, 2}, id="not-in"),
        pytest.param("has tag", {1, 2}, id="has"),
        pytest.param("not has date", {7}, id="has-not"),
        pytest.param("author = 'zo\u00eb strasse'", {3, 4}, id="unicode-forms-and-sharp-s"),
        pytest.param("author ~ 'zoe'", set(), id="an-accent-is-no-difference-of-form"),
        pytest.param("author >= z", {3, 4}, id="text-in-order"),
        pytest.param("pages > 95", {2, 3}, id="numbers-in-order"),
        pytest.param("pages > '95'", {2, 3}, id="numbers-in-order-though-in-quotes"),
        pytest.param("pages <= +100", {1, 2}, id="at-most"),
        pytest.param("pages >= -1.5", {1, 2, 3}, id="negative"),
        pytest.param("pages = 100", {2}, id="equal-numbers-written-differently"),
        pytest.param("pages = '100'", set(), id="text-of-digits"),
        pytest.param("pages in (90.00, '1200')", {1, 3}, id="numbers-in-a-list"),
        pytest.param("version = 1.1", {3, 4}, id="versions-as-numbers"),
        pytest.param("version = '1.10'", {3}, id="versions-as-text"),
        pytest.param("room = 7", {5}, id="leading-zeros"),
        pytest.param("room = '7'", set(), id="leading-zeros-as-text"),
        pytest.param("date = 2026-06-01", {1}, id="on-a-day"),
        pytest.param("date = '2026-06-15'", {2}, id="on-a-day-in-quotes"),
        pytest.param("date = 2026-06", {1, 2, 3}, id="within-a-month"),
        pytest.param("date = 2026", {1, 2, 3, 4}, id="within-a-year"),
        pytest.param("date in (2025, 2026-06-01)", {1, 5}, id="dates-in-a-list"),
        pytest.param("date != 2026-06", {4, 5, 6, 7}, id="not-within-a-month"),
        pytest.param("date <= 2026-06", {1, 2, 3, 5}, id="until-the-end-of-a-month"),
        pytest.param("date < 2026-06", {5}, id="before-a-month"),
        pytest.param("date > 2026-05", {1, 2, 3}, id="after-a-month"),
        pytest.param("date >= 2026-06-02", {2}, id="all-of-the-time-has-to-pass"),
        pytest.param("date > 2026", set(), id="after-a-year"),
        pytest.param("date > 2025", {1, 2, 3, 4}, id="after-the-year-before"),
        pytest.param("date <= 2025-12-31", {5}, id="until-a-day"),
        pytest.param("date >= 2026-06-15T10:00", {2}, id="at-a-minute"),
        pytest.param("date > 2026-06-15T10:00", set(), id="after-a-minute"),
        pytest.param("date >= '2026-06-15 09:59:30Z'", {2}, id="clock-times-as-they-are-written"),
        pytest.param("date >= last", {6}, id="dates-against-text"),
        pytest.param("date ~ 2026-13", set(), id="contains-takes-anything"),
        pytest.param('"due on" < 2028', {5}, id="a-name-with-a-space"),
        pytest.param("x.y-z_1=a/b@c:d", {6}, id="no-spaces"),
        pytest.param("order = 'in'", {6}, id="names-and-values-like-keywords"),
        pytest.param("tag = war or tag = peace and pages < 1", {2}, id="and-binds-more"),
        pytest.param("(tag = war OR tag = peace) AND\n\tNOT(pages < 95)", {2}, id="parentheses-and-capitals"),
        pytest.param("not has tag and not has author", {5, 6, 7}, id="not-binds-most"),
    ],
)
def test_a_condition_finds_the_documents_that_it_describes(text, expected):
    assert found(stored(LIBRARY), text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tag = peace", {1}),
        ("title ~ 'cold war'", set()),
        ("language in (en, de)", {1, 2}),
        ("has author", {3, 4}),
        ("pages > 100", {3}),
        ("date >= 2026-06-01", {1, 2, 3}),
        ("date >= 2026 and (tag = peace or not has tag)", {1, 3, 4}),
        ('"due on" < 2027', set()),
        ("version = '1.10'", {3}),
    ],
)
def test_the_help_shows_conditions_that_can_be_asked(text, expected):
    assert text in WHERE_HELP
    assert found(stored(LIBRARY), text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "date >= ",
            """after "date >=" a value was expected, such as 2026-06-01 or 'peace' (column 9)""",
            id="no-value",
        ),
        pytest.param("date >= and has tag", 'after "date >=" a value was expected, such as', id="keyword-for-a-value"),
        pytest.param("", "--where: a comparison was expected, such as tag = 'peace' (column 1)", id="empty"),
        pytest.param("  \n ", "a comparison was expected, such as tag = 'peace' (column 1)", id="blank"),
        pytest.param("tag = a and", 'after "tag = a and" a comparison was expected', id="nothing-after-and"),
        pytest.param("draft", 'after "draft" one of = != < <= > >= ~ in was expected (or has before the', id="a-name"),
        pytest.param("tag == a", 'after "tag =" a value was expected', id="two-equals-signs"),
        pytest.param('tag = "a"', "(text stands in single quotes) (column 7)", id="double-quotes"),
        pytest.param("tag = ‘a’", 'after "tag =" a value was expected', id="typographic-quotes"),
        pytest.param("by = Ann Lee", 'after "by = Ann" only "and" or "or" can follow (text of several', id="two-words"),
        pytest.param("(by = Ann", 'after "(by = Ann" only "and", "or" or ")" can follow', id="open-parenthesis"),
        pytest.param("by = Ann)", 'after "by = Ann" only "and" or "or" can follow', id="closed-parenthesis"),
        pytest.param("by in Ann", 'after "by in" values in parentheses were expected, such as', id="no-list"),
        pytest.param("by in (Ann", 'after "by in (Ann" a comma or ")" was expected', id="open-list"),
        pytest.param("by not Ann", 'after "by not" the word "in" was expected (column 8)', id="not-without-in"),
        pytest.param("has 'a'", 'after "has" a name was expected, such as author', id="has-no-name"),
        pytest.param(
            "by = O'Brien", "after \"by = O\" a quotation begins that does not end ('' stands", id="apostrophe"
        ),
        pytest.param("tag = a or 1 = 1", 'after "tag = a or" a comparison was expected', id="injection"),
        pytest.param("1st = a", "--where: a comparison was expected, such as tag = 'peace' (column 1)", id="no-name"),
        pytest.param(
            "due < 2026-02-30",
            "2026-02-30 is no date such as 2026-06-01 (text in single quotes) (column 7)",
            id="no-such-day",
        ),
        pytest.param("a = 1 and due < 1.6.2026", "1.6.2026 is no date such as 2026-06-01", id="other-dates"),
        pytest.param("due in (2026/06/01)", "2026/06/01 is no date such as 2026-06-01", id="date-with-slashes"),
        pytest.param("tag = \udcff", "a character that belongs to no text stands there (column 7)", id="no-character"),
        pytest.param("a" * 2_001, "the condition has 2,001 characters, and the limit is 2,000", id="too-long"),
        pytest.param(" or ".join(["a=1"] * 51), "more than 50 comparisons and listed values", id="too-many"),
        pytest.param(
            f"a in ({','.join('1' * 51)})", "more than 50 comparisons and listed values", id="too-many-listed"
        ),
        pytest.param("(" * 51 + "a=1" + ")" * 51, "more than 50 levels of parentheses", id="too-deep"),
        pytest.param("(" * 990 + "a=1" + ")" * 990, "more than 50 levels of parentheses", id="far-too-deep"),
        pytest.param("not " * 490 + "a=1", "more than 50 levels of parentheses and negations", id="negated-too-often"),
        pytest.param("(" * 1_990, 'after "...((((((((((((((((((((((((((((((" a comparison was', id="only-parentheses"),
    ],
)
def test_what_is_no_condition_is_refused_with_the_place_and_what_was_expected(text, message):
    with pytest.raises(InputError) as caught:
        parse_condition(text)

    assert str(caught.value).startswith("--where: ")
    assert message in str(caught.value)
    assert str(caught.value).isprintable()


def test_as_much_as_is_allowed_passes():
    leaf = "a not in (2026, 2027)"
    conditions = [
        "(" * 50 + "a=1" + ")" * 50,
        "not " * 50 + "a=1",
        " or ".join(["a=1"] * 50),
        f"a in ({','.join('1' * 50)})",
        "".join(f"(a=1 {'and' if level % 2 else 'or'} " for level in range(47)) + leaf + ")" * 47,
        "".join("not (a=1 or b=1 and " for _ in range(23)) + leaf + ")" * 23,
        "".join(f"({'(' * (46 - 3 * level)}a=1{')' * (46 - 3 * level)} and " for level in range(15)) + leaf + ")" * 15,
    ]
    connection = stored(LIBRARY)
    for text in conditions:
        condition = parse_condition(text)
        inner = f"SELECT id FROM documents WHERE is_live AND ({condition.sql})"
        query = f"SELECT 1 FROM documents AS d WHERE d.id IN (SELECT 1 UNION SELECT 2 EXCEPT {inner})"
        connection.execute(query, condition.parameters)  # SQLite's own parser has room for it


def test_names_are_those_asked_about_and_unknown_ones_are_explained():
    condition = parse_condition('Autor = a and (not has Tag or lang in (en)) or "Due On" < 3 or xyz = 1')

    known = ["author", "date", "tag", "language", "due on"]
    assert condition.names == {"autor", "tag", "lang", "due on", "xyz"}
    assert unknown_names(condition, known) == ["autor", "lang", "xyz"]
    assert explain_unknown_name("autor", known) == "No document has 'autor' (did you mean 'author'?)"
    assert explain_unknown_name("lang", known) == "No document has 'lang' (did you mean 'language'?)"
    assert explain_unknown_name("xyz", ["tag", "tag"]) == "No document has 'xyz'; the closest of what they have: tag"
    assert explain_unknown_name("a\nb", []) == "No document has 'a b'; the closest of what they have: nothing"
    assert explain_unknown_name("q", [f"name{n}" for n in range(99)]).count(",") == 9


def test_threads_may_parse_at_once_and_take_turns_on_a_connection_that_only_reads(tmp_path):
    file = tmp_path / "a.db"
    stored(LIBRARY, sqlite3.connect(file)).close()
    connection = sqlite3.connect(file.as_uri() + "?mode=ro&immutable=1", uri=True, check_same_thread=False)
    prepare(connection)
    prepare(connection)
    where._parser.cache_clear()
    turn = Lock()

    def ask(pages: int) -> set[int]:
        condition = parse_condition(f"pages > {pages} and tag = war")
        with turn:
            return selected(connection, condition)

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(ask, range(200)))

    assert results == [{2} if pages < 100 else set() for pages in range(200)]
    connection.close()


# The same meaning once more in plain Python, for comparison.

Tree = tuple


def holds(tree: Tree, facts: Facts) -> bool:
    match tree:
        case ("not", part):
            return not holds(part, facts)
        case ("and", parts):
            return all(holds(part, facts) for part in parts)
        case ("or", parts):
            return any(holds(part, facts) for part in parts)
    kind, name, *wanted = tree
    values = [value for other, value in facts if other == name]
    if kind == "has":
        return bool(values)
    operator = "=" if kind in ("!=", "in", "not in") else kind
    is_met = any(passes(value, operator, *one) for value in values for one in wanted[0])
    return not is_met if kind in ("!=", "not in") else is_met


def passes(value: str, operator: str, wanted: str, is_quoted: bool) -> bool:
    if operator == "~":
        return plain(wanted) in plain(value)
    is_exact = is_quoted and operator == "="
    number, dates = number_of(wanted), dates_of(wanted)
    if dates and ("-" in wanted or not is_exact):
        inner = dates_of(value)
        if inner and is_between(inner, operator, dates):
            return True
    if number is not None and not is_exact:
        other = number_of(value)
        return other is not None and compares(other, operator, number)
    if dates and "-" in wanted:
        return False
    return compares(plain(value), operator, plain(wanted))


def compares(value, operator: str, wanted) -> bool:
    return {
        "=": value == wanted,
        "<": value < wanted,
        "<=": value <= wanted,
        ">": value > wanted,
        ">=": value >= wanted,
    }[operator]


def is_between(inner: tuple[datetime, datetime], operator: str, outer: tuple[datetime, datetime]) -> bool:
    if operator == "=":
        return outer[0] <= inner[0] and inner[1] <= outer[1]
    return compares(inner["<" in operator], operator, outer[operator in (">", "<=")])


def plain(text: str) -> str:
    return normalize("NFC", normalize("NFD", text).casefold())


def number_of(text: str) -> float | None:
    return float(text) if re.fullmatch(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?", text) else None


def dates_of(text: str) -> tuple[datetime, datetime] | None:
    written = re.fullmatch(r"(\d{4})(-\d\d)?(-\d\d)?(?:T(\d\d):(\d\d)(?:\+\d\d:\d\d)?)?", text, re.ASCII)
    if not written or (written[5] and not written[3]):
        return None
    year, month, day, hour, minute = (int(part.strip("-")) if part else None for part in written.groups())
    try:
        first = datetime(year, 1 if month is None else month, 1 if day is None else day, hour or 0, minute or 0)
    except ValueError:
        return None
    last = first.replace(month=12 if month is None else month, second=59)
    last = last.replace(day=monthrange(year, last.month)[1] if day is None else day)
    return first, last if written[5] else last.replace(hour=23, minute=59)


def quoted(text: str, quote: str) -> str:
    return quote + text.replace(quote, quote * 2) + quote


def written(tree: Tree) -> str:
    match tree:
        case ("not", part):
            return f"not ({written(part)})"
        case ("and" | "or" as word, parts):
            return f" {word.upper()} ".join(f"({written(part)})" for part in parts)
        case ("has", name):
            return f"Has {quoted(name, DOUBLE)}"
        case ("in" | "not in" as word, name, values):
            return f"{quoted(name, DOUBLE)} {word}({', '.join(map(written_value, values))})"
        case (operator, name, (wanted,)):
            return f"{quoted(name, DOUBLE)}{operator} {written_value(wanted)}"
    raise AssertionError(tree)


def written_value(wanted: tuple[str, bool]) -> str:
    return quoted(wanted[0], "'") if wanted[1] else wanted[0]


DOUBLE = '"'
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NAMES = st.sampled_from(["tag", "date", "a'b\"", "é) or 1=1 --"]) | ANY_TEXT.map(str.lower)
NUMBERS = st.sampled_from(["0", "7", "-1.5", "007", "2026", "2026.0", "2025", "120", "9" * 16])
DATES = st.sampled_from(["2025", "2026", "2026-06", "2026-07", "2026-06-30", "2026-06-01", "2026-02-28", "2024-02-29"])
TIMES = st.sampled_from(["2026-06-30T23:59", "2026-06-01T00:00", "2026-06-15T10:00+02:00", "2026-06-15T10:01"])
WORDS = st.sampled_from(
    ["peace", "Peace", "STRASSE", "Stra\u00dfe", "e\u0301", "\u00c9", "'", "''", "x'; DROP", "?", "%"]
)
ODD_DATES = st.sampled_from(["2026-13", "2026-02-30", "0000", "0000-01", "2026-06-01T25:00", "20260601"])
BARE = NUMBERS | DATES | TIMES | st.sampled_from(["peace", "STRASSE", "a/b", "0000", "?", "20260601", "notes", "é"])
VALUES = NUMBERS | DATES | TIMES | WORDS | ODD_DATES | ANY_TEXT
WANTED = st.tuples(BARE, st.just(False)) | st.tuples(VALUES, st.just(True))
LEAVES = (
    st.tuples(st.just("has"), NAMES)
    | st.tuples(st.sampled_from(["in", "not in"]), NAMES, st.lists(WANTED, min_size=1, max_size=3).map(tuple))
    | st.tuples(st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "~"]), NAMES, WANTED.map(lambda wanted: (wanted,)))
)
TREES = st.recursive(
    LEAVES,
    lambda trees: (
        st.tuples(st.just("not"), trees)
        | st.tuples(st.sampled_from(["and", "or"]), st.lists(trees, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=6,
)
FIXED_SQL = re.compile(
    r"(?:[()]| AND | OR |NOT |EXISTS \(SELECT 1 FROM facts WHERE facts\.document = documents\.id AND facts\.name = \?"
    r"|ragkit_(?:folded|number|first|last)\(facts\.value\) (?:[<>]=?|=) \?"
    r"|instr\(ragkit_folded\(facts\.value\), \?\) > 0)+"
)


@settings(max_examples=300, deadline=None)
@given(tree=TREES, facts_of=st.lists(st.lists(st.tuples(NAMES, VALUES), max_size=5), max_size=4))
@example(tree=("=", "tag", (("2026", True),)), facts_of=[[("tag", "2026")], [("tag", "2026-06")], [("tag", "2026.0")]])
def test_sqlite_finds_what_plain_python_finds(tree, facts_of):
    documents = dict(enumerate(facts_of))
    text = written(tree)
    connection = stored(documents)

    assert found(connection, text) == {number for number, facts in documents.items() if holds(tree, facts)}
    condition = parse_condition(text)
    assert FIXED_SQL.fullmatch(condition.sql)
    assert condition.sql.count("?") == len(condition.parameters)
    connection.close()


@settings(max_examples=200, deadline=None)
@given(VALUES, st.sampled_from(["=", "<", "<=", ">", ">="]), WANTED)
def test_a_single_comparison_means_what_plain_python_means(value, operator, wanted):
    connection = stored({1: [("a", value)]})

    assert found(connection, f"a {operator} {written_value(wanted)}") == (
        {1} if passes(value, operator, *wanted) else set()
    )
    connection.close()


PIECES = st.sampled_from(
    [
        "(",
        ")",
        "((((((((",
        "))))))))",
        "not ",
        "not not not ",
        " and ",
        " or ",
        "a",
        "=",
        "<",
        ">=",
        "~",
        "1",
        "2026-06",
        "'",
    ]
) | st.sampled_from(
    ["'x'", '"', '"n"', ",", " in (", "has ", "a=1", "a=1 or ", "a=1 and ", "\ud800", "\0", "é", "2026-13"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=60).map("".join) | st.text(max_size=60))
def test_any_text_is_a_condition_that_sqlite_takes_or_is_refused_in_one_line(text):
    connection = stored({1: [("a", "1")]})
    message = ""
    try:
        found(connection, text)
    except InputError as exc:
        message = str(exc)
    assert message.isprintable()
    connection.close()
