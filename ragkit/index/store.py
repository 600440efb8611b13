"""The truth of an index: one SQLite database of documents, paragraphs, chunks and their vectors.

A `Store` is opened on a file that nobody changes (to read) or on a draft that nobody else reads (to write); `folder`
says how the one becomes the other. Texts of paragraphs and chunks are slices of their document's text. Everything
handed out was checked against the checksum it was stored with.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from ragkit.index.checksums import ChecksumError, check_offsets, chunk_checksum, document_checksum, text_hash
from ragkit.index.keywords import KEYWORDS_TABLE, add_keywords, remove_keywords
from ragkit.records import Chunk, Document, DocumentRef, Paragraph, ParagraphKind

SCHEMA_VERSION = 1
APPLICATION_ID = int.from_bytes(b"ragk", "big")

Vector = npt.NDArray[np.float32]

_SCHEMA = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path TEXT NOT NULL UNIQUE,
    document_id TEXT NOT NULL,
    location TEXT NOT NULL,
    root TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    text TEXT NOT NULL,
    checksum BLOB NOT NULL
);
CREATE TABLE paragraphs (
    document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    number INTEGER NOT NULL,
    start INTEGER NOT NULL,
    stop INTEGER NOT NULL,
    kind TEXT NOT NULL,
    headings TEXT NOT NULL,
    page INTEGER,
    PRIMARY KEY (document, number)
) WITHOUT ROWID;
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    start INTEGER NOT NULL,
    stop INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    paragraphs TEXT NOT NULL,
    text_hash BLOB NOT NULL,
    vector BLOB NOT NULL,
    checksum BLOB NOT NULL
);
CREATE INDEX chunks_by_document ON chunks (document);
CREATE INDEX chunks_by_text ON chunks (text_hash);
{KEYWORDS_TABLE}
"""


