"""`ragkit cite`: what became of the citations of saved answers, and how other programs read them."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ragkit import display
from ragkit.annotations import annotate
from ragkit.cli.lines import each_object
from ragkit.cli.options import INDEX_DEFAULT, IndexOption, JsonOption
from ragkit.cli.screen import Screen
from ragkit.errors import InputError
from ragkit.index.index import Index
from ragkit.index.snapshot import Snapshot
from ragkit.recheck import Rechecked, SavedCitation, read_citations, recheck, restore

cite_app = typer.Typer(name="cite", no_args_is_help=True, help="Check the citations of saved answers, or export them.")

AnswersArgument = Annotated[Path, typer.Argument(metavar="ANSWERS.jsonl", help="What `ragkit ask --json` printed.")]


@cite_app.command("check")
def check_command(answers: AnswersArgument, index: IndexOption = INDEX_DEFAULT, as_json: JsonOption = False) -> None:
    """Say of each citation whether its words are the same, moved, edited or gone; exit 1 if any is edited or gone.

    Example: ragkit cite check answers.jsonl --index indexes/papers
    """
    screen = Screen.open()
    counted: Counter[str] = Counter()
    with Index.open(index) as opened, opened.snapshot() as snapshot:
        for citation, found in _recheck_file(screen, answers, snapshot):
            counted[found.status] += 1
            if as_json:
                whose = {"id": citation.answer_id, "label": citation.label, "document": citation.document}
                screen.json({**whose, "quote": citation.quote, **found.to_dict()})
            elif found.status != "same":
                screen.out.print(display.rechecked_text(citation, found))
    if not as_json:
        screen.out.print(display.rechecked_line(counted), markup=False)
    if counted["edited"] or counted["gone"]:
        raise typer.Exit(1)


@cite_app.command("export")
def export_command(
    answers: AnswersArgument,
    index: IndexOption = INDEX_DEFAULT,
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Address under which the paths that `ragkit info` lists stand."),
    ] = None,
    root: Annotated[
        str, typer.Option(metavar="FOLDER", help="Folder that stands at the URL; paths are taken from there on.")
    ] = "",
) -> None:
    """Print each citation as a W3C Web Annotation, one a line, with a fragment that scrolls to the quoted words.

    Example: ragkit cite export answers.jsonl --index indexes/papers --url https://example.org/ --root /home/me/papers
    """
    screen = Screen.open()
    with Index.open(index) as opened, opened.snapshot() as snapshot:
        for citation, found in _recheck_file(screen, answers, snapshot):
            if found.now is None or found.status == "edited":
                screen.warn(f"{display.citation_name(citation)} is {found.status}; it is left out")
            else:
                restored = restore(citation, found.now, snapshot)
                document = snapshot.document(found.now.document)
                text = document.text if document is not None else None
                screen.json(annotate(restored, body=citation.sentence or None, url=url, root=root, text=text))


def _recheck_file(screen: Screen, file: Path, snapshot: Snapshot) -> Iterator[tuple[SavedCitation, Rechecked]]:
    """Every citation of a file of answers, and what became of it."""
    citations = 0
    for number, answer in each_object(file, "answers", screen.warn):
        try:
            saved = read_citations(answer)
        except InputError as exc:
            screen.warn(f"{file}, line {number}: {exc}")
            continue
        citations += len(saved)
        yield from ((citation, recheck(citation, snapshot)) for citation in saved)
    if not citations:
        raise InputError(f"There is no citation in {file}. Save answers first: ragkit ask QUESTION --json > {file}")
