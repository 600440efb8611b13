"""A damaged index enters, a sound one leaves, and the names of what could not be saved.

Vectors and keywords are derived from the database and made anew. Where only the first pages of the database are damaged
they are put back as they were recorded. Of any other damaged database every document that is still what was indexed is
kept, and the file itself is put aside. Called by `maintenance`.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ragkit.durable import sync
from ragkit.errors import IndexCorruptError, InputError
from ragkit.index.draft import Draft
from ragkit.index.filed_folders import FiledFolders
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
from ragkit.index.pages import Pages, first_pages, has_pages, is_same_state, put_back
from ragkit.index.salvage import open_damaged, whole_documents
from ragkit.index.schema import APPLICATION_ID, SCHEMA_VERSION
from ragkit.index.session import Session, highest_ids, locked
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
        quarantined: Where the damaged database was put; None if it was whole, or could be made so to the last byte.
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
    with locked(folder, timeout_s), writing(folder):
        is_mended = _restore(folder) or _record_anew(folder)
    try:
        sound = _made_sound(folder, timeout_s)
        return replace(sound, was_sound=sound.was_sound and not is_mended)
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


def _restore(folder: Path) -> bool:
    """Puts back the first pages, by which all others are found; says whether the database is what was recorded then."""
    recorded = recorded_integrity(folder)
    if not recorded.pages or has_pages(folder / DATABASE, recorded.pages):
        return False
    with _completed(folder / DATABASE, folder / DRAFT, recorded.pages) as copy:
        is_restored = sha256_of(copy) in recorded.hashes
        if is_restored:
            sync(copy)
            copy.replace(folder / DATABASE)
            sync(folder)
    return is_restored


@contextmanager
def _completed(damaged: Path, copy: Path, pages: Pages) -> Iterator[Path]:
    """A copy of a damaged database with the first pages that were recorded, until the block ends."""
    try:
        shutil.copyfile(damaged, copy)
        put_back(copy, pages)
        yield copy
    finally:
        copy.unlink(missing_ok=True)


def _record_anew(folder: Path) -> bool:
    """Records a database anew if it is whole by its own checksums, and says whether it did.

    One that was put back, or whose record is lost, has only these. In the very state that was recorded it is damaged,
    whether they show it or not.
    """
    file, recorded = folder / DATABASE, recorded_integrity(folder)
    try:
        with reading(folder), closing(Store.open_to_read(file)) as store:
            meta, last_ids = store.meta(), store.last_ids()
            spec, generation = IndexSpec.from_meta(meta), int(meta["generation"])
            if _is_recorded_state(file, generation, recorded) or not _is_whole(store, generation):
                return False
    except (IndexCorruptError, KeyError, TypeError, ValueError):
        return False
    begun, ids = max(generation, recorded.generation), highest_ids(last_ids, recorded.last_ids)
    record_integrity(folder, Integrity((sha256_of(file),), begun, ids, spec, first_pages(file)))
    return True


def _is_recorded_state(file: Path, generation: int, recorded: Integrity) -> bool:
    if recorded.pages:
        return is_same_state(file, recorded.pages)
    return bool(recorded.hashes) and generation == recorded.generation


def _is_whole(store: Store, generation: int) -> bool:
    """Whether a database is one of this version that fits together.

    Raises:
        ChecksumError: Something is not what was indexed.
    """
    kind = [store.connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
    if kind != [APPLICATION_ID, SCHEMA_VERSION] or store.damage():
        return False
    for _ in store.checked_documents():
        pass
    (newest,) = store.connection.execute("SELECT max(number) FROM generations").fetchone()
    return newest == generation and store.chunk_ids() == store.keyword_ids()


def _rescue(folder: Path, timeout_s: float) -> Repaired:
    """Puts every whole document into a new database, and the damaged one aside."""
    with locked(folder, timeout_s):
        with writing(folder):
            session = Session(folder)
            aside = _put_aside(folder)
        try:
            with writing(folder):
                lost = _save(session, aside)
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


def _save(session: Session, aside: Path) -> list[str]:
    """Puts what is whole in a damaged database into a new one, which takes its place; gives the paths of the rest."""
    folder, pages = session.folder, recorded_integrity(session.folder).pages
    draft = session.begin_anew()
    if pages:
        with _completed(aside, aside.with_name(DRAFT), pages) as copy:
            files = [copy, aside] if is_same_state(aside, pages) else [aside, copy]
            spec, lost = _fill(draft, folder, files)
    else:
        spec, lost = _fill(draft, folder, [aside])
    record_generation(draft.connection, draft.generation, now())
    session.write_vectors(spec.dimensions)
    session.switch(draft.generation, spec)
    return lost


def _fill(draft: Draft, folder: Path, files: list[Path]) -> tuple[IndexSpec, list[str]]:
    """Puts what is whole into a draft, from the first of some files in which anything is."""
    for file in files:
        with closing(open_damaged(file)) as damaged:
            spec, lost = _spec(folder, damaged), list[str]()
            copies: dict[str, tuple[str, FileStamp]] = {}
            for stored in whole_documents(damaged, lost):
                if all(vector.shape == (spec.dimensions,) for _, vector in stored.embedded):
                    draft.put_document(stored.document, stored.embedded, stored.origin)
                    copies.update((path, (stored.document.ref.path, stamp)) for path, stamp in stored.copies)
                else:
                    lost.append(stored.document.ref.path)
            _put_copies(draft, copies)
            if draft.document_rows():
                draft.put_meta(_filed_folders(folder, damaged))
                return spec, lost
    raise _beyond_repair(folder, "nothing in its database can be read any more")


def _filed_folders(folder: Path, damaged: Store) -> dict[str, str | int]:
    """How the folders of documents were filed, if that can still be told; else new files in them get no labels."""
    try:
        return FiledFolders(folder, damaged.meta()).to_meta()
    except (sqlite3.Error, InputError, ValueError, TypeError, RecursionError):
        return {}


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
