"""The one way to change an index: what can be done to it while one holds its lock, and committed.

`ingest` and `kit` call it. There may be several commits; each is a whole generation that readers see at once, and
whatever ends the work in between leaves the last one committed. After an error a writer is over.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import numpy as np

from ragkit.errors import ModelError
from ragkit.index.checksums import ChecksumError
from ragkit.index.draft import Draft
from ragkit.index.filed_folders import FiledFolders
from ragkit.index.folder import DATABASE, OLDER_VERSIONS, check_database, corrupt, has_whole_vectors, reading, writing
from ragkit.index.history import (
    DEAD_SHARE,
    dead_share,
    find_generation,
    forget,
    purge,
    put_tag,
    record_generation,
    remove_tag,
    untagged_before,
)
from ragkit.index.migration import first_documents, first_last_ids, first_spec
from ragkit.index.renaming import bequeath
from ragkit.index.schema import SCHEMA_VERSION
from ragkit.index.session import Session, locked
from ragkit.index.spec import IndexSpec, check_spec
from ragkit.index.store import Counts, FileStamp, KnownFile, Origin, Store, Vector
from ragkit.records import Chunk, Document


class IndexWriter:
    """An index open for writing; use `open` as a context manager.

    Attributes:
        spec: What makes this index.
        pending: How many chunks were put since the last commit.
        replaces: Whether an index that is there answers until the first commit, and no longer.
    """

    def __init__(self, session: Session, spec: IndexSpec | None, *, rebuild: bool):
        """Takes over the folder; `open` has the lock."""
        present = (session.folder / DATABASE).exists()
        self.folder, self.pending = session.folder, 0
        self.replaces = rebuild and present
        self._session = session
        self._is_changed = False
        self._touched: dict[str, FileStamp] = {}
        self._steps: list[int] = []
        self._found = 0
        if spec is not None and (rebuild or not present):
            self.spec = spec
            session.begin_anew()
            self._is_changed = True
        else:
            self.spec = self._open_present(spec)
            self._found, self._steps = self.generation, []

    @classmethod
    @contextmanager
    def open(
        cls, folder: Path | str, spec: IndexSpec | None, *, rebuild: bool = False, timeout_s: float = 10.0
    ) -> Iterator[Self]:
        """A writer of the index in a folder, which is made if it is not there.

        An index of an older format is brought up to date first.

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
            check_database(folder, versions=(*OLDER_VERSIONS, SCHEMA_VERSION))  # before anything is made
        with locked(folder, timeout_s):
            with writing(folder):
                session = Session(folder)
            try:
                with writing(folder):
                    writer = cls(session, spec, rebuild=rebuild)
                yield writer
            finally:
                session.close()

    @property
    def generation(self) -> int:
        """The last one committed; 0 before the first."""
        return self._session.generation

    def known_files(self) -> list[KnownFile]:
        """The files of every document, and of their copies, as they were when they were indexed."""
        with writing(self.folder):
            return self._store.known_files()

    def filed_folders(self) -> FiledFolders:
        """How the folders of documents are filed."""
        with writing(self.folder):
            try:
                return FiledFolders(self.folder, self._store.meta())
            except (ValueError, TypeError) as exc:
                raise corrupt(self.folder, str(exc)) from exc

    def put_filed_folders(self, filed: FiledFolders) -> None:
        """Notes how the folders of documents are filed; no generation of its own, as a tag is none."""
        with writing(self.folder):
            if not filed.to_meta().items() <= self._store.meta().items():
                self._session.begin().put_meta(filed.to_meta())

    def counts(self) -> Counts:
        """How much there is, uncommitted changes included."""
        with writing(self.folder):
            return self._store.counts()

    def vector_of(self, embedded_text: str) -> Vector | None:
        """The vector that a chunk of exactly this embedded text has, so that it need not be made again."""
        with writing(self.folder):  # a full cache is written out by whatever comes next, be it a question
            return self._store.vector_of(embedded_text)

    def put_document(self, document: Document, embedded: Sequence[tuple[Chunk, Vector]], origin: Origin) -> None:
        """Adds a document with its chunks and their vectors, or puts it in the place of the one of the same path."""
        for _, vector in embedded:
            _check_vector(vector, self.spec)
        self.remove(document.ref.path)
        with writing(self.folder):
            chunk_ids = self._change().put_document(document, embedded, origin)
        self.pending += len(chunk_ids)

    def put_copy(self, path: str, of_path: str, stamp: FileStamp) -> None:
        """Notes that a file has the same content as the document of another path."""
        self.remove(path)
        with writing(self.folder):
            draft = self._change()
            row = draft.row_of(of_path)
            assert row is not None, f"there is no document '{of_path}'"
            draft.put_copy(path, row, stamp)

    def remove(self, path: str) -> None:
        """Removes a file, if it is known; a document that has copies goes on under the path of the first of them."""
        with writing(self.folder):
            draft = self._change()
            if not draft.remove_copy(path):
                bequeath(draft, path)
        self._touched.pop(path, None)

    def touch(self, path: str, stamp: FileStamp) -> None:
        """Notes how the file of an unchanged document looks now; not worth a generation, it goes with the next."""
        self._touched[path] = stamp

    def tag(self, name: str, generation: str | int | None = None) -> int:
        """Names a generation, by default the present one; gives its number.

        Raises:
            InputError: There is no such generation, or the name cannot be had.
        """
        with writing(self.folder):
            connection = self._session.begin().connection
            number = self.generation if generation is None else find_generation(connection, generation)
            put_tag(connection, name, number)
        return number

    def untag(self, name: str) -> None:
        """Takes a name away; raises InputError if no generation has it."""
        with writing(self.folder):
            remove_tag(self._session.begin().connection, name)

    def restore(self, generation: str | int) -> int:
        """Makes the documents of an earlier generation the living ones, as a new generation; gives the earlier number.

        Raises:
            InputError: There is no such generation, or it is no longer kept.
        """
        with writing(self.folder):
            draft = self._session.begin()
            number = find_generation(draft.connection, generation)
            self._is_changed = draft.go_back(number) or self._is_changed
        return number

    def prune(self, keep: int = 0) -> int:
        """Forgets the earlier generations without a tag, but for the newest `keep`, and gives back their space.

        Returns:
            How many were forgotten.
        """
        with writing(self.folder):
            draft = self._session.begin()
            earlier = untagged_before(draft.connection, self.generation)
            forgotten = earlier[: max(0, len(earlier) - keep)]
            forget(draft.connection, forgotten)
            purge(draft.connection)
            draft.vacuum()
        self._session.keeps_last = False  # their vectors tell what was removed; who is opening one opens the new one
        return len(forgotten)

    def commit(self) -> int:
        """Makes everything since the last commit visible at once; gives the generation, the same if nothing changed."""
        draft = self._session.draft
        if draft is None:
            return self.generation
        with writing(self.folder):
            for path, stamp in self._touched.items():
                draft.put_stamp(path, stamp)
            if self._is_changed:
                forget(draft.connection, self._steps)
                record_generation(draft.connection, draft.generation, now())
                self._make_room(draft)
                self._session.write_vectors(self.spec.dimensions)
            self._session.switch(draft.generation if self._is_changed else self.generation, self.spec)
        self._touched.clear()
        self._is_changed, self.pending, self.replaces = False, 0, False
        return self.generation

    @property
    def _store(self) -> Store:
        store = self._session.draft or self._session.base
        assert store is not None
        return store

    def _change(self) -> Draft:
        """The draft, in which a new generation is being made."""
        self._is_changed = True
        return self._session.begin()

    def _make_room(self, draft: Draft) -> None:
        """Removes what only the steps that led here held, and the oldest generations if too much is dead."""
        has_room = not self._steps or not purge(draft.connection)
        for number in untagged_before(draft.connection, draft.generation):
            if number == self._found or dead_share(draft.connection) <= DEAD_SHARE:
                break
            forget(draft.connection, [number])
            has_room = not purge(draft.connection) and has_room
        if not has_room:
            draft.vacuum()
        self._steps.append(draft.generation)

    def _open_present(self, spec: IndexSpec | None) -> IndexSpec:
        version = check_database(self.folder, versions=(*OLDER_VERSIONS, SCHEMA_VERSION))
        with reading(self.folder):
            base = self._session.open_base(0)
            try:
                if version != SCHEMA_VERSION:
                    return self._migrate(base, spec)
                meta = base.meta()
                built, self._session.generation = IndexSpec.from_meta(meta), meta["generation"]
            except (KeyError, TypeError) as exc:
                raise corrupt(self.folder, f"{DATABASE} lacks {exc}") from exc
            except (ChecksumError, ValueError) as exc:
                raise corrupt(self.folder, str(exc)) from exc
        check_spec(self.folder, built, spec or built)
        self._session.tidy()
        if not has_whole_vectors(self.folder, meta):
            self._change()  # they are derived: the next commit makes them anew
        return built

    def _migrate(self, base: Store, spec: IndexSpec | None) -> IndexSpec:
        """Brings an index of format 1 up to date, as a generation of its own."""
        self.spec, self._session.generation = first_spec(base.connection)
        check_spec(self.folder, self.spec, spec or self.spec)
        draft = self._session.begin_anew()
        draft.skip_ids(first_last_ids(base.connection))
        for stored in first_documents(base.connection):
            draft.put_document(stored.document, stored.embedded, stored.origin)
        self._is_changed = True
        self.commit()
        return self.spec


def now() -> str:
    """The time, in UTC and whole seconds, as generations note it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _check_vector(vector: Vector, spec: IndexSpec) -> None:
    if vector.shape != (spec.dimensions,) or not np.isfinite(vector).all():
        raise ModelError(
            f"Embedder {spec.embedder} gave a vector of shape {vector.shape} or with values that are no numbers, "
            f"instead of {spec.dimensions} finite ones. Choose another embedder"
        )
