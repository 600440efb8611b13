"""Every number and model name that a user may change, read from a TOML file or given by the caller.

Only the paths (`ingest`, `answering`), `kit`, `evaluation`, `serving` and `cli` see it; the steps take plain arguments.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ragkit.errors import SettingsError


class Settings(BaseModel):
    """How documents are cut, how questions are answered, and with which models; unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    embedder: str | None = Field(None, description="Embedding model: folder or hub id; by default the shipped MiniLM.")
    model: str | None = Field(
        None, description="Writing model: folder, .gguf file, hub id or openai:http://host/v1#name; shipped Gemma."
    )
    reranker: str | None = Field(None, description="Cross-encoder that reranks paragraphs: folder or hub id.")
    verifier: str | None = Field(
        None, description="Cross-encoder for inference that checks sentences: folder or hub id; shipped by default."
    )
    offline: bool = Field(False, description="Never look for a model on the network.")

    chunk_tokens: int = Field(250, ge=16, le=8192, description="Most tokens a chunk may have.")
    min_chunk_tokens: int = Field(12, ge=0, le=512, description="Shorter paragraphs are joined with the next ones.")

    max_file_mb: int = Field(64, ge=1, le=4096, description="Larger files are left out and named.")
    read_timeout_s: float = Field(120.0, gt=0.0, le=86_400, description="A file that takes longer to read is given up.")
    read_memory_mb: int = Field(2048, ge=128, le=1_048_576, description="Most memory for the process that reads files.")

    retrieve_chunks: int = Field(30, ge=1, le=1000, description="Chunks taken from vectors and keywords each.")
    rerank_paragraphs: int = Field(10, ge=1, le=200, description="Paragraphs that late interaction reorders.")
    evidence_paragraphs: int = Field(6, ge=1, le=50, description="Paragraphs whose sentences may be evidence.")
    evidence_sentences: int = Field(3, ge=1, le=8, description="Most sentences of evidence for one answer.")
    evidence_margin: float = Field(3.0, ge=0.0, le=100.0, description="How far below the best a sentence may score.")
    evidence_words: int = Field(90, ge=5, le=1000, description="Most words of evidence together.")

    min_confidence: float = Field(
        0.3, ge=0.0, le=1.0, description="Below this, ragkit says it is not in the documents."
    )
    max_wrong: float | None = Field(
        None, gt=0.0, lt=1.0, description="Share of wrong answers to accept; sets min_confidence by measured rates."
    )
    style: Literal["full", "short"] = Field("full", description="short: one sentence, from the best evidence alone.")
    draft_tokens: int = Field(48, ge=0, le=1024, description="Most tokens the model may write; 0 only quotes.")
    max_question_chars: int = Field(2000, ge=10, le=100_000, description="Longer questions are refused.")

    @classmethod
    def load(cls, file: Path | None = None, below: Mapping[str, Any] | None = None, **given: Any) -> "Settings":
        """Settings from a TOML file, overridden by whatever else is given and not None.

        Args:
            file: The TOML file.
            below: What counts where neither the file nor the caller says anything.
            **given: Single settings.

        Raises:
            SettingsError: The file cannot be read, a name is unknown or a value out of bounds.
        """
        values = dict(below or {}) | (_read(file) if file is not None else {})
        values |= {name: value for name, value in given.items() if value is not None}
        try:
            return cls(**values)
        except ValidationError as exc:
            first = exc.errors()[0]
            name = ".".join(str(part) for part in first["loc"]) or "settings"
            place = f" in {file}" if file is not None else ""
            raise SettingsError(
                f"Setting '{name}'{place}: {first['msg']} (given: {first['input']!r}). "
                f"Known settings: {', '.join(cls.model_fields)}"
            ) from exc


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as exc:
        raise SettingsError(f"The settings file {file} cannot be read: {exc.strerror}. Check --settings") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise SettingsError(f"The settings file {file} is not valid TOML: {exc}") from exc
