"""A file enters, the same file with something wrong with it leaves; called by `child` and by the tests.

Files that are made of parts are taken apart, changed inside and put together again. Text is changed by bytes, by lines,
by elements if it is XML and by values if it is JSON; what is put in are odd characters and the words that the readers
know.
"""

import ast
import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path, PurePosixPath
from random import Random
from typing import Any

from evals.fuzz.splitting import MAX_PARTS, Part, Whole, all_parts, split

MAX_BYTES = 64 * 1024 - 1
"""What is longer may take its time."""

MAX_TIMES = 2_000
"""A piece is repeated so many times at most; quadratic time shows with a few hundred."""

MAX_WORD_BYTES = 30
"""Longer texts in the readers are patterns and messages."""

DEPTH = 4
"""So deep are parts in parts changed."""

_READERS = Path(__file__).parents[2] / "ragkit" / "readers"
_ODD = [
    *(b"\x00", b"\x1f", b"\x7f", b"\r", b"\r\n", b"\n\n", b"\f", b"\x0b", b"\x1b[0m", b"\t", b" ", b"\xff", b"\xfe"),
    *"\x80 \xa0 \xad \u0660 \u00b2 \u0130 \u1e9e \u200b \u202e \ufeff \ufffd \ufffe \u0301 \u00bd".encode().split(b" "),
    *"\x85_\u2028_\u2029_\u3000_\u2003_\u216b_\u05d0_\u65e5\u672c_\U0001f600_\U0010ffff_\ue000".encode().split(b"_"),
    *(b"\xed\xa0\x80", b"\xed\xb0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\\ud800", b"\\udc00", b"\\u0000", b"&#0;"),
    *(b"&#xD800;", b"&amp;", b"&nbsp;", b"&x;", b"%00", b"=00", b"_xD800_", b"_x0000_", b"\\'00", b"\\u-1 ", b"::"),
    *(b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?", b"?>", b"<!DOCTYPE a [", b'"', b"'", b"`", b"```", b"~~~", b"{"),
    *(b"}", b"[", b"]", b"(", b")", b"<", b">", b"</", b"/>", b"|", b"*", b"_", b"#", b"---", b"===", b"+++", b"..."),
]
_NUMBERS = [
    *(b"0", b"-1", b"1", b"2", b"7", b"255", b"256", b"65535", b"65536", b"99999", b"2147483647", b"2147483648"),
    *(b"-2147483648", b"999999999999", b"18446744073709551616", b"9" * 30, b"9" * 5_000, b"0x10", b"1e999", b"-1e999"),
    *(b"1e-999", b"nan", b"inf", b"-0", b"00", b"1.5", b"1,5", b"1_000", b"", b"\xd9\xa3", b"\xc2\xb2", b"+1", b" 1 "),
]
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_TAG = re.compile(rb"<(/?)([\w:.-]+)([^<>]*?)(/?)>")
_ATTRIBUTE = re.compile(rb"(?<=\s)([\w:.-]{1,60})\s?=\s?(\"[^\"]*\"|'[^']*')")
_WORD = re.compile(rb"\w+")
_JSON_VALUES: list[Any] = [
    *(None, True, 0, -1, 1.5, 10**400, "", " ", "\ud800", "\x00", "a\n\nb", "x" * 2_000, "a b " * 100, [], {}, [[]]),
    *([{}], {"": ""}, {"a": {"b": []}}, "<p>a</p>", "# a", float("nan")),
]


class Chance(Random):
    """Random numbers, and the words that may be put into files."""

    def __init__(self, seed: int, words: Sequence[bytes]) -> None:
        super().__init__(seed)
        self.words = words


Change = Callable[[Chance, bytes, str], bytes]


@cache
def words_of(reader: str) -> tuple[bytes, ...]:
    """The short texts in the module of a reader and in those that it imports: names of elements, fields, settings."""
    found: set[bytes] = set()
    seen: set[str] = set()
    waiting = [reader]
    while waiting:
        module = waiting.pop()
        file = _READERS / f"{module.replace('.', '/')}.py"
        if module in seen or not file.exists():
            continue
        seen.add(module)
        tree = ast.parse(file.read_text(encoding="utf-8"))
        imported = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        waiting += [name.removeprefix("ragkit.readers.") for name in imported if name.startswith("ragkit.readers.")]
        found.update(_words_in(tree))
    return tuple(sorted(found))


def _words_in(tree: ast.AST) -> Iterator[bytes]:
    """The texts in a module, without what it says in docstrings and messages."""
    prose = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr | ast.Expr | ast.Raise)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and id(node) not in prose:
            said = node.value.encode("utf-8", "replace") if isinstance(node.value, str) else node.value
            yield from [said] if 0 < len(said) <= MAX_WORD_BYTES else []
            yield from (word for word in said.split() if 1 < len(word) <= MAX_WORD_BYTES)


class Mutator:
    """Breaks files.

    Args:
        reader: The name of the module of the reader that is to be given them, as it stands in `ragkit.readers`.
        others: Sound files by name, pieces of which may be put into broken ones.
        max_bytes: Of what leaves.
    """

    def __init__(self, reader: str, others: dict[str, bytes], max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._words = words_of(reader)
        self._others = [part for name, data in others.items() for part in all_parts(name, data) if part.data]

    def mutated(self, seed: int, name: str, data: bytes) -> bytes:
        """The file with some things wrong, the same for the same seed."""
        chance = Chance(seed, self._words)
        for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 5))):
            changed = self._changed(chance, name, data, DEPTH)
            data = changed if len(changed) <= self._max_bytes else data
        return data

    def _changed(self, chance: Chance, name: str, data: bytes, depth: int) -> bytes:
        whole = split(name, data) if depth and chance.random() < 0.93 else None
        if whole is None:
            return self._flat_changed(chance, name, data)
        if chance.random() < 0.1:
            return whole.join(_shuffled(chance, whole))
        sizes = [min(len(part.data), 20_000) + 50 for part in whole.parts]
        at = chance.choices(range(len(sizes)), sizes)[0]
        part = whole.parts[at]
        return whole.with_part(at, self._changed(chance, part.name, part.data, depth - 1)[: 4 * MAX_BYTES])

    def _flat_changed(self, chance: Chance, name: str, data: bytes) -> bytes:
        if chance.random() < 0.15:
            return _spliced(chance, data, self._other(chance, name))
        ways = list(_BYTES)
        if name.endswith(("json", "ipynb", "jsonl", "ndjson")):
            ways = [_json_changed] * 12 + ways
        if b"</" in data or b"/>" in data:
            ways = [*_XML, *_XML, *ways]
        return chance.choice(ways)(chance, data, name)

    def _other(self, chance: Chance, name: str) -> bytes:
        """A part of a sound file, rather one of the same kind."""
        suffix = PurePosixPath(name).suffix
        alike = [part for part in self._others if PurePosixPath(part.name).suffix == suffix]
        return chance.choice(alike if alike and chance.random() < 0.8 else self._others).data


