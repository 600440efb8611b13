"""Does the cited text support the sentence? (sentence, source text) -> verdict, support score and reasons.

In this order: a whole sentence of the source is supported. One that leaves out words which change what it says
(`omissions`), or that has a number, month, currency or name that the source has not (`facts`), is not. Of all others a
model says how likely it is that the source supports them; it must be surer of other words than of an omission.
Called by `repair`, and public as
`ragkit.verify`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from ragkit.copying import compare
from ragkit.facts import missing_facts
from ragkit.models.reading import SentencedText
from ragkit.models.verifying import Verifier
from ragkit.odds import probability
from ragkit.omissions import left_out
from ragkit.polarity import both_ways
from ragkit.questions import is_yes_no
from ragkit.records import Support
from ragkit.sentences import split_sentences
from ragkit.terms import words

LEAST_LOG_ODDS = 1.0
"""The model's log odds from which on a sentence counts as supported (`python -m evals.verification` has others)."""

LEAST_OMITTING_LOG_ODDS = -1.0
"""The same of a sentence that only leaves out words of one of the source, none of which changes what it says."""

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
    readings = [_read(sentence, source_text) for sentence in sentences]
    open_ones = [number for number, reading in enumerate(readings) if reading.verdict is None]
    judged: dict[int, float] = {}
    if open_ones:
        source = SentencedText(source_text, tuple(split_sentences(source_text)))
        claims = [sentences[number] for number in open_ones]
        judged = dict(zip(open_ones, verifier().judge(source, claims).support, strict=True))
    return [reading.verdict or _by_model(judged[number], reading) for number, reading in enumerate(readings)]


def verify_answer(question: str, sentence: str, source_text: str, verifier: Verifier) -> Verdict:
    """Whether a sentence is supported alone, and together with the question: "in 1998" is true of other things too."""
    reading = _read(sentence, source_text)
    if reading.verdict is not None and reading.verdict.verdict == "unsupported":
        return reading.verdict
    asked = both_ways(question, sentence) if is_yes_no(question) else (f"{question} {sentence}",)
    source = SentencedText(source_text, tuple(split_sentences(source_text)))
    alone, *answering = verifier.judge(source, (sentence, *asked)).support
    verdict = reading.verdict or _by_model(alone, reading)
    if verdict.verdict == "supported" and max(answering) < LEAST_ASKED_LOG_ODDS:
        return Verdict("unsupported", min(0.49, verdict.support), ("it does not answer the question",))
    return verdict


@dataclass(frozen=True, slots=True)
class _Reading:
    """What words alone say of a sentence.

    Attributes:
        verdict: None where the model must decide.
        changes: What is not as in the source.
        least: The log odds that the model must give it.
    """

    verdict: Verdict | None
    changes: tuple[str, ...] = ()
    least: float = 0.0


def _read(sentence: str, source_text: str) -> _Reading:
    copy = compare(sentence, source_text)
    if copy.is_whole:
        return _Reading(Verdict("supported", 1.0))
    if not source_text.strip() or not words(sentence):
        reasons = copy.changes or ("there is nothing that could support it",)
        return _Reading(Verdict("unsupported", 0.0, reasons))
    omitted = left_out(sentence, source_text)
    if omitted:
        return _Reading(Verdict("unsupported", 0.25 * copy.closeness, omitted))
    if omitted is not None and not copy.changes:
        return _Reading(None, least=LEAST_OMITTING_LOG_ODDS)
    missing = missing_facts(sentence, source_text)
    if missing:
        return _Reading(Verdict("unsupported", 0.25 * copy.closeness, missing))
    return _Reading(None, copy.changes, LEAST_LOG_ODDS)


def _by_model(log_odds: float, reading: _Reading) -> Verdict:
    support = probability(log_odds - reading.least)
    if log_odds >= reading.least:
        return Verdict("supported", min(support, 0.99))
    return Verdict("unsupported", support, ("the source does not say this", *reading.changes))


@cache
def _shipped() -> Verifier:
    from ragkit.models.loading import load_verifier

    return load_verifier()
