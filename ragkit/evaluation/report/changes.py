"""The parts of the page that tell what changed from one run to another: what got better, what worse, and how surely.

Each function gives back one section, or None where there is nothing to tell. Called by `page`.
"""

import json
from collections.abc import Sequence

from ragkit.evaluation.compare import Change, Comparison, Outcome, say_amount
from ragkit.evaluation.report import charts
from ragkit.evaluation.report.headlines import (
    MAIN_METRICS,
    MEANINGS,
    PLAIN_NUMBERS,
    STEP_TITLES,
    count_steps,
    describe_step,
    format_difference,
    format_figure,
    format_value,
)
from ragkit.evaluation.report.markup import Html, join, table, tag
from ragkit.evaluation.report.sections import STAGES, Section, folded, section, show_button
from ragkit.evaluation.report.tables import ROBUSTNESS_HEADER, robustness_rows
from ragkit.evaluation.results import EvalResult
from ragkit.evaluation.robustness.perturb import Robustness

GROUPS: dict[Outcome, str] = {
    "better": "Better",
    "worse": "Worse",
    "perhaps better": "Perhaps better",
    "perhaps worse": "Perhaps worse",
    "no difference": "No difference that could be shown",
}
TONES: dict[Outcome, str] = {"better": "better", "worse": "worse"}
BETWEEN = " → "


def changes_in_short(comparison: Comparison) -> Section:
    """What got better and what worse, and how many questions changed."""
    groups = [_group(comparison, outcome) for outcome in GROUPS]
    told = (
        f"{comparison.questions} questions were asked both times. {len(comparison.fixed)} went from wrong to right, "
        f"{len(comparison.broken)} from right to wrong."
    )
    buttons = join(
        (
            show_button("kinds", "fixed", "(wrong before)", "Show those now right"),
            show_button("kinds", "broken", "(right before)", "Show those now wrong"),
        ),
        " ",
    )
    warning = [] if comparison.is_same_suite else [tag("p", tag("strong", _other_samples(comparison)))]
    lead = (tag("p", _tell_settings(comparison), class_="lead"), *warning, tag("p", told), tag("p", buttons))
    return section("short", "In short", *lead, *(group for group in groups if group is not None))


def _tell_settings(comparison: Comparison) -> str:
    changed = comparison.changed_settings()
    if not changed:
        return "Both runs had the same settings."
    said = (
        f"{name} {json.dumps(old, default=str)}{BETWEEN}{json.dumps(new, default=str)}"
        for name, (old, new) in changed.items()
    )
    return f"Changed: {'; '.join(said)}."


def _other_samples(comparison: Comparison) -> str:
    return f"Other samples of {comparison.after.suite} were asked: see that the documents were the same."


def _group(comparison: Comparison, outcome: Outcome) -> Html | None:
    """The metrics that changed in one way; where nothing changed, only the main ones are shown at once."""
    members = [change for change in comparison.metrics.values() if change.outcome == outcome]
    if not members:
        return tag("p", tag("strong", f"{GROUPS[outcome]}: "), "nothing.") if outcome in TONES else None
    title = tag("h3", f"{GROUPS[outcome]} ({len(members)})")
    if outcome != "no difference":
        return join((title, _cards(members)))
    main = [change for change in members if change.name in MAIN_METRICS]
    others = [change for change in members if change.name not in MAIN_METRICS]
    more = [folded(f"Other metrics without a difference ({len(others)})", _cards(others))] if others else []
    return join((title, _cards(main), *more))


def _cards(members: Sequence[Change]) -> Html:
    tones = [TONES.get(change.outcome) for change in members]
    lines = (
        tag("li", *_tell(change), class_=tone and f"verdict-{tone}")
        for change, tone in zip(members, tones, strict=True)
    )
    return tag("ul", *lines, class_="cards")


def _tell(change: Change) -> list[Html]:
    title = MAIN_METRICS[change.name][0] if change.name in MAIN_METRICS else change.name
    values = BETWEEN.join(format_figure(change.name, value) for value in (change.before, change.after))
    return [
        tag("h4", title),
        tag("p", values, class_="figure"),
        tag("p", f"{change.verdict}."),
        tag("p", MEANINGS.get(change.name, ""), class_="note"),
    ]


def change_table(comparison: Comparison) -> Section:
    """Every metric before and after, with the difference, its interval and what it is worth."""
    reach = max((_reach(change) for change in comparison.metrics.values()), default=0.0) or 1.0
    told = (
        "n is how many questions could be judged both times. The band is the 95 % interval of the difference; where it "
        "does not touch the middle, chance alone hardly explains it. p is the chance of so large a difference if both "
        "runs were equally good, corrected for the number of metrics (Holm); below 0.05 a difference counts. The "
        "last column is the smallest true difference that so many questions would show in 80 of 100 cases, if known."
    )
    header = (
        "metric",
        "before",
        "after",
        "difference",
        "interval",
        "n",
        "p, corrected",
        "verdict",
        "smallest to be seen",
    )
    rows = [_change_cells(change, reach) for change in comparison.metrics.values()]
    return section("figures", "Every metric", tag("p", told), table("Metrics, before and after", header, rows))


