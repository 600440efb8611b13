"""Files enter, documents leave, and whatever a file does to its reader happens in another process.

The libraries that take PDF, Office and web pages apart are large, partly written in C, and are given files from
anywhere. So a child process reads, with bounded memory and time; what it says is checked. It is kept for many files,
and when it dies or hangs, that file is reported and the next one gets a new child. This keeps broken and greedy files
from doing harm. It is no sandbox: code that a file smuggled in would run with the user's rights. Called by `ingest`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from ragkit.errors import DocumentError
from ragkit.readers.extraction import Extracted, Source, document_of
from ragkit.readers.formats import format_of
from ragkit.readers.isolation.child import Child, worker_command
from ragkit.readers.isolation.wire import Limits, Request, decode_reply, encode_request
from ragkit.readers.opening import Read, ReadOptions, bytes_of, printable
from ragkit.records import DocumentRef

TIMEOUT_S = 120.0
"""The longest texts that are allowed take some ten seconds."""

OCR_PATIENCE = 10
"""With OCR a file has this many times the time: a page takes seconds instead of milliseconds."""

MEMORY_BYTES = 2 * 1024**3
"""A parsed file is some ten times as large as its bytes, and few are larger than a tenth of this."""

FILES_PER_CHILD = 1_000
"""A child is replaced after so many files, so that what libraries lose of their memory is regained."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file that was read into memory and is not yet taken apart."""

    ref: DocumentRef
    data: bytes


class DocumentReader:
    """Reads files in a child process; to be used as a context manager, by one thread at a time."""

    def __init__(
        self,
        options: ReadOptions,
        timeout_s: float = TIMEOUT_S,
        memory_bytes: int = MEMORY_BYTES,
        *,
        _command: Sequence[str] | None = None,
    ) -> None:
        self._options = options
        self._timeout_s = timeout_s * (OCR_PATIENCE if options.use_ocr else 1)
        limits = Limits(memory_bytes, self._timeout_s, options.use_ocr)
        self._command = tuple(_command or worker_command(limits))
        self._child: Child | None = None

    def __enter__(self) -> "DocumentReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the child, by force if it must be; the next file would start a new one."""
        child, self._child = self._child, None
        if child is not None:
            child.close()

    def read(self, file: Path, path: str) -> Read:
        """The document in a file, recorded under the name `path`, and what of it could not be read.

        Raises:
            DocumentError: The file is unreadable, or whatever happened to the child that read it.
        """
        return self.parse(self.load(file, path))

    def load(self, file: Path, path: str) -> Loaded:
        """The bytes of a file, to be recorded under the name `path`; raises DocumentError if they cannot be had."""
        data = bytes_of(file, printable(path), self._options.max_bytes)
        return Loaded(DocumentRef(path, f"sha256:{hashlib.sha256(data).hexdigest()}"), data)

    def parse(self, loaded: Loaded) -> Read:
        """The document in the bytes of a file, and what of it could not be read; raises what `read` does.

        What ragkit alone reads, without a library, is read in this process.
        """
        name = printable(loaded.ref.path)
        found = format_of(name)
        if found is not None and found.is_plain:
            extracted = found.read(Source(name, loaded.data, found.read))
        else:
            extracted = self._extract(Request(name, loaded.data, self._options))
        return Read(document_of(loaded.ref, extracted), extracted.warnings)

    def _extract(self, request: Request) -> Extracted:
        """What the child found; a child that failed in any way but by saying so is ended."""
        try:
            child = self._running_child()
            return decode_reply(child.ask(encode_request(request), self._timeout_s))
        except DocumentError as exc:
            reason = str(exc)
            raise DocumentError(
                reason if reason.startswith(request.name) else f"{request.name} cannot be read: {reason}"
            ) from None
        except TimeoutError:
            reason = (
                f"took longer than {self._timeout_s:g} s to read and was given up. "
                "Leave it out, or raise read_timeout_s in the settings"
            )
        except (EOFError, OSError) as exc:
            reason = f"cannot be read: the reader process {self._ending(exc)}. Convert it or leave it out"
        except ValueError:
            reason = "cannot be read: the reader process answered what is no answer. Convert it or leave it out"
        except BaseException:
            self._kill()
            raise
        self._kill()
        raise DocumentError(f"{request.name} {reason}")

    def _running_child(self) -> Child:
        """The child; a new one if it has read enough, or has ended since the last file and so not because of it."""
        if self._child is not None and (self._child.files >= FILES_PER_CHILD or self._child.has_ended()):
            self.close()
        if self._child is None:
            self._child = Child(self._command)
        return self._child

    def _ending(self, exc: Exception) -> str:
        if self._child is None:
            return f"did not start ({printable(str(exc))})"
        return f"ended ({self._child.ending()})"

    def _kill(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
