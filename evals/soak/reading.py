"""The processes of the soak test beside its writer: readers, each with several threads, and a second writer.

A reader takes a generation, or part of one, and holds it against what the writer noted before it committed that
generation. What does not agree is a violation; so is every exception but the one that says that a collection is not
there, where it is not.
"""

import ctypes
import gc
import os
import random
import threading
import time
import traceback
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import ragkit
from evals.crash_child import ViolationError, require
from evals.soak.checking import (
    EMBEDDER,
    HITS,
    Part,
    check_everything,
    check_history,
    check_hits,
    check_part,
    check_search,
    search,
    vector_of,
)
from evals.soak.model import SYLLABLES, Model, Written, load_model, paragraphs_of
from ragkit.errors import IndexLockedError
from ragkit.index.index import Index
from ragkit.index.snapshot import Snapshot
from ragkit.index.writer import IndexWriter
from ragkit.kit import Kit

STOP, MEASURE, WARM, QUIET, HELD, ELSEWHERE, WRITING, OPENING = range(8)
"""What goes on: the end, everyone waits and is measured, not counted yet, and the four in which searches are timed.

The last is no phase: it stands for searches that were the first of a process in a new generation while it was written.
"""

MOST_VIOLATIONS = 20
"""Of one process; where one thing is wrong, it soon is everywhere."""

LATE_S = 10.0
"""So much later than it was told to give up, at most, the second writer has given up, on a busy machine."""


@dataclass
class Shared:
    """What all processes see.

    Attributes:
        phase: What goes on.
        committed: The last generation of which it is known that it was committed.
        said: What the processes tell: measurements, and a report at the end.
    """

    phase: ctypes.c_int
    committed: ctypes.c_int
    said: "Queue[Any]"


@dataclass
class Report:
    """What one process saw.

    Attributes:
        counts: How often each thing was done, and how it came out.
        searches: Seconds of each search, by what went on when it began; under `OPENING` some of them once more.
        generations: Those that were seen.
    """

    violations: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    searches: dict[int, "array[float]"] = field(default_factory=dict)
    generations: set[int] = field(default_factory=set)

    def note(self, what: str, exc: Exception) -> None:
        """Takes down what went wrong."""
        if len(self.violations) < MOST_VIOLATIONS:
            self.violations.append(told(what, exc))


def told(what: str, exc: Exception) -> str:
    """What went wrong, with where it did unless it was looked for."""
    where = "" if isinstance(exc, ViolationError) else "".join(traceback.format_exception(exc)[-3:])
    return f"{what}: {exc!r} {where}".strip()


@dataclass(frozen=True)
class Measured:
    """What this process has taken of the machine."""

    name: str
    memory_mb: float
    open_files: int

    @classmethod
    def now(cls, name: str) -> "Measured":
        """After everything that nobody needs was let go of, and given back by glibc, which else keeps some of it."""
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
        return cls(name, int(line.split()[1]) / 1024, len(os.listdir("/proc/self/fd")))  # noqa: PTH208 - counts itself


