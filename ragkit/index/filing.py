"""How documents are filed in an index, and which of them a question may see.

A `Filing` goes in with a document, a `Scope` comes with a question; what is outside its scope does not exist for it.
"""

import json
import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict

from ragkit.errors import InputError
from ragkit.where import Condition, explain_unknown_name, parse_condition, prepare, unknown_names

DEFAULT_COLLECTION = "default"

_NAME = re.compile(r"[\w][\w .@+-]{0,63}")


@dataclass(frozen=True, slots=True)
class Filing:
    """Where a document stands in its index.

    Attributes:
        collection: The one collection that it belongs to.
        labels: Who may see it, sorted; a question that is asked with labels sees what carries one of them.
    """

    collection: str = DEFAULT_COLLECTION
    labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, collection: str | None = None, labels: str | Iterable[str] = ()) -> "Filing":
        """A filing by names that were checked.

        Raises:
            InputError: A name is none.
        """
        name = DEFAULT_COLLECTION if collection is None else _checked(collection, "collection")
        return cls(name, tuple(sorted({_checked(label, "label") for label in _several(labels)})))

    def changed(self, collection: str | None, labels: Iterable[str] | None) -> "Filing":
        """The same with what is not None in its place."""
        return Filing.of(
            self.collection if collection is None else collection, self.labels if labels is None else labels
        )


class Within(TypedDict, total=False):
    """What a caller may limit a question to.

    Attributes:
        where: A condition on what documents say of themselves; see `ragkit.where`.
        collection: One collection, or several.
        labels: Those that the asker has; what carries none of them does not exist for this question.
    """

    where: str | None
    collection: str | Iterable[str] | None
    labels: str | Iterable[str] | None


@dataclass(frozen=True, slots=True)
class Scope:
    """What a question may see; by default everything.

    Attributes:
        labels: Only documents that carry one of them; None sees all, an empty set nothing.
        collections: Only these; None sees all, an empty set nothing.
        where: Only documents of which this is true.
    """

    labels: frozenset[str] | None = None
    collections: frozenset[str] | None = None
    where: Condition | None = None

    @classmethod
    def of(cls, within: Within) -> "Scope":
        """A scope from what a user writes.

        Raises:
            InputError: A name or the condition cannot be understood.
        """
        collection, labels, where = within.get("collection"), within.get("labels"), within.get("where")
        return cls(
            None if labels is None else frozenset(_checked(label, "label") for label in _several(labels)),
            None if collection is None else frozenset(_checked(name, "collection") for name in _several(collection)),
            None if where is None else parse_condition(where),
        )

    def with_labels(self, labels: frozenset[str] | None) -> "Scope":
        """The same for someone who has no labels but these."""
        if labels is None:
            return self
        return Scope(labels if self.labels is None else self.labels & labels, self.collections, self.where)

    @property
    def is_everything(self) -> bool:
        """Whether nothing is out of it."""
        return self.labels is None and self.collections is None and self.where is None

    def allows(self, filing: Filing) -> bool:
        """Whether a document that is filed so can be in it."""
        is_shown = self.labels is None or not self.labels.isdisjoint(filing.labels)
        return is_shown and (self.collections is None or filing.collection in self.collections)


def visible_documents(connection: sqlite3.Connection, scope: Scope) -> list[int]:
    """The rows of the living documents in a scope, ascending.

    Raises:
        InputError: There is no such collection, or no document has what the condition asks about; what the labels hide
            is treated as if it were not there.
    """
    allowed = _allowed(connection, scope, "is_live")
    there = set(allowed.values())
    if allowed and (missing := sorted((scope.collections or frozenset()) - there)):
        raise InputError(f"There is no collection '{missing[0]}'. There are: {', '.join(sorted(there))}")
    seen = _in_collections(allowed, scope)
    if seen and scope.where is not None:
        _check_names(connection, seen, scope.where)
    return _that_pass(connection, seen, scope)


def documents_ever_visible(connection: sqlite3.Connection, scope: Scope) -> list[int]:
    """The rows of all documents in a scope, dead ones too, ascending."""
    return _that_pass(connection, _in_collections(_allowed(connection, scope, "1"), scope), scope)


def _allowed(connection: sqlite3.Connection, scope: Scope, of_which: str) -> dict[int, str]:
    """The documents that labels leave, by row, with their collections."""
    rows = connection.execute(f"SELECT id, collection, labels FROM documents WHERE {of_which} ORDER BY id").fetchall()
    if scope.labels is None:
        return {row: collection for row, collection, _ in rows}
    wanted = json.dumps(sorted(scope.labels))
    found = connection.execute("SELECT document FROM labels WHERE label IN (SELECT value FROM json_each(?))", (wanted,))
    shown = {row for (row,) in found}
    for row, _, labels in rows:
        if (row in shown) == scope.labels.isdisjoint(json.loads(labels)):
            raise ValueError(f"the labels of document {row} are not what was indexed")
    return {row: collection for row, collection, _ in rows if row in shown}


def _in_collections(allowed: dict[int, str], scope: Scope) -> list[int]:
    return [row for row, name in allowed.items() if scope.collections is None or name in scope.collections]


def _that_pass(connection: sqlite3.Connection, rows: list[int], scope: Scope) -> list[int]:
    """Those documents of which the condition is true."""
    if not rows or scope.where is None:
        return rows
    prepare(connection)
    found = connection.execute(f"SELECT id FROM documents WHERE {scope.where.sql}", scope.where.parameters)
    passing = {row for (row,) in found}
    return [row for row in rows if row in passing]


def _check_names(connection: sqlite3.Connection, seen: list[int], condition: Condition) -> None:
    """Raises InputError if the condition asks about what no visible document has."""
    visible = set(seen)
    names = {name for name, row in connection.execute("SELECT name, document FROM facts") if row in visible}
    if unknown := unknown_names(condition, names):
        raise InputError(explain_unknown_name(unknown[0], names))


def _several(names: str | Iterable[str]) -> Iterable[str]:
    """Names, of which one alone may be given as it is."""
    return (names,) if isinstance(names, str) else names


def _checked(name: str, what: str) -> str:
    if not _NAME.fullmatch(name):
        raise InputError(f"'{name}' is no name for a {what}: use up to 64 letters, digits, spaces and _ . @ + -")
    return name
