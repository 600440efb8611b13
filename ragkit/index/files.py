"""Which files the arguments of `ragkit index` mean, and under which path each becomes a document.

Called by `ingest`, before anything is written. A document's path is the argument joined with what lies under it,
normalised, with forward slashes: `./seeds` gives `seeds/a.txt`, an absolute argument gives absolute paths.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ragkit.errors import InputError
from ragkit.index.folder import DATABASE
from ragkit.index.patterns import IGNORE_FILE, Patterns, Selection, read_ignore_file
from ragkit.readers import is_supported
from ragkit.readers.opening import printable

ALL = Selection()
"""Whatever ragkit reads and is of the usual size."""


@dataclass(frozen=True, slots=True)
class FailedFile:
    """A file that was named or found and could not be read, and why.

    Attributes:
        reason: What is said of the path: `is empty`, `cannot be read: permission denied`.
    """

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{printable(self.path)} {self.reason}"

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


def find_files(paths: Sequence[str | Path], selection: Selection = ALL) -> Found:
    """The files that the arguments mean.

    Folders are searched to the bottom. In them hidden files and folders, links to folders, links that lead out and
    folders that hold an index are left alone, as is what the selection or a `.ragkitignore` on the way leaves out.

    Raises:
        InputError: A path does not exist, none was given, or a pattern is none.
    """
    if not paths:
        raise InputError("No path was given. Name the files or folders to index: ragkit index PATH... --index DIR")
    for path in paths:
        if not str(path) or not _exists(Path(path)):
            raise InputError(f"'{path}' does not exist. Check the path; nothing was changed")
    found = Found()
    search = _Search(found, selection)
    for path in paths:
        if Path(path).is_dir():
            search.add_folder(Path(path))
        else:
            search.add_named_file(Path(path))
    return found


def real_path(path: str | Path) -> Path:
    """A path from the root with all links resolved, as far as they can be."""
    return Path(os.path.realpath(path))


def normalised(path: str | Path) -> str:
    """A path as documents are called by it."""
    return Path(os.path.normpath(path)).as_posix()


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder on the way down.

    Attributes:
        file: As it was given or found.
        path: As documents in it are called, up to the slash; empty for the working folder.
        below: The same from the argument on.
        real: Absolute, links resolved.
        ignores: The patterns of the ignore files in it and above it, outermost first, each with the length of the
            part of `below` that leads to its file.
    """

    file: str
    path: str
    below: str
    real: Path
    ignores: tuple[tuple[int, Patterns], ...] = ()

    def enter(self, name: str) -> "_Folder":
        """A folder in it that is no link."""
        file = os.path.join(self.file, name)  # noqa: PTH118 - a `Path` for each step would take most of the time
        return _Folder(file, f"{self.path}{name}/", f"{self.below}{name}/", self.real / name, self.ignores)

    def ignoring(self, patterns: Patterns) -> "_Folder":
        """The same with the patterns of its own ignore file."""
        return _Folder(self.file, self.path, self.below, self.real, (*self.ignores, (len(self.below), patterns)))

    def ignores_entry(self, place: str) -> bool:
        """Whether an ignore file leaves out an entry; the innermost that says anything decides."""
        verdicts = (patterns.verdict(place[length:]) for length, patterns in reversed(self.ignores))
        return next((verdict for verdict in verdicts if verdict is not None), False)


