"""The truth of an index: one SQLite database of documents, paragraphs, chunks and their vectors.

A `Store` reads: from a file that nobody changes, or from a draft (`ragkit.index.draft`) that nobody else reads. Texts
of paragraphs and chunks are slices of their document's text. Everything handed out was checked against the checksum it
was stored with. Only what lives is found here; `history` knows the dead.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import numpy.typing as npt

from ragkit.index.checksums import ChecksumError, chunk_checksum, document_checksum, text_hash
from ragkit.index.file_facts import is_noted_rightly
from ragkit.index.filing import Filing
from ragkit.records import Chunk, Document, DocumentRef, Fact, Paragraph, ParagraphKind

Vector = npt.NDArray[np.float32]

EVERYWHERE = Filing()
"""The default collection, without labels."""


@dataclass(frozen=True, slots=True)
class FileStamp:
    """Where a document came from and how its file looked when it was read.

    Attributes:
        location: The real file, relative to the index folder, so that both can move together.
        root: The argument of `ragkit index` that led to it.
        mtime_ns: Negative if the file was so new that it may have changed again within the clock's step.
    """

    location: str
    root: str
    bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Origin:
    """All that an index notes of a document beside what is in it.

    Attributes:
        reader: Which reader made its text, with the version of that reader.
    """

    stamp: FileStamp
    reader: str
    filing: Filing = EVERYWHERE


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file that the index knows: of a document, or another one with the very same content.

    Attributes:
        path: As it is cited or, for a copy, as it would be.
        ref: The document.
    """

    path: str
    ref: DocumentRef
    origin: Origin

    @property
    def is_copy(self) -> bool:
        """Whether the document is cited by the path of another file."""
        return self.path != self.ref.path


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is."""

    documents: int
    paragraphs: int
    chunks: int


class Store:
    """One database file, open. `meta` holds the few settings and facts that are about the whole."""

    def __init__(self, connection: sqlite3.Connection):
        self.connection = connection

    @classmethod
    def open_to_read(cls, file: Path) -> Self:
        """Opens a file that is never changed in place: no lock is taken and no file beside it is made."""
        uri = file.resolve().as_uri() + "?mode=ro&immutable=1"
        return cls(sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None))

    def close(self) -> None:
        """Closes the file; what was not committed is gone."""
        self.connection.close()

    def meta(self) -> dict[str, Any]:
        """The facts about the whole index."""
        return dict(self.connection.execute("SELECT key, value FROM meta"))

    def last_ids(self) -> dict[str, int]:
        """The highest row ever used, by table."""
        return dict(self.connection.execute("SELECT name, seq FROM sqlite_sequence"))

    def counts(self, within: Collection[int] | None = None) -> Counts:
        """How much lives, in all or in the documents of some rows."""
        rows = set(self.document_rows()) if within is None else set(within)
        per_document = "SELECT document, count(*) FROM {} GROUP BY document"
        paragraphs, chunks = (
            sum(count for row, count in self.connection.execute(per_document.format(table)) if row in rows)
            for table in ("paragraphs", "chunks")
        )
        return Counts(len(rows), paragraphs, chunks)

    def document_rows(self) -> list[int]:
        """The rows of all documents that live, ascending."""
        return [row for (row,) in self.connection.execute("SELECT id FROM documents WHERE is_live ORDER BY id")]

    def chunk_ids(self, within: Collection[int] | None = None) -> list[int]:
        """The ids of all chunks that live, or of those in the documents of some rows, ascending."""
        query = "SELECT chunks.id, document FROM chunks JOIN documents ON documents.id = document WHERE is_live"
        rows = set(within) if within is not None else None
        found = self.connection.execute(query + " ORDER BY chunks.id")
        return [chunk_id for chunk_id, row in found if rows is None or row in rows]

    def ordered_vectors(self) -> Iterator[tuple[int, bytes]]:
        """The ids of all chunks that live with their vectors, by path and by place in the document."""
        return self.connection.execute(
            "SELECT chunks.id, chunks.vector FROM documents CROSS JOIN chunks ON chunks.document = documents.id "
            "WHERE documents.is_live ORDER BY documents.path, chunks.id"
        )

    def keyword_ids(self) -> list[int]:
        """The ids of the chunks that can be found by their words, ascending."""
        return [chunk_id for (chunk_id,) in self.connection.execute("SELECT rowid FROM keywords ORDER BY rowid")]

    def damage(self) -> list[str]:
        """What SQLite finds wrong with its own file, at most a few lines; empty if it is sound."""
        found = [str(line) for (line,) in self.connection.execute("PRAGMA integrity_check(3)")]
        return [] if found == ["ok"] else found

    def refs(self, within: Collection[int] | None = None) -> list[DocumentRef]:
        """Every document that lives, in the order of their paths."""
        rows = self.connection.execute("SELECT id, path, document_id FROM documents WHERE is_live ORDER BY path")
        return [DocumentRef(path, ident) for row, path, ident in rows if within is None or row in within]

    def known_files(self) -> list[KnownFile]:
        """The files of all documents that live, and of their copies."""
        rows = self.connection.execute(
            "SELECT id, path, document_id, reader, collection, labels, location, root, bytes, mtime_ns "
            "FROM documents WHERE is_live"
        )
        files = {
            row: KnownFile(path, DocumentRef(path, ident), Origin(FileStamp(*stamp), reader, _filing(name, labels)))
            for row, path, ident, reader, name, labels, *stamp in rows
        }
        copies = self.connection.execute(
            "SELECT document, path, location, root, bytes, mtime_ns FROM copies WHERE died IS NULL"
        )
        return [
            *files.values(),
            *(
                KnownFile(
                    path, files[row].ref, Origin(FileStamp(*stamp), files[row].origin.reader, files[row].origin.filing)
                )
                for row, path, *stamp in copies
                if row in files
            ),
        ]

    def origin_of(self, row: int) -> Origin:
        """What is noted of the document of a row, dead or alive."""
        columns = "SELECT reader, collection, labels, location, root, bytes, mtime_ns FROM documents WHERE id = ?"
        reader, collection, labels, *stamp = self.connection.execute(columns, (row,)).fetchone()
        return Origin(FileStamp(*stamp), reader, _filing(collection, labels))

    def row_of(self, path: str) -> int | None:
        """The row of the document of a path, if it lives."""
        found = self.connection.execute("SELECT id FROM documents WHERE is_live AND path = ?", (path,)).fetchone()
        return None if found is None else int(found[0])

    def document(self, path: str) -> Document | None:
        """One document with all its paragraphs, or None if there is none of that path."""
        row = self.row_of(path)
        return None if row is None else self.document_of(row)

    def document_of(self, row: int) -> Document:
        """The document of a row, dead or alive."""
        columns = "SELECT path, document_id, collection, labels, text, checksum FROM documents WHERE id = ?"
        path, document_id, collection, labels, text, checksum = self.connection.execute(columns, (row,)).fetchone()
        ref = DocumentRef(path, document_id)
        facts = self.connection.execute(
            "SELECT name, value FROM facts WHERE document = ? AND is_own ORDER BY number", (row,)
        )
        paragraphs = self._paragraphs(row, ref, text).values()
        document = Document(ref, text, tuple(paragraphs), tuple(Fact(*fact) for fact in facts))
        shown_to = [
            label
            for (label,) in self.connection.execute(
                "SELECT label FROM labels WHERE document = ? ORDER BY label", (row,)
            )
        ]
        (chunks,) = self.connection.execute("SELECT count(*) FROM chunks WHERE document = ?", (row,)).fetchone()
        is_whole = document_checksum(document, _filing(collection, labels), chunks) == checksum
        if not is_whole or shown_to != json.loads(labels):
            raise ChecksumError(f"document '{path}' is not what was indexed")
        return document

    def chunks(self, chunk_ids: Iterable[int]) -> dict[int, Chunk]:
        """The chunks of those ids that live."""
        query = "SELECT chunks.* FROM chunks JOIN documents ON documents.id = document WHERE chunks.id = ? AND is_live"
        by_document: dict[int, list[tuple[Any, ...]]] = {}
        for chunk_id in chunk_ids:
            row = self.connection.execute(query, (chunk_id,)).fetchone()
            if row is not None:
                by_document.setdefault(row[1], []).append(row)
        found: dict[int, Chunk] = {}
        for document_row, rows in by_document.items():
            found |= {chunk_id: chunk for chunk_id, chunk, _ in self._chunks_of(document_row, rows)}
        return found

    def embedded_chunks(self, document_row: int) -> list[tuple[int, Chunk, Vector]]:
        """The chunks of a document, dead or alive, with their ids and vectors."""
        rows = self.connection.execute("SELECT * FROM chunks WHERE document = ? ORDER BY id", (document_row,))
        return self._chunks_of(document_row, rows.fetchall())

    def checked_documents(self) -> Iterator[tuple[int, list[tuple[int, Vector]]]]:
        """The row of every document, dead or alive, with the ids and vectors of its chunks, all checked.

        Raises:
            ChecksumError: Something is not what was indexed.
        """
        for (row,) in self.connection.execute("SELECT id FROM documents ORDER BY id").fetchall():
            self.document_of(row)
            if not is_noted_rightly(self.connection, row):
                raise ChecksumError(f"what is noted of document {row} is not what was indexed")
            yield row, [(chunk_id, vector) for chunk_id, _, vector in self.embedded_chunks(row)]

    def _chunks_of(self, document_row: int, rows: list[tuple[Any, ...]]) -> list[tuple[int, Chunk, Vector]]:
        """Chunks of one document, so that its text is read once."""
        document = self.connection.execute(
            "SELECT path, document_id, text FROM documents WHERE id = ?", (document_row,)
        )
        found = document.fetchone()
        if found is None:
            raise ChecksumError(f"document {document_row} is not there, but chunks of it are")
        ref, text = DocumentRef(found[0], found[1]), found[2]
        chunks = []
        for chunk_id, _, start, stop, tokens, numbers, _, vector, checksum in rows:
            wanted: list[int] = json.loads(numbers)
            paragraphs = self._paragraphs(document_row, ref, text, wanted)
            if len(paragraphs) != len(wanted) or not wanted:
                raise ChecksumError(f"chunk {chunk_id} of document '{ref.path}' lost paragraphs")
            in_order = tuple(paragraphs[number] for number in wanted)
            chunk = Chunk(ref, start, stop, text[start:stop], in_order, tokens)
            if chunk_checksum(chunk, vector) != checksum:
                raise ChecksumError(f"chunk {chunk_id} of document '{ref.path}' is not what was indexed")
            chunks.append((chunk_id, chunk, np.frombuffer(vector, dtype="<f4")))
        return chunks

    def _paragraphs(
        self, document_row: int, ref: DocumentRef, text: str, numbers: Sequence[int] | None = None
    ) -> dict[int, Paragraph]:
        """Paragraphs of a document by number: those asked for, or all in order."""
        query = "SELECT number, start, stop, kind, headings, page, place FROM paragraphs WHERE document = ?"
        if numbers is None:
            rows = self.connection.execute(query + " ORDER BY number", (document_row,)).fetchall()
        else:
            one = query + " AND number = ?"
            rows = [row for number in numbers for row in self.connection.execute(one, (document_row, number))]
        return {
            number: Paragraph(
                ref,
                number,
                start,
                stop,
                text[start:stop],
                cast(ParagraphKind, kind),
                tuple(json.loads(headings)),
                page,
                place,
            )
            for number, start, stop, kind, headings, page, place in rows
        }

    def vector_of(self, embedded_text: str) -> Vector | None:
        """The vector of a chunk with exactly this embedded text, dead or alive, or None if there is none."""
        query = "SELECT vector FROM chunks WHERE text_hash = ? LIMIT 1"
        row = self.connection.execute(query, (text_hash(embedded_text),)).fetchone()
        return None if row is None else np.frombuffer(row[0], dtype="<f4")


def _filing(collection: str, labels: str) -> Filing:
    return Filing(collection, tuple(json.loads(labels)))
