"""The commands under their names, and the one place where errors become a line and an exit code."""

import errno
import gc
import os
import sys

import typer

from ragkit.cli.asking import ask, chat, explain, search
from ragkit.cli.citing import cite_app
from ragkit.cli.evaluating import eval_app
from ragkit.cli.history import history_app
from ragkit.cli.indexing import index_command, remove
from ragkit.cli.keeping import compact, doctor, export_command, import_command, info
from ragkit.cli.screen import Screen
from ragkit.errors import RagkitError

app = typer.Typer(
    name="ragkit",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Ask questions of your own documents, on your own machine. Every sentence of an answer is checked against "
    "the paragraph it cites.\n\n  ragkit index papers --index indexes/papers\n\n"
    '  ragkit ask "What did the pilot study find?" --index indexes/papers',
)
app.command("index")(index_command)
app.command()(ask)
app.command()(search)
app.command()(chat)
app.command()(explain)
app.add_typer(cite_app)
app.command()(remove)
app.command()(info)
app.command()(doctor)
app.command()(compact)
app.add_typer(history_app)
app.command("export")(export_command)
app.command("import")(import_command)
app.add_typer(eval_app)


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def _drop_output() -> None:
    """Lets what is still to be written go nowhere, or the interpreter would try again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    """Runs the command line: exit 0 done, 1 a gate failed, 2 a user error, 130 interrupted."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning threads starve each other on small machines
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    screen = Screen.open()
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except RagkitError as exc:
        screen.err.print(f"Error: {exc}", style="red", markup=False)
        sys.exit(2)
    except BrokenPipeError:
        _drop_output()
        sys.exit(0)
    except OSError as exc:
        if exc.errno not in _FULL:
            raise
        screen.err.print(f"Error: the output cannot be written: {exc.strerror}", style="red", markup=False)
        _drop_output()
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        gc.freeze()  # at exit the interpreter would look through every object of torch for cycles: 2 s
