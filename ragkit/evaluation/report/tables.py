"""A result to rows of text for tables and to Markdown. Pure functions; the command line prints what they return."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ragkit.evaluation.compare import Comparison
from ragkit.evaluation.measures.estimates import Estimate
from ragkit.evaluation.report.headlines import (
    MAIN_METRICS,
    STEP_TITLES,
    count_steps,
    find_step,
    format_difference,
    format_figure,
    format_value,
    headlines,
    is_failure,
    summarize,
)
from ragkit.evaluation.results import EvalResult, Row
from ragkit.evaluation.robustness.perturb import Robustness

MOST_CHARACTERS = 65_000
"""A comment on GitHub holds 65,536."""

QUOTED_CHARACTERS = 300
SUMMARY_HEADER = ("metric", "value", "95 % interval", "n")
ROBUSTNESS_HEADER = ("change", "metric", "difference", "95 % interval", "n", "fell", "rose", "reworded")
TAG_METRICS = ("answers_right", "contains_gold", "first_citation_right", "refused_rightly", "refused_wrongly")


@dataclass(frozen=True, slots=True)
class Failure:
    """A question that was not answered rightly: what was asked, said and expected, and the step to blame."""

    id: str
    question: str
    answer: str
    gold: str
    step: str | None = None


def summary_rows(result: EvalResult) -> list[tuple[str, str, str, str]]:
    """Name, value, interval and n of each metric, under `SUMMARY_HEADER`."""
    return [(name, *_estimate_cells(name, estimate)) for name, estimate in result.metrics.items()]


def tag_header(result: EvalResult) -> tuple[str, ...]:
    """The header over `tag_rows`: the metrics that could judge anything in this run."""
    return ("tag", "questions", *_tag_metrics(result))


def tag_rows(result: EvalResult) -> list[tuple[str, ...]]:
    """A row for each tag: the tag, its questions, and the mean of each metric in `tag_header` with its n."""
    return [
        (
            tag,
            str(sum(tag in row.tags for row in result.rows)),
            *(_short_cell(name, estimates.get(name)) for name in _tag_metrics(result)),
        )
        for tag, estimates in result.by_tag.items()
    ]


def robustness_rows(robustness: Robustness) -> list[tuple[str, ...]]:
    """For each change and main metric the difference it made, under `ROBUSTNESS_HEADER`."""
    return [
        (
            effect.change,
            name,
            format_difference(name, difference.mean),
            f"{format_difference(name, difference.low)} to {format_difference(name, difference.high)}",
            str(difference.n),
            *(str(len(ids)) for ids in (effect.fell, effect.rose, effect.otherwise)),
        )
        for effect in robustness.effects
        for name, difference in effect.differences.items()
        if name in MAIN_METRICS
    ]


def failures(result: EvalResult) -> list[Failure]:
    """The questions answered wrongly, refused wrongly, or ended by an error, in the suite's order."""
    return [describe_failure(row) for row in result.rows if is_failure(row)]


def describe_failure(row: Row) -> Failure:
    """What was said and what was looked for, as plain text."""
    return Failure(row.id, row.question, _said(row), _expected(row), find_step(row))


def to_markdown(result: EvalResult) -> str:
    """The summary, the table by tag and the time, as Markdown that ends in a newline."""
    speed = result.performance
    parts = [
        f"**{result.suite}**: {speed.questions} questions, {speed.errors} errors, {result.date[:10]}",
        markdown_table(SUMMARY_HEADER, summary_rows(result)),
        f"Seconds a question: median {speed.median_s:.2f}, mean {speed.mean_s:.2f}.",
    ]
    if result.by_tag:
        parts.append(markdown_table(tag_header(result), tag_rows(result)))
    return "\n\n".join(parts) + "\n"


