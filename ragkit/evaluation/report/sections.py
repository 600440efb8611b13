"""The parts of the page that do not change as one reads: figures, charts and tables of one run.

Each function gives back one section, or None where the run has nothing for it. Called by `page`.
"""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ragkit.evaluation.measures.estimates import Estimate
from ragkit.evaluation.measures.refusals import confusion
from ragkit.evaluation.report import charts
from ragkit.evaluation.report.headlines import (
    MEANINGS,
    PLAIN_NUMBERS,
    STEP_TITLES,
    Headline,
    count_steps,
    describe_step,
    format_figure,
    format_interval,
    format_value,
    headlines,
    is_failure,
    summarize,
)
from ragkit.evaluation.report.markup import Html, join, table, tag
from ragkit.evaluation.results import EvalResult, Row

INTERVALS = (
    "Beside each figure stands its 95 % interval: with so few questions the figure is not exact, and the true one lies "
    "within the interval in 95 of 100 such samples. The narrower it is, the surer the figure."
)
TAG_COLUMNS = {
    "answers_right": "right",
    "refused_rightly": "refused where it should",
    "refused_wrongly": "refused where it should not",
    "first_citation_right": "first citation right",
}
STAGES = {
    "dense": "by meaning (dense)",
    "keyword": "by words (keyword)",
    "fused": "both together (fused)",
    "reranked": "put in order anew (reranked)",
}
GOOD_AUROC = "0.5 is what guessing gives, 1 is perfect"


@dataclass(frozen=True, slots=True)
class Section:
    """A landmark of the page; `name` is what links lead to."""

    name: str
    title: str
    html: Html


def section(name: str, title: str, *content: str) -> Section:
    """A landmark of the page with its heading."""
    head = tag("h2", title, id=f"{name}-heading")
    return Section(name, title, tag("section", head, *content, id=name, aria_labelledby=f"{name}-heading"))


def in_short(result: EvalResult) -> Section:
    """What came out, in a few sentences and figures."""
    cards = tag("ul", *(_card(headline) for headline in headlines(result.metrics)), class_="cards")
    return section(
        "short", "In short", tag("p", summarize(result), class_="lead"), cards, tag("p", INTERVALS, class_="note")
    )


def _card(headline: Headline) -> Html:
    bar = [charts.interval_bar(headline.estimate)] if headline.name not in PLAIN_NUMBERS else []
    interval = tag("p", f"95 % interval: {headline.interval}", class_="interval")
    return tag(
        "li",
        tag("h3", headline.title),
        tag("p", headline.figure, class_="figure"),
        *bar,
        interval,
        tag("p", headline.sentence),
    )


def blame_chart(rows: Sequence[Row]) -> Section | None:
    """Which step lost how many answers, as bars; None where nothing was lost."""
    counts = count_steps(rows)
    lost = sum(is_failure(row) for row in rows)
    if not counts:
        return None
    most = max(counts.values())
    lines = []
    for step, count in counts.items():
        title = STEP_TITLES.get(step, step)
        name = join((tag("span", title, class_="step"), tag("span", describe_step(step), class_="note")), " ")
        bar = join((charts.share_bar(count / most, "bad"), tag("span", str(count), class_="count")), " ")
        lines.append((name, bar, show_button("blames", step, f"the questions lost here: {title}")))
    told = f"{lost} questions went wrong. This is the first step that lost each of them, in the order of the steps."
    whole = table("Questions lost, by step", ("step", "questions", "which"), lines, class_="bars")
    return section("blame", "What went wrong, and where", tag("p", told), whole)


def refusal_table(rows: Sequence[Row]) -> Section | None:
    """What was answered and what refused, by whether the documents answer it; None where nothing was to be refused."""
    counts = confusion(rows)
    if not counts.unanswerable_answered + counts.unanswerable_refused:
        return None
    lines = [
        ("the documents answer", str(counts.answerable_answered), str(counts.answerable_refused)),
        ("the documents do not answer", str(counts.unanswerable_answered), str(counts.unanswerable_refused)),
    ]
    told = "Where the documents hold no answer, none should be given: the question is refused."
    whole = table("Questions, by what became of them", ("questions that", "answered", "refused"), lines)
    return section("refusals", "Answered or refused", tag("p", told), whole)


def confidence_charts(result: EvalResult) -> Section | None:
    """What the confidence of the answers is worth; None where there is none."""
    if (curves := result.curves) is None:
        return None
    rows = [
        (charts.percent(p.coverage), charts.percent(p.wrong), f"{p.confidence:.2f}") for p in charts.pick_points(curves)
    ]
    covered = "Were only the surest answers given, fewer would be wrong. A question that the documents do not answer "
    covered += "counts as wrong once it is answered."
    right = "Of the answers given with a confidence of 0.7, 70 % should be right: bars and dots should lie on the "
    right += f"dashed line. On average they are {100 * curves.calibration_error:.1f} points away from it."
    header = ("questions answered", "answers wrong", "confidence from")
    one = (
        tag("h3", "Answering only when sure"),
        tag("p", covered),
        charts.draw_coverage(curves),
        folded("The curve as a table", table("Wrong answers by how many are given", header, rows)),
    )
    bins = [
        (f"{b.low:.1f} to {b.high:.1f}", str(b.n), f"{b.confidence:.2f}", charts.percent(b.right))
        for b in curves.bins
        if b.n
    ]
    header_of_bins = ("confidence", "answers", "mean confidence", "right")
    two = (
        tag("h3", "Does the confidence tell the truth?"),
        tag("p", right),
        charts.draw_reliability(curves),
        folded("The bars as a table", table("Right answers by confidence", header_of_bins, bins)),
    )
    pair = tag("div", tag("div", *one), tag("div", *two), class_="pair")
    return section("confidence", "What the confidence is worth", tag("p", " ".join(_tell_curves(result))), pair)


