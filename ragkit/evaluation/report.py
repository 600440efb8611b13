"""A result to rows of text for tables and to Markdown. Pure functions; the command line prints what they return."""

from collections.abc import Sequence
from dataclasses import dataclass

from ragkit.evaluation.estimates import Estimate
from ragkit.evaluation.results import EvalResult, Row

SUMMARY_HEADER = ("metric", "value", "95 % interval", "n")
TAG_METRICS = ("answers_right", "contains_gold", "first_citation_right", "refused_rightly", "refused_wrongly")


@dataclass(frozen=True, slots=True)
class Failure:
    """A question that was not answered rightly: what was asked, said and expected."""

    id: str
    question: str
    answer: str
    gold: str


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


def failures(result: EvalResult) -> list[Failure]:
    """The questions answered wrongly, refused wrongly, or ended by an error, in the suite's order."""
    wrong = [row for row in result.rows if row.error or row.right is False]
    return [Failure(row.id, row.question, _said(row), _expected(row)) for row in wrong]


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


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; bars inside cells are escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def format_value(name: str, value: float) -> str:
    """A metric's value with the digits that mean something for it."""
    return f"{value:.{ {'words': 1, 'seconds': 2}.get(name, 3) }f}"


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
