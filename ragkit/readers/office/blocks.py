"""Paragraphs in cells in tables enter, as they were collected from a document; written paragraphs leave, in order.

Text boxes and notes stand within the text of a document but are read after what they are anchored in. Nothing here
recurses, however deep tables are nested. Called by the readers of Word, OpenDocument and RTF files.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ragkit.readers.extraction import Builder
from ragkit.readers.headings import Outline
from ragkit.readers.rows import TableContext, add_numbered_rows
from ragkit.readers.tidying import flat, tidy
from ragkit.records import ParagraphKind


@dataclass(slots=True)
class Text:
    """A paragraph that was collected but not yet written.

    Attributes:
        level: Of the heading that it is.
        goes_on: Whether its end is deleted, so that the next paragraph belongs to it.
        boxes: What stands in text boxes anchored in it.
        notes: Kind (`footnote`) and id of each note it refers to.
    """

    kind: ParagraphKind = "prose"
    level: int = 0
    goes_on: bool = False
    is_hidden: bool = False
    parts: list[str] = field(default_factory=list)
    boxes: "list[Block]" = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Table:
    """A table that was collected but not yet written.

    Attributes:
        rows: Of each the cells by column.
        has_names: Whether it says itself that its first row holds the names of its columns.
        next_column: In which the next cell stands.
    """

    rows: "list[dict[int, list[Block]]]" = field(default_factory=list)
    has_names: bool = False
    next_column: int = 0


Block = Text | Table
Notes = dict[tuple[str, str], list[Block]]
"""What stands in each note, by its kind and id."""


def write_blocks(builder: Builder, blocks: Sequence[Block], notes: Notes) -> None:
    """Adds the paragraphs and tables of a document; text boxes and notes come after what they are anchored in.

    Args:
        builder: Takes the paragraphs.
        blocks: In order.
        notes: Those that were written are taken out.
    """
    outline = Outline()
    waiting = [(block, "") for block in reversed(blocks)]
    while waiting:
        block, place = waiting.pop()
        if isinstance(block, Text):
            _write_text(builder, block, place, outline)
            after = _anchored(block, place, notes)
        elif len(block.rows) == 1 and len(block.rows[0]) == 1:  # a frame around text rather than a table
            after = [(inner, place) for cell in block.rows[0].values() for inner in cell]
        else:
            after = _write_table(builder, block, place, outline, notes)
        waiting += reversed(after)


def _write_text(builder: Builder, text: Text, place: str, outline: Outline) -> None:
    words = tidy("".join(text.parts))
    if text.kind == "heading" and words:
        builder.add(flat(words), "heading", headings=outline.enter(text.level, words), place=place)
    else:
        builder.add(words, text.kind, headings=outline.path, place=place)


def _write_table(builder: Builder, table: Table, place: str, outline: Outline, notes: Notes) -> list[tuple[Block, str]]:
    """Adds the rows of a table, which no document numbers; gives what is anchored in them."""
    after: list[tuple[Block, str]] = []
    rows = [{at: _cell_text(cell, place, notes, after) for at, cell in row.items()} for row in table.rows]
    context = TableContext(lambda _: place, outline.path, expects_names=table.has_names)
    add_numbered_rows(builder, enumerate(rows, start=1), context)
    return after


def _anchored(text: Text, place: str, notes: Notes) -> list[tuple[Block, str]]:
    """The text boxes and notes of a paragraph with their places; a note is given out once."""
    noted = [(block, key[0]) for key in text.notes for block in notes.pop(key, [])]
    return [*((box, place) for box in text.boxes), *noted]


def _cell_text(cell: list[Block], place: str, notes: Notes, after: list[tuple[Block, str]]) -> str:
    """The text of a cell; tables, text boxes and notes in it are put on the list of what comes after."""
    words = []
    for block in cell:
        if isinstance(block, Text):
            words.append("".join(block.parts))
            after += _anchored(block, place, notes)
        else:
            after.append((block, place))
    return " ".join(words)
