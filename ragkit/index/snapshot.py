"""One generation of an index, loaded and checked, that never changes while it is open.

`index.Index` hands these out and opens the next one when a writer has switched.
"""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy.typing as npt

from ragkit.errors import IndexStateError
from ragkit.index.checksums import ChecksumError
from ragkit.index.folder import DATABASE, check_database, corrupt, file_identity, reading
from ragkit.index.keywords import search_keywords
from ragkit.index.spec import IndexSpec
from ragkit.index.store import Counts, Store
from ragkit.index.vectors import VectorIndex
from ragkit.records import Chunk, Document, DocumentRef, Paragraph

Identity = tuple[int, ...]

_CHECKED_TOGETHER = 500  # chunks read at a time, so that a large index does not fill the memory

_ATTEMPTS = 20  # a writer would have to switch generations this often while one is being opened


class Snapshot:
    """One generation of an index; safe to use from several threads."""

    def __init__(self, folder: Path, store: Store, vectors: VectorIndex, meta: dict[str, Any]):
        self.folder = folder
        self.generation: int = meta["generation"]
        self.spec = IndexSpec.from_meta(meta)
        self.vectors_file: str = meta["vectors_file"]
        self.vectors = vectors
        self._store = store
        self._lock = threading.RLock()

    def search_vectors(self, vector: npt.ArrayLike, k: int) -> list[tuple[int, float]]:
        """Up to `k` chunk ids with their cosine to a vector of shape (dimensions,), best first, ties by id."""
        return self.vectors.search(vector, k)

    def search_keywords(self, question: str, k: int) -> list[tuple[int, float]]:
        """Up to `k` chunk ids with their BM25 score (higher is better), best first, ties by id."""
        with self._reading() as store:
            return search_keywords(store.connection, question, k)

    def chunks(self, chunk_ids: Sequence[int]) -> dict[int, Chunk]:
        """The chunks of those ids, each checked against its checksum; ids of no chunk are left out."""
        with self._reading() as store:
            found = store.chunks(dict.fromkeys(chunk_ids))
        return {chunk_id: found[chunk_id] for chunk_id in chunk_ids if chunk_id in found}

    def documents(self) -> list[DocumentRef]:
        """Every document, in the order of their paths."""
        with self._reading() as store:
            return store.refs()

    def document(self, path: str) -> Document | None:
        """One document with its text and all its paragraphs, checked; None if there is none of that path."""
        with self._reading() as store:
            return store.document(path)

    def paragraphs(self, path: str) -> tuple[Paragraph, ...]:
        """The paragraphs of one document in order; none if there is no document of that path."""
        document = self.document(path)
        return document.paragraphs if document is not None else ()

    def counts(self) -> Counts:
        """How much it holds."""
        with self._reading() as store:
            return store.counts()

    def check_all(self) -> int:
        """Reads and checks every chunk and vector, and says how many there are.

        Raises:
            IndexCorruptError: Something is damaged; the message says what.
        """
        with self._reading() as store:
            damage = store.damage()
            chunk_ids = store.chunk_ids()
            if not damage and self.vectors.chunk_ids() != chunk_ids:
                damage = [f"{self.vectors_file} holds other chunks than {DATABASE}"]
            if not damage and store.keyword_ids() != chunk_ids:
                damage = ["its keyword table holds other chunks"]
            if damage:
                raise corrupt(self.folder, damage[0])
            for start in range(0, len(chunk_ids), _CHECKED_TOGETHER):
                store.chunks(chunk_ids[start : start + _CHECKED_TOGETHER])
            for ref in store.refs():
                store.document(ref.path)
        return len(chunk_ids)

    def close(self) -> None:
        """Lets go of the files."""
        with self._lock:
            self._store.close()

    @contextmanager
    def _reading(self) -> Iterator[Store]:
        with self._lock, reading(self.folder):
            try:
                yield self._store
            except (ChecksumError, KeyError, TypeError, ValueError) as exc:
                raise corrupt(self.folder, str(exc)) from exc


def load_newest(folder: Path) -> tuple[Identity, Snapshot]:
    """The newest generation and its file's identity; begins again if a writer replaced the file meanwhile."""
    for _ in range(_ATTEMPTS):
        identity = database_identity(folder)
        try:
            snapshot = _load(folder)
        except IndexStateError:
            if database_identity(folder) == identity:
                raise
            continue
        if database_identity(folder) == identity:
            return identity, snapshot
        snapshot.close()
    raise corrupt(folder, "it does not stay the same long enough to be opened")


def database_identity(folder: Path) -> Identity:
    """What changes when a writer switches to a new generation; empty if there is no index."""
    with reading(folder):
        try:
            return file_identity(folder / DATABASE)
        except FileNotFoundError:
            return ()


def _load(folder: Path) -> Snapshot:
    check_database(folder)
    with reading(folder), ExitStack() as on_error:
        store = Store.open_to_read(folder / DATABASE)
        on_error.callback(store.close)
        try:
            meta = store.meta()
            snapshot = Snapshot(folder, store, load_vectors(folder, meta), meta)
        except (KeyError, TypeError) as exc:
            raise corrupt(folder, f"{DATABASE} lacks {exc}") from exc
        on_error.pop_all()
        return snapshot


def load_vectors(folder: Path, meta: dict[str, Any]) -> VectorIndex:
    """The vectors that belong to a generation, checked."""
    name = meta["vectors_file"]
    try:
        content = (folder / name).read_bytes()
    except FileNotFoundError as exc:
        raise corrupt(folder, f"{name} is missing") from exc
    if hashlib.sha256(content).hexdigest() != meta["vectors_sha256"]:
        raise corrupt(folder, f"the checksum of {name} differs from the one in {DATABASE}")
    return VectorIndex.from_bytes(content)
