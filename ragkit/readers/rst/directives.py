"""The name of a directive of reStructuredText enters, what docutils is to run for it leaves.

None of them executes, includes or fetches anything; each leaves the text that it holds. Called by `rst_parser`.
"""

import re
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docutils import nodes

_MODES = {
    "literal": """code code-block sourcecode doctest testcode testoutput testsetup testcleanup prompt graphviz digraph
        graph mermaid uml plantuml ipython console terminal jupyter-execute plot code-cell""",
    "verbatim": "math productionlist command-output aafig ditaa",
    "marked": "parsed-literal",
    "dropped": """toctree contents sectnum header footer class rst-class raw include literalinclude index highlight
        currentmodule default-domain tabularcolumns target-notes title date sectionauthor codeauthor default-role
        program bibliography autosummary restructuredtext-test-directive""",
    "body": """note warning tip hint important caution danger error attention seealso todo epigraph highlights
        pull-quote compound line-block acks""",
    "content": "only ifconfig container glossary hlist tabs tab-set grid",
    "object": """function method class-method attribute data exception option cmdoption envvar describe object macro
        type member var struct union enum enumerator property decorator staticmethod classmethod coroutinemethod confval
        directive role module package namespace setting signal field""",
    "image": "image figure",
    "table": "csv-table list-table",
    "inline": "replace unicode",
    "meta": "meta",
    "rubric": "rubric",
}
_MODE_OF = {name: mode for mode, names in _MODES.items() for name in names.split()}
_OWN_OBJECTS = {"py:class": "object", "cpp:class": "object", "js:class": "object", "role": "role"}
_WITHOUT_ARGUMENT = {"body", "verbatim", "marked", "meta"}
_VERSIONS = {
    "versionadded": "New in version {}",
    "versionchanged": "Changed in version {}",
    "deprecated": "Deprecated since version {}",
    "deprecated-removed": "Deprecated since version {}, removed in version {}",
    "versionremoved": "Removed in version {}",
}
_RAW_ROLE = re.compile(r"([^\s(]+)\s*\(\s*raw\s*\)")


class _Options(dict[str, Any]):
    """Those of a directive: what is not known is kept as it was written."""

    def __missing__(self, name: str) -> Any:
        return lambda value: value or ""

    def __bool__(self) -> bool:
        return True


class _Table:
    """What docutils' tables do otherwise."""

    def extend_short_rows_with_empty_cells(self, columns: int, parts: Any) -> None:
        """Nothing: one long row would take as many cells in each other row."""


def directive_class(name: str) -> type:
    """A class of directives for a name in lower case, which may begin with a domain of Sphinx."""
    short = name.rpartition(":")[2]
    mode = "version" if short in _VERSIONS else _OWN_OBJECTS.get(name) or _MODE_OF.get(short, "titled")
    return _class_of(mode, short if mode in ("inline", "table") else "")


@cache
def _class_of(mode: str, name: str) -> type:
    """The class of a mode; where docutils' own does what is wanted, that of a name."""
    from docutils.parsers.rst import Directive
    from docutils.parsers.rst.directives import misc, tables

    theirs = {"csv-table": tables.CSVTable, "list-table": tables.ListTable}
    if mode == "inline":
        return {"replace": misc.Replace, "unicode": misc.Unicode}[name]
    if mode == "table":
        return type("Table", (_Table, theirs[name]), {"option_spec": _Options(theirs[name].option_spec or {})})
    members = {
        "mode": mode,
        "optional_arguments": int(mode not in _WITHOUT_ARGUMENT),
        "final_argument_whitespace": True,
        "has_content": True,
        "option_spec": None if mode in ("meta", "marked") else _Options(),
    }
    return type("Directive", (_Directive, Directive), members)


class _Directive:
    """A directive that leaves the text it holds: its argument, its title and its content."""

    mode: str
    name: str
    arguments: list[str]
    options: dict[str, Any]
    content: Any
    content_offset: int
    lineno: int
    state: Any

    def run(self) -> "list[nodes.Node]":
        """The nodes to stand in its place."""
        from docutils import nodes

        argument = self.arguments[0] if self.arguments else ""
        if self.mode in ("dropped", "role"):
            raw = _RAW_ROLE.fullmatch(argument.strip()) if self.mode == "role" else None
            self.state.inliner.raw_roles.update([raw[1].lower()] if raw else [])
            return []
        if self.mode == "image":
            return [nodes.image(alt=self.options.get("alt", "")), *self._parsed().children]
        captions = [self._paragraph(self.options[name]) for name in ("caption", "title") if self.options.get(name)]
        if self.mode in ("literal", "verbatim", "marked"):
            return [*captions, self._literal_block()]
        if self.mode == "rubric":
            return [nodes.rubric("", "", *self._inline(argument))]
        node = self._parsed()
        if self.mode == "object":
            node["signature"] = "\n".join(line.strip() for line in argument.split("\n"))
        elif self.mode == "meta":
            node["meta"] = True
        elif self.mode == "version":
            captions.append(self._paragraph(_version(self.name, argument)))
        elif self.mode == "titled" and argument:
            captions.append(self._paragraph(argument))
        return [*captions, node]

    def _parsed(self) -> "nodes.container":
        """Its content."""
        from docutils import nodes

        node = nodes.container()
        self.state.nested_parse(self.content, self.content_offset, node, match_titles=True)
        return node

    def _literal_block(self) -> "nodes.literal_block":
        from docutils import nodes

        text = "\n".join(self.content)
        return nodes.literal_block(text, "", *(self._inline(text) if self.mode == "marked" else [nodes.Text(text)]))

    def _paragraph(self, text: str) -> "nodes.paragraph":
        from docutils import nodes

        paragraph = nodes.paragraph(text, "", *self._inline(text))
        paragraph.line = self.lineno
        return paragraph

    def _inline(self, text: str) -> "list[nodes.Node]":
        found: list[nodes.Node] = self.state.inline_text(text, self.lineno)[0]
        return found


def _version(name: str, argument: str) -> str:
    """What a directive about a version says, in words."""
    words = _VERSIONS[name]
    count = words.count("{}")
    parts = argument.split(None, count)
    said = words.format(*parts[:count], *[""] * (count - len(parts)))
    return f"{said}: {parts[count]}" if len(parts) > count else f"{said}."
