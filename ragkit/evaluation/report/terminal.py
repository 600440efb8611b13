"""Results and comparisons as tables for a terminal; colours vanish in a pipe. Called by `cli`."""

from collections.abc import Mapping, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ragkit.evaluation.compare import Comparison
from ragkit.evaluation.measures.estimates import Estimate
from ragkit.evaluation.report.headlines import STEP_TITLES, count_steps, format_difference
from ragkit.evaluation.report.tables import (
    ROBUSTNESS_HEADER,
    SUMMARY_HEADER,
    failures,
    robustness_rows,
    summary_rows,
    tag_header,
    tag_rows,
)
from ragkit.evaluation.results import EvalResult
from ragkit.evaluation.robustness.perturb import Robustness


def eval_tables(
    result: EvalResult, robustness: Robustness | None = None, *, with_failures: bool
) -> list[RenderableType]:
    """The metrics, retrieval by stage, the metrics by tag, what changes did, and the wrong answers if asked for."""
    shown: list[RenderableType] = [_table(SUMMARY_HEADER, summary_rows(result), result.suite)]
    if result.retrieval:
        shown.append(measures_table(result.retrieval))
    if result.by_tag:
        shown.append(_table(tag_header(result), tag_rows(result), "by tag"))
    if robustness:
        shown.append(_table(ROBUSTNESS_HEADER, robustness_rows(robustness), "asked again with changes"))
    if blamed := count_steps(result.rows):
        rows = [(STEP_TITLES.get(step, step), str(count)) for step, count in blamed.items()]
        shown.append(_table(("what lost the right answer", "questions"), rows, "blame"))
    if with_failures:
        for failure in failures(result):
            shown.append(
                Text(f"{failure.id}  {failure.question}\n    said: {failure.answer}\n    gold: {failure.gold}")
            )
    return shown


def measures_table(ranked: Mapping[str, Mapping[str, Estimate]]) -> RenderableType:
    """Measures of rankings, a row each."""
    names = list(dict.fromkeys(name for measures in ranked.values() for name in measures))
    rows = [(stage, *(f"{measures[name].mean:.3f}" for name in names)) for stage, measures in ranked.items()]
    return _table(("retrieval", *names), rows, "gold paragraphs in the rankings")


def comparison_lines(comparison: Comparison | None) -> list[RenderableType]:
    """What changed between two results, in words and by metric; nothing if there was none to compare with."""
    if comparison is None:
        return []
    rows = [
        (name, format_difference(name, change.difference.mean), change.verdict)
        for name, change in comparison.metrics.items()
    ]
    return [Text(comparison.verdict), _table(("metric", "difference", "verdict"), rows, "compared with before")]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> Table:
    table = Table(title=title, title_justify="left")
    for name in header:
        shown = name.replace("_", " ")  # so that a long one is broken between words
        table.add_column(shown, justify="left" if name == header[0] else "right", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))  # as a string, words in brackets would be read as markup
    return table
