"""What `ragkit index` would do, found out without doing it: no model is loaded, no document parsed, nothing written.

Called by the command line for `--dry-run`. Files are told apart as `ingest` does; whether one can be read shows only
when it is read.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ragkit.errors import DocumentError
from ragkit.index.changes import KnownFiles, Twins
from ragkit.index.files import FailedFile, FoundFile, find_files
from ragkit.index.folder import DATABASE
from ragkit.index.index import Index
from ragkit.index.store import Origin
from ragkit.ingest import nothing_indexed
from ragkit.ingest_records import IngestOptions
from ragkit.readers import reader_of
from ragkit.readers.opening import bytes_of
from ragkit.records import DocumentRef


@dataclass(slots=True)
class Plan:
    """Paths by what would become of them.

    Attributes:
        moved: New files with the content of one that vanished, which cost no embedding.
        copies: Files with the same content as another, which would be indexed in their place.
    """

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    copies: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0
    skipped: int = 0
    failed: list[FailedFile] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The plan as `ragkit index --dry-run --json` prints it."""
        lists = ("added", "updated", "moved", "copies", "removed")
        return {
            **{name: getattr(self, name) for name in lists},
            "unchanged": self.unchanged,
            "skipped": self.skipped,
            "failed": [file.to_dict() for file in self.failed],
        }


def plan_paths(paths: Sequence[str | Path], folder: Path | str, options: IngestOptions) -> Plan:
    """What `index_paths` would do with the same arguments.

    Raises:
        InputError: A path does not exist.
        NothingIndexedError: All that the index holds would leave it, and nothing come.
        IndexStateError: There is an index that cannot be used.
    """
    folder = Path(folder)
    found = find_files(paths, options.selection)
    known = _known(folder) if (folder / DATABASE).exists() and not options.rebuild else KnownFiles(folder, [])
    plan = Plan(skipped=found.skipped)
    sorter = _Sorter(known, options, plan)
    for file in found.files.values():
        sorter.take(file)
    plan.removed = known.vanished(found)
    gone = {file.ref.id for file in known.documents() if file.path in plan.removed}
    plan.moved = [path for path in plan.added if sorter.contents.get(path) in gone]
    plan.added = [path for path in plan.added if path not in plan.moved]
    plan.failed += found.failed
    held = len(known.documents())
    if held and not (plan.unchanged or plan.added or plan.updated or plan.moved) and len(plan.removed) >= held:
        raise nothing_indexed(paths, plan.failed, held)
    return plan


def _known(folder: Path) -> KnownFiles:
    with Index.open(folder) as index, index.snapshot() as snapshot:
        return KnownFiles(folder, snapshot.known_files(), snapshot.filed_folders())


class _Sorter:
    """Puts one file after the other where it belongs.

    Attributes:
        contents: The document ids of new and changed files, by path.
    """

    def __init__(self, known: KnownFiles, options: IngestOptions, plan: Plan):
        self.contents: dict[str, str] = {}
        self._known = known
        self._twins = Twins(known)
        self._options = options
        self._plan = plan

    def take(self, file: FoundFile) -> None:
        """Says of one file what would become of it."""
        path, known = self._known.claim(file)
        try:
            filing = self._known.filing(file, known, self._options.collection, self._options.labels)
            origin = Origin(self._known.stamp(file), reader_of(file.file), filing)
            if known is not None and self._known.is_unchanged(known, file, origin):
                self._plan.unchanged += 1
                return
            data = bytes_of(file.file, path, self._options.selection.max_bytes)
        except DocumentError as exc:
            self._plan.failed.append(FailedFile(path, str(exc).removeprefix(f"{path} ")))
            return
        except OSError as exc:
            self._plan.failed.append(FailedFile(path, f"cannot be read: {exc.strerror or exc}"))
            return
        ref = DocumentRef(path, f"sha256:{hashlib.sha256(data).hexdigest()}")
        self.contents[path] = ref.id
        if self._twins.find(ref, origin) is not None:
            self._plan.copies.append(path)
            return
        self._twins.add(ref, origin)
        (self._plan.added if known is None else self._plan.updated).append(path)
