"""What makes sure that a text which comes out of an index is the text that went in, in the place it had.

Called by `store`, which keeps only offsets and checksums beside a document's text.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from ragkit.index.filing import Filing
from ragkit.records import Chunk, Document, Paragraph


class ChecksumError(ValueError):
    """What was read is not what was stored; who opened the store turns it into an IndexCorruptError."""


def text_hash(text: str) -> bytes:
    """By which a chunk is recognised that was embedded before."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _paragraph_facts(paragraph: Paragraph) -> list[Any]:
    offsets = (paragraph.number, paragraph.start, paragraph.end)
    return [*offsets, paragraph.kind, paragraph.headings, paragraph.page, paragraph.place, paragraph.text]


def chunk_checksum(chunk: Chunk, vector: bytes) -> bytes:
    """Over everything that is handed out with a chunk, and the vector it is found by."""
    ref = chunk.document
    facts = [
        ref.path,
        ref.id,
        chunk.start,
        chunk.end,
        chunk.tokens,
        chunk.text,
        *map(_paragraph_facts, chunk.paragraphs),
    ]
    return hashlib.blake2b(json.dumps(facts).encode() + b"\0" + vector, digest_size=16).digest()


def document_checksum(document: Document, filing: Filing, chunks: int) -> bytes:
    """Over everything that is handed out with a document, who may see it, and how many chunks it has."""
    facts = [
        chunks,
        document.ref.path,
        document.ref.id,
        filing.collection,
        filing.labels,
        [[fact.name, fact.value] for fact in document.facts],
        document.text,
        *map(_paragraph_facts, document.paragraphs),
    ]
    return hashlib.blake2b(json.dumps(facts).encode(), digest_size=16).digest()


def check_offsets(document: Document, chunks: Sequence[Chunk]) -> None:
    """Raises ValueError if a reader or the chunker broke its contract, since only the offsets are stored."""
    known = {paragraph.number for paragraph in document.paragraphs}
    parts: tuple[Paragraph | Chunk, ...] = (*document.paragraphs, *chunks)
    for part in parts:
        if document.text[part.start : part.end] != part.text or part.document != document.ref:
            raise ValueError(f"offsets {part.start}:{part.end} of '{document.ref.path}' do not give their text")
    if not all(chunk.paragraphs and known.issuperset(p.number for p in chunk.paragraphs) for chunk in chunks):
        raise ValueError(f"a chunk of '{document.ref.path}' has paragraphs that the document has not")
