"""Gold questions to the lines of a file, and a file of which single lines are changed.

Lines that are not touched stay as they are, byte for byte. Called by the command line and by `reviewing`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ragkit.durable import write_atomically
from ragkit.errors import GoldError, InputError, StorageError
from ragkit.evaluation.gold import GoldQuestion

UNREVIEWED = "unreviewed"
"""The tag of a question that no person has looked at yet."""

UNANSWERABLE = "unanswerable"
"""The tag of a question that the documents do not answer."""

STARTING_WORDS = 8
_BOM = b"\xef\xbb\xbf"


def beginning(text: str) -> str:
    """The first words of a paragraph, by which gold evidence knows it."""
    return " ".join(text.split()[:STARTING_WORDS])


def save_questions(questions: Sequence[GoldQuestion], file: Path) -> None:
    """Writes questions as a new gold file, one JSON object a line, without what has its default.

    Raises:
        GoldError: There is no question.
        InputError: The file is there already; what somebody reviewed is not overwritten.
        StorageError: The file cannot be written.
    """
    if not questions:
        raise GoldError(
            "No question could be drafted: no sentence of the documents could be asked about and found again. "
            "Give more documents, or write questions by hand"
        )
    if file.exists():
        raise InputError(f"{file} is there already, and may hold what somebody reviewed. Give another --out")
    content = b"".join(_line(_stored(question)) + b"\n" for question in questions)
    try:
        write_atomically(file, content)
    except OSError as exc:
        raise StorageError(f"The questions cannot be written to {file}: {exc.strerror}. Give another --out") from exc


def _stored(question: GoldQuestion) -> dict[str, Any]:
    """The question as a gold file has it."""
    plain = asdict(question)
    usual = {"sentence": "", "grade": 1}
    plain["evidence"] = [{k: v for k, v in one.items() if (k, v) not in usual.items()} for one in plain["evidence"]]
    always = {"id", "question", "answerable", "tags"}
    return {name: value for name, value in plain.items() if value or name in always}


def _line(entry: Mapping[str, Any]) -> bytes:
    line = json.dumps(entry, ensure_ascii=False)
    is_text = not any("\ud800" <= character <= "\udfff" for character in line)
    return (line if is_text else json.dumps(entry)).encode()


class GoldFile:
    """The lines of a gold file, of which single ones are changed or taken out."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._content = self._read()
        self.lines = self._content.splitlines(keepends=True)

    def entry(self, number: int) -> dict[str, Any] | None:
        """The question of a line, counted from 0; None if there is none in it."""
        try:
            parsed = json.loads(self.lines[number].removeprefix(_BOM))
        except ValueError:
            return None
        return parsed if isinstance(parsed, dict) and isinstance(parsed.get("question"), str) else None

    def unreviewed(self) -> list[int]:
        """Which lines hold questions that nobody has decided on."""
        found = []
        for number in range(len(self.lines)):
            tags = (self.entry(number) or {}).get("tags")
            if isinstance(tags, list) and UNREVIEWED in tags:
                found.append(number)
        return found

    def broken(self) -> list[int]:
        """Which lines hold something else than a question."""
        return [n for n, line in enumerate(self.lines) if line.strip(b" \t\r\n" + _BOM) and self.entry(n) is None]

    def replace(self, number: int, entry: Mapping[str, Any] | None) -> bytes:
        """Puts a question, or nothing, in the place of a line, writes the file, and gives back the line as it was."""
        before = self.lines[number]
        start = _BOM if before.startswith(_BOM) else b""
        end = before[len(before.rstrip(b"\r\n")) :]
        self.restore(number, start + (b"" if entry is None else _line(entry) + end))
        return before

    def restore(self, number: int, line: bytes) -> None:
        """Puts a line in its place and writes the file."""
        if self._read() != self._content:
            raise GoldError(
                f"{self._file} was changed by something else during the review. Start the review again; what was "
                "decided so far had been written"
            )
        self.lines[number] = line
        content = b"".join(self.lines)
        try:
            write_atomically(self._file, content)
        except OSError as exc:
            raise StorageError(
                f"{self._file} cannot be written: {exc.strerror}. Make room or copy it elsewhere"
            ) from exc
        self._content = content

    def _read(self) -> bytes:
        try:
            return self._file.read_bytes()
        except OSError as exc:
            raise GoldError(f"{self._file} cannot be read: {exc.strerror}. Check its name") from exc
