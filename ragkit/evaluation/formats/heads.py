"""The files of a dataset, opened: what their first object looks like, and their lines one after the other.

What a file is, is told by what it holds rather than by its name. Called by the modules of the single formats.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ValidationError
from pydantic_core import from_json

from ragkit.errors import DocumentError, GoldError
from ragkit.evaluation.gold import OnBroken, describe_first_problem, read_text
from ragkit.readers.decoding import decode

HEAD_BYTES = 262_144
DELIMITERS = ",;\t"

Entry = TypeVar("Entry", bound=BaseModel)
Text = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int | float) else value)]
"""A text, or a number taken as one: some datasets count their entries."""


@dataclass(frozen=True, slots=True)
class Head:
    """How a file begins.

    Attributes:
        text: Its first 256 KiB or less; empty for a file that is not text.
        keys: Those of the first JSON object, be it the whole file, a line, or the first of a list; empty without one.
        columns: The first line as the header of a table, names folded as by `fold_name`; empty if the file is JSON.
    """

    file: Path
    text: str
    keys: frozenset[str]
    columns: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """The lines with anything on them, without the last, which may be cut off, where there are several."""
        lines = self.text.split("\n")
        return [line for line in (lines[:-1] if len(lines) > 1 else lines) if line.strip()]


def read_head(file: Path, size: int = HEAD_BYTES) -> Head:
    """How a file begins, by that many bytes of it; GoldError if it cannot be read."""
    try:
        with file.open("rb") as opened:
            text = decode(opened.read(size), file.name)
    except OSError as error:
        raise GoldError(f"{file} cannot be read: {error.strerror or error}.") from error
    except DocumentError:
        text = ""
    return Head(file, text, frozenset(_first_object(text)), _columns(text))


def _first_object(text: str) -> dict[str, Any]:
    """The first JSON object of a text that may break off anywhere and go on with others."""
    try:
        value = from_json(text.lstrip(), allow_partial=True)
    except ValueError:
        return {}
    first = value[0] if isinstance(value, list) and value else value
    return first if isinstance(first, dict) else {}


def _columns(text: str) -> tuple[str, ...]:
    first = text.lstrip().partition("\n")[0]
    if first[:1] in ("{", "[", "<", ""):
        return ()
    return tuple(fold_name(name) for name in next(csv.reader([first], delimiter=_delimiter(first)), []))


def _delimiter(header: str) -> str:
    """Whichever of comma, semicolon and tab the header has most of."""
    return max(DELIMITERS, key=header.count)


def fold_name(name: str) -> str:
    """The name of a key or column in small letters and digits only: "Ground Truth" and ground_truth are the same."""
    return "".join(character for character in name.lower() if character.isalnum())


def read_objects(file: Path, what: str, on_broken: OnBroken) -> Iterator[tuple[str, Any]]:
    """Where it stands and the value of each JSON object of a file: of its lines, or of the list that it is.

    Args:
        file: UTF-8.
        what: The name of the format, for messages.
        on_broken: Told of lines that are not JSON.
    """
    if read_head(file).text.lstrip()[:1] == "[":
        try:
            listed = json.loads(read_text(file))
        except json.JSONDecodeError as error:
            on_broken(GoldError(f"{file} is not {what}: not valid JSON: {error.msg} in line {error.lineno}."))
            return
        yield from ((f"{file}, entry {number}", value) for number, value in enumerate(listed, start=1))
        return
    for number, line in _numbered_lines(file):
        where = f"{file}, line {number}"
        try:
            value = from_json(line)
        except ValueError as error:
            on_broken(GoldError(f"{where}: not {what}: not valid JSON: {error}."))
        else:
            yield where, value


def read_entries(file: Path, model: type[Entry], what: str, on_broken: OnBroken) -> Iterator[tuple[str, Entry]]:
    """Where it stands and what it says, for each JSON object of a file that fits the model.

    Args:
        file: UTF-8; one object a line, or a list of them.
        model: What an object must hold.
        what: The name of the format, for messages.
        on_broken: Told of the others.
    """
    for where, value in read_objects(file, what, on_broken):
        try:
            yield where, model.model_validate(value)
        except ValidationError as error:
            on_broken(GoldError(f"{where}: not {what}: {describe_first_problem(error)}."))


def _numbered_lines(file: Path) -> Iterator[tuple[int, str]]:
    """The lines with anything on them, one after the other, so that a large file is never in memory."""
    try:
        with file.open(encoding="utf-8-sig", newline="\n") as opened:
            yield from ((number, line) for number, line in enumerate(opened, start=1) if line.strip())
    except OSError as error:
        raise GoldError(f"{file} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise GoldError(f"{file} is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error


def read_foreign_text(file: Path) -> str:
    """The text of a file in whatever encoding it is; GoldError if it cannot be read or is not text."""
    try:
        return decode(file.read_bytes(), str(file))
    except OSError as error:
        raise GoldError(f"{file} cannot be read: {error.strerror or error}.") from error
    except DocumentError as error:
        raise GoldError(str(error)) from error


def read_table(file: Path, on_broken: OnBroken) -> Iterator[tuple[str, dict[str, str]]]:
    """Where it ends and its cells by folded column name, for each row of a table whose first line names the columns.

    Commas, semicolons or tabs part the cells, whichever the first line has most of. Empty rows are passed over.
    """
    text = read_foreign_text(file)
    table = text.lstrip()
    above = text[: len(text) - len(table)].count("\n")
    rows = csv.reader(StringIO(table, newline=""), delimiter=_delimiter(table.partition("\n")[0]), strict=True)
    try:
        names = [fold_name(name) for name in next(rows, [])]
        for cells in rows:
            where = f"{file}, line {rows.line_num + above}"
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) == len(names):
                yield where, dict(zip(names, cells, strict=True))
            else:
                on_broken(GoldError(f"{where}: {len(cells)} cells, but the first line names {len(names)} columns."))
    except csv.Error as error:  # such as a quotation mark that is never closed: what follows cannot be told apart
        on_broken(GoldError(f"{file}, line {rows.line_num + above}: not a table from here on: {error}."))
