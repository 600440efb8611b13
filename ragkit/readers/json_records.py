"""JSON enters, its paragraphs leave: one for each record with the name of every value, long texts apart from them.

Shape says what is what: a list of objects is records, an object has a section for each object in it. Numbers stay as
they are written. Called through the table of readers, and by `notebook` for parsing.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ragkit.errors import DocumentError
from ragkit.readers.decoding import decode
from ragkit.readers.extraction import Builder, Extracted, Source
from ragkit.readers.headings import MAX_HEADING_CHARS
from ragkit.readers.tidying import flat, tidy

MAX_DEPTH = 100
"""Objects in lists in objects beyond this are no document; each level costs some of Python's 1,000 stack frames."""

MAX_VALUES = 2_000_000
"""Each value takes some hundred bytes of memory."""

LONG_CHARS = 200
"""A longer text is a paragraph of its own, which can be cited without the rest of its record."""

MAX_WORD_CHARS = 1_000
"""Longer texts in ASCII without a space are no language but data, such as pictures, and are cut."""

MAX_PARAGRAPH_CHARS = 2_000
"""Values of a record that are longer together are split into several paragraphs."""

MAX_NAME_CHARS = 60
"""Of the name of a value; it stands in front of every value inside."""

MAX_PATH = 6
"""So many names, the innermost, say where a value lies."""

NAMED_LINES = 3
"""So many lines that are no JSON are named, the others counted."""

_LABELS = ("title", "name", "subject", "headline", "question", "label", "id")  # what tells records apart comes first
_BRACKETS = re.compile(r'(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[^"\[\]{}]++)*+([\[{]++|[\]}]++|\Z)', re.S)
_BLANK_LINES = re.compile(r"\n[ \t\r\f\v]*\n\s*")
_SURROGATE = re.compile("[\ud800-\udfff]")

Pairs = tuple[tuple[str, Any], ...]
"""An object: names and values in order, of which a name may come twice."""

Path = tuple[str, ...]


def read_json(source: Source) -> Extracted:
    """The records or the sections of a JSON file; if there is a value on each line, those.

    Raises:
        DocumentError: It is no valid JSON, or nested too deeply.
    """
    text = decode(source.data, source.name)
    try:
        value = parse_json(text, source.name)
    except DocumentError:
        if not _has_a_value_a_line(text):
            raise
        return read_jsonl(source)
    builder = Builder()
    _add(builder, value, ())
    return builder.extracted()


def read_jsonl(source: Source) -> Extracted:
    """The records of a file with one JSON value on each line.

    Raises:
        DocumentError: No line is valid JSON.
    """
    builder = Builder()
    broken = []
    for number, line in enumerate(decode(source.data, source.name).split("\n"), start=1):
        try:
            value = parse_json(line, source.name) if line.strip() else None
        except DocumentError:
            broken.append(number)
        else:
            _add_record(builder, value, (), f"line {number}")
    if broken and not builder.spans:
        raise DocumentError(f"{source.name} has no line that is valid JSON. Correct it or leave it out.")
    if broken:
        more = f" and {len(broken) - NAMED_LINES:,} more" if len(broken) > NAMED_LINES else ""
        named = ", ".join(map(str, broken[:NAMED_LINES]))
        builder.warnings.append(f"has lines that are no valid JSON: {named}{more}")
    return builder.extracted()


def parse_json(text: str, name: str, make_object: Callable[[list[tuple[str, Any]]], Any] = tuple) -> Any:
    """The value that JSON says, with numbers as text and objects as whatever is made of their pairs.

    Raises:
        DocumentError: It is no valid JSON, nested too deeply, or holds too many values.
    """
    _check_size(text, name)
    try:
        return json.loads(
            text, strict=False, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=make_object
        )
    except json.JSONDecodeError as exc:
        where = f"{exc.msg[:60]} in line {exc.lineno}, column {exc.colno}"
        raise DocumentError(f"{name} is no valid JSON: {where}. Correct it or leave it out.") from exc


def _check_size(text: str, name: str) -> None:
    if text.count(",") + text.count("[") + text.count("{") > MAX_VALUES:
        raise DocumentError(f"{name} is too large: it holds more than {MAX_VALUES:,} values. Split it into parts.")
    depth = 0
    for match in _BRACKETS.finditer(text):
        run = match.group(1)
        depth += len(run) if run[:1] in ("[", "{") else -len(run)
        if depth > MAX_DEPTH:
            raise DocumentError(f"{name} is nested more than {MAX_DEPTH} levels deep. Flatten it or leave it out.")


def _has_a_value_a_line(text: str) -> bool:
    """Whether the first two lines are JSON each by itself."""
    lines = text.strip().split("\n", 2)[:2]
    try:
        return len(lines) == 2 and all(parse_json(line, "") is not None for line in lines)
    except DocumentError:
        return False


