"""What a run of indexing is told, what it tells meanwhile and what at the end. Used by `ingest` and its callers."""

from dataclasses import asdict, dataclass
from typing import Any

from ragkit.index.files import ALL, FailedFile
from ragkit.index.patterns import Selection
from ragkit.readers.isolation.reader import MEMORY_BYTES, TIMEOUT_S


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """How to index.

    Attributes:
        chunk_tokens: The most tokens a chunk may have, in the embedder's own.
        min_chunk_tokens: Below this, a chunk takes in the next paragraph if it can.
        rebuild: Make the index anew from these paths only; the old one answers until the new one is complete.
        selection: Which files of folders are taken, and up to which size.
        collection: Where documents are filed; None leaves known ones where they are.
        labels: Who may see them; None leaves what known ones have.
        use_ocr: Whether pages that are pictures are recognised.
        read_timeout_s: For one file, after which it is given up.
        read_memory_bytes: For the process that reads.
        batch_chunks: So many new chunks are committed together, so that an interrupted run loses no more.
        lock_timeout_s: How long to wait for another writer.
    """

    chunk_tokens: int
    min_chunk_tokens: int
    rebuild: bool = False
    selection: Selection = ALL
    collection: str | None = None
    labels: tuple[str, ...] | None = None
    use_ocr: bool = False
    read_timeout_s: float = TIMEOUT_S
    read_memory_bytes: int = MEMORY_BYTES
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
        copies: Files with the same content as another, which is indexed in their place.
        skipped: Files in folders that are of no kind that ragkit reads.
        failed: Those that could not be read; an older version of one stays in the index.
        warnings: Those of which a part could not be read.
        generation: Of the index, as the run left it.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    copies: int = 0
    skipped: int = 0
    failed: tuple[FailedFile, ...] = ()
    warnings: tuple[FailedFile, ...] = ()
    chunks_embedded: int = 0
    generation: int = 0
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """The report as `ragkit index --json` prints it."""
        named = {name: [file.to_dict() for file in getattr(self, name)] for name in ("failed", "warnings")}
        return asdict(self) | named | {"seconds": round(self.seconds, 3)}
