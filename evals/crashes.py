"""Does an index survive that its writer is killed, and that the disk fails? Prints two Markdown tables.

    python -m evals.crashes --kills 300 --seed 1 --out crashes.json

Each operation of `evals.crash_child` is run once undisturbed under strace, which lists every call that writes to the
index folder or changes what is in it. Then a copy of the process is killed as it enters one of these calls, one after
the other or evenly spread if there are more than a budget, and at random times. Each time the index must be as it was
before, or as a commit left it, and all in it must agree; a generation that it lists is gone back to; then the same
operation must come to the same end, leave nothing lying about, and embed nothing that was committed.

The same after calls that fail (EIO and ENOSPC, once or from then on; EIO also where the index is read), on a disk that
is really full, in a folder that is read-only and as a user who may not write. Needs Linux and strace.
"""

import argparse
import json
import math
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

from evals.crash_child import (
    DAMAGED,
    OPERATIONS,
    Operation,
    State,
    WordEmbedder,
    as_if_large,
    become_nobody,
    commits_of,
    embedded_before,
    look,
    read_only,
    require,
    run,
    small_disk,
    start,
    strays,
)
from ragkit import maintenance
from ragkit.errors import InputError
from ragkit.evaluation.report.tables import markdown_table
from ragkit.index.history import Generation

WRITES = frozenset(
    "write writev pwrite64 pwritev pwritev2 ftruncate truncate fallocate fsync fdatasync rename renameat renameat2 "
    "unlink unlinkat mkdir mkdirat rmdir link linkat symlink symlinkat sendfile copy_file_range chmod fchmod".split()
)
"""Calls that change a file or a folder; `openat` is one if it opens for writing."""

READS = frozenset("read pread64 readv preadv newfstatat statx lseek getdents64".split())

RANDOM_SHARE = 1 / 6
"""Of the kills, so many come at random times."""

ERRORS = (("EIO", False), ("ENOSPC", False), ("EIO", True), ("ENOSPC", True))
"""What fails: with which error, and whether it does from then on; in turn."""

READ_SHARE = 1 / 3
"""Of the calls that fail, so many read."""

FREE_KIB = (0, 8, 32, 64, 96, 128, 160, 192, 256, 320, 400, 512)
"""So much is left on a full disk, until it is enough."""

LONGEST = 600
"""Characters of a violation that are printed."""

STILL_ANSWERS = "What it held before still answers"


@dataclass(frozen=True)
class Call:
    """A system call on something in the index folder: the n-th of its name."""

    name: str
    nth: int
    line: str

    @property
    def is_write(self) -> bool:
        """Whether it may change a file or a folder."""
        return self.name in WRITES or (self.name == "openat" and bool(re.search(r"O_WRONLY|O_RDWR|O_CREAT", self.line)))


@dataclass
class Row:
    """What was done to one operation, and what came of it."""

    operation: str
    calls: int = 0
    commits: int = 0
    at_calls: int = 0
    at_random: int = 0
    before: int = 0
    between: int = 0
    after: int = 0
    went_back: int = 0
    failed_writes: int = 0
    failed_reads: int = 0
    full_disks: int = 0
    read_only: int = 0
    reported: int = 0
    harmless: int = 0
    not_reached: int = 0
    violations: list[str] = field(default_factory=list)

    @property
    def broken(self) -> int:
        """Violations found after a kill."""
        return sum(violation.startswith("killed") for violation in self.violations)

    @property
    def spoilt(self) -> int:
        """Those found after something failed."""
        return len(self.violations) - self.broken


