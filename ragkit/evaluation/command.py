"""One evaluation from a suite's name to a saved result: load, index, ask, look back, gate. Called by `cli`."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ragkit.errors import SettingsError
from ragkit.evaluation.compare import Comparison, compare_results
from ragkit.evaluation.datasets import load_suite
from ragkit.evaluation.gate import Breach, Miss, find_breaches, find_misses, parse_limits, parse_thresholds
from ragkit.evaluation.report.files import save_text
from ragkit.evaluation.results import EvalResult, load_result
from ragkit.evaluation.robustness.perturb import Robustness, Variant, parse_changes, run_perturbed
from ragkit.evaluation.running.cache import AnswerCache, identify_index
from ragkit.evaluation.running.journal import journal_beside
from ragkit.evaluation.running.oracle import look_back
from ragkit.evaluation.running.run import RunOptions, run_suite
from ragkit.evaluation.suite import Suite
from ragkit.index.index import Index
from ragkit.ingest import index_paths
from ragkit.kit import Kit, ingest_options
from ragkit.models.embedding import Embedder
from ragkit.models.loading import load_embedder
from ragkit.models.weights import cache_folder
from ragkit.settings import Settings
from ragkit.verification import verify

RESULTS = Path("evals/results")
DATASETS, EVALUATIONS = "datasets", "evaluations"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is to do.

    Attributes:
        documents: Of questions that come without; see `load_suite`.
        index: One that holds the suite's documents; by default one is made in the cache and kept up to date.
        sample: How many questions to ask (None: all), and the seed of whatever is drawn.
        fail_under: `metric=value`, beside the thresholds of the suite.
        fail_if: `metric drops 0.02` or `metric rises 0.02`, against the baseline.
        baseline: A result that was saved.
        changes: Of the questions or documents, each asked once more; see `parse_changes`.
        distractors: Folders and files that distractors are taken from.
        quick: Leave out what needs more than the answers: verifying them anew, and what lost the wrong ones.
        fresh: Ask even what was answered before with the same index, settings and code.
        resume: Go on with the run that was broken off.
        jobs: Questions asked at once of a model server.
        out: File of the result; by default one under `evals/results` that is named by suite and time.
    """

    documents: tuple[Path, ...] = ()
    index: Path | None = None
    sample: tuple[int | None, int] = (None, 0)
    fail_under: Sequence[str] = ()
    fail_if: Sequence[str] = ()
    baseline: Path | None = None
    changes: Sequence[str] = ()
    distractors: tuple[Path, ...] = ()
    quick: bool = False
    fresh: bool = False
    resume: bool = False
    jobs: int = 1
    out: Path | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result with what it is held to.

    Attributes:
        comparison: With the baseline, if there is one.
        robustness: What each change did, if any was asked for.
    """

    suite: Suite
    result: EvalResult
    misses: tuple[Miss, ...] = ()
    breaches: tuple[Breach, ...] = ()
    comparison: Comparison | None = None
    robustness: Robustness | None = None
    _out: Path | None = field(default=None, repr=False)

    def save(self) -> Path:
        """Writes the result as JSON, says where, and does away with the journal of the run.

        Raises:
            StorageError: The file cannot be written.
        """
        stamp = re.sub(r"[^0-9]", "", self.result.date)[:14]
        target = self._out or RESULTS / f"{self.result.suite}-{stamp}.json"
        save_text(self.result.to_json() + "\n", target)
        journal_beside(_journalled(self.suite, self._out)).unlink(missing_ok=True)
        return target


def evaluate(
    place: str,
    choose_settings: Callable[[Mapping[str, Any]], Settings],
    plan: Plan,
    on_progress: Progress = lambda _what, _done, _total: None,
) -> Outcome:
    """Asks every question of a suite over its own documents.

    Args:
        place: A suite's name or folder, or a dataset.
        choose_settings: From what the suite sets to the settings of the run.
        plan: What to do.
        on_progress: Told what is going on, and (done, total).

    Raises:
        GoldError: The suite does not fit its documents, or the baseline is another suite's.
        SettingsError: A threshold or limit names no metric, or a limit has no baseline.
        InputError: The journal to go on with is of another run, or there are too few distractors.
    """
    thresholds, limits, changes = parse_thresholds(plan.fail_under), parse_limits(plan.fail_if), plan.changes
    if limits and plan.baseline is None:
        raise SettingsError("--fail-if needs a result to compare with. Give one: --baseline evals/results/FILE.json")
    before, planned = load_result(plan.baseline) if plan.baseline else None, parse_changes(changes)
    suite = load_suite(place, cache_folder() / DATASETS, documents=plan.documents)
    settings = choose_settings(suite.settings)
    embedder = load_embedder(settings.embedder, offline=settings.offline)
    folder = plan.index or index_suite(suite, settings, embedder)
    run = _Run(settings, embedder, plan, on_progress)
    result = run.ask(f"Asking {suite.name}", suite, folder, journal=journal_beside(_journalled(suite, plan.out)))
    robustness = None
    if planned:
        ask = partial(run.ask_variant, folder)
        robustness = run_perturbed(suite, result, planned, ask, seed=plan.sample[1], places=plan.distractors)
    comparison = compare_results(before, result) if before else None
    return Outcome(
        suite,
        result,
        tuple(find_misses(result.metrics, {**suite.thresholds, **thresholds})),
        tuple(find_breaches(comparison, limits)) if comparison else (),
        comparison,
        robustness,
        plan.out,
    )


@dataclass(frozen=True, slots=True)
class _Run:
    """What all questions of an evaluation are asked with."""

    settings: Settings
    embedder: Embedder
    plan: Plan
    on_progress: Progress

    def ask(
        self, what: str, suite: Suite, folder: Path, *, journal: Path | None = None, fresh: bool = False
    ) -> EvalResult:
        """The result of a suite over the index in a folder; without a journal all questions are asked."""
        plan = self.plan
        with ExitStack() as stack:
            kit = stack.enter_context(Kit(Index.open(folder), self.settings, embedder=self.embedder))
            kept = cache_folder() / EVALUATIONS / "answers.sqlite"
            options = RunOptions(
                cache=stack.enter_context(AnswerCache.open(kept, is_fresh=plan.fresh or fresh)),
                index=identify_index(kit.index),
                journal=journal,
                resume=plan.resume and journal is not None,
                jobs=plan.jobs,
                judge=None if plan.quick else partial(_is_supported, kit),
                look_back=None if plan.quick or journal is None else partial(look_back, kit),
            )
            used = {"embedder": self.embedder.name, "index_generation": kit.index.generation}
            return run_suite(
                suite,
                kit,
                settings=self.settings.model_dump() | used,
                sample=plan.sample[0] if journal else None,
                seed=plan.sample[1] if journal else 0,
                on_progress=partial(self.on_progress, what),
                options=options,
            )

    def ask_variant(self, folder: Path, variant: Variant) -> EvalResult:
        """The result of a changed suite, over the index in the folder unless its documents are other ones."""
        what = f"Asking {variant.suite.name} again: {variant.change}"
        if variant.documents is None:
            return self.ask(what, variant.suite, folder, fresh=variant.is_fresh)
        with TemporaryDirectory(prefix="ragkit-") as made:
            anew = Path(made) / "index"
            options = ingest_options(self.settings, exclude=variant.suite.exclude)
            index_paths(list(variant.documents), anew, self.embedder, options)
            return self.ask(what, variant.suite, anew, fresh=variant.is_fresh)


def _is_supported(kit: Kit, sentence: str, source: str) -> bool:
    return verify(sentence, source, kit.verifier).verdict == "supported"


def _journalled(suite: Suite, out: Path | None) -> Path:
    """Beside which file the run's journal lies: known before the run ends, and the same when it goes on."""
    return out or RESULTS / f"{suite.name}.json"


def index_suite(suite: Suite, settings: Settings, embedder: Embedder) -> Path:
    """The suite's own index in the cache, up to date; another embedder or chunk size has another."""
    made_with = f"{embedder.name}-{settings.chunk_tokens}-{settings.min_chunk_tokens}"
    name = re.sub(r"[^\w.-]+", "_", f"{suite.name}-{suite.fingerprint()[7:19]}-{made_with}")
    folder = cache_folder() / EVALUATIONS / name
    index_paths(list(suite.documents), folder, embedder, ingest_options(settings, exclude=suite.exclude))
    return folder
