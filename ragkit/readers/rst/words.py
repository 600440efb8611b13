"""An element of docutils' tree enters, the words that it shows leave, with substitutions and references resolved.

Called by `rst`.
"""

import re
from collections.abc import Iterator
from typing import Any

MAX_SUBSTITUTIONS = 4
"""Substitutions that stand in substitutions are followed so far."""

MAX_SUBSTITUTED_CHARS = 1_000_000
"""So much text is put in place of names; after that the names stay."""

SILENT = set(
    "comment target substitution_definition pending raw decoration meta label transition colspec system_message".split()
)
"""Elements that show nothing."""

_BREAKS = set(
    "paragraph literal_block line term field_name field_body definition option_string title attribution".split()
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad]")
_RAW_SPACES = re.compile(r"[\xa0\u2007\u202f]")


def flat(text: str) -> str:
    """The text on one line, without control characters."""
    return " ".join(_CONTROLS.sub("", " ".join(text.split())).split())


def unmarked(text: str) -> str:
    """The text with its lines and spaces, without other control characters."""
    return _CONTROLS.sub("", _RAW_SPACES.sub(" ", text))


class Words:
    """The words of the elements of one document."""

    def __init__(self, document: Any):
        _number_notes(document)
        self._document = document
        self._room = MAX_SUBSTITUTED_CHARS
        self._titles: dict[str, str] = {}
        self._titles.update(self._labelled_titles())

    def of(self, node: Any) -> str:
        """What an element shows, on one line."""
        return flat(self.raw(node))

    def raw(self, node: Any) -> str:
        """What an element shows, with its line ends and spaces."""
        return "".join(self._parts(node))

    def note(self, node: Any) -> str:
        """The label of a footnote or citation, or of a reference to one."""
        labels = [child.astext() for child in node.children if child.tagname in ("label", "#text")]
        label = node.get("shown") or "".join(labels)
        return f"[{label}]" if label else ""

    def _parts(self, node: Any) -> Iterator[str]:
        waiting = [(node, 0)]
        while waiting:
            current, depth = waiting.pop()
            tag = current.tagname
            if tag == "#text":
                self._room -= len(current) if depth else 0
                yield current.astext()
            elif tag == "image":
                yield current.get("alt", "")
            elif tag in ("footnote_reference", "citation_reference"):
                yield self.note(current)
            elif tag == "inline" and current.get("label") in self._titles:
                yield self._titles[current["label"]]
            elif tag == "substitution_reference":
                waiting += self._substituted(current, depth)
            elif tag == "option_argument":
                yield current.astext()  # with what parts it from the option
            elif tag not in SILENT or current is node:
                if tag in _BREAKS and current is not node:
                    yield " "
                waiting += [(child, depth) for child in reversed(current.children)]

    def _substituted(self, node: Any, depth: int) -> list[tuple[Any, int]]:
        """What stands in place of a name, last part first; the name itself if that is not known or too much."""
        name = node.get("refname", "")
        known = self._document.substitution_defs
        definition = known.get(name) or known.get(self._document.substitution_names.get(name.lower(), ""))
        if definition is None or depth >= MAX_SUBSTITUTIONS or self._room < 0:
            return [(child, depth) for child in reversed(node.children)]
        return [(child, depth + 1) for child in reversed(definition.children)]

    def _labelled_titles(self) -> Iterator[tuple[str, str]]:
        """The labels in front of sections and the titles of these, as they are met in the document."""
        labels: list[str] = []
        waiting = [self._document]
        while waiting:
            node = waiting.pop()
            if node.tagname == "target":
                labels += node["names"]
            elif node.tagname not in SILENT:
                if node.tagname == "section" and labels:
                    title = self.of(node[0])
                    yield from ((label, title) for label in labels)
                labels = []
                if node.tagname in ("document", "section", "container"):
                    waiting += reversed(node.children)


def _number_notes(document: Any) -> None:
    """Gives notes without a number of their own, and the references to them, what they show."""
    taken = {name for note in document.footnotes for name in note["names"]}
    numbers = (str(number) for number in range(1, len(taken) + len(document.autofootnotes) + 1))
    free = (number for number in numbers if number not in taken)
    named: dict[str, str] = {}
    unnamed: list[str] = []
    for note, number in zip(document.autofootnotes, free, strict=False):
        note["shown"] = number
        named.update(dict.fromkeys(note["names"], number))
        unnamed += [] if note["names"] else [number]
    following = iter(unnamed)
    for reference in document.autofootnote_refs:
        name = reference.get("refname")
        reference["shown"] = named.get(name, name) if name else next(following, "")
    for one in (*document.symbol_footnotes, *document.symbol_footnote_refs):
        one["shown"] = "*"
