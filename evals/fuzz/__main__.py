"""Which broken files do the readers harm? Prints a line on each finding and a Markdown table.

    python -m evals.fuzz --minutes 60
    python -m evals.fuzz --minutes 10 --format html --engine random --seed 2 --json fuzz.json

Small sound files of each format are broken in many ways and given to the reader. It may refuse them by a DocumentError
only. A finding is an exception out of a line of ragkit, a paragraph or a fact that breaks the rules for all readers,
more than 2 s of processor time or 1.5 GB of memory for a file under 64 kB, or the end of the process. Exceptions of
libraries are counted apart: whoever calls the readers turns them into a DocumentError.

By turns, atheris (`pip install atheris`) looks for files that lead to lines of the readers to which none led before,
and what it found is broken further at random, which tries several times as many; `--engine random` needs no atheris.
What atheris found is kept in the corpus folder, so that the next run goes on from there; each finding is made as small
as it can be and written to the folder of findings. Needs Linux.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from evals.fuzz.child import CurrentFile, Job, Task, command
from evals.fuzz.probing import LONGEST_S, Prober, crash, is_same, minimised
from evals.fuzz.samples import samples
from evals.fuzz.trying import Problem
from ragkit.evaluation.report.tables import markdown_table

SLICE_S = 240.0
"""A process is replaced after so long, so that what libraries lose of their memory is regained."""

LATE_S = 300.0
"""A process that goes on for so long after its time is stuck without computing, and is ended."""

FAULTY = 3
"""Exit status of a child that is faulty itself."""

RESULTS = Path(__file__).parent / "results"
_ROOT = Path(__file__).parents[2]


@dataclass
class Finding:
    """A problem with the smallest file that shows it.

    Attributes:
        seconds: Of processor time, for that file.
    """

    kind: str
    what: str
    where: str
    file: str
    bytes: int
    seconds: float


@dataclass
class Record:
    """What was done with one format."""

    format: str
    cpu_minutes: float = 0.0
    executions: int = 0
    processes: int = 0
    findings: list[Finding] = field(default_factory=list)
    not_confirmed: list[str] = field(default_factory=list)
    exceptions_of_libraries: dict[str, int] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        """Files tried in a second of processor time."""
        return self.executions / (60 * self.cpu_minutes) if self.cpu_minutes else 0.0


@dataclass(frozen=True)
class Candidate:
    """A file with which something was wrong."""

    problem: Problem
    name: str
    data: bytes


class Campaign:
    """The files of one format in turn, for a while."""

    def __init__(self, format_name: str, options: argparse.Namespace, prober: Prober) -> None:
        self.record = Record(format_name)
        self._options = options
        self._prober = prober
        self._corpus = options.corpus / format_name
        self._corpus.mkdir(parents=True, exist_ok=True)
        self._seen: list[Problem] = []
        self._foreign: Counter[str] = Counter()

    def run(self, seconds: float) -> Record:
        """Goes on for so long; then says what came of it."""
        end = time.monotonic() + seconds
        slice_s = min(SLICE_S, seconds / 2)
        while (left := end - time.monotonic()) > 1 or not self.record.processes:
            with tempfile.TemporaryDirectory() as scratch:
                for candidate in self._explore(Path(scratch), min(max(left, 1), slice_s)):
                    self._take(candidate)
        self.record.exceptions_of_libraries = dict(self._foreign.most_common())
        return self.record

    def _explore(self, scratch: Path, seconds: float) -> list[Candidate]:
        """Has a process try files; gives those with which something was wrong."""
        record, options = self.record, self._options
        known = [[problem.kind, problem.what, problem.where] for problem in self._seen]
        seed = options.seed * 1_000 + record.processes
        is_watched = options.engine == "atheris" or (options.engine == "both" and record.processes % 2 == 0)
        task: Task = "atheris" if is_watched else "random"
        job = Job(task, str(scratch), record.format, seconds, seed, str(self._corpus), known)
        before = getrusage(RUSAGE_CHILDREN)
        with (scratch / "log").open("wb") as log:
            process = subprocess.Popen(command(job), stdout=log, stderr=log, cwd=_ROOT)
            try:
                process.wait(seconds + LATE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        after = getrusage(RUSAGE_CHILDREN)
        record.cpu_minutes += (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / 60
        record.processes += 1
        count, name, data = CurrentFile(scratch).read()
        record.executions += count
        if process.returncode == FAULTY or (process.returncode and not count):
            raise SystemExit((scratch / "log").read_text(errors="replace")[-4_000:])
        found = list(_candidates(scratch))
        if process.returncode:
            found.append(Candidate(crash(process.returncode, scratch), name, data))
        foreign = scratch / "foreign.json"
        for what, where, times in json.loads(foreign.read_text()) if foreign.exists() else ():
            self._foreign[f"{what} in {where}"] += times
        return found

    def _take(self, candidate: Candidate) -> None:
        """Makes a candidate as small as it can be, and a finding if it holds."""
        problem, name = candidate.problem, candidate.name
        self._seen.append(problem)
        problems, _ = self._prober.problems(name, candidate.data)
        same = next((one for one in problems if is_same(one, problem)), None)
        if same is None:
            self.record.not_confirmed.append(f"{problem.kind}: {problem.what} in {problem.where}")
            return
        if (same.kind, same.what, same.where) in ((one.kind, one.what, one.where) for one in self.record.findings):
            return
        small = minimised(self._prober, name, candidate.data, same)
        _, seconds = self._prober.problems(name, small, LONGEST_S)
        number = len(self.record.findings) + 1
        file = self._options.findings / f"{self.record.format}-{same.kind}-{number}{Path(name).suffix}"
        file.write_bytes(small)
        finding = Finding(same.kind, same.what, same.where, file.name, len(small), round(seconds, 2))
        self.record.findings.append(finding)
        print(f"{file}: {same.kind}: {same.what} in {same.where} ({len(small)} bytes, {seconds:.2f} s)", flush=True)


def _candidates(scratch: Path) -> Iterator[Candidate]:
    listed = scratch / "found.jsonl"
    for line in listed.read_text().splitlines() if listed.exists() else ():
        found = json.loads(line)
        yield Candidate(Problem(*found["problem"]), found["name"], (scratch / found["file"]).read_bytes())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60, help="for all formats together (60)")
    parser.add_argument("--format", choices=sorted(samples()), help="only this one")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random (1)")
    parser.add_argument("--engine", choices=("both", "atheris", "random"), default="both")
    parser.add_argument("--corpus", type=Path, default=RESULTS / "corpus", help="folder of the files it goes on from")
    parser.add_argument("--findings", type=Path, default=RESULTS / "findings", help="folder for what it finds")
    parser.add_argument("--json", type=Path, help="file for the record")
    return parser.parse_args()


def _row(record: Record) -> tuple[str, ...]:
    kinds = Counter(finding.kind for finding in record.findings)
    found = ", ".join(f"{times} {kind}" for kind, times in sorted(kinds.items())) or "-"
    foreign = sum(record.exceptions_of_libraries.values())
    counts = f"{record.executions:,}", f"{record.per_second:,.0f}", f"{record.cpu_minutes:.1f}", f"{foreign:,}"
    return record.format, *counts, found


def main() -> None:
    """Tries all formats or one; exits with 1 if there are findings."""
    options = _options()
    if options.engine != "random" and find_spec("atheris") is None:
        raise SystemExit("atheris is missing. Install it (pip install atheris) or use --engine random.")
    options.findings.mkdir(parents=True, exist_ok=True)
    names = [options.format] if options.format else sorted(samples())
    records = []
    with Prober() as prober:
        for name in names:
            records.append(Campaign(name, options, prober).run(60 * options.minutes / len(names)))
            print(f"{name}: {records[-1].executions:,} files, {len(records[-1].findings)} findings", flush=True)
            if options.json:
                said = {"seed": options.seed, "engine": options.engine, "formats": [asdict(one) for one in records]}
                options.json.write_text(json.dumps(said, indent=1) + "\n")
    head = ("format", "files", "a second", "minutes", "exceptions of libraries", "findings")
    print(markdown_table(head, [_row(record) for record in records]))
    sys.exit(any(record.findings for record in records))


if __name__ == "__main__":
    main()
