"""`ragkit index`, `info` and `doctor`: what makes an index and what says how it is."""

import os
from typing import Annotated

import typer

from ragkit import display
from ragkit.cli.options import (
    INDEX_DEFAULT,
    EmbedderOption,
    IndexOption,
    JsonOption,
    OfflineOption,
    QuietOption,
    SettingsOption,
)
from ragkit.cli.screen import Screen
from ragkit.errors import InputError
from ragkit.index.index import Index
from ragkit.ingest import Progress, index_paths
from ragkit.kit import ingest_options
from ragkit.models.loading import load_embedder
from ragkit.settings import Settings


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


def _check_paths(paths: list[str]) -> None:
    """A missing path is told before a model is loaded."""
    for path in paths:
        if not os.path.lexists(path):
            raise InputError(f"There is no file or folder {path}. Check the path; nothing was indexed")


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


def doctor(index: IndexOption = INDEX_DEFAULT, as_json: JsonOption = False) -> None:
    """Check every chunk, vector and checksum of an index; exit 2 and the cure if something is wrong."""
    screen = Screen.open()
    with Index.open(index) as opened:
        checked = opened.check_all()
    if as_json:
        screen.json({"ok": True, "chunks": checked})
    else:
        screen.out.print(f"{index}: sound; {checked} chunks checked.", markup=False)
