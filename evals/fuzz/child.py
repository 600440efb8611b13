"""A process that gives broken files to one reader until its time is over, or probes those it is sent.

What it is about to try lies in a file that outlives it, since a fault in a library written in C ends it. Started by
`campaign` and by `probing`, with a `Job` as the only argument. Nothing of ragkit is loaded before atheris, which
watches which lines of the readers are run, is in place; and not the whole of ragkit, which would take seconds.
"""

import faulthandler
import json
import mmap
import os
import resource
import signal
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from evals.fuzz.trying import Problem

MEMORY_BYTES = 1536 * 1024 * 1024
"""More address space than this on top of what the process has is out of proportion to any small file."""

WATCHED_LIMIT_S = 5.0
"""Readers are slower while atheris watches them; what is stopped here is tried again by `probing`, unwatched."""

WATCHED_BYTES = 12 * 1024
"""So long files at most, a hundred of which are tried in a second; longer ones reach few more lines."""

HANGING_S = 60
"""Of processor time; code in C cannot be stopped but with its process."""

ROOM_BYTES = 1024 * 1024
"""In the file that says what is being tried."""

NAMES = {
    "code": ("Makefile", "Dockerfile"),
    "gzip": ("a.txt.gz", "a.md.gz", "a.html.gz", "a.csv.gz", "a.json.gz"),
}
"""Names of files by which more is meant than by their last suffix."""

Task = Literal["atheris", "random", "probe"]

_HEAD = struct.Struct("<QII")
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Job:
    """What the process is to do.

    Attributes:
        task: What kind of a process it is.
        scratch: Folder for what it finds.
        format_name: Whose reader is tried.
        seconds: For how long, by the clock.
        seed: Of all that is random.
        corpus: Folder of files that are broken further, to which atheris adds.
        known: Kind, type and place of what need not be found again.
    """

    task: Task
    scratch: str
    format_name: str = ""
    seconds: float = 0.0
    seed: int = 0
    corpus: str = ""
    known: list[list[str]] = field(default_factory=list)


def command(job: Job) -> list[str]:
    """What starts such a process; to be run in the root of the repository."""
    return [sys.executable, "-X", "utf8", "-m", "evals.fuzz.child", json.dumps(asdict(job))]


class CurrentFile:
    """The file that says what is being tried, and how many were."""

    def __init__(self, scratch: Path) -> None:
        self._path = scratch / "current"

    def create(self) -> mmap.mmap:
        """Makes it; for the process that tries."""
        self._path.write_bytes(bytes(_HEAD.size + ROOM_BYTES))
        with self._path.open("r+b") as opened:
            return mmap.mmap(opened.fileno(), 0)

    def read(self) -> tuple[int, str, bytes]:
        """How many files were tried, and name and bytes of the last one; for the process that waits."""
        content = self._path.read_bytes() if self._path.exists() else b""
        if not content:
            return 0, "", b""
        count, name_bytes, data_bytes = _HEAD.unpack_from(content)
        name = content[_HEAD.size :][:name_bytes]
        return count, name.decode(), content[_HEAD.size + name_bytes :][:data_bytes]


class Trying:
    """Gives files to a reader and notes what is wrong."""

    def __init__(self, job: Job) -> None:
        from ragkit.readers.formats import FORMATS

        self.scratch = Path(job.scratch)
        self.format_name = job.format_name
        suffixes = [suffix for suffix, one in FORMATS.items() if one.name == job.format_name]
        self.names = [f"a{suffix}" for suffix in suffixes] + list(NAMES.get(job.format_name, ()))
        self.reader = FORMATS[suffixes[0]].read.__module__.removeprefix("ragkit.readers.")
        self._known = set(map(tuple, job.known))
        self._current = CurrentFile(self.scratch).create()
        self._count = 0
        self._foreign: Counter[tuple[str, str]] = Counter()
        self._end = time.monotonic() + job.seconds
        self._limit_s = WATCHED_LIMIT_S if job.task == "atheris" else None

    def index_of(self, name: str) -> int:
        """The place among the names of the one that says the same of a file as this one."""
        if name in self.names:
            return self.names.index(name)
        endings = [(len(one), at) for at, one in enumerate(self.names) if name.lower().endswith(one.lstrip("a"))]
        return max(endings, default=(0, 0))[1]

    @property
    def is_over(self) -> bool:
        """Whether its time is over."""
        return time.monotonic() >= self._end

    def try_file(self, index: int, data: bytes) -> None:
        """Tries some bytes under one of the names."""
        from evals.fuzz.trying import SLOW_S, try_reader

        name = self.names[index % len(self.names)]
        self._count += 1
        if len(data) + len(name) > ROOM_BYTES:
            return
        encoded = name.encode()
        self._current[: _HEAD.size] = _HEAD.pack(self._count, len(encoded), len(data))
        self._current[_HEAD.size : _HEAD.size + len(encoded) + len(data)] = encoded + data
        _allow(HANGING_S)
        trial = try_reader(name, data, self._limit_s or SLOW_S)
        if trial.foreign:
            self._count_foreign(trial.foreign)
        for problem in trial.problems:
            self._note(problem, name, data)

    def end(self) -> None:
        """Says what was counted and ends the process."""
        self._write_foreign()
        os._exit(0)  # libFuzzer would never end in any other way

    def _count_foreign(self, foreign: Counter[tuple[str, str]]) -> None:
        is_new = not foreign.keys() <= self._foreign.keys()
        self._foreign.update(foreign)
        if is_new:  # the process may not live to its end
            self._write_foreign()

    def _write_foreign(self) -> None:
        (self.scratch / "foreign.json").write_text(json.dumps([[*key, times] for key, times in self._foreign.items()]))

    def _note(self, problem: "Problem", name: str, data: bytes) -> None:
        key = (problem.kind, problem.what, problem.where)
        if key in self._known:
            return
        self._known.add(key)
        number = len(self._known)
        (self.scratch / f"found-{number}.bin").write_bytes(data)
        line = json.dumps({"problem": key, "name": name, "file": f"found-{number}.bin"})
        with (self.scratch / "found.jsonl").open("a") as found:
            found.write(line + "\n")