class Trial:
    """One operation with its beginning, the states that it may leave and its calls."""

    def __init__(self, operation: Operation, root: Path, chance: random.Random):
        self.operation = operation
        self.row = Row(operation.name)
        self._chance = chance
        self._start, self._place, self._trace = root / "start", root / "place", root / "trace"
        self._start.mkdir(parents=True)
        with commits_of(self._start / "index") as earlier:
            operation.prepare(self._start)
        self._states = [look(self._start / "index", may_be_damaged=operation.is_damaged)]
        self._reset()
        with commits_of(self._folder) as commits:
            operation.act(self._place, WordEmbedder())
        self._states += commits
        self._known = {state.generation: state.documents for state in (*earlier, *commits)}
        self.row.commits = len(commits)
        self.calls = self._traced()
        self.writes = [place for place, call in enumerate(self.calls) if call.is_write]
        self.reads = [place for place, call in enumerate(self.calls) if not call.is_write]
        self.row.calls = len(self.writes)
        self._paths = sorted({path for call in self.calls for path in _paths(call.line, self._folder)})

    @property
    def _folder(self) -> Path:
        return self._place / "index"

    def _reset(self) -> None:
        shutil.rmtree(self._place, ignore_errors=True)
        shutil.copytree(self._start, self._place)

    def _act(self) -> None:
        self.operation.act(self._place, WordEmbedder())

    def _traced(self) -> list[Call]:
        """Every call on the index folder that an undisturbed run makes, in order."""
        self._reset()
        self._run([f"--trace={','.join(sorted({'openat', *WRITES, *READS}))}", "-y"])
        counts: dict[str, int] = {}
        calls: list[Call] = []
        for line in self._trace.read_text(errors="replace").splitlines():
            match = re.match(r"\d+\s+(\w+)\(", line)
            if match and _paths(line, self._folder):
                counts[match[1]] = counts.get(match[1], 0) + 1
                calls.append(Call(match[1], counts[match[1]], line))
        with self._noting("undisturbed"):
            _check_order(calls, self._folder)
        return calls

    def _run(self, strace: Sequence[str]) -> tuple[int, dict[str, str]]:
        """Does the operation in a child under strace."""
        child = start(self._act)
        command = ["strace", "-f", "-o", str(self._trace), "-p", str(child.pid), *strace]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
            assert tracer.stderr is not None
            while "attached" not in (line := tracer.stderr.readline()):
                require(bool(line), "strace cannot trace here")
            child.go()
            return child.end()

    def kill_at(self, place: int) -> None:
        """Kills it as it enters one of its calls."""
        with self._noting(f"killed at call {place}: {self.calls[place].line}"):
            self._reset()
            self.row.at_calls += 1
            status, said = self._run(self._injected([self.calls[place]], "signal=SIGKILL"))
            require(status == -signal.SIGKILL or (status, said) == (0, {}), f"it ended with {status}: {said}")
            self._count(self._check(was_reached=status == -signal.SIGKILL))

    def kill_after(self, share: float) -> None:
        """Kills it after a share of the time that it takes."""
        delay_s = share * self._undisturbed_s
        with self._noting(f"killed after {delay_s:.4f} s"):
            self._reset()
            self.row.at_random += 1
            child = start(self._act)
            child.go()
            time.sleep(delay_s)
            os.kill(child.pid, signal.SIGKILL)
            child.end()
            self._count(self._check())

    @cached_property
    def _undisturbed_s(self) -> float:
        self._reset()
        began = time.monotonic()
        run(self._act)
        return time.monotonic() - began

    def fail(self, place: int, error: str, *, stays: bool) -> None:
        """Lets one of its calls fail, or all from then on that write."""
        call = self.calls[place]
        with self._noting(f"{error} {'from' if stays else 'at'} call {place}: {call.line}"):
            self._reset()
            failing = (stays and self._first_of_each_name(place)) or [call]
            self._judge(self._run(self._injected(failing, f"error={error}", "+" if stays else "")), call)

    def _first_of_each_name(self, place: int) -> list[Call]:
        """The first call of each name, from one on, that would fail on a disk that fails for good; removing works."""
        first: dict[str, Call] = {}
        for call in self.calls[place:]:
            if call.name in WRITES and call.name != "unlink":
                first.setdefault(call.name, call)
        return list(first.values())

    def _injected(self, calls: Sequence[Call], what: str, onward: str = "") -> list[str]:
        names = ",".join(sorted({call.name for call in calls}))
        paths = [part for path in self._paths for part in ("-P", path)]
        each = [part for call in calls for part in ("-e", f"inject={call.name}:{what}:when={call.nth}{onward}")]
        return [f"--trace={names}", *paths, *each]

    def _judge(self, ended: tuple[int, dict[str, str]], call: Call | None = None) -> None:
        """Checks what an operation said that could not write, and what is left."""
        status, said = ended
        require(status == 0, f"the process ended with {status}")
        if said:
            self.row.reported += 1
            is_reading = call is not None and not call.is_write
            require(is_told(said, is_reading=is_reading), f"{said['kind']}: {said['message']}")
        else:
            self.row.harmless += 1
        self._check(has_finished=not said, is_misread=call is not None and not call.is_write)

    def _check(self, *, was_reached: bool = True, has_finished: bool = False, is_misread: bool = False) -> State | None:
        """Looks at what is left, and does the same again; gives what it found.

        A repair that could not read which files are copies may forget it: they are read again when next indexed.
        """
        self.row.not_reached += not was_reached
        found, states = look(self._folder, may_be_damaged=self.operation.is_damaged), self._states
        if is_misread and self.operation.is_damaged and found not in (None, DAMAGED) and not found.copies:
            states = [state and replace(state, copies={}) for state in states]
        require(found in states, f"found is none of the states there may be: {found}")
        end = states[-1]
        assert end is not None
        require((was_reached and not has_finished) or found == end, "it ended well without having done what it should")
        self._go_back(found)
        self._again(found, end)
        return found

    def _count(self, found: State | None) -> None:
        self.row.before += found == self._states[0]
        self.row.after += found == self._states[-1]
        self.row.between += found in self._states[1:-1]

    def _again(self, found: State | None, end: State) -> None:
        """The same operation must complete, embed nothing that was committed and leave nothing lying about."""
        missing = end.chunk_texts - embedded_before(self._folder, end.chunk_texts)
        expected = {"nothing": 0, "new": len(missing), "all": len(end.chunk_texts)}[self.operation.embeds]
        embedder = WordEmbedder()
        is_done = self.operation.is_done_once and found == end
        try:
            self.operation.act(self._place, embedder)
            require(not is_done, "it could be done twice")
        except InputError as exc:
            require(is_done, f"it cannot be done again: {exc}")
            expected = 0
        require(embedder.embedded == expected, f"embedded {embedder.embedded} texts instead of {expected}")
        state = look(self._folder)
        require(state is not None and state.holds == end.holds, "done again it comes to another end")
        assert state is not None
        require(state.tags == end.tags, f"the tags are {state.tags}")
        require(not (left := strays(self._folder, state.generation)), f"left lying about: {left}")
        self._go_back(state, since=-1 if found is None else found.generation)

    def _go_back(self, state: State | None, since: int | None = None) -> None:
        """Goes back, in a copy, to one of the generations that are listed; those made since are the end."""
        if state is None or len(state.history) < 2:
            return
        number, documents, *_ = self._chance.choice(state.history[:-1])
        copy = self._place.with_name("copy")
        shutil.copytree(self._folder, copy)
        maintenance.go_back(copy, number)
        gone_back = look(copy)
        shutil.rmtree(copy)
        assert gone_back is not None
        require(len(gone_back.documents) == documents, f"generation {number} had {documents} documents")
        if since is None or number <= since:
            require(gone_back.documents == self._known[number], f"generation {number} held other documents")
        self.row.went_back += 1

    @contextmanager
    def _noting(self, how: str) -> Iterator[None]:
        """Notes what must not be, instead of ending there."""
        try:
            yield
        except Exception as exc:  # noqa: BLE001 - whatever is raised is what is looked for
            self.row.violations.append(f"{how}: {type(exc).__name__}: {exc}")

    def fill_disk(self, root: Path) -> None:
        """Does it with less and less room missing on a disk that is full, until it succeeds."""
        usual, self._place = self._place, root / "disk" / "place"
        with small_disk(root / "disk") as has_disk:
            for free_kib in FREE_KIB:
                with self._noting(f"{free_kib} KiB left"):
                    self._reset()
                    self.row.full_disks += 1
                    ended = self._with_room(free_kib * 1024, has_disk=has_disk)
                    self._judge(ended)
                    if not ended[1]:
                        break
            shutil.rmtree(self._place)
        self._place = usual

    def _with_room(self, free: int, *, has_disk: bool) -> tuple[int, dict[str, str]]:
        """Does it in a child that has so many bytes left; without a disk of its own, so many for each file."""
        ballast = self._place.parent / "ballast"
        if has_disk:
            state = os.statvfs(self._place)
            ballast.write_bytes(bytes(max(0, state.f_bavail * state.f_frsize - free)))
        try:
            ended = run(self._act if has_disk else partial(_limited, free, self._act))
            look(self._folder, may_be_damaged=self.operation.is_damaged)  # while there is no room
            return ended
        finally:
            ballast.unlink(missing_ok=True)

    def lock_out(self) -> None:
        """Does it where nothing may be written, and looks at the index from there."""
        with self._noting("read-only"):
            self._reset()
            with read_only(self._place):
                self._stand_before()
        if not os.getuid():
            with self._noting("someone else's"):
                self._reset()
                self._stand_before(become_nobody)
            with self._noting("closed"):
                self._reset()
                self._folder.mkdir(exist_ok=True)
                self._folder.chmod(0o700)
                for action in (partial(maintenance.history, self._folder), self._act):
                    self.row.read_only += 1
                    _, said = run(become_nobody, action)
                    require(said.get("kind") == "StorageError", f"{said}")
                    self.row.reported += 1

    def _stand_before(self, *first: Callable[[], object]) -> None:
        """Looks at an index that may be read and not written, and tries to write."""
        self.row.read_only += 1
        status, said = run(*first, self._look_around)
        require((status, said) == (0, {}), f"reading: {status} {said}")
        status, said = run(*first, self._act)
        require(status == 0 and is_told(said), f"{status} {said}")
        self.row.reported += 1

    def _look_around(self) -> None:
        """What can be done without writing to an index."""
        state = look(self._folder, may_be_damaged=self.operation.is_damaged)
        require(state == self._states[0], "another state is found")
        if state is not None and not self.operation.is_damaged:
            kept: list[Generation] = maintenance.history(self._folder)
            require(len(kept) == len(state.history), "another history is found")
            with tempfile.TemporaryDirectory() as elsewhere:
                maintenance.export_index(self._folder, Path(elsewhere) / "exported")


