"""Does an index stay right, and quick, for many readers while one writes without pause? Prints Markdown tables.

    python -m evals.soak --minutes 10 --seed 1

Readers, in several processes with several threads each, hold all that they get against what the writer noted in plain
Python before it committed. Their searches are timed by what goes on meanwhile: nothing; a writer that only holds the
lock; the same writing, but to another index, which takes as much of the machine; writing to their index. What they take
of memory and open files is measured after a tenth of the time, half way and at the end. Exits with 1 if anything is not
as it should be. Needs Linux with glibc.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from queue import Empty
from typing import Annotated, Any

import numpy as np
import typer

from evals.crash_child import strays
from evals.soak.reading import (
    ELSEWHERE,
    HELD,
    MEASURE,
    OPENING,
    QUIET,
    STOP,
    WARM,
    WRITING,
    Measured,
    Report,
    Shared,
    read,
    told,
    write_too,
)
from evals.soak.writing import Writer
from ragkit.evaluation.report.tables import markdown_table

WARM_SHARE = 0.1
ROUNDS = 4
SHARES = {ELSEWHERE: 0.1, QUIET: 0.05, HELD: 0.05, WRITING: 0.8}
"""What goes on in a round, in this order, and for how much of its time."""

PHASES = {
    QUIET: "nobody writes",
    HELD: "a writer holds the lock and does nothing",
    ELSEWHERE: "the writer writes to another index",
    WRITING: "the writer writes to this index",
    OPENING: "of these, the first of a process in a new generation",
}

PATIENCE_S = 180.0
"""Whoever says nothing for so long hangs."""

MORE_MB = 16.0
"""Beside the same number of objects in use, which is steady, what the allocator keeps free varies by 9 MB."""

LONGEST_WAIT_S = 1.0
"""While a writer does nothing but hold its lock, a search that takes longer waits for it."""

LONGEST = 600
"""Characters of a violation that are printed."""


@dataclass
class Soak:
    """One run: who takes part, and what came of it.

    Attributes:
        here: Writes to the index that is read.
        elsewhere: Writes to one that nobody reads.
        measured: What every process took of the machine, after the warm-up, half way and at the end.
    """

    shared: Shared
    here: Writer
    elsewhere: Writer
    processes: Sequence[BaseProcess]
    violations: list[str] = field(default_factory=list)
    measured: list[list[Measured]] = field(default_factory=list)

    def run(self, seconds: float) -> list[Report]:
        """Goes through all that is to go on; gives what the readers and the second writer tell at the end."""
        self.listen(len(self.processes) - 1)
        try:
            for phase, phase_s in schedule(seconds):
                self.shared.phase.value = phase
                if phase == MEASURE:
                    measured = self.listen(len(self.processes) - 1)
                    self.measured.append([*sorted(measured, key=lambda one: one.name), Measured.now("the writer")])
                else:
                    self._go_on(phase, time.monotonic() + phase_s)
        except Exception as exc:  # noqa: BLE001 - whatever it is, it is to be reported, and the readers must be told to stop
            self.violations.append(told("the writer", exc))
        self.shared.phase.value = STOP
        reports: list[Report] = self.listen(len(self.processes))
        for process in self.processes:
            process.join(PATIENCE_S)
        return reports

    def listen(self, many: int) -> list[Any]:
        """What so many processes say next."""
        said = []
        try:
            for _ in range(many):
                said.append(self.shared.said.get(timeout=PATIENCE_S))
        except Empty:
            self.violations.append(f"{many - len(said)} processes say nothing")
        return said

    def _go_on(self, phase: int, until: float) -> None:
        """Does what goes on in a phase; the last thing begun is ended, too."""
        while (left := until - time.monotonic()) > 0:
            if phase == QUIET:
                time.sleep(left)
            elif phase == HELD:
                self.here.hold(left)
            else:
                (self.elsewhere if phase == ELSEWHERE else self.here).step()


def schedule(seconds: float) -> Iterator[tuple[int, float]]:
    """What goes on, one thing after the other, each with its seconds."""
    yield WARM, WARM_SHARE * seconds
    yield MEASURE, 0
    for done in range(1, ROUNDS + 1):
        for phase, share in SHARES.items():
            yield phase, share * (1 - WARM_SHARE) * seconds / ROUNDS
        if done in (ROUNDS // 2, ROUNDS):
            yield MEASURE, 0


def growth(before: list[Measured], after: list[Measured]) -> Iterator[str]:
    """Processes that take more than they did."""
    for first, last in zip(before, after, strict=True):
        if last.open_files > first.open_files:
            yield f"{last.name} has {last.open_files} open files, and had {first.open_files}"
        if last.memory_mb > first.memory_mb + MORE_MB:
            yield f"{last.name} takes {last.memory_mb:.0f} MB, and took {first.memory_mb:.0f}"


def waits(reports: list[Report]) -> Iterator[str]:
    """Searches that waited for the lock."""
    longest = max((seconds for one in reports for seconds in one.searches.get(HELD, ())), default=0.0)
    if longest > LONGEST_WAIT_S:
        yield f"a search took {longest:.1f} s while a writer did nothing but hold the lock"


def left_behind(here: Writer) -> Iterator[str]:
    """What lies in the index folder and should not, and what `ragkit doctor` says if it is not content."""
    if files := strays(here.index, here.generation):
        yield f"left in the index folder: {files}"
    command = [sys.executable, "-m", "ragkit", "doctor", "--index", str(here.index)]
    doctor = subprocess.run(command, capture_output=True, text=True, check=False)
    if doctor.returncode or "sound" not in doctor.stdout:
        yield f"doctor: {doctor.stdout}{doctor.stderr}"


def start(place: Path, seed: int, files: int, readers: tuple[int, int, float]) -> Soak:
    """Two indexes, and the processes beside the writer: so many readers with so many threads, which rest so long."""
    processes = multiprocessing.get_context("spawn")
    phase, committed = (processes.Value("i", first, lock=False) for first in (WARM, 0))
    shared = Shared(phase, committed, processes.Queue())

    def note(generation: int) -> None:
        shared.committed.value = generation

    here = Writer(place / "here", files, f"{seed} here", note)
    elsewhere = Writer(place / "elsewhere", files, f"{seed} elsewhere")
    many, threads, pause_s = readers
    started = [
        processes.Process(target=read, args=(here.place, f"reader {n}", f"{seed} {n}", shared, threads, pause_s))
        for n in range(1, many + 1)
    ]
    started.append(processes.Process(target=write_too, args=(here.place, f"{seed} second", shared)))
    for process in started:
        process.daemon = True
        process.start()
    return Soak(shared, here, elsewhere, started)


def print_tables(soak: Soak, reports: list[Report]) -> None:
    """How quick searches were, what was done, and what it took."""
    rows = []
    for phase, name in PHASES.items():
        times = np.concatenate([np.array(one.searches.get(phase, ())) for one in reports]) * 1000
        figures = [np.median(times), np.percentile(times, 99), times.max()] if len(times) else []
        rows.append([name, f"{len(times):,}", *(f"{figure:.1f}" for figure in figures)])
    print(markdown_table(["while", "searches", "median ms", "99 % within ms", "longest ms"], rows), end="\n\n")
    counts = sum((one.counts for one in reports), Counter[str]())
    generations = set().union(*(one.generations for one in reports))
    print(
        markdown_table(["done by readers and the second writer", "times"], [[n, f"{c:,}"] for n, c in counts.items()])
    )
    print(f"\nReaders saw {len(generations)} of {soak.here.generation} generations.\n")
    steps = [
        [name, f"{len(times)}", f"{np.median(times):.2f}", f"{max(times):.2f}"]
        for name, times in sorted(soak.here.times.items())
    ]
    print(markdown_table(["done by the writer", "times", "median s", "longest s"], steps), end="\n\n")
    taken = [
        [
            same[0].name,
            ", ".join(f"{one.memory_mb:.1f}" for one in same),
            ", ".join(str(one.open_files) for one in same),
        ]
        for same in zip(*soak.measured, strict=True)
    ]
    print(markdown_table(["process", "MB after warm-up, half way and at the end", "open files"], taken), end="\n\n")


def main(
    minutes: Annotated[float, typer.Option(help="How long.")] = 10.0,
    processes: Annotated[int, typer.Option(help="So many that read.")] = 4,
    threads: Annotated[int, typer.Option(help="In each of them.")] = 2,
    files: Annotated[int, typer.Option(help="About so many documents.")] = 100,
    pause_ms: Annotated[float, typer.Option(help="A reader's rest between questions, on average.")] = 50.0,
    seed: Annotated[int, typer.Option(help="Decides what is done; not when.")] = 1,
) -> None:
    """Run it, print what came of it, and exit with 1 if anything is not as it should be."""
    os.environ["OMP_NUM_THREADS"] = "1"  # for so few vectors, waking others takes longer than searching
    with tempfile.TemporaryDirectory() as name:
        soak = start(Path(name).resolve(), seed, files, (processes, threads, pause_ms / 1000))
        reports = soak.run(60 * minutes)
        soak.violations += [violation for one in reports for violation in one.violations]
        for later in soak.measured[1:]:
            soak.violations += growth(soak.measured[0], later)
        soak.violations += waits(reports)
        soak.violations += left_behind(soak.here)
        print_tables(soak, reports)
    print(f"{len(soak.violations)} violations")
    for violation in soak.violations:
        print(f"- {violation[:LONGEST]}")
    raise typer.Exit(bool(soak.violations))


if __name__ == "__main__":
    typer.run(main)