def _shuffled(chance: Chance, whole: Whole) -> tuple[Part, ...]:
    """The parts with one left out, put twice, put elsewhere or called otherwise."""
    parts = list(whole.parts)
    at = chance.randrange(len(parts))
    match chance.randrange(4):
        case 0 if len(parts) > 1:
            del parts[at]
        case 1:
            parts.insert(chance.randrange(len(parts) + 1), parts[at])
        case 2:
            parts[at] = Part(chance.choice(parts).name, parts[at].data)
        case _:
            suffix = chance.choice(("", ".txt", ".xml", "/", "\\a", "\n", "\u202e", "é", ".gz", ".docx"))
            parts[at] = Part(parts[at].name + suffix, parts[at].data)
    return tuple(parts[:MAX_PARTS])


def _range(chance: Chance, data: bytes) -> tuple[int, int]:
    """A stretch, rather a short one, and often one of whole lines or words."""
    if not data:
        return 0, 0
    start = chance.randrange(len(data))
    end = min(len(data), start + chance.choice((1, 1, 2, 4, 8, 16, 64, 256, 1024, len(data))))
    if chance.random() < 0.4:
        start = data.rfind(b"\n", 0, start) + 1
        end = data.find(b"\n", start) + 1 or len(data)
    elif chance.random() < 0.3 and (word := _WORD.search(data, start)):
        start, end = word.span()
    return start, max(start, end)


