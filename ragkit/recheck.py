"""What became of an old citation: (citation of a saved answer, index) -> same, moved, edited or gone.

A citation is found again by its words; where they were changed, by the sentence that is most like them. Called by
`cli`.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ragkit.errors import InputError
from ragkit.index.snapshot import Snapshot
from ragkit.records import Citation, Document
from ragkit.sentences import split_sentences
from ragkit.terms import words

Status = Literal["same", "moved", "edited", "gone"]

EDITED_SIMILARITY = 0.6
"""What share of its words, in their order, a sentence must have in common with the quotation to be its new wording."""


MOST_COMPARED = 20
"""So many sentences of a document are compared word by word, those that share most words."""


@dataclass(frozen=True, slots=True)
class SavedCitation:
    """One citation as an answer was saved with it.

    Attributes:
        answer_id: Of the question, if it had one.
        sentence: The sentence that cites it; empty if none does.
    """

    answer_id: str | None
    label: int
    sentence: str
    document: str
    start: int
    end: int
    quote: str


def read_citations(answer: Mapping[str, Any]) -> list[SavedCitation]:
    """The citations of one answer that `ragkit ask --json` printed.

    Raises:
        InputError: Something that a citation needs is missing or of another type.
    """
    try:
        citing = {label: saved["text"] for saved in reversed(answer["sentences"]) for label in saved["citations"]}
        return [
            SavedCitation(
                answer.get("id"),
                int(saved["label"]),
                str(citing.get(saved["label"], "")),
                str(saved["document"]),
                int(saved["start"]),
                int(saved["end"]),
                str(saved["quote"]),
            )
            for saved in answer["citations"]
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise InputError(f"this is no answer of `ragkit ask --json` ({exc!r}); it is left out") from exc


@dataclass(frozen=True, slots=True)
class Place:
    """Where the words stand now."""

    document: str
    paragraph: int
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Rechecked:
    """What became of a citation.

    Attributes:
        now: Where its words, or their new wording, stand; None if they are gone.
        change: For an edited one, the words taken out as [-...-] and those put in as {+...+}.
    """

    status: Status
    now: Place | None = None
    change: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As `ragkit cite check --json` prints it."""
        return asdict(self)


def restore(citation: SavedCitation, now: Place, snapshot: Snapshot) -> Citation:
    """The citation as a part of the index, with its paragraph as it is now."""
    paragraph = next(p for p in snapshot.paragraphs(now.document) if p.number == now.paragraph)
    return Citation(citation.label, paragraph, now.start, now.end, now.quote, 0.0)


def recheck(citation: SavedCitation, snapshot: Snapshot) -> Rechecked:
    """What became of one citation in this generation of the index.

    The same words anywhere come before other words where they stood, and those before other words elsewhere.
    """
    here = snapshot.document(citation.document)
    if here is not None and (same := _same(here, citation)):
        return Rechecked("same", same)
    documents = [here] if here is not None else []
    refs = [ref for ref in snapshot.documents() if ref.path != citation.document]
    documents += [document for ref in refs if (document := snapshot.document(ref.path)) is not None]
    moved = next((place for document in documents if (place := _found(document, citation))), None)
    if moved is not None:
        return Rechecked("moved", moved)
    edited = (found for document in documents if (found := _edited(document, citation)))
    return next(edited, Rechecked("gone"))


def _same(document: Document, citation: SavedCitation) -> Place | None:
    """The words where they stood, if no letter or digit was added to either end."""
    start, end, text = citation.start, citation.end, document.text
    is_same = text[start:end] == citation.quote and not (_goes_on(text, start) or _goes_on(text, end))
    return _place(document, start, end) if is_same else None


def _goes_on(text: str, place: int) -> bool:
    """Whether a word stands across the place."""
    return 0 < place < len(text) and text[place - 1].isalnum() and text[place].isalnum()


def _place(document: Document, start: int, end: int) -> Place | None:
    """A stretch of a document; its paragraph is the one where it begins. None outside of all."""
    number = next((p.number for p in document.paragraphs if p.start <= start < p.end), None)
    return None if number is None else Place(document.ref.path, number, start, end, document.text[start:end])


def _found(document: Document, citation: SavedCitation) -> Place | None:
    """The same words, nearest to where they stood, whatever spaces, quotation marks and dashes are between them."""
    parts = [_any_marks(word) for word in citation.quote.split()]
    if not parts:
        return None
    matches = list(re.finditer(r"\s+".join(parts), document.text))
    whole = [m for m in matches if not (_goes_on(document.text, m.start()) or _goes_on(document.text, m.end()))]
    nearest = sorted(whole, key=lambda match: abs(match.start() - citation.start))
    return next((place for match in nearest if (place := _place(document, *match.span()))), None)


def _any_marks(word: str) -> str:
    """A pattern for the word in which any mark of a kind stands for the others."""
    kinds = ('"“”„«»', "'‘’‚", "–—‐‑-")
    return "".join(next((f"[{kind}]" for kind in kinds if c in kind), re.escape(c)) for c in word)


def _edited(document: Document, citation: SavedCitation) -> Rechecked | None:
    """The sentence that is most like the quotation, if it is like it enough."""
    old = citation.quote.split()
    spans = _sentences_sharing(document, citation.quote)
    like = [
        (_likeness(old, document.text[start:end]), -abs(start - citation.start), start, end) for start, end in spans
    ]
    likeness, _, start, end = max(like, default=(0.0, 0, 0, 0))
    now = _place(document, start, end) if likeness >= EDITED_SIMILARITY else None
    return None if now is None else Rechecked("edited", now, _change(old, now.quote.split()))


def _likeness(old: Sequence[str], text: str) -> float:
    """The share of words in common, in their order, in [0, 1]."""
    return difflib.SequenceMatcher(None, old, text.split(), autojunk=False).ratio()


def _sentences_sharing(document: Document, quote: str) -> list[tuple[int, int]]:
    """Spans of the sentences that have most words in common with the quotation, at most so many."""
    wanted = set(words(quote))
    spans = [
        (paragraph.start + start, paragraph.start + end)
        for paragraph in document.paragraphs
        for start, end in split_sentences(paragraph.text)
    ]
    shared = [(len(wanted & set(words(document.text[start:end]))), (start, end)) for start, end in spans]
    close = sorted((pair for pair in shared if pair[0] >= len(wanted) / 3), reverse=True)
    return [span for _, span in close[:MOST_COMPARED]]


def _change(old: Sequence[str], new: Sequence[str]) -> str:
    """The new wording with what was taken out and what was put in."""
    parts = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(" ".join(old[a:b]))
            continue
        if a < b:
            parts.append(f"[-{' '.join(old[a:b])}-]")
        if c < d:
            parts.append(f"{{+{' '.join(new[c:d])}+}}")
    return " ".join(parts)
