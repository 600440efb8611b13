"""An index as one file: written with checksums, and taken in again on another machine.

The file is a ZIP archive of the database and a manifest that holds its SHA-256; vectors are made anew from it. Parquet
is for other programs and is not taken in again. Called by `maintenance`.
"""

import hashlib
import json
import sqlite3
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import astuple, dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from ragkit.durable import sync
from ragkit.errors import InputError, StorageError
from ragkit.index.checksums import ChecksumError
from ragkit.index.draft import Draft
from ragkit.index.folder import DATABASE, LOCK, check_database, writing
from ragkit.index.history import generations
from ragkit.index.index import Index
from ragkit.index.schema import SCHEMA_VERSION
from ragkit.index.session import Session, locked
from ragkit.index.spec import IndexSpec
from ragkit.index.store import Store

EXPORT_VERSION = 1
MANIFEST = "manifest.json"

_BLOCK_BYTES = 2**20
_MAX_MANIFEST_BYTES = 64 * 1024
_MAX_DIMENSIONS = 2**16
_NO_ARCHIVE = (
    zipfile.BadZipFile, zlib.error, struct.error, KeyError, EOFError, RuntimeError, ValueError, TypeError, OverflowError
)  # fmt: skip
"""What `zipfile` and `json` raise for bytes that are not what they should be."""

_PARQUET_ROWS = 10_000
"""So many chunks make a row group, so that a large index does not fill the memory."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an exported file holds.

    Attributes:
        bytes: Size of the file.
    """

    file: Path
    documents: int
    generation: int
    bytes: int

    def to_dict(self) -> dict[str, Any]:
        """The facts as JSON."""
        counts = {"documents": self.documents, "generation": self.generation, "bytes": self.bytes}
        return {"file": str(self.file), **counts}


def export_index(folder: Path, file: Path) -> Exported:
    """Writes an index, with its history, to one file; the same index gives the same bytes.

    Raises:
        InputError: The file is there already.
        IndexCorruptError: The index is damaged.
        StorageError: It cannot be written.
    """
    _check_free(file)
    with Index.open(folder) as index, index.snapshot() as snapshot:
        documents, generation = snapshot.counts().documents, snapshot.generation
        with _written(file) as draft, zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            digest = hashlib.sha256()
            with (folder / DATABASE).open("rb") as database:
                check_database(folder)  # after it was opened: from here on another generation would be another file
                with archive.open(zipfile.ZipInfo(DATABASE), "w", force_zip64=True) as member:
                    while block := database.read(_BLOCK_BYTES):
                        digest.update(block)
                        member.write(block)
                size = database.tell()
            manifest = {
                "ragkit_export": EXPORT_VERSION,
                "format": SCHEMA_VERSION,
                "generation": generation,
                "documents": documents,
                "bytes": size,
                "sha256": digest.hexdigest(),
                "spec": snapshot.spec.to_meta(),
            }
            archive.writestr(zipfile.ZipInfo(MANIFEST), json.dumps(manifest, indent=1))
    return Exported(file, documents, generation, file.stat().st_size)


def import_index(file: Path, folder: Path, timeout_s: float = 10.0) -> Exported:
    """Makes an index of an exported file in a folder that holds none; if that fails, nothing is left there.

    Raises:
        InputError: The file is no export, or damaged, or there is an index already.
    """
    manifest = _read_manifest(file)
    with writing(folder):
        was_there, is_done = folder.exists(), False
    try:
        with locked(folder, timeout_s), writing(folder):
            if (folder / DATABASE).exists():
                raise InputError(f"There is an index in '{folder}' already. Choose another folder")
            session = Session(folder)
            try:
                _unpack(file, manifest, session.draft_file)
                spec = _check(file, session.draft_file)
                draft = session.adopt()
                session.write_vectors(spec.dimensions)
                session.switch(draft.generation, spec)
            finally:
                session.close()
        is_done = True
    finally:
        if not is_done and not was_there:
            _leave(folder)
    with Index.open(folder) as index:
        index.check_all()
        facts = index.info()
    return Exported(file, facts.documents, facts.generation, file.stat().st_size)


