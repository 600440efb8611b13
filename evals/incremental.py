"""What it costs to index again when little changed: python -m evals.incremental [--files 10000].

Writes so many small files of made-up words, indexes them with the embedder that comes along, then changes, deletes and
moves single ones. Prints a Markdown table of seconds, each also as a share of the first index of the same run.
"""

import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from ragkit.ingest import index_paths
from ragkit.ingest_records import IngestReport
from ragkit.kit import ingest_options
from ragkit.models.loading import load_embedder
from ragkit.plan import plan_paths
from ragkit.settings import Settings

WORDS_A_PARAGRAPH, PARAGRAPHS = 40, 2
PER_FOLDER = 200
SYLLABLES = "ka lo mi re tu san bel dor fin gar hul jes nor pal quin ros sil tam ver wen".split()


def write_files(folder: Path, count: int, seed: int = 1) -> list[Path]:
    """So many text files, spread over folders, whose time of change lies long ago."""
    chance = random.Random(seed)
    vocabulary = ["".join(chance.choices(SYLLABLES, k=chance.randint(1, 4))) for _ in range(6000)]
    files = []
    for number in range(count):
        file = folder / f"{number // PER_FOLDER:03}" / f"{number:05}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        paragraphs = (" ".join(chance.choices(vocabulary, k=WORDS_A_PARAGRAPH)) for _ in range(PARAGRAPHS))
        file.write_text("\n\n".join(f"{text.capitalize()}." for text in paragraphs))
        os.utime(file, (1_600_000_000, 1_600_000_000))
        files.append(file)
    return files


def main(files: Annotated[int, typer.Option(help="How many.")] = 10_000) -> None:
    """Measure in one run."""
    settings = Settings()
    embedder = load_embedder(None, offline=True)
    embedder.embed_documents(["warm"])
    options = ingest_options(settings)
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        written = write_files(Path("docs"), files)

        def index() -> IngestReport:
            return index_paths(["docs"], "index", embedder, options)

        full, report = _timed(index)
        size = Path("index/ragkit.sqlite").stat().st_size / 1e6
        print(f"{files} files, {report.chunks_embedded} chunks, database {size:.0f} MB\n")
        print("| | seconds | share of the first index | chunks embedded |\n|---|---|---|---|")
        _row("first index", full, full, report.chunks_embedded)
        for what, change in (
            ("nothing changed", lambda: None),
            ("one file changed", lambda: written[files // 2].write_text("It was changed.\n\nNow it says this.")),
            ("one file deleted", written[files // 3].unlink),
            ("one file moved", lambda: written[files // 4].rename("docs/moved.txt")),
        ):
            change()
            seconds, report = _timed(index)
            _row(what, seconds, full, report.chunks_embedded)
        seconds, _ = _timed(lambda: plan_paths(["docs"], "index", options))
        _row("`--dry-run`", seconds, full, 0)


def _timed(run: Callable[[], object]) -> tuple[float, IngestReport]:
    started = time.perf_counter()
    report = run()
    return time.perf_counter() - started, report  # type: ignore[return-value]


def _row(what: str, seconds: float, full: float, embedded: int) -> None:
    print(f"| {what} | {seconds:.2f} | {seconds / full:.2%} | {embedded} |", flush=True)


if __name__ == "__main__":
    typer.run(main)
