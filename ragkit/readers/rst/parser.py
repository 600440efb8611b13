"""The text of a reStructuredText file enters, docutils' tree of it leaves, with nothing executed, included or fetched.

Directives and roles are looked up here instead of in docutils' registries, which belong to the whole process: those
that others (Sphinx, say) registered are not run, and nothing is registered. Called by `rst`.
"""

import copy
import re
from typing import TYPE_CHECKING, Any

from ragkit.readers.rst.directives import directive_class

if TYPE_CHECKING:
    from docutils import nodes

MAX_CHARS = 1_000_000
"""docutils takes a second for as much text as this, but half a minute if it is all markup."""

MAX_INLINE_WORK = 80_000_000
"""Each mark of a paragraph can make docutils look through the rest of it: so many marks times characters, some seconds'
worth, are looked at in a document; what comes after keeps its marks."""

MAX_SPACES = 100
"""More spaces in a row are cut: docutils' patterns take time with the square of them."""

MAX_TARGET_LINES = 50
"""For each line of a target or a substitution docutils looks at all lines before; longer ones are read as comments."""

MAX_COLUMNS = 200
"""Wider tables are no tables; docutils takes time with the cube of their columns."""

MAX_PARSERS = 30_000
"""For each item of a list and each cell docutils starts a parser, which takes 0.1 to 0.5 ms."""

MAX_LINES_COPIED = 20_000_000
"""At each list docutils copies all lines to the end; more than this takes some seconds."""

_VERBATIM_ROLES = set("code literal math samp file kbd command program regexp mimetype".split())
_NUMBERED_ROLES = {"pep": "PEP ", "pep-reference": "PEP ", "rfc": "RFC ", "rfc-reference": "RFC "}
_MARKS = re.compile(r"[^\w\s]|_")
_SPACES = re.compile(rf"[ \n]{{{MAX_SPACES},}}")
_SETTINGS = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "_disable_config": True,
    "halt_level": 5,
    "report_level": 5,
    "warning_stream": False,
    "syntax_highlight": "none",
    "smart_quotes": False,
}


class TangledError(Exception):
    """docutils cannot parse a text, or not in good time; the message is the end of a sentence about its file."""


def parse_rst(text: str) -> "nodes.document":
    """The tree of a text, without any of docutils' transformations.

    Raises:
        TangledError: It nests too deeply or would take too long.
    """
    if len(text) > MAX_CHARS:
        raise TangledError(f"has more than {MAX_CHARS:,} characters")
    from docutils import frontend, utils
    from docutils.parsers.rst import Parser, states
    from docutils.statemachine import string2lines

    settings = frontend.get_default_settings(Parser)
    for name, value in _SETTINGS.items():
        setattr(settings, name, value)
    settings.line_length_limit = len(text) + 1
    document = utils.new_document("text", settings)
    machine = states.RSTStateMachine(state_classes=_state_classes(), initial_state="Body")
    # docutils makes its patterns of those that are members of the very class.
    patterns = {name: value for name, value in vars(states.Inliner).items() if isinstance(value, str)}
    inliner = type("Inliner", (_Roles, states.Inliner), patterns)()
    try:
        machine.run(string2lines(text, tab_width=8, convert_whitespace=True), document, inliner=inliner)
    except RecursionError as exc:
        raise TangledError("nests too deeply") from exc
    except (AssertionError, AttributeError, LookupError, TypeError, ValueError) as exc:
        # docutils lets slip what it did not expect, such as a list item with a number of 5,000 digits.
        raise TangledError("is not valid reStructuredText") from exc
    return document


def _state_classes() -> list[type]:
    """The classes of docutils' parser, for one parse, which look directives up here.

    The states of the parser make each other by name, and keep nested parsers in a list for further use, so all of them
    are derived and the list is their own.
    """
    from docutils.parsers.rst import states

    explicit = copy.copy(states.Body.explicit)
    own = {
        states.Body.directive: _Blocks.directive,
        states.Body.hyperlink_target: _Blocks.hyperlink_target,
        states.Body.substitution_def: _Blocks.substitution_def,
    }
    explicit.constructs = [(own.get(method, method), pattern) for method, pattern in states.Body.explicit.constructs]
    derived: list[type] = []
    members = {"explicit": explicit, "nested_sm_cache": [], "derived": derived}
    derived += [type(state.__name__, (_Blocks, state), members) for state in states.state_classes]
    return derived


