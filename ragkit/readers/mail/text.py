"""The plain text of a mail enters, its stretches leave: what the sender wrote, what is quoted, the signature.

Called by `mail`. Signs of quotation and soft line ends are removed; enclosed signatures and keys are no text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

MAX_SIGNATURE_LINES = 15
"""More lines after `--` are text below a rule."""

MAX_ATTRIBUTION_LINES = 3
"""`On Monday, 4 May 2026 at 09:12, somebody wrote:` is seldom wrapped into more."""

_QUOTE_SIGNS = re.compile(r"(?:> ?)+")
_FLOWED_QUOTE_SIGNS = re.compile(r">+")
_SIGNED_BEGIN = re.compile(r"^-----BEGIN PGP SIGNED MESSAGE-----\n(?:[A-Za-z]+:.*\n)*", re.M)
_PGP_BLOCK = re.compile(
    r"^-----BEGIN PGP (MESSAGE|SIGNATURE|PUBLIC KEY BLOCK)-----$.*?(?:^-----END PGP \1-----$|\Z)", re.M | re.S
)
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Lines of a mail that belong together."""

    text: str
    is_quoted: bool = False
    is_signature: bool = False


@dataclass(frozen=True, slots=True)
class _QuotedLine:
    depth: int
    text: str


def stretches(text: str, is_flowed: bool = False, drops_space: bool = False) -> list[Stretch]:
    """The stretches of a mail's text in order.

    Args:
        text: All of it.
        is_flowed: Whether a space at the end of a line means that its paragraph goes on (RFC 3676).
        drops_space: Whether that space is then no part of the text.
    """
    lines = _without_signs(_without_pgp(text), is_flowed)
    if is_flowed:
        lines = _joined(lines, drops_space)
    groups = [(depth, [line.text for line in group]) for depth, group in groupby(lines, key=lambda line: line.depth)]
    found: list[Stretch] = []
    for number, (depth, group) in enumerate(groups):
        if depth:
            found.append(Stretch("\n".join(group), is_quoted=True))
        else:
            is_before_quote = number + 1 < len(groups)
            found += _own_stretches(group, is_before_quote)
    return [stretch for stretch in found if stretch.text.strip()]


def is_encrypted(text: str) -> bool:
    """Whether the text is a message that only its receiver can read."""
    return any(match.group(1) == "MESSAGE" for match in _PGP_BLOCK.finditer(text))


def _without_pgp(text: str) -> str:
    return _PGP_BLOCK.sub("", _SIGNED_BEGIN.sub("", text))


def _without_signs(text: str, is_flowed: bool) -> Iterator[_QuotedLine]:
    for line in text.split("\n"):
        signs = (_FLOWED_QUOTE_SIGNS if is_flowed else _QUOTE_SIGNS).match(line)
        content = line[signs.end() :] if signs else line
        # A flowed line that begins with a space was given one so that it would not look like a quotation.
        yield _QuotedLine(signs.group().count(">") if signs else 0, content.removeprefix(" ") if is_flowed else content)


def _joined(lines: Iterator[_QuotedLine], drops_space: bool) -> Iterator[_QuotedLine]:
    """The lines with those joined that flow into each other."""
    parts: list[str] = []
    depth = 0
    for line in lines:
        is_rule = line.text == "-- "
        if parts and (line.depth != depth or is_rule):
            yield _QuotedLine(depth, "".join(parts))
            parts = []
        depth = line.depth
        if line.text.endswith(" ") and not is_rule:
            parts.append(line.text[:-1] if drops_space else line.text)
        else:
            yield _QuotedLine(depth, "".join((*parts, line.text)))
            parts = []
    if parts:
        yield _QuotedLine(depth, "".join(parts))


def _own_stretches(lines: list[str], is_before_quote: bool) -> Iterator[Stretch]:
    """What the sender wrote, then who is quoted next, or the signature."""
    rule = next((number for number, line in enumerate(lines) if line.rstrip() == "--"), len(lines))
    signature = [line for line in lines[rule + 1 :] if line.strip()]
    if signature and len(signature) <= MAX_SIGNATURE_LINES:
        yield Stretch("\n".join(lines[:rule]))
        yield Stretch("\n".join(signature), is_signature=True)
        return
    start = _attribution_start(lines) if is_before_quote else len(lines)
    yield Stretch("\n".join(lines[:start]))
    yield Stretch("\n".join(lines[start:]))


def _attribution_start(lines: list[str]) -> int:
    """Where the last lines begin that say who wrote what is quoted after them; past the end if none do."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    if not end or not lines[end - 1].rstrip().endswith((":", "：")):
        return len(lines)
    for start in range(end - 1, max(-1, end - 1 - MAX_ATTRIBUTION_LINES), -1):
        if not lines[start].strip():
            break
        if _DIGIT.search(lines[start]):
            return start
    return end - 1
