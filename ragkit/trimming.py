"""A sentence of the source to shorter ones that still hold the answer.

A sentence is cut at its joints: commas, semicolons, colons, dashes, brackets and the words that begin a clause. What
keeps the short answer, leaves nothing out that changes what is said (`omissions`) and is clearly shorter is found.
Which of these reads well is for the writer to say. Called by `drafting`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from ragkit.omissions import left_out

MOST_JOINTS = 12
"""A sentence with more is a list or a table, whose entries must not be torn apart."""

MOST_KEPT = 0.8
"""What is left holds at most this share of the words."""

LEAST_WORDS = 4

_MARK = re.compile(r"\s*[,;:](?=\s)|\s+(?:--?|–)(?=\s)|\s*—\s*|\s*(?=\()|(?<=\))\s*")
_CLAUSE = re.compile(
    r"\s+(?=(?:and|but|yet|while|whereas|because|although|though|when|after|before|until|since|so|if|unless)\s)",
    re.IGNORECASE,
)
"""Not before "that" and "who": without a comma, what follows them says which one is meant."""
_APART = re.compile(
    r"[\s,]*(?:but|yet|while|whereas|because|although|though|when|after|before|until|since|so|which|who|whose|whom|where)\s",
    re.IGNORECASE,
)
_ASIDE = re.compile(r"\s*(?:\w+ing|who|which|whose|whom|where)\b", re.IGNORECASE)
_AND_NAME = re.compile(r"\s*(?:and|or|of)\s+(?:the\s+)?[A-Z]")
_LEADING = re.compile(r"^(?:[\s,;:–—-]+|(?:and|but|yet|while|whereas|although|though|so)\s+(?!that\b))+", re.IGNORECASE)
_TRAILING = re.compile(r"(?:[\s,;:–—-]+|\s(?:and|or|but|nor|as|except))+$", re.IGNORECASE)
_ENDED = re.compile(r"[.!?][\"'”’)\]]*$")
_ASIDES = frozenset({(",", ","), ("—", "—"), ("(", ")")})
_PAIRS = (("(", ")"), ("[", "]"), ("“", "”"), ("``", "''"))


def trims(text: str, answer: str, *, all_counts: bool = False) -> list[str]:
    """Shorter sentences that hold the answer, each a whole string with a capital and a full stop; the longest first.

    Args:
        text: One sentence of the source.
        answer: Words of it that must stay.
        all_counts: Whether what is said beside the answer may be part of it, so that nothing is left out that an "and",
            an "or" or a bare comma joins to it.
    """
    at = text.find(answer)
    marks, clauses = _cuts(_MARK, text), _cuts(_CLAUSE, text)
    if not answer or at < 0 or not 0 < len(marks | clauses) <= MOST_JOINTS:
        return []
    parting = {place for place in (*marks, *clauses) if _may_cut(text, place, marks, all_counts=all_counts)}
    edges = sorted({0, len(text)} | parting)
    pairs = combinations(sorted(marks), 2)
    asides = [(a, b) for a, b in pairs if (marks[a], marks[b]) in _ASIDES and (not all_counts or _parts(text, a))]
    found = dict.fromkeys(map(_finished, _kept(text, edges, asides, at, at + len(answer))))
    most = MOST_KEPT * len(text.split())
    fitting = [line for line in found if LEAST_WORDS <= len(line.split()) <= most and _is_balanced(line)]
    return sorted((line for line in fitting if left_out(line, text, strict=True) == ()), key=len, reverse=True)


def _cuts(joint: re.Pattern[str], text: str) -> dict[int, str]:
    """Where what follows a joint begins, and which mark parts it from what stands before."""
    found = [match for match in joint.finditer(text) if match.start() > 0 and match.end() < len(text)]
    return {match.end(): _mark(match.group().strip() or text[match.end()], text[match.start() - 1]) for match in found}


def _mark(at: str, before: str) -> str:
    return ")" if before == ")" else "—" if at[0] in "-–—" else at[0]


def _may_cut(text: str, place: int, marks: Mapping[int, str], *, all_counts: bool) -> bool:
    """Whether a sentence may end or begin here: not within a name, nor where a statement goes on after an aside."""
    before = max((mark for mark in marks if mark < place), default=0)
    after = min((mark for mark in marks if mark > place), default=0)
    closes = marks.get(place) == "," == marks.get(before) and _ASIDE.match(text, before)
    opens = marks.get(place) == "," == marks.get(after) and _ASIDE.match(text, place)
    is_said = text[:place].count('"') % 2 == 1
    goes_on = closes or opens or is_said or _at_bracket(text, place, marks)
    return not goes_on and not _in_name(text, place) and (not all_counts or _parts(text, place))


def _at_bracket(text: str, place: int, marks: Mapping[int, str]) -> bool:
    """Whether only a bracket begins or ends here, and not the last thing of the sentence, so that this goes on."""
    if marks.get(place) == ")":
        return True
    closed = text.find(")", place)
    return marks.get(place) == "(" and any(character.isalnum() for character in text[closed + 1 :])


def _in_name(text: str, place: int) -> bool:
    """Whether an "and" joins what may be one name, as in "Hallam and the Strouds"."""
    last = text[:place].split()[-1:]
    return bool(last and last[0][:1].isupper() and _AND_NAME.match(text, place))


def _parts(text: str, place: int) -> bool:
    """Whether what follows is another statement or an addition, and no further thing of the same kind."""
    return bool(_APART.match(text, place)) or text[:place].rstrip()[-1:] in ";:)" or text[place] == "("


def _kept(text: str, edges: Sequence[int], asides: Sequence[tuple[int, int]], start: int, end: int) -> Iterator[str]:
    """Every stretch from edge to edge around the span, as it is and without one aside before or after the span."""
    for first in (edge for edge in edges if edge <= start):
        for last in (edge for edge in edges if edge >= end):
            yield text[first:last]
            for begin, until in asides:
                if first < begin and until < last and (until <= start or begin >= end):
                    yield f"{_TRAILING.sub('', text[first:begin])} {text[until:last]}"


def _finished(text: str) -> str:
    """With a capital at the beginning and a full stop at the end, without the joint words and marks it was cut at."""
    bare = _TRAILING.sub("", _LEADING.sub("", " ".join(text.split())))
    ended = bare if _ENDED.search(bare) else f"{bare}."
    return f"{ended[:1].upper()}{ended[1:]}"


def _is_balanced(text: str) -> bool:
    return all(text.count(opening) == text.count(closing) for opening, closing in _PAIRS) and text.count('"') % 2 == 0
