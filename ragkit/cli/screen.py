"""Where results and notes go: stdout and stderr, and what a person types. Used by all commands."""

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

PIPE_WIDTH = 120
"""Of tables, in characters, where no terminal tells its own."""


@dataclass(frozen=True, slots=True)
class Screen:
    """Where results and notes go, and how much of the latter."""

    out: Console
    err: Console
    quiet: bool

    @classmethod
    def open(cls, quiet: bool = False) -> "Screen":
        """The terminal, or whatever stands in its place."""
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        out, err = (Console(stderr=to_stderr, highlight=False, soft_wrap=True) for to_stderr in (False, True))
        if not out.is_terminal:
            out.width = PIPE_WIDTH
        return cls(out, err, quiet)

    def note(self, message: str) -> None:
        """Says on stderr what goes on."""
        if not self.quiet:
            self.err.print(message, style="dim", markup=False)

    def warn(self, message: str) -> None:
        """Says on stderr what went wrong but stops nothing."""
        self.err.print(f"Warning: {message}", style="yellow", markup=False)

    def ask(self) -> str:
        """What the user types next, on one line; empty at the end of the input."""
        try:
            return self.err.input("> ").strip()
        except EOFError:
            return ""

    def ask_for(self, prompt: str) -> str | None:
        """What the user types behind a prompt; None at the end of the input."""
        try:
            return self.err.input(prompt, markup=False)
        except EOFError:
            return None

    def json(self, value: Any) -> None:
        """Prints one JSON value on a line."""
        is_unicode = self.out.encoding.lower().startswith("utf")
        self.out.file.write(json.dumps(value, ensure_ascii=not is_unicode) + "\n")

    @contextmanager
    def progress(self, what: str) -> Iterator[Callable[[int, int], None]]:
        """A bar on stderr, shown only to a person, that is told (done, total)."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(
            *columns, console=self.err, transient=True, disable=self.quiet or not self.err.is_terminal
        ) as bar:
            task = bar.add_task(what, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)

    @contextmanager
    def steps(self) -> Iterator[Callable[[str, int, int], None]]:
        """A bar as in `progress` for each thing that goes on, told (what, done, total)."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        hidden = self.quiet or not self.err.is_terminal
        with Progress(*columns, console=self.err, transient=True, disable=hidden) as bar:
            tasks: dict[str, TaskID] = {}

            def told(what: str, done: int, total: int) -> None:
                if what not in tasks:
                    tasks[what] = bar.add_task(what, total=total)
                bar.update(tasks[what], completed=done, total=total)

            yield told
