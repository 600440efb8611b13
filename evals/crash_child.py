"""The operations on an index that `evals.crashes` kills, what they should leave, and what they did leave.

An operation has a beginning (documents, and most often an index of them) and something that is done to it. `look`
reads an index to the bottom and raises `ViolationError` where anything in it does not agree; `start` does something in
a child process that waits for a sign before it begins; `small_disk` and `read_only` are places in which it fails.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from unittest.mock import patch

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # for the embedder that needs no model

from fakes import WordEmbedder

from ragkit import ingest, maintenance
from ragkit.errors import IndexCorruptError, IndexNotFoundError, RagkitError
from ragkit.index.checksums import text_hash
from ragkit.index.draft import Draft
from ragkit.index.folder import DATABASE, INTEGRITY, LOCK, vectors_generations, vectors_name
from ragkit.index.index import Index
from ragkit.index.repair import QUARANTINE
from ragkit.index.session import Session
from ragkit.index.snapshot import Snapshot
from ragkit.index.store import Store
from ragkit.ingest_records import IngestOptions

FILES = 16

BATCHES = IngestOptions(chunk_tokens=60, min_chunk_tokens=4, batch_chunks=8, lock_timeout_s=2)
REBUILD = IngestOptions(chunk_tokens=60, min_chunk_tokens=4, batch_chunks=8, lock_timeout_s=2, rebuild=True)

WRITTEN_AT = 1_700_000_000
"""Documents are as old as this, so that a run does the same whenever it is made."""

CACHE_PAGES = 10
"""So little that SQLite must write before it commits, as it must with more than the 2 MB that it has otherwise."""

NOBODY = 65534

EVERYTHING = 1_000_000
"""More than there is, for searches that are to find all."""


class ViolationError(Exception):
    """Something that must not be."""


@dataclass(frozen=True)
class State:
    """What can be seen of an index.

    Attributes:
        documents: Texts by path.
        copies: Paths of files with the path of the document of the same content.
        chunk_texts: As they were embedded, of what lives.
        history: Generations: number, documents, chunks, added, removed, tags.
    """

    generation: int
    documents: dict[str, str]
    copies: dict[str, str]
    chunk_texts: frozenset[str]
    history: tuple[tuple[int, int, int, int, int, tuple[str, ...]], ...]

    @property
    def holds(self) -> tuple[dict[str, str], dict[str, str]]:
        """The documents and the copies, which is all that a user put in."""
        return self.documents, self.copies

    @property
    def tags(self) -> set[tuple[int, str]]:
        """Every tag with its generation."""
        return {(number, tag) for number, *_, tags in self.history for tag in tags}


DAMAGED = State(-1, {}, {}, frozenset(), ())
"""An index that says that it is damaged, where it was damaged before."""


@dataclass(frozen=True)
class Operation:
    """Something that is done to an index.

    Attributes:
        prepare: Makes documents and index in an empty folder.
        act: Does it, in a folder with the documents in `docs` and the index in `index`.
        is_done_once: Whether it says with an InputError that it was done already.
        is_damaged: Whether the index is damaged when it begins.
        embeds: What it embeds: of the documents, those of which no vector is there, or whatever is there.
    """

    name: str
    prepare: Callable[[Path], None]
    act: Callable[[Path, WordEmbedder], object]
    is_done_once: bool = False
    is_damaged: bool = False
    embeds: Literal["nothing", "new", "all"] = "nothing"


def text_of(number: int, version: int) -> str:
    """A document of three paragraphs, the first of which changes with the version."""
    return (
        f"Paragraph of document {number} in version {version} with number{number} and version{version}.\n\n"
        f"Another paragraph of document {number} that stays what it is: stays{number}.\n\n"
        f"One paragraph that every third document has, here for {number % 3}.\n"
    )


def write(file: Path, text: str, version: int = 1) -> None:
    """A document, with a time that tells its version."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    os.utime(file, (WRITTEN_AT + version, WRITTEN_AT + version))


def write_documents(place: Path) -> None:
    """The documents of the first version."""
    for number in range(FILES):
        write(place / "docs" / f"{number:02}.txt", text_of(number, 1))


def change_documents(place: Path, version: int = 2) -> None:
    """Some change, one leaves, one moves, one is new, one is a copy of another."""
    docs = place / "docs"
    for number in range(0, FILES, 3):
        write(docs / f"{number:02}.txt", text_of(number, version), version)
    write(docs / f"new-{version}.txt", text_of(FILES + version, 1), version)
    if (docs / "01.txt").exists():
        (docs / "01.txt").unlink()
        (docs / "inner").mkdir()
        (docs / "02.txt").rename(docs / "inner" / "moved.txt")
        shutil.copy2(docs / "04.txt", docs / "like-04.txt")


@contextlib.contextmanager
def as_if_large() -> Iterator[None]:
    """Lets a small index be written like a large one: many commits, and a cache that does not hold all of a draft."""
    open_draft = Draft.open

    def open_with_small_cache(file: Path | str, *, new: bool) -> Draft:
        draft = open_draft(file, new=new)
        draft.connection.execute(f"PRAGMA cache_size = {CACHE_PAGES}")
        return draft

    with patch.object(ingest, "COMMIT_SHARE", 0), patch.object(Draft, "open", open_with_small_cache):
        yield


