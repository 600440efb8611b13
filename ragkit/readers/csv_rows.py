"""A CSV or TSV file enters, a paragraph for each of its rows leaves; called through the table of readers.

What parts the columns is nowhere said: that character counts by which most of the first rows have equally many. Rows
are numbered as a spreadsheet numbers them, in which a cell may hold line ends.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from ragkit.readers.decoding import decode
from ragkit.readers.extraction import Builder, Extracted, Source
from ragkit.readers.rows import add_rows

SAMPLE_ROWS = 100
"""So many rows are looked at to tell what parts the columns."""

SAMPLE_CHARS = 200_000
"""The sample ends here, however long its rows are."""

MAX_CELL_CHARS = 1_000_000
"""Python allows an eighth of this, which texts in cells exceed."""

MAX_ROW_LINES = 1_000
"""A row of more lines begins with a quotation mark that was never closed; it is then read as the character it is."""

MIN_SHARE = 0.5
"""If fewer of the rows have equally many columns, what parts them is rather punctuation in a text."""

MIN_SPLIT_SHARE = 0.8
"""Unless it parts the first row and this share of all, as in a table whose rows end where their values do."""

_DELIMITERS = "\t;|,"  # of equally good ones the first counts; a comma also stands in numbers
_NEVER = "\x1f"  # decoding leaves no such character in a text


def read_csv(source: Source) -> Extracted:
    """The rows of a `.csv` or `.tsv` file.

    Raises:
        DocumentError: It is no text.
    """
    text = decode(source.data, source.name)
    first, _, rest = text.partition("\n")
    declared = first.rstrip(" ").lower()
    builder = Builder()
    previous = csv.field_size_limit(MAX_CELL_CHARS)
    try:
        if declared in {f"sep={delimiter}" for delimiter in _DELIMITERS}:  # which Excel does not count as a row
            add_rows(builder, _rows(rest, declared[-1]), place=_place)
        else:
            delimiter = _delimiter(text, is_tsv=source.name.lower().endswith((".tsv", ".tab")))
            add_rows(builder, _rows(text, delimiter), place=_place)
    finally:
        csv.field_size_limit(previous)
    return builder.extracted()


def _place(number: int) -> str:
    return f"row {number}"


def _delimiter(text: str, is_tsv: bool) -> str:
    """What parts the columns; a character that never occurs if there is but one column."""
    sample = text[:SAMPLE_CHARS]
    if len(sample) < len(text):
        sample = sample[: sample.rfind("\n") + 1] or sample
    if is_tsv and "\t" in sample:
        return "\t"
    votes = [_vote(sample, delimiter) for delimiter in _DELIMITERS]
    regular = [vote for vote in votes if vote.share >= MIN_SHARE and (vote.splits_first or vote.columns > 2)]
    if regular:
        return max(regular, key=lambda vote: vote.share).delimiter
    ragged = [vote for vote in votes if vote.split_share >= MIN_SPLIT_SHARE and vote.splits_first]
    return max(ragged, key=lambda vote: vote.split_share).delimiter if ragged else _NEVER


@dataclass(frozen=True, slots=True)
class _Vote:
    """What the first rows look like if a character parts their columns.

    Attributes:
        columns: In most of them.
        share: Of the rows with so many columns; zero if these have only one.
        split_share: Of the rows with more than one.
        splits_first: Whether the first has more than one.
    """

    delimiter: str
    columns: int = 0
    share: float = 0.0
    split_share: float = 0.0
    splits_first: bool = False


def _vote(sample: str, delimiter: str) -> _Vote:
    lengths = [len(row) for row in islice(_rows(sample, delimiter), SAMPLE_ROWS) if any(map(str.strip, row))]
    if not lengths:
        return _Vote(delimiter, share=1.0, splits_first=True)  # nothing but such characters
    columns, count = Counter(lengths).most_common(1)[0]
    split_share = sum(length > 1 for length in lengths) / len(lengths)
    return _Vote(delimiter, columns, count / len(lengths) if columns > 1 else 0.0, split_share, lengths[0] > 1)


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """The cells of each row."""
    has_spaces = f'{delimiter} "' in text[:SAMPLE_CHARS]
    position = 0
    while position < len(text):
        line = _line(text, position)
        row, length = line.rstrip("\n").split(delimiter), len(line)
        if '"' in line:
            row, length = _quoted_row(text, position, delimiter, has_spaces) or (row, length)
        yield row
        position += length


def _quoted_row(text: str, position: int, delimiter: str, has_spaces: bool) -> tuple[list[str], int] | None:
    """The cells of a row with quotation marks, and its length; None if one is never closed."""
    for is_strict in (True, False):
        lines: list[str] = []
        taken = _taken(text, position, lines)
        reader = csv.reader(taken, delimiter=delimiter, strict=is_strict, skipinitialspace=has_spaces)
        with suppress(csv.Error):
            row = next(reader)
            length = sum(map(len, lines))
            is_closed = position + length < len(text) or sum(line.count('"') for line in lines) % 2 == 0
            if is_strict or (is_closed and len(lines) < MAX_ROW_LINES):
                return row, length
    return None


def _taken(text: str, position: int, lines: list[str]) -> Iterator[str]:
    """The lines from `position` on as far as they are asked for, which are noted in `lines`."""
    while position < len(text) and len(lines) < MAX_ROW_LINES:
        lines.append(_line(text, position))
        position += len(lines[-1])
        yield lines[-1]


def _line(text: str, position: int) -> str:
    """The line that begins at `position`, with its line end."""
    end = text.find("\n", position) + 1
    return text[position : end or len(text)]
