"""An evaluation's outcome to the files that people and programs read: HTML, Markdown, JUnit XML, TREC runs.

Called by `cli`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ragkit.durable import write_atomically
from ragkit.errors import StorageError
from ragkit.evaluation.compare import Comparison
from ragkit.evaluation.measures.rankings import list_stages, write_qrels, write_run
from ragkit.evaluation.report.entries import ParagraphOf
from ragkit.evaluation.report.junit import to_junit
from ragkit.evaluation.report.page import render, render_comparison
from ragkit.evaluation.report.tables import to_pull_request
from ragkit.evaluation.results import EvalResult
from ragkit.evaluation.robustness.perturb import Robustness


@dataclass(frozen=True, slots=True)
class Reports:
    """Which files to write; None for those nobody wants.

    Attributes:
        trec: A folder, for a run file of each stage of retrieval and one of the relevant paragraphs.
    """

    html: Path | None = None
    markdown: Path | None = None
    junit: Path | None = None
    trec: Path | None = None

    def write(
        self,
        result: EvalResult,
        *,
        comparison: Comparison | None = None,
        robustness: Robustness | None = None,
        paragraph_of: ParagraphOf | None = None,
    ) -> None:
        """Writes them.

        Raises:
            StorageError: A file cannot be written.
        """
        _save(self.html, lambda: render(result, paragraph_of, robustness=robustness))
        _save(self.markdown, lambda: to_pull_request(result, comparison))
        _save(self.junit, lambda: to_junit(result))
        if self.trec is not None:
            write_qrels(result.rows, self.trec / f"{result.suite}.qrels")
            for stage in list_stages(result.rows):
                write_run(result.rows, stage, self.trec / f"{result.suite}-{stage}.run")

    def write_comparison(self, comparison: Comparison, paragraph_of: ParagraphOf | None = None) -> None:
        """Writes what changed between two runs, as far as a file can tell it.

        Raises:
            StorageError: A file cannot be written.
        """
        _save(self.html, lambda: render_comparison(comparison, paragraph_of))
        _save(self.markdown, lambda: to_pull_request(comparison.after, comparison))


def save_text(text: str, file: Path) -> None:
    """Writes a file, and the folders above it.

    Raises:
        StorageError: It cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, text.encode("utf-8", "replace"))
    except OSError as exc:
        raise StorageError(f"{file} cannot be written: {exc.strerror}. Give another file") from exc


def _save(file: Path | None, make: Callable[[], str]) -> None:
    if file is not None:
        save_text(make(), file)