def _tell_curves(result: EvalResult) -> list[str]:
    curves = result.curves
    if curves is None:
        return []
    told = [f"Every answer comes with a confidence between 0 and 1. These are {curves.n} of them."]
    if curves.auroc is not None:
        told.append(
            "A question with an answer in the documents gets a higher confidence than one without in "
            f"{charts.percent(curves.auroc)} of all pairs (AUROC {curves.auroc:.3f}; {GOOD_AUROC})."
        )
    if curves.aurc is not None:
        told.append(f"The area under the first curve is {curves.aurc:.3f} (AURC; less is better).")
    return told


def tag_table(result: EvalResult) -> Section | None:
    """How each kind of question fared; None where no question carries a tag."""
    if not result.by_tag:
        return None
    names = [name for name in TAG_COLUMNS if name in result.metrics]
    header = ("kind", "questions", *(TAG_COLUMNS[name] for name in names), "which")
    rows = [
        (
            kind,
            str(sum(kind in row.tags for row in result.rows)),
            *(_figure_cell(name, estimates.get(name)) for name in names),
            show_button("tags", kind, f"the questions of this kind: {kind}"),
        )
        for kind, estimates in result.by_tag.items()
    ]
    return section("kinds", "By kind of question", table("Kinds of questions", header, rows))


def retrieval_table(result: EvalResult) -> Section | None:
    """How well each stage of the search ranks the paragraphs that answer; None where no ranking was kept."""
    if not result.retrieval:
        return None
    names = list(dict.fromkeys(name for measures in result.retrieval.values() for name in measures))
    rows = [
        (
            STAGES.get(stage, stage),
            *(_figure_cell(name, measures.get(name), with_n=False) for name in names),
            str(max(estimate.n for estimate in measures.values())),
        )
        for stage, measures in result.retrieval.items()
    ]
    told = (
        "Before anything is answered, paragraphs are searched for. recall@5 is the share of the paragraphs that answer "
        "which are among the first five; MRR, nDCG@10 and MAP also tell how far up they stand. 100 % is perfect. "
        "A step can only use what the one before it brought up."
    )
    return section("search", "Finding the paragraphs", tag("p", told), table("Search", ("search", *names, "n"), rows))


def time_chart(result: EvalResult) -> Section | None:
    """How long questions took; None where none was answered."""
    seconds = [value for row in result.rows if (value := row.values.get("seconds")) is not None]
    if not seconds:
        return None
    marks = {"half": statistics.median(seconds), "95 %": float(np.percentile(seconds, 95))}
    told = (
        f"Half of the questions took less than {marks['half']:.2f} seconds, 95 of 100 less than {marks['95 %']:.2f}, "
        f"the longest took {max(seconds):.2f}."
    )
    steps = [(step, f"{mean:.3f}") for step, mean in result.performance.steps_mean_s.items()]
    whole = table("Seconds by step, on average", ("step", "seconds"), steps)
    pair = tag("div", tag("div", charts.draw_seconds(seconds, marks)), tag("div", whole), class_="pair")
    return section("time", "How long it takes", tag("p", told), pair)


def all_figures(result: EvalResult) -> Section:
    """Every metric with its meaning, interval and n."""
    rows = [
        (tag("code", name), MEANINGS.get(name, ""), *_value_cells(name, estimate), str(estimate.n))
        for name, estimate in result.metrics.items()
    ]
    told = "n is the number of questions that the metric could judge. Shares are between 0 and 1."
    header = ("metric", "meaning", "value", "95 % interval", "n")
    return section("figures", "All figures", tag("p", told), table("Metrics", header, rows))


def how_measured(results: Mapping[str, EvalResult]) -> Section:
    """Settings, versions and dates, a column a run; bold where runs differ."""
    runs = list(results.values())
    tables = []
    for caption, of in (("Settings", [run.settings for run in runs]), ("Versions", [run.versions for run in runs])):
        names = sorted({name for given in of for name in given})
        rows = [(name, *_setting_cells([given.get(name) for given in of])) for name in names]
        tables.append(folded(caption, table(caption, ("name", *results), rows)))
    known = (
        tag("p", f"{name.capitalize()}: asked at {run.date}; suite {run.suite_hash}.", class_="note")
        for name, run in results.items()
    )
    return section("settings", "How this was measured", *known, *tables)


def show_button(field: str, value: str, what: str, shown: str = "Show") -> Html:
    """A button that sets the filter of the questions; the script shows it. `what` is for those who do not see where."""
    words = join((shown, tag("span", f" {what}", class_="unseen")))
    return tag("button", words, type="button", data_field=field, data_value=value, hidden="")


def _figure_cell(name: str, estimate: Estimate | None, *, with_n: bool = True) -> Html | str:
    if estimate is None:
        return "–"
    small = format_interval(name, estimate) + (f"; n {estimate.n}" if with_n else "")
    return join((format_figure(name, estimate.mean), tag("span", small, class_="small-note")), " ")


def _value_cells(name: str, estimate: Estimate) -> tuple[str, str]:
    interval = f"{format_value(name, estimate.low)} to {format_value(name, estimate.high)}"
    return format_value(name, estimate.mean), interval


def _setting_cells(values: Sequence[Any]) -> list[str]:
    """The values of one setting, in bold where runs differ."""
    shown = [
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str) for value in values
    ]
    return [tag("strong", one) for one in shown] if len(set(shown)) > 1 else shown


def folded(name: str, content: Html) -> Html:
    """Content that is shown when its name is chosen."""
    return tag("details", tag("summary", name), content, class_="folded")
