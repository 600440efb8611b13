"""The nouns, in the order in which data becomes them.

Document, Paragraph, Chunk, Hit, Evidence, Citation, Sentence, Answer. All are frozen and hold no open files or
connections. Offsets are half-open and count code points of the document's text, so
`document.text[p.start:p.end] == p.text` for every paragraph, chunk, evidence sentence and citation.
"""

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Literal

ParagraphKind = Literal["prose", "heading", "list", "table", "code"]
Support = Literal["supported", "unsupported"]
AbstentionReason = Literal["nothing-retrieved", "no-evidence", "unsupported"]


@dataclass(frozen=True, slots=True)
class DocumentRef:
    """Which document something belongs to.

    Attributes:
        path: As it was given to `index`, relative to where it was given, with forward slashes.
        id: `sha256:` and the hex digest of the file's bytes; the same on every machine.
    """

    path: str
    id: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """What a reader of the file would call one paragraph; the unit that is cited.

    Attributes:
        number: Position in the document, from 1.
        headings: The headings it stands under, outermost first (its own text is not among them).
        page: From 1, where the format has pages or slides.
        place: Where it stands in the file, in words, where the format has a word for it: `page 3`, `slide 2`,
            `sheet Costs, row 12`, `mail of 2026-05-02 from Ann Lee`, `attachment offer.pdf, page 1`.
    """

    document: DocumentRef
    number: int
    start: int
    end: int
    text: str
    kind: ParagraphKind = "prose"
    headings: tuple[str, ...] = ()
    page: int | None = None
    place: str = ""

    @property
    def title(self) -> str:
        """The name of its file in words, without ending, and the headings it stands under."""
        name = PurePosixPath(self.document.path).name.rsplit(".", 1)[0]
        return " > ".join((" ".join(re.split(r"[\s_.-]+", name)).strip(), *self.headings))


@dataclass(frozen=True, slots=True)
class Fact:
    """Something a document says of itself: its author, its date, a tag. A name may come several times.

    Attributes:
        name: In lower case: `title`, `author`, `date`, `tag`, `language`, or whatever a front matter calls it.
        value: As text; a date as `2026-06-01`.
    """

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Document:
    """One file as text, with its paragraphs in order and what it says of itself."""

    ref: DocumentRef
    text: str
    paragraphs: tuple[Paragraph, ...]
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of one document that is embedded and searched as a whole.

    Attributes:
        paragraphs: Those it holds or, for a piece of a long paragraph, the one it was cut from; never empty.
        tokens: Length of `embedded_text` in the embedder's own tokens.
    """

    document: DocumentRef
    start: int
    end: int
    text: str
    paragraphs: tuple[Paragraph, ...]
    tokens: int

    @property
    def embedded_text(self) -> str:
        """The chunk's text under its headings, as the embedder and the keyword index see it."""
        return embedded_text(self.paragraphs[0].headings, self.text)


def embedded_text(headings: tuple[str, ...], text: str) -> str:
    """The text of a chunk with the headings it stands under put in front."""
    return "\n".join((" > ".join(headings), text)) if headings else text


@dataclass(frozen=True, slots=True)
class Hit:
    """A paragraph that came up for a question, and the chunk through which it did.

    Attributes:
        rank: From 1.
        score: What the hits are ordered by; comparable only within one search.
        dense: Cosine of question and chunk in [-1, 1], or None if the vectors did not bring it up.
        keyword: BM25 score of the chunk (higher is better), or None if the keywords did not bring it up.
    """

    paragraph: Paragraph
    chunk: Chunk
    score: float
    rank: int
    dense: float | None = None
    keyword: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The hit as `ragkit search --json` prints it."""
        return {
            "rank": self.rank,
            "score": round(self.score, 6),
            "document": self.paragraph.document.path,
            "document_id": self.paragraph.document.id,
            "paragraph": self.paragraph.number,
            "page": self.paragraph.page,
            "start": self.paragraph.start,
            "end": self.paragraph.end,
            "text": self.paragraph.text,
            "place": self.paragraph.place,
            "headings": list(self.paragraph.headings),
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sentence that may answer the question: what the model is shown, under its label.

    Attributes:
        label: From 1, as the model sees it.
        start: Of the sentence, in the document's text.
        score: How well it answers, higher is better; comparable only within one question.
        short_answer: The words of it that the reader points at; empty if it points at none.
        log_odds: By the reader, that it answers the question rather than nothing in its paragraph does.
    """

    label: int
    paragraph: Paragraph
    start: int
    end: int
    text: str
    score: float
    short_answer: str = ""
    log_odds: float = 0.0


@dataclass(frozen=True, slots=True)
class Citation:
    """A label resolved to a place in a paragraph, with the exact words that stand there."""

    label: int
    paragraph: Paragraph
    start: int
    end: int
    quote: str
    score: float

    def to_dict(self) -> dict[str, Any]:
        """The citation as `ragkit ask --json` prints it."""
        return {
            "label": self.label,
            "document": self.paragraph.document.path,
            "document_id": self.paragraph.document.id,
            "paragraph": self.paragraph.number,
            "page": self.paragraph.page,
            "start": self.start,
            "end": self.end,
            "quote": self.quote,
            "score": round(self.score, 4),
            "place": self.paragraph.place,
            "headings": list(self.paragraph.headings),
        }


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer with the labels it cites and what verification said of it.

    Attributes:
        text: Without its labels.
        support: In [0, 1]; 1 for a whole sentence of the source as it stands there.
        quoted: Whether the words are the document's own rather than the model's.
    """

    text: str
    citations: tuple[int, ...]
    verdict: Support
    support: float
    quoted: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The sentence as `ragkit ask --json` prints it."""
        return {
            "text": self.text,
            "citations": list(self.citations),
            "verdict": self.verdict,
            "support": round(self.support, 4),
        }


@dataclass(frozen=True, slots=True)
class Seconds:
    """Wall-clock seconds of the steps of one answer."""

    retrieve: float = 0.0
    generate: float = 0.0
    verify: float = 0.0

    @property
    def total(self) -> float:
        """All steps together."""
        return self.retrieve + self.generate + self.verify


@dataclass(frozen=True, slots=True)
class Answer:
    """What ragkit says to a question: checked sentences with citations, or a refusal with its reason.

    Attributes:
        text: The sentences with their labels, or the refusal sentence.
        confidence: Estimated probability in [0, 1] that the documents answer the question and this is the answer.
        nearest: The paragraphs that came closest, best first; most useful when ragkit abstained.
        unresolved_labels: Labels the model wrote though it was never shown them; what cited them was not said.
        generation: Of the index, as it was asked.
    """

    question: str
    text: str
    abstained: bool
    reason: AbstentionReason | None
    confidence: float
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    model: str
    seconds: Seconds = field(default_factory=Seconds)
    nearest: tuple[Hit, ...] = ()
    unresolved_labels: tuple[int, ...] = ()
    id: str | None = None
    generation: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The answer as one JSON object, the contract of `ragkit ask --json`."""
        return {
            "id": self.id,
            "question": self.question,
            "answer": self.text,
            "abstained": self.abstained,
            "reason": self.reason,
            "confidence": round(self.confidence, 4),
            "sentences": [sentence.to_dict() for sentence in self.sentences],
            "citations": [citation.to_dict() for citation in self.citations],
            "model": self.model,
            "seconds": {
                "retrieve": round(self.seconds.retrieve, 4),
                "generate": round(self.seconds.generate, 4),
                "verify": round(self.seconds.verify, 4),
            },
            "generation": self.generation,
        }