def to_pull_request(result: EvalResult, comparison: Comparison | None = None, *, most: int = MOST_CHARACTERS) -> str:
    """The run as a comment on a pull request: the main figures, what changed, and the questions that went wrong.

    Words of questions and documents stand in code spans, so that nobody is mentioned and nothing is drawn by them.

    Args:
        result: The run.
        comparison: With an earlier one, its difference from which is told.
        most: Characters; of the lists of questions so much is left out that it suffices.
    """
    text = f"### ragkit eval: {code_span(result.suite)}\n\n{summarize(result)}\n\n"
    cells = [(one.title, one.figure, one.interval, str(one.estimate.n)) for one in headlines(result.metrics)]
    text += f"{markdown_table(('', 'value', '95 % interval', 'n'), cells)}\n"
    if lost := count_steps(result.rows):
        told = ", ".join(f"{STEP_TITLES.get(step, step).lower()} {count}" for step, count in lost.items())
        text += f"\nLost at, in the order of the steps: {told}.\n"
    if comparison is not None:
        text += _told_changes(comparison)
        for title, ids in (("From right to wrong", comparison.broken), ("From wrong to right", comparison.fixed)):
            listed = [describe_failure(row) for row in comparison.after.rows if row.id in set(ids)]
            text += _folded_list(title, listed, most - len(text))
    text += _folded_list("Went wrong", failures(result), most - len(text))
    return text[:most]


def _told_changes(comparison: Comparison) -> str:
    """What changed from the earlier run: settings, the verdict, and a table of every metric that moved or matters."""
    changed = [
        f"{code_span(name)} from {code_span(str(old))} to {code_span(str(new))}"
        for name, (old, new) in comparison.changed_settings().items()
    ]
    settings = f" Changed: {', '.join(changed)}." if changed else ""
    rows = [
        (
            f"`{name}`",
            format_figure(name, change.before),
            format_figure(name, change.after),
            change.verdict,
        )
        for name, change in comparison.metrics.items()
        if name in MAIN_METRICS or change.outcome != "no difference"
    ]
    table = markdown_table(("metric", "before", "after", "verdict"), rows)
    return f"\n**Against {comparison.before.date[:10]}.** {comparison.verdict}{settings}\n\n{table}\n"


def _folded_list(title: str, listed: Sequence[Failure], room: int) -> str:
    """A table of questions that opens at a click, with as many as there is room for; nothing for none."""
    if not listed:
        return ""
    head = f"\n<details><summary>{title}: {len(listed)}</summary>\n\n"
    foot = "\n\n{} more are left out here; the HTML report has them all.\n\n</details>\n"
    lines = markdown_table(("id", "question", "said", "looked for", "lost at"), _list_cells(listed)).split("\n")
    left = room - len(head) - len(foot) - len(str(len(listed))) - sum(len(line) + 1 for line in lines[:2])
    if left < 0:
        return ""
    kept = lines[:2]
    for line in lines[2:]:
        left -= len(line) + 1
        if left < 0:
            break
        kept.append(line)
    dropped = len(lines) - len(kept)
    return head + "\n".join(kept) + (foot.format(dropped) if dropped else "\n\n</details>\n")


def _list_cells(listed: Iterable[Failure]) -> list[tuple[str, ...]]:
    return [
        (
            *(code_span(text) for text in (one.id, one.question, one.answer, one.gold)),
            STEP_TITLES.get(one.step, one.step) if one.step else "",
        )
        for one in listed
    ]


def code_span(text: str) -> str:
    """A text as Markdown code on one line, whatever stands in it; long ones are cut, what cannot be printed is "�"."""
    flat = " ".join(text.split())
    cut = flat if len(flat) <= QUOTED_CHARACTERS else f"{flat[: QUOTED_CHARACTERS - 1]}…"
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in cut)
    shown = shown.replace("\\|", "\\ |")  # else the bar would end the cell of a table, however it is escaped
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    space = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{space}{shown}{space}{fence}" if shown else ""


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; bars inside cells are escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _estimate_cells(name: str, estimate: Estimate) -> tuple[str, str, str]:
    low, high = format_value(name, estimate.low), format_value(name, estimate.high)
    return format_value(name, estimate.mean), f"{low} to {high}", str(estimate.n)


def _tag_metrics(result: EvalResult) -> list[str]:
    return [name for name in TAG_METRICS if name in result.metrics]


def _short_cell(name: str, estimate: Estimate | None) -> str:
    return "–" if estimate is None else f"{format_value(name, estimate.mean)} ({estimate.n})"


def _said(row: Row) -> str:
    return row.answer["answer"] if row.answer else row.error or ""


def _expected(row: Row) -> str:
    gold = row.gold
    if not gold["answerable"]:
        return "(a refusal)"
    said = "; ".join(" / ".join(entry) for entry in gold["must_include"]) or " / ".join(gold["answers"])
    places = ", ".join(f"{e['document']} paragraph {e['paragraph']}" for e in gold["evidence"])
    return f"{said} ({places})" if places else said
