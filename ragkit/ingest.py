"""The offline path on one page: files -> documents -> chunks -> vectors -> index.

What did not change costs nothing, what was embedded once is not embedded again, and whatever stops a run leaves a whole
index behind: the old one, or the old one with the batches of documents that were finished. Called by the command line
and the library.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ragkit.chunking import chunk_document
from ragkit.errors import DocumentError, InputError, NothingIndexedError, SettingsError
from ragkit.index.changes import KnownFiles
from ragkit.index.files import FailedFile, Found, FoundFile, find_files
from ragkit.index.folder import DATABASE
from ragkit.index.spec import IndexSpec
from ragkit.index.store import FileStamp, Vector
from ragkit.index.writer import IndexWriter
from ragkit.models.embedding import Embedder
from ragkit.readers import READER_VERSION, read_document
from ragkit.records import Chunk, Document

EMBED_BATCH = 256
"""So many chunks are handed to the embedder together, whichever documents they are from."""

BATCH_S = 60.0
"""A batch is committed after this time even if it is small."""

COMMIT_SHARE = 20
"""No commit before this many times the last one's duration: a commit copies the index, at most 5 % of the time."""


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """How to index.

    Attributes:
        chunk_tokens: The most tokens a chunk may have, in the embedder's own.
        min_chunk_tokens: Below this, a chunk takes in the next paragraph if it can.
        rebuild: Make the index anew from these paths only; the old one answers until the new one is complete.
        exclude: File names, folder names or patterns that are left out of folders.
        batch_chunks: So many new chunks are committed together, so that an interrupted run loses no more.
        lock_timeout_s: How long to wait for another writer.
    """

    chunk_tokens: int
    min_chunk_tokens: int
    rebuild: bool = False
    exclude: tuple[str, ...] = ()
    batch_chunks: int = 512
    lock_timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; `path` is the file being looked at."""

    files_done: int
    files: int
    chunks_embedded: int
    path: str


@dataclass(slots=True)
class IngestReport:
    """What a run did, in files (but for `chunks_embedded`).

    Attributes:
        skipped: Files in folders that are of no kind that ragkit reads.
        failed: Those that could not be read; an older version of one stays in the index.
        generation: Of the index, as the run left it.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    skipped: int = 0
    failed: tuple[FailedFile, ...] = ()
    chunks_embedded: int = 0
    generation: int = 0
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """The report as `ragkit index --json` prints it."""
        return asdict(self) | {"failed": [file.to_dict() for file in self.failed], "seconds": round(self.seconds, 3)}


def index_paths(
    paths: Sequence[str | Path],
    folder: Path | str,
    embedder: Embedder,
    options: IngestOptions,
    on_progress: Callable[[Progress], None] | None = None,
) -> IngestReport:
    """Adds or updates files and folders; what vanished from a folder since last time leaves the index.

    Raises:
        InputError: A path does not exist; nothing was changed.
        NothingIndexedError: The index would hold nothing; what was there before stays.
        IndexMismatchError: The index was made with another embedder or other settings.
        SettingsError: Chunks may be longer than the embedder reads.
    """
    started = time.monotonic()
    if options.chunk_tokens > embedder.max_tokens:
        raise SettingsError(
            f"Chunks of up to {options.chunk_tokens} tokens are longer than the {embedder.max_tokens} that "
            f"{embedder.name} reads. Set chunk_tokens to {embedder.max_tokens} or less"
        )
    folder = Path(folder)
    found = find_files(paths, options.exclude)
    if not found.files and not (folder / DATABASE).exists():
        raise _nothing_indexed(paths, found.failed)
    spec = IndexSpec(embedder.name, embedder.dimensions, options.chunk_tokens, options.min_chunk_tokens, READER_VERSION)
    with IndexWriter.open(folder, spec, rebuild=options.rebuild, timeout_s=options.lock_timeout_s) as writer:
        run = _Run(writer, embedder, options, found, on_progress or (lambda _: None))
        for file in found.files.values():
            run.take(file)
        run.flush()
        run.remove_vanished()
        if not writer.counts().documents:
            raise _nothing_indexed(paths, found.failed)
        run.report.generation = writer.commit()
    run.report.failed = tuple(found.failed)
    run.report.seconds = time.monotonic() - started
    return run.report