def is_told(said: dict[str, str], *, is_reading: bool = False) -> bool:
    """Whether a failure is told as it should be; to SQLite, what the disk does not give back is damaged."""
    kind, message = said.get("kind"), said.get("message", "")
    if is_reading:
        return kind in {"StorageError", "IndexCorruptError"} or "Export it again" in message
    is_clear = STILL_ANSWERS in message or "are free. Make room" in message
    return kind == "StorageError" and is_clear and "\n" not in message


def _limited(file_bytes: int, action: Callable[[], object]) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (max(1, file_bytes), resource.RLIM_INFINITY))
    action()


def _paths(line: str, folder: Path) -> list[str]:
    """The paths in a line of strace that are the index folder or in it."""
    return re.findall(rf'[<"]({re.escape(str(folder))}(?:/[^<>"]*)?)[>"]', line)


def _check_order(calls: Sequence[Call], folder: Path) -> None:
    """Raises unless whatever is renamed was synced before, and the folder after: else a power cut could undo it."""
    unsynced: set[str] = set()
    for call in calls:
        paths = _paths(call.line, folder)
        if call.name == "fsync":
            unsynced.difference_update(paths)
        elif call.name == "rename":
            parent = str(Path(paths[1]).parent)
            require(unsynced.isdisjoint({paths[0], parent}), f"before this, something was not synced: {call.line}")
            unsynced.add(parent)
        elif call.name in {"write", "pwrite64", "ftruncate", "sendfile"}:
            unsynced.add(paths[0])
    require(str(folder) not in unsynced, "the folder was not synced at the end")


