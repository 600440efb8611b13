"""A file enters, a `Document` with its paragraphs leaves; one module for each family of formats.

Called by `ingest`. Adding a format means one module with a function text -> spans and its suffixes in the table below.
"""

import hashlib
import stat
from collections.abc import Callable
from pathlib import Path

from ragkit.errors import DocumentError
from ragkit.readers.decoding import decode
from ragkit.readers.markdown import markdown_spans
from ragkit.readers.spans import Span
from ragkit.readers.text import text_spans
from ragkit.records import Document, DocumentRef, Paragraph

READER_VERSION = 1
"""Recorded in the index; raised whenever a file would give other text or other paragraphs than before."""

MAX_FILE_BYTES = 64 * 1024 * 1024
"""Larger files are exports and dumps rather than documents, and their text is held in memory several times over."""

_READERS: dict[str, Callable[[str], list[Span]]] = {
    ".txt": text_spans,
    ".text": text_spans,
    ".log": text_spans,
    ".md": markdown_spans,
    ".markdown": markdown_spans,
}

SUFFIXES = tuple(_READERS)
"""What the names of readable files end in, in lower case."""


def is_supported(path: Path) -> bool:
    """Whether the file's suffix is one that ragkit reads; letter case does not matter."""
    return path.suffix.lower() in _READERS


def read_document(file: Path, path: str) -> Document:
    """The text of a file and its paragraphs, recorded under the name `path`.

    Raises:
        DocumentError: The file is unreadable, too large, binary, empty, or of a format that ragkit does not read.
    """
    name = path if path.isprintable() else repr(path)
    if not is_supported(file):
        raise DocumentError(f"{name} cannot be read: ragkit reads {', '.join(SUFFIXES)}. Convert it or leave it out.")
    data = _read_bytes(file, name)
    text = decode(data, name)
    ref = DocumentRef(path=path, id=f"sha256:{hashlib.sha256(data).hexdigest()}")
    paragraphs = tuple(
        Paragraph(ref, number, span.start, span.end, text[span.start : span.end], span.kind, span.headings, span.page)
        for number, span in enumerate(_READERS[file.suffix.lower()](text), start=1)
    )
    if not paragraphs:
        raise DocumentError(f"{name} is empty: there is no text in it. Add some or leave it out.")
    return Document(ref, text, paragraphs)


def _read_bytes(file: Path, name: str) -> bytes:
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            raise DocumentError(f"{name} is not a file. Give a file or a folder of files.")
        if status.st_size > MAX_FILE_BYTES:
            size = f"{status.st_size:,} bytes, and the limit is {MAX_FILE_BYTES:,}"
            raise DocumentError(f"{name} is too large: {size}. Split it into parts or leave it out.")
        return file.read_bytes()
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        raise DocumentError(f"{name} cannot be read: {reason}. Check that it is there and readable.") from exc
