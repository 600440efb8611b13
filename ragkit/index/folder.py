"""The files of an index folder, their names and their checksums.

    ragkit.sqlite          the truth; never changed in place: a writer makes a new one beside it and renames it over
    vectors-<n>.faiss      derived from it; the database records which one belongs to it, and its SHA-256
    integrity.json         SHA-256 of the database for the present generation and the next, written before the rename
    writer.lock            held by the one writer; the operating system lets go of it when that process ends

So the rename of `ragkit.sqlite` is the one moment at which an index changes, a crash before it leaves the old state and
a crash after it the new one, and readers need neither locks nor a right to write. Used by `index` and `writer`.
"""

import hashlib
import json
import re
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ragkit.durable import write_atomically
from ragkit.errors import IndexCorruptError, IndexNotFoundError, IndexVersionError, StorageError
from ragkit.index.spec import rebuild_hint
from ragkit.index.store import APPLICATION_ID, SCHEMA_VERSION

DATABASE = "ragkit.sqlite"
DRAFT = "ragkit.sqlite.draft"
INTEGRITY = "integrity.json"
LOCK = "writer.lock"

HASHED_BYTES = 256 * 2**20
"""A database up to this size is hashed whole when it is opened (0.2-0.6 s at the limit); chunks are checked always."""

_VECTORS = re.compile(r"vectors-(\d+)\.faiss(\.draft)?")
_HEADER = b"SQLite format 3\x00"
_DISK_CODES = frozenset({
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
})  # fmt: skip


def vectors_name(generation: int) -> str:
    """Name of the file that holds the vectors of a generation."""
    return f"vectors-{generation}.faiss"


def vectors_generations(folder: Path) -> dict[str, int]:
    """The vector files in a folder, half-written ones too, with the generation each was made for."""
    matches = (_VECTORS.fullmatch(file.name) for file in folder.iterdir())
    return {match.group(): int(match.group(1)) for match in matches if match}


def file_identity(file: Path) -> tuple[int, ...]:
    """What changes when a file is replaced or written to."""
    stat = file.stat()
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns


def sha256_of(file: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def recorded_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of the database by generation, as the last writer recorded it; empty if that file is unusable."""
    try:
        generations = json.loads((folder / INTEGRITY).read_bytes())["generations"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}
    return dict(generations) if isinstance(generations, dict) else {}


def record_hashes(folder: Path, hashes: dict[str, str]) -> None:
    """Records the SHA-256 of the database for the generations it may be found in."""
    write_atomically(folder / INTEGRITY, json.dumps({"generations": hashes}).encode())


def check_database(folder: Path, *, whole: bool = False) -> None:
    """Raises unless the folder holds a database that this version can read, with the checksum recorded for it.

    A very large file is hashed only if `whole` is asked for; its rows have checksums of their own.
    """
    file = folder / DATABASE
    if not file.is_file():
        raise IndexNotFoundError(
            f"There is no index in '{folder}'. Make one: ragkit index PATH --index {shlex.quote(str(folder))}"
        )
    with reading(folder):
        with file.open("rb") as opened:
            header = opened.read(100)
        _check_header(folder, header)
        hashed = whole or file.stat().st_size <= HASHED_BYTES
        if hashed and sha256_of(file) not in recorded_hashes(folder).values():
            raise corrupt(folder, f"the checksum of {DATABASE} differs from the one in {INTEGRITY}")


def _check_header(folder: Path, header: bytes) -> None:
    """Reads version and kind from their fixed places (https://www.sqlite.org/fileformat.html, 1.3)."""
    if len(header) < 100 or not header.startswith(_HEADER):
        raise corrupt(folder, f"{DATABASE} is not a database or only half-written")
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise corrupt(folder, f"{DATABASE} is not a database of ragkit")
    version = int.from_bytes(header[60:64], "big")
    if version != SCHEMA_VERSION:
        raise IndexVersionError(
            f"Index '{folder}' has format {version} but this version of ragkit reads format {SCHEMA_VERSION}. "
            + rebuild_hint(folder)
        )


def corrupt(folder: Path, what: str) -> IndexCorruptError:
    """The error that says what is damaged and how to make the index anew."""
    return IndexCorruptError(f"Index '{folder}' is damaged: {what}. {rebuild_hint(folder)}")


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Translates what SQLite and the disk say while an index is read."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # such as a closed connection: the caller's mistake, not the disk's
    except sqlite3.DatabaseError as exc:
        if _is_of_the_disk(exc):
            raise StorageError(f"Cannot read index '{folder}': {exc}") from exc
        raise corrupt(folder, f"{DATABASE}: {exc}") from exc
    except OSError as exc:
        raise StorageError(f"Cannot read index '{folder}': {exc.strerror or exc}") from exc


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Translates what SQLite and the disk say while an index is written."""
    advice = "What it held before still answers; make room or choose another folder, and run the same command again"
    try:
        yield
    except sqlite3.ProgrammingError:
        raise
    except sqlite3.DatabaseError as exc:
        if not _is_of_the_disk(exc):
            raise corrupt(folder, f"{DATABASE}: {exc}") from exc
        raise StorageError(f"Cannot write index '{folder}': {exc}. {advice}") from exc
    except OSError as exc:
        raise StorageError(f"Cannot write index '{folder}': {exc.strerror or exc}. {advice}") from exc


def _is_of_the_disk(error: sqlite3.DatabaseError) -> bool:
    """Whether the disk refused, rather than the database being damaged (extended codes keep the kind in 8 bits)."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _DISK_CODES