def _flipped(chance: Chance, data: bytes, _: str) -> bytes:
    changed = bytearray(data)
    for _count in range(chance.choice((1, 1, 2, 8))):
        if changed:
            at = chance.randrange(len(changed))
            changed[at] = chance.choice((changed[at] ^ (1 << chance.randrange(8)), chance.randrange(256)))
    return bytes(changed)


def _without(chance: Chance, data: bytes, _: str) -> bytes:
    start, end = _range(chance, data)
    return data[:start] + data[end:]


def _cut(chance: Chance, data: bytes, _: str) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] if chance.random() < 0.7 else data[at:]


def _repeated(chance: Chance, data: bytes, _: str) -> bytes:
    start, end = _range(chance, data)
    room = max(1, (MAX_BYTES - len(data)) // max(1, end - start))
    times = min(room, chance.choice((1, 1, 2, 3, 10, 100, MAX_TIMES)))
    return data[:end] + times * data[start:end] + data[end:]


def _moved(chance: Chance, data: bytes, _: str) -> bytes:
    start, end = _range(chance, data)
    rest = data[:start] + data[end:]
    at = chance.randrange(len(rest) + 1)
    return rest[:at] + data[start:end] + rest[at:]


def _with_odd(chance: Chance, data: bytes, _: str) -> bytes:
    start, end = _range(chance, data)
    times = chance.choice((1, 1, 1, 2, 20, 500))
    return data[:start] + times * chance.choice(_ODD) + data[chance.choice((start, end)) :]


def _with_word(chance: Chance, data: bytes, _: str) -> bytes:
    start, end = _range(chance, data)
    return data[:start] + chance.choice(chance.words) + data[chance.choice((start, end)) :]


def _renumbered(chance: Chance, data: bytes, name: str) -> bytes:
    found = list(_NUMBER.finditer(data))
    if not found:
        return _with_odd(chance, data, name)
    match = chance.choice(found)
    return data[: match.start()] + chance.choice(_NUMBERS) + data[match.end() :]


def _indented(chance: Chance, data: bytes, _: str) -> bytes:
    lines = data.split(b"\n")
    first = chance.randrange(len(lines))
    last = min(len(lines), first + chance.choice((1, 1, 2, 5, len(lines))))
    lead = chance.choice(
        (b" ", b"    ", b"\t", b"> ", b"- ", b"  - ", b"1. ", b"# ", b"| ", b"* ", b".. ", b":a: ", b"{")
    )
    lead *= chance.choice((1, 1, 1, 2, 5, 100))
    lines[first:last] = [lead + line if chance.random() < 0.9 else line.lstrip() for line in lines[first:last]]
    return b"\n".join(lines)


def _spliced(chance: Chance, data: bytes, other: bytes) -> bytes:
    start, end = _range(chance, other)
    if chance.random() < 0.3:
        return data[: chance.randrange(len(data) + 1)] + other[start:]
    at = chance.randrange(len(data) + 1)
    return data[:at] + other[start:end] + data[chance.choice((at, min(len(data), at + end - start))) :]


def _element(chance: Chance, data: bytes) -> tuple[int, int] | None:
    """Where some element begins and ends, if it can be told."""
    openings = [match for match in _TAG.finditer(data) if not match[1]]
    if not openings:
        return None
    opening = chance.choice(openings)
    if opening[4]:
        return opening.span()
    depth = 0
    for match in _TAG.finditer(data, opening.start()):
        if match[2] == opening[2] and not match[4]:
            depth += -1 if match[1] else 1
            if depth == 0:
                return opening.start(), match.end()
    return opening.span()


def _element_repeated(chance: Chance, data: bytes, _: str) -> bytes:
    found = _element(chance, data)
    if found is None:
        return data
    start, end = found
    times = min(chance.choice((1, 1, 3, 30, MAX_TIMES)), max(1, (MAX_BYTES * 4 - len(data)) // (end - start)))
    return data[:end] + times * data[start:end] + data[end:]


def _element_moved(chance: Chance, data: bytes, _: str) -> bytes:
    found, target = _element(chance, data), _element(chance, data)
    if found is None or target is None:
        return data
    moved, rest = data[slice(*found)], data[: found[0]] + data[found[1] :]
    inner = data.find(b">", target[0]) + 1
    at = min(chance.choice((target[0], target[1], inner)), len(rest))
    kept = rest if chance.random() < 0.7 else data
    return kept[:at] + moved + kept[at:]


def _element_dropped(chance: Chance, data: bytes, _: str) -> bytes:
    found = _element(chance, data)
    if found is None:
        return data
    start, end = found
    if chance.random() < 0.5:
        return data[:start] + data[end:]
    inner = _TAG.sub(b"", data[start:end], count=1)
    return data[:start] + inner[: inner.rfind(b"</") if b"</" in inner else None] + data[end:]


def _element_nested(chance: Chance, data: bytes, _: str) -> bytes:
    """An element put into itself, some levels deep."""
    found = _element(chance, data)
    opening = found and _TAG.match(data, found[0])
    if not found or not opening or opening[4]:
        return data
    levels = chance.choice((1, 2, 10, 100, 250, 300))
    start, end = found
    return data[:start] + opening.group() * levels + data[start:end] + b"</%b>" % opening[2] * levels + data[end:]


def _tag_renamed(chance: Chance, data: bytes, _: str) -> bytes:
    tags = sorted({match[2] for match in _TAG.finditer(data)})
    if not tags:
        return data
    old = chance.choice(tags)
    prefix = old[: old.find(b":") + 1]
    known = [word for word in chance.words if word.isalpha()]
    new = chance.choice(tags) if chance.random() < 0.4 else prefix + chance.choice(known)
    found = _element(chance, data)
    start, end = found if found and chance.random() < 0.6 else (0, len(data))
    return data[:start] + re.sub(rb"(</?)%b(?=[\s/>])" % re.escape(old), rb"\g<1>" + new, data[start:end]) + data[end:]


def _attribute_changed(chance: Chance, data: bytes, _: str) -> bytes:
    found = list(_ATTRIBUTE.finditer(data))
    if not found:
        return data
    match = chance.choice(found)
    values = [one[2][1:-1] for one in found]
    value = chance.choice((chance.choice(_NUMBERS), chance.choice(values), chance.choice(chance.words), b"", b"true"))
    value = value.replace(b'"', b"").replace(b"<", b"")
    name = match[1] if chance.random() < 0.8 else chance.choice(found)[1]
    changed = b'%b="%b"' % (name, value) if chance.random() < 0.85 else b""
    return data[: match.start()] + changed + data[match.end() :]


def _json_changed(chance: Chance, data: bytes, name: str) -> bytes:
    lines = data.split(b"\n") if name.endswith(("jsonl", "ndjson")) else [data]
    at = chance.randrange(len(lines))
    try:
        value = json.loads(lines[at])
    except (ValueError, RecursionError):
        return _flipped(chance, data, name)
    lines[at] = json.dumps(_value_changed(chance, value)).encode()
    return b"\n".join(lines)


def _value_changed(chance: Chance, value: Any) -> Any:
    """The value with one inside it, any of them, made another."""
    if isinstance(value, dict | list) and value and chance.random() < 0.8:
        keys: Sequence[Any] = list(value) if isinstance(value, dict) else range(len(value))
        key = chance.choice(keys)
        return _inside_changed(chance, value.copy(), key)
    if chance.random() < 0.15:
        for _ in range(chance.choice((1, 5, 90, 110))):
            value = [value] if chance.random() < 0.5 else {"a": value}
        return value
    return chance.choice(_JSON_VALUES)


def _inside_changed(chance: Chance, value: Any, key: Any) -> Any:
    match chance.randrange(8):
        case 0:
            del value[key]
        case 1 if isinstance(value, list):
            value.insert(key, value[key])
        case 2 if isinstance(value, dict):
            value[chance.choice(chance.words).decode("utf-8", "replace")] = value.pop(key)
        case _:
            value[key] = _value_changed(chance, value[key])
    return value


_BYTES: list[Change] = [
    *(_flipped, _flipped, _without, _without, _cut, _repeated, _repeated, _moved, _with_odd, _with_odd, _with_word),
    *(_with_word, _renumbered, _indented),
]
_XML: list[Change] = [
    *(_element_repeated, _element_moved, _element_moved, _element_dropped, _element_nested, _tag_renamed, _tag_renamed),
    *(_attribute_changed, _attribute_changed, _attribute_changed),
]
