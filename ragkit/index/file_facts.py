"""What is noted of a document because of its file, so that questions can be limited by it.

Used by `draft`, which notes it, and by what checks it.
"""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import PurePosixPath


def facts_of_path(path: str) -> Iterator[tuple[str, str]]:
    """Names and values of what a path says."""
    place = PurePosixPath(path)
    yield "path", path
    yield "name", place.name
    yield "folder", str(place.parent)
    yield "type", place.suffix.lstrip(".").lower()


def facts_of_file(path: str, collection: str, mtime_ns: int) -> Iterator[tuple[str, str]]:
    """Names and values of what a file says, and where it is filed."""
    yield from facts_of_path(path)
    yield "collection", collection
    yield "modified", day_of(mtime_ns)


def day_of(mtime_ns: int) -> str:
    """The day on which a file was last changed, in UTC so that it is the same everywhere."""
    return datetime.fromtimestamp(abs(mtime_ns) // 10**9, UTC).date().isoformat()


def is_noted_rightly(connection: sqlite3.Connection, row: int) -> bool:
    """Whether what is noted of a document is what its row says and the rows of its copies, and so is that it lives."""
    columns = "SELECT path, collection, mtime_ns, is_live FROM documents WHERE id = ?"
    path, collection, mtime_ns, is_live = connection.execute(columns, (row,)).fetchone()
    wanted = set(facts_of_file(path, collection, mtime_ns))
    for (copy,) in connection.execute("SELECT path FROM copies WHERE document = ? AND died IS NULL", (row,)):
        wanted.update(facts_of_path(copy))
    noted = set(connection.execute("SELECT name, value FROM facts WHERE document = ? AND NOT is_own", (row,)))
    lives = connection.execute("SELECT 1 FROM lives WHERE document = ? AND died IS NULL", (row,)).fetchone()
    return noted == wanted and bool(is_live) == (lives is not None)
