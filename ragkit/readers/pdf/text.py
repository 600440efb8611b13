"""The lines of a paragraph enter, its text leaves: words that were cut at line ends are whole again.

Whether a hyphen belongs to the word is told by the rest of the document. Code keeps its lines and its indentation.
Called by `pdf_flow` and `pdf_grids`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ragkit.readers.pdf.lines import Line

MIN_PART_CHARS = 4
"""Two parts of a word that are words elsewhere and at least so long are taken for a compound (release-critical)."""

TAIL_CHARS = 120
"""So much of the text before a line end is looked at; longer words are no words."""

ADDRESS_BREAKS = "/._-?=&#%~"
"""Behind these, an address is broken at a line end."""

MAX_INDENT = 200
"""A line of code is indented by so many spaces, at most."""

MAX_BLANK_LINES = 3
"""A wider gap in code is shown as so many blank lines."""

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_LAST_PART = re.compile(r"([^\W\d_]+(?:-[^\W\d_]+)*)-$")
_FIRST_PART = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_CODE_BREAK = re.compile(r"\S*[/._\-=&?+@~]$|\S*,\S*,$|\S*\{[^\s}]*,$")
_WRAPPED = "˓→"  # Sphinx, before the rest of a line of code that was too long; a space there is shown as ␣
_WIDE = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\u3000-\u30ff]")


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a document, and whether its writer cuts words at line ends."""

    counts: Counter[str]
    cuts_words: bool

    def joined(self, left: str, right: str) -> str:
        """Two parts of a word that a line end parts: together, or with their hyphen."""
        whole, compound = left.rsplit("-", 1)[-1] + right.split("-", 1)[0], f"{left}-{right}"
        if not right[:1].islower():
            return compound
        in_one, with_hyphen = self._count(whole), self._count(compound)
        if in_one != with_hyphen:
            return left + right if in_one > with_hyphen else compound
        if "-" in left or not self.cuts_words:
            return compound
        are_words = min(len(left), len(right)) >= MIN_PART_CHARS and self.counts[left] and self.counts[right]
        return compound if are_words else left + right

    def _count(self, word: str) -> int:
        return self.counts[word] + (self.counts[word.lower()] if word[:1].isupper() else 0)


def words_of(lines: Sequence[Line]) -> Words:
    """The words of a document that are not cut."""
    counts: Counter[str] = Counter()
    cuts: list[tuple[str, str]] = []
    is_rest = False
    for line, following in pairwise([*lines, None]):
        assert line is not None
        found = _WORD.findall(line.text)
        cut = _LAST_PART.search(line.text[-TAIL_CHARS:])
        counts.update(found[is_rest : len(found) - bool(cut)])
        first = _FIRST_PART.match(following.text) if following else None
        if cut and first and not line.mono:
            cuts.append((cut[1], first[0]))
        is_rest = bool(cut)
    known = Words(counts, True)
    whole = sum(bool(known._count(left + right)) for left, right in cuts)
    compound = sum(bool(known._count(f"{left}-{right}")) for left, right in cuts)
    return Words(counts, whole > 0 or compound < 3)


def prose_text(lines: Iterable[Line], words: Words) -> str:
    """The text of lines of prose as one line."""
    parts: list[str] = []
    tail = ""
    before: Line | None = None
    for line in lines:
        text = " ".join(line.text.split())
        if before is not None and tail and text:
            dropped, text = _joined(tail, before, text, line, words)
            parts[-1] = parts[-1][: len(parts[-1]) - dropped]
        parts.append(text)
        tail, before = (tail + text)[-TAIL_CHARS:], line
    return "".join(parts)


def _joined(tail: str, before: Line, text: str, line: Line, words: Words) -> tuple[int, str]:
    """How much of the end of a line is dropped before the next one, and that one with what stands in between."""
    last = tail.rsplit(" ", 1)[-1]
    cut, first = _LAST_PART.search(tail), _FIRST_PART.match(text)
    if last.endswith("/-") and _is_address(last):  # TeX puts a hyphen where it breaks an address
        return 1, text
    if _is_one_word(last, text, is_code=before.pieces[-1].mono and line.pieces[0].mono):
        return 0, text
    if cut and first and not before.pieces[-1].mono:
        word = words.joined(cut[1], first[0])
        return (0, text) if word.startswith(f"{cut[1]}-") else (1, text)
    has_hyphen = tail.endswith("-") and tail[-2:-1].isalnum() and text[0].isalnum()
    return 0, text if has_hyphen else spaced(tail, text)[len(tail) :]


def _is_address(word: str) -> bool:
    return "://" in word or "www." in word


def _is_one_word(last: str, text: str, *, is_code: bool) -> bool:
    """Whether an address or a word of code goes on in the next line."""
    if _is_address(last) and last[-1] in ADDRESS_BREAKS:
        return not (last.endswith(".") and text[0].isupper())
    return is_code and bool(_CODE_BREAK.fullmatch(last)) and (text[0].isalnum() or text[0] in "_/{*$<")


def spaced(text: str, rest: str) -> str:
    """Two lines with a space between them, unless they are in a script that has none."""
    if text and rest and _WIDE.match(text[-1]) and _WIDE.match(rest[0]):
        return text + rest
    return f"{text} {rest}" if text else rest


def code_text(lines: Sequence[Line], distance: float) -> str:
    """The text of lines of code, each on its own line, indented as on the page."""
    width = _char_width(lines)
    left = min(line.x0 for line in lines)
    shown = []
    for before, line in zip([None, *lines], lines, strict=False):
        if before is not None and before.page == line.page and before.region == line.region:
            blank = round((line.base - before.base) / distance) - 1 if distance > 0 else 0
            shown += [""] * min(max(blank, 0), MAX_BLANK_LINES)
        if shown and line.text.startswith(_WRAPPED):
            shown[-1] = shown[-1].removesuffix("␣") + line.text.removeprefix(_WRAPPED)
            continue
        indent = min(max(round((line.x0 - left) / width), 0), MAX_INDENT) if width else 0
        shown.append(" " * indent + line.text.rstrip())
    return "\n".join(shown)


def _char_width(lines: Sequence[Line]) -> float:
    piece = max((piece for line in lines for piece in line.pieces), key=lambda piece: len(piece.text))
    return (piece.x1 - piece.x0) / len(piece.text)
