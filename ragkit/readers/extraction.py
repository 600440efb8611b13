"""What goes into the reader of a format and what comes out: `Source` -> `Extracted`, put together by a `Builder`.

Formats that are no plain text have no text of their own to point into, so their readers make one: the paragraphs in
reading order with a blank line between them. Offsets count code points of that text. A source knows how to read what
lies inside it (the members of an archive, the attachments of a mail) and how much of that is still allowed.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ragkit.errors import DocumentError
from ragkit.readers.opening import printable
from ragkit.readers.spans import Span
from ragkit.records import Document, DocumentRef, Fact, Paragraph, ParagraphKind

MAX_TEXT_CHARS = 64 * 1024 * 1024
"""More text than this comes out of no document that anyone reads; a small file that holds more is a trap."""

MAX_INNER_BYTES = 256 * 1024 * 1024
"""So many bytes may be unpacked out of one file, all levels of it together."""

MAX_INNER_FILES = 5_000
"""So many files inside one file are looked at, all levels together."""

MAX_DEPTH = 4
"""An archive in a mail in an archive in an archive is as deep as it gets."""

MAX_FACT_CHARS = 500
"""A longer title is a paragraph that was taken for one; facts are for comparing."""

_SEPARATOR = "\n\n"
_UNWRITTEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # control characters and halves of characters


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a reader found in one file.

    Attributes:
        text: All its text.
        spans: Its paragraphs, in order.
        facts: What it says of itself.
        warnings: What of it could not be read, as the end of a sentence that begins with its name:
            `has no text on page 3 (is it scanned?)`.
    """

    text: str
    spans: list[Span]
    facts: tuple[Fact, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class Budget:
    """How much may still be unpacked out of one file, shared by all that lies inside it."""

    bytes: int = MAX_INNER_BYTES
    files: int = MAX_INNER_FILES

    def spend(self, size: int, name: str) -> None:
        """Counts an inner file of so many bytes.

        Raises:
            DocumentError: It is more than one file may hold.
        """
        self.bytes -= size
        self.files -= 1
        if self.bytes < 0 or self.files < 0:
            raise DocumentError(
                f"{name} unpacks to more than {MAX_INNER_BYTES:,} bytes or {MAX_INNER_FILES:,} files. "
                "Unpack it yourself and index the folder"
            )


def _any_name(name: str) -> bool:
    """Leaves it to the reader to refuse."""
    return bool(name)


@dataclass(frozen=True, slots=True)
class Source:
    """The bytes of a file or of a file inside one.

    Attributes:
        name: By which it is called in messages; its last suffix says the format.
        data: All its bytes.
        read: The reader for whatever a name says, for what lies inside.
        budget: What may still be unpacked.
        depth: How many files it lies inside.
        use_ocr: Whether pages that are pictures are to be recognised.
        is_readable: Whether there is a reader for what a name says.
    """

    name: str
    data: bytes
    read: Callable[["Source"], Extracted]
    budget: Budget = field(default_factory=Budget)
    depth: int = 0
    use_ocr: bool = False
    is_readable: Callable[[str], bool] = _any_name

    def inside(self, name: str, data: bytes) -> Extracted:
        """What a file that lies inside this one holds.

        Raises:
            DocumentError: It cannot be read, or one file would hold too much.
        """
        self.budget.spend(len(data), self.name)
        if self.depth >= MAX_DEPTH:
            raise DocumentError(f"{name} lies {MAX_DEPTH + 1} files deep. Unpack it yourself and index the folder")
        return self.read(replace(self, name=name, data=data, depth=self.depth + 1))


class Builder:
    """Puts paragraphs together into one text."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self.spans: list[Span] = []
        self.warnings: list[str] = []
        self.facts: list[Fact] = []

    def add(
        self,
        text: str,
        kind: ParagraphKind = "prose",
        *,
        headings: tuple[str, ...] = (),
        page: int | None = None,
        place: str = "",
    ) -> None:
        """Adds one paragraph; whitespace around it is dropped, and so is a paragraph of nothing else."""
        text = text.strip()
        if text:
            start = self._append(text)
            self.spans.append(Span(start, start + len(text), kind, headings, page, place))

    def include(self, inner: Extracted, *, headings: tuple[str, ...] = (), place: str = "", name: str = "") -> None:
        """Adds all of an inner file: its paragraphs stand under `headings` and, in words, in `place`.

        Args:
            inner: What was read.
            headings: In front of its own.
            place: In front of its own.
            name: By which its warnings call it.
        """
        self.warnings += [f"{name} {warning}".strip() for warning in inner.warnings]
        if not inner.text.strip():
            return
        shift = self._append(inner.text)
        for span in inner.spans:
            inner_place = span.place or (f"page {span.page}" if span.page is not None else "")
            places = ", ".join(part for part in (place, inner_place) if part)
            self.spans.append(
                replace(
                    span,
                    start=span.start + shift,
                    end=span.end + shift,
                    headings=(*headings, *span.headings),
                    place=places,
                )
            )

    def fact(self, name: str, value: str | None) -> None:
        """Notes what the document says of itself; an empty value says nothing."""
        flat = " ".join(_UNWRITTEN.sub(" ", (value or "").replace("\xad", "")).split())
        if flat:
            self.facts.append(Fact(name.lower(), flat[:MAX_FACT_CHARS].rstrip()))

    def extracted(self) -> Extracted:
        """All that was added."""
        warnings = tuple(printable(" ".join(warning.split())) for warning in self.warnings)
        return Extracted(_SEPARATOR.join(self._parts), self.spans, tuple(self.facts), warnings)

    def _append(self, text: str) -> int:
        """Adds a part to the text; gives the offset at which it begins."""
        start = self._length + (len(_SEPARATOR) if self._parts else 0)
        self._parts.append(text)
        self._length = start + len(text)
        if self._length > MAX_TEXT_CHARS:
            raise DocumentError(f"It holds more than {MAX_TEXT_CHARS:,} characters of text. Split it into parts")
        return start


def document_of(ref: DocumentRef, extracted: Extracted) -> Document:
    """What was found in a file, as the document that `ref` names.

    Raises:
        DocumentError: Nothing was found.
    """
    text = extracted.text
    paragraphs = tuple(
        Paragraph(
            ref,
            number,
            span.start,
            span.end,
            text[span.start : span.end],
            span.kind,
            span.headings,
            span.page,
            span.place,
        )
        for number, span in enumerate(extracted.spans, start=1)
    )
    if not paragraphs:
        raise DocumentError(f"{printable(ref.path)} is empty: there is no text in it. Add some or leave it out.")
    return Document(ref, text, paragraphs, extracted.facts)
