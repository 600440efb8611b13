"""The offline path on one page: files -> documents -> chunks -> vectors -> index.

What did not change costs nothing, what was embedded once is not embedded again, and whatever stops a run leaves a whole
index behind: the old one, or the old one with the batches of documents that were finished. Called by the command line
and the library.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ragkit.chunking import CHUNKER_VERSION, chunk_document
from ragkit.errors import DocumentError, InputError, NothingIndexedError, SettingsError
from ragkit.index.changes import KnownFiles, Twins
from ragkit.index.files import FailedFile, Found, FoundFile, find_files
from ragkit.index.filing import Filing
from ragkit.index.folder import DATABASE, reading
from ragkit.index.spec import IndexSpec
from ragkit.index.store import FileStamp, Origin, Vector
from ragkit.index.writer import IndexWriter
from ragkit.ingest_records import IngestOptions, IngestReport, Progress
from ragkit.models.embedding import Embedder
from ragkit.readers import reader_of
from ragkit.readers.isolation.reader import DocumentReader
from ragkit.readers.opening import ReadOptions
from ragkit.records import Chunk, Document, DocumentRef

EMBED_BATCH = 256
"""So many chunks are handed to the embedder together, whichever documents they are from."""

BATCH_S = 60.0
"""A batch is committed after this time even if it is small."""

COMMIT_SHARE = 20
"""No commit before this many times the last one's duration: a commit copies the index, at most 5 % of the time."""


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
    Filing.of(options.collection, options.labels or ())  # raises if a name is none
    folder = Path(folder)
    found = find_files(paths, options.selection)
    with reading(folder):
        if not found.files and not (folder / DATABASE).exists():
            raise nothing_indexed(paths, found.failed)
    sizes = (options.chunk_tokens, options.min_chunk_tokens, CHUNKER_VERSION)
    spec = IndexSpec(embedder.name, embedder.dimensions, *sizes)
    with (
        IndexWriter.open(folder, spec, rebuild=options.rebuild, timeout_s=options.lock_timeout_s) as writer,
        _reader(options) as reader,
    ):
        held = 0 if writer.replaces else writer.counts().documents
        run = _Run(writer, reader, embedder, options, found, on_progress or (lambda _: None))
        for file in found.files.values():
            run.take(file)
        run.finish()
        if not writer.counts().documents:
            raise nothing_indexed(paths, found.failed, held)
        run.report.generation = writer.commit()
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
        known = KnownFiles(folder, writer.known_files())
        leaving: set[str] = set()
        for path in paths:
            matches = known.under(path)
            if not matches:
                raise InputError(f"'{path}' is not in index '{folder}', so nothing was removed. Check the path")
            leaving |= matches
        for path in known.copies_first(leaving):
            writer.remove(path)
        generation = writer.commit()
    return IngestReport(removed=len(leaving), generation=generation, seconds=time.monotonic() - started)


