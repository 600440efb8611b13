"""A draft to sentences that are supported: kept, attached anew, replaced by the quotation, or dropped."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ragkit.citations import DraftSentence, without_marks
from ragkit.questions import asked_kind, holds_kind
from ragkit.records import Evidence, Sentence
from ragkit.terms import WORD, content_terms, words
from ragkit.verification import Verdict, verify

MAX_SENTENCES = 3

_JOINT = r"(?:and|but|whereas|while|although|though|yet)"
_CLAUSE_OPENS = re.compile(rf"(?:[;:]|,\s+{_JOINT}\b)[\s\"'“‘]*$")
_CLAUSE_CLOSES = re.compile(rf"[\"'”’]*\s*(?:[;:]|,\s+{_JOINT}\b)")


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of one sentence of a draft.

    Attributes:
        label: Of the evidence that supports it; None if it is not said.
        support: In [0, 1], by that evidence.
        reasons: Why it is not said; empty if it is.
    """

    text: str
    label: int | None
    support: float = 0.0
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Repaired:
    """What may be said.

    Attributes:
        drawn: Sentences with the evidence labels they rest on.
        checked: Each sentence of the draft, in order.
        unresolved: Labels that the model wrote though it was never shown them.
    """

    drawn: tuple[tuple[Sentence, tuple[int, ...]], ...]
    checked: tuple[Checked, ...]
    unresolved: tuple[int, ...]


def repair(question: str, draft: Sequence[DraftSentence], evidence: Sequence[Evidence]) -> Repaired:
    """The supported sentences of a draft; evidence that no sentence rests on is quoted."""
    shown = {item.label: item for item in evidence}
    unresolved = tuple(label for sentence in draft for label in sentence.labels if label not in shown)
    drawn: list[tuple[Sentence, tuple[int, ...]]] = []
    checked: list[Checked] = []
    for sentence in draft:
        judged = _attach(question, sentence, shown)
        if not judged.reasons and _says_again(judged.text, drawn):
            judged = Checked(sentence.text, None, 0.0, ("it says the same again",))
        if judged.label is not None:
            drawn.append((Sentence(sentence.text, (), "supported", judged.support), (judged.label,)))
        checked.append(judged)
    used = {label for _, labels in drawn for label in labels}
    for item in evidence:
        if item.label not in used and len(drawn) < MAX_SENTENCES:
            drawn.append((quote(item), (item.label,)))
    drawn.sort(key=lambda pair: min(pair[1]))
    return Repaired(tuple(drawn[:MAX_SENTENCES]), tuple(checked), unresolved)


def quote(evidence: Evidence) -> Sentence:
    """The evidence sentence in its own words."""
    return Sentence(without_marks(evidence.text), (), "supported", 1.0, quoted=True)


def _attach(question: str, sentence: DraftSentence, shown: Mapping[int, Evidence]) -> Checked:
    """The label that supports the sentence, its own before any other, or why none does."""
    if not _answers(question, sentence.text):
        return Checked(sentence.text, None, 0.0, ("it does not hold what is asked for",))
    reasons: tuple[str, ...] = ()
    own = [label for label in sentence.labels if label in shown]
    for label in (*own, *(label for label in shown if label not in own)):
        verdict = _check(sentence.text, shown[label])
        if verdict.verdict == "supported":
            return Checked(sentence.text, label, verdict.support)
        reasons = reasons or verdict.reasons
    return Checked(sentence.text, None, 0.0, reasons or ("no sentence was shown to support it",))


def _check(text: str, evidence: Evidence) -> Verdict:
    """The verdict against the very sentence that will be shown as the quotation."""
    if not _holds_words(text, evidence.short_answer):
        return Verdict("unsupported", 0.0, (f"it leaves out the answer, “{evidence.short_answer}”",))
    verdict = verify(text, evidence.text)
    if verdict.verdict == "supported" and not is_whole_statement(text, without_marks(evidence.text)):
        return Verdict("unsupported", verdict.support, ("it leaves out the middle of a statement",))
    return verdict


def is_whole_statement(text: str, source: str) -> bool:
    """Whether the words are one or more whole main clauses of the source, as they stand there.

    To leave out the middle of a statement, its subject or its condition can change what it says though every word is
    there; what is left out here is only what stands before or after a strong break.
    """
    said = words(text)
    places = list(WORD.finditer(source))
    folded = [match.group().casefold() for match in places]
    for start in range(len(folded) - len(said) + 1):
        end = start + len(said)
        if folded[start:end] != said:
            continue
        before = source[: places[start].start()]
        after = source[places[end - 1].end() :]
        if (start == 0 or _CLAUSE_OPENS.search(before)) and (end == len(folded) or _CLAUSE_CLOSES.match(after)):
            return True
    return False


def _holds_words(text: str, wanted: str) -> bool:
    """Whether the words stand in the text, in their order and without a gap."""
    return " ".join(["", *words(wanted), ""]) in " ".join(["", *words(text), ""])


def _answers(question: str, text: str) -> bool:
    """Whether it holds the kind of thing asked for and more than the question's own words."""
    kind = asked_kind(question)
    if kind is not None and not holds_kind(kind, question, text):
        return False
    return bool(set(content_terms(text)) - set(content_terms(question)))


def _says_again(text: str, drawn: Sequence[tuple[Sentence, tuple[int, ...]]]) -> bool:
    terms = set(content_terms(text))
    return any(terms <= set(content_terms(other.text)) for other, _ in drawn)
