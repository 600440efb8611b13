"""A damaged database enters; what of it is still what was indexed leaves, and the names of the rest.

Called by `repair`. Every document is checked with all its paragraphs and chunks; one that is not whole is not trusted
in part.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

from ragkit.index.checksums import ChecksumError
from ragkit.index.migration import StoredDocument
from ragkit.index.store import FileStamp, Store

_UNREADABLE = (sqlite3.Error, ChecksumError, ValueError, TypeError, KeyError, OverflowError)

_WITNESSES = (
    "SELECT document, NULL FROM lives WHERE died IS NULL ORDER BY document",
    "SELECT id, path FROM documents INDEXED BY live_documents WHERE is_live ORDER BY path",
    "SELECT id, path FROM documents NOT INDEXED WHERE is_live ORDER BY id",
)
"""Each tells of its own which documents live; one damaged place makes at most one of them tell something else."""

_WITNESSES_NEEDED = 2


def open_damaged(file: Path) -> Store:
    """Opens a database to read what is left of it, also where pages are missing or a table is not told of rightly."""
    store = Store.open_to_read(file)
    store.connection.execute("PRAGMA writable_schema = ON")  # or SQLite refuses it all; the file is not written
    return store


def whole_documents(store: Store, lost: list[str]) -> Iterator[StoredDocument]:
    """Every living document that is what was indexed, once a path; the paths of the others are added to `lost`."""
    told, names = _living(store)
    rows: set[int] = set()
    paths: set[str] = set()
    for row in sorted(told):
        stored = _whole(store, row) or _whole(store, row)  # a disk that misread once lost nothing
        if stored is not None and told[row] >= _WITNESSES_NEEDED and stored.document.ref.path not in paths:
            rows.add(row)
            paths.add(stored.document.ref.path)
            yield stored
    lost += sorted({path for row, path in names if row not in rows} - paths)


def _living(store: Store) -> tuple[Counter[int], set[tuple[int, str]]]:
    """How many witnesses tell of each row that it lives, and under which names, as far as they can be read."""
    told: Counter[int] = Counter()
    names: set[tuple[int, str]] = set()
    for query in _WITNESSES:
        found: dict[int, str | None] = {}
        is_whole = any(_read(store, f"{query} {order}", found) for order in ("ASC", "DESC"))
        if not is_whole and query == _WITNESSES[-1]:  # what lies between two damaged places is reached row by row
            for row in set(told) - set(found):
                _read(store, f"SELECT id, path FROM documents WHERE is_live AND id = {row}", found)
        told.update(found.keys())
        names.update((row, path) for row, path in found.items() if path is not None)
    return told, names


def _read(store: Store, query: str, found: dict[int, str | None]) -> bool:
    """Adds rows and paths up to the first that cannot be read; says whether there was none such."""
    try:
        for row, path in store.connection.execute(query):
            if isinstance(row, int):
                found.setdefault(row, None if path is None else str(path))
    except _UNREADABLE:
        return False
    return True


def _whole(store: Store, row: int) -> StoredDocument | None:
    """The document of a row, if it is what was indexed."""
    try:
        embedded = [(chunk, vector) for _, chunk, vector in store.embedded_chunks(row)]
        document, origin = store.document_of(row), store.origin_of(row)
    except _UNREADABLE:
        return None
    if not _is_stamp(origin.stamp) or not isinstance(origin.reader, str):
        return None
    return StoredDocument(document, embedded, origin, tuple(_copies(store, row)))


def _copies(store: Store, row: int) -> Iterator[tuple[str, FileStamp]]:
    """The copies of a document, as far as they can be read; a file of which nothing is known is merely read again."""
    query = "SELECT path, location, root, bytes, mtime_ns FROM copies NOT INDEXED WHERE document = ? AND died IS NULL"
    try:
        for path, *stamp in store.connection.execute(query, (row,)):
            if isinstance(path, str) and _is_stamp(FileStamp(*stamp)):
                yield path, FileStamp(*stamp)
    except _UNREADABLE:
        return


def _is_stamp(stamp: FileStamp) -> bool:
    return tuple(map(type, astuple(stamp))) == (str, str, int, int)
