"""`ragkit info`, `doctor`, `compact`, `export` and `import`: how an index is, and what keeps it well."""

from pathlib import Path
from typing import Annotated

import typer

from ragkit import display, maintenance
from ragkit.cli.options import INDEX_DEFAULT, IndexOption, JsonOption, LabelsOption
from ragkit.cli.screen import Screen
from ragkit.index.filing import Scope
from ragkit.index.index import Index


def info(index: IndexOption = INDEX_DEFAULT, label: LabelsOption = None, as_json: JsonOption = False) -> None:
    """Show what an index holds and what made it."""
    screen = Screen.open()
    scope = Scope.of({"labels": label})
    with Index.open(index) as opened, opened.snapshot(scope) as snapshot:
        facts, files = opened.info(scope), snapshot.known_files()
    if as_json:
        paths = [file.path for file in files if not file.is_copy]
        copies = {file.path: file.ref.path for file in files if file.is_copy}
        filed = {
            file.path: {"collection": file.origin.filing.collection, "labels": file.origin.filing.labels}
            for file in files
        }
        screen.json(facts.to_dict() | {"paths": paths, "copies": copies, "filed": filed})
    else:
        screen.out.print(display.info_text(facts, files))


def doctor(
    index: IndexOption = INDEX_DEFAULT,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend it: vectors and keywords are made anew, whole documents are kept.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check every document, chunk, vector and checksum of an index; exit 2 and the cure if something is wrong.

    Example: ragkit doctor --repair --index indexes/papers
    """
    screen = Screen.open()
    if repair:
        repaired = maintenance.repair_index(index)
        if as_json:
            screen.json(repaired.to_dict())
        else:
            screen.out.print(display.repaired_text(repaired, index), markup=False)
        return
    with Index.open(index) as opened:
        checked = opened.check_all()
    if as_json:
        screen.json({"ok": True, "chunks": checked})
    else:
        screen.out.print(f"{index}: sound; {checked} chunks checked.", markup=False)


def compact(index: IndexOption = INDEX_DEFAULT, as_json: JsonOption = False) -> None:
    """Give back space: earlier generations without a tag are forgotten. Also brings an older index up to date.

    Example: ragkit compact --index indexes/papers
    """
    screen = Screen.open()
    compacted = maintenance.compact(index)
    if as_json:
        screen.json(compacted.to_dict())
    else:
        screen.out.print(display.compacted_line(compacted, index), markup=False)


def export_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="To write; must not be there yet.")],
    index: IndexOption = INDEX_DEFAULT,
    parquet: Annotated[
        bool, typer.Option("--parquet", help="Chunks, vectors and places as Parquet, for other programs.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write an index with its history to one checksummed file, for another machine or for keeping.

    Example: ragkit export papers.ragkit --index indexes/papers
    """
    screen = Screen.open()
    write = maintenance.export_parquet if parquet else maintenance.export_index
    exported = write(index, file)
    if as_json:
        screen.json(exported.to_dict())
    else:
        screen.out.print(display.exported_line(exported), markup=False)


def import_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="That `ragkit export` wrote.")],
    index: IndexOption = INDEX_DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Make an index of an exported file, in a folder that holds none.

    Example: ragkit import papers.ragkit --index indexes/papers
    """
    screen = Screen.open()
    imported = maintenance.import_index(file, index)
    if as_json:
        screen.json(imported.to_dict())
    else:
        screen.out.print(f"{index}: {imported.documents} documents, checked.", markup=False)