class _Search:
    """One search through what was given, noted in `found`."""

    def __init__(self, found: Found, selection: Selection):
        self._found = found
        self._max_bytes = selection.max_bytes
        self._include = Patterns(selection.include) if selection.include else None
        self._exclude = Patterns(selection.exclude)

    def add_named_file(self, file: Path) -> None:
        """Takes a file whatever it is called, if it can be read."""
        path = normalised(file)
        if not is_supported(file):
            kind = f"{printable(file.suffix)} files" if file.suffix else "files without a suffix"
            self._fail(path, f"cannot be read: ragkit does not know {kind}. Convert it or leave it out")
        elif not file.is_file():
            self._fail(path, "is neither a file nor a folder")
        else:
            self._add(FoundFile(path, file, real_path(file), path), _size(file))

    def add_folder(self, folder: Path) -> None:
        """Takes what is wanted of all that lies under a folder."""
        root, real_root = normalised(folder), real_path(folder)
        self._found.folders.append((root, real_root))
        prefix = "" if root == "." else f"{root.rstrip('/')}/"
        links = []
        for parent, entry in self._walk(_Folder(str(folder), prefix, "", real_root)):
            file, path = Path(entry), parent.path + entry.name
            if not is_supported(file):
                self._found.skipped += 1
                continue
            try:
                if entry.is_symlink():
                    links.append(FoundFile(path, file, real_path(file), root))
                elif entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    self._add(FoundFile(path, file, parent.real / entry.name, root), status.st_size)
                else:
                    self._found.skipped += 1
            except OSError as exc:
                self._fail(path, f"cannot be read: {exc.strerror or exc}")
        for link in links:  # last, so that a file that is found itself goes by its own name
            try:
                self._add_link(link, real_root)
            except OSError as exc:
                self._fail(link.path, f"cannot be read: {exc.strerror or exc}")

    def _walk(self, top: _Folder) -> Iterator[tuple[_Folder, "os.DirEntry[str]"]]:
        """Every file and link under a folder that is wanted, by name within each folder."""
        open_folders = [(top, iter(self._entries(top)))]
        while open_folders:
            folder, entries = open_folders[-1]
            entry = next(entries, None)
            if entry is None:
                open_folders.pop()
            elif entry.name == IGNORE_FILE:
                patterns = read_ignore_file(Path(entry), folder.path + entry.name)
                open_folders[-1] = (folder.ignoring(patterns), entries)
            elif not entry.name.startswith("."):
                is_folder = _is_folder(entry)
                if not self._is_wanted(folder, entry.name, is_folder):
                    continue
                if is_folder:
                    inner = folder.enter(entry.name)
                    open_folders.append((inner, iter(self._entries(inner))))
                elif not entry.is_symlink() or not os.path.isdir(entry):  # noqa: PTH112 - `Path.is_dir` may raise
                    yield folder, entry

    def _entries(self, folder: _Folder) -> list["os.DirEntry[str]"]:
        """What lies in a folder, the ignore file first; nothing if an index does."""
        try:
            with os.scandir(folder.file) as scan:
                entries = sorted(scan, key=lambda entry: (entry.name != IGNORE_FILE, entry.name))
        except OSError as exc:
            self._fail(normalised(folder.file), f"cannot be read: {exc.strerror or exc}")
            self._found.unreadable.append(folder.real)
            return []
        holds_index = bool(folder.below) and any(entry.name == DATABASE for entry in entries)
        return [] if holds_index else entries

    def _is_wanted(self, folder: _Folder, name: str, is_folder: bool) -> bool:
        place = f"{folder.below}{name}/" if is_folder else folder.below + name
        if self._exclude.verdict(place) or (folder.ignores and folder.ignores_entry(place)):
            return False
        return is_folder or self._include is None or bool(self._include.verdict(place))

    def _add_link(self, link: FoundFile, real_root: Path) -> None:
        if not link.real.exists():
            self._fail(link.path, "is a link to a file that is not there")
        elif not link.real.is_relative_to(real_root) or not link.real.is_file():
            self._found.skipped += 1
        else:
            self._add(link, _size(link.real))

    def _add(self, file: FoundFile, size: int) -> None:
        if _printable(file.path) != file.path:
            self._fail(file.path, "has a name that is not valid UTF-8")
        elif size > self._max_bytes:
            sizes = f"{size:,} bytes, and the limit is {self._max_bytes:,}"
            self._fail(file.path, f"is too large: {sizes}. Raise max_file_mb in the settings or leave it out")
        else:
            self._found.files.setdefault(file.real, file)

    def _fail(self, path: str, reason: str) -> None:
        self._found.failed.append(FailedFile(_printable(path), reason))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # such as a name that is too long, or a folder on the way that may not be entered
        return False


def _printable(path: str) -> str:
    """The path with question marks for what is not valid UTF-8."""
    return path if path.isascii() else os.fsencode(path).decode(errors="replace")


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:  # it vanished, on a file system that does not say what an entry is
        return False


def _size(file: Path) -> int:
    """In bytes; nothing if the file is gone, which is reported when it is to be read."""
    try:
        return file.stat().st_size
    except OSError:
        return 0
