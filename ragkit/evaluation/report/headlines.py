"""Figures to words that need no knowledge of ragkit: a sentence a figure, a sentence a step of blame, an outcome a row.

Called by `report`, `page` and `junit`, so that all of them say the same.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ragkit.evaluation.measures.estimates import Estimate
from ragkit.evaluation.measures.metrics import METRICS
from ragkit.evaluation.results import EvalResult, Row
from ragkit.evaluation.running.blame import (
    DROPPED,
    ERROR,
    GOLD_DOUBTFUL,
    NOT_CHOSEN,
    NOT_INDEXED,
    NOT_RETRIEVED,
    NOT_WRITTEN,
    REFUSED,
    SHOULD_REFUSE,
    STEPS,
)

MEANINGS = {metric.name: metric.meaning for metric in METRICS}
PERCENT = "\N{NO-BREAK SPACE}%"
PLAIN_NUMBERS = {"words": 1, "seconds": 2}
"""Metrics that are no shares of one, with the digits that mean something for them."""

MAIN_METRICS = {
    "answers_right": (
        "Right",
        "{count} of {n} questions were answered rightly: with the answer looked for, or with a refusal where the "
        "documents have none.",
    ),
    "refused_rightly": ("Refused where it should", "Of {n} questions without an answer, {count} were refused."),
    "refused_wrongly": (
        "Refused where it should not",
        "Of {n} questions with an answer, {count} were refused all the same. Less is better.",
    ),
    "first_citation_right": (
        "First citation right",
        "Of {n} answers, {count} cite first a paragraph that is known to answer.",
    ),
    "grounded": (
        "Grounded",
        "On average {figure} of an answer's sentences are supported by what they cite, when checked anew.",
    ),
    "sentences_supported": (
        "Sentences supported",
        "On average {figure} of an answer's sentences passed ragkit's own check against what they cite.",
    ),
    "quotes_exact": (
        "Quotations exact",
        "On average {figure} of an answer's quotations stand in the document, word for word, where it says.",
    ),
    "says_forbidden": (
        "Says what it must not",
        "Of {n} answers that were put to the test, {count} say what they must not. Less is better.",
    ),
    "rouge_l": (
        "Near the long answer",
        "Where a long answer is looked for, answers share {figure} of its words in order.",
    ),
    "seconds": ("Seconds", "From question to answer it takes {figure} seconds on average. Less is better."),
}
"""What a reader sees first: metric name to a title and a sentence."""

OUTCOMES = {
    "right": "Right",
    "wrong": "Wrong",
    "refused-rightly": "Rightly refused",
    "refused-wrongly": "Wrongly refused",
    "error": "Error",
    "not-judged": "Not judged",
}

UNTOLD = "untold"
STEP_TITLES = {
    NOT_INDEXED: "Not indexed",
    NOT_RETRIEVED: "Not found",
    NOT_CHOSEN: "Not chosen",
    NOT_WRITTEN: "Lost in the wording",
    DROPPED: "Taken out by the check",
    REFUSED: "Refused without need",
    SHOULD_REFUSE: "Should have refused",
    GOLD_DOUBTFUL: "Doubtful question",
    ERROR: "Error",
    UNTOLD: "Not known",
}
"""Step that lost the answer, in the order of the steps, to a title; for wrong rows without one there is `UNTOLD`."""

REFUSALS = {
    "nothing-retrieved": "nothing came up for the question",
    "no-evidence": "no sentence that came up seemed to answer it",
    "unsupported": "what was written did not hold against the documents",
}


@dataclass(frozen=True, slots=True)
class Headline:
    """One figure to show first.

    Attributes:
        figure: The mean with its unit.
        interval: Its 95 % interval in the same unit.
        sentence: What it says, for a reader who does not know ragkit.
    """

    name: str
    title: str
    figure: str
    interval: str
    sentence: str
    estimate: Estimate


def headlines(metrics: Mapping[str, Estimate]) -> list[Headline]:
    """The figures to show first, of those that there are, in the order of `MAIN_METRICS`."""
    shown = []
    for name, (title, sentence) in MAIN_METRICS.items():
        if (estimate := metrics.get(name)) is None or (name == "sentences_supported" and "grounded" in metrics):
            continue
        figure = format_figure(name, estimate.mean)
        filled = sentence.format(n=estimate.n, count=round(estimate.mean * estimate.n), figure=figure)
        shown.append(Headline(name, title, figure, format_interval(name, estimate), filled, estimate))
    return shown


def format_value(name: str, value: float) -> str:
    """A metric's value with the digits that mean something for it."""
    return f"{value:.{PLAIN_NUMBERS.get(name, 3)}f}"


def format_difference(name: str, value: float) -> str:
    """The difference of two values of a metric, with its sign."""
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{format_value(name, abs(value))}"


def format_figure(name: str, value: float) -> str:
    """The same for readers: shares in percent."""
    return format_value(name, value) if name in PLAIN_NUMBERS else f"{100 * value:.1f}{PERCENT}"


def format_interval(name: str, estimate: Estimate) -> str:
    """Its 95 % interval, in the unit of `format_figure`."""
    low, high = format_figure(name, estimate.low), format_figure(name, estimate.high)
    return f"{low.removesuffix(PERCENT)} to {high}"


def tell_outcome(row: Row) -> str:
    """What came of a question: a key of `OUTCOMES`."""
    if row.error is not None or row.answer is None:
        return "error"
    if row.answer["abstained"]:
        return "refused-wrongly" if row.gold["answerable"] else "refused-rightly"
    return {True: "right", False: "wrong", None: "not-judged"}[row.right]


def is_failure(row: Row) -> bool:
    """Whether a question was answered wrongly, refused wrongly, or ended in an error."""
    return row.right is False or tell_outcome(row) in ("refused-wrongly", "error")


def find_step(row: Row) -> str | None:
    """The step that lost the answer: a key of `STEP_TITLES`, or None where it was not lost."""
    if row.blame is not None:
        return row.blame
    return UNTOLD if is_failure(row) else None


def count_steps(rows: Iterable[Row]) -> dict[str, int]:
    """How many answers each step lost, in the order of the steps; without those that lost none."""
    counts = Counter(step for row in rows if (step := find_step(row)) is not None)
    return {step: counts[step] for step in dict.fromkeys([*STEP_TITLES, *counts]) if counts[step]}


def describe_step(step: str) -> str:
    """What it means that this step lost the answer, as a sentence."""
    meaning = STEPS.get(step, "no step was found to blame, or nobody looked")
    return f"{meaning[0].upper()}{meaning[1:]}."


def summarize(result: EvalResult) -> str:
    """The run in two or three sentences: how much was right, how the rest failed, and where most of it was lost."""
    judged = [row.right for row in result.rows if row.right is not None]
    if not judged:
        return f"None of the {len(result.rows)} questions can be judged right or wrong."
    sentences = [f"{sum(judged)} of {len(judged)} questions were answered rightly."]
    told = [tell_outcome(row) for row in result.rows]
    ways = {"wrong": "answered wrongly", "refused-wrongly": "refused without need", "error": "ended by an error"}
    failed = [f"{told.count(way)} {words}" for way, words in ways.items() if way in told]
    if failed:
        sentences.append(f"The others: {', '.join(failed)}.")
    blamed = {step: count for step, count in count_steps(result.rows).items() if step != UNTOLD}
    if blamed:
        worst = max(blamed, key=lambda step: blamed[step])
        sentences.append(f"The step that lost the most ({blamed[worst]}): {describe_step(worst)}")
    return " ".join(sentences)