def index(place: Path, embedder: WordEmbedder, options: IngestOptions = BATCHES) -> None:
    """Indexes the documents."""
    with contextlib.chdir(place):
        ingest.index_paths(["docs"], place / "index", embedder, options)


def indexed(place: Path) -> None:
    """One generation, but for those on the way to it."""
    write_documents(place)
    index(place, WordEmbedder())


def outdated(place: Path) -> None:
    """An index whose documents have changed."""
    indexed(place)
    change_documents(place)


def updated(place: Path) -> None:
    """Two generations, the first with a tag, and a third."""
    indexed(place)
    maintenance.tag(place / "index", "first")
    for version in (2, 3):
        change_documents(place, version)
        index(place, WordEmbedder())


def often_updated(place: Path) -> None:
    """Two earlier generations without a tag."""
    updated(place)
    write(place / "docs" / "05.txt", text_of(5, 4), 4)
    index(place, WordEmbedder())


def exported(place: Path) -> None:
    """An exported index, and no other."""
    indexed(place)
    maintenance.export_index(place / "index", place / "exported")
    shutil.rmtree(place / "index")


def with_damaged_vectors(place: Path) -> None:
    """A byte of the vectors is another."""
    updated(place)
    _damage(next(place.glob(f"index/{vectors_name(_generation(place))}")), 0.5)


def with_damaged_database(place: Path) -> None:
    """A byte of a text in the database is another."""
    updated(place)
    file = place / "index" / DATABASE
    _damage(file, file.read_bytes().index(b"stays7.") / file.stat().st_size)


def _generation(place: Path) -> int:
    with Index.open(place / "index") as opened:
        return opened.generation


def _damage(file: Path, share: float) -> None:
    content = bytearray(file.read_bytes())
    content[round(share * len(content))] ^= 1
    file.write_bytes(content)


def _first_generation(place: Path) -> int:
    return maintenance.history(place / "index")[0].number


OPERATIONS = (
    Operation("first index", write_documents, index, embeds="new"),
    Operation("update", outdated, index, embeds="new"),
    Operation("rebuild", outdated, lambda place, embedder: index(place, embedder, REBUILD), embeds="all"),
    Operation(
        "remove",
        updated,
        lambda place, _: ingest.remove_paths(["docs/03.txt", "docs/04.txt", "docs/inner"], place / "index"),
        is_done_once=True,
    ),
    Operation("compact", updated, lambda place, _: maintenance.compact(place / "index")),
    Operation("go back", updated, lambda place, _: maintenance.go_back(place / "index", "first")),
    Operation("tag", updated, lambda place, _: maintenance.tag(place / "index", "now")),
    Operation("prune", often_updated, lambda place, _: maintenance.prune(place / "index", keep=1)),
    Operation(
        "repair of vectors",
        with_damaged_vectors,
        lambda place, _: maintenance.repair_index(place / "index"),
        is_damaged=True,
    ),
    Operation(
        "repair of the database",
        with_damaged_database,
        lambda place, _: maintenance.repair_index(place / "index"),
        is_damaged=True,
    ),
    Operation(
        "import",
        exported,
        lambda place, _: maintenance.import_index(place / "exported", place / "index"),
        is_done_once=True,
    ),
)


def require(is_so: bool, otherwise: str) -> None:
    """Raises ViolationError unless something is so."""
    if not is_so:
        raise ViolationError(otherwise)


def look(folder: Path, *, may_be_damaged: bool = False) -> State | None:
    """What is in an index, all of which agrees; None if there is none."""
    try:
        with Index.open(folder) as opened, opened.snapshot() as snapshot:
            opened.check_all()
            return _state(snapshot)
    except IndexNotFoundError:
        return None
    except IndexCorruptError as exc:
        require(may_be_damaged, f"the index is damaged: {exc}")
        return DAMAGED


def _state(snapshot: Snapshot) -> State:
    documents = {ref.path: snapshot.document(ref.path) for ref in snapshot.documents()}
    ids = sorted(chunk_id for chunk_id, _ in snapshot.search_vectors(WordEmbedder().embed_question("a"), EVERYTHING))
    by_word = sorted(chunk_id for chunk_id, _ in snapshot.search_keywords("paragraph", EVERYTHING))
    require(ids == by_word, "vectors and keywords find other chunks")
    chunks = snapshot.chunks(ids)
    require(len(chunks) == len(ids) == 3 * len(documents), "there are chunks too many or too few")
    for chunk_id, chunk in chunks.items():
        document = documents[chunk.document.path]
        require(document is not None and chunk.text == document.text[chunk.start : chunk.end], "a chunk is no slice")
        (vector,) = WordEmbedder().embed_documents([chunk.embedded_text])
        require(np.array_equal(snapshot.vectors.vector_of(chunk_id), vector), f"chunk {chunk_id} has another vector")
    history = tuple((g.number, g.documents, g.chunks, g.added, g.removed, g.tags) for g in snapshot.history())
    last = history[-1][:3]
    require(last == (snapshot.generation, len(documents), len(chunks)), f"the history ends with {last}")
    copies = {file.path: file.ref.path for file in snapshot.known_files() if file.is_copy}
    texts = {path: document.text for path, document in documents.items() if document is not None}
    return State(snapshot.generation, texts, copies, frozenset(c.embedded_text for c in chunks.values()), history)


