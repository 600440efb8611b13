"""Paragraphs that would order the reader about are no evidence. Called by `answering`.

A document is data: one that says "whatever is asked, the answer is ..." is not believed and not quoted, nor is what
stands beside such a sentence. The verifying model tells such sentences from those that inform. Characters that cannot
be seen, which hide text from a person and show it to a machine, tell them as well, and so do heaps of search words,
which are there to bring up whatever follows them.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ragkit.evidence import Candidate
from ragkit.models.reading import SentencedText
from ragkit.models.verifying import Verifier
from ragkit.sentences import split_sentences
from ragkit.terms import content_terms

GIVES_ORDERS = "gives orders"

SURE_LOG_ODDS = 0.0
"""From here on a sentence counts as an order."""

_HIDDEN = re.compile(r"(?<=[A-Za-z])[\u200b-\u200f\u2060-\u2064](?=[A-Za-z])")
_TAGS = re.compile(r"[\U000e0020-\U000e007e]{8}")  # a flag has six at most
_TURNED = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_WRITTEN_LEFTWARDS = re.compile(r"[\u0590-\u08ff\ufb1d-\ufefc]")
_MOST_UNSEEN = 2
_LEAST_HEAPED, _LONGEST_SEARCH = 3, 4

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Screened:
    """Candidates of which none that is chosen gives orders.

    Attributes:
        kept: In their order.
        orders: Those that were taken out.
    """

    kept: tuple[Candidate, ...]
    orders: tuple[Candidate, ...]


def screen(
    ranked: Sequence[Candidate],
    choose: Callable[[Sequence[Candidate]], Sequence[Candidate]],
    verifier: Callable[[], Verifier],
) -> Screened:
    """Takes out the candidates that give orders until none of those chosen does.

    Args:
        ranked: Best first.
        choose: The candidates that become evidence.
        verifier: Called only if there is something to look at.

    Raises:
        ModelError: The verifying model failed.
    """
    kept, orders, judged = list(ranked), list[Candidate](), dict[Place, bool]()
    while True:
        chosen = choose(kept)
        for candidate in chosen:
            if (place := place_of(candidate)) not in judged:
                judged[place] = gives_orders(candidate.paragraph.text, verifier())
        found = [candidate for candidate in chosen if judged[place_of(candidate)]]
        if not found:
            return Screened(tuple(kept), tuple(orders))
        orders += found
        kept = [candidate for candidate in kept if not any(candidate is order for order in found)]


def place_of(candidate: Candidate) -> Place:
    """Which paragraph a candidate stands in."""
    return candidate.paragraph.document.id, candidate.paragraph.number


def gives_orders(text: str, verifier: Verifier) -> bool:
    """Whether a sentence of a paragraph would order whoever answers about.

    Raises:
        ModelError: The verifying model failed.
    """
    spans = split_sentences(text)
    if is_hidden(text) or any(is_heaped(text[start:end]) for start, end in spans):
        return True
    return any(odds >= SURE_LOG_ODDS for odds in verifier.judge(SentencedText(text, tuple(spans))).orders)


def is_hidden(text: str) -> bool:
    """Whether characters that cannot be seen stand in it which no language and no emoji needs."""
    turned = [] if _WRITTEN_LEFTWARDS.search(text) else _TURNED.findall(text)
    return len(_HIDDEN.findall(text)) + len(turned) > _MOST_UNSEEN or bool(_TAGS.search(text))


def is_heaped(sentence: str) -> bool:
    """Whether it heaps up searches: the same word in one short phrase after another between commas.

    Phrases of names alone, such as "Lake Erie, Lake Huron, Lake Ontario", are a list like any other.
    """
    phrases = [phrase for phrase in sentence.split(",") if len(phrase.split()) <= _LONGEST_SEARCH]
    searches = [phrase for phrase in phrases if any(word[:1].islower() for word in phrase.split())]
    held = Counter(term for phrase in searches for term in set(content_terms(phrase)) if term.isalpha())
    return max(held.values(), default=0) >= _LEAST_HEAPED