def remove_paths(paths: Sequence[str | Path], folder: Path | str, lock_timeout_s: float = 10.0) -> IngestReport:
    """Takes documents out of an index: files by the path they are cited by or by where they are, or whole folders.

    Raises:
        InputError: A path is not in the index; nothing was changed.
    """
    started = time.monotonic()
    folder = Path(folder)
    with IndexWriter.open(folder, None, timeout_s=lock_timeout_s) as writer:
        known = KnownFiles(folder, writer.stamps())
        leaving: set[str] = set()
        for path in paths:
            matches = known.under(path)
            if not matches:
                raise InputError(f"'{path}' is not in index '{folder}', so nothing was removed. Check the path")
            leaving |= matches
        for path in sorted(leaving):
            writer.remove(path)
        generation = writer.commit()
    return IngestReport(removed=len(leaving), generation=generation, seconds=time.monotonic() - started)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A document on its way into the index."""

    document: Document
    chunks: list[Chunk]
    stamp: FileStamp
    is_update: bool


class _Run:
    """One run of `index_paths`: what is known, what is on its way and what was done."""

    def __init__(
        self,
        writer: IndexWriter,
        embedder: Embedder,
        options: IngestOptions,
        found: Found,
        on_progress: Callable[[Progress], None],
    ):
        self.report = IngestReport(skipped=found.skipped)
        self._writer = writer
        self._embedder = embedder
        self._options = options
        self._found = found
        self._on_progress = on_progress
        self._known = KnownFiles(writer.folder, writer.stamps())
        self._prepared: list[_Prepared] = []
        self._files_done = 0
        self._committed_at = time.monotonic()
        self._commit_s = 0.0

    def take(self, file: FoundFile) -> None:
        """Reads a file if it is new or changed; what cannot be read is noted."""
        path, ref = self._known.claim(file)
        self._show(path)
        try:
            stamp = self._known.stamp(file)
            if ref is None or not self._known.is_unchanged(ref, file, stamp):
                self._prepare(read_document(file.file, path), stamp, is_update=ref is not None)
            else:
                self.report.unchanged += 1
                if self._known.is_new_stamp(ref, stamp):
                    self._writer.touch(path, stamp)
        except DocumentError as exc:
            self._found.failed.append(FailedFile(path, str(exc).removeprefix(f"{path} ")))
        except OSError as exc:
            self._found.failed.append(FailedFile(path, f"cannot be read: {exc.strerror or exc}"))
        self._files_done += 1

    def flush(self) -> None:
        """Embeds what is on its way and puts it into the index."""
        vectors = self._vectors([chunk.embedded_text for one in self._prepared for chunk in one.chunks])
        for one in self._prepared:
            embedded = [(chunk, vectors[chunk.embedded_text]) for chunk in one.chunks]
            self._writer.put_document(one.document, embedded, one.stamp)
            self.report.updated += one.is_update
            self.report.added += not one.is_update
        self._prepared = []
        if self._is_commit_due():
            started = time.monotonic()
            self._writer.commit()
            self._committed_at = time.monotonic()
            self._commit_s = self._committed_at - started

    def remove_vanished(self) -> None:
        """Removes the documents of the folders given that are no longer there."""
        for path in self._known.vanished(self._found):
            self._writer.remove(path)
            self.report.removed += 1

    def _prepare(self, document: Document, stamp: FileStamp, *, is_update: bool) -> None:
        tokens = {"max_tokens": self._options.chunk_tokens, "min_tokens": self._options.min_chunk_tokens}
        chunks = chunk_document(document, self._embedder.count_tokens, **tokens)
        self._prepared.append(_Prepared(document, chunks, stamp, is_update))
        if sum(len(one.chunks) for one in self._prepared) >= min(EMBED_BATCH, self._options.batch_chunks):
            self.flush()

    def _vectors(self, texts: list[str]) -> dict[str, Vector]:
        """The vector of each text: the index's own where it has one, else a new one."""
        vectors: dict[str, Vector] = {}
        missing: list[str] = []
        for text in dict.fromkeys(texts):
            vector = self._writer.vector_of(text)
            if vector is None:
                missing.append(text)
            else:
                vectors[text] = vector
        if missing:
            before = self.report.chunks_embedded
            embedded = self._embedder.embed_documents(missing, self._count)
            self.report.chunks_embedded = before + len(missing)
            vectors.update(zip(missing, embedded, strict=True))
        return vectors

    def _count(self, embedded: int) -> None:
        self.report.chunks_embedded += embedded
        self._show(self._prepared[-1].document.ref.path)

    def _show(self, path: str) -> None:
        files = len(self._found.files)
        self._on_progress(Progress(self._files_done, files, self.report.chunks_embedded, path))

    def _is_commit_due(self) -> bool:
        waited = time.monotonic() - self._committed_at
        is_full = self._writer.pending >= self._options.batch_chunks or (self._writer.pending and waited >= BATCH_S)
        return bool(is_full and waited >= COMMIT_SHARE * self._commit_s and not self._writer.replaces)


def _nothing_indexed(paths: Sequence[str | Path], failed: list[FailedFile]) -> NothingIndexedError:
    names = ", ".join(f"'{path}'" for path in paths)
    reasons = "; ".join(map(str, failed[:3])) or "there is no file of a kind that ragkit reads"
    more = f"; and {len(failed) - 3} more" if len(failed) > 3 else ""
    return NothingIndexedError(f"Nothing in {names} could be indexed: {reasons}{more}. Give other files or folders")
