"""The label grammar both ways: labels out of a draft, labels into an answer, labels to places in the documents.

A label is `[n]`, several stand as `[1][2]` or `[1, 2]`. Called by `answering`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ragkit.neutral import without_labels
from ragkit.records import Citation, Evidence, Sentence
from ragkit.sentences import split_sentences

_LABELS = re.compile(r"\s*\[\s*(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\s*\]")


@dataclass(frozen=True, slots=True)
class DraftSentence:
    """One sentence that the model wrote.

    Attributes:
        labels: That it put to it, in order, each once.
        likelihood: Mean log probability of its tokens; None if that is not known.
    """

    text: str
    labels: tuple[int, ...]
    likelihood: float | None = None


def parse_draft(draft: str) -> list[DraftSentence]:
    """A draft as sentences with their labels; labels that follow a full stop belong to the sentence before it."""
    found = []
    for start, end in split_sentences(draft):
        text, labels = _take_labels(draft[start:end])
        if text:
            found.append(DraftSentence(text, labels))
        elif labels and found:
            found[-1] = DraftSentence(found[-1].text, tuple(dict.fromkeys((*found[-1].labels, *labels))))
    return found


def _take_labels(text: str) -> tuple[str, tuple[int, ...]]:
    numbers = [int(number) for match in _LABELS.finditer(text) for number in re.findall(r"\d+", match.group(1))]
    return _LABELS.sub("", text).strip(), tuple(dict.fromkeys(numbers))


def without_marks(text: str) -> str:
    """A quoted sentence without the document's own reference marks, which would read as labels of the answer."""
    return " ".join(without_labels(text).split())


def render(sentences: Sequence[Sentence]) -> str:
    """The answer's text: its sentences, each followed by its labels."""
    return " ".join(f"{s.text} {''.join(f'[{label}]' for label in s.citations)}".strip() for s in sentences)


def cite(evidence: Evidence, label: int) -> Citation:
    """The citation of one evidence sentence under the label it has in the answer; its quote is exact."""
    return Citation(label, evidence.paragraph, evidence.start, evidence.end, evidence.text, evidence.score)


def number_citations(
    drawn: Sequence[tuple[Sentence, Sequence[int]]], evidence: Mapping[int, Evidence]
) -> tuple[tuple[Sentence, ...], tuple[Citation, ...]]:
    """Sentences with the evidence labels they rest on -> the same with labels from 1 in order of appearance."""
    labels: dict[int, int] = {}
    sentences = []
    for sentence, shown in drawn:
        numbers = tuple(labels.setdefault(label, len(labels) + 1) for label in shown)
        sentences.append(Sentence(sentence.text, numbers, sentence.verdict, sentence.support, sentence.quoted))
    return tuple(sentences), tuple(cite(evidence[shown], label) for shown, label in labels.items())
