"""The files of an index folder, their names and their checksums.

    ragkit.sqlite          the truth; never changed in place: a writer makes a new one beside it and renames it over
    vectors-<n>.faiss      derived from it; the database records which one belongs to it, and its SHA-256
    integrity.json         SHA-256 of the database as it is, and before the rename as it is about to be too; and what a
                           repair needs to know, should the database be damaged
    writer.lock            held by the one writer; the operating system lets go of it when that process ends

So the rename of `ragkit.sqlite` is the one moment at which an index changes, a crash before it leaves the old state and
a crash after it the new one, and readers need neither locks nor a right to write. Used by `index` and `writer`.
"""

import base64
import hashlib
import json
import re
import shlex
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ragkit.durable import write_atomically
from ragkit.errors import IndexCorruptError, IndexNotFoundError, IndexStateError, IndexVersionError, StorageError
from ragkit.index.checksums import ChecksumError
from ragkit.index.pages import HEADER_BYTES, Pages, has_pages
from ragkit.index.schema import APPLICATION_ID, SCHEMA_VERSION
from ragkit.index.spec import IndexSpec, rebuild_hint
from ragkit.index.store import Store

DATABASE = "ragkit.sqlite"
DRAFT = "ragkit.sqlite.draft"
INTEGRITY = "integrity.json"
LOCK = "writer.lock"

OLDER_VERSIONS = (1,)
"""Formats that a writer brings up to date before it writes."""

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


def has_whole_vectors(folder: Path, meta: dict[str, Any]) -> bool:
    """Whether the vector file that a database names is there and is what was written."""
    file = folder / meta["vectors_file"]
    return file.is_file() and sha256_of(file) == str(meta["vectors_sha256"])


def file_identity(file: Path) -> tuple[int, ...]:
    """What changes when a file is replaced or written to."""
    stat = file.stat()
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns


def sha256_of(file: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class Integrity:
    """What is recorded beside the database, so that its damage is noticed and can be repaired.

    Attributes:
        hashes: SHA-256 of the database in the states in which it may be found.
        generation: The latest that was begun.
        last_ids: The highest row ever used, by table.
        spec: What makes the index; None in an index of the first format.
        pages: The first pages of the database in the last of those states; none if an older ragkit recorded it.
    """

    hashes: tuple[str, ...] = ()
    generation: int = 0
    last_ids: dict[str, int] = field(default_factory=dict)
    spec: IndexSpec | None = None
    pages: Pages = field(default_factory=dict)


def recorded_integrity(folder: Path) -> Integrity:
    """What the last writer recorded; empty if that file is unusable."""
    try:
        recorded = json.loads((folder / INTEGRITY).read_bytes())
        if "generations" in recorded:  # the first format
            by_generation: dict[str, str] = recorded["generations"]
            return Integrity(tuple(by_generation.values()), max(map(int, by_generation), default=0))
        if recorded.pop("checksum") != _checksum(recorded):
            return Integrity()
        spec = IndexSpec.from_meta(recorded["spec"])
        pages = {int(n): zlib.decompress(base64.b64decode(page)) for n, page in recorded.get("pages", {}).items()}
        hashes, last_ids = tuple(recorded["databases"]), dict(recorded["last_ids"])
        return Integrity(hashes, int(recorded["generation"]), last_ids, spec, pages)
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError, RecursionError, zlib.error):
        return Integrity()


def record_integrity(folder: Path, integrity: Integrity) -> None:
    """Records the states in which the database may be found."""
    recorded: dict[str, Any] = {
        "databases": integrity.hashes,
        "generation": integrity.generation,
        "last_ids": integrity.last_ids,
        "spec": integrity.spec.to_meta() if integrity.spec is not None else None,
        "pages": {str(n): base64.b64encode(zlib.compress(page)).decode() for n, page in integrity.pages.items()},
    }
    recorded["checksum"] = _checksum(recorded)
    write_atomically(folder / INTEGRITY, json.dumps(recorded, indent=1).encode())


