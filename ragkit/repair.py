"""A draft to sentences that are supported: kept, attached anew, replaced by the quotation, or dropped."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ragkit.citations import DraftSentence, without_marks
from ragkit.copying import compare
from ragkit.drafting import Draft
from ragkit.facts import exchanged_facts
from ragkit.models.reading import Reader, SentencedText
from ragkit.models.verifying import Verifier
from ragkit.omissions import left_out
from ragkit.polarity import without_yes_or_no
from ragkit.profiles import Profile
from ragkit.questions import is_yes_no
from ragkit.records import Evidence, Sentence
from ragkit.terms import content_terms, says_again
from ragkit.verification import Verdict, verify_answer

_BULLET = re.compile(r"^\s*(?:[-*+•]|\(?\d{1,3}[.)])\s+")

LEAST_SUPPORT = 0.9
"""A wording must be supported more surely than `verify` asks for, since the source can be quoted in its place."""

LEAST_REWORDED_SUPPORT = 0.95
"""The same of a wording that does more than leave words out."""

BRIEF = 3.0
"""So much more a wording is worth where short sentences are wanted (`python -m evals.wording` shows what it costs)."""

MOST_SENTENCES = 4
"""More only where the evidence itself is more: a whole list."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of one sentence of a draft.

    Attributes:
        labels: Of the evidence that supports it; none if it is not said.
        support: In [0, 1], by that evidence; if it is not said, by the first that it could rest on.
        reasons: Why it is not said; empty if it is.
        quoted: Whether it is the evidence sentence itself, word for word.
    """

    text: str
    labels: tuple[int, ...] = ()
    support: float = 0.0
    reasons: tuple[str, ...] = ()
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Repaired:
    """What may be said.

    Attributes:
        drawn: Sentences with the evidence labels they rest on.
        checked: Each wording of the draft, in order.
        unresolved: Labels that the model wrote though it was never shown them.
    """

    drawn: tuple[tuple[Sentence, tuple[int, ...]], ...]
    checked: tuple[Checked, ...]
    unresolved: tuple[int, ...]


def repair(
    question: str,
    draft: Draft,
    evidence: Sequence[Evidence],
    verifier: Callable[[], Verifier],
    reader: Callable[[], Reader],
    profile: Profile,
    *,
    brief: bool = False,
) -> Repaired:
    """The supported statements of a draft; evidence that none rests on is quoted, unless the model denies it.

    Args:
        question: What was asked.
        draft: What the model wrote.
        evidence: What it was shown.
        verifier: Called only if words do not decide.
        reader: Called only if the profile weighs how well a sentence answers.
        profile: Of the model, which says when the quotation is the better sentence.
        brief: Whether of the wordings that are as good as the quotation the shortest is said, not the best.

    Raises:
        ModelError: The verifying or the reading model failed.
    """
    shown = {item.label: item for item in evidence}
    wordings = [sentence for statement in draft.statements for sentence in statement]
    unresolved = tuple(label for sentence in wordings for label in sentence.labels if label not in shown)
    drawn: list[tuple[Sentence, tuple[int, ...]]] = []
    checked: list[Checked] = []
    used: set[int] = set()
    bare = [tuple(_without_yes_or_no(question, sentence) for sentence in statement) for statement in draft.statements]
    worths = _worths(question, bare, shown, reader, profile, brief=brief)
    for statement, of_statement in zip(bare, worths, strict=True):
        judged = _choose(question, statement, of_statement, shown, verifier, brief=brief)
        said = next((wording for wording in judged if wording.labels), None)
        if said is not None:
            used |= set(said.labels)
            _add(drawn, said, question, shown, verifier)
        checked += judged
    first, most = min(shown, default=0), max(MOST_SENTENCES, len(shown))
    for item in evidence:
        left_out = item.label in used or (item.label in draft.denied and item.label != first)
        if not left_out and len(drawn) < most:
            drawn.append((quote(item), (item.label,)))
    drawn.sort(key=lambda pair: min(pair[1]))
    return Repaired(tuple(drawn[:most]), tuple(checked), unresolved)


def _worths(
    question: str,
    statements: Sequence[Sequence[DraftSentence]],
    shown: Mapping[int, Evidence],
    reader: Callable[[], Reader],
    profile: Profile,
    *,
    brief: bool,
) -> list[list[float]]:
    """What each wording of each statement is worth; more where short sentences are wanted."""
    wordings = [sentence for statement in statements for sentence in statement]
    gains = gains_in_answering(question, wordings, shown, reader) if profile.answering else [0.0] * len(wordings)
    more = BRIEF if brief else 0.0
    worths = iter([profile.worth(s.likelihood, gain) + more for s, gain in zip(wordings, gains, strict=True)])
    return [[next(worths) for _ in statement] for statement in statements]


def _choose(
    question: str,
    statement: Sequence[DraftSentence],
    worths: Sequence[float],
    shown: Mapping[int, Evidence],
    verifier: Callable[[], Verifier],
    *,
    brief: bool,
) -> list[Checked]:
    """What becomes of each wording of a statement: the best, or shortest, that is supported is said."""
    checked = [Checked(sentence.text, reasons=("another wording was chosen",)) for sentence in statement]
    lengths = [len(sentence.text.split()) for sentence in statement]
    order = sorted(range(len(statement)), key=lambda n: (lengths[n], -worths[n]) if brief else (-worths[n], lengths[n]))
    is_said = False
    for n in order:
        if worths[n] < 0:
            checked[n] = replace(checked[n], reasons=("the quotation is the surer sentence",))
        elif not is_said:
            checked[n] = _attach(question, statement[n], shown, verifier)
            is_said = bool(checked[n].labels)
    return checked


def gains_in_answering(
    question: str, sentences: Sequence[DraftSentence], shown: Mapping[int, Evidence], reader: Callable[[], Reader]
) -> list[float]:
    """How much likelier (log odds) each sentence answers than the quotation it was made from, both read alone.

    0 for a sentence with no label that was shown.

    Raises:
        ModelError: The reading model failed.
    """
    made_from = [next((shown[label] for label in sentence.labels if label in shown), None) for sentence in sentences]
    known = {item.label: item for item in made_from if item is not None}
    said = [(sentence.text, item) for sentence, item in zip(sentences, made_from, strict=True) if item is not None]
    read = [*said, *((quote(item).text, item) for item in known.values())]
    texts = [SentencedText(text, ((0, len(text)),), item.paragraph.title) for text, item in read]
    odds = [float(reading.log_odds[0]) for reading in reader().read(question, texts)] if texts else []
    quoted = dict(zip(known, odds[len(said) :], strict=True))
    gains = iter([own - quoted[item.label] for own, (_, item) in zip(odds, said, strict=False)])
    return [0.0 if item is None else next(gains) for item in made_from]


def _without_yes_or_no(question: str, sentence: DraftSentence) -> DraftSentence:
    return replace(sentence, text=without_yes_or_no(sentence.text)) if is_yes_no(question) else sentence


def quote(evidence: Evidence) -> Sentence:
    """The evidence sentence in its own words; an item of a list without its bullet or number."""
    text = _BULLET.sub("", evidence.text) if evidence.paragraph.kind == "list" else evidence.text
    return Sentence(without_marks(text), (), "supported", 1.0, quoted=True)


def _add(
    drawn: list[tuple[Sentence, tuple[int, ...]]],
    judged: Checked,
    question: str,
    shown: Mapping[int, Evidence],
    verifier: Callable[[], Verifier],
) -> None:
    """Adds a sentence; where an earlier one says it already, the evidence that supports that one too is cited there."""
    again = next((n for n, (other, _) in enumerate(drawn) if says_again(judged.text, other.text)), None)
    if again is None:
        drawn.append((Sentence(judged.text, (), "supported", judged.support, judged.quoted), judged.labels))
        return
    said, labels = drawn[again]
    new = [label for label in judged.labels if label not in labels]
    also = [label for label in new if _check(question, said.text, [shown[label]], verifier).verdict == "supported"]
    drawn[again] = (said, (*labels, *also))


def _attach(
    question: str, sentence: DraftSentence, shown: Mapping[int, Evidence], verifier: Callable[[], Verifier]
) -> Checked:
    """The labels that support the sentence, its own before any other, or why none does."""
    if not _answers(question, sentence.text):
        return Checked(sentence.text, reasons=("it only repeats the question",))
    own = tuple(label for label in sentence.labels if label in shown)
    labels = (*own, *(label for label in shown if label not in own))
    for label in labels:
        if compare(sentence.text, shown[label].text).is_whole:
            return Checked(sentence.text, (label,), 1.0, quoted=True)
    first: Verdict | None = None
    for tried in (*((label,) for label in labels), *((own,) if len(own) > 1 else ())):
        verdict = _check(question, sentence.text, [shown[label] for label in tried], verifier)
        if verdict.verdict == "supported":
            return Checked(sentence.text, tried, verdict.support)
        first = first or verdict
    if first is None:
        return Checked(sentence.text, reasons=("no sentence was shown to support it",))
    return Checked(sentence.text, (), first.support, first.reasons)


def _check(question: str, text: str, evidence: Sequence[Evidence], verifier: Callable[[], Verifier]) -> Verdict:
    """The verdict on a sentence by the paragraphs that will be cited, taken together."""
    if all(not holds_words(text, item.short_answer) for item in evidence):
        return Verdict("unsupported", 0.0, (f"it leaves out the answer, “{evidence[0].short_answer}”",))
    source = "\n".join(dict.fromkeys(item.paragraph.text for item in evidence))
    lost = left_out(text, source, strict=True)
    is_reworded = lost is None
    if lost:
        return Verdict("unsupported", 0.0, lost)
    if is_reworded:
        exchanged = exchanged_facts(text, " ".join(item.text for item in evidence))
        if exchanged:
            return Verdict("unsupported", 0.0, exchanged)
    verdict = verify_answer(question, text, source, verifier())
    least = LEAST_REWORDED_SUPPORT if is_reworded else LEAST_SUPPORT
    if verdict.verdict == "supported" and verdict.support < least:
        return Verdict("unsupported", verdict.support, ("it is less sure than the quotation",))
    return verdict


def holds_words(text: str, wanted: str) -> bool:
    """Whether the content words stand in the text."""
    return set(content_terms(wanted)) <= set(content_terms(text))


def _answers(question: str, text: str) -> bool:
    """Whether it says more than the question's own words; of yes or no, and of a choice, that cannot be told."""
    if is_yes_no(question) or " or " in question:
        return True
    return bool(set(content_terms(text)) - set(content_terms(question)))