class Readers:
    """One process that reads; its threads share one open index."""

    def __init__(self, place: Path, name: str, seed: str, shared: Shared):
        self.report = Report()
        self._place, self._name, self._seed, self._shared = place, name, seed, shared
        self._kit = ragkit.open(place / "index", embedder=EMBEDDER)
        self._questions: dict[str, tuple[int, Callable[[random.Random], None]]] = {
            "search": (12, self._search),
            "read everything": (1, self._read_everything),
            "paragraphs": (3, self._paragraphs),
            "part of the documents": (3, self._part),
            "history": (1, self._history),
            "hits by `Kit.search`": (2, self._hits),
            "open anew": (1, self._open_anew),
        }

    def run(self, threads: int, pause_s: float) -> Report:
        """Reads in so many threads until it is told to stop, and is measured when it is told to."""
        self._parked = threading.Barrier(threads + 1)
        running = [threading.Thread(target=self._go_on, args=(n, pause_s), daemon=True) for n in range(threads)]
        for thread in running:
            thread.start()
        while (phase := self._shared.phase.value) != STOP:
            if phase == MEASURE:
                self._parked.wait(60)
                self._shared.said.put(Measured.now(self._name))
                self._wait_while(MEASURE)
            time.sleep(0.01)
        for thread in running:
            thread.join(60)
            require(not thread.is_alive(), "a thread hangs")
        self._kit.close()
        return self.report

    def _wait_while(self, phase: int) -> None:
        while self._shared.phase.value == phase:
            time.sleep(0.01)

    def _go_on(self, thread: int, pause_s: float) -> None:
        chance = random.Random(f"{self._seed} {thread}")
        while (phase := self._shared.phase.value) != STOP:
            if phase == MEASURE:
                self._ask("search", chance)  # so that the newest generation is open, and no other
                self._parked.wait(60)
                self._wait_while(MEASURE)
            (what,) = chance.choices(list(self._questions), [weight for weight, _ in self._questions.values()])
            self._ask(what, chance)
            time.sleep(chance.uniform(0, 2 * pause_s))

    def _ask(self, what: str, chance: random.Random) -> None:
        try:
            self._questions[what][1](chance)
        except Exception as exc:  # noqa: BLE001 - whatever it is, it is to be reported
            self.report.note(what, exc)
        self.report.counts[what] += 1

    def _model(self, snapshot: Snapshot, committed: int) -> Model:
        """What the generation holds that a reader got, which must be no older than one that was committed before."""
        require(snapshot.generation >= committed, f"{snapshot.generation} was shown after {committed} was committed")
        self.report.generations.add(snapshot.generation)
        return load_model(self._place, snapshot.generation)

    def _known(self, chance: random.Random) -> Written:
        """Some document of a generation that was committed lately, which may be gone by now."""
        generation = max(1, self._shared.committed.value - chance.choice((0, 0, 0, 1, 5)))
        return chance.choice(list(load_model(self._place, generation).values()))

    def _search(self, chance: random.Random) -> None:
        phase, committed, wanted = self._shared.phase.value, self._shared.committed.value, self._known(chance)
        text = chance.choice(paragraphs_of(wanted.number, wanted.turn))
        vector = vector_of(text)
        started = time.perf_counter()
        with self._kit.index.snapshot() as snapshot:
            found = search(snapshot, vector, wanted.key)
            self._time(phase, snapshot.generation, time.perf_counter() - started)
            check_search(self._model(snapshot, committed), wanted, text, found)

    def _time(self, phase: int, generation: int, seconds: float) -> None:
        self.report.searches.setdefault(phase, array("d")).append(seconds)
        if phase == WRITING and generation not in self.report.generations:
            self.report.searches.setdefault(OPENING, array("d")).append(seconds)

    def _read_everything(self, _: random.Random) -> None:
        committed = self._shared.committed.value
        with self._kit.index.snapshot() as snapshot:
            check_everything(snapshot, self._model(snapshot, committed))

    def _paragraphs(self, chance: random.Random) -> None:
        committed = self._shared.committed.value
        paths = sorted(load_model(self._place, max(1, committed - chance.randint(0, 8))))
        with self._kit.index.snapshot() as snapshot:
            model = self._model(snapshot, committed)
            for path in chance.sample(paths, 5):
                written = model.get(path)
                wanted = paragraphs_of(written.number, written.turn) if written else ()
                require(tuple(one.text for one in snapshot.paragraphs(path)) == wanted, f"other paragraphs in {path}")

    def _part(self, chance: random.Random) -> None:
        committed = self._shared.committed.value
        with self._kit.index.snapshot() as snapshot:
            check_part(snapshot, self._model(snapshot, committed), Part.some(chance))

    def _history(self, chance: random.Random) -> None:
        committed = self._shared.committed.value
        with self._kit.index.snapshot() as snapshot:
            self._model(snapshot, committed)
            check_history(self._place, snapshot, chance.choice(("board", "staff")))

    def _hits(self, chance: random.Random) -> None:
        """Asks as a caller does, who is not told of which generation the hits are."""
        wanted, label = self._known(chance), chance.choice((None, "board", "press"))
        kit = Kit(self._kit.index, self._kit.settings, embedder=EMBEDDER, labels=None if label is None else [label])
        first = kit.index.generation
        hits = kit.search(f"{wanted.key} {' '.join(chance.choices(SYLLABLES, k=3))}", k=HITS)
        check_hits(self._place, range(first, kit.index.generation + 1), hits, label)

    def _open_anew(self, chance: random.Random) -> None:
        committed, wanted = self._shared.committed.value, self._known(chance)
        text = paragraphs_of(wanted.number, wanted.turn)[0]
        with Index.open(self._place / "index") as index, index.snapshot() as snapshot:
            found = search(snapshot, vector_of(text), wanted.key)
            check_search(self._model(snapshot, committed), wanted, text, found)


def read(place: Path, name: str, seed: str, shared: Shared, threads: int, pause_s: float) -> None:
    """What a process does that reads."""
    readers = Readers(place, name, seed, shared)
    shared.said.put(name)
    try:
        readers.run(threads, pause_s)
    except (ViolationError, threading.BrokenBarrierError) as exc:
        readers.report.note(name, exc)
    shared.said.put(readers.report)


def write_too(place: Path, seed: str, shared: Shared) -> None:
    """What the process does that is a second writer: now and then it tries to tag the present generation."""
    report, chance = Report(), random.Random(seed)
    while (phase := shared.phase.value) != STOP:
        if phase in (WARM, HELD, WRITING):
            _try_to_tag(place, chance.choice((0.0, 0.3, 10.0)), report)
        time.sleep(chance.uniform(0.2, 1.5))
    shared.said.put(report)


def _try_to_tag(place: Path, timeout_s: float, report: Report) -> None:
    started = time.perf_counter()
    try:
        with IndexWriter.open(place / "index", None, timeout_s=timeout_s) as writer:
            writer.tag(f"second-{writer.generation}")
            writer.commit()
            report.counts["waited its turn"] += 1
    except IndexLockedError as exc:
        waited = time.perf_counter() - started
        if not ("Another process is writing" in str(exc) and timeout_s <= waited < timeout_s + LATE_S):
            report.note("second writer", ViolationError(f"gave up after {waited:.1f} of {timeout_s} s: {exc}"))
        report.counts["was told that another writes"] += 1
    except Exception as exc:  # noqa: BLE001 - whatever it is, it is to be reported
        report.note("second writer", exc)
