"""`ragkit eval`: a suite of gold questions asked, checked, compared and reported; and the gate."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ragkit.cli import evaluation_options as options
from ragkit.cli.drafting import draft, review
from ragkit.cli.options import (
    EmbedderOption,
    JsonOption,
    MaxWrongOption,
    ModelOption,
    OfflineOption,
    QuietOption,
    RerankerOption,
    SettingsOption,
    StyleOption,
    VerifierOption,
)
from ragkit.cli.screen import Screen
from ragkit.settings import Settings

RUN = "run"


class _SuiteFirst(TyperGroup):
    """Commands of which the one that asks a suite may go without its name: `ragkit eval seeds`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments with that command's name before them where no other is named."""
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = [RUN, *args]
        return list(super().parse_args(ctx, args))


eval_app = typer.Typer(
    name="eval",
    cls=_SuiteFirst,
    no_args_is_help=True,
    help="Measure answers on gold questions.\n\n  ragkit eval seeds --fail-under answers_right=0.85\n\n"
    "  ragkit eval compare before.json after.json",
)
eval_app.command()(draft)
eval_app.command()(review)


@eval_app.command(RUN)
def run(
    suite: options.SuiteArgument,
    documents: options.DocumentsOption = None,
    index: options.IndexOption = None,
    sample: options.SampleOption = None,
    seed: options.SeedOption = 0,
    fail_under: options.FailUnderOption = None,
    fail_if: options.FailIfOption = None,
    baseline: options.BaselineOption = None,
    perturb: options.PerturbOption = None,
    distractors: options.DistractorsOption = None,
    quick: options.QuickOption = False,
    fresh: options.FreshOption = False,
    resume: options.ResumeOption = False,
    jobs: options.JobsOption = 1,
    out: options.OutOption = None,
    html: options.HtmlOption = None,
    markdown: options.MarkdownOption = None,
    junit: options.JunitOption = None,
    trec: options.TrecOption = None,
    failures: options.FailuresOption = False,
    model: ModelOption = None,
    embedder: EmbedderOption = None,
    reranker: RerankerOption = None,
    verifier: VerifierOption = None,
    style: StyleOption = None,
    max_wrong: MaxWrongOption = None,
    settings: SettingsOption = None,
    offline: OfflineOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Ask every gold question of a suite and measure answers, citations and refusals, with 95 % intervals.

    Its name may be left out: ragkit eval seeds --fail-under answers_right=0.85 --html report.html
    """
    from ragkit.evaluation.command import Plan, evaluate
    from ragkit.evaluation.report import terminal
    from ragkit.evaluation.report.entries import read_paragraphs
    from ragkit.evaluation.report.files import Reports

    screen = Screen.open(quiet)
    models = {"model": model, "embedder": embedder, "reranker": reranker, "verifier": verifier}
    given = {**models, "style": style, "max_wrong": max_wrong, "offline": offline or None}

    def choose(of_suite: Mapping[str, Any]) -> Settings:
        return Settings.load(settings, of_suite, **given)

    plan = Plan(
        documents=tuple(documents or ()),
        index=index,
        sample=(sample, seed),
        fail_under=fail_under or (),
        fail_if=fail_if or (),
        baseline=baseline,
        changes=perturb or (),
        distractors=tuple(distractors or ()),
        quick=quick,
        fresh=fresh,
        resume=resume,
        jobs=jobs,
        out=out,
    )
    with screen.steps() as told:
        outcome = evaluate(suite, choose, plan, told)
    result, file = outcome.result, outcome.save()
    page = html or file.with_suffix(".html")
    Reports(page, markdown, junit, trec).write(
        result,
        comparison=outcome.comparison,
        robustness=outcome.robustness,
        paragraph_of=read_paragraphs(outcome.suite),
    )
    if as_json:
        screen.json(json.loads(result.to_json()))
    else:
        shown = terminal.eval_tables(result, outcome.robustness, with_failures=failures)
        screen.out.print(*shown, *terminal.comparison_lines(outcome.comparison), sep="\n")
        screen.note(f"Result: {file}\nReport: {page}")
    _exit_if_any(screen, (*outcome.misses, *outcome.breaches))


@eval_app.command()
def check(
    suite: options.SuiteArgument,
    documents: options.DocumentsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find what is wrong with a suite before it is asked: broken lines, gold that is not in the documents, doubles.

    Exit 1 if anything would make a figure wrong. Example: ragkit eval check evals/leases
    """
    from ragkit.evaluation.command import DATASETS
    from ragkit.evaluation.datasets import find_problems
    from ragkit.models.weights import cache_folder

    screen = Screen.open()
    loaded, problems = find_problems(suite, cache_folder() / DATASETS, documents=documents or ())
    errors = sum(problem.severity == "error" for problem in problems)
    if as_json:
        for problem in problems:
            screen.json({"question_id": problem.question_id, "severity": problem.severity, "what": problem.what})
    else:
        for problem in problems:
            screen.out.print(str(problem), markup=False)
        counted = f"{errors} errors, {len(problems) - errors} warnings"
        screen.out.print(f"{loaded.name}: {len(loaded.questions)} questions, {counted if problems else 'all well'}.")
    if errors:
        raise typer.Exit(1)


@eval_app.command()
def compare(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="A result, as JSON.")],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="A later result of the same suite.")],
    fail_if: options.FailIfOption = None,
    html: options.HtmlOption = None,
    markdown: options.MarkdownOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what got better and what worse between two results, and whether so many questions could show it.

    Example: ragkit eval compare before.json after.json --html changes.html
    """
    from ragkit.evaluation.compare import compare_results
    from ragkit.evaluation.gate import find_breaches, parse_limits
    from ragkit.evaluation.report import terminal
    from ragkit.evaluation.report.files import Reports
    from ragkit.evaluation.results import load_result

    screen, limits = Screen.open(), parse_limits(fail_if or ())
    comparison = compare_results(load_result(before), load_result(after))
    Reports(html, markdown).write_comparison(comparison)
    if as_json:
        screen.json(comparison.to_dict())
    else:
        screen.out.print(*terminal.comparison_lines(comparison), sep="\n")
    _exit_if_any(screen, find_breaches(comparison, limits))


@eval_app.command()
def report(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A result, as JSON.")],
    suite: Annotated[
        str | None, typer.Option("--suite", help="Its suite, so that the cited paragraphs can be shown.")
    ] = None,
    documents: options.DocumentsOption = None,
    html: options.HtmlOption = None,
    markdown: options.MarkdownOption = None,
    junit: options.JunitOption = None,
    trec: options.TrecOption = None,
) -> None:
    """Write the reports of a result that was saved. Example: ragkit eval report result.json --html report.html."""
    from ragkit.evaluation.command import DATASETS
    from ragkit.evaluation.datasets import load_suite
    from ragkit.evaluation.report.entries import read_paragraphs
    from ragkit.evaluation.report.files import Reports
    from ragkit.evaluation.results import load_result
    from ragkit.models.weights import cache_folder

    saved = load_result(result)
    asked = load_suite(suite, cache_folder() / DATASETS, documents=documents or ()) if suite else None
    paragraph_of = read_paragraphs(asked) if asked else None
    page = html or (None if markdown or junit or trec else result.with_suffix(".html"))
    Reports(page, markdown, junit, trec).write(saved, paragraph_of=paragraph_of)


@eval_app.command()
def score(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A TREC run file, of any tool.")],
    qrels: Annotated[Path, typer.Argument(metavar="QRELS", help="TREC qrels.")],
    as_json: JsonOption = False,
) -> None:
    """Score the rankings of any tool. Example: ragkit eval score bm25.run seeds.qrels."""
    from ragkit.evaluation.measures.rankings import read_qrels, read_run, score_run
    from ragkit.evaluation.report import terminal

    screen, measures = Screen.open(), score_run(read_run(run), read_qrels(qrels))
    if as_json:
        screen.json({name: asdict(estimate) for name, estimate in measures.items()})
    else:
        screen.out.print(terminal.measures_table({run.name: measures}))


def _exit_if_any(screen: Screen, broken: Sequence[object]) -> None:
    """Names what was missed, and ends with exit code 1 if anything was."""
    for one in broken:
        screen.err.print(str(one), style="red", markup=False)
    if broken:
        raise typer.Exit(1)
