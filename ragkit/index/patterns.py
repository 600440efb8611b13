"""Patterns for files, written as in .gitignore, enter; whether a path is among what they mean leaves.

`Selection` says what to take of the folders that were given: by patterns of the caller and by size. A `.ragkitignore`
anywhere in a tree leaves out more. Called by `files`.
"""

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ragkit.errors import InputError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".ragkitignore"
"""The name of the files that say what of their folder, and of those below it, is left out."""

DEFAULT_MAX_BYTES = 64 * 1024 * 1024
"""Larger files are exports and dumps rather than documents."""

MAX_IGNORE_BYTES = 64 * 1024
"""Every path is held against every line; a longer list is no list that a person wrote."""

MAX_STARS = 4
"""So many wildcards in one part of a path; with each more, a long name may take a hundred times longer to compare."""

_STARS = re.compile(r"\*+")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which files of a folder are taken; what is named itself is held against its size only.

    Attributes:
        include: Patterns of which a file must match one, if there are any.
        exclude: Patterns of files and folders that are left out, whatever else is said.
        max_bytes: Larger files are reported rather than taken.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    max_bytes: int = DEFAULT_MAX_BYTES


class Patterns:
    """A list of patterns, of which the last that matches a path decides."""

    def __init__(self, patterns: Iterable[str], origin: str = ""):
        """Reads the patterns.

        Args:
            patterns: One a line, with blank lines and comments.
            origin: The file they are from, for messages.

        Raises:
            InputError: One of them is no pattern.
        """
        spec = _spec(list(patterns), origin)
        self._check = spec.check_file if spec.patterns else None

    def verdict(self, path: str) -> bool | None:
        """Whether a path relative to the folder of the patterns is meant; None if no pattern matches it.

        Args:
            path: With forward slashes, and one at the end if it is a folder.
        """
        return self._check(path).include if self._check else None


def read_ignore_file(file: Path, path: str) -> Patterns:
    """The patterns of a `.ragkitignore`, which is called `path` in messages.

    Raises:
        InputError: It cannot be read or a line of it is no pattern: files that nobody wants indexed may be at stake.
    """
    try:
        is_file = file.is_file()
        data = file.read_bytes() if is_file and file.stat().st_size <= MAX_IGNORE_BYTES else None
    except OSError as exc:
        raise InputError(f"'{path}' cannot be read: {exc.strerror or exc}. Make it readable or delete it") from exc
    if not is_file:
        raise InputError(f"'{path}' is not a file. Make it one or delete it")
    if data is None:
        raise InputError(f"'{path}' has more than {MAX_IGNORE_BYTES:,} bytes. Leave out whole folders instead of files")
    return Patterns(data.decode("utf-8-sig", errors="replace").splitlines(), path)


def _spec(lines: list[str], origin: str) -> "GitIgnoreSpec":
    from pathspec import GitIgnoreSpec

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of `re`, about a set in a set
        for number, line in enumerate(lines, start=1):
            reason = _fault(line)
            if reason:
                place = f"Line {number} of '{origin}', '{line}'," if origin else f"'{line}'"
                raise InputError(f"{place} is not a pattern for files: {reason}. Write it as in .gitignore")
        return GitIgnoreSpec.from_lines(lines)


def _fault(line: str) -> str | None:
    """What is wrong with a pattern, if anything is."""
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    if any(len(_STARS.findall(part)) > MAX_STARS for part in line.split("/")):
        return f"it has more than {MAX_STARS} wildcards between two slashes"
    try:
        means_nothing = GitIgnoreSpecPattern(line).include is None
    except re.error as exc:
        return exc.msg
    except ValueError:
        return "it ends too early"
    return "it means nothing" if means_nothing and line.strip() and not line.startswith("#") else None
