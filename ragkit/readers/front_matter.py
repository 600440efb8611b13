"""What a document says of itself in named fields enters, as YAML, TOML or a mapping; facts leave.

Names that mean the same are made one, dates are made alike. Called by the readers of formats whose files begin with
such fields.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime

from ragkit.records import Fact

MAX_CHARS = 16 * 1024
"""Longer blocks are data rather than what someone says of a document."""

MAX_NESTING = 8
"""Front matter is flat; what nests deeper is meant to hurt."""

MAX_FACTS = 50
"""More than these few say nothing that anyone would ask for."""

MAX_VALUE_CHARS = 500
"""Longer values are text of the document rather than something about it; they are cut."""

MAX_NAME_CHARS = 60
"""The same for names."""

FRONT_MATTER = re.compile(
    r"\A(?:---[ \t]*\n(?=[^\n]*:)(?P<yaml>(?:(?!---|\.\.\.)[^\n]*\n)*)(?:---|\.\.\.)"
    r"|\+\+\+[ \t]*\n(?P<toml>(?:(?!\+\+\+)[^\n]*\n)*)\+\+\+)[ \t]*(?:\n|\Z)"
)
"""The block of fields at the top of a text, with the lines around it."""

_NAMES = {
    **dict.fromkeys(("author", "authors", "by"), "author"),
    **dict.fromkeys(("date", "published", "created"), "date"),
    **dict.fromkeys(("tag", "tags", "keyword", "keywords", "category", "categories"), "tag"),
    **dict.fromkeys(("lang", "language"), "language"),
}
_DATED = {"date", "published", "created", "updated", "modified", "lastmod", "last_modified", "last modified"}
_MONTHS = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DATES = [
    re.compile(pattern, re.I)
    for pattern in (
        r"(?P<year>\d{4})([-/.])(?P<month>\d\d?)\2(?P<day>\d\d?)(?:[T ]+\d\d?:\d\d.{0,30})?",
        r"(?P<year>(?:19|20)\d\d)(?P<month>\d\d)(?P<day>\d\d)",
        r"(?P<day>\d\d?)\.(?P<month>\d\d?)\.(?P<year>\d{4})",
        rf"(?:\w{{3,9}}, )?(?P<day>\d\d?)(?:st|nd|rd|th|\.)? {_MONTH}\.?,? (?P<year>\d{{4}})(?: \d\d?:\d\d.{{0,30}})?",
        rf"(?:\w{{3,9}}, )?{_MONTH}\.? (?P<day>\d\d?)(?:st|nd|rd|th)?,? (?P<year>\d{{4}})",
    )
]
_SLASHED_DATE = re.compile(r"(\d\d?)/(\d\d?)/(\d{4})")
_UNWRITTEN = re.compile(r"[\x00-\x1f\x7f-\x9f\xad\ud800-\udfff]")


def front_matter_facts(text: str) -> tuple[Fact, ...]:
    """The facts in the block of YAML (between lines of `---`) or TOML (`+++`) at the top; none if it is broken."""
    block = FRONT_MATTER.match(text, 0, MAX_CHARS)
    if block is None:
        return ()
    fields = _toml(block["toml"]) if block["yaml"] is None else _yaml(block["yaml"])
    return facts_of(fields) if isinstance(fields, Mapping) else ()


def facts_of(fields: Mapping[object, object]) -> tuple[Fact, ...]:
    """The facts in named fields; only values that are scalars, lists of them or authors with a `name` count.

    Where several fields say when a document was written, the date itself counts, else when it was published.
    """
    named: dict[str, object] = {}
    for field, value in fields.items():
        if isinstance(field, str) and (name := _flat(field, MAX_NAME_CHARS).lower()):
            named[name] = value
    dated = next((name for name in ("date", "published", "created") if _values("date", named.get(name))), None)
    found: dict[Fact, None] = {}
    for given, value in named.items():
        name = _NAMES.get(given, given)
        if name == "date" and given != dated:
            name = given
        found.update(dict.fromkeys(Fact(name, one) for one in _values(name, value)))
    return tuple(found)[:MAX_FACTS]


def iso_date(written: str) -> str:
    """A date as `2026-06-01` if it can mean only one day, else as it was written."""
    readings = {_day(**match.groupdict()) for match in (pattern.fullmatch(written) for pattern in _DATES) if match}
    slashed = _SLASHED_DATE.fullmatch(written)
    if slashed:
        first, second, year = slashed.groups()
        readings = {_day(year, second, first), _day(year, first, second)}
    days = readings - {None}
    return next(iter(days)) or written if len(days) == 1 else written


def _day(year: str, month: str, day: str) -> str | None:
    try:
        return date(int(year), _MONTHS.get(month[:3].lower()) or int(month), int(day)).isoformat()
    except ValueError:
        return None


def _values(name: str, value: object) -> list[str]:
    """The single values of a field as text."""
    flat = [_flat(one, MAX_VALUE_CHARS) for one in _scalars(value)]
    if name == "tag":
        flat = [part.strip() for one in flat for part in one.split(",")]
    if name in _DATED:
        flat = [iso_date(one) for one in flat]
    return [one for one in flat if one]


def _scalars(value: object) -> Iterator[str]:
    values: Iterable[object] = value if isinstance(value, list) else [value]
    for one in values:
        if isinstance(one, Mapping):
            one = one.get("name")  # noqa: PLW2901 - authors are often written with an address
        if isinstance(one, bool):
            yield str(one).lower()
        elif isinstance(one, str | int | float):
            yield str(one)
        elif isinstance(one, date):
            yield (one.date() if isinstance(one, datetime) else one).isoformat()


def _flat(text: str, limit: int) -> str:
    return " ".join(_UNWRITTEN.sub(lambda match: "" if match[0] == "\xad" else " ", text[: 2 * limit]).split())[:limit]


def _yaml(block: str) -> object:
    """The mapping in a block of YAML, in which everything is text; None if it is broken, nests or refers to itself."""
    import yaml

    depth = 0
    try:
        for event in yaml.parse(block, Loader=yaml.BaseLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_NESTING or isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                return None
        return yaml.load(block, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, ValueError, OverflowError):  # the latter of escapes that are no character
        return None


def _toml(block: str) -> object:
    import tomllib

    try:
        return tomllib.loads(block)
    except (ValueError, RecursionError):
        return None
