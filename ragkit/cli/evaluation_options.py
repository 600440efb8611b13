"""The options of `ragkit eval`, each written once."""

from pathlib import Path
from typing import Annotated

import typer

SuiteArgument = Annotated[
    str, typer.Argument(help="A suite under evals/, its folder, or a dataset: SQuAD, CLAPNQ, BEIR, TREC, RGB, CSV, ...")
]
DocumentsOption = Annotated[
    list[Path] | None,
    typer.Option("--documents", metavar="PATH", help="The documents, where the questions come without."),
]
IndexOption = Annotated[Path | None, typer.Option("--index", metavar="DIR", help="Use this index as it is.")]
SampleOption = Annotated[int | None, typer.Option(min=1, help="Ask only so many questions.")]
SeedOption = Annotated[int, typer.Option(help="Of whatever is drawn.")]
FailUnderOption = Annotated[
    list[str] | None, typer.Option(metavar="METRIC=VALUE", help="Exit 1 if a metric is worse; may be repeated.")
]
FailIfOption = Annotated[
    list[str] | None,
    typer.Option(metavar="LIMIT", help="Exit 1 if, for instance, 'answers_right drops 0.02'; may be repeated."),
]
BaselineOption = Annotated[
    Path | None, typer.Option("--baseline", metavar="RESULT", help="A result saved before, to compare with.")
]
PerturbOption = Annotated[
    list[str] | None,
    typer.Option(metavar="KINDS", help="Ask again: typos,case,paraphrase,shuffle,distractors:RATIO,repeat:TIMES."),
]
DistractorsOption = Annotated[
    list[Path] | None, typer.Option(metavar="PATH", help="Documents to mix in; by default those of other suites.")
]
QuickOption = Annotated[
    bool, typer.Option("--quick", help="Do not verify answers anew, nor look for what lost the wrong ones.")
]
FreshOption = Annotated[bool, typer.Option("--fresh", help="Ask even what was answered before in the same way.")]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on with the run that was broken off.")]
JobsOption = Annotated[int, typer.Option(min=1, help="Questions asked at once of a model server.")]
OutOption = Annotated[Path | None, typer.Option(metavar="FILE", help="Where the JSON result goes.")]
HtmlOption = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the report as one HTML file.")]
MarkdownOption = Annotated[
    Path | None, typer.Option("--markdown", metavar="FILE", help="Write Markdown for a pull request.")
]
JunitOption = Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML for a CI server.")]
TrecOption = Annotated[Path | None, typer.Option("--trec", metavar="DIR", help="Write TREC run files and qrels.")]
FailuresOption = Annotated[bool, typer.Option("--failures", help="List the questions answered wrongly.")]
