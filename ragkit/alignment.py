"""A sentence laid over one of the source: which words of that stand in it, and which were left out between them.

Called by `omissions`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ragkit.neutral import without_labels
from ragkit.terms import STOP_WORDS

_TOKEN = re.compile(r"\w+(?:[.,]\d+)*|[^\w\s]")
APART = frozenset(",;:–—()")
DETERMINERS = frozenset("the a an this that these those his her its their our my your".split())


@dataclass(frozen=True, slots=True)
class Gap:
    """Tokens of the source that were left out between two that were kept.

    Attributes:
        tokens: As they stand there.
        before, after: The kept tokens beside it; empty at the ends of the sentence.
    """

    tokens: tuple[str, ...]
    before: str
    after: str

    @property
    def words(self) -> list[str]:
        """Without the marks, in small letters."""
        return [token.casefold() for token in self.tokens if token[0].isalnum()]

    @property
    def has_content(self) -> bool:
        """Whether a word of it is more than a function word."""
        return any(word not in STOP_WORDS for word in self.words)

    @property
    def is_aside(self) -> bool:
        """Whether it is set apart on both sides."""
        return len(self.tokens) > 1 and self.tokens[0] in APART and self.tokens[-1] in APART


def tokens_of(text: str) -> list[str]:
    """Words and marks, without citation labels."""
    return _TOKEN.findall(without_labels(text).replace("’", "'"))


def align(said: Sequence[str], tokens: Sequence[str]) -> list[int]:
    """Places of the words in the source, in as few runs as possible; empty if they do not all stand there in order."""
    words = [(n, token.casefold()) for n, token in enumerate(tokens) if token[0].isalnum()]
    best: dict[int, tuple[int, tuple[int, ...]]] = {}  # by the number of the last word used: runs, and the places
    for position, wanted in enumerate(said):
        reached: dict[int, tuple[int, tuple[int, ...]]] = {}
        for number, (place, word) in enumerate(words):
            if word != wanted:
                continue
            if position == 0:
                reached[number] = (1, (place,))
                continue
            ways = [
                (runs + (last + 1 != number), (*places, place))
                for last, (runs, places) in best.items()
                if last < number
            ]
            if ways:
                reached[number] = min(ways, key=lambda way: way[0])
        best = reached
        if not best:
            return []
    return list(min(best.values(), key=lambda way: way[0])[1]) if best else []


def find_gaps(tokens: Sequence[str], places: Sequence[int]) -> list[Gap]:
    """The lead, each stretch left out in between, and the trail; the lead reaches to the first word with content."""
    first = next((n for n, place in enumerate(places) if tokens[place].casefold() not in DETERMINERS), 0)
    kept = list(places[first:])
    lead_kept = {tokens[place].casefold() for place in places[:first]}
    lead = [token for n, token in enumerate(tokens[: kept[0]]) if n not in places]
    gaps = [Gap(tuple(lead), "", tokens[kept[0]])] if any(t.casefold() not in lead_kept for t in lead) else []
    for a, b in pairwise(kept):
        if b > a + 1:
            gaps.append(Gap(tuple(tokens[a + 1 : b]), tokens[a], tokens[b]))
    trail = tuple(tokens[kept[-1] + 1 :])
    return [*gaps, Gap(trail, tokens[kept[-1]], "")]
