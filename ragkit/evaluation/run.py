"""Every question of a suite to an answer and its metrics: the evaluation itself. Called by the command line."""

import json
import platform
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib import metadata
from typing import Any, Protocol

from ragkit.errors import DocumentError, RagkitError, SettingsError
from ragkit.evaluation.gold import GoldQuestion
from ragkit.evaluation.metrics import TextOf, judge_answer, judge_failure
from ragkit.evaluation.results import EvalResult, Row, estimate_by_tag, estimate_metrics, measure_performance
from ragkit.evaluation.suite import Suite
from ragkit.records import Answer

LIBRARIES = ("ragkit-qa", "torch", "transformers", "sentence-transformers", "faiss-cpu", "numpy")

MIN_CLUSTERS = 20  # a bootstrap over fewer clusters gives intervals that are too narrow (Cameron et al. 2008)


class Asker(Protocol):
    """Whatever answers questions; `ragkit.open(...)` gives one."""

    def ask(self, question: str) -> Answer:
        """The answer to one question."""


def run_suite(
    suite: Suite,
    kit: Asker,
    *,
    settings: Mapping[str, Any],
    sample: int | None = None,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> EvalResult:
    """Every question asked and judged; an error of ragkit is the row of its question, not the end of the run.

    Args:
        suite: What to ask, and the documents to check quotations against.
        kit: What answers; its index must hold the suite's documents.
        settings: Written into the result, so that it can be told from others.
        sample: Ask only so many questions, drawn with `seed`, in the suite's order.
        seed: Of the sample.
        on_progress: Called after each question with how many are done and how many there are.
    """
    questions = draw_sample(suite.questions, sample, seed) if sample is not None else suite.questions
    asked = replace(suite, questions=tuple(questions))
    text_of = _text_reader(asked)
    clusters = choose_clusters(asked.questions)
    rows = []
    for done, gold in enumerate(asked.questions, start=1):
        rows.append(_ask_one(kit, gold, clusters[gold.id], text_of))
        if on_progress:
            on_progress(done, len(asked.questions))
    return EvalResult(
        suite=suite.name,
        suite_hash=asked.fingerprint(),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        settings={**settings, "sample": sample, "seed": seed},
        versions=list_versions(),
        performance=measure_performance(rows),
        metrics=estimate_metrics(rows),
        by_tag=estimate_by_tag(rows),
        rows=tuple(rows),
    )


def draw_sample(questions: Sequence[GoldQuestion], size: int, seed: int) -> list[GoldQuestion]:
    """So many of the questions (all, if there are fewer), the same ones for the same seed, in their order."""
    if size < 1:
        raise SettingsError(f"A sample needs at least one question, not {size}.")
    chosen = random.Random(seed).sample(range(len(questions)), min(size, len(questions)))
    return [questions[i] for i in sorted(chosen)]


def choose_clusters(questions: Sequence[GoldQuestion]) -> dict[str, str]:
    """Question id to what it is resampled with: its document or, among too few documents, its paragraph.

    A question without gold paragraphs stands alone.
    """
    documents = {question.evidence[0].document for question in questions if question.evidence}
    clusters = {}
    for question in questions:
        first = question.evidence[0] if question.evidence else None
        place = f"{first.document}#{first.paragraph}" if first and len(documents) < MIN_CLUSTERS else None
        clusters[question.id] = place or (first.document if first else question.id)
    return clusters


def list_versions() -> dict[str, str]:
    """The versions of Python, of the machine's kind and of the libraries that can change a result."""
    versions = {"python": platform.python_version(), "platform": platform.platform()}
    for library in LIBRARIES:
        try:
            versions[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            versions[library] = "not installed"
    return versions


def _ask_one(kit: Asker, gold: GoldQuestion, cluster: str, text_of: TextOf) -> Row:
    started = time.perf_counter()
    answer, error = None, None
    try:
        answer = kit.ask(gold.question)
    except RagkitError as raised:
        error = f"{type(raised).__name__}: {raised}"
    seconds = time.perf_counter() - started
    values = {**judge_answer(gold, answer, text_of), "seconds": seconds} if answer else judge_failure(gold)
    return Row(
        id=gold.id,
        question=gold.question,
        tags=gold.tags,
        gold=json.loads(json.dumps(asdict(gold))),
        cluster=cluster,
        answer=replace(answer, id=gold.id).to_dict() if answer else None,
        error=error,
        values=values,
    )


def _text_reader(suite: Suite) -> TextOf:
    """A document's path to its text as it is in the file now; None for a document that is not to be read."""
    read = suite.open_reader()

    def text_of(path: str) -> str | None:
        try:
            document = read(path)
        except DocumentError:
            return None
        return document.text if document else None

    return text_of
