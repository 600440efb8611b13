"""How an index folder passes from one state to the next: lock, draft, one rename, and tidying up.

Called by `writer` and `repair`. The rename is the only moment at which anything changes for a reader.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import filelock
import numpy as np

from ragkit.durable import sync, write_atomically
from ragkit.errors import IndexLockedError
from ragkit.index.draft import Draft
from ragkit.index.folder import (
    DATABASE,
    DRAFT,
    INTEGRITY,
    LOCK,
    Integrity,
    record_integrity,
    recorded_integrity,
    sha256_of,
    vectors_generations,
    vectors_name,
    writing,
)
from ragkit.index.pages import first_pages
from ragkit.index.salvage import open_damaged
from ragkit.index.spec import IndexSpec
from ragkit.index.store import Store
from ragkit.index.vectors import VectorIndex

MAX_ROW = 2**48
"""No index has as many rows; where a damaged database says so, numbering on from there would soon come to an end."""


class Session:
    """A folder with its lock held; the draft in it, if one was begun, is what it will hold next.

    Attributes:
        base: The present database, open; None if there is none or it is to be replaced whatever it holds.
        draft: None until something is to be written.
        generation: The present one; 0 if there is none.
        keeps_last: Whether the vectors of the generation before the present one are kept: a reader may be opening it.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.base: Store | None = None
        self.draft: Draft | None = None
        self.generation = 0
        self.keeps_last = True
        self._recorded = recorded_integrity(folder)
        for draft in (DRAFT, f"{INTEGRITY}.draft"):
            (folder / draft).unlink(missing_ok=True)

    def begin(self) -> Draft:
        """The draft, copied from the present state if there is none yet."""
        if self.draft is None:
            self._recorded = replace(self._recorded, hashes=(sha256_of(self.folder / DATABASE),))
            shutil.copyfile(self.folder / DATABASE, self.folder / DRAFT)
            self.draft = self._opened(new=False)
            self.draft.skip_ids(highest_ids(self.draft.last_ids(), self._recorded.last_ids))
        return self.draft

    def begin_anew(self) -> Draft:
        """An empty draft, whose rows are numbered on from those of the present state, which may be damaged."""
        self.draft = self._opened(new=True)
        self.draft.skip_ids(highest_ids(self._present_ids(), self._recorded.last_ids))
        return self.draft

    @property
    def draft_file(self) -> Path:
        """Where the draft is written."""
        return self.folder / DRAFT

    def adopt(self) -> Draft:
        """The draft, if its file was put there whole from elsewhere; it keeps its generation."""
        self.draft = Draft.open(self.draft_file, new=False)
        self.draft.generation = int(self.draft.meta()["generation"])
        return self.draft

    def _opened(self, *, new: bool) -> Draft:
        draft = Draft.open(self.folder / DRAFT, new=new)
        draft.generation = max(self.generation, *self._past_generations()) + 1
        return draft

    def write_vectors(self, dimensions: int) -> None:
        """Derives the vector file of the draft's generation from the draft."""
        assert self.draft is not None
        rows = list(self.draft.ordered_vectors())
        matrix = np.frombuffer(b"".join(vector for _, vector in rows), dtype="<f4").reshape(len(rows), dimensions)
        vectors = VectorIndex.of(dimensions, [chunk_id for chunk_id, _ in rows], matrix)
        file = self.folder / vectors_name(self.draft.generation)
        write_atomically(file, vectors.to_bytes())
        self.draft.put_meta({"vectors_file": file.name, "vectors_sha256": sha256_of(file)})

    def switch(self, generation: int, spec: IndexSpec) -> None:
        """Puts the draft in the place of the database: the moment at which the index changes."""
        assert self.draft is not None
        self.draft.put_meta({**spec.to_meta(), "generation": generation})
        last_ids = self.draft.last_ids()
        self.draft.commit()
        self.draft.close()
        file = self.folder / DRAFT
        sync(file)
        new = sha256_of(file)
        begun, pages = max(generation, self._recorded.generation), first_pages(file)
        integrity = Integrity((*self._recorded.hashes, new), begun, last_ids, spec, pages)
        record_integrity(self.folder, integrity)
        file.replace(self.folder / DATABASE)
        sync(self.folder)
        self.draft = None
        self._recorded = replace(integrity, hashes=(new,))
        record_integrity(self.folder, self._recorded)  # from here on the state before would be a step back
        self.open_base(generation)
        self.tidy()

    def open_base(self, generation: int) -> Store:
        """The present database, open, which is this generation."""
        if self.base is not None:
            self.base.close()
        self.base, self.generation = Store.open_to_read(self.folder / DATABASE), generation
        return self.base

    def _present_ids(self) -> dict[str, int]:
        """The highest row ever used, by table, as the present database says, if there is one that can be read."""
        try:
            with closing(open_damaged(self.folder / DATABASE)) as present:
                ids = present.last_ids()
        except sqlite3.Error:
            return {}
        return {table: row for table, row in ids.items() if isinstance(row, int) and 0 < row < MAX_ROW}

    def _past_generations(self) -> list[int]:
        """Every generation that left a trace, also in an index that cannot be read any more."""
        return [self._recorded.generation, *vectors_generations(self.folder).values()]

    def tidy(self) -> None:
        """Removes the vectors of old and unfinished generations."""
        files = vectors_generations(self.folder)
        before = max((number for number in files.values() if self.keeps_last and number < self.generation), default=0)
        for name, number in files.items():
            if number not in (self.generation, before) or name != vectors_name(number):
                (self.folder / name).unlink(missing_ok=True)

    def close(self) -> None:
        """Lets go of everything; what was not switched to is gone."""
        for store in (self.draft, self.base):
            if store is not None:
                store.close()
        with writing(self.folder):
            (self.folder / DRAFT).unlink(missing_ok=True)


def highest_ids(*used: dict[str, int]) -> dict[str, int]:
    """The highest row ever used, by table, of several that know of some."""
    tables = dict.fromkeys(table for ids in used for table in ids)
    return {table: max(ids.get(table, 0) for ids in used) for table in tables}


@contextmanager
def locked(folder: Path, timeout_s: float) -> Iterator[None]:
    """Holds the lock of a folder, which is made if it is not there.

    Raises:
        IndexLockedError: Another process held it all the time.
    """
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
