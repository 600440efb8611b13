"""What stands on a slide enters, its paragraphs leave: the title, the text in reading order, the notes.

A slide's shapes lie in its file in the order in which they were drawn, so they are sorted by where they stand. Called
by the readers of PowerPoint and OpenDocument slides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ragkit.readers.extraction import Builder
from ragkit.readers.headings import Outline
from ragkit.readers.office.blocks import Block, Text
from ragkit.readers.rows import TableContext, add_numbered_rows
from ragkit.readers.tidying import flat, tidy

SAME_HEIGHT_EMU = 180_000
"""Half a centimetre, in the unit of the format: shapes whose tops differ by less stand side by side."""

Position = tuple[int, int]
"""Distance from the left and from the top, in EMU."""

T = TypeVar("T")


@dataclass(slots=True)
class Slide:
    """What stands on one slide."""

    number: int
    title: str = ""
    is_hidden: bool = False
    blocks: list[Block] = field(default_factory=list)
    notes: list[Block] = field(default_factory=list)


def write_slide(builder: Builder, slide: Slide) -> None:
    """Adds the paragraphs of a slide under its title."""
    place = f"slide {slide.number}" + (" (hidden)" if slide.is_hidden else "")
    outline = Outline()
    if title := flat(slide.title):
        builder.add(title, "heading", page=slide.number, place=place)
        outline.enter(1, title)
    notes_place = f"{place}, notes"
    _write_blocks(builder, slide.blocks, TableContext(lambda _: place, outline.path, slide.number, False))
    _write_blocks(builder, slide.notes, TableContext(lambda _: notes_place, outline.path, slide.number, False))


def _write_blocks(builder: Builder, blocks: Sequence[Block], context: TableContext) -> None:
    for block in blocks:
        if isinstance(block, Text):
            text = tidy("".join(block.parts))
            builder.add(text, block.kind, headings=context.headings, page=context.page, place=context.place(0))
        else:
            rows = ({at: _cell_text(cell) for at, cell in row.items()} for row in block.rows)
            has_names = replace(context, expects_names=block.has_names)
            add_numbered_rows(builder, enumerate(rows, start=1), has_names)


def _cell_text(cell: Sequence[Block]) -> str:
    return " ".join("".join(block.parts) for block in cell if isinstance(block, Text))


def in_reading_order(shapes: Sequence[tuple[Position | None, T]]) -> list[T]:
    """The shapes from top to bottom and, of those side by side, from left to right.

    Args:
        shapes: With the position of each; one without a position stays behind the one before it.
    """
    placed: list[tuple[Position, T]] = []
    for position, shape in shapes:
        placed.append((position or (placed[-1][0] if placed else (0, 0)), shape))
    placed.sort(key=lambda one: one[0][1])
    ordered: list[T] = []
    row: list[tuple[Position, T]] = []
    for one in placed:
        if row and one[0][1] - row[0][0][1] >= SAME_HEIGHT_EMU:
            ordered += _from_left(row)
            row = []
        row.append(one)
    return ordered + _from_left(row)


def _from_left(row: Sequence[tuple[Position, T]]) -> list[T]:
    return [shape for _, shape in sorted(row, key=lambda one: one[0][0])]
