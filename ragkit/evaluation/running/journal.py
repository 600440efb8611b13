"""The rows of a run on the disk as they come, so that a run that was killed goes on where it was.

A text file of one JSON object a line: first what the run is made of, then the rows. It is only ever added to, and each
row is on the disk before the next question is asked. Written by `run`; whoever saves the result may then delete it.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from ragkit.durable import write_atomically
from ragkit.errors import InputError, StorageError
from ragkit.evaluation.results import Row

FORMAT = 1
SUFFIX = ".journal.jsonl"

_HASHED = {"suite_hash": "questions or documents", "code": "code of ragkit", "index": "index", "models": "models"}
"""What is told apart by hashes, which say nothing to a reader, and what it is called."""

_BEGIN_ANEW = "or leave out --resume to begin anew"


class Journal:
    """A journal open for adding rows.

    Attributes:
        rows: Those it held when it was opened, by question id.
    """

    def __init__(self, file: Path, descriptor: int, rows: Mapping[str, Row]):
        self.file = file
        self.rows = rows
        self._descriptor = descriptor

    @classmethod
    @contextmanager
    def open(cls, file: Path, made_of: Mapping[str, Any], *, resume: bool) -> Iterator[Self]:
        """The journal in a file, to the end of the block.

        Args:
            file: Where it is; see `journal_beside`.
            made_of: All that the rows depend on, as JSON: suite, settings and so on.
            resume: Go on with the file if it is there; else it is begun anew.

        Raises:
            InputError: The file is of another run, or no journal.
            StorageError: It cannot be read or written.
        """
        header = json.loads(json.dumps({"format": FORMAT, **made_of}, default=str))
        with _disk(file):
            goes_on = resume and file.exists()
            rows = _take_up(file, header) if goes_on else {}
            if not goes_on:
                write_atomically(file, _line(header))
            descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))
        try:
            yield cls(file, descriptor, rows)
        finally:
            os.close(descriptor)

    def add(self, row: Row) -> None:
        """Adds a row and returns when it is on the disk.

        Raises:
            StorageError: The disk refuses.
        """
        rest = _line(asdict(row))
        with _disk(self.file):
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            os.fsync(self._descriptor)


def journal_beside(result: Path) -> Path:
    """Where the journal of the run lies whose result goes to this file."""
    return result.with_name(result.stem + SUFFIX)


def _take_up(file: Path, header: Mapping[str, Any]) -> dict[str, Row]:
    """The rows of a journal that was begun for this run; a last line that was not finished is cut off."""
    content = file.read_bytes()
    *lines, torn = content.split(b"\n")
    if len(lines) > 1 and _parse(lines[-1]) is None:  # a power cut may leave a line of zeros
        torn = lines.pop() + b"\n" + torn
    _check_header(file, _parse(lines[0]) if lines else None, header)
    rows = {}
    for number, line in enumerate(lines[1:], start=2):
        try:
            stored = _parse(line) or {}
            row = Row(**{**stored, "tags": tuple(stored["tags"])})
        except (KeyError, TypeError) as error:
            raise InputError(
                f"{file}, line {number} is not a row of a run. Restore the file, {_BEGIN_ANEW}."
            ) from error
        rows[row.id] = row
    if torn:
        os.truncate(file, len(content) - len(torn))
    return rows


def _check_header(file: Path, begun: Mapping[str, Any] | None, header: Mapping[str, Any]) -> None:
    """Raises InputError that names the first thing in which the two runs differ."""
    if not begun or begun.get("format") != header["format"]:
        raise InputError(f"{file} is not a journal that this version of ragkit can go on with. Move it, {_BEGIN_ANEW}.")
    for name, before, now in _differences(begun, header):
        changed = f"{_HASHED[name]} changed" if name in _HASHED else f"{name} was {_short(before)}, now {_short(now)}"
        raise InputError(f"{file} is of another run: {changed}. Ask as when it was begun, {_BEGIN_ANEW}.")


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """What differs, by the name under which it is found."""
    for name in dict.fromkeys([*now, *before]):
        old, new = before.get(name), now.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from ((f"{name}.{inner}", one, other) for inner, one, other in _differences(old, new))
        elif old != new:
            yield name, old, new


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _parse(line: bytes) -> dict[str, Any] | None:
    """The object of a line; None if it holds none."""
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, default=str).encode() + b"\n"


@contextmanager
def _disk(file: Path) -> Iterator[None]:
    """Translates what the disk says."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"The journal {file} cannot be used: {error.strerror or error}. Make room, or give another --out."
        ) from error
