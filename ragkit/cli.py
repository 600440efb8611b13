"""The command line: parse, call the library, print. The only module that prints."""

import gc
import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ragkit import display
from ragkit.display import Screen
from ragkit.errors import InputError, RagkitError
from ragkit.index.index import Index
from ragkit.ingest import Progress, index_paths
from ragkit.kit import Kit, ingest_options
from ragkit.models.loading import load_embedder
from ragkit.settings import Settings

app = typer.Typer(
    name="ragkit",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Ask questions of your own documents, on your own machine. Every sentence of an answer is checked against "
    "the paragraph it cites.\n\n  ragkit index papers --index indexes/papers\n\n"
    '  ragkit ask "What did the pilot study find?" --index indexes/papers',
)

IndexOption = Annotated[Path, typer.Option("--index", metavar="DIR", help="Folder of the index.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ModelOption = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL", help="Writing model: folder, .gguf file, hub id, or openai:http://host:port/v1#name."
    ),
]
EmbedderOption = Annotated[str | None, typer.Option(metavar="MODEL", help="Embedding model: folder or hub id.")]
RerankerOption = Annotated[str | None, typer.Option(metavar="MODEL", help="Cross-encoder: folder or hub id.")]
SettingsOption = Annotated[Path | None, typer.Option("--settings", metavar="FILE", help="TOML file of settings.")]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Never look for a model on the network.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notes.")]

INDEX_DEFAULT = Path("indexes/default")


