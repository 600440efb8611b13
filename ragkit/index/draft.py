"""A database that is being written: documents come, die and are filed; nobody else reads it until it is renamed.

Called by `writer`. A document that leaves only dies, so that an earlier generation can be gone back to; `purge` takes
out what no generation is kept for.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self, cast

from ragkit.index.checksums import check_offsets, chunk_checksum, document_checksum, text_hash
from ragkit.index.file_facts import day_of, facts_of_file, facts_of_path
from ragkit.index.history import copies_at, documents_at
from ragkit.index.keywords import add_keywords, remove_keywords
from ragkit.index.schema import SCHEMA
from ragkit.index.store import FileStamp, Origin, Store, Vector
from ragkit.records import Chunk, Document


class Draft(Store):
    """A database file, open for writing.

    Attributes:
        generation: The one that is being made: what is put is born in it, what is removed dies in it.
    """

    generation = 1

    @classmethod
    def open(cls, file: Path | str, *, new: bool) -> Self:
        """Opens a file that no one else reads and begins a transaction; durability comes with its rename."""
        connection = sqlite3.connect(file, isolation_level=None)
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA foreign_keys = ON")
        if new:
            connection.executescript(SCHEMA)
        connection.execute("BEGIN")
        return cls(connection)

    def commit(self) -> None:
        """Writes out the transaction."""
        self.connection.execute("COMMIT")

    def vacuum(self) -> None:
        """Gives back the space of what was removed, of which nothing is left then, and begins another transaction."""
        self.connection.execute("INSERT INTO keywords (keywords) VALUES ('optimize')")  # or removed words stay in it
        self.commit()
        self.connection.execute("VACUUM")
        self.connection.execute("BEGIN")

    def skip_ids(self, last_ids: dict[str, int]) -> None:
        """Numbers the rows of an empty draft on from those that were used before it."""
        self.connection.execute("DELETE FROM sqlite_sequence")
        self.connection.executemany("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", last_ids.items())

    def put_meta(self, facts: dict[str, str | int]) -> None:
        """Adds or replaces facts about the whole index."""
        self.connection.executemany("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", facts.items())

    def put_document(self, document: Document, embedded: Sequence[tuple[Chunk, Vector]], origin: Origin) -> list[int]:
        """Stores a document whose path is not there yet; gives the ids of its chunks, in their order."""
        check_offsets(document, [chunk for chunk, _ in embedded])
        stamp, filing = origin.stamp, origin.filing
        columns = {
            "path": document.ref.path,
            "document_id": document.ref.id,
            "collection": filing.collection,
            "labels": json.dumps(filing.labels),
            "reader": origin.reader,
            "location": stamp.location,
            "root": stamp.root,
            "bytes": stamp.bytes,
            "mtime_ns": stamp.mtime_ns,
            "is_live": 1,
            "text": document.text,
            "checksum": document_checksum(document, filing, len(embedded)),
        }
        row = self._insert("documents", columns)
        self.connection.executemany("INSERT INTO labels VALUES (?, ?)", ((row, label) for label in filing.labels))
        self.connection.execute("INSERT INTO lives (document, born) VALUES (?, ?)", (row, self.generation))
        self.connection.executemany(
            "INSERT INTO paragraphs VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (row, p.number, p.start, p.end, p.kind, json.dumps(p.headings), p.page, p.place)
                for p in document.paragraphs
            ),
        )
        self._put_facts(row, ((fact.name, fact.value) for fact in document.facts), is_own=True)
        self._put_facts(row, facts_of_file(document.ref.path, filing.collection, stamp.mtime_ns), is_own=False)
        return [self._put_chunk(row, chunk, vector) for chunk, vector in embedded]

    def _insert(self, table: str, columns: dict[str, object]) -> int:
        marks = ", ".join("?" * len(columns))
        query = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
        return cast(int, self.connection.execute(query, tuple(columns.values())).lastrowid)

    def _put_facts(self, row: int, facts: Iterable[tuple[str, str]], *, is_own: bool) -> None:
        query = "SELECT coalesce(max(number), 0) FROM facts WHERE document = ?"
        (last,) = self.connection.execute(query, (row,)).fetchone()
        self.connection.executemany(
            "INSERT INTO facts VALUES (?, ?, ?, ?, ?)",
            ((row, number, name, value, is_own) for number, (name, value) in enumerate(facts, last + 1)),
        )

    def _put_chunk(self, document_row: int, chunk: Chunk, vector: Vector) -> int:
        text, stored = chunk.embedded_text, vector.astype("<f4").tobytes()
        columns = {
            "document": document_row,
            "start": chunk.start,
            "stop": chunk.end,
            "tokens": chunk.tokens,
            "paragraphs": json.dumps([paragraph.number for paragraph in chunk.paragraphs]),
            "text_hash": text_hash(text),
            "vector": stored,
            "checksum": chunk_checksum(chunk, stored),
        }
        chunk_id = self._insert("chunks", columns)
        add_keywords(self.connection, chunk_id, text)
        return chunk_id

    def retire(self, path: str) -> list[int]:
        """Lets the document of a path die, if there is one; gives the ids of its chunks, which no other will ever get.

        One that was born in this very generation leaves no trace.
        """
        row = self.row_of(path)
        if row is None:
            return []
        chunk_ids = [found for (found,) in self.connection.execute("SELECT id FROM chunks WHERE document = ?", (row,))]
        remove_keywords(self.connection, chunk_ids)
        for copy, _ in self.copies_of(row):
            self.remove_copy(copy)
        self.connection.execute("UPDATE documents SET is_live = 0 WHERE id = ?", (row,))
        unborn = "DELETE FROM lives WHERE document = ? AND born = ?"
        self.connection.execute(unborn, (row, self.generation))
        died = "UPDATE lives SET died = ? WHERE document = ? AND died IS NULL"
        self.connection.execute(died, (self.generation, row))
        if self.connection.execute("SELECT 1 FROM lives WHERE document = ?", (row,)).fetchone() is None:
            self.connection.execute("DELETE FROM documents WHERE id = ?", (row,))
        return chunk_ids

    def revive(self, row: int) -> None:
        """Lets a dead document live again."""
        for chunk_id, chunk, _ in self.embedded_chunks(row):
            add_keywords(self.connection, chunk_id, chunk.embedded_text)
        self.connection.execute("UPDATE documents SET is_live = 1 WHERE id = ?", (row,))
        again = "UPDATE lives SET died = NULL WHERE document = ? AND died = ?"
        if not self.connection.execute(again, (row, self.generation)).rowcount:
            self.connection.execute("INSERT INTO lives (document, born) VALUES (?, ?)", (row, self.generation))

    def go_back(self, number: int) -> bool:
        """Makes the documents and copies of an earlier generation the living ones; says whether any differed."""
        wanted, living = documents_at(self.connection, number), set(self.document_rows())
        wanted_copies, copies = copies_at(self.connection, number), copies_at(self.connection, self.generation)
        for path, _ in copies.keys() - wanted_copies.keys():
            self.remove_copy(path)
        for ref in self.refs(living - wanted):
            self.retire(ref.path)
        for row in sorted(wanted - living):
            self.revive(row)
        for path, row in sorted(wanted_copies.keys() - copies.keys()):
            self.put_copy(path, row, wanted_copies[path, row])
        return wanted != living or wanted_copies.keys() != copies.keys()

    def copies_of(self, row: int) -> list[tuple[str, FileStamp]]:
        """The other files with the content of a document, by path."""
        columns = "path, location, root, bytes, mtime_ns"
        query = f"SELECT {columns} FROM copies WHERE document = ? AND died IS NULL ORDER BY path"
        return [(path, FileStamp(*stamp)) for path, *stamp in self.connection.execute(query, (row,))]

    def put_copy(self, path: str, row: int, stamp: FileStamp) -> None:
        """Notes that a file, of which nothing is known, has the same content as the document of a row."""
        values = (path, row, stamp.location, stamp.root, stamp.bytes, stamp.mtime_ns, self.generation)
        self.connection.execute("INSERT INTO copies VALUES (?, ?, ?, ?, ?, ?, ?, NULL)", values)
        self._put_places(row)

    def remove_copy(self, path: str) -> bool:
        """Forgets a file that has the same content as a document; says whether it was known."""
        living = "WHERE path = ? AND died IS NULL"
        row = self.connection.execute(f"SELECT document FROM copies {living}", (path,)).fetchone()
        if row is None:
            return False
        self.connection.execute(f"DELETE FROM copies {living} AND born = ?", (path, self.generation))
        self.connection.execute(f"UPDATE copies SET died = ? {living}", (self.generation, path))
        self._put_places(*row)
        return True

    def _put_places(self, row: int) -> None:
        """Notes by which paths a document can be asked for: its own and those of its copies."""
        places = "DELETE FROM facts WHERE document = ? AND NOT is_own AND name IN ('path', 'name', 'folder', 'type')"
        self.connection.execute(places, (row,))
        path = self.connection.execute("SELECT path FROM documents WHERE id = ?", (row,)).fetchone()
        paths = [*path, *(copy for copy, _ in self.copies_of(row))]
        self._put_facts(row, dict.fromkeys(fact for path in paths for fact in facts_of_path(path)), is_own=False)

    def put_stamp(self, path: str, stamp: FileStamp) -> None:
        """Notes how the file of an unchanged document, or a copy of it, looks now."""
        values = (stamp.location, stamp.root, stamp.bytes, stamp.mtime_ns, path)
        columns = "SET location = ?, root = ?, bytes = ?, mtime_ns = ? WHERE path = ?"
        self.connection.execute(f"UPDATE copies {columns} AND died IS NULL", values)
        self.connection.execute(f"UPDATE documents {columns} AND is_live", values)
        row = self.row_of(path)
        if row is not None:
            modified = "UPDATE facts SET value = ? WHERE document = ? AND name = 'modified' AND NOT is_own"
            self.connection.execute(modified, (day_of(stamp.mtime_ns), row))