def _change_cells(change: Change, reach: float) -> list[str]:
    name, difference = change.name, change.difference
    tone = TONES.get(change.outcome, "")
    bar = "" if name in PLAIN_NUMBERS else charts.difference_bar(difference, reach, tone)
    smallest = "–" if change.smallest is None else say_amount(name, change.smallest)
    interval = f"{format_difference(name, difference.low)} to {format_difference(name, difference.high)}"
    said = join((format_difference(name, difference.mean), tag("span", interval, class_="small-note")), " ")
    verdict = tag("span", change.outcome, class_=tone or None)
    values = (format_value(name, change.before), format_value(name, change.after))
    return [tag("code", name), *values, said, bar, str(difference.n), f"{change.p_corrected:.3f}", verdict, smallest]


def _reach(change: Change) -> float:
    """How far the interval of a share's difference reaches from zero."""
    return 0.0 if change.name in PLAIN_NUMBERS else max(abs(change.difference.low), abs(change.difference.high))


def blame_changes(comparison: Comparison) -> Section | None:
    """How many questions each step lost before and after; None where none was lost."""
    before, after = (count_steps(run.rows) for run in (comparison.before, comparison.after))
    steps = [step for step in dict.fromkeys([*STEP_TITLES, *before, *after]) if step in before or step in after]
    if not steps:
        return None
    most = max([*before.values(), *after.values()])
    lines = []
    for step in steps:
        title = STEP_TITLES.get(step, step)
        name = join((tag("span", title, class_="step"), tag("span", describe_step(step), class_="note")), " ")
        bars = (
            join((charts.share_bar(counts.get(step, 0) / most, "bad"), tag("span", str(counts.get(step, 0)))), " ")
            for counts in (before, after)
        )
        lines.append((name, *bars, show_button("blames", step, f"the questions lost here after: {title}")))
    told = "The first step that lost each wrong answer, before and after."
    whole = table("Questions lost, by step", ("step", "before", "after", "which"), lines, class_="bars")
    return section("blame", "What went wrong, and where", tag("p", told), whole)


def robustness_table(robustness: Robustness) -> Section:
    """What became of the main figures when the same was asked otherwise."""
    told = (
        "The same questions were asked again with a change that should not matter. A difference below zero means that "
        "the metric fell. Fell and rose are the questions that went from right to wrong and back; reworded are those "
        "that were answered in other words."
    )
    whole = table("What a change did", ROBUSTNESS_HEADER, robustness_rows(robustness))
    return section("robustness", "Asked otherwise", tag("p", told), whole)


def other_changes(comparison: Comparison) -> Section | None:
    """Search and confidence before and after; None where neither run has them."""
    runs = (comparison.before, comparison.after)
    tables = [_search_table(runs), _confidence_table(runs)]
    shown = [one for one in tables if one is not None]
    told = "Before and after over all questions of each run, without a test of whether chance explains the difference."
    return section("others", "Search and confidence", tag("p", told), *shown) if shown else None


def _search_table(runs: Sequence[EvalResult]) -> Html | None:
    stages = list(dict.fromkeys(stage for run in runs for stage in run.retrieval))
    names = list(dict.fromkeys(name for run in runs for measures in run.retrieval.values() for name in measures))

    def figures(stage: str, name: str) -> str:
        found = (run.retrieval.get(stage, {}).get(name) for run in runs)
        return BETWEEN.join("–" if one is None else format_figure(name, one.mean) for one in found)

    rows = [(STAGES.get(stage, stage), *(figures(stage, name) for name in names)) for stage in stages]
    return table("Search", ("search", *names), rows) if stages else None


def _confidence_table(runs: Sequence[EvalResult]) -> Html | None:
    names = {
        "auroc": "answerable questions above unanswerable ones (AUROC)",
        "aurc": "area of wrong answers (AURC), less is better",
        "calibration_error": "distance from the truth, less is better",
    }

    def figure(run: EvalResult, name: str) -> str:
        value: float | None = getattr(run.curves, name, None)
        return "–" if value is None else f"{value:.3f}"

    if all(run.curves is None for run in runs):
        return None
    rows = [(words, *(figure(run, name) for run in runs)) for name, words in names.items()]
    return table("Confidence", ("figure", "before", "after"), rows)
