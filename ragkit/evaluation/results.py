"""What an evaluation found: a row for each question, every metric with its interval, and what was measured how.

Made by `run`, printed through `report`, kept as JSON, set side by side by `compare`.
"""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ragkit.errors import GoldError
from ragkit.evaluation.gold import read_text
from ragkit.evaluation.measures.curves import Curves, load_curves
from ragkit.evaluation.measures.estimates import Estimate, Observation, estimate_mean, estimate_proportion
from ragkit.evaluation.measures.metrics import METRICS

FORMAT = 2


@dataclass(frozen=True, slots=True)
class Row:
    """One question, what was answered, and what each metric says of it.

    Attributes:
        gold: The gold question with all its fields.
        cluster: The questions with the same one are resampled together: their document or paragraph is the same.
        answer: As `ragkit ask --json` prints it, or None after an error.
        error: The message of the error that came instead of an answer.
        values: Metric name to value; None where the metric cannot judge.
        retrieved: By stage of retrieval the paragraphs as `document#number`, best first.
        blame: The step that lost the right answer; None where it was not lost or nobody looked.
        is_cached: Whether the answer was given in an earlier run with the same index, settings and code.
    """

    id: str
    question: str
    tags: tuple[str, ...]
    gold: dict[str, Any]
    cluster: str
    answer: dict[str, Any] | None
    error: str | None
    values: dict[str, float | None]
    retrieved: dict[str, list[str]] = field(default_factory=dict)
    blame: str | None = None
    is_cached: bool = False

    @property
    def right(self) -> bool | None:
        """Right by the gold answer or, where that is long, by the first citation; None where neither can judge."""
        for name in ("answers_right", "first_citation_right_all"):
            if (value := self.values.get(name)) is not None:
                return value == 1.0
        return None


@dataclass(frozen=True, slots=True)
class Performance:
    """Wall-clock seconds a question, from asking to the answer, and the mean of each step as the answers report it."""

    questions: int
    errors: int
    mean_s: float
    median_s: float
    steps_mean_s: dict[str, float]


@dataclass(frozen=True, slots=True)
class EvalResult:
    """One run of a suite.

    Attributes:
        suite_hash: Of the questions asked and the documents; equal hashes make results comparable.
        date: UTC, ISO 8601.
        settings: Every setting of the run.
        versions: Of ragkit, Python and the libraries that can change a result.
        metrics: Only those that could judge at least one question.
        by_tag: Tag to metrics over the questions that carry it.
        retrieval: By stage the measures of its ranking.
        curves: What the confidence is worth; None where no row has one.
    """

    suite: str
    suite_hash: str
    date: str
    settings: dict[str, Any]
    versions: dict[str, str]
    performance: Performance
    metrics: dict[str, Estimate]
    by_tag: dict[str, dict[str, Estimate]]
    rows: tuple[Row, ...]
    retrieval: dict[str, dict[str, Estimate]] = field(default_factory=dict)
    curves: Curves | None = None

    def to_json(self) -> str:
        """The whole result as one JSON object; `load_result` reads it back."""
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False, indent=1, default=str)


def load_result(file: Path) -> EvalResult:
    """A result that was written with `EvalResult.to_json`; GoldError if the file holds something else."""
    text = read_text(file)
    try:
        stored = json.loads(text)
        if stored.pop("format") != FORMAT:
            raise GoldError(f"{file} was written by another version of ragkit. Run the evaluation again.")
        rows = tuple(Row(**{**row, "tags": tuple(row["tags"])}) for row in stored.pop("rows"))
        performance = Performance(**stored.pop("performance"))
        metrics = _load_estimates(stored.pop("metrics"))
        by_tag = {tag: _load_estimates(estimates) for tag, estimates in stored.pop("by_tag").items()}
        retrieval = {stage: _load_estimates(measures) for stage, measures in stored.pop("retrieval").items()}
        curves = load_curves(stored.pop("curves"))
        measured: dict[str, Any] = {"metrics": metrics, "by_tag": by_tag, "retrieval": retrieval, "curves": curves}
        return EvalResult(**stored, **measured, rows=rows, performance=performance)
    except (json.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        raise GoldError(f"{file} is not a result of ragkit eval. Write one with: ragkit eval SUITE --json") from error


def _load_estimates(stored: Mapping[str, Mapping[str, Any]]) -> dict[str, Estimate]:
    return {name: Estimate(**numbers) for name, numbers in stored.items()}


def estimate_metrics(rows: Sequence[Row]) -> dict[str, Estimate]:
    """Each metric over the rows that it could judge, in the order of `METRICS`; without those that judged none."""
    estimates = {}
    for metric in METRICS:
        values = [(row.values.get(metric.name), row.cluster) for row in rows]
        judged = [Observation(value, cluster) for value, cluster in values if value is not None]
        if judged:
            estimates[metric.name] = estimate_proportion(judged) if metric.is_share else estimate_mean(judged)
    return estimates


def estimate_by_tag(rows: Sequence[Row]) -> dict[str, dict[str, Estimate]]:
    """The metrics over the questions of each tag, tags sorted."""
    tags = sorted({tag for row in rows for tag in row.tags})
    return {tag: estimate_metrics([row for row in rows if tag in row.tags]) for tag in tags}


def measure_performance(rows: Sequence[Row]) -> Performance:
    """Seconds over the questions that were answered or refused; zeros if every one ended in an error."""
    seconds = [value for row in rows if (value := row.values.get("seconds")) is not None]
    answers = [row.answer for row in rows if row.answer is not None]
    steps = sorted({step for answer in answers for step in answer["seconds"]})
    return Performance(
        questions=len(rows),
        errors=sum(row.error is not None for row in rows),
        mean_s=statistics.fmean(seconds) if seconds else 0.0,
        median_s=statistics.median(seconds) if seconds else 0.0,
        steps_mean_s={step: statistics.fmean(answer["seconds"].get(step, 0.0) for answer in answers) for step in steps},
    )
