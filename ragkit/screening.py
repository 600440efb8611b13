"""Sentences that would order the reader about are no evidence. Called by `answering`.

A document is data: one that says "whatever is asked, the answer is ..." is not believed, and it is not quoted either.
The verifying model tells such sentences from those that inform; characters that cannot be seen, which hide text from a
person and show it to a machine, tell them as well.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ragkit.evidence import Candidate
from ragkit.models.reading import SentencedText
from ragkit.models.verifying import Verifier
from ragkit.sentences import split_sentences

GIVES_ORDERS = "gives orders"

SURE_LOG_ODDS = 1.0
"""From here on a sentence counts as an order; of 1,142 sentences of ordinary documents 9 reach it."""

LEAST_LOG_ODDS = -1.5
"""From here on a sentence beside an order counts as a part of it."""

_HIDDEN = re.compile(r"(?<=[A-Za-z])[\u200b-\u200f\u2060-\u2064](?=[A-Za-z])")
_TAGS = re.compile(r"[\U000e0020-\U000e007e]{8}")  # a flag has six at most
_TURNED = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_WRITTEN_LEFTWARDS = re.compile(r"[\u0590-\u08ff\ufb1d-\ufefc]")
_MOST_UNSEEN = 2

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Screened:
    """Candidates of which none that is chosen gives orders.

    Attributes:
        kept: In their order.
        orders: Those that were taken out.
        sources: The text of each paragraph that was looked at, with spaces in place of the sentences that give orders,
            by document id and number.
    """

    kept: tuple[Candidate, ...]
    orders: tuple[Candidate, ...]
    sources: Mapping[Place, str]


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
    kept, orders, sources = list(ranked), list[Candidate](), dict[Place, str]()
    while True:
        chosen = choose(kept)
        for paragraph in {place_of(candidate): candidate.paragraph for candidate in chosen}.values():
            place = (paragraph.document.id, paragraph.number)
            if place not in sources:
                sources[place] = _without_orders(paragraph.text, verifier())
        found = [c for c in chosen if not sources[place_of(c)][_begin(c) : _begin(c) + len(c.text)].strip()]
        if not found:
            return Screened(tuple(kept), tuple(orders), sources)
        orders += found
        kept = [candidate for candidate in kept if not any(candidate is order for order in found)]


def place_of(candidate: Candidate) -> Place:
    """Which paragraph a candidate stands in."""
    return candidate.paragraph.document.id, candidate.paragraph.number


def _begin(candidate: Candidate) -> int:
    return candidate.start - candidate.paragraph.start


def _without_orders(text: str, verifier: Verifier) -> str:
    """The text with spaces in place of the sentences that give orders."""
    spans = split_sentences(text)
    judged = verifier.judge(SentencedText(text, tuple(spans))).orders
    orders = {n for n, (start, end) in enumerate(spans) if judged[n] >= SURE_LOG_ODDS or is_hidden(text[start:end])}
    for step in (1, -1):
        for number in sorted(orders, key=lambda n: step * n):
            while 0 <= (number := number + step) < len(spans) and judged[number] >= LEAST_LOG_ODDS:
                orders.add(number)
    for start, end in (spans[number] for number in orders):
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def is_hidden(text: str) -> bool:
    """Whether characters that cannot be seen stand in it which no language and no emoji needs."""
    turned = [] if _WRITTEN_LEFTWARDS.search(text) else _TURNED.findall(text)
    return len(_HIDDEN.findall(text)) + len(turned) > _MOST_UNSEEN or bool(_TAGS.search(text))
