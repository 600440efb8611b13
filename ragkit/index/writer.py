"""The one way to change an index: a session that holds the lock, works on a draft and switches to it by one rename.

`ingest` calls it. A session may commit several times; each commit is a whole generation that readers see at once, and
whatever ends the session in between leaves the last one committed. After an error a session is over.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

import filelock
import numpy as np

from ragkit.durable import sync, write_atomically
from ragkit.errors import IndexLockedError, ModelError
from ragkit.index.folder import (
    DATABASE,
    DRAFT,
    LOCK,
    check_database,
    corrupt,
    reading,
    record_hashes,
    recorded_hashes,
    sha256_of,
    vectors_generations,
    vectors_name,
    writing,
)
from ragkit.index.snapshot import load_vectors
from ragkit.index.spec import IndexSpec, check_spec
from ragkit.index.store import Counts, FileStamp, Store, Vector
from ragkit.index.vectors import VectorIndex
from ragkit.records import Chunk, Document, DocumentRef


class IndexWriter:
    """A writing session; use it as a context manager.

    Attributes:
        spec: What makes this index.
        generation: The last one committed; 0 before the first.
        pending: How many chunks were put since then.
        replaces: Whether an index that is there answers until this session's first commit, and no longer.
    """

    def __init__(self, folder: Path, spec: IndexSpec | None, *, rebuild: bool):
        """Takes over the folder; `open` has the lock."""
        present = (folder / DATABASE).exists()
        self.folder = folder
        self.generation = 0
        self.pending = 0
        self.replaces = rebuild and present
        self._draft: Store | None = None
        self._base: Store | None = None
        self._touched: dict[str, FileStamp] = {}
        self._added: list[tuple[int, Vector]] = []
        self._removed: list[int] = []
        (folder / DRAFT).unlink(missing_ok=True)
        if spec is not None and (rebuild or not present):
            self.spec = spec
            self._vectors = VectorIndex(spec.dimensions)
            self._draft = Store.open_draft(folder / DRAFT, new=True)
        else:
            self.spec = self._open_present(spec)

    @classmethod
    @contextmanager
    def open(
        cls, folder: Path | str, spec: IndexSpec | None, *, rebuild: bool = False, timeout_s: float = 10.0
    ) -> Iterator[Self]:
        """A session on the index in a folder, which is made if it is not there.

        Args:
            folder: Of the index.
            spec: What it is made with, or None to take the spec of the index that is there.
            rebuild: Begin with nothing instead of with what is there.
            timeout_s: How long to wait for another writer.

        Raises:
            IndexLockedError: Another process is writing.
            IndexMismatchError: What is there was made with another spec.
            IndexNotFoundError: There is none, and no spec to make one with.
        """
        folder = Path(folder)
        if spec is None:
            check_database(folder)  # before anything is made
        with _locked(folder, timeout_s):
            with writing(folder):
                writer = cls(folder, spec, rebuild=rebuild)
            try:
                yield writer
            finally:
                writer._close()

    def stamps(self) -> dict[DocumentRef, FileStamp]:
        """Every document with its file, as it was when it was indexed."""
        return self._store.stamps()

    def counts(self) -> Counts:
        """How much there is, uncommitted changes included."""
        return self._store.counts()

    def vector_of(self, embedded_text: str) -> Vector | None:
        """The vector that a chunk of exactly this embedded text has, so that it need not be made again."""
        return self._store.vector_of(embedded_text)

    def put_document(self, document: Document, embedded: Sequence[tuple[Chunk, Vector]], stamp: FileStamp) -> None:
        """Adds a document with its chunks and their vectors, or puts it in the place of the one of the same path."""
        for _, vector in embedded:
            _check_vector(vector, self.spec)
        self.remove(document.ref.path)
        with writing(self.folder):
            chunk_ids = self._begin().put_document(document, embedded, stamp)
        self._added += [(chunk_id, vector) for chunk_id, (_, vector) in zip(chunk_ids, embedded, strict=True)]
        self.pending += len(chunk_ids)

    def remove(self, path: str) -> None:
        """Removes a document with all it has, if it is there."""
        with writing(self.folder):
            self._removed += self._begin().remove_document(path)
        self._touched.pop(path, None)

    def touch(self, path: str, stamp: FileStamp) -> None:
        """Notes how the file of an unchanged document looks now; not worth a generation, it goes with the next."""
        self._touched[path] = stamp

    def commit(self) -> int:
        """Makes everything since the last commit visible at once; gives the generation, the same if nothing changed."""
        if self._draft is None:
            return self.generation
        with writing(self.folder):
            generation = max(self.generation, *self._past_generations()) + 1
            self._write_vectors(generation)
            self._write_draft(self._draft, generation)
            self._switch(generation)
            self._tidy()
        return generation

    @property
    def _store(self) -> Store:
        store = self._draft or self._base
        assert store is not None
        return store

    def _open_present(self, spec: IndexSpec | None) -> IndexSpec:
        check_database(self.folder)
        with reading(self.folder), ExitStack() as on_error:
            base = Store.open_to_read(self.folder / DATABASE)
            on_error.callback(base.close)
            try:
                meta = base.meta()
                built, self.generation = IndexSpec.from_meta(meta), meta["generation"]
                check_spec(self.folder, built, spec or built)
                self._vectors = load_vectors(self.folder, meta)
            except (KeyError, TypeError) as exc:
                raise corrupt(self.folder, f"{DATABASE} lacks {exc}") from exc
            on_error.pop_all()
        self._base = base
        self._tidy()
        return built

    def _begin(self) -> Store:
        """The draft, copied from the present generation if there is none yet."""
        if self._draft is None:
            shutil.copyfile(self.folder / DATABASE, self.folder / DRAFT)
            self._draft = Store.open_draft(self.folder / DRAFT, new=False)
        return self._draft

    def _write_vectors(self, generation: int) -> None:
        if self._added:
            chunk_ids, vectors = zip(*self._added, strict=True)
            self._vectors.add(chunk_ids, np.stack(vectors))
        self._vectors.remove(self._removed)
        self._added, self._removed = [], []
        write_atomically(self.folder / vectors_name(generation), self._vectors.to_bytes())
        file = self.folder / vectors_name(generation)
        self._store.put_meta({"vectors_file": file.name, "vectors_sha256": sha256_of(file)})

    def _write_draft(self, draft: Store, generation: int) -> None:
        for path, stamp in self._touched.items():
            draft.put_stamp(path, stamp)
        draft.put_meta({**self.spec.to_meta(), "generation": generation})
        draft.commit()
        draft.close()
        self._touched.clear()

    def _switch(self, generation: int) -> None:
        """Puts the draft in the place of the database: the moment at which the index changes."""
        draft = self.folder / DRAFT
        sync(draft)
        hashes = recorded_hashes(self.folder)  # all are kept in a rebuild, which does not know the present generation
        if self.generation:
            hashes = {key: value for key, value in hashes.items() if key == str(self.generation)}
        record_hashes(self.folder, hashes | {str(generation): sha256_of(draft)})
        draft.replace(self.folder / DATABASE)
        sync(self.folder)
        self._draft = None
        self.generation, self.pending, self.replaces = generation, 0, False
        if self._base is not None:
            self._base.close()
        self._base = Store.open_to_read(self.folder / DATABASE)

    def _past_generations(self) -> list[int]:
        """Every generation that left a trace, also in an index that cannot be read any more."""
        hashed = [int(key) for key in recorded_hashes(self.folder) if key.isdecimal()]
        return [0, *hashed, *vectors_generations(self.folder).values()]

    def _tidy(self) -> None:
        """Removes the vectors of old and unfinished generations, but for the last: a reader may be opening it."""
        files = vectors_generations(self.folder)
        before = max((number for number in files.values() if number < self.generation), default=0)
        for name, number in files.items():
            if number not in (self.generation, before) or name != vectors_name(number):
                (self.folder / name).unlink(missing_ok=True)

    def _close(self) -> None:
        for store in (self._draft, self._base):
            if store is not None:
                store.close()
        with writing(self.folder):
            (self.folder / DRAFT).unlink(missing_ok=True)


@contextmanager
def _locked(folder: Path, timeout_s: float) -> Iterator[None]:
    """Holds the lock of a folder, which is made if it is not there."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / LOCK, thread_local=False)
        try:
            lock.acquire(timeout=timeout_s)
        except filelock.Timeout as exc:
            raise IndexLockedError(
                f"Another process is writing to index '{folder}' (waited {timeout_s:g} s). Try again when it is done"
            ) from exc
    try:
        yield
    finally:
        lock.release()


def _check_vector(vector: Vector, spec: IndexSpec) -> None:
    if vector.shape != (spec.dimensions,) or not np.isfinite(vector).all():
        raise ModelError(
            f"Embedder {spec.embedder} gave a vector of shape {vector.shape} or with values that are no numbers, "
            f"instead of {spec.dimensions} finite ones. Choose another embedder"
        )
