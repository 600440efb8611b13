"""A draft to sentences that are supported: kept, attached anew, replaced by the quotation, or dropped."""

import re
from collections.abc import Sequence
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
class Repaired:
    """What may be said.

    Attributes:
        drawn: Sentences with the evidence labels they rest on.
        unresolved: Labels that the model wrote though it was never shown them.
    """

    drawn: tuple[tuple[Sentence, tuple[int, ...]], ...]
    unresolved: tuple[int, ...]


def repair(question: str, draft: Sequence[DraftSentence], evidence: Sequence[Evidence]) -> Repaired:
    """The supported sentences of a draft; evidence that no sentence rests on is quoted."""
    shown = {item.label: item for item in evidence}
    unresolved = tuple(label for sentence in draft for label in sentence.labels if label not in shown)
    drawn: list[tuple[Sentence, tuple[int, ...]]] = []
    for sentence in draft:
        kept = _attach(question, sentence, shown)
        if kept is not None and not _says_again(kept[0], drawn):
            drawn.append(kept)
    used = {label for _, labels in drawn for label in labels}
    for item in evidence:
        if item.label not in used and len(drawn) < MAX_SENTENCES:
            drawn.append((quote(item), (item.label,)))
    drawn.sort(key=lambda pair: min(pair[1]))
    return Repaired(tuple(drawn[:MAX_SENTENCES]), unresolved)


def quote(evidence: Evidence) -> Sentence:
    """The evidence sentence in its own words."""
    return Sentence(without_marks(evidence.text), (), "supported", 1.0, quoted=True)


def _attach(
    question: str, sentence: DraftSentence, shown: dict[int, Evidence]
) -> tuple[Sentence, tuple[int, ...]] | None:
    """The sentence with a label that supports it: its own, else any other; None if there is none or it says nothing."""
    if not _answers(question, sentence.text):
        return None
    for label in (*sentence.labels, *(label for label in shown if label not in sentence.labels)):
        if label not in shown or not _holds_words(sentence.text, shown[label].short_answer):
            continue
        verdict = _check(sentence.text, shown[label])
        if verdict.verdict == "supported":
            return Sentence(sentence.text, (), "supported", verdict.support), (label,)
    return None


def _check(text: str, evidence: Evidence) -> Verdict:
    """The verdict against the very sentence that will be shown as the quotation."""
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


def _says_again(sentence: Sentence, drawn: Sequence[tuple[Sentence, tuple[int, ...]]]) -> bool:
    terms = set(content_terms(sentence.text))
    return any(terms <= set(content_terms(other.text)) for other, _ in drawn)
