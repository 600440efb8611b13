"""What happened to the files of an index since they were indexed: which is which, which changed, which vanished.

Called by `ingest`. A file is known by its place; if files and index moved to where that place does not exist, by its
path. Content decides whether it changed; size and time only save reading it.
"""

import os
import time
from pathlib import Path, PurePosixPath

from ragkit.index.files import Found, FoundFile, normalised, real_path
from ragkit.index.folder import sha256_of
from ragkit.index.store import FileStamp
from ragkit.records import DocumentRef

CLOCK_STEP_NS = 2_000_000_000
"""A file this new may change again without its time changing (FAT counts in 2 s), so its time proves nothing."""


class KnownFiles:
    """The files of the documents that an index holds."""

    def __init__(self, folder: Path, stamps: dict[DocumentRef, FileStamp]):
        self._folder = real_path(folder)
        self._stamps = stamps
        self._by_path = {ref.path: ref for ref in stamps}
        self._by_location = {stamp.location: ref for ref, stamp in stamps.items()}
        self._claimed: set[str] = set()

    def claim(self, file: FoundFile) -> tuple[str, DocumentRef | None]:
        """The path that a file has as a document, and what the index holds of it; each path is given once.

        Where another file has the path already (it was given from another folder), the absolute path is taken.
        """
        ref = self._by_location.get(self._location(file.real))
        if ref is None and self._is_same_document(file):
            ref = self._by_path[file.path]
        if ref is not None:
            path = ref.path
        else:
            is_free = file.path not in self._claimed and file.path not in self._by_path
            path = file.path if is_free else file.real.as_posix()
        self._claimed.add(path)
        return path, ref

    def _is_same_document(self, file: FoundFile) -> bool:
        """Whether a file that is in another place than the document of its path is that document all the same."""
        ref = self._by_path.get(file.path)
        if ref is None or ref.path in self._claimed:
            return False
        return not self._file_of(self._stamps[ref]).exists() or self._has_content(file.real, ref)

    def stamp(self, file: FoundFile) -> FileStamp:
        """How a file looks now; to be taken before it is read."""
        stat = file.real.stat()
        is_settled = time.time_ns() - stat.st_mtime_ns > CLOCK_STEP_NS
        mtime_ns = stat.st_mtime_ns if is_settled else -1
        return FileStamp(self._location(file.real), file.root, stat.st_size, mtime_ns)

    def is_unchanged(self, ref: DocumentRef, file: FoundFile, stamp: FileStamp) -> bool:
        """Whether a file's content is what was indexed; reads it only if its size is the same and its time is not."""
        known = self._stamps[ref]
        has_same_time = 0 <= stamp.mtime_ns == known.mtime_ns and stamp.bytes == known.bytes
        return has_same_time or self._has_content(file.real, ref)

    def is_new_stamp(self, ref: DocumentRef, stamp: FileStamp) -> bool:
        """Whether a file looks different from what the index noted."""
        return self._stamps[ref] != stamp

    def vanished(self, found: Found) -> list[str]:
        """The paths of documents of the folders searched whose files were neither claimed nor failed."""
        kept = self._claimed.union(file.path for file in found.failed)
        return [
            ref.path
            for ref, stamp in self._stamps.items()
            if ref.path not in kept and self._has_vanished(ref, stamp, found)
        ]

    def _has_vanished(self, ref: DocumentRef, stamp: FileStamp, found: Found) -> bool:
        file = self._file_of(stamp)
        if any(file.is_relative_to(folder) for folder in found.unreadable):
            return False
        is_there = file.exists()
        if stamp.root == ref.path and is_there:
            return False  # it was named itself, so it may be hidden or excluded
        return any(
            file.is_relative_to(real_folder) or (not is_there and PurePosixPath(ref.path).is_relative_to(folder))
            for folder, real_folder in found.folders
        )

    def under(self, path: str | Path) -> set[str]:
        """The paths of the documents that a path means: as they are cited or where they are, files or whole folders."""
        name, real = normalised(path), real_path(path)
        return {
            ref.path
            for ref, stamp in self._stamps.items()
            if PurePosixPath(ref.path).is_relative_to(name) or self._file_of(stamp).is_relative_to(real)
        }

    def _has_content(self, file: Path, ref: DocumentRef) -> bool:
        """Whether a file is, byte for byte, what was indexed; not if it cannot be read."""
        try:
            return file.stat().st_size == self._stamps[ref].bytes and f"sha256:{sha256_of(file)}" == ref.id
        except OSError:
            return False

    def _location(self, real: Path) -> str:
        return os.path.relpath(real, self._folder)

    def _file_of(self, stamp: FileStamp) -> Path:
        return Path(os.path.normpath(self._folder / stamp.location))