def _reader(options: IngestOptions) -> DocumentReader:
    how = ReadOptions(options.selection.max_bytes, options.use_ocr)
    return DocumentReader(how, options.read_timeout_s, options.read_memory_bytes)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A document on its way into the index."""

    document: Document
    chunks: list[Chunk]
    origin: Origin
    is_update: bool


class _Run:
    """One run of `index_paths`: what is known, what is on its way and what was done."""

    def __init__(
        self,
        writer: IndexWriter,
        reader: DocumentReader,
        embedder: Embedder,
        options: IngestOptions,
        found: Found,
        on_progress: Callable[[Progress], None],
    ):
        self.report = IngestReport(skipped=found.skipped)
        self._writer = writer
        self._reader = reader
        self._embedder = embedder
        self._options = options
        self._found = found
        self._on_progress = on_progress
        filed = writer.filed_folders()
        if options.collection is not None or options.labels is not None:
            for _, real_folder in found.folders:
                filed.put(real_folder, options.collection, options.labels)
            writer.put_filed_folders(filed)
        self._known = KnownFiles(writer.folder, writer.known_files(), filed)
        self._twins = Twins(self._known)
        self._prepared: list[_Prepared] = []
        self._copies: list[tuple[str, DocumentRef, FileStamp]] = []
        self._warnings: list[FailedFile] = []
        self._files_done = 0
        self._committed_at = time.monotonic()
        self._commit_s = 0.0

    def take(self, file: FoundFile) -> None:
        """Reads a file if it is new or changed; what cannot be read is noted."""
        path, known = self._known.claim(file)
        self._show(path)
        try:
            filing = self._known.filing(file, known, self._options.collection, self._options.labels)
            origin = Origin(self._known.stamp(file), reader_of(file.file), filing)
            if known is None or not self._known.is_unchanged(known, file, origin):
                self._read(file, path, origin, is_update=known is not None)
            else:
                self.report.unchanged += 1
                if known.origin.stamp != origin.stamp:
                    self._writer.touch(path, origin.stamp)
        except DocumentError as exc:
            self._found.failed.append(FailedFile(path, str(exc).removeprefix(f"{path} ")))
        except OSError as exc:
            self._found.failed.append(FailedFile(path, f"cannot be read: {exc.strerror or exc}"))
        self._files_done += 1

    def finish(self) -> None:
        """Puts what is still on its way into the index, and takes out of it what is no longer there."""
        self.flush()
        self._put_copies()
        for path in self._known.vanished(self._found):
            self._writer.remove(path)
            self.report.removed += 1
        self.report.failed, self.report.warnings = tuple(self._found.failed), tuple(self._warnings)

    def _put_copies(self) -> None:
        """Notes which files are copies, unless the document changed after they were found to be the same."""
        present = {known.ref for known in self._writer.known_files()} if self._copies else set()
        for path, twin, stamp in self._copies:
            if twin in present:
                self._writer.put_copy(path, twin.path, stamp)
                self.report.copies += 1
            else:
                self._found.failed.append(FailedFile(path, f"was the same as {twin.path}, which changed. Index again"))

    def flush(self) -> None:
        """Embeds what is on its way and puts it into the index."""
        vectors = self._vectors([chunk.embedded_text for one in self._prepared for chunk in one.chunks])
        for one in self._prepared:
            embedded = [(chunk, vectors[chunk.embedded_text]) for chunk in one.chunks]
            self._writer.put_document(one.document, embedded, one.origin)
            self.report.updated += one.is_update
            self.report.added += not one.is_update
        self._prepared = []
        if self._is_commit_due():
            started = time.monotonic()
            self._writer.commit()
            self._committed_at = time.monotonic()
            self._commit_s = self._committed_at - started

    def _read(self, file: FoundFile, path: str, origin: Origin, *, is_update: bool) -> None:
        """Takes in the content of a file, unless another file has the same."""
        loaded = self._reader.load(file.file, path)
        twin = self._twins.find(loaded.ref, origin)
        if twin is not None:
            self._copies.append((path, DocumentRef(twin, loaded.ref.id), origin.stamp))
            return
        read = self._reader.parse(loaded)
        self._warnings += [FailedFile(path, warning) for warning in read.warnings]
        self._twins.add(loaded.ref, origin)
        tokens = {"max_tokens": self._options.chunk_tokens, "min_tokens": self._options.min_chunk_tokens}
        chunks = chunk_document(read.document, self._embedder.count_tokens, **tokens)
        self._prepared.append(_Prepared(read.document, chunks, origin, is_update))
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


def nothing_indexed(paths: Sequence[str | Path], failed: list[FailedFile], held: int = 0) -> NothingIndexedError:
    """The error that says that an index would be left without any of the documents that it held."""
    names = ", ".join(f"'{path}'" for path in paths)
    reasons = "; ".join(map(str, failed[:3])).rstrip(".") or "there is no file of a kind that ragkit reads"
    more = f"; and {len(failed) - 3} more" if len(failed) > 3 else ""
    cure = "Give other files or folders"
    if held:
        cure += f", or take the {held} documents of the index out with ragkit remove; until then it answers from them"
    return NothingIndexedError(f"Nothing in {names} could be indexed: {reasons}{more}. {cure}")
