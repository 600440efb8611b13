"""One evaluation from a suite's name to a saved result: load, index, ask, gate. Called by `cli`."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ragkit.errors import StorageError
from ragkit.evaluation.datasets import load_suite
from ragkit.evaluation.gate import Miss, find_misses, parse_thresholds
from ragkit.evaluation.results import EvalResult
from ragkit.evaluation.run import run_suite
from ragkit.evaluation.suite import Suite
from ragkit.index.index import Index
from ragkit.ingest import index_paths
from ragkit.kit import Kit, ingest_options
from ragkit.models.embedding import Embedder
from ragkit.models.loading import load_embedder
from ragkit.models.weights import cache_folder
from ragkit.settings import Settings

RESULTS = Path("evals/results")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result and the thresholds it missed."""

    result: EvalResult
    misses: tuple[Miss, ...]

    def save(self, file: Path | None = None) -> Path:
        """Writes the result as JSON, by default under `evals/results`, and says where.

        Raises:
            StorageError: The file cannot be written.
        """
        stamp = re.sub(r"[^0-9]", "", self.result.date)[:14]
        target = file or RESULTS / f"{self.result.suite}-{stamp}.json"
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(self.result.to_json() + "\n", encoding="utf-8")
        except OSError as exc:
            raise StorageError(f"The result cannot be written to {target}: {exc.strerror}. Give another --out") from exc
        return target


def evaluate(
    place: str,
    settings: Settings,
    *,
    index: Path | None = None,
    sample: tuple[int | None, int] = (None, 0),
    thresholds: Sequence[str] = (),
    on_progress: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Asks every question of a suite over its own documents.

    Args:
        place: A suite's name or folder, or a dataset file.
        settings: For indexing and answering; written into the result.
        index: An index that holds the suite's documents; by default one is made in the cache and kept up to date.
        sample: How many questions (None: all), and the seed they are drawn with.
        thresholds: `metric=value`, beside those of the suite.
        on_progress: Told (done, total).

    Raises:
        GoldError: The suite does not fit its documents.
        SettingsError: A threshold names no metric.
    """
    limits = parse_thresholds(thresholds)
    suite = load_suite(place, cache_folder() / "datasets")
    embedder = load_embedder(settings.embedder, offline=settings.offline)
    folder = index or _indexed(suite, settings, embedder)
    size, seed = sample
    with Kit(Index.open(folder), settings, embedder=embedder) as kit:
        used = settings.model_dump() | {"embedder": embedder.name, "index_generation": kit.index.generation}
        result = run_suite(suite, kit, settings=used, sample=size, seed=seed, on_progress=on_progress)
    return Outcome(result, tuple(find_misses(result.metrics, {**suite.thresholds, **limits})))


def _indexed(suite: Suite, settings: Settings, embedder: Embedder) -> Path:
    """The suite's own index in the cache, up to date; another embedder or chunk size has another."""
    made_with = f"{embedder.name}-{settings.chunk_tokens}-{settings.min_chunk_tokens}"
    name = re.sub(r"[^\w.-]+", "_", f"{suite.name}-{suite.fingerprint()[7:19]}-{made_with}")
    folder = cache_folder() / "evaluations" / name
    index_paths(list(suite.documents), folder, embedder, ingest_options(settings, exclude=suite.exclude))
    return folder
