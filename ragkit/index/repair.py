"""A damaged index enters, a sound one leaves, and the names of what could not be saved.

Vectors and keywords are derived from the database and made anew. Of a damaged database every document that is still
what was indexed is kept, and the file itself is put aside. Called by `maintenance`.
"""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragkit.durable import sync
from ragkit.errors import IndexCorruptError
from ragkit.index.draft import Draft
from ragkit.index.folder import (
    DATABASE,
    DRAFT,
    OLDER_VERSIONS,
    Integrity,
    check_database,
    reading,
    record_integrity,
    recorded_integrity,
    sha256_of,
    writing,
)
from ragkit.index.history import record_generation
from ragkit.index.index import Index
from ragkit.index.salvage import whole_documents
from ragkit.index.schema import SCHEMA_VERSION
from ragkit.index.session import Session, locked
from ragkit.index.spec import IndexSpec, rebuild_hint
from ragkit.index.store import FileStamp, Store
from ragkit.index.writer import IndexWriter, now

QUARANTINE = "quarantine"
"""The folder, inside that of the index, into which a damaged database is put."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair did.

    Attributes:
        was_sound: Whether there was nothing to do.
        documents: How many the index holds now.
        lost: The paths of those that could not be saved, as far as they could be read; to be indexed again.
        quarantined: Where the damaged database was put; None if it was whole.
    """

    was_sound: bool
    documents: int
    lost: tuple[str, ...] = ()
    quarantined: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """The facts as JSON."""
        quarantined = None if self.quarantined is None else str(self.quarantined)
        return {
            "was_sound": self.was_sound,
            "documents": self.documents,
            "lost": list(self.lost),
            "quarantined": quarantined,
        }


def repair_index(folder: Path, timeout_s: float = 10.0) -> Repaired:
    """Makes an index sound again.

    Raises:
        IndexCorruptError: Nothing of it can be saved.
        IndexLockedError: Another process is writing.
    """
    try:
        return _made_sound(folder, timeout_s)
    except IndexCorruptError:
        pass  # a disk that misread once damaged nothing, and a rescue takes the history: so it is looked at again
    _record_anew(folder, timeout_s)
    try:
        return _made_sound(folder, timeout_s)
    except IndexCorruptError:
        return _rescue(folder, timeout_s)


def _made_sound(folder: Path, timeout_s: float) -> Repaired:
    """Makes anew what is derived from a database that must be whole."""
    check_database(folder, whole=True, versions=(*OLDER_VERSIONS, SCHEMA_VERSION))
    with IndexWriter.open(folder, None, timeout_s=timeout_s) as writer:
        before = writer.generation
        was_sound = writer.commit() == before  # vectors that are missing or damaged are made anew
    with Index.open(folder) as index:
        index.check_all()
        return Repaired(was_sound, index.info().documents)


def _record_anew(folder: Path, timeout_s: float) -> None:
    """Where the record beside the database is lost, records it anew if the database is whole by its own checksums."""
    with reading(folder):
        if recorded_integrity(folder).hashes or not (folder / DATABASE).is_file():
            return
    with locked(folder, timeout_s), writing(folder):
        try:
            with reading(folder), closing(Store.open_to_read(folder / DATABASE)) as store:
                is_whole = not store.damage() and store.chunk_ids() == store.keyword_ids()
                for _ in store.checked_documents():
                    pass
                meta, last_ids = store.meta(), store.last_ids()
                spec, generation = IndexSpec.from_meta(meta), int(meta["generation"])
        except (IndexCorruptError, KeyError, TypeError, ValueError):
            return
        if is_whole:
            record_integrity(folder, Integrity((sha256_of(folder / DATABASE),), generation, last_ids, spec))


def _rescue(folder: Path, timeout_s: float) -> Repaired:
    """Puts every whole document into a new database, and the damaged one aside."""
    with locked(folder, timeout_s):
        with writing(folder):
            session = Session(folder)
            aside = _put_aside(folder)
        try:
            with reading(folder):
                damaged = Store.open_to_read(aside)
            try:
                lost = _save(session, damaged)
            finally:
                damaged.close()
        finally:
            session.close()
    with Index.open(folder) as index:
        index.check_all()
        return Repaired(False, index.info().documents, tuple(lost), aside)


def _put_aside(folder: Path) -> Path:
    """A copy of the damaged database, under a name that is free; the one that an interrupted repair made, if it did."""
    quarantine, content = folder / QUARANTINE, sha256_of(folder / DATABASE)
    quarantine.mkdir(exist_ok=True)
    copies = list(quarantine.glob(f"*-{DATABASE}"))
    for copy in copies:
        if sha256_of(copy) == content:
            return copy
    number = len(copies) + 1
    while (quarantine / f"{number}-{DATABASE}").exists():
        number += 1
    draft = quarantine / DRAFT
    try:
        shutil.copyfile(folder / DATABASE, draft)
        sync(draft)
        aside = draft.replace(quarantine / f"{number}-{DATABASE}")
    finally:
        draft.unlink(missing_ok=True)
    sync(quarantine)
    return aside


def _save(session: Session, damaged: Store) -> list[str]:
    folder = session.folder
    spec = _spec(folder, damaged)
    lost: list[str] = []
    with writing(folder):
        draft = session.begin_anew()
        copies: dict[str, tuple[str, FileStamp]] = {}
        for stored in whole_documents(damaged, lost):
            if all(vector.shape == (spec.dimensions,) for _, vector in stored.embedded):
                draft.put_document(stored.document, stored.embedded, stored.origin)
                copies.update((path, (stored.document.ref.path, stamp)) for path, stamp in stored.copies)
            else:
                lost.append(stored.document.ref.path)
        if not draft.document_rows():
            raise _beyond_repair(folder, "nothing in its database can be read any more")
        _put_copies(draft, copies)
        record_generation(draft.connection, draft.generation, now())
        session.write_vectors(spec.dimensions)
        session.switch(draft.generation, spec)
    return lost


def _put_copies(draft: Draft, copies: dict[str, tuple[str, FileStamp]]) -> None:
    for path, (of_path, stamp) in copies.items():
        row = draft.row_of(of_path)
        if row is not None and draft.row_of(path) is None:
            draft.put_copy(path, row, stamp)


def _spec(folder: Path, damaged: Store) -> IndexSpec:
    """What made a damaged index: as recorded beside the database, else as in it."""
    with reading(folder):
        recorded = recorded_integrity(folder).spec
    if recorded is not None:
        return recorded
    try:
        return IndexSpec.from_meta(damaged.meta())
    except (sqlite3.Error, KeyError, TypeError, ValueError) as exc:
        what = f"neither {DATABASE} nor what is recorded beside it says what made it"
        raise _beyond_repair(folder, what) from exc


def _beyond_repair(folder: Path, what: str) -> IndexCorruptError:
    return IndexCorruptError(f"Index '{folder}' is damaged: {what}. {rebuild_hint(folder, 'Make it anew')}")