def export_parquet(folder: Path, file: Path) -> Exported:
    """Writes every chunk with its vector, its place and its document to a Parquet file, for other programs.

    Raises:
        InputError: The file is there already, or pyarrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError as exc:
        raise InputError("Parquet needs an extra: pip install 'ragkit-qa[parquet]'") from exc
    _check_free(file)
    with Index.open(folder) as index, index.snapshot() as snapshot:
        dimensions = snapshot.spec.dimensions
        schema = pyarrow.schema([
            *((name, pyarrow.string()) for name in ("document", "document_id", "collection")),
            ("labels", pyarrow.list_(pyarrow.string())),
            ("paragraphs", pyarrow.list_(pyarrow.int32())),
            ("headings", pyarrow.list_(pyarrow.string())),
            ("page", pyarrow.int32()),
            *((name, pyarrow.string()) for name in ("place", "text")),
            *((name, pyarrow.int64()) for name in ("start", "end")),
            ("vector", pyarrow.list_(pyarrow.float32(), dimensions)),
        ])  # fmt: skip
        with _written(file) as draft, pyarrow.parquet.ParquetWriter(draft, schema) as writer:
            remaining = _rows(snapshot)
            while rows := list(islice(remaining, _PARQUET_ROWS)):
                writer.write_table(pyarrow.Table.from_pylist(rows, schema=schema))
        return Exported(file, snapshot.counts().documents, snapshot.generation, file.stat().st_size)


def _rows(snapshot: Any) -> Iterator[dict[str, Any]]:
    """The chunks as rows of a table, in the order of their documents' paths."""
    files = {known.path: known.origin.filing for known in snapshot.known_files()}
    order = sorted(snapshot.vectors.order, key=snapshot.vectors.order.__getitem__)
    for start in range(0, len(order), _PARQUET_ROWS):
        for chunk_id, chunk in snapshot.chunks(order[start : start + _PARQUET_ROWS]).items():
            first, filing = chunk.paragraphs[0], files[chunk.document.path]
            yield {
                "document": chunk.document.path,
                "document_id": chunk.document.id,
                "collection": filing.collection,
                "labels": list(filing.labels),
                "paragraphs": [paragraph.number for paragraph in chunk.paragraphs],
                "headings": list(first.headings),
                "page": first.page,
                "place": first.place,
                "text": chunk.text,
                "start": chunk.start,
                "end": chunk.end,
                "vector": snapshot.vectors.vector_of(chunk_id),
            }


def _check_free(file: Path) -> None:
    try:
        is_there = file.exists()
    except OSError as exc:
        raise StorageError(f"Cannot write '{file}': {exc.strerror or exc}") from exc
    if is_there:
        raise InputError(f"There is a file '{file}' already. Remove it or choose another name")


@contextmanager
def _written(file: Path) -> Iterator[Path]:
    """A file to write to, which gets its name when it is whole."""
    draft = file.with_name(f"{file.name}.draft")
    try:
        yield draft
        sync(draft)
        draft.replace(file)
        sync(file.parent)
    except OSError as exc:
        raise StorageError(f"Cannot write '{file}': {exc.strerror or exc}") from exc
    finally:
        draft.unlink(missing_ok=True)


def _leave(folder: Path) -> None:
    """Removes a folder that was made for nothing, unless another process has put something there."""
    with suppress(OSError):
        if [file.name for file in folder.iterdir()] == [LOCK]:
            (folder / LOCK).unlink()
            folder.rmdir()


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
    if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile("compressed as exports are not")
    return archive.open(name)


def _read_manifest(file: Path) -> dict[str, Any]:
    with _archive(file) as archive, _member(archive, MANIFEST) as member:
        manifest = json.loads(member.read(_MAX_MANIFEST_BYTES))
        version, schema = int(manifest["ragkit_export"]), int(manifest["format"])
        if (version, schema) == (EXPORT_VERSION, SCHEMA_VERSION):
            return {"bytes": int(manifest["bytes"]), "sha256": str(manifest["sha256"])}
    raise InputError(
        f"'{file}' was exported as version {version}, format {schema}; this version of ragkit takes version "
        f"{EXPORT_VERSION}, format {SCHEMA_VERSION}. Export it again with this version"
    )


def _blocks(file: Path) -> Iterator[bytes]:
    with _archive(file) as archive, _member(archive, DATABASE) as member:
        while block := member.read(_BLOCK_BYTES):
            yield block


def _unpack(file: Path, manifest: dict[str, Any], target: Path) -> None:
    """Puts the database of an exported file in its place, whole."""
    digest, left = hashlib.sha256(), manifest["bytes"]
    with target.open("wb") as opened:
        for block in _blocks(file):
            left -= len(block)
            if left < 0:
                break
            digest.update(block)
            opened.write(block)
    if left or digest.hexdigest() != manifest["sha256"]:
        raise InputError(f"'{file}' is damaged: its checksum differs. Export it again")


def _check(file: Path, database: Path) -> IndexSpec:
    """What made an imported database.

    Raises:
        InputError: It has not ragkit's own tables and nothing else, such as a trigger, or it does not fit together.
    """
    try:
        with closing(Store.open_to_read(database)) as store, closing(Draft.open(":memory:", new=True)) as fresh:
            spec, generation = IndexSpec.from_meta(store.meta()), store.meta()["generation"]
            widths = {vector.shape for _, chunks in store.checked_documents() for _, vector in chunks}
            is_whole = (
                _tables(store) == _tables(fresh)
                and not store.damage()
                and store.chunk_ids() == store.keyword_ids()
                and widths <= {(spec.dimensions,)}
                and tuple(map(type, astuple(spec))) == (str, int, int, int, int)
                and 0 < spec.dimensions < _MAX_DIMENSIONS
                and generation in {one.number for one in generations(store.connection)}
            )
    except (sqlite3.Error, ChecksumError, ValueError, TypeError, KeyError, OverflowError):
        is_whole = False
    if not is_whole:
        raise InputError(f"'{file}' holds a database that is not as ragkit makes it. Export it again")
    return spec


def _tables(store: Store) -> list[tuple[Any, ...]]:
    """All that a database says of its own kind and tables."""
    kind = [store.connection.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")]
    return kind + sorted(store.connection.execute("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema"))
