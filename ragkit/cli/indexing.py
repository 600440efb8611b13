"""`ragkit index` and `remove`: what makes an index of files, and what takes them out of it."""

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
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
from ragkit.errors import InputError, NothingIndexedError
from ragkit.index.files import normalised
from ragkit.ingest import index_paths, remove_paths
from ragkit.ingest_records import IngestOptions, IngestReport, Progress
from ragkit.kit import ingest_options
from ragkit.models.embedding import Embedder
from ragkit.models.loading import load_embedder
from ragkit.plan import plan_paths
from ragkit.settings import Settings
from ragkit.watching import changes_in


def index_command(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Files and folders.")],
    index: IndexOption = INDEX_DEFAULT,
    include: Annotated[
        list[str] | None, typer.Option(metavar="PATTERN", help="Of folders, only files that match, as in .gitignore.")
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Leave out such files and folders; so does a .ragkitignore in a folder."),
    ] = None,
    collection: Annotated[
        str | None, typer.Option(metavar="NAME", help="File them in this collection of the index.")
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option(metavar="LABEL", help="Who may see them: questions asked with this label do.")
    ] = None,
    no_labels: Annotated[bool, typer.Option("--no-labels", help="Take the labels of these files away.")] = False,
    ocr: Annotated[bool, typer.Option("--ocr", help="Recognise pages that are pictures.")] = False,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Make the index anew from these paths only.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on: index again whenever something changes.")] = False,
    embedder: EmbedderOption = None,
    settings: SettingsOption = None,
    offline: OfflineOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Add or update files and folders; files that are gone from a folder leave the index.

    It can be stopped at any time: the same command goes on from there. Exit 1 if a file that was named cannot be read.

    Example: ragkit index papers notes.md --index indexes/papers
    """
    screen = Screen.open(quiet)
    chosen = Settings.load(settings, embedder=embedder, offline=offline or None)
    if label and no_labels:
        raise InputError("--label and --no-labels exclude each other. Give one of them")
    options = ingest_options(
        chosen,
        include=tuple(include or ()),
        exclude=tuple(exclude or ()),
        collection=collection,
        labels=() if no_labels else tuple(label) if label else None,
        use_ocr=ocr,
        rebuild=rebuild,
    )
    if watch and dry_run:
        raise InputError("--watch and --dry-run exclude each other. Give one of them")
    _check_paths(paths)
    if dry_run:
        plan = plan_paths(paths, index, options)
        screen.json(plan.to_dict()) if as_json else screen.out.print(display.plan_text(plan, index))
        return
    run = partial(_index, screen, paths, index, _Lazy(chosen), as_json=as_json)
    if watch:
        _watch(screen, paths, index, run, options)
    elif not {file.path for file in run(options).failed}.isdisjoint(map(normalised, paths)):
        raise typer.Exit(1)


class _Lazy:
    """The embedding model, loaded once and only when the index is made."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._loaded: Embedder | None = None

    def get(self) -> Embedder:
        """The model."""
        if self._loaded is None:
            self._loaded = load_embedder(self._settings.embedder, offline=self._settings.offline)
        return self._loaded


def _index(
    screen: Screen, paths: list[str], index: Path, model: _Lazy, options: IngestOptions, *, as_json: bool
) -> IngestReport:
    with screen.progress("Indexing") as advance:
        embedder = model.get()

        def on_progress(progress: Progress) -> None:
            advance(progress.files_done, progress.files)

        try:
            report = index_paths(paths, index, embedder, options, on_progress)
        except KeyboardInterrupt:
            screen.note("Stopped; the same command goes on from what was finished.")
            raise
    for file in (*report.failed, *report.warnings):
        screen.warn(str(file))
    if as_json:
        screen.json(report.to_dict())
    elif not screen.quiet:
        screen.out.print(display.ingest_line(report, index), markup=False)
    return report


def _watch(
    screen: Screen, paths: list[str], index: Path, run: Callable[[IngestOptions], IngestReport], options: IngestOptions
) -> None:
    """Indexes now and again after every change, until Ctrl-C."""
    changes = changes_in(paths, index)
    next(changes)  # from here on, what changes while files are being read is not missed
    run(options)
    screen.note("Watching; Ctrl-C ends it.")
    for _ in changes:
        try:
            run(replace(options, rebuild=False))
        except (InputError, NothingIndexedError) as exc:  # a folder that is being replaced is gone for a moment
            screen.warn(str(exc))


def _check_paths(paths: list[str]) -> None:
    """A missing path is told before a model is loaded."""
    for path in paths:
        if not os.path.lexists(path):
            raise InputError(f"There is no file or folder {path}. Check the path; nothing was indexed")


def remove(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Files or folders, as ragkit info lists them.")],
    index: IndexOption = INDEX_DEFAULT,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Take files or folders out of an index; the files themselves stay where they are.

    Example: ragkit remove papers/old --index indexes/papers
    """
    screen = Screen.open(quiet)
    report = remove_paths(paths, index)
    if as_json:
        screen.json(report.to_dict())
    elif not quiet:
        screen.out.print(display.ingest_line(report, index), markup=False)