def spread(places: Sequence[int], wanted: int) -> list[int]:
    """At most so many of them, evenly spread."""
    if wanted >= len(places):
        return list(places)
    return [places[number * len(places) // wanted] for number in range(wanted)]


def tried(trial: Trial, root: Path, kills: int, failures: int, chance: random.Random) -> Row:
    """What becomes of one operation that is killed so often, and of which so many calls fail."""
    row = trial.row
    at_calls = spread(trial.writes, kills - round(RANDOM_SHARE * kills))
    for place in at_calls:
        trial.kill_at(place)
    for _ in range(kills - len(at_calls)):
        trial.kill_after(chance.uniform(0, 1.1))
    for number, place in enumerate(spread(trial.writes, failures - round(READ_SHARE * failures))):
        row.failed_writes += 1
        error, stays = ERRORS[number % len(ERRORS)]
        trial.fail(place, error, stays=stays)
    for place in spread(trial.reads, round(READ_SHARE * failures)):
        row.failed_reads += 1
        trial.fail(place, "EIO", stays=False)
    trial.fill_disk(root)
    trial.lock_out()
    return row


KILLED = {
    "operation": "operation",
    "calls that write": "calls",
    "commits": "commits",
    "killed at a call": "at_calls",
    "at a random time": "at_random",
    "found before": "before",
    "in between": "between",
    "after": "after",
    "gone back": "went_back",
    "violations": "broken",
}
DISTURBED = {
    "operation": "operation",
    "writes that fail": "failed_writes",
    "reads that fail": "failed_reads",
    "full disks": "full_disks",
    "read-only": "read_only",
    "reported": "reported",
    "harmless": "harmless",
    "violations": "spoilt",
}


def table(columns: dict[str, str], rows: Sequence[Row]) -> str:
    """Some columns of the rows and their sums as Markdown."""
    cells = [[getattr(row, name) for name in columns.values()] for row in rows]
    totals = ["all", *(sum(column) for column in list(zip(*cells, strict=True))[1:])]
    return markdown_table(tuple(columns), [tuple(map(str, line)) for line in (*cells, totals)])


def main() -> None:
    """Kills and disturbs every operation, and prints what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=300, help="over all operations")
    parser.add_argument("--failures", type=int, help="calls that fail, over all operations; by default as many")
    parser.add_argument("--seed", type=int, default=1, help="of the random times, and of what is gone back to")
    parser.add_argument("--out", type=Path, help="a file for all that was counted")
    given = parser.parse_args()
    import faiss

    faiss.omp_set_num_threads(1)  # a copy of a process has but one of its threads
    began, chance, rows = time.monotonic(), random.Random(given.seed), []
    failures = given.kills if given.failures is None else given.failures
    with tempfile.TemporaryDirectory() as folder, as_if_large():
        root = Path(folder).resolve()
        root.chmod(0o755)
        trials = [Trial(operation, root / str(number), chance) for number, operation in enumerate(OPERATIONS)]
        calls = sum(trial.row.calls for trial in trials)
        for trial in trials:
            share = trial.row.calls / calls
            rows.append(tried(trial, root, math.ceil(share * given.kills), math.ceil(share * failures), chance))
            print(f"{time.monotonic() - began:5.0f} s {trial.row.operation}", file=sys.stderr)
    print(table(KILLED, rows), table(DISTURBED, rows), sep="\n\n")
    if missed := sum(row.not_reached for row in rows):
        print(f"\n{missed} calls were not made again, so nothing was killed at them")
    for row in rows:
        for violation in row.violations:
            print(f"- {row.operation}: {violation[:LONGEST]}")
    if given.out:
        counted = {
            "seed": given.seed,
            "seconds": round(time.monotonic() - began),
            "rows": [asdict(row) for row in rows],
        }
        given.out.write_text(json.dumps(counted, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
