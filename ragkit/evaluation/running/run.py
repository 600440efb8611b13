"""Every question of a suite to an answer and its metrics: the evaluation itself. Called by the command line."""

import platform
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from ragkit.errors import DocumentError, SettingsError
from ragkit.evaluation.gold import GoldQuestion
from ragkit.evaluation.measures.citing import Judge, TextOf
from ragkit.evaluation.measures.curves import curves_of
from ragkit.evaluation.measures.rankings import retrieval_measures
from ragkit.evaluation.results import EvalResult, Row, estimate_by_tag, estimate_metrics, measure_performance
from ragkit.evaluation.running.asking import Asker, Asking, Explainer, LookBack
from ragkit.evaluation.running.cache import AnswerCache, hash_code, hash_json, identify_models
from ragkit.evaluation.running.journal import Journal
from ragkit.evaluation.suite import Suite
from ragkit.models.server import SERVER_PREFIX

__all__ = ["Asker", "RunOptions", "choose_clusters", "draw_sample", "list_versions", "run_suite"]

LIBRARIES = ("ragkit-qa", "torch", "transformers", "sentence-transformers", "faiss-cpu", "numpy")

MIN_CLUSTERS = 20  # a bootstrap over fewer clusters gives intervals that are too narrow (Cameron et al. 2008)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run goes on, and who looks closer at its answers.

    Attributes:
        cache: Answers given before; without one every question is asked.
        index: What tells the index from every other; see `cache.identify_index`.
        journal: File that each row is written to as it comes.
        resume: Take the rows of that file, if it is there, and ask only the rest.
        jobs: So many questions are asked at once where the writing model is a server's; any other takes the whole
            machine for one.
        judge: Whether a source supports a sentence; without one some metrics cannot judge.
        look_back: Finds what lost the right answer, where the kit can explain.
    """

    cache: AnswerCache | None = None
    index: str = ""
    journal: Path | None = None
    resume: bool = False
    jobs: int = 1
    judge: Judge | None = None
    look_back: LookBack | None = None


def run_suite(
    suite: Suite,
    kit: Asker,
    *,
    settings: Mapping[str, Any],
    sample: int | None = None,
    seed: int = 0,
    on_progress: Progress | None = None,
    options: RunOptions | None = None,
) -> EvalResult:
    """Every question asked and judged; any error is the row of its question, not the end of the run.

    Args:
        suite: What to ask, and the documents to check quotations against.
        kit: What answers; its index must hold the suite's documents.
        settings: Written into the result, so that it can be told from others.
        sample: Ask only so many questions, drawn with `seed`, in the suite's order.
        seed: Of the sample.
        on_progress: Called after each question with how many are done and how many there are; at the start, too, if
            some are done already.
        options: By default each question is asked, one after the other.

    Raises:
        InputError: The journal to go on with is of another run.
        StorageError: The journal cannot be written.
        SettingsError: The sample has no question, or there is nobody to ask.
    """
    how = options or RunOptions()
    questions = draw_sample(suite.questions, sample, seed) if sample is not None else suite.questions
    asked = replace(suite, questions=tuple(questions))
    made_of = _describe(kit, settings, how)
    clusters = choose_clusters(asked.questions)
    asking = Asking(kit, _text_reader(asked), clusters, how.cache, hash_json(made_of), how.judge, how.look_back)
    run = {"suite": suite.name, "suite_hash": asked.fingerprint(), **made_of, **_describe_looks(how)}
    run["settings"] = {**settings, "sample": sample, "seed": seed}
    rows = _collect(asked.questions, asking, run, how, on_progress or (lambda _done, _total: None))
    return EvalResult(
        suite=suite.name,
        suite_hash=run["suite_hash"],
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        settings=run["settings"],
        versions=run["versions"],
        performance=measure_performance(rows),
        metrics=estimate_metrics(rows),
        by_tag=estimate_by_tag(rows),
        rows=tuple(rows),
        retrieval=retrieval_measures(rows),
        curves=curves_of(rows),
    )


def _describe(kit: Asker, settings: Mapping[str, Any], how: RunOptions) -> dict[str, Any]:
    """All that an answer depends on but the question."""
    return {
        "settings": dict(settings),
        "index": how.index,
        "models": identify_models(settings),
        "versions": list_versions(),
        "code": hash_code("cli", "evaluation"),
        "explains": isinstance(kit, Explainer),
    }


def _describe_looks(how: RunOptions) -> dict[str, Any]:
    """What else a row depends on."""
    return {"code": hash_code("cli"), "judge": how.judge is not None, "look_back": how.look_back is not None}


def _collect(
    questions: Sequence[GoldQuestion], asking: Asking, run: Mapping[str, Any], how: RunOptions, progress: Progress
) -> list[Row]:
    """A row for each question, in order; those that a resumed journal holds are taken from it."""
    with ExitStack() as stack:
        opened = Journal.open(how.journal, run, resume=how.resume) if how.journal else None
        journal = stack.enter_context(opened) if opened else None
        rows = dict(journal.rows) if journal else {}
        if rows:
            progress(len(rows), len(questions))
        waiting = [gold for gold in questions if gold.id not in rows]
        for row in _make_rows(waiting, asking, count_jobs(run["settings"], how.jobs)):
            rows[row.id] = row
            if journal:
                journal.add(row)
            progress(len(rows), len(questions))
    return [rows[gold.id] for gold in questions]


def _make_rows(questions: Sequence[GoldQuestion], asking: Asking, jobs: int) -> Iterator[Row]:
    """The rows as they are ready."""
    if jobs == 1:
        yield from map(asking.make_row, questions)
        return
    with ThreadPoolExecutor(jobs) as pool:
        waiting = [pool.submit(asking.make_row, gold) for gold in questions]
        try:
            for ready in as_completed(waiting):
                yield ready.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def count_jobs(settings: Mapping[str, Any], wanted: int) -> int:
    """How many questions to ask at once: as many as wanted of a model server, else one.

    Raises:
        SettingsError: Fewer than one is wanted.
    """
    if wanted < 1:
        raise SettingsError(f"A run needs at least one job, not {wanted}.")
    return wanted if str(settings.get("model") or "").startswith(SERVER_PREFIX) else 1


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