def _allow(seconds: int) -> None:
    """From now on the process has so many seconds of processor time."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime) + seconds, most))


def _bound_memory() -> None:
    pages = int(Path("/proc/self/statm").read_bytes().split()[0]) if Path("/proc/self/statm").exists() else 0
    allowed = pages * os.sysconf("SC_PAGE_SIZE") + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))


def _prepare(scratch: Path) -> None:
    """Loads what readers load when they first need it, bounds the memory, and has crashes say where they happen."""
    from evals.fuzz.samples import samples
    from evals.fuzz.trying import try_reader

    for found in samples().values():
        for name, data in found.items():
            try_reader(name, data)
    log = (scratch / "crash.txt").open("w")
    faulthandler.enable(log)
    faulthandler.register(signal.SIGXCPU, log, chain=True)
    _bound_memory()


def _start_without_ragkit_itself() -> None:
    spec = ModuleSpec("ragkit", None, is_package=True)
    spec.submodule_search_locations = [str(_ROOT / "ragkit")]
    sys.modules["ragkit"] = module_from_spec(spec)


def _fuzz_by_atheris(job: Job) -> None:
    """Lets libFuzzer choose what is broken further: what led to lines that no other file led to."""
    import atheris  # type: ignore[import-untyped]

    with atheris.instrument_imports(include=["ragkit.readers"]):
        import ragkit.readers  # noqa: F401 - atheris changes what is imported here
    from evals.fuzz.mutating import Mutator
    from evals.fuzz.samples import samples

    _prepare(Path(job.scratch))
    trying = Trying(job)
    own = samples().get(job.format_name, {})
    most = max([WATCHED_BYTES, *(len(data) + 1_000 for data in own.values())])
    mutator = Mutator(trying.reader, own, most)
    corpus = Path(job.corpus)
    for name, data in own.items():
        (corpus / f"sound-{name}".replace(".", "-")).write_bytes(bytes([trying.index_of(name)]) + data)

    def mutate(data: bytes, _: int, seed: int) -> bytes:
        index, rest = (data[0], data[1:]) if data else (0, b"")
        if seed % 50 == 0:
            index = seed // 50 % len(trying.names)
        return bytes([index]) + mutator.mutated(seed, trying.names[index % len(trying.names)], rest)

    def one(data: bytes) -> None:
        _or_exit(lambda: trying.try_file(data[0], data[1:]) if data else None)
        if trying.is_over:
            trying.end()

    flags = f"-max_len={most + 1} -seed={job.seed % 2**31 or 1} -timeout=1000 -rss_limit_mb=0 -verbosity=0".split()
    flags.append(f"-artifact_prefix={job.scratch}/")
    flags += [f"-handle_{name}=0" for name in "segv bus abrt ill fpe int term xfsz usr1 usr2".split()]
    atheris.Setup([sys.argv[0], *flags, str(corpus)], one, custom_mutator=mutate)
    atheris.Fuzz()


def _fuzz_at_random(job: Job) -> None:
    from evals.fuzz.mutating import Chance, Mutator
    from evals.fuzz.samples import samples

    _prepare(Path(job.scratch))
    trying = Trying(job)
    own = samples().get(job.format_name, {})
    mutator = Mutator(trying.reader, own)
    chance = Chance(job.seed, ())
    pool = [(trying.index_of(name), data) for name, data in own.items()]
    pool += [
        (file.read_bytes()[0], file.read_bytes()[1:]) for file in Path(job.corpus).glob("*") if file.stat().st_size
    ]
    while not trying.is_over:
        index, data = chance.choice(pool)
        index = chance.randrange(len(trying.names)) if chance.random() < 0.05 else index
        name = trying.names[index % len(trying.names)]
        trying.try_file(index, mutator.mutated(chance.randrange(2**32), name, data))
    trying.end()


def _probe(job: Job) -> None:
    """Says of each file that comes through stdin what is wrong with it."""
    from evals.fuzz.trying import try_reader
    from ragkit.readers.isolation.wire import Message, receive, send

    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _prepare(Path(job.scratch))
    while True:
        try:
            request = receive(requests)
        except EOFError:
            return
        asked = json.loads(request.head)
        _allow(HANGING_S)
        trial = try_reader(asked["name"], request.body, asked["limit_s"])
        said = {"problems": [asdict(problem) for problem in trial.problems], "seconds": trial.seconds}
        send(replies, Message(json.dumps(said).encode()))


def _or_exit(work: Callable[[], Any]) -> None:
    """Does something; if that is faulty itself, says so and ends the process, which libFuzzer would take for a find."""
    try:
        work()
    except BaseException:  # noqa: BLE001
        faulthandler.disable()
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
        os._exit(3)


def main(argument: str) -> None:
    """Does a job."""
    job = Job(**json.loads(argument))
    _start_without_ragkit_itself()
    ways: dict[str, Callable[[Job], None]] = {
        "atheris": _fuzz_by_atheris,
        "random": _fuzz_at_random,
        "probe": _probe,
    }
    _or_exit(lambda: ways[job.task](job))


if __name__ == "__main__":
    main(sys.argv[1])