@app.command("index")
def index_command(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Files and folders.")],
    index: IndexOption = INDEX_DEFAULT,
    exclude: Annotated[list[str] | None, typer.Option(metavar="PATTERN", help="Leave out such names.")] = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Make the index anew from these paths only.")] = False,
    embedder: EmbedderOption = None,
    settings: SettingsOption = None,
    offline: OfflineOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Add or update files and folders; files that are gone from a folder leave the index.

    Example: ragkit index papers notes.md --index indexes/papers
    """
    screen = Screen.open(quiet)
    chosen = Settings.load(settings, embedder=embedder, offline=offline or None)
    options = ingest_options(chosen, rebuild=rebuild, exclude=tuple(exclude or ()))
    _check_paths(paths)
    with screen.progress("Indexing") as advance:
        model = load_embedder(chosen.embedder, offline=chosen.offline)

        def on_progress(progress: Progress) -> None:
            advance(progress.files_done, progress.files)

        report = index_paths(paths, index, model, options, on_progress)
    for failed in report.failed:
        screen.warn(str(failed))
    if as_json:
        screen.json(report.to_dict())
    elif not quiet:
        screen.out.print(display.ingest_line(report, index), markup=False)


@app.command()
def ask(
    question: Annotated[str | None, typer.Argument(help="One question, in quotation marks.")] = None,
    index: IndexOption = INDEX_DEFAULT,
    questions: Annotated[
        Path | None,
        typer.Option(metavar="FILE.jsonl", help='Many questions, a line each: {"id": ..., "question": ...}.'),
    ] = None,
    model: ModelOption = None,
    embedder: EmbedderOption = None,
    reranker: RerankerOption = None,
    settings: SettingsOption = None,
    offline: OfflineOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Answer a question from the indexed documents, with the sentences the answer rests on.

    Example: ragkit ask "Where did Putin suggest meeting?" --index indexes/seeds
    """
    screen = Screen.open(quiet)
    if (question is None) == (questions is None):
        raise InputError(
            'Give one question, or a file of them: ragkit ask "QUESTION", or ragkit ask --questions FILE.jsonl'
        )
    given = {"model": model, "embedder": embedder, "reranker": reranker, "offline": offline or None}
    chosen = Settings.load(settings, **given)
    with Kit(Index.open(index), chosen, on_message=screen.note) as kit:
        if questions is None:
            _print_answer(screen, kit.ask(question or ""), as_json)
        else:
            _ask_file(screen, kit, questions, as_json)


def _ask_file(screen: Screen, kit: Kit, file: Path, as_json: bool) -> None:
    """Every question of a file, in order; a line that cannot be asked is named and the rest answered."""
    answered = 0
    lines = [(number, line) for number, line in enumerate(_read_lines(file), 1) if line.strip()]
    with screen.progress("Answering") as advance:
        for done, (number, line) in enumerate(lines, 1):
            try:
                question, question_id = _parse_question(line)
                answer = kit.ask(question, id=question_id)
            except InputError as exc:
                screen.warn(f"{file}, line {number}: {exc}")
            else:
                answered += 1
                _print_answer(screen, answer, as_json)
            advance(done, len(lines))
    if not answered:
        raise InputError(f'No question in {file} could be asked. Each line is {{"id": "q1", "question": "Who ...?"}}')


def _read_lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise InputError(f"The questions file {file} cannot be read: {exc}. Check --questions") from exc


def _parse_question(line: str) -> tuple[str, str | None]:
    try:
        given = json.loads(line)
    except ValueError as exc:
        raise InputError(f"this is not JSON ({exc}); it is left out") from exc
    if not isinstance(given, dict) or not isinstance(given.get("question"), str):
        raise InputError('there is no "question" in it; it is left out')
    return given["question"], None if given.get("id") is None else str(given["id"])


def _print_answer(screen: Screen, answer: Any, as_json: bool) -> None:
    if as_json:
        screen.json(answer.to_dict())
    else:
        screen.out.print(display.answer_text(answer))


@app.command()
def search(
    question: Annotated[str, typer.Argument(help="What to look for.")],
    index: IndexOption = INDEX_DEFAULT,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many paragraphs.")] = 5,
    embedder: EmbedderOption = None,
    reranker: RerankerOption = None,
    settings: SettingsOption = None,
    offline: OfflineOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show the paragraphs that come closest to a question, best first.

    Example: ragkit search "prisoner exchange" --index indexes/seeds -k 3
    """
    screen = Screen.open(quiet)
    chosen = Settings.load(settings, embedder=embedder, reranker=reranker, offline=offline or None)
    with Kit(Index.open(index), chosen) as kit:
        hits = kit.search(question, k)
    if as_json:
        screen.json([hit.to_dict() for hit in hits])
    else:
        screen.out.print(display.hits_text(hits))


@app.command()
def info(index: IndexOption = INDEX_DEFAULT, as_json: JsonOption = False) -> None:
    """Show what an index holds and what made it."""
    screen = Screen.open()
    with Index.open(index) as opened:
        facts = opened.info()
        documents = opened.documents()
    if as_json:
        screen.json(facts.to_dict() | {"paths": [document.path for document in documents]})
    else:
        screen.out.print(display.info_text(facts, documents))


@app.command()
def doctor(index: IndexOption = INDEX_DEFAULT, as_json: JsonOption = False) -> None:
    """Check every chunk, vector and checksum of an index; exit 2 and the cure if something is wrong."""
    screen = Screen.open()
    with Index.open(index) as opened:
        checked = opened.check_all()
    if as_json:
        screen.json({"ok": True, "chunks": checked})
    else:
        screen.out.print(f"{index}: sound; {checked} chunks checked.", markup=False)


@app.command("eval")
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
    given = {"model": model, "embedder": embedder, "reranker": reranker, "offline": offline or None}
    chosen = Settings.load(settings, **given)
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


def _check_paths(paths: list[str]) -> None:
    """A missing path is told before a model is loaded."""
    for path in paths:
        if not os.path.lexists(Path(path).expanduser()):
            raise InputError(f"There is no file or folder {path}. Check the path; nothing was indexed")


def main() -> None:
    """Runs the command line: exit 0 done, 1 a gate failed, 2 a user error, 130 interrupted."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning threads starve each other on small machines
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    screen = Screen.open()
    try:
        app()
    except RagkitError as exc:
        screen.err.print(f"Error: {exc}", style="red", markup=False)
        sys.exit(2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        gc.freeze()  # at exit the interpreter would look through every object of torch for cycles: 2 s
