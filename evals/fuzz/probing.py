"""A file that something is wrong with enters, the smallest one that the same is wrong with leaves.

Files are tried in a process of their own, which is started anew when one has ended it. Called by `campaign`.
"""

import json
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType

from evals.fuzz.child import Job, command
from evals.fuzz.splitting import Part, Whole, changed, split
from evals.fuzz.trying import SLOW_S, Problem
from ragkit.readers.isolation.wire import Message, receive, send

MAX_TRIES = 600
"""Files tried to make one smaller."""

MAX_SECONDS = 120.0
"""By the clock, likewise."""

LONGEST_S = 50.0
"""So long a slow file may take when it is tried for how long it takes."""

_ROOT = Path(__file__).parents[2]
_FRAME = re.compile(r'File "[^"]*/ragkit/[^"]*?(\w+\.py)", line (\d+) in (\w+)')


class Prober:
    """Says of files what is wrong with them; to be used as a context manager."""

    def __init__(self) -> None:
        self._scratch = tempfile.TemporaryDirectory()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Prober":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()
        self._scratch.cleanup()

    def problems(self, name: str, data: bytes, limit_s: float = SLOW_S) -> tuple[list[Problem], float]:
        """What is wrong with a file, and how many seconds of processor time its reader took."""
        process = self._running()
        try:
            head = json.dumps({"name": name, "limit_s": limit_s}).encode()
            send(process.stdin, Message(head, data))  # type: ignore[arg-type]
            said = json.loads(receive(process.stdout).head)  # type: ignore[arg-type]
        except (EOFError, OSError):
            status = process.wait()
            self._process = None
            return [crash(status, Path(self._scratch.name))], 0.0
        return [Problem(**problem) for problem in said["problems"]], said["seconds"]

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            job = Job("probe", self._scratch.name)
            self._process = subprocess.Popen(
                command(job), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=_ROOT
            )
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process.wait()
            self._process = None


def crash(status: int, scratch: Path) -> Problem:
    """What ended a process that left its log in a folder."""
    log = scratch / "crash.txt"
    frame = _FRAME.search(log.read_text()) if log.exists() else None
    what = signal.Signals(-status).name if status < 0 else f"exit status {status}"
    return Problem("crash", what, f"{frame[1]}:{frame[2]} {frame[3]}" if frame else "")


def is_same(one: Problem, other: Problem) -> bool:
    """Whether two problems are one; time and memory run out anywhere in the same work."""
    return one == other if one.kind in ("exception", "output") else one.kind == other.kind


@dataclass(slots=True)
class _Room:
    """What is left for making one file smaller."""

    holds: Callable[[bytes], bool]
    tries: int = MAX_TRIES
    end: float = 0.0

    @property
    def is_left(self) -> bool:
        return self.tries > 0 and time.monotonic() < self.end

    def allows(self, data: bytes) -> bool:
        """Whether the problem is still there."""
        self.tries -= 1
        return self.holds(data)


def minimised(prober: Prober, name: str, data: bytes, problem: Problem) -> bytes:
    """The file without whatever is not needed for the problem."""

    def holds(smaller: bytes) -> bool:
        return any(is_same(one, problem) for one in prober.problems(name, smaller)[0])

    room = _Room(holds, end=time.monotonic() + MAX_SECONDS)
    return _smaller(name, data, room, room.allows, 4)


def _smaller(name: str, data: bytes, room: _Room, holds: Callable[[bytes], bool], depth: int) -> bytes:
    whole = split(name, data) if depth else None
    if whole is None or not holds(whole.join(whole.parts)):
        return _without_chunks(data, room, holds)
    parts = whole.parts
    for part in parts:
        fewer = tuple(one for one in parts if one is not part)
        if fewer and room.is_left and holds(whole.join(fewer)):
            parts = fewer
    for at, part in enumerate(parts):
        inner = _smaller(part.name, part.data, room, partial(_holds_with, holds, whole, parts, at), depth - 1)
        parts = changed(parts, at, inner)
    return whole.join(parts)


def _holds_with(holds: Callable[[bytes], bool], whole: Whole, parts: tuple[Part, ...], at: int, data: bytes) -> bool:
    """Whether the problem of the whole is still there with other bytes in one of the parts."""
    return holds(whole.join(changed(parts, at, data)))


def _without_chunks(data: bytes, room: _Room, holds: Callable[[bytes], bool]) -> bytes:
    """The bytes without the stretches that are not needed, first long ones, then short ones."""
    size = max(1, len(data) // 2)
    while size and room.is_left:
        at = 0
        while at < len(data) and room.is_left:
            shorter = data[:at] + data[at + size :]
            if holds(shorter):
                data = shorter
            else:
                at += size
        size //= 2
    return data
