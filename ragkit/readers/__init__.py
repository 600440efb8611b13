"""A file enters, a `Document` with its paragraphs leaves; one module for each family of formats.

Adding a format means one module with a function `Source` -> `Extracted` and a line in the table of `formats`. Files
that nobody vouches for are read through `isolation`, in another process; `read_document` reads in this one.
"""

import hashlib
from pathlib import Path, PurePath

from ragkit.errors import DocumentError
from ragkit.readers.extraction import Extracted, Source, document_of
from ragkit.readers.formats import FORMATS, OLD_OFFICE, format_of
from ragkit.readers.opening import ReadOptions, bytes_of, printable
from ragkit.records import Document, DocumentRef

MAX_FILE_BYTES = 64 * 1024 * 1024
"""Larger files are exports and dumps rather than documents, and their text is held in memory several times over."""

MAX_REASON_CHARS = 200
"""Of what an exception says; some say all that they were parsing."""

SUFFIXES = tuple(FORMATS)
"""What the names of readable files end in, in lower case."""


def is_supported(path: str | PurePath) -> bool:
    """Whether the file's suffix is one that ragkit reads; letter case does not matter."""
    return format_of(path) is not None


def reader_of(path: str | PurePath) -> str:
    """The reader for a file of a readable name, with its version."""
    found = format_of(path)
    return found.reader if found is not None else ""


def extract(name: str, data: bytes, options: ReadOptions) -> Extracted:
    """All that the bytes of a file hold.

    Raises:
        DocumentError: It is broken, protected, too large, or of a format that ragkit does not read.
        MemoryError: It needs more than there is.
    """
    return _read(Source(name, data, _read, use_ocr=options.use_ocr, is_readable=is_supported))


def _read(source: Source) -> Extracted:
    found = format_of(source.name)
    if found is None:
        suffix = PurePath(source.name).suffix.lower()
        cure = f"Save it as {OLD_OFFICE[suffix]}" if suffix in OLD_OFFICE else "Convert it"
        kind = printable(suffix) or "such"
        raise DocumentError(f"{source.name} cannot be read: ragkit does not know {kind} files. {cure} or leave it out.")
    try:
        return found.read(source)
    except (DocumentError, MemoryError):
        raise
    except Exception as exc:
        what = printable(" ".join(f"{type(exc).__name__}: {exc}"[:MAX_REASON_CHARS].split()))
        raise DocumentError(
            f"{source.name} cannot be read: its {found.name} reader failed ({what}). Convert it or leave it out."
        ) from exc


def read_document(file: Path, path: str, options: ReadOptions | None = None) -> Document:
    """The text of a file and its paragraphs, recorded under the name `path`; read in this process.

    Raises:
        DocumentError: The file is unreadable, too large, binary, empty, or of a format that ragkit does not read.
    """
    options = options or ReadOptions(MAX_FILE_BYTES)
    name = printable(path)
    if not is_supported(file):
        _read(Source(name, b"", _read))
    data = bytes_of(file, name, options.max_bytes)
    ref = DocumentRef(path, f"sha256:{hashlib.sha256(data).hexdigest()}")
    return document_of(ref, extract(name, data, options))
