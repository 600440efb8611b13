"""The options that several commands share, each written once. Used by the other modules of `cli`."""

from pathlib import Path
from typing import Annotated

import typer

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
VerifierOption = Annotated[
    str | None, typer.Option(metavar="MODEL", help="Cross-encoder for inference (NLI): folder or hub id.")
]
StyleOption = Annotated[
    str | None, typer.Option(metavar="full|short", help="short: one sentence, from the best evidence alone.")
]
MaxWrongOption = Annotated[
    float | None,
    typer.Option(metavar="SHARE", help="Share of wrong answers to accept, such as 0.05; less answers fewer questions."),
]
SettingsOption = Annotated[Path | None, typer.Option("--settings", metavar="FILE", help="TOML file of settings.")]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Never look for a model on the network.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notes.")]

WhereOption = Annotated[
    str | None,
    typer.Option(
        metavar="CONDITION",
        help="Only documents of which it is true, as in \"date >= 2026-06-01 and tag = 'peace'\". Fields: path, name, "
        "folder, type, collection, modified, and what documents say of themselves: title, author, date, tag, language. "
        "Compare with = != < <= > >= and ~ (contains), in (a, b), has field; and, or, not.",
    ),
]
CollectionsOption = Annotated[
    list[str] | None, typer.Option("--collection", metavar="NAME", help="Only this collection; may be repeated.")
]
LabelsOption = Annotated[
    list[str] | None,
    typer.Option("--label", metavar="LABEL", help="Only documents that carry it, or one of them if repeated."),
]

INDEX_DEFAULT = Path("indexes/default")