def _checksum(recorded: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(recorded).encode()).hexdigest()


def check_database(folder: Path, *, whole: bool = False, versions: tuple[int, ...] = (SCHEMA_VERSION,)) -> int:
    """Gives the version of the database in a folder, which has the checksum recorded for it and is one of `versions`.

    A very large file is hashed only if `whole` is asked for; its rows have checksums of their own.
    """
    file = folder / DATABASE
    while True:
        with reading(folder):
            if not file.is_file():
                raise IndexNotFoundError(
                    f"There is no index in '{folder}'. Make one: ragkit index PATH --index {shlex.quote(str(folder))}"
                )
            identity = file_identity(file)
        try:
            return _checked_version(folder, whole, versions)
        except IndexStateError:
            with reading(folder):
                if not file.is_file() or file_identity(file) == identity:
                    raise  # or else a writer replaced it meanwhile


def _checked_version(folder: Path, whole: bool, versions: tuple[int, ...]) -> int:
    file = folder / DATABASE
    with reading(folder):
        with file.open("rb") as opened:
            version = _version_of(folder, opened.read(HEADER_BYTES))
        hashed = whole or version not in versions or file.stat().st_size <= HASHED_BYTES
        recorded = recorded_integrity(folder)
        is_recorded = sha256_of(file) in recorded.hashes if hashed else _has_recorded_pages(file, recorded)
        if version not in versions and (is_recorded or not recorded.hashes):
            raise IndexVersionError(_other_version(folder, version))
        if not is_recorded:
            raise corrupt(folder, _difference(file, recorded))
    return version


def _has_recorded_pages(file: Path, recorded: Integrity) -> bool:
    """Whether a database may be in the state that was recorded; before a rename it may be in another one too."""
    return len(recorded.hashes) != 1 or has_pages(file, recorded.pages)


def _difference(file: Path, recorded: Integrity) -> str:
    """What is wrong with a database that is not the one that was recorded."""
    try:
        with closing(Store.open_to_read(file)) as store:
            generation = store.meta()["generation"]
    except (sqlite3.Error, KeyError, ValueError):
        generation = None
    if recorded.hashes and isinstance(generation, int) and generation != recorded.generation:
        return f"{DATABASE} is of generation {generation} but {INTEGRITY} of generation {recorded.generation}"
    return f"the checksum of {DATABASE} differs from the one in {INTEGRITY}"


def _version_of(folder: Path, header: bytes) -> int:
    """Reads version and kind from their fixed places (https://www.sqlite.org/fileformat.html, 1.3)."""
    if len(header) < 100 or not header.startswith(_HEADER):
        raise corrupt(folder, f"{DATABASE} is not a database or only half-written")
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise corrupt(folder, f"{DATABASE} is not a database of ragkit")
    return int.from_bytes(header[60:64], "big")


def _other_version(folder: Path, version: int) -> str:
    found = f"Index '{folder}' has format {version} but this version of ragkit reads format {SCHEMA_VERSION}. "
    if version in OLDER_VERSIONS:
        migrate = f"ragkit compact --index {shlex.quote(str(folder))}"
        return found + f"Bring it up to date, without embedding anything again: {migrate}"
    return found + rebuild_hint(folder)


def corrupt(folder: Path, what: str) -> IndexCorruptError:
    """The error that says what is damaged and how to mend the index or make it anew."""
    mend = f"Mend it: ragkit doctor --repair --index {shlex.quote(str(folder))}. Or make it anew"
    return IndexCorruptError(f"Index '{folder}' is damaged: {what}. {rebuild_hint(folder, mend)}")


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Translates what SQLite and the disk say while an index is read."""
    try:
        yield
    except ChecksumError as exc:
        raise corrupt(folder, str(exc)) from exc
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
    except ChecksumError as exc:
        raise corrupt(folder, str(exc)) from exc
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