@dataclass(frozen=True, slots=True)
class FileStamp:
    """Where a document came from and how its file looked when it was read.

    Attributes:
        location: The real file, relative to the index folder, so that both can move together.
        root: The argument of `ragkit index` that led to it.
        mtime_ns: -1 if the file was so new that it may have changed again within the clock's step.
    """

    location: str
    root: str
    bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How much an index holds."""

    documents: int
    paragraphs: int
    chunks: int


class Store:
    """One database file, open. `meta` holds the few settings and facts that are about the whole."""

    def __init__(self, connection: sqlite3.Connection):
        self.connection = connection

    @classmethod
    def open_to_read(cls, file: Path) -> "Store":
        """Opens a file that is never changed in place: no lock is taken and no file beside it is made."""
        uri = file.resolve().as_uri() + "?mode=ro&immutable=1"
        return cls(sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None))

    @classmethod
    def open_draft(cls, file: Path, *, new: bool) -> "Store":
        """Opens a file that no one else reads and begins a transaction; durability comes with its rename."""
        connection = sqlite3.connect(file, isolation_level=None)
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA foreign_keys = ON")
        if new:
            connection.executescript(_SCHEMA)
        connection.execute("BEGIN")
        return cls(connection)

    def close(self) -> None:
        """Closes the file; what was not committed is gone."""
        self.connection.close()

    def commit(self) -> None:
        """Writes out the transaction."""
        self.connection.execute("COMMIT")

    def meta(self) -> dict[str, Any]:
        """The facts about the whole index."""
        return dict(self.connection.execute("SELECT key, value FROM meta"))

    def put_meta(self, facts: dict[str, str | int]) -> None:
        """Adds or replaces facts about the whole index."""
        self.connection.executemany("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", facts.items())

    def counts(self) -> Counts:
        """How much there is."""
        tables = ("documents", "paragraphs", "chunks")
        return Counts(*(self.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables))

    def chunk_ids(self) -> list[int]:
        """The ids of all chunks, ascending."""
        return [chunk_id for (chunk_id,) in self.connection.execute("SELECT id FROM chunks ORDER BY id")]

    def keyword_ids(self) -> list[int]:
        """The ids of the chunks that can be found by their words, ascending."""
        return [chunk_id for (chunk_id,) in self.connection.execute("SELECT rowid FROM keywords ORDER BY rowid")]

    def damage(self) -> list[str]:
        """What SQLite finds wrong with its own file, at most a few lines; empty if it is sound."""
        found = [str(line) for (line,) in self.connection.execute("PRAGMA integrity_check(3)")]
        return [] if found == ["ok"] else found

    def refs(self) -> list[DocumentRef]:
        """Every document, in the order of their paths."""
        return [
            DocumentRef(*row)
            for row in self.connection.execute("SELECT path, document_id FROM documents ORDER BY path")
        ]

    def stamps(self) -> dict[DocumentRef, FileStamp]:
        """Every document with its file."""
        rows = self.connection.execute("SELECT path, document_id, location, root, bytes, mtime_ns FROM documents")
        return {DocumentRef(path, document_id): FileStamp(*stamp) for path, document_id, *stamp in rows}

    def document(self, path: str) -> Document | None:
        """One document with all its paragraphs, or None if there is none of that path."""
        columns = "SELECT id, path, document_id, text, checksum FROM documents WHERE path = ?"
        row = self.connection.execute(columns, (path,)).fetchone()
        if row is None:
            return None
        document_row, path, document_id, text, checksum = row
        ref = DocumentRef(path, document_id)
        paragraphs = self._paragraphs(document_row, ref, text).values()
        document = Document(ref, text, tuple(paragraphs))
        if document_checksum(document) != checksum:
            raise ChecksumError(f"the text of document '{path}' is not what was indexed")
        return document

    def chunks(self, chunk_ids: Iterable[int]) -> dict[int, Chunk]:
        """The chunks of those ids that are there."""
        by_document: dict[int, list[tuple[Any, ...]]] = {}
        for chunk_id in chunk_ids:
            row = self.connection.execute("SELECT * FROM chunks WHERE id = ?", (chunk_id,)).fetchone()
            if row is not None:
                by_document.setdefault(row[1], []).append(row)
        found: dict[int, Chunk] = {}
        for document_row, rows in by_document.items():
            found.update(self._chunks_of(document_row, rows))
        return found

    def _chunks_of(self, document_row: int, rows: list[tuple[Any, ...]]) -> dict[int, Chunk]:
        """Chunks of one document, so that its text is read once."""
        document = self.connection.execute(
            "SELECT path, document_id, text FROM documents WHERE id = ?", (document_row,)
        )
        found = document.fetchone()
        if found is None:
            raise ChecksumError(f"chunk {rows[0][0]} belongs to no document")
        ref, text = DocumentRef(found[0], found[1]), found[2]
        chunks: dict[int, Chunk] = {}
        for chunk_id, _, start, stop, tokens, numbers, _, vector, checksum in rows:
            wanted: list[int] = json.loads(numbers)
            paragraphs = self._paragraphs(document_row, ref, text, wanted)
            if len(paragraphs) != len(wanted) or not wanted:
                raise ChecksumError(f"chunk {chunk_id} of document '{ref.path}' lost paragraphs")
            in_order = tuple(paragraphs[number] for number in wanted)
            chunk = Chunk(ref, start, stop, text[start:stop], in_order, tokens)
            if chunk_checksum(chunk, vector) != checksum:
                raise ChecksumError(f"chunk {chunk_id} of document '{ref.path}' is not what was indexed")
            chunks[chunk_id] = chunk
        return chunks

    def _paragraphs(
        self, document_row: int, ref: DocumentRef, text: str, numbers: Sequence[int] | None = None
    ) -> dict[int, Paragraph]:
        """Paragraphs of a document by number: those asked for, or all in order."""
        query = "SELECT number, start, stop, kind, headings, page FROM paragraphs WHERE document = ?"
        if numbers is None:
            rows = self.connection.execute(query + " ORDER BY number", (document_row,)).fetchall()
        else:
            one = query + " AND number = ?"
            rows = [row for number in numbers for row in self.connection.execute(one, (document_row, number))]
        return {
            number: Paragraph(
                ref, number, start, stop, text[start:stop], cast(ParagraphKind, kind), tuple(json.loads(headings)), page
            )
            for number, start, stop, kind, headings, page in rows
        }

    def vector_of(self, embedded_text: str) -> Vector | None:
        """The vector of a chunk with exactly this embedded text, or None if there is none."""
        query = "SELECT vector FROM chunks WHERE text_hash = ? LIMIT 1"
        row = self.connection.execute(query, (text_hash(embedded_text),)).fetchone()
        return None if row is None else np.frombuffer(row[0], dtype="<f4")

    def put_document(self, document: Document, embedded: Sequence[tuple[Chunk, Vector]], stamp: FileStamp) -> list[int]:
        """Stores a document whose path is not there yet; gives the ids of its chunks, in their order."""
        check_offsets(document, [chunk for chunk, _ in embedded])
        insert = (
            "INSERT INTO documents (path, document_id, location, root, bytes, mtime_ns, text, checksum) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        )
        origin = (stamp.location, stamp.root, stamp.bytes, stamp.mtime_ns)
        row = (document.ref.path, document.ref.id, *origin, document.text, document_checksum(document))
        document_row = cast(int, self.connection.execute(insert, row).lastrowid)
        self.connection.executemany(
            "INSERT INTO paragraphs (document, number, start, stop, kind, headings, page) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (document_row, p.number, p.start, p.end, p.kind, json.dumps(p.headings), p.page)
                for p in document.paragraphs
            ),
        )
        return [self._put_chunk(document_row, chunk, vector) for chunk, vector in embedded]

    def _put_chunk(self, document_row: int, chunk: Chunk, vector: Vector) -> int:
        text, stored = chunk.embedded_text, vector.astype("<f4").tobytes()
        numbers = json.dumps([paragraph.number for paragraph in chunk.paragraphs])
        row = (document_row, chunk.start, chunk.end, chunk.tokens, numbers, text_hash(text), stored)
        cursor = self.connection.execute(
            "INSERT INTO chunks (document, start, stop, tokens, paragraphs, text_hash, vector, checksum) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*row, chunk_checksum(chunk, stored)),
        )
        chunk_id = cast(int, cursor.lastrowid)
        add_keywords(self.connection, chunk_id, text)
        return chunk_id

    def remove_document(self, path: str) -> list[int]:
        """Removes a document with all it has; gives the ids of its chunks, which no other chunk will ever get."""
        query = "SELECT chunks.id FROM chunks JOIN documents ON documents.id = chunks.document WHERE path = ?"
        chunk_ids = [chunk_id for (chunk_id,) in self.connection.execute(query, (path,))]
        remove_keywords(self.connection, chunk_ids)
        self.connection.execute("DELETE FROM documents WHERE path = ?", (path,))
        return chunk_ids

    def put_stamp(self, path: str, stamp: FileStamp) -> None:
        """Notes how the file of an unchanged document looks now."""
        self.connection.execute(
            "UPDATE documents SET location = ?, root = ?, bytes = ?, mtime_ns = ? WHERE path = ?",
            (stamp.location, stamp.root, stamp.bytes, stamp.mtime_ns, path),
        )
