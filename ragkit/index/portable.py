"""An index as one file: written with checksums, and taken in again on another machine.

The file is a ZIP archive of the database and a manifest that holds its SHA-256; vectors are made anew from it. Parquet
is for other programs and is not taken in again. Called by `maintenance`; `intake` distrusts what is imported.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ragkit.durable import sync
from ragkit.errors import IndexStateError, InputError, StorageError
from ragkit.index.folder import DATABASE, INTEGRITY, LOCK, check_database, vectors_generations, writing
from ragkit.index.index import Index, IndexInfo
from ragkit.index.intake import EXPORT_VERSION, MANIFEST, checked_spec, not_ours, read_manifest, unpack
from ragkit.index.schema import SCHEMA_VERSION
from ragkit.index.session import Session, locked

_BLOCK_BYTES = 2**20

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
                packed = zipfile.ZipInfo(DATABASE)
                packed.compress_type = zipfile.ZIP_DEFLATED  # a ZipInfo stores as it is unless it says otherwise
                with archive.open(packed, "w", force_zip64=True) as member:
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
        StorageError: There is no room for it.
    """
    manifest = read_manifest(file)
    with writing(folder):
        was_there, facts = folder.exists(), None
    try:
        with locked(folder, timeout_s), writing(folder):
            if (folder / DATABASE).exists():
                raise InputError(f"There is an index in '{folder}' already. Choose another folder")
            before = _files(folder)
            try:
                facts = _make(file, manifest, folder)
            finally:
                if facts is None:
                    for made in [made for made in _files(folder) if made not in before]:
                        made.unlink()
    finally:
        if facts is None and not was_there:
            _leave(folder)
    return Exported(file, facts.documents, facts.generation, file.stat().st_size)


def _make(file: Path, manifest: dict[str, Any], folder: Path) -> IndexInfo:
    """Makes an index of an exported file, and checks it whole."""
    session = Session(folder)
    try:
        unpack(file, manifest, session.draft_file)
        spec = checked_spec(file, session.draft_file)
        draft = session.adopt()
        session.write_vectors(spec.dimensions)
        session.switch(draft.generation, spec)
    finally:
        session.close()
    try:
        with Index.open(folder) as index:
            index.check_all()
            return index.info()
    except IndexStateError as exc:
        raise not_ours(file) from exc


def _files(folder: Path) -> list[Path]:
    """The files that make the index in a folder, the database first, as far as they are there."""
    names = (DATABASE, INTEGRITY, *vectors_generations(folder))
    return [folder / name for name in names if (folder / name).exists()]


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
