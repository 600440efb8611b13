"""The one door to an index for everything that reads it.

An `Index` always shows the newest generation, whole; a `Snapshot` is one generation, so that all steps of one question
see the same documents. Neither ever writes to the folder.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy.typing as npt

from ragkit.index.filing import Scope
from ragkit.index.folder import DATABASE, check_database, reading
from ragkit.index.snapshot import Snapshot, database_identity, load_newest
from ragkit.index.spec import IndexSpec, check_spec
from ragkit.records import Chunk, Document, DocumentRef, Paragraph

__all__ = ["Index", "IndexInfo", "IndexSpec", "Scope", "Snapshot"]

EVERYTHING = Scope()


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """What `ragkit info` shows.

    Attributes:
        bytes: Size of the files that hold this generation; None where not all of it may be seen.
    """

    folder: Path
    generation: int
    documents: int
    paragraphs: int
    chunks: int
    bytes: int | None
    spec: IndexSpec

    def to_dict(self) -> dict[str, Any]:
        """The facts as JSON."""
        return asdict(self) | {"folder": str(self.folder)}


class Index:
    """An index open for reading; safe to use from several threads, and while another process writes to it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._lock = threading.Lock()
        self._users: dict[Snapshot, int] = {}
        self._identity, self._snapshot = load_newest(folder)

    @classmethod
    def open(cls, folder: Path | str) -> "Index":
        """Opens the index in a folder.

        Raises:
            IndexNotFoundError: There is none.
            IndexVersionError: It has another version's format.
            IndexCorruptError: A file is damaged or missing.
        """
        return cls(Path(folder))

    @contextmanager
    def snapshot(self, scope: Scope = EVERYTHING) -> Iterator[Snapshot]:
        """The newest generation, or what a scope leaves of it, kept whole and unchanged until the block ends.

        Raises:
            InputError: The scope names a collection or asks about something that is not there.
        """
        with self._lock:
            self._refresh()
            snapshot = self._snapshot
            self._users[snapshot] = self._users.get(snapshot, 0) + 1
        try:
            yield snapshot.within(scope)
        finally:
            with self._lock:
                self._users[snapshot] -= 1
                self._close_if_unused(snapshot)

    def _refresh(self) -> None:
        """Switches to the newest generation; the file's identity is exact, since the old one is held open."""
        identity = database_identity(self.folder)
        if identity in (self._identity, ()):
            return  # unchanged, or removed under us: what is open is still whole
        old = self._snapshot
        self._identity, self._snapshot = load_newest(self.folder)
        self._close_if_unused(old)

    def _close_if_unused(self, snapshot: Snapshot) -> None:
        if snapshot is not self._snapshot and not self._users.get(snapshot):
            self._users.pop(snapshot, None)
            snapshot.close()

    @property
    def spec(self) -> IndexSpec:
        """What made it."""
        with self.snapshot() as snapshot:
            return snapshot.spec

    @property
    def generation(self) -> int:
        """Counts the changes that were made to it."""
        with self.snapshot() as snapshot:
            return snapshot.generation

    def check(self, embedder: str, dimensions: int) -> None:
        """Raises IndexMismatchError unless this embedder made the vectors."""
        built = self.spec
        check_spec(self.folder, built, replace(built, embedder=embedder, dimensions=dimensions))

    def search_vectors(self, vector: npt.ArrayLike, k: int) -> list[tuple[int, float]]:
        """`Snapshot.search_vectors` of the newest generation."""
        with self.snapshot() as snapshot:
            return snapshot.search_vectors(vector, k)

    def search_keywords(self, question: str, k: int) -> list[tuple[int, float]]:
        """`Snapshot.search_keywords` of the newest generation."""
        with self.snapshot() as snapshot:
            return snapshot.search_keywords(question, k)

    def chunks(self, chunk_ids: Sequence[int]) -> dict[int, Chunk]:
        """`Snapshot.chunks` of the newest generation."""
        with self.snapshot() as snapshot:
            return snapshot.chunks(chunk_ids)

    def documents(self) -> list[DocumentRef]:
        """`Snapshot.documents` of the newest generation."""
        with self.snapshot() as snapshot:
            return snapshot.documents()

    def document(self, path: str) -> Document | None:
        """`Snapshot.document` of the newest generation."""
        with self.snapshot() as snapshot:
            return snapshot.document(path)

    def paragraphs(self, path: str) -> tuple[Paragraph, ...]:
        """`Snapshot.paragraphs` of the newest generation."""
        with self.snapshot() as snapshot:
            return snapshot.paragraphs(path)

    def info(self, scope: Scope = EVERYTHING) -> IndexInfo:
        """How much it holds, or how much of a scope, and what made it."""
        with self.snapshot(scope) as snapshot, reading(self.folder):
            counts = snapshot.counts()
            files = (self.folder / name for name in (DATABASE, snapshot.vectors_file))
            size = sum(file.stat().st_size for file in files if file.exists())
            totals = (counts.documents, counts.paragraphs, counts.chunks)
            told = size if scope.is_everything else None
            return IndexInfo(self.folder, snapshot.generation, *totals, told, snapshot.spec)

    def check_all(self) -> int:
        """`Snapshot.check_all` of the newest generation, after hashing the whole database file.

        Raises:
            IndexCorruptError: Something is damaged; the message says what.
        """
        check_database(self.folder, whole=True)
        with self.snapshot() as snapshot:
            return snapshot.check_all()

    def close(self) -> None:
        """Lets go of the files; the index cannot be used any more."""
        self._snapshot.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
