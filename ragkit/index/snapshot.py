"""One generation of an index, loaded and checked, that never changes while it is open.

`index.Index` hands these out and opens the next one when a writer has switched.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ragkit.errors import IndexStateError
from ragkit.index.checksums import ChecksumError
from ragkit.index.file_facts import is_noted_rightly
from ragkit.index.filed_folders import FiledFolders
from ragkit.index.filing import Scope, documents_ever_visible, visible_documents
from ragkit.index.folder import DATABASE, check_database, corrupt, file_identity, reading
from ragkit.index.history import Generation, generations, generations_of
from ragkit.index.keywords import search_keywords
from ragkit.index.spec import IndexSpec
from ragkit.index.store import Counts, KnownFile, Store
from ragkit.index.vectors import ChunkIds, VectorIndex
from ragkit.records import Chunk, Document, DocumentRef, Paragraph

Identity = tuple[int, ...]

_SCOPES_KEPT = 32  # a service asks with the same few scopes again and again

_ATTEMPTS = 20  # a writer would have to switch generations this often while one is being opened


@dataclass(frozen=True, slots=True)
class _Visible:
    """What a scope leaves of a generation: rows of documents, and the ids of their chunks, ascending."""

    scope: Scope
    rows: frozenset[int]
    chunk_ids: ChunkIds
    chunk_set: frozenset[int]


class Snapshot:
    """One generation of an index, or what a scope leaves of it; safe to use from several threads."""

    def __init__(
        self, folder: Path, store: Store, vectors: VectorIndex, meta: dict[str, Any], visible: _Visible | None = None
    ):
        self.folder = folder
        self.generation: int = meta["generation"]
        self.spec = IndexSpec.from_meta(meta)
        self.vectors_file: str = meta["vectors_file"]
        self.vectors = vectors
        self._meta = meta
        self._store = store
        self._visible = visible
        self._lock = threading.RLock()
        self._scoped: OrderedDict[Scope, Snapshot] = OrderedDict()
        self._allowed: set[str] = set()

    def within(self, scope: Scope) -> "Snapshot":
        """The same generation as someone sees it for whom nothing else exists: no text, no count, no score tells of it.

        Raises:
            InputError: The scope names what is not there.
        """
        if scope.is_everything:
            return self
        if self._visible is not None:
            raise ValueError("what is limited already cannot be limited again")
        with self._lock:
            if scope not in self._scoped:
                self._scoped[scope] = self._view(scope)
                if len(self._scoped) > _SCOPES_KEPT:
                    self._scoped.popitem(last=False)
            return self._scoped[scope]

    def _view(self, scope: Scope) -> "Snapshot":
        with self._reading() as store:
            rows = frozenset(visible_documents(store.connection, scope))
            chunk_ids = store.chunk_ids(rows)
        visible = _Visible(scope, rows, np.array(chunk_ids, dtype=np.int64), frozenset(chunk_ids))
        view = Snapshot(self.folder, self._store, self.vectors, self._meta, visible)
        view._lock = self._lock
        return view

    def search_vectors(self, vector: npt.ArrayLike, k: int) -> list[tuple[int, float]]:
        """Up to `k` chunk ids with their cosine to a vector of shape (dimensions,), best first, ties by place."""
        return self.vectors.search(vector, k, None if self._visible is None else self._visible.chunk_ids)

    def search_keywords(self, question: str, k: int) -> list[tuple[int, float]]:
        """Up to `k` chunk ids with their BM25 score (higher is better), best first, ties by place."""
        within = None if self._visible is None else self._visible.chunk_set
        with self._reading() as store:
            return search_keywords(store.connection, question, k, self.vectors.order, within)

    def chunks(self, chunk_ids: Sequence[int]) -> dict[int, Chunk]:
        """The chunks of those ids, each checked against its checksum; ids of no chunk are left out."""
        seen = chunk_ids if self._visible is None else [one for one in chunk_ids if one in self._visible.chunk_set]
        with self._reading() as store:
            found = store.chunks(dict.fromkeys(seen))
            if self._visible is not None:
                for path in {chunk.document.path for chunk in found.values()} - self._allowed:
                    _check_allowed(store, path, self._visible.scope)
                    self._allowed.add(path)
        return {chunk_id: found[chunk_id] for chunk_id in chunk_ids if chunk_id in found}

    def documents(self) -> list[DocumentRef]:
        """Every document, in the order of their paths."""
        with self._reading() as store:
            return store.refs(None if self._visible is None else self._visible.rows)

    def document(self, path: str) -> Document | None:
        """One document with its text and all its paragraphs, checked; None if there is none of that path."""
        with self._reading() as store:
            row = store.row_of(path)
            is_there = row is not None and (self._visible is None or row in self._visible.rows)
            return store.document(path) if is_there else None

    def paragraphs(self, path: str) -> tuple[Paragraph, ...]:
        """The paragraphs of one document in order; none if there is no document of that path."""
        document = self.document(path)
        return document.paragraphs if document is not None else ()

    def known_files(self) -> list[KnownFile]:
        """The file of every document and of its copies, in the order of their paths."""
        with self._reading() as store:
            files = store.known_files()
        paths = {ref.path for ref in self.documents()}
        labels = None if self._visible is None else self._visible.scope.labels
        shown = (file for file in files if file.ref.path in paths)
        return sorted((_without_other_labels(file, labels) for file in shown), key=lambda file: file.path)

    def filed_folders(self) -> FiledFolders:
        """How the folders of documents are filed."""
        with self._reading():
            return FiledFolders(self.folder, self._meta)

    def counts(self) -> Counts:
        """How much it holds."""
        with self._reading() as store:
            return store.counts(None if self._visible is None else self._visible.rows)

    def history(self) -> list[Generation]:
        """The generations that can be gone back to, oldest first, this one last; within a scope, as they were there."""
        with self._reading() as store:
            if self._visible is None:
                return generations(store.connection)
            rows = documents_ever_visible(store.connection, self._visible.scope)
            return generations_of(store.connection, frozenset(rows))

    def check_all(self) -> int:
        """Reads and checks every document, dead ones too, every chunk and vector; gives how many chunks live.

        Raises:
            IndexCorruptError: Something is damaged; the message says what.
        """
        with self._reading() as store:
            damage = store.damage()
            chunk_ids = store.chunk_ids()
            living = set(store.document_rows())
            if not damage and self.vectors.chunk_ids() != chunk_ids:
                damage = [f"{self.vectors_file} holds other chunks than {DATABASE}"]
            if not damage and store.keyword_ids() != chunk_ids:
                damage = ["its keyword table holds other chunks"]
            if damage:
                raise corrupt(self.folder, damage[0])
            for row, vectors in store.checked_documents():
                for chunk_id, vector in vectors:
                    if row in living and not np.array_equal(self.vectors.vector_of(chunk_id), vector):
                        raise corrupt(self.folder, f"{self.vectors_file} has another vector for chunk {chunk_id}")
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


def _without_other_labels(file: KnownFile, labels: frozenset[str] | None) -> KnownFile:
    """What someone with some labels, or the owner, is told of a file."""
    if labels is None:
        return file
    filing = replace(file.origin.filing, labels=tuple(sorted(labels.intersection(file.origin.filing.labels))))
    return replace(file, origin=replace(file.origin, filing=filing))


def _check_allowed(store: Store, path: str, scope: Scope) -> None:
    """Raises ChecksumError unless a document, as it was indexed, may be in a scope: its tables alone decided so far."""
    row = store.row_of(path)
    if row is None:
        raise ChecksumError(f"document '{path}' is not there, but chunks of it are")
    store.document_of(row)
    if not (is_noted_rightly(store.connection, row) and scope.allows(store.origin_of(row).filing)):
        raise ChecksumError(f"what is noted of document '{path}' is not what was indexed")


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