class _Blocks:
    """What a state of docutils' parser does otherwise."""

    derived: list[type]
    inliner: Any
    state_machine: Any
    run_directive: Any

    def __init__(self, state_machine: Any, debug: bool = False):
        super().__init__(state_machine, debug)  # type: ignore[call-arg]
        self.nested_sm_kwargs = {"state_classes": self.derived, "initial_state": "Body"}

    def simple_table_top(self, match: re.Match[str], context: Any, next_state: Any) -> Any:
        """A table with columns parted by spaces."""
        _check_columns(len(match.string.split()))
        return super().simple_table_top(match, context, next_state)  # type: ignore[misc]

    def grid_table_top(self, match: re.Match[str], context: Any, next_state: Any) -> Any:
        """A table that is drawn."""
        _check_columns(match.string.count("+"))
        return super().grid_table_top(match, context, next_state)  # type: ignore[misc]

    def nested_parse(self, *args: Any, **kwargs: Any) -> Any:
        """What an item, a cell or a directive holds."""
        self.inliner.parsers += 1
        if self.inliner.parsers > MAX_PARSERS:
            raise TangledError(f"holds more than {MAX_PARSERS:,} list items, cells and directives")
        return super().nested_parse(*args, **kwargs)  # type: ignore[misc]

    def nested_list_parse(self, block: Any, *args: Any, **kwargs: Any) -> Any:
        """A list or a run of directives: all the lines up to the end of what holds it are handed on."""
        self.inliner.lines_copied += len(block)
        if self.inliner.lines_copied > MAX_LINES_COPIED:
            raise TangledError("holds more lists and directives than can be parsed in good time")
        return super().nested_list_parse(block, *args, **kwargs)  # type: ignore[misc]

    def hyperlink_target(self, match: re.Match[str]) -> Any:
        """A target or an address."""
        self._check_target()
        return super().hyperlink_target(match)  # type: ignore[misc]

    def substitution_def(self, match: re.Match[str]) -> Any:
        """What stands for a name."""
        self._check_target()
        return super().substitution_def(match)  # type: ignore[misc]

    def _check_target(self) -> None:
        from docutils.parsers.rst.states import MarkupError

        lines = self.state_machine.input_lines.data
        start = self.state_machine.line_offset + 1
        following = lines[start : start + MAX_TARGET_LINES]
        if len(following) == MAX_TARGET_LINES and all(line[:1] in ("", " ") for line in following):
            raise MarkupError(f"more than {MAX_TARGET_LINES} lines")

    def directive(self, match: re.Match[str], **presets: Any) -> Any:
        """Runs what stands for a directive here."""
        name = match.group(1).lower()
        return self.run_directive(directive_class(name), match, name.rpartition(":")[2], presets)


def _check_columns(columns: int) -> None:
    """Has what would be a table read as text if it is far too wide."""
    from docutils.statemachine import TransitionCorrection

    if columns > MAX_COLUMNS:
        raise TransitionCorrection("text")


class _Roles:
    """What docutils' parser of marked text does otherwise."""

    work = 0
    parsers = 0
    lines_copied = 0

    def __init__(self) -> None:
        super().__init__()
        self.raw_roles = {"raw"}

    def parse(self, text: str, lineno: int, memo: Any, parent: Any) -> Any:
        """The nodes of a paragraph's text and what is wrong with it."""
        from docutils import nodes

        text = _SPACES.sub(" " * MAX_SPACES, text)
        self.work += len(text) * len(_MARKS.findall(text))
        if self.work > MAX_INLINE_WORK:
            return [nodes.Text(text)], []
        return super().parse(text, lineno, memo, parent)  # type: ignore[misc]

    def interpreted(self, rawsource: str, text: str, role: str, lineno: int) -> Any:  # noqa: ARG002 - docutils' names
        """The words that a role shows; those of a reference to a label alone know the label."""
        from docutils import nodes

        name = role.lower().rpartition(":")[2]
        if name in self.raw_roles:
            return [], []
        titled = "" if name in _VERBATIM_ROLES else _title(text)
        label = nodes.fully_normalize_name(text) if name in ("ref", "numref") and not titled else ""
        if titled:
            shown = titled
        elif name in _NUMBERED_ROLES:
            shown = _NUMBERED_ROLES[name] + text
        else:
            shown = text.rpartition(".")[2] if text.startswith("~") else text.removeprefix("!")
        return [nodes.inline(rawsource, shown, label=label)], []


def _title(text: str) -> str:
    """The title in `title <target>`; empty if there is none. A backslash is a NUL here."""
    title, bracket, _ = text.rpartition("<") if text.endswith(">") else ("", "", "")
    return title.rstrip() if bracket and not title.endswith("\x00") else ""
