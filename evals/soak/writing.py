"""The writer of the soak test: it changes documents and their index without pause, one thing after the other.

Before it commits, it notes what the next generation holds.
"""

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from evals.crash_child import WordEmbedder, require
from evals.soak.model import COLLECTIONS, FOLDERS, LABELS, Model, Written, load_model, save_model, text_of
from ragkit import maintenance
from ragkit.index.writer import IndexWriter
from ragkit.ingest import index_paths, remove_paths
from ragkit.ingest_records import IngestOptions

OPTIONS = IngestOptions(chunk_tokens=60, min_chunk_tokens=4, batch_chunks=1_000_000)
"""One paragraph is one chunk, and one run is one commit, so that each generation is known beforehand."""

FEWEST = 12
"""Documents that are left on the disk and in the index, whatever is removed."""

MOST_TAGS = 6
STEPS = 3


class Writer:
    """One writer with its documents and its index.

    Attributes:
        disk: The documents as they lie on the disk.
        held: What the index holds.
        times: How long each step took in seconds, by what it was.
    """

    def __init__(self, place: Path, files: int, seed: str, on_commit: Callable[[int], None] = lambda _: None):
        """Writes so many files and indexes them, each folder in a collection of its own."""
        self.place, self.index = place, place / "index"
        self.disk: Model = {}
        self.held: Model = {}
        self.generation = 0
        self.times: dict[str, list[float]] = {}
        self._chance = random.Random(seed)
        self._filed = dict(zip(FOLDERS, zip(COLLECTIONS, LABELS, strict=False), strict=True))
        self._embedder, self._files, self._on_commit = WordEmbedder(), files, on_commit
        self._turn, self._last_number = 1, 0
        (place / "models").mkdir(parents=True)
        for number in range(files):
            self._add(FOLDERS[number % len(FOLDERS)])
        for folder in FOLDERS:
            self._index_folder(folder, is_filed=True)

    def step(self) -> None:
        """Does one thing to the index."""
        steps: dict[str, tuple[float, Callable[[], None]]] = {
            "index changed files": (10, self._index_changes),
            "move files": (4, self._move),
            "file a folder anew": (3, self._file_anew),
            "remove": (4, self._remove),
            "remove in several commits": (2, self._remove_in_steps),
            "tag": (3, self._tag),
            "untag": (2, self._untag),
            "go back": (4, self._go_back),
            "prune": (2, self._prune),
            "compact": (1, lambda: self._without_generation(lambda: maintenance.compact(self.index))),
        }
        (name,) = self._chance.choices(list(steps), [weight for weight, _ in steps.values()])
        self._turn += 1
        started = time.perf_counter()
        steps[name][1]()
        self.times.setdefault(name, []).append(time.perf_counter() - started)

    def hold(self, seconds: float) -> None:
        """Holds the lock for so long with a change that is never committed."""
        with IndexWriter.open(self.index, None) as writer:
            writer.remove(min(self.held))
            time.sleep(seconds)

    def _commit(self, model: Model, act: Callable[[], int]) -> None:
        """Notes what the next generation holds, and makes it; where nothing changed there may be none."""
        save_model(self.place, self.generation + 1, model)
        generation = act()
        is_same = generation == self.generation and model == self.held
        require(is_same or generation == self.generation + 1, f"{self.generation} became {generation}")
        self.held, self.generation = model, generation
        self._on_commit(generation)

    def _without_generation(self, act: Callable[[], object]) -> None:
        act()
        last = maintenance.history(self.index)[-1].number
        require(last == self.generation, f"{self.generation} became {last}, though no document changed")

    def _index_changes(self) -> None:
        """Changes, adds and deletes some files, and indexes one folder or all."""
        for path in self._some(self.disk, 6):
            self._write(path, replace(self.disk[path], turn=self._turn))
        if len(self.disk) > self._files:
            self._delete(self._some(self.disk, 4))
        else:
            for _ in range(self._chance.randint(0, 4)):
                self._add(self._chance.choice(FOLDERS))
        self._index_some()

    def _move(self) -> None:
        for path in self._some(self.disk, 4):
            moved = Path(path).with_name(f"moved-{self._turn}-{self.disk[path].number}.md")
            target = moved.parent.parent / self._chance.choice(FOLDERS) / moved.name
            Path(path).rename(target)
            self.disk[str(target)] = self.disk.pop(path)
        self._index_some()

    def _file_anew(self) -> None:
        folder = self._chance.choice(FOLDERS)
        self._filed[folder] = (self._chance.choice(COLLECTIONS), self._chance.choice(LABELS))
        self._index_folder(folder, is_filed=True)

    def _index_some(self) -> None:
        """Indexes one folder or all; what is known stays filed as it is."""
        if self._chance.random() < 0.5:
            self._index_folder(self._chance.choice(FOLDERS), is_filed=False)
        else:
            self._commit(self._as_filed(self.disk), lambda: self._run(self.place / "docs", OPTIONS))

    def _index_folder(self, folder: str, *, is_filed: bool) -> None:
        collection, labels = self._filed[folder]
        inside = {path: one for path, one in self.disk.items() if Path(path).parent.name == folder}
        others = {path: one for path, one in self.held.items() if Path(path).parent.name != folder}
        filed = {path: replace(one, collection=collection, labels=labels) for path, one in inside.items()}
        options = replace(OPTIONS, collection=collection, labels=labels) if is_filed else OPTIONS
        model = others | (filed if is_filed else self._as_filed(inside))
        self._commit(model, lambda: self._run(self.place / "docs" / folder, options))

    def _run(self, folder: Path, options: IngestOptions) -> int:
        report = index_paths([folder], self.index, self._embedder, options)
        require(not report.failed, f"could not be indexed: {report.failed[:1]}")
        return report.generation

    def _as_filed(self, model: Model) -> Model:
        """Documents as they are filed in the index or, if they are new, as their folder is."""
        filings = {path: (one.collection, one.labels) for path, one in self.held.items()}
        wanted = {path: filings.get(path, self._filed[Path(path).parent.name]) for path in model}
        return {path: replace(one, collection=wanted[path][0], labels=wanted[path][1]) for path, one in model.items()}

    def _remove(self) -> None:
        leaving = self._some(self.held, 5)
        if self._chance.random() < 0.15:
            folder = Path(leaving[0]).parent if leaving else self.place
            leaving = [path for path in self.held if Path(path).parent == folder]
        if leaving and len(self.held) - len(leaving) >= FEWEST:
            self._commit(self._without(leaving), lambda: remove_paths(leaving, self.index).generation)

    def _remove_in_steps(self) -> None:
        with IndexWriter.open(self.index, None) as writer:
            for path in self._some(self.held, STEPS):
                writer.remove(path)
                self._commit(self._without([path]), writer.commit)

    def _without(self, paths: Iterable[str]) -> Model:
        leaving = set(paths)
        return {path: one for path, one in self.held.items() if path not in leaving}

    def _tag(self) -> None:
        number = self._chance.choice(maintenance.history(self.index)).number
        self._without_generation(lambda: maintenance.tag(self.index, f"kept-{number}", number))
        if sum(len(one.tags) for one in maintenance.history(self.index)) > MOST_TAGS:
            self._untag()

    def _untag(self) -> None:
        tags = [tag for one in maintenance.history(self.index) for tag in one.tags]
        if tags:
            self._without_generation(lambda: maintenance.untag(self.index, self._chance.choice(tags)))

    def _go_back(self) -> None:
        number = self._chance.choice(maintenance.history(self.index)).number
        self._commit(load_model(self.place, number), lambda: maintenance.go_back(self.index, number)[1])

    def _prune(self) -> None:
        self._without_generation(lambda: maintenance.prune(self.index, self._chance.randint(0, 4)))

    def _some(self, of: Model, most: int) -> list[str]:
        """Up to so many paths of a model, as long as enough others are left."""
        count = min(self._chance.randint(1, most), len(of) - FEWEST)
        return self._chance.sample(sorted(of), count) if count > 0 else []

    def _add(self, folder: str) -> None:
        self._last_number += 1
        self._write(
            str(self.place / "docs" / folder / f"{self._last_number}.md"), Written(self._last_number, self._turn)
        )

    def _delete(self, paths: Iterable[str]) -> None:
        for path in paths:
            Path(path).unlink()
            del self.disk[path]

    def _write(self, path: str, written: Written) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text_of(written))
        self.disk[path] = written
