"""Which files the arguments of `ragkit index` mean, and under which path each becomes a document.

Called by `ingest`, before anything is written. A document's path is the argument joined with what lies under it,
normalised, with forward slashes: `./seeds` gives `seeds/a.txt`, an absolute argument gives absolute paths.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from ragkit.errors import InputError
from ragkit.index.folder import DATABASE
from ragkit.readers import SUFFIXES, is_supported


@dataclass(frozen=True, slots=True)
class FailedFile:
    """A file that was named or found and could not be read, and why.

    Attributes:
        reason: What is said of the path: `is empty`, `cannot be read: permission denied`.
    """

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path} {self.reason}"

    def to_dict(self) -> dict[str, str]:
        """The file and the reason as JSON."""
        return {"path": self.path, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file to index.

    Attributes:
        path: What the document will be called, unless that name is taken.
        file: As it was given or found.
        real: The same, absolute, links resolved.
        root: The argument it came from, normalised.
    """

    path: str
    file: Path
    real: Path
    root: str


@dataclass(slots=True)
class Found:
    """All that the arguments mean.

    Attributes:
        files: Each real file once, in the order of the arguments and of the names within each.
        failed: Those that cannot even be tried.
        skipped: How many files in folders are of no kind that can be read, or are links that lead out of the folder.
        folders: The arguments that are folders: as normalised path and real folder.
        unreadable: Real folders that could not be looked into.
    """

    files: dict[Path, FoundFile] = field(default_factory=dict)
    failed: list[FailedFile] = field(default_factory=list)
    skipped: int = 0
    folders: list[tuple[str, Path]] = field(default_factory=list)
    unreadable: list[Path] = field(default_factory=list)


def find_files(paths: Sequence[str | Path], exclude: Sequence[str] = ()) -> Found:
    """The files that the arguments mean.

    Folders are searched to the bottom. In them hidden files and folders, links that lead out and folders that hold an
    index are left alone, as is what a pattern of `exclude` matches: by name (`*.log`, `drafts`) or by path from the
    argument (`notes/old/*`).

    Raises:
        InputError: A path does not exist, or none was given.
    """
    if not paths:
        raise InputError("No path was given. Name the files or folders to index: ragkit index PATH... --index DIR")
    for path in paths:
        if not str(path) or not _exists(Path(path)):
            raise InputError(f"'{path}' does not exist. Check the path; nothing was changed")
    found = Found()
    for path in paths:
        if Path(path).is_dir():
            _add_folder(found, Path(path), exclude)
        else:
            _add_named_file(found, Path(path))
    return found


def real_path(path: str | Path) -> Path:
    """A path from the root with all links resolved, as far as they can be."""
    return Path(os.path.realpath(path))


def normalised(path: str | Path) -> str:
    """A path as documents are called by it."""
    return Path(os.path.normpath(path)).as_posix()


def _add_named_file(found: Found, file: Path) -> None:
    path = normalised(file)
    if not is_supported(file):
        found.failed.append(FailedFile(path, f"cannot be read: ragkit reads {', '.join(SUFFIXES)}"))
    elif not file.is_file():
        found.failed.append(FailedFile(path, "is neither a file nor a folder"))
    else:
        _add(found, FoundFile(path, file, real_path(file), path))


def _add_folder(found: Found, folder: Path, exclude: Sequence[str]) -> None:
    root, real_root = normalised(folder), real_path(folder)
    found.folders.append((root, real_root))
    for file in _walk(found, folder, PurePosixPath(), exclude):
        path, real = normalised(file), real_path(file)
        if not is_supported(file):
            found.skipped += 1
        elif not real.exists():
            found.failed.append(FailedFile(path, "is a link to a file that is not there"))
        elif not real.is_relative_to(real_root) or not real.is_file():
            found.skipped += 1
        else:
            _add(found, FoundFile(path, file, real, root))


def _walk(found: Found, folder: Path, below: PurePosixPath, exclude: Sequence[str]) -> Iterator[Path]:
    """Every file under a folder, by name, that is neither hidden nor excluded."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as exc:
        found.failed.append(FailedFile(normalised(folder), f"cannot be read: {exc.strerror or exc}"))
        found.unreadable.append(real_path(folder))
        return
    for entry in entries:
        place = below / entry.name
        if entry.name.startswith(".") or _is_excluded(place, exclude):
            continue
        if not entry.is_dir(follow_symlinks=False):
            if not Path(entry).is_dir():  # a link to a folder is not followed
                yield Path(entry)
        elif not Path(entry, DATABASE).exists():
            yield from _walk(found, Path(entry), place, exclude)


def _is_excluded(place: PurePosixPath, exclude: Sequence[str]) -> bool:
    patterns = [pattern.rstrip("/") for pattern in exclude]
    return any(fnmatch(place.name, pattern) or fnmatch(str(place), pattern) for pattern in patterns)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # such as a name that is too long, or a folder on the way that may not be entered
        return False


def _add(found: Found, file: FoundFile) -> None:
    try:
        file.path.encode()
    except UnicodeEncodeError:
        path = os.fsencode(file.path).decode(errors="replace")
        found.failed.append(FailedFile(path, "has a name that is not valid UTF-8"))
        return
    found.files.setdefault(file.real, file)
