"""`ragkit eval draft` and `ragkit eval review`: gold questions from a user's own documents."""

from pathlib import Path
from typing import Annotated

import typer

from ragkit.cli.options import EmbedderOption, ModelOption, OfflineOption, QuietOption, SettingsOption
from ragkit.cli.screen import Screen
from ragkit.errors import InputError
from ragkit.settings import Settings


def draft(
    documents: Annotated[list[Path], typer.Argument(metavar="DOCS...", help="Files and folders to ask about.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="New gold file, one question a line.")],
    index: Annotated[
        Path | None, typer.Option("--index", metavar="DIR", help="Index to make and keep; by default a temporary one.")
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="Most questions.")] = 50,
    unanswerable: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share without an answer.")] = 0.2,
    seed: Annotated[int, typer.Option(help="Of the choice among what could be asked.")] = 0,
    model: ModelOption = None,
    embedder: EmbedderOption = None,
    settings: SettingsOption = None,
    offline: OfflineOption = False,
    quiet: QuietOption = False,
) -> None:
    """Propose gold questions from your own documents, for you to review.

    They are questions that ragkit manages now: good for noticing when a change makes it worse, no measure of how good
    it is. Example: ragkit eval draft ~/papers --out papers.jsonl
    """
    from ragkit.evaluation.drafting.command import draft_file
    from ragkit.evaluation.drafting.draft import DraftLimits

    screen = Screen.open(quiet)
    chosen = Settings.load(settings, model=model, embedder=embedder, offline=offline or None)
    limits = DraftLimits(most=most, unanswerable=unanswerable, seed=seed)
    with screen.progress("Drafting questions") as advance:
        drafted = draft_file(documents, out, chosen, limits, index=index, on_progress=advance)
    screen.out.print(f"{out}: {len(drafted)} questions, all unreviewed.", markup=False)
    named = " ".join(f"--documents {place}" for place in documents)
    screen.note(f"Look at them one by one: ragkit eval review {out} {named}")


def review(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A gold file with unreviewed questions.")],
    documents: Annotated[
        list[Path], typer.Option("--documents", metavar="PATH", help="The documents it asks about; may be repeated.")
    ],
) -> None:
    """Go through the unreviewed questions of a gold file and accept, edit or reject each.

    Every decision is written at once, so you can leave and come back. Example: ragkit eval review papers.jsonl
    --documents ~/papers
    """
    from ragkit.evaluation.drafting.command import read_paragraphs_of
    from ragkit.evaluation.drafting.review import review_file

    screen = Screen.open()
    for place in documents:
        if not place.exists():
            raise InputError(f"There is no {place}. Give the documents that the questions were drafted from")
    done = review_file(
        file,
        screen.ask_for,
        lambda line: screen.out.print(line, markup=False),
        read_paragraphs_of(documents),
    )
    counted = f"{done.accepted} accepted, {done.edited} edited, {done.rejected} rejected, {done.skipped} skipped"
    screen.out.print(f"{counted}; {done.left} left to review.")
