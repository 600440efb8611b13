"""Texts of a dataset to plain text files, so that they go through the same readers and the same index as anybody's.

Where a text will stand once its file is read is found out with the reader itself: what a dataset calls a paragraph may
come back as several, and a list item comes back without its mark. Used by every module here that brings documents.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import unquote

from ragkit.errors import StorageError
from ragkit.evaluation.gold import GoldEvidence, GoldQuestion
from ragkit.readers.text import text_spans

STARTING_WORDS = 8
LONGEST_NAME = 80
LONGEST_NAME_BYTES = 200  # file systems allow 255
_UNREADABLE = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\ufffd]")


@dataclass(frozen=True, slots=True)
class WrittenParagraph:
    """A paragraph as the reader of the file will find it."""

    document: str
    number: int
    text: str

    def as_evidence(self, sentence: str = "", grade: int = 1) -> GoldEvidence:
        """The paragraph as gold; the sentence is left out where it does not stand in it."""
        stands = sentence if one_line(sentence) in one_line(self.text) else ""
        return GoldEvidence(self.document, self.number, first_words(self.text), stands, grade)


@dataclass(frozen=True, slots=True)
class WrittenDocument:
    """A document on its way to its file.

    Attributes:
        starts: Where in the text each of the blocks begins that it was made of.
    """

    name: str
    text: str
    starts: tuple[int, ...]

    def read_paragraphs(self) -> list[tuple[WrittenParagraph, ...]]:
        """For each block the paragraphs in it; a paragraph that runs over several blocks is in each of them."""
        ends = (*self.starts[1:], len(self.text))
        spans = [(number, span.start, span.end) for number, span in enumerate(text_spans(self.text), start=1)]
        return [
            tuple(WrittenParagraph(self.name, n, self.text[s:e]) for n, s, e in spans if s < end and e > start)
            for start, end in zip(self.starts, ends, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Questions, with the documents that they are asked of if the dataset brings any."""

    name: str
    questions: tuple[GoldQuestion, ...]
    documents: "DocumentWriter | None" = None


class DocumentWriter:
    """Documents of a dataset on their way to files: gives each a name that is safe, unique and always the same."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._taken: set[str] = set()
        self._numbers: dict[str, count[int]] = {}
        self._names: dict[tuple[str, str], str] = {}

    def add(self, title: str, blocks: Sequence[str]) -> WrittenDocument:
        """A document made of blocks of text with blank lines between them; the same one if it was added before."""
        cleaned = [clean(block).strip() for block in blocks]
        starts, start = [], 0
        for block in cleaned:
            starts.append(start)
            start += len(block) + 2
        text = "\n\n".join(cleaned) + "\n"
        if (title, text) not in self._names:
            name = self._new_name(title)
            self._names[title, text] = name
            self.texts[name] = text
        return WrittenDocument(self._names[title, text], text, tuple(starts))

    def write(self, name: str, into: Path) -> Path:
        """The folder with all the files. Its name holds a hash of them, so no file of another version lies in it.

        Raises:
            StorageError: The disk refused.
        """
        digest = hashlib.sha256(json.dumps(self.texts).encode()).hexdigest()[:8]
        folder = into / f"{name}-{digest}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for file_name, text in self.texts.items():
                file, content = folder / file_name, text.encode()
                if not file.is_file() or file.read_bytes() != content:
                    file.write_bytes(content)
        except OSError as exc:
            problem = f"The documents of {name} cannot be written to {folder}: {exc.strerror or exc}"
            raise StorageError(f"{problem}. Make room there or let another folder be the cache") from exc
        return folder

    def _new_name(self, title: str) -> str:
        stem = re.sub(r"[^\w.-]+", "_", unquote(title)).strip("._")[:LONGEST_NAME]
        stem = stem.encode()[:LONGEST_NAME_BYTES].decode(errors="ignore") or "untitled"
        numbers = self._numbers.setdefault(stem.casefold(), count(1))
        numbered = (f"{stem}.txt" if number == 1 else f"{stem}-{number}.txt" for number in numbers)
        name = next(name for name in numbered if name.casefold() not in self._taken)
        self._taken.add(name.casefold())
        return name


def kind_tags(answerable: bool) -> tuple[str, ...]:
    """The tag of a question by whether the documents answer it."""
    return ("answerable",) if answerable else ("unanswerable",)


def clean(text: str) -> str:
    """The text with LF as its only line end, and spaces for what a reader of text files would take for binary."""
    return _UNREADABLE.sub(" ", re.sub(r"\r\n?", "\n", text.removeprefix("\ufeff")))


def one_line(text: str) -> str:
    """The text on one line, with single spaces."""
    return " ".join(clean(text).split())


def first_words(text: str) -> str:
    """Enough of the beginning of a text to know it by."""
    return " ".join(text.split()[:STARTING_WORDS])
