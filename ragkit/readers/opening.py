"""The path of a file enters, its bytes leave, and how it is to be read and what was read are said here.

Called by `ragkit.readers`, which reads in this process, and by `isolation`, which has another process read.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from ragkit.errors import DocumentError
from ragkit.records import Document


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How files are read.

    Attributes:
        max_bytes: Larger files are refused.
        use_ocr: Whether pages that are pictures are to be recognised.
    """

    max_bytes: int
    use_ocr: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of one file.

    Attributes:
        document: Its text and paragraphs.
        warnings: What of it could not be read, as the end of a sentence that begins with its name.
    """

    document: Document
    warnings: tuple[str, ...] = ()


def printable(text: str) -> str:
    """The same text, or a path, on one line of a message: characters that cannot be shown are escaped."""
    return text if text.isprintable() else "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def bytes_of(file: Path, name: str, max_bytes: int) -> bytes:
    """All bytes of a regular file; `name` is what messages call it.

    Raises:
        DocumentError: It is no file, too large or unreadable.
    """
    try:
        with open(file, "rb", opener=_open_without_waiting) as opened:
            status = os.fstat(opened.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise _no_file(name)
            if status.st_size > max_bytes:
                raise _too_large(name, f"{status.st_size:,}", max_bytes)
            data = opened.read(max_bytes + 1)
    except IsADirectoryError as exc:
        raise _no_file(name) from exc
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        raise DocumentError(f"{name} cannot be read: {reason}. Check that it is there and readable.") from exc
    if len(data) > max_bytes:
        raise _too_large(name, f"more than {max_bytes:,}", max_bytes)
    return data


def _open_without_waiting(path: str, flags: int) -> int:
    """Opens a pipe that nobody writes to instead of waiting for it, so that it can be refused."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _no_file(name: str) -> DocumentError:
    return DocumentError(f"{name} is not a file. Give a file or a folder of files.")


def _too_large(name: str, size: str, max_bytes: int) -> DocumentError:
    reason = f"{size} bytes, and the limit is {max_bytes:,}"
    return DocumentError(f"{name} is too large: {reason}. Split it into parts or leave it out.")
