"""A result, or a comparison of two, to one HTML file that needs nothing but a browser.

The figures are written by `sections` and `changes`; the questions lie in the file as JSON (see `entries`) and are drawn
by `assets/page.js` when they are opened. Whatever comes from documents is text in both, never HTML. Called by `files`.
"""

from collections.abc import Iterable, Sequence
from importlib import resources
from string import Template

from ragkit.evaluation.compare import Comparison
from ragkit.evaluation.report import changes, sections
from ragkit.evaluation.report.entries import Pair, ParagraphOf, list_entries
from ragkit.evaluation.report.markup import join, json_text, tag
from ragkit.evaluation.report.sections import Section
from ragkit.evaluation.results import EvalResult
from ragkit.evaluation.robustness.perturb import Robustness

FOLDER = resources.files("ragkit.evaluation.report") / "assets"


def render(result: EvalResult, paragraph_of: ParagraphOf | None = None, *, robustness: Robustness | None = None) -> str:
    """The page of one run.

    Args:
        result: With all its rows.
        paragraph_of: A document's path and a number to the paragraph (see `entries.read_paragraphs`), so that quotes
            are shown where they stand; without it, or where it gives None, the quotes are shown by themselves.
        robustness: Of the same suite, where it was measured.
    """
    parts = (
        sections.in_short(result),
        sections.blame_chart(result.rows),
        sections.refusal_table(result.rows),
        sections.tag_table(result),
        sections.confidence_charts(result),
        sections.retrieval_table(result),
        changes.robustness_table(robustness) if robustness else None,
        sections.time_chart(result),
        sections.all_figures(result),
        sections.how_measured({"this run": result}),
    )
    title = f"How well ragkit answers: {result.suite}"
    return _fill(title, _about(result), parts, [(row,) for row in result.rows], ("Answer",), paragraph_of)


def render_comparison(comparison: Comparison, paragraph_of: ParagraphOf | None = None) -> str:
    """The page of what changed between two runs, over the questions that both asked; arguments as in `render`."""
    before, after = comparison.before, comparison.after
    parts = (
        changes.changes_in_short(comparison),
        changes.blame_changes(comparison),
        changes.change_table(comparison),
        changes.other_changes(comparison),
        sections.how_measured({"before": before, "after": after}),
    )
    earlier = {(row.id, row.question): row for row in before.rows}
    pairs = [(earlier[row.id, row.question], row) for row in after.rows if (row.id, row.question) in earlier]
    about = f"Before: {_about(before)} After: {_about(after)}"
    return _fill(f"What changed: {after.suite}", about, parts, pairs, ("Before", "After"), paragraph_of)


def _about(result: EvalResult) -> str:
    errors = f", {result.performance.errors} of them ended by an error" if result.performance.errors else ""
    return f"{len(result.rows)} questions{errors}, asked on {result.date[:10]}."


def _fill(
    title: str,
    about: str,
    parts: Iterable[Section | None],
    pairs: Sequence[Pair],
    runs: tuple[str, ...],
    paragraph_of: ParagraphOf | None,
) -> str:
    """The template with everything put in; lone surrogates, which no file can hold, become question marks."""
    shown = [part for part in parts if part is not None]
    links = [*((part.name, part.title) for part in shown), ("questions", "Every question")]
    page = Template(_read("page.html")).substitute(
        title=join((title,)),
        about=join((about,)),
        style=_read("page.css"),
        script=_read("page.js"),
        links=join(tag("li", tag("a", words, href=f"#{name}")) for name, words in links),
        sections=join((part.html for part in shown), "\n"),
        data=json_text(list_entries(pairs, runs, paragraph_of)),
    )
    return page.encode("utf-8", "replace").decode("utf-8")


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
