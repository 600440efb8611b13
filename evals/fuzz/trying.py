"""A file enters its reader, what is wrong with what the reader does leaves as `Problem`.

The functions of the table of formats are called rather than `extract`, which would hide whose exception it was. Called
by `child` and by the tests.
"""

import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Literal

import ragkit.readers
from evals.fuzz.rules import broken_rules
from ragkit.errors import DocumentError
from ragkit.readers import is_supported
from ragkit.readers.extraction import Extracted, Source
from ragkit.readers.formats import format_of

SLOW_S = 2.0
"""Of processor time, for a file of less than `SMALL_BYTES`."""

SMALL_BYTES = 64 * 1024

RECURSION_FRAMES = 60
"""Whose recursion it was is told by most of so many frames, the innermost."""

_RAGKIT = str(Path(ragkit.readers.__file__).parents[1])

Kind = Literal["exception", "output", "slow", "memory", "crash"]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong.

    Attributes:
        kind: Of it.
        what: The type of the exception, or the rule that is broken.
        where: The line of ragkit in which it happened, as far as there is one.
    """

    kind: Kind
    what: str
    where: str


@dataclass(slots=True)
class Trial:
    """What came of one file.

    Attributes:
        problems: Empty if all is well.
        foreign: How many exceptions of libraries there were, by type and by the line of ragkit that called; they are
            translated by whoever calls the readers.
        extracted: None if the file was refused.
        seconds: Of processor time.
    """

    problems: list[Problem] = field(default_factory=list)
    foreign: Counter[tuple[str, str]] = field(default_factory=Counter)
    extracted: Extracted | None = None
    seconds: float = 0.0


class TooSlowError(BaseException):
    """Raised in the middle of whatever a reader does; no reader catches it."""


def try_reader(name: str, data: bytes, limit_s: float | None = None) -> Trial:
    """What the reader for a name does with some bytes.

    Args:
        name: Says the format.
        data: Of the file.
        limit_s: The reader is stopped after so many seconds of processor time; None to let it finish.
    """
    trial = Trial()
    source = Source(name, data, lambda inner: _read(inner, trial), is_readable=is_supported)
    start = time.process_time()
    try:
        with _stopped_after(limit_s):
            trial.extracted = _read(source, trial)
    except DocumentError as exc:
        if not str(exc).isprintable() or len(str(exc)) < len(name):
            trial.problems.append(Problem("output", "error message is not one printable line", ""))
    except MemoryError as exc:
        trial.problems.append(Problem("memory", "MemoryError", _blame(exc)[0]))
    except TooSlowError as exc:
        trial.problems.append(Problem("slow", "stopped", _blame(exc, in_lines=False)[0]))
    trial.seconds = time.process_time() - start
    if trial.seconds > (limit_s or SLOW_S) and len(data) < SMALL_BYTES and not trial.problems:
        trial.problems.append(Problem("slow", "finished", ""))
    found = format_of(name)
    if trial.extracted is not None and found is not None:
        rules = dict.fromkeys(broken_rules(trial.extracted, found.name))
        trial.problems += [Problem("output", rule, found.name) for rule in rules]
    return trial


def _read(source: Source, trial: Trial) -> Extracted:
    """What `ragkit.readers` does, but exceptions that it would translate are noted."""
    found = format_of(source.name)
    if found is None:
        raise DocumentError(f"{source.name} cannot be read: it is of another kind.")
    try:
        return found.read(source)
    except (DocumentError, MemoryError):
        raise
    except Exception as exc:
        where, is_ours = _blame(exc)
        if is_ours:
            trial.problems.append(Problem("exception", type(exc).__name__, where))
        else:
            trial.foreign[type(exc).__name__, where] += 1
        raise DocumentError(f"{source.name} cannot be read: its {found.name} reader failed.") from exc


def _blame(exc: BaseException, *, in_lines: bool = True) -> tuple[str, bool]:
    """The innermost line (or only its function) of ragkit that led to an exception, and whether it was ragkit's own."""
    frames = [(frame.f_code.co_filename, frame.f_code.co_name, line) for frame, line in _walk(exc.__traceback__)]
    ours = [frame for frame in frames if frame[0].startswith(_RAGKIT)]
    if not ours:
        return "", False
    if isinstance(exc, RecursionError):
        innermost = frames[-RECURSION_FRAMES:]
        is_ours = sum(frame[0].startswith(_RAGKIT) for frame in innermost) > len(innermost) / 2
    else:
        is_ours = frames[-1] == ours[-1]
    file, function, line = ours[-1]
    return f"{Path(file).name}{f':{line}' if in_lines else ''} {function}", is_ours


def _walk(tb: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    own = __file__
    return (pair for pair in traceback.walk_tb(tb) if pair[0].f_code.co_filename != own)


@contextmanager
def _stopped_after(limit_s: float | None) -> Iterator[None]:
    """Raises `TooSlowError` inside when the processor has worked so long for this process."""
    if limit_s is None or sys.platform == "win32":
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _stop(number: int, frame: FrameType | None) -> None:
    raise TooSlowError(number, frame)
