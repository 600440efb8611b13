"""A suite: gold questions together with the documents that they are asked of.

Made by `datasets`, run by `run`. The documents are read here anew, past the index, so that evidence and quotations are
checked against the files themselves.
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

from ragkit.errors import SettingsError
from ragkit.evaluation.gold import GoldQuestion, check_evidence, is_same_document
from ragkit.evaluation.measures.metrics import METRIC_NAMES
from ragkit.readers import read_document
from ragkit.records import Document, Paragraph


@dataclass(frozen=True, slots=True)
class Suite:
    """Questions and the files and folders to index for them.

    Attributes:
        exclude: Patterns of file names in those folders that are no documents of the suite.
        thresholds: Metric name to the value it must not be worse than.
        settings: Names and values of settings that the suite is to be run with; all others are the caller's.
    """

    name: str
    documents: tuple[Path, ...]
    questions: tuple[GoldQuestion, ...]
    exclude: tuple[str, ...] = ()
    thresholds: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def list_files(self) -> dict[str, Path]:
        """Every document file of the suite under the path that citations give it, sorted."""
        listed = {}
        for place in self.documents:
            for file in (f for f in place.rglob("*") if f.is_file()) if place.is_dir() else [place]:
                hidden = any(part.startswith(".") for part in file.relative_to(place).parts)
                if not hidden and not any(fnmatch(file.name, pattern) for pattern in self.exclude):
                    listed[file.relative_to(place.parent).as_posix()] = file
        return dict(sorted(listed.items()))

    def fingerprint(self) -> str:
        """`sha256:` of questions and documents: two results with the same one answer the same exam."""
        digest = hashlib.sha256(json.dumps([asdict(q) for q in self.questions], ensure_ascii=False).encode())
        for path, file in self.list_files().items():
            digest.update(f"\n{path} {hashlib.sha256(file.read_bytes()).hexdigest()}".encode())
        return f"sha256:{digest.hexdigest()}"

    def check_evidence(self) -> None:
        """Raise GoldError unless each gold paragraph stands in its document where the questions say."""
        read = self.open_reader()

        def paragraphs_of(path: str) -> Sequence[Paragraph]:
            document = read(path)
            return document.paragraphs if document else ()

        check_evidence(self.questions, paragraphs_of)

    def open_reader(self) -> Callable[[str], Document | None]:
        """A function from a document's path, in gold evidence or a citation, to the document; None for strange paths.

        Each file is read once. The function raises DocumentError where a file cannot be read.
        """
        files = self.list_files()
        find = document_finder(files)

        @cache
        def read(path: str) -> Document | None:
            name = find(path)
            return None if name is None else read_document(files[name], path)

        return read


def document_finder(paths: Iterable[str]) -> Callable[[str], str | None]:
    """A function from a document's path, as gold evidence or a citation has it, to the first of `paths` that is it."""
    known: dict[str, list[str]] = {}
    for path in paths:
        known.setdefault(_file_name(path), []).append(path)

    def find(path: str) -> str | None:
        candidates = known.get(_file_name(path), [])
        return path if path in candidates else next((one for one in candidates if is_same_document(one, path)), None)

    return find


def _file_name(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1]


def check_thresholds(thresholds: Mapping[str, float]) -> None:
    """Raise SettingsError for a metric that does not exist or a threshold that is not a finite number."""
    for name, threshold in thresholds.items():
        if name not in METRIC_NAMES:
            raise SettingsError(f"There is no metric {name!r} to set a threshold on; known: {', '.join(METRIC_NAMES)}.")
        if not math.isfinite(threshold):
            raise SettingsError(f"The threshold of {name} must be a finite number, not {threshold}.")
