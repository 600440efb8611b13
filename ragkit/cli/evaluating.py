"""`ragkit eval`: a suite of gold questions, and the gate."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ragkit import display
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


def eval_command(
    suite: Annotated[str, typer.Argument(help="A suite under evals/, its folder, or a dataset file (SQuAD, CLAPNQ).")],
    index: Annotated[Path | None, typer.Option("--index", metavar="DIR", help="Use this index as it is.")] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="Ask only so many questions.")] = None,
    seed: Annotated[int, typer.Option(help="Of the sample.")] = 0,
    fail_under: Annotated[
        list[str] | None, typer.Option(metavar="METRIC=VALUE", help="Exit 1 if a metric is worse; may be repeated.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where the JSON result goes.")] = None,
    failures: Annotated[bool, typer.Option("--failures", help="List the questions answered wrongly.")] = False,
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

    Example: ragkit eval seeds --fail-under answers_right=0.85
    """
    from ragkit.evaluation.command import evaluate

    screen = Screen.open(quiet)
    models = {"model": model, "embedder": embedder, "reranker": reranker, "verifier": verifier}
    chosen = Settings.load(settings, **models, style=style, max_wrong=max_wrong, offline=offline or None)
    with screen.progress(f"Asking {suite}") as advance:
        outcome = evaluate(
            suite, chosen, index=index, sample=(sample, seed), thresholds=fail_under or (), on_progress=advance
        )
    file = outcome.save(out)
    if as_json:
        screen.json(json.loads(outcome.result.to_json()))
    else:
        screen.out.print(*display.eval_tables(outcome.result, with_failures=failures), sep="\n")
        screen.note(f"Result: {file}")
    for miss in outcome.misses:
        screen.err.print(str(miss), style="red", markup=False)
    if outcome.misses:
        raise typer.Exit(1)
