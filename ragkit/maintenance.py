"""What keeps an index in order: removing, going back, giving back space, repairing, taking it elsewhere.

Each function is one thing that the command line and the library offer; all take the folder of the index.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragkit.index.folder import DATABASE, reading
from ragkit.index.history import Generation
from ragkit.index.index import Index
from ragkit.index.portable import Exported, export_index, export_parquet, import_index
from ragkit.index.repair import Repaired, repair_index
from ragkit.index.writer import IndexWriter

__all__ = [
    "Compacted",
    "Exported",
    "Generation",
    "Repaired",
    "compact",
    "export_index",
    "export_parquet",
    "go_back",
    "history",
    "import_index",
    "prune",
    "repair_index",
    "tag",
    "untag",
]


@dataclass(frozen=True, slots=True)
class Compacted:
    """What compacting or pruning did.

    Attributes:
        forgotten: So many earlier generations can no longer be gone back to.
        bytes_before: Size of the database.
        bytes_after: The same now.
    """

    forgotten: int
    bytes_before: int
    bytes_after: int

    def to_dict(self) -> dict[str, Any]:
        """The facts as JSON."""
        return {
            "forgotten": self.forgotten,
            "bytes_before": self.bytes_before,
            "bytes_after": self.bytes_after,
        }


def history(folder: Path | str) -> list[Generation]:
    """The generations that can be gone back to, oldest first, the present one last."""
    with Index.open(folder) as index, index.snapshot() as snapshot:
        return snapshot.history()


def tag(folder: Path | str, name: str, generation: str | int | None = None) -> int:
    """Names a generation, by default the present one, which is then kept; gives its number."""
    with _writer(folder) as writer:
        number = writer.tag(name, generation)
        writer.commit()
    return number


def untag(folder: Path | str, name: str) -> None:
    """Takes a tag away; what it held is kept only as long as there is room."""
    with _writer(folder) as writer:
        writer.untag(name)
        writer.commit()


def go_back(folder: Path | str, generation: str | int) -> tuple[int, int]:
    """Makes the documents of an earlier generation, by number or tag, the present ones.

    Returns:
        The earlier generation, and the number under which it is present now.
    """
    with _writer(folder) as writer:
        number = writer.restore(generation)
        return number, writer.commit()


def prune(folder: Path | str, keep: int = 0) -> Compacted:
    """Forgets the earlier generations that have no tag, but for the newest `keep`, and gives back their space."""
    with _writer(folder) as writer:
        before = _database_bytes(writer.folder)
        forgotten = writer.prune(keep)
        writer.commit()
    return Compacted(forgotten, before, _database_bytes(writer.folder))


def compact(folder: Path | str) -> Compacted:
    """Makes an index as small as it gets: only the present generation and those with a tag are kept."""
    return prune(folder)


def _database_bytes(folder: Path) -> int:
    with reading(folder):
        return (folder / DATABASE).stat().st_size


@contextmanager
def _writer(folder: Path | str) -> Iterator[IndexWriter]:
    """A writer of an index that is there."""
    with IndexWriter.open(folder, None) as writer:
        yield writer
