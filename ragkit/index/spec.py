"""What made an index, and the error when something else is asked of it."""

import shlex
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ragkit.errors import IndexMismatchError


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """What made an index: two indexes with different specs do not mix.

    Attributes:
        embedder: The embedder's name, which says its weights too.
        chunk_tokens: The most tokens a chunk may have.
        min_chunk_tokens: Below this, a chunk takes in the next paragraph if it can.
        chunker_version: What changes when the chunker cuts the same document otherwise.
    """

    embedder: str
    dimensions: int
    chunk_tokens: int
    min_chunk_tokens: int
    chunker_version: int

    @classmethod
    def from_meta(cls, meta: dict[str, Any]) -> "IndexSpec":
        """The spec as `to_meta` gave it, among other facts."""
        return cls(**{field.name: meta[field.name] for field in fields(cls)})

    def to_meta(self) -> dict[str, Any]:
        """The facts that the index records."""
        return asdict(self)

    @property
    def of_model(self) -> str:
        """The part that the embedder decides, for a message."""
        return f"{self.embedder} ({self.dimensions} dimensions)"

    @property
    def of_text(self) -> str:
        """The part that readers and chunker decide, for a message."""
        return (
            f"chunks of {self.min_chunk_tokens} to {self.chunk_tokens} tokens by chunker version {self.chunker_version}"
        )


def check_spec(folder: Path, built: IndexSpec, asked: IndexSpec) -> None:
    """Raises IndexMismatchError that names both sides, unless they are the same."""
    if (built.embedder, built.dimensions) != (asked.embedder, asked.dimensions):
        raise _mismatch(folder, built.of_model, asked.of_model, "Give the --embedder that built it, or rebuild it")
    if built != asked:
        raise _mismatch(folder, built.of_text, asked.of_text, "Rebuild it")


def rebuild_hint(folder: Path, advice: str = "Rebuild it") -> str:
    """The command that makes an index anew, as the end of an error message."""
    return f"{advice}: ragkit index PATH... --index {shlex.quote(str(folder))} --rebuild"


def _mismatch(folder: Path, built: str, asked: str, advice: str) -> IndexMismatchError:
    return IndexMismatchError(
        f"Index '{folder}' was built with {built} but you asked for {asked}. {rebuild_hint(folder, advice)}"
    )
