"""Lines enter, the answer leaves to what they look like: a heading, an item of a list, code, the end of a sentence.

Called by `pdf_blocks` and `pdf_flow`; what is usual in the document is measured here as well.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from ragkit.readers.pdf.lines import Line

USUAL_DISTANCE = 1.2
"""Of two baselines, in font sizes, where a document has too few lines to tell."""

WIDEST_DISTANCE = 1.5
"""The same at most, unless lines that go on in mid-sentence show that the text is set wider."""

SMALL_SIZE = 0.93
"""Text smaller than this share of the size of the body is a footnote, a caption or a legend."""

LARGE_SIZE = 1.08
"""Text larger than this many times the size of the body is a heading, unless it is long."""

LARGE_HIDDEN_SIZE = 1.3
"""The same for recognised text, whose sizes are measured less exactly."""

MONO_BODY_SHARE = 0.6
"""Where so much of a document is typewritten, that says nothing of code."""

MAX_HEADING_CHARS = 200
"""Longer than this is no heading, whatever its letters look like."""

MAX_BOLD_CHARS = 100
"""The same for bold letters of the size of the body, which also stress a sentence."""

MAX_HEADING_LINES = 4
"""A title may run over so many lines."""

_BULLET = r"[•◦▪●○■□‣⁃∙➢➤✓✔◆❖\ue000-\uf8ff]"
_STRONG_BULLET = re.compile(rf"{_BULLET}(?=\s|\w)")
_DASH = re.compile(r"[-–—*·](?=\s)")
_WEAK_BULLET = re.compile(
    r"(?:[-–—*·]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)]|\(?[ivxlc]{1,5}[.)]|\d{1,2}(?:\.\d{1,2})+\.?)\s+(?=\S)"
)
_FOOTNOTE_MARK = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹]+ ?\w")
_SENTENCE_END = re.compile(r"[.!?…:;。！？：；][\"'”’»›)\]」』⁰¹²³⁴⁵⁶⁷⁸⁹]*$")
_BOLD_HEADING = re.compile(r"[\w\"'“„«‹¿¡§](?:[^()]|\([^()]*\))*(?<![.,;:])")
_CAPTION = re.compile(r"(?:fig(?:ure)?|table|tab|abb(?:ildung)?|tabelle|listing|figura|tabla|tableau)\.?\s*\d", re.I)


@dataclass(frozen=True, slots=True)
class Measures:
    """What is usual in a document: the size of its text, and the distance of its lines by their size."""

    body_size: float
    distances: dict[float, float]
    has_code: bool

    def distance(self, size: float) -> float:
        """Usual distance of two baselines of text of a size."""
        return self.distances.get(round(2 * size) / 2, USUAL_DISTANCE * size)

    def is_small(self, size: float) -> bool:
        """Whether text of this size is a footnote or the like."""
        return size < SMALL_SIZE * self.body_size

    def is_code(self, line: Line) -> bool:
        """Whether a line is typewritten in a document that is not."""
        return line.mono and self.has_code

    def is_large(self, line: Line) -> bool:
        """Whether a line is set in the letters of a heading."""
        return line.size > (LARGE_HIDDEN_SIZE if line.hidden else LARGE_SIZE) * self.body_size


def measure(lines: Sequence[Line]) -> Measures:
    """What is usual in a document of these lines."""
    sizes: Counter[float] = Counter()
    mono = total = 0
    for line in lines:
        sizes[round(2 * line.size) / 2] += len(line.text)
        total += len(line.text)
        mono += len(line.text) if line.mono else 0
    continuing: dict[float, list[float]] = defaultdict(list)
    every: dict[float, list[float]] = defaultdict(list)
    for line, following in pairwise(lines):
        step = following.base - line.base
        same = (line.page, line.region) == (following.page, following.region)
        if same and abs(line.size - following.size) < 0.3 and 0.8 * line.size < step < 3 * line.size:
            every[round(2 * line.size) / 2].append(step)
            if following.text[:1].islower():
                continuing[round(2 * line.size) / 2].append(step)
    distances = {
        size: median(continuing[size]) if len(continuing[size]) > 4 else min(median(steps), WIDEST_DISTANCE * size)
        for size, steps in every.items()
    }
    return Measures(sizes.most_common(1)[0][0] if sizes else 10.0, distances, mono <= MONO_BODY_SHARE * total)


def ends_sentence(text: str) -> bool:
    """Whether a line ends like a sentence, or where an example, an item of a list follows."""
    return bool(_SENTENCE_END.search(text[-40:].rstrip()))


def begins_surely(text: str) -> bool:
    """Whether a line begins with a bullet or with the mark of a footnote."""
    return bool(_STRONG_BULLET.match(text) or _FOOTNOTE_MARK.match(text))


def may_begin_item(text: str) -> bool:
    """Whether a line begins with a number or dash, as items of lists do and sometimes the middle of a sentence."""
    return bool(_WEAK_BULLET.match(text))


def is_item(text: str) -> bool:
    """Whether a paragraph begins like an item of a list."""
    return bool(_STRONG_BULLET.match(text) or _WEAK_BULLET.match(text))


def without_bullet(text: str) -> str:
    """The text of an item without its bullet; a number stays, since texts refer to it."""
    bullet = _STRONG_BULLET.match(text) or _DASH.match(text)
    return text[bullet.end() :].lstrip() if bullet else text


def is_caption(text: str) -> bool:
    """Whether a text says what a figure or table shows."""
    return bool(_CAPTION.match(text))


def is_heading(lines: Sequence[Line], measures: Measures) -> bool:
    """Whether lines are set like a heading: in few words, in larger or in bold letters."""
    if len(lines) > MAX_HEADING_LINES:
        return False
    text = " ".join(line.text for line in lines)
    if len(text) > MAX_HEADING_CHARS or sum(map(str.isalpha, text)) < 2:
        return False
    if any(line.is_entry for line in lines) or _STRONG_BULLET.match(text):
        return False
    if all(map(measures.is_large, lines)):
        return len(text) < MAX_BOLD_CHARS or not ends_sentence(text)
    is_bold = all(line.bold and not measures.is_small(line.size) for line in lines)
    return is_bold and len(text) <= MAX_BOLD_CHARS and bool(_BOLD_HEADING.fullmatch(text))
