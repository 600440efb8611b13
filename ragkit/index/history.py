"""The generations of an index: what is kept of the earlier ones, their tags, and what nobody needs any more.

Called by `writer` on a draft and by `index` to list them. A generation is one committed state; documents that died
since are still there until the generation is forgotten.
"""

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from ragkit.errors import InputError
from ragkit.index.store import FileStamp

DEAD_SHARE = 1 / 3
"""When more of the chunks than this are dead and no tag holds them, the oldest generations are forgotten."""

_LIVED = "lives.born <= generations.number AND (lives.died IS NULL OR lives.died > generations.number)"


@dataclass(frozen=True, slots=True)
class Generation:
    """One state of an index that was committed.

    Attributes:
        made_at: UTC, as `2026-06-01T10:00:00+00:00`.
        added: Documents that came or changed with it.
        removed: Documents that left or changed with it.
        is_kept: Whether all its documents are still there, so that it can be gone back to.
    """

    number: int
    made_at: str
    documents: int
    chunks: int
    added: int
    removed: int
    is_kept: bool
    tags: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The generation as `ragkit history --json` prints it."""
        return {
            "generation": self.number,
            "made_at": self.made_at,
            "documents": self.documents,
            "chunks": self.chunks,
            "added": self.added,
            "removed": self.removed,
            "kept": self.is_kept,
            "tags": list(self.tags),
        }


def generations(connection: sqlite3.Connection) -> list[Generation]:
    """Every generation that is kept, oldest first; one that has a tag is."""
    tags: dict[int, list[str]] = {}
    for name, number in connection.execute("SELECT name, generation FROM tags ORDER BY name"):
        tags.setdefault(number, []).append(name)
    rows = connection.execute(
        "SELECT number, made_at, documents, chunks, added, removed FROM generations WHERE is_kept ORDER BY number"
    )
    return [
        Generation(number, made_at, documents, chunks, added, removed, True, tuple(tags.get(number, ())))
        for number, made_at, documents, chunks, added, removed in rows
    ]


def generations_of(connection: sqlite3.Connection, rows: Collection[int]) -> list[Generation]:
    """The kept generations as if there were only the documents of some rows: those that changed nothing are left out.

    Args:
        connection: To the index's database.
        rows: Of documents, dead ones too.
    """
    chunks = dict(connection.execute("SELECT document, count(*) FROM chunks GROUP BY document"))
    lives = [life for life in connection.execute("SELECT document, born, died FROM lives") if life[0] in rows]
    found = []
    for one in generations(connection):
        lived = [row for row, born, died in lives if born <= one.number and (died is None or died > one.number)]
        added, removed = (sum(life[end] == one.number for life in lives) for end in (1, 2))
        if added or removed:
            held = sum(chunks.get(row, 0) for row in lived)
            found.append(replace(one, documents=len(lived), chunks=held, added=added, removed=removed))
    return found


def record_generation(connection: sqlite3.Connection, number: int, made_at: str) -> None:
    """Notes the generation that is being made, whose documents are all in place.

    What came and left is counted from the last one that is kept.
    """
    (documents,) = connection.execute("SELECT count(*) FROM documents WHERE is_live").fetchone()
    (chunks,) = connection.execute(
        "SELECT count(*) FROM chunks JOIN documents ON documents.id = document WHERE is_live"
    ).fetchone()
    earlier = "SELECT coalesce(max(number), 0) FROM generations WHERE is_kept AND number < ?"
    (last,) = connection.execute(earlier, (number,)).fetchone()
    came, left = "born > ? AND died IS NULL", "born <= ? AND died > ?"
    (added,) = connection.execute(f"SELECT count(*) FROM lives WHERE {came}", (last,)).fetchone()
    (removed,) = connection.execute(f"SELECT count(*) FROM lives WHERE {left}", (last, last)).fetchone()
    connection.execute(
        "INSERT OR REPLACE INTO generations VALUES (?, ?, ?, ?, ?, ?, 1)",
        (number, made_at, documents, chunks, added, removed),
    )


def find_generation(connection: sqlite3.Connection, name: str | int) -> int:
    """The generation that a number or a tag means.

    Raises:
        InputError: There is none, or it was forgotten.
    """
    tagged = connection.execute("SELECT generation FROM tags WHERE name = ?", (str(name),)).fetchone()
    number = tagged[0] if tagged else int(name) if str(name).isdecimal() and len(str(name)) < 16 else None
    kept = [generation.number for generation in generations(connection)]
    if number not in kept:
        raise InputError(f"There is no generation '{name}'. Kept are: {', '.join(map(str, kept))}")
    return int(number)


def documents_at(connection: sqlite3.Connection, number: int) -> set[int]:
    """The rows of the documents that lived in a generation that is kept."""
    query = f"SELECT lives.document FROM lives JOIN generations ON {_LIVED} WHERE generations.number = ?"
    return {row for (row,) in connection.execute(query, (number,))}


def copies_at(connection: sqlite3.Connection, number: int) -> dict[tuple[str, int], FileStamp]:
    """The copies of a generation, each with the row of its document."""
    columns = "SELECT path, document, location, root, bytes, mtime_ns FROM copies"
    rows = connection.execute(f"{columns} WHERE born <= ?1 AND (died IS NULL OR died > ?1)", (number,))
    return {(path, row): FileStamp(*stamp) for path, row, *stamp in rows}


def put_tag(connection: sqlite3.Connection, name: str, number: int) -> None:
    """Gives a generation a name, by which it is kept until the tag is removed.

    Raises:
        InputError: The name is none, or another generation has it.
    """
    if not name.isprintable() or not 0 < len(name) <= 64 or name.isdecimal() or name != name.strip():
        raise InputError(f"'{name}' is no name for a tag: use up to 64 characters, and not only digits")
    taken = connection.execute("SELECT generation FROM tags WHERE name = ?", (name,)).fetchone()
    if taken and taken[0] != number:
        raise InputError(f"Generation {taken[0]} has the tag '{name}' already. Choose another, or untag it first")
    connection.execute("INSERT OR REPLACE INTO tags VALUES (?, ?)", (name, number))


def remove_tag(connection: sqlite3.Connection, name: str) -> None:
    """Takes a name from the generation that has it.

    Raises:
        InputError: No generation has it.
    """
    if not connection.execute("DELETE FROM tags WHERE name = ?", (name,)).rowcount:
        raise InputError(f"No generation has the tag '{name}'. See: ragkit history list")


def forget(connection: sqlite3.Connection, numbers: list[int]) -> None:
    """Keeps these generations no longer, unless they have a tag."""
    query = "UPDATE generations SET is_kept = 0 WHERE number = ? AND number NOT IN (SELECT generation FROM tags)"
    connection.executemany(query, ((number,) for number in numbers))


def untagged_before(connection: sqlite3.Connection, number: int) -> list[int]:
    """The kept generations before one that no tag holds, oldest first."""
    return [one.number for one in generations(connection) if one.number < number and not one.tags]


def dead_share(connection: sqlite3.Connection) -> float:
    """The share of the chunks in [0, 1] that are dead and that no tagged generation holds."""
    (total,) = connection.execute("SELECT count(*) FROM chunks").fetchone()
    query = f"""
        SELECT count(*) FROM chunks JOIN documents ON documents.id = chunks.document
        WHERE NOT is_live AND NOT EXISTS (
            SELECT 1 FROM lives JOIN generations ON {_LIVED} JOIN tags ON tags.generation = generations.number
            WHERE lives.document = documents.id)
    """
    (dead,) = connection.execute(query).fetchone()
    return dead / total if total else 0.0


def purge(connection: sqlite3.Connection) -> int:
    """Removes the dead documents and copies that no kept generation holds; gives how many documents."""
    connection.execute("""
        DELETE FROM copies WHERE died IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM generations WHERE is_kept AND number >= born AND number < died)
    """)
    query = f"""
        DELETE FROM documents WHERE NOT is_live AND NOT EXISTS (
            SELECT 1 FROM lives JOIN generations ON {_LIVED}
            WHERE lives.document = documents.id AND generations.is_kept)
    """
    return connection.execute(query).rowcount