def _add(builder: Builder, value: Any, headings: Path) -> None:
    """Adds a value that is no record: records in it, or its own values and then a section for each other one."""
    if isinstance(value, list) and not all(map(_is_scalar, value)):
        for number, record in enumerate(value, start=1):
            _add_record(builder, record, headings, f"record {number}")
    elif isinstance(value, tuple):
        own = tuple((key, inner) for key, inner in value if _is_simple(inner))
        _add_record(builder, own, headings, "")
        for key, inner in value:
            if not _is_simple(inner):
                _add(builder, inner, _below(headings, flat(_sound(key)), MAX_HEADING_CHARS))
    else:
        _add_record(builder, value, headings, "")


def _add_record(builder: Builder, value: Any, headings: Path, place: str) -> None:
    """Adds all values inside a value, each with its name, and then the long texts among them."""
    record = _Record(builder, headings, place)
    record.collect(value, ())
    record.end(_label(value))


@dataclass(slots=True)
class _Record:
    """A record while its values are collected.

    Attributes:
        said: Values with their names for the next paragraph.
        chars: Their length.
        long: Names and texts that get paragraphs of their own.
    """

    builder: Builder
    headings: Path
    place: str
    said: list[str] = field(default_factory=list)
    chars: int = 0
    long: list[tuple[str, str]] = field(default_factory=list)

    def collect(self, value: Any, path: Path) -> None:
        """Takes in a value and all inside it."""
        if isinstance(value, tuple):
            for key, inner in value:
                self.collect(inner, _below(path, flat(_sound(key)), MAX_NAME_CHARS))
        elif isinstance(value, list) and all(map(_is_scalar, value)):
            self._collect_list(value, path)
        elif isinstance(value, list):
            for number, inner in enumerate(value, start=1):
                self.collect(inner, _below(path, str(number), MAX_NAME_CHARS))
        else:
            self._collect_text(_text(value), path)

    def end(self, label: str) -> None:
        """Adds what is still to be added; long texts stand under the label, too."""
        self._flush()
        headings = _below(self.headings, label, MAX_HEADING_CHARS) if label else self.headings
        for name, text in self.long:
            place = ", ".join(part for part in (self.place, name) if part)
            for paragraph in _BLANK_LINES.split(text):
                self.builder.add(tidy(paragraph), headings=headings, place=place)

    def _collect_list(self, values: list[Any], path: Path) -> None:
        """Takes in simple values that share a name."""
        items: list[str] = []
        chars = 0
        for text in map(_text, values):
            if _is_long(text):
                self._collect_text(text, path)
                continue
            items.append(flat(text))
            chars += len(items[-1]) + 2
            if chars > MAX_PARAGRAPH_CHARS / 2:
                self._say(", ".join(filter(None, items)), path)
                items, chars = [], 0
        self._say(", ".join(filter(None, items)), path)

    def _collect_text(self, text: str, path: Path) -> None:
        if _is_long(text):
            self.long.append((".".join(path), text))
        else:
            self._say(flat(text), path)

    def _say(self, text: str, path: Path) -> None:
        if not text:
            return
        self.said.append(f"{'.'.join(path)}: {text}" if path else text)
        self.chars += len(self.said[-1]) + 2
        if self.chars > MAX_PARAGRAPH_CHARS:
            self._flush()

    def _flush(self) -> None:
        self.builder.add("; ".join(self.said), "table", headings=self.headings, place=self.place)
        self.said, self.chars = [], 0


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, list | tuple)


def _is_simple(value: Any) -> bool:
    """Whether a value is one that is written beside its name."""
    return _is_scalar(value) or (isinstance(value, list) and all(map(_is_scalar, value)))


def _text(value: Any) -> str:
    """A simple value as it is written; nothing for null."""
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    text = _sound(str(value))
    return text[: LONG_CHARS - 1] + "…" if len(text) > MAX_WORD_CHARS and _is_one_word(text) else text


def _sound(text: str) -> str:
    """The text without halves of characters, which escapes can make."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def _is_long(text: str) -> bool:
    """Whether a text is prose that deserves paragraphs."""
    return (len(text) > LONG_CHARS and not _is_one_word(text)) or bool(_BLANK_LINES.search(text.strip()))


def _is_one_word(text: str) -> bool:
    return text.isascii() and not any(map(text.__contains__, " \n\t"))


def _below(path: Path, name: str, length: int) -> Path:
    """The path to something inside, of which the innermost names are kept; an empty name says nothing."""
    short = name if len(name) <= length else name[: length - 1] + "…"
    return (*path, short)[-MAX_PATH:] if name else path


def _label(value: Any) -> str:
    """What a record is called; empty if nothing in it looks like a name."""
    if not isinstance(value, tuple):
        return ""
    names = {key.lower(): inner for key, inner in value if isinstance(inner, str) and not _is_long(inner)}
    return next((flat(_sound(names[label])) for label in _LABELS if names.get(label)), "")
