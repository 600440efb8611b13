"""A file of JSON lines that a user gave: each line as an object, or named with what is wrong with it. Used by `cli`."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ragkit.errors import InputError


def read_lines(file: Path, name: str) -> list[tuple[int, str]]:
    """The lines that are not empty with their numbers, from 1.

    Raises:
        InputError: The file cannot be read; `name` says which it was meant to be.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as exc:
        raise InputError(f"The {name} file {file} cannot be read: {exc}. Check the path") from exc
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def parse_object(line: str) -> dict[str, Any]:
    """One line as an object.

    Raises:
        InputError: It is not one.
    """
    try:
        given = json.loads(line)
    except ValueError as exc:
        raise InputError(f"this is not JSON ({exc}); it is left out") from exc
    if not isinstance(given, dict):
        raise InputError("this is not a JSON object; it is left out")
    return given


def each_object(file: Path, name: str, warn: Callable[[str], None]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every object of a file with the number of its line; a line that holds none is named and left out."""
    for number, line in read_lines(file, name):
        try:
            yield number, parse_object(line)
        except InputError as exc:
            warn(f"{file}, line {number}: {exc}")
