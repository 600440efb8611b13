"""The documents of an index of an older format leave, checked, so that they can be put into a new one.

Called by `writer`. Nothing is read from files or embedded again; ids go on from where they were.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, cast

import numpy as np

from ragkit.index.checksums import ChecksumError
from ragkit.index.spec import IndexSpec
from ragkit.index.store import FileStamp, Origin, Vector
from ragkit.records import Chunk, Document, DocumentRef, Paragraph, ParagraphKind

_MARKDOWN = (".md", ".markdown")


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as an index holds it, ready to be put into another.

    Attributes:
        copies: The paths of other files with its content, and how they looked.
    """

    document: Document
    embedded: list[tuple[Chunk, Vector]]
    origin: Origin
    copies: tuple[tuple[str, FileStamp], ...] = ()


def first_spec(connection: sqlite3.Connection) -> tuple[IndexSpec, int]:
    """What made an index of format 1, and its generation."""
    meta = dict(connection.execute("SELECT key, value FROM meta"))
    meta["chunker_version"] = meta.pop("reader_version")
    return IndexSpec.from_meta(meta), int(meta["generation"])


def first_last_ids(connection: sqlite3.Connection) -> dict[str, int]:
    """The highest row ever used in an index of format 1, by table."""
    return dict(connection.execute("SELECT name, seq FROM sqlite_sequence"))


def first_documents(connection: sqlite3.Connection) -> Iterator[StoredDocument]:
    """Every document of an index of format 1.

    Raises:
        ChecksumError: One is not what was indexed.
    """
    columns = "SELECT id, path, document_id, location, root, bytes, mtime_ns, text, checksum FROM documents"
    for row, path, document_id, *stamp, text, checksum in connection.execute(columns + " ORDER BY id"):
        ref = DocumentRef(path, document_id)
        paragraphs = _paragraphs(connection, row, ref, text)
        document = Document(ref, text, tuple(paragraphs.values()))
        if _checksum([path, document_id, text, *map(_facts, paragraphs.values())]) != checksum:
            raise ChecksumError(f"document '{path}' is not what was indexed")
        reader = "markdown/1" if PurePosixPath(path).suffix.lower() in _MARKDOWN else "text/1"
        embedded = list(_embedded(connection, row, document, paragraphs))
        yield StoredDocument(document, embedded, Origin(FileStamp(*stamp), reader))


def _paragraphs(connection: sqlite3.Connection, row: int, ref: DocumentRef, text: str) -> dict[int, Paragraph]:
    query = "SELECT number, start, stop, kind, headings, page FROM paragraphs WHERE document = ? ORDER BY number"
    return {
        number: Paragraph(
            ref, number, start, stop, text[start:stop], cast(ParagraphKind, kind), tuple(json.loads(headings)), page
        )
        for number, start, stop, kind, headings, page in connection.execute(query, (row,))
    }


def _embedded(
    connection: sqlite3.Connection, row: int, document: Document, paragraphs: dict[int, Paragraph]
) -> Iterator[tuple[Chunk, Vector]]:
    query = "SELECT start, stop, tokens, paragraphs, vector, checksum FROM chunks WHERE document = ? ORDER BY id"
    ref = document.ref
    for start, stop, tokens, numbers, vector, checksum in connection.execute(query, (row,)):
        within = tuple(paragraphs[number] for number in json.loads(numbers))
        chunk = Chunk(ref, start, stop, document.text[start:stop], within, tokens)
        facts = [ref.path, ref.id, start, stop, tokens, chunk.text, *map(_facts, within)]
        if _checksum(facts, b"\0" + vector) != checksum:
            raise ChecksumError(f"a chunk of document '{ref.path}' is not what was indexed")
        yield chunk, np.frombuffer(vector, dtype="<f4")


def _facts(paragraph: Paragraph) -> list[Any]:
    offsets = (paragraph.number, paragraph.start, paragraph.end)
    return [*offsets, paragraph.kind, paragraph.headings, paragraph.page, paragraph.text]


def _checksum(facts: list[Any], more: bytes = b"") -> bytes:
    return hashlib.blake2b(json.dumps(facts).encode() + more, digest_size=16).digest()