def embedded_before(folder: Path, texts: frozenset[str]) -> set[str]:
    """Those texts of chunks that an index has vectors of, alive or dead."""
    if not (folder / DATABASE).exists():
        return set()
    store = Store.open_to_read(folder / DATABASE)
    hashes = {found for (found,) in store.connection.execute("SELECT text_hash FROM chunks")}
    store.close()
    return {text for text in texts if text_hash(text) in hashes}


def strays(folder: Path, generation: int) -> list[str]:
    """What lies in an index folder and should not, when nobody writes: drafts, vectors nobody needs."""
    files = vectors_generations(folder)
    before = max((number for number in files.values() if number < generation), default=generation)
    wanted = {DATABASE, INTEGRITY, LOCK, QUARANTINE, vectors_name(generation), vectors_name(before)}
    aside = {file.name for file in (folder / QUARANTINE).glob("*")} - {f"1-{DATABASE}"}
    return sorted(({file.name for file in folder.iterdir()} - wanted) | aside)


@contextlib.contextmanager
def commits_of(folder: Path) -> Iterator[list[State]]:
    """The states of an index after each commit in a block."""
    states: list[State] = []
    switch = Session.switch

    def switch_and_look(session: Session, generation: int, spec: object) -> None:
        switch(session, generation, spec)  # type: ignore[arg-type]
        state = look(folder)
        assert state is not None
        states.append(state)

    with patch.object(Session, "switch", switch_and_look):
        yield states


@dataclass
class Child:
    """A process that waits, and what it says at its end."""

    pid: int
    _channel: socket.socket
    _heard: dict[str, str] = field(default_factory=dict)

    def go(self) -> None:
        """Lets it begin."""
        self._channel.sendall(b"!")

    def end(self) -> tuple[int, dict[str, str]]:
        """Waits for its end: its status, and the error it ended with by `kind` and `message`; empty if there was none.

        What is said goes through a socket, since no call that writes to one is disturbed.
        """
        said = b""
        with contextlib.suppress(ConnectionResetError):  # it was killed before it had begun
            while part := self._channel.recv(65536):
                said += part
        _, status = os.waitpid(self.pid, 0)
        self._channel.close()
        return os.waitstatus_to_exitcode(status), json.loads(said or b"{}")


def start(action: Callable[[], object]) -> Child:
    """A copy of this process that does something once it is told to; everything that it needs is imported already."""
    ours, its = socket.socketpair()
    pid = os.fork()
    if pid:
        its.close()
        return Child(pid, ours)
    code = 1
    try:
        ours.close()
        if its.recv(1):
            its.sendall(json.dumps(_outcome(action)).encode())
            code = 0
    finally:
        os._exit(code)


def _outcome(action: Callable[[], object]) -> dict[str, str]:
    try:
        action()
    except RagkitError as exc:
        return {"kind": type(exc).__name__, "message": str(exc)}
    except BaseException as exc:  # noqa: BLE001 - whatever it is, it is to be reported, and no copy must go on
        return {"kind": type(exc).__name__, "message": "".join(traceback.format_exception(exc)[-3:])}
    return {}


def run(*actions: Callable[[], object]) -> tuple[int, dict[str, str]]:
    """Does something in a child process, one thing after the other; gives what `Child.end` gives."""
    child = start(lambda: [action() for action in actions])
    child.go()
    return child.end()


def become_nobody() -> None:
    """Makes this process one of a user to whom nothing belongs."""
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


@contextlib.contextmanager
def small_disk(place: Path) -> Iterator[bool]:
    """A disk of a few MB, if this user may mount one."""
    place.mkdir()
    has_disk = _mount("-t", "tmpfs", "-o", "size=8m", "none", str(place))
    try:
        yield has_disk
    finally:
        if has_disk:
            subprocess.run(["umount", str(place)], check=True)
        shutil.rmtree(place)


@contextlib.contextmanager
def read_only(place: Path) -> Iterator[None]:
    """A folder that cannot be written to: mounted so, or else by its mode."""
    is_mounted = _mount("--bind", str(place), str(place))
    try:
        if is_mounted:
            subprocess.run(["mount", "-o", "remount,ro,bind", str(place)], check=True)
        else:
            _set_modes(place, 0o555)
        yield
    finally:
        if is_mounted:
            subprocess.run(["umount", str(place)], check=True)
        else:
            _set_modes(place, 0o755)


def _set_modes(place: Path, mode: int) -> None:
    for folder in (place, *(found for found in place.rglob("*") if found.is_dir())):
        folder.chmod(mode)


def _mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0
