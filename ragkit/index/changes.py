"""What happened to the files of an index since they were indexed: which is which, which changed, which vanished.

Called by `ingest`. A file is known by its place; if files and index moved to where that place does not exist, by its
path. Content decides whether it changed; size and time only save reading it.
"""

import os
import time
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ragkit.index.filed_folders import FiledFolders
from ragkit.index.files import Found, FoundFile, normalised, real_path
from ragkit.index.filing import Filing
from ragkit.index.folder import sha256_of
from ragkit.index.store import FileStamp, KnownFile, Origin
from ragkit.records import DocumentRef

CLOCK_STEP_NS = 2_000_000_000
"""A file this new may change again without its time changing (FAT counts in 2 s), so its time proves nothing."""


class KnownFiles:
    """The files of the documents that an index holds, and of their copies."""

    def __init__(self, folder: Path, known: Iterable[KnownFile], filed: FiledFolders | None = None):
        self._folder = real_path(folder)
        self._filed = filed or FiledFolders(folder, {})
        self._relative: dict[Path, str] = {}
        self._known = list(known)
        self._by_path = {file.path: file for file in self._known}
        self._by_location = {file.origin.stamp.location: file for file in self._known}
        self._claimed: set[str] = set()

    def claim(self, file: FoundFile) -> tuple[str, KnownFile | None]:
        """The path that a file has as a document, and what the index knows of it; each path is given once.

        Where another file has the path already (it was given from another folder), the absolute path is taken.
        """
        known = self._by_location.get(self._location(file.real))
        if known is None and self._is_same_document(file):
            known = self._by_path[file.path]
        if known is not None:
            path = known.path
        else:
            is_free = file.path not in self._claimed and file.path not in self._by_path
            path = file.path if is_free else file.real.as_posix()
        self._claimed.add(path)
        return path, known

    def _is_same_document(self, file: FoundFile) -> bool:
        """Whether a file that is in another place than the document of its path is that document all the same."""
        known = self._by_path.get(file.path)
        if known is None or known.path in self._claimed:
            return False
        return not self._file_of(known).exists() or _has_content(file.real, known)

    def stamp(self, file: FoundFile) -> FileStamp:
        """How a file looks now; to be taken before it is read."""
        stat = file.real.stat()
        is_settled = time.time_ns() - stat.st_mtime_ns > CLOCK_STEP_NS
        mtime_ns = stat.st_mtime_ns if is_settled else -abs(stat.st_mtime_ns)
        return FileStamp(self._location(file.real), file.root, stat.st_size, mtime_ns)

    def documents(self) -> list[KnownFile]:
        """Those that documents are cited by."""
        return [file for file in self._known if not file.is_copy]

    def filing(
        self, file: FoundFile, known: KnownFile | None, collection: str | None, labels: tuple[str, ...] | None
    ) -> Filing:
        """Where a file is filed: as was asked for, else as it was, else as the folder that it lies in."""
        before = known.origin.filing if known is not None else self._filed.of(file.real.parent)
        return before.changed(collection, labels)

    def is_unchanged(self, known: KnownFile, file: FoundFile, origin: Origin) -> bool:
        """Whether a file is as it was indexed; its content is read only if its size is the same and its time is not.

        A copy counts as changed when the file that its document is cited by is no longer there as it was.
        """
        before, stamp = known.origin.stamp, origin.stamp
        if (known.origin.reader, known.origin.filing) != (origin.reader, origin.filing):
            return False
        has_same_time = 0 <= stamp.mtime_ns == before.mtime_ns and stamp.bytes == before.bytes
        if not has_same_time and not _has_content(file.real, known):
            return False
        return not known.is_copy or self.is_in_place(known.ref.path)

    def is_in_place(self, path: str) -> bool:
        """Whether the file of a document is still where it was, with the content that was indexed."""
        known = self._by_path[path]
        file, before = self._file_of(known), known.origin.stamp
        try:
            stat = file.stat()
        except OSError:
            return False
        has_same_time = 0 <= before.mtime_ns == stat.st_mtime_ns and before.bytes == stat.st_size
        return has_same_time or _has_content(file, known)

    def vanished(self, found: Found) -> list[str]:
        """The paths of files of the folders searched that were neither claimed nor failed; copies come first."""
        kept = self._claimed.union(file.path for file in found.failed)
        gone = [file.path for file in self._known if file.path not in kept and self._has_vanished(file, found)]
        return self.copies_first(gone)

    def copies_first(self, paths: Iterable[str]) -> list[str]:
        """Paths in the order in which they can be removed without one going on under the name of another of them."""
        return sorted(paths, key=lambda path: (not self._by_path[path].is_copy, path))

    def _has_vanished(self, known: KnownFile, found: Found) -> bool:
        file = self._file_of(known)
        if any(file.is_relative_to(folder) for folder in found.unreadable):
            return False
        is_there = file.exists()
        if known.origin.stamp.root == known.path and is_there:
            return False  # it was named itself, so it may be hidden or excluded
        return any(
            file.is_relative_to(real_folder) or (not is_there and PurePosixPath(known.path).is_relative_to(folder))
            for folder, real_folder in found.folders
        )

    def under(self, path: str | Path) -> set[str]:
        """The paths of the files that a path means: as they are cited or where they are, files or whole folders."""
        name, real = normalised(path), real_path(path)
        return {
            known.path
            for known in self._known
            if PurePosixPath(known.path).is_relative_to(name) or self._file_of(known).is_relative_to(real)
        }

    def _location(self, real: Path) -> str:
        folder = real.parent
        if folder not in self._relative:
            self._relative[folder] = os.path.relpath(folder, self._folder)
        return os.path.normpath(os.path.join(self._relative[folder], real.name))  # noqa: PTH118 - a Path costs ten times

    def _file_of(self, known: KnownFile) -> Path:
        return Path(os.path.normpath(self._folder / known.origin.stamp.location))


class Twins:
    """Which document stands for a content, so that files with the same content are indexed once."""

    def __init__(self, known: KnownFiles):
        self._known = known
        self._before = {_content(file.ref, file.origin): file.path for file in known.documents()}
        self._now: dict[tuple[str, str, Filing], str] = {}

    def find(self, ref: DocumentRef, origin: Origin) -> str | None:
        """The path of another document with the same content, filed in the same place; None if there is none."""
        content = _content(ref, origin)
        twin = self._now.get(content)
        if twin is None:
            before = self._before.get(content)
            twin = before if before is not None and before != ref.path and self._known.is_in_place(before) else None
        return twin

    def add(self, ref: DocumentRef, origin: Origin) -> None:
        """Notes a document that stands for its content from now on."""
        self._now[_content(ref, origin)] = ref.path


def _content(ref: DocumentRef, origin: Origin) -> tuple[str, str, Filing]:
    """What two files must share to be one document."""
    return ref.id, origin.reader, origin.filing


def _has_content(file: Path, known: KnownFile) -> bool:
    """Whether a file is, byte for byte, what was indexed; not if it cannot be read."""
    try:
        return file.stat().st_size == known.origin.stamp.bytes and f"sha256:{sha256_of(file)}" == known.ref.id
    except OSError:
        return False
