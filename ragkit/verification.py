"""Does the cited text support the sentence? (sentence, source text) -> verdict, support score and reasons.

In this order: a whole sentence of the source is supported. One with a number, month, currency or name that the source
has not (`facts`) is not. Of all others a model says how likely it is that the source supports them; it must be surer of
those in other words than of those that only leave words out (`copying`). Called by `repair`, and public as
`ragkit.verify`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from ragkit.copying import Copy, compare
from ragkit.facts import missing_facts
from ragkit.models.reading import SentencedText
from ragkit.models.verifying import Verifier
from ragkit.odds import probability
from ragkit.polarity import both_ways
from ragkit.questions import is_yes_no
from ragkit.records import Support
from ragkit.sentences import split_sentences
from ragkit.terms import words

LEAST_LOG_ODDS = 1.0
"""The model's log odds from which on a sentence counts as supported (`python -m evals.verification` has others)."""

LEAST_COPY_LOG_ODDS = -1.0
"""The same of a sentence that only leaves out words of one of the source."""

LEAST_ASKED_LOG_ODDS = -1.0
"""The same of a sentence together with the question that it answers."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification says of one sentence.

    Attributes:
        support: In [0, 1]; 1 for words that stand in the source as they are, at least 0.5 if supported.
        reasons: Why it is not supported, empty if it is.
    """

    verdict: Support
    support: float
    reasons: tuple[str, ...] = ()


def verify(sentence: str, source_text: str, verifier: Verifier | None = None) -> Verdict:
    """Whether a sentence is supported by a text.

    Args:
        sentence: One sentence, without citation labels.
        source_text: The paragraph it cites.
        verifier: The model that judges what words alone cannot tell; the shipped one, loaded when first needed.

    Raises:
        WeightsError: The shipped weights are missing or damaged.
    """
    return verify_all([sentence], source_text, _shipped if verifier is None else lambda: verifier)[0]


def verify_all(sentences: Sequence[str], source_text: str, verifier: Callable[[], Verifier]) -> list[Verdict]:
    """A verdict on each sentence by the same source; the model is called once, and only if a sentence needs it."""
    copies = [compare(sentence, source_text) for sentence in sentences]
    found = [_by_words(*pair, source_text) for pair in zip(sentences, copies, strict=True)]
    open_ones = [number for number, verdict in enumerate(found) if verdict is None]
    if open_ones:
        source = SentencedText(source_text, tuple(split_sentences(source_text)))
        judged = verifier().judge(source, [sentences[number] for number in open_ones]).support
        for number, log_odds in zip(open_ones, judged, strict=True):
            found[number] = _by_model(log_odds, copies[number])
    return [verdict for verdict in found if verdict is not None]


def verify_answer(question: str, sentence: str, source_text: str, verifier: Verifier) -> Verdict:
    """Whether a sentence is supported alone, and together with the question: "in 1998" is true of other things too."""
    asked = both_ways(question, sentence) if is_yes_no(question) else (f"{question} {sentence}",)
    source, copy = SentencedText(source_text, tuple(split_sentences(source_text))), compare(sentence, source_text)
    alone, *answering = verifier.judge(source, (sentence, *asked)).support
    verdict = _by_words(sentence, copy, source_text) or _by_model(alone, copy)
    if verdict.verdict == "supported" and max(answering) < LEAST_ASKED_LOG_ODDS:
        return Verdict("unsupported", min(0.49, verdict.support), ("it does not answer the question",))
    return verdict


def _by_words(sentence: str, copy: Copy, source_text: str) -> Verdict | None:
    """The verdict where words alone tell; None where they do not."""
    if copy.is_whole:
        return Verdict("supported", 1.0)
    if not source_text.strip() or not words(sentence):
        return Verdict("unsupported", 0.0, copy.changes or ("there is nothing that could support it",))
    missing = missing_facts(sentence, source_text) if copy.changes else ()
    return Verdict("unsupported", 0.25 * copy.closeness, missing) if missing else None


def _by_model(log_odds: float, copy: Copy) -> Verdict:
    least = LEAST_LOG_ODDS if copy.changes else LEAST_COPY_LOG_ODDS
    support = probability(log_odds - least)
    if log_odds >= least:
        return Verdict("supported", min(support, 0.99))
    return Verdict("unsupported", support, ("the source does not say this", *copy.changes))


@cache
def _shipped() -> Verifier:
    from ragkit.models.loading import load_verifier

    return load_verifier()
