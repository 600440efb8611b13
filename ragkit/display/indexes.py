"""Indexes and what was done to them, as text for a terminal. Called by `cli`."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ragkit.index.filing import DEFAULT_COLLECTION
from ragkit.index.index import IndexInfo
from ragkit.index.store import KnownFile
from ragkit.ingest_records import IngestReport
from ragkit.maintenance import Compacted, Exported, Generation, Repaired
from ragkit.plan import Plan
from ragkit.readers.opening import printable


def ingest_line(report: IngestReport, index: Path) -> str:
    """What indexing did, in one line."""
    parts = [
        f"{count} {name}"
        for name, count in (
            ("added", report.added),
            ("updated", report.updated),
            ("unchanged", report.unchanged),
            ("removed", report.removed),
            ("the same as another", report.copies),
            ("of another kind skipped", report.skipped),
            ("failed", len(report.failed)),
        )
        if count
    ]
    return f"{index}: {', '.join(parts) or 'nothing to do'} ({report.seconds:.1f} s)."


def info_text(info: IndexInfo, files: Sequence[KnownFile]) -> RenderableType:
    """The facts of an index and its documents, each with its collection and labels where it has any."""
    table = Table.grid(padding=(0, 2))
    for name, value in (
        ("index", str(info.folder)),
        ("documents", str(info.documents)),
        ("paragraphs", str(info.paragraphs)),
        ("chunks", str(info.chunks)),
        *([("size", f"{info.bytes / 1e6:.1f} MB")] if info.bytes is not None else []),
        ("generation", str(info.generation)),
        ("embedder", info.spec.embedder),
    ):
        table.add_row(Text(name, style="dim"), Text(value))
    return Group(table, *map(_file_line, files))


def _file_line(file: KnownFile) -> Text:
    filing = file.origin.filing
    notes = [f"same as {printable(file.ref.path)}"] if file.is_copy else []
    if filing.collection != DEFAULT_COLLECTION:
        notes.append(f"collection {filing.collection}")
    if filing.labels:
        notes.append(f"for {', '.join(filing.labels)}")
    return Text(f"  {printable(file.path)}").append(f" ({'; '.join(notes)})" if notes else "", style="dim")


def plan_text(plan: Plan, index: Path) -> RenderableType:
    """What indexing would do, each file by name."""
    lines = []
    for name, paths in (
        ("add", plan.added),
        ("update", plan.updated),
        ("move", plan.moved),
        ("the same as another", plan.copies),
        ("remove", plan.removed),
    ):
        lines += [Text(f"{name}  {printable(path)}") for path in paths]
    lines += [Text(f"fail  {file}", style="yellow") for file in plan.failed]
    parts = f"{plan.unchanged} unchanged, {plan.skipped} of another kind skipped"
    return Group(*lines, Text(f"{index}: {parts}; nothing was done."))


def history_table(generations: Sequence[Generation]) -> Table:
    """The generations that can be gone back to."""
    table = Table()
    for name in ("generation", "made at (UTC)", "documents", "chunks", "came", "left", "tags"):
        table.add_column(name, justify="left" if name in ("made at (UTC)", "tags") else "right")
    for one in generations:
        made_at = one.made_at[:19].replace("T", " ")
        numbers = map(str, (one.documents, one.chunks, one.added, one.removed))
        table.add_row(str(one.number), made_at, *numbers, Text(", ".join(one.tags)))
    return table


def repaired_text(repaired: Repaired, index: Path) -> str:
    """What a repair did, and what is to be indexed again."""
    if repaired.was_sound:
        return f"{index}: sound; nothing to mend."
    lines = [f"{index}: mended; {repaired.documents} documents are whole."]
    if repaired.quarantined is not None:
        lines.append(f"The damaged database is kept as {repaired.quarantined}; the history is lost.")
    if repaired.lost:
        lines += ["Not whole any more; index them again:", *(f"  {printable(path)}" for path in repaired.lost)]
    return "\n".join(lines)


def compacted_line(compacted: Compacted, index: Path) -> str:
    """What compacting did, in one line."""
    sizes = f"{compacted.bytes_before / 1e6:.1f} MB before, {compacted.bytes_after / 1e6:.1f} MB now"
    plural = "" if compacted.forgotten == 1 else "s"
    return f"{index}: {compacted.forgotten} earlier generation{plural} forgotten; {sizes}."


def exported_line(exported: Exported) -> str:
    """What was exported, in one line."""
    held = f"{exported.documents} documents of generation {exported.generation}"
    return f"{exported.file}: {held}, {exported.bytes / 1e6:.1f} MB."
