"""Answers that were given before, so that an evaluation asks only what could come out differently.

`run` looks here before it asks. What is kept is found again only by the very same words, which `run` makes of the
index, the settings, the code and the question. A cache that cannot be read or written only costs time, so none of its
troubles is an error.
"""

import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any, Self

from ragkit.index.folder import recorded_integrity
from ragkit.index.index import Index
from ragkit.models.weights import file_sha256
from ragkit.records import Answer, Citation, DocumentRef, Paragraph, Seconds, Sentence

MOST_ENTRIES = 100_000
"""Beyond so many entries the oldest go: an answer takes about 4 kB, a verdict on one sentence about 100 bytes."""

_PACKAGE = Path(__file__).parents[2]
_LOADED_NS = time.time_ns()
_SCHEMA = """
CREATE TABLE IF NOT EXISTS kept (id INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL UNIQUE, content TEXT NOT NULL)
"""


class AnswerCache:
    """What was kept under which words, in one SQLite file; safe to use from several threads and processes."""

    def __init__(self, connection: sqlite3.Connection | None, *, is_fresh: bool, most: int):
        self._connection = connection
        self._is_fresh = is_fresh
        self._most = most
        self._lock = threading.Lock()

    @classmethod
    def open(cls, file: Path, *, is_fresh: bool = False, most: int = MOST_ENTRIES) -> Self:
        """The cache in a file, which is made if it is not there, and made anew if it is damaged.

        Args:
            file: Its folder is made, too.
            is_fresh: Find nothing, but keep what is found out from now on.
            most: So many entries at the most.
        """
        connection = _connect(file)
        if connection is None and file.exists():
            try:
                file.unlink()
            except OSError:
                return cls(None, is_fresh=is_fresh, most=most)
            connection = _connect(file)
        return cls(connection, is_fresh=is_fresh, most=most)

    def find(self, *words: str) -> Any | None:
        """What was kept under these words; None if nothing was."""
        if self._connection is None or self._is_fresh:
            return None
        try:
            with self._lock:
                row = self._connection.execute("SELECT content FROM kept WHERE key = ?", (_key(words),)).fetchone()
        except sqlite3.Error:
            return None
        return json.loads(row[0]) if row else None

    def keep(self, content: Any, *words: str) -> None:
        """Keeps anything that JSON can hold under these words, in place of what was there."""
        if self._connection is None:
            return
        try:
            with self._lock, self._connection as transaction:
                transaction.execute(
                    "INSERT OR REPLACE INTO kept (key, content) VALUES (?, ?)", (_key(words), json.dumps(content))
                )
                transaction.execute("DELETE FROM kept WHERE id <= (SELECT max(id) FROM kept) - ?", (self._most,))
        except sqlite3.Error:
            return

    def remembering(self, judge: Callable[[str, str], bool], *words: str) -> Callable[[str, str], bool]:
        """The judge, who is asked for a verdict on a sentence and a source only once under these words."""

        def judged(sentence: str, source: str) -> bool:
            known = self.find(*words, sentence, source)
            if known is None:
                known = judge(sentence, source)
                self.keep(bool(known), *words, sentence, source)
            return bool(known)

        return judged

    def close(self) -> None:
        """Lets go of the file."""
        if self._connection is not None:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _connect(file: Path) -> sqlite3.Connection | None:
    """The database, ready for use; None if it cannot be used."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(file, check_same_thread=False)
    except (OSError, sqlite3.Error):
        return None
    try:
        with connection:
            connection.execute(_SCHEMA)
            connection.execute("SELECT key, content FROM kept LIMIT 1").fetchone()
    except sqlite3.Error:
        connection.close()
        return None
    return connection


def _key(words: tuple[str, ...]) -> bytes:
    return hashlib.sha256(json.dumps(words).encode()).digest()


def pack_answer(answer: Answer) -> dict[str, Any]:
    """The answer as JSON from which `unpack_answer` makes it again, but for the paragraphs that came near."""
    return asdict(replace(answer, nearest=()))


def unpack_answer(stored: Mapping[str, Any]) -> Answer:
    """The answer that was packed."""
    parts = {
        "sentences": tuple(Sentence(**{**s, "citations": tuple(s["citations"])}) for s in stored["sentences"]),
        "citations": tuple(Citation(**{**c, "paragraph": _paragraph(c["paragraph"])}) for c in stored["citations"]),
        "seconds": Seconds(**stored["seconds"]),
        "nearest": (),
        "unresolved_labels": tuple(stored["unresolved_labels"]),
    }
    return Answer(**{**stored, **parts})


def _paragraph(stored: Mapping[str, Any]) -> Paragraph:
    parts = {"document": DocumentRef(**stored["document"]), "headings": tuple(stored["headings"])}
    return Paragraph(**{**stored, **parts})


def identify_index(index: Index) -> str:
    """What tells the present state of an index from every other, whatever folder it lies in."""
    with index.snapshot() as snapshot:
        documents = [[ref.path, ref.id] for ref in snapshot.documents()]
        made_with, generation = snapshot.spec.to_meta(), snapshot.generation
    database = recorded_integrity(index.folder).hashes[-1:]
    return hash_json([generation, database, made_with, documents])


def identify_models(settings: Mapping[str, Any]) -> list[list[Any]]:
    """Path, size and time of every file of the models that settings name by a path on this machine."""
    named = (settings.get(name) for name in ("embedder", "model", "reranker", "verifier"))
    places = [Path(place) for place in named if isinstance(place, str) and Path(place).exists()]
    files = sorted(f for p in places for f in ([p] if p.is_file() else p.rglob("*")) if f.is_file())
    return [[str(file), file.stat().st_size, file.stat().st_mtime_ns] for file in files]


@cache
def hash_code(*left_out: str) -> str:
    """A hash of the code that runs, weights and all, but for some folders of it: other code may answer otherwise."""
    return hash_folder(_PACKAGE, left_out, _LOADED_NS)


def hash_folder(folder: Path, left_out: Sequence[str], loaded_ns: int) -> str:
    """A hash of the code and weights in a folder.

    Args:
        folder: Whose `.py`, `.json` and `.safetensors` files count, also those further down.
        left_out: Names of folders in it that do not count.
        loaded_ns: When the code was loaded. What a file that is newer held then nobody knows, so its hash is like no
            other.
    """
    digest = hashlib.sha256()
    for file in sorted(f for f in folder.rglob("*") if f.suffix in {".py", ".json", ".safetensors"}):
        path = file.relative_to(folder)
        if path.parts[0] not in left_out:
            content = str(loaded_ns) if file.stat().st_mtime_ns > loaded_ns else _file_hash(file)
            digest.update(f"{path.as_posix()} {content}\n".encode())
    return digest.hexdigest()


def _file_hash(file: Path) -> str:
    """Of weights, which are large, it is remembered."""
    return file_sha256(file) if file.suffix == ".safetensors" else hashlib.sha256(file.read_bytes()).hexdigest()


def hash_json(value: Any) -> str:
    """A hash of anything that JSON can hold; the order of keys does not matter."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
