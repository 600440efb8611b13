"""An exported file from anywhere enters; its database leaves, if it is one that ragkit makes, and what made it.

Checksums only tell that a file is whole: who wrote it may have made them fit. So nothing in it is asked before the
tables are known to be ragkit's own and SQLite's, what it unpacks to is limited, and so is the work of reading it.
Called by `portable`.
"""

import hashlib
import json
import shutil
import sqlite3
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from ragkit.errors import InputError, StorageError
from ragkit.index.checksums import ChecksumError
from ragkit.index.draft import Draft
from ragkit.index.folder import DATABASE
from ragkit.index.history import generations
from ragkit.index.schema import SCHEMA_VERSION
from ragkit.index.session import MAX_ROW
from ragkit.index.spec import IndexSpec
from ragkit.index.store import Store

EXPORT_VERSION = 1
MANIFEST = "manifest.json"

MAX_RATIO = 250
"""The index of one line is packed to a 39th of its size, one of ragkit's own documentation to a quarter; the zeros that
removed documents may leave are packed to a 229th."""

_BLOCK_BYTES = 2**20
_MAX_MANIFEST_BYTES = 64 * 1024
_MAX_DIMENSIONS = 2**16
_NO_ARCHIVE = (
    zipfile.BadZipFile, zlib.error, struct.error, KeyError, EOFError, RuntimeError, ValueError, TypeError, OverflowError
)  # fmt: skip
"""What `zipfile` and `json` raise for bytes that are not what they should be."""

_STEPS_BETWEEN = 1000
_STEPS_AT_LEAST = 10_000_000  # less than a second
_STEPS_PER_BYTE = 10
"""Checking an index takes SQLite 0.1 to 0.2 steps of its own for each byte."""

_NUMBERS = """
    SELECT coalesce(seq, -1) FROM sqlite_sequence
    UNION ALL SELECT min(id) FROM documents UNION ALL SELECT max(id) FROM documents
    UNION ALL SELECT min(id) FROM chunks UNION ALL SELECT max(id) FROM chunks
    UNION ALL SELECT min(number) FROM generations UNION ALL SELECT max(number) FROM generations
"""
"""All from which an index numbers on; NULL where a table is empty."""

_REPEATED = """
    SELECT 1 FROM documents WHERE length(text) < (
        SELECT coalesce(sum(stop - start), 0) FROM paragraphs WHERE document = documents.id
    )
    UNION ALL SELECT 1 FROM chunks WHERE json_array_length(paragraphs) > (
        SELECT count(*) FROM paragraphs WHERE document = chunks.document
    )
"""
"""Finds documents that say a part of their text, or chunks that name a paragraph, again and again."""


class Limit:
    """Ends the queries on a database once they took far more steps than one of its size needs.

    Attributes:
        left: So many thousands of steps are left; negative when it ended one.
    """

    def __init__(self, store: Store, size: int):
        self.left = (_STEPS_AT_LEAST + _STEPS_PER_BYTE * size) // _STEPS_BETWEEN
        store.connection.set_progress_handler(self._take, _STEPS_BETWEEN)

    def _take(self) -> bool:
        self.left -= 1
        return self.left < 0


def read_manifest(file: Path) -> dict[str, Any]:
    """How many `bytes` the database of an exported file has, and its `sha256`.

    Raises:
        InputError: The file is no export, or of another version, or its database is too large to be an index.
    """
    with _archive(file) as archive, _member(archive, DATABASE), _member(archive, MANIFEST) as member:
        manifest = json.loads(member.read(_MAX_MANIFEST_BYTES))
        version, schema = int(manifest["ragkit_export"]), int(manifest["format"])
        if (version, schema) != (EXPORT_VERSION, SCHEMA_VERSION):
            raise InputError(
                f"'{file}' was exported as version {version}, format {schema}; this version of ragkit takes version "
                f"{EXPORT_VERSION}, format {SCHEMA_VERSION}. Export it again with this version"
            )
        size, sha256 = int(manifest["bytes"]), str(manifest["sha256"])
        if size > MAX_RATIO * file.stat().st_size:
            raise InputError(
                f"'{file}' would unpack to more than {MAX_RATIO} times its size, as no index does. Export it again"
            )
        return {"bytes": size, "sha256": sha256}


