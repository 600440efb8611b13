"""Text, paragraph ends and cell ends enter as an RTF file says them, its paragraphs and tables leave.

A row of a table is known only at its end, and a table ends where a paragraph is none of its cells. Called by the reader
of RTF files, once for the document and once for each footnote and text box.
"""

from dataclasses import dataclass, field

from ragkit.readers.office.blocks import Block, Table, Text


@dataclass(frozen=True, slots=True)
class ParagraphFormat:
    """What the file says of the present paragraph.

    Attributes:
        level: Of the heading that it is.
        is_list: Whether it has a number or a bullet.
        is_in_table: Whether it stands in a cell.
    """

    level: int | None = None
    is_list: bool = False
    is_in_table: bool = False


@dataclass(slots=True)
class Story:
    """A run of paragraphs: the document itself, a footnote, a text box.

    Attributes:
        blocks: Those that are complete.
        text: The present paragraph.
        has_names: Whether the present row is said to hold the names of the columns.
    """

    blocks: list[Block] = field(default_factory=list)
    text: Text = field(default_factory=Text)
    has_names: bool = False
    _cell: list[Block] = field(default_factory=list)
    _row: dict[int, list[Block]] = field(default_factory=dict)
    _column: int = 0
    _table: Table | None = None

    def end_paragraph(self, said: ParagraphFormat) -> None:
        """Completes the present paragraph."""
        words = _sound("".join(self.text.parts))
        if not said.is_in_table and (self._cell or self._row):
            self.end_row()
        if not said.is_in_table:
            self._table = None
        if words.strip() or self.text.boxes or self.text.notes:
            text, self.text = self.text, Text()
            text.parts = [words]
            if said.level is not None:
                text.kind, text.level = "heading", said.level
            elif said.is_list:
                text.kind = "list"
            (self._cell if said.is_in_table else self.blocks).append(text)
        else:
            self.text.parts.clear()
            self.text.kind = "prose"

    def end_cell(self) -> None:
        """Completes the present cell."""
        if self._cell:
            self._row[self._column] = self._cell
            self._cell = []
        self._column += 1

    def end_row(self) -> None:
        """Completes the present row."""
        self.end_cell()
        if self._row:
            if self._table is None:
                self._table = Table(has_names=self.has_names)
                self.blocks.append(self._table)
            self._table.rows.append(self._row)
        self._row = {}
        self._column = 0
        self.has_names = False

    def end(self, said: ParagraphFormat) -> None:
        """Completes whatever is open."""
        self.end_paragraph(said)
        if self._cell or self._row:
            self.end_row()


def _sound(text: str) -> str:
    """The text with characters that were written as two halves; a half without the other is replaced."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
