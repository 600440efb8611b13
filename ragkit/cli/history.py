"""`ragkit history`: the earlier states of an index, and the way back to them."""

from typing import Annotated

import typer

from ragkit import display, maintenance
from ragkit.cli.options import INDEX_DEFAULT, IndexOption, JsonOption
from ragkit.cli.screen import Screen

history_app = typer.Typer(
    name="history",
    no_args_is_help=True,
    help="List the generations of an index, name them, go back, forget.",
)

GenerationArgument = Annotated[str, typer.Argument(metavar="GENERATION", help="Its number or its tag.")]


@history_app.command("list")
def list_command(index: IndexOption = INDEX_DEFAULT, as_json: JsonOption = False) -> None:
    """Show the generations that can be gone back to.

    Example: ragkit history list --index indexes/papers
    """
    screen = Screen.open()
    generations = maintenance.history(index)
    if as_json:
        screen.json([generation.to_dict() for generation in generations])
    else:
        screen.out.print(display.history_table(generations))


@history_app.command("tag")
def tag_command(
    name: Annotated[str, typer.Argument(help="The name.")],
    generation: Annotated[str | None, typer.Argument(help="Number or tag; by default the present one.")] = None,
    index: IndexOption = INDEX_DEFAULT,
) -> None:
    """Give a generation a name; as long as it has one, it is kept.

    Example: ragkit history tag before-the-merger --index indexes/papers
    """
    number = maintenance.tag(index, name, generation)
    Screen.open().out.print(f"{index}: generation {number} is '{name}'.", markup=False)


@history_app.command("untag")
def untag_command(name: Annotated[str, typer.Argument(help="The name.")], index: IndexOption = INDEX_DEFAULT) -> None:
    """Take a name away.

    Example: ragkit history untag before-the-merger --index indexes/papers
    """
    maintenance.untag(index, name)
    Screen.open().out.print(f"{index}: no generation is '{name}' any more.", markup=False)


@history_app.command("back")
def back_command(generation: GenerationArgument, index: IndexOption = INDEX_DEFAULT) -> None:
    """Make the documents of an earlier generation the present ones; the next `ragkit index` reads the files again.

    Example: ragkit history back before-the-merger --index indexes/papers
    """
    number, now = maintenance.go_back(index, generation)
    Screen.open().out.print(f"{index}: as in generation {number}; this is generation {now}.", markup=False)


@history_app.command("prune")
def prune_command(
    keep: Annotated[int, typer.Option(min=0, help="How many of the newest to keep, beside the present one.")] = 0,
    index: IndexOption = INDEX_DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Forget the earlier generations without a tag, and give back their space.

    Example: ragkit history prune --keep 3 --index indexes/papers
    """
    screen = Screen.open()
    compacted = maintenance.prune(index, keep)
    if as_json:
        screen.json(compacted.to_dict())
    else:
        screen.out.print(display.compacted_line(compacted, index), markup=False)