def unpack(file: Path, manifest: dict[str, Any], target: Path) -> None:
    """Puts the database of an exported file in its place, whole.

    Raises:
        InputError: It is not what the manifest says.
        StorageError: The disk has no room for it.
    """
    left, free = manifest["bytes"], shutil.disk_usage(target.parent).free
    if left > free:
        raise StorageError(
            f"Cannot write index '{target.parent}': '{file}' unpacks to {left / 1e6:,.1f} MB and {free / 1e6:,.1f} MB "
            "are free. Make room or choose another folder"
        )
    digest = hashlib.sha256()
    with target.open("wb") as opened:
        for block in _blocks(file):
            left -= len(block)
            if left < 0:
                break
            digest.update(block)
            opened.write(block)
    if left or digest.hexdigest() != manifest["sha256"]:
        raise InputError(f"'{file}' is damaged: its checksum differs. Export it again")


def checked_spec(file: Path, database: Path) -> IndexSpec:
    """What made the database that was unpacked from a file.

    Raises:
        InputError: It has not ragkit's own tables and nothing else, such as a trigger, or it does not fit together.
    """
    with closing(Store.open_to_read(database)) as store:
        limit = Limit(store, database.stat().st_size)
        try:
            if _has_our_tables(store) and not store.damage():
                spec = IndexSpec.from_meta(store.meta())
                if _fits_together(store, spec):
                    return spec
        except (sqlite3.Error, ChecksumError, ValueError, TypeError, KeyError, OverflowError, RecursionError) as exc:
            if getattr(exc, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT and limit.left >= 0:
                raise KeyboardInterrupt from exc  # SQLite ends a query at Ctrl-C too, and says no more of it
    raise not_ours(file)


def not_ours(file: Path) -> InputError:
    """The error that says that ragkit did not make what a file holds."""
    return InputError(f"'{file}' holds a database that is not as ragkit makes it. Export it again")


def _has_our_tables(store: Store) -> bool:
    with closing(Draft.open(":memory:", new=True)) as fresh:
        wanted = _tables(fresh)
    return _tables(store, len(wanted)) == wanted


def _tables(store: Store, most: int = 1000) -> list[tuple[Any, ...]]:
    """What a database says of its own kind and of its tables, of which no more than so many are read."""
    kind = [store.connection.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")]
    tables = store.connection.execute("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema")
    return kind + sorted(islice(tables, most))


def _fits_together(store: Store, spec: IndexSpec) -> bool:
    """Whether numbers, documents, chunks, vectors and keywords of a database are such as one index has."""
    generation = store.meta()["generation"]
    numbers = [number for (number,) in store.connection.execute(_NUMBERS) if number is not None]
    return (
        tuple(map(type, astuple(spec))) == (str, int, int, int, int)
        and 0 < spec.dimensions < _MAX_DIMENSIONS
        and all(isinstance(number, int) and 0 < number < MAX_ROW for number in (generation, *numbers))
        and generation in {one.number for one in generations(store.connection)}
        and store.chunk_ids() == store.keyword_ids()
        and store.connection.execute(_REPEATED).fetchone() is None
        and all(
            vector.shape == (spec.dimensions,) and np.isfinite(vector).all()
            for _, chunks in store.checked_documents()
            for _, vector in chunks
        )
    )


@contextmanager
def _archive(file: Path) -> Iterator[zipfile.ZipFile]:
    """An exported file, open; whatever its bytes are, what is wrong with them is an InputError."""
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except FileNotFoundError as exc:
        raise InputError(f"There is no file '{file}'. Check the path") from exc
    except OSError as exc:  # also where a damaged file points to places that no file has
        raise InputError(f"'{file}' cannot be read: {exc.strerror or exc}. Check the path") from exc
    except _NO_ARCHIVE as exc:
        raise InputError(f"'{file}' is damaged or no export of ragkit. Export it again") from exc


def _member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """The one file of that name in an archive."""
    found = [info for info in archive.infolist() if info.filename == name]
    kinds = {stat.S_IFMT(info.external_attr >> 16) for info in found}  # 0 where it does not say
    if len(found) != 1 or not kinds <= {0, stat.S_IFREG}:
        raise zipfile.BadZipFile("not one file of that name")
    if found[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile("compressed as exports are not")
    return archive.open(found[0])


def _blocks(file: Path) -> Iterator[bytes]:
    with _archive(file) as archive, _member(archive, DATABASE) as member:
        while block := member.read(_BLOCK_BYTES):
            yield block
