"""The pages of a database file by which all others are found: its header, and the table of its tables.

A writer keeps a copy of them beside the database, and a repair puts it back. Called by `folder`, `session` and
`repair`. See https://www.sqlite.org/fileformat.html, 1.3 and 1.6.
"""

from pathlib import Path

HEADER_BYTES = 100

Pages = dict[int, bytes]
"""By their numbers, which begin with 1."""

_INTERIOR = 5
_COUNTERS = slice(24, HEADER_BYTES)
"""How often the file was changed, how many pages it has, and what else no two states of a database have in common."""


def first_pages(file: Path) -> Pages:
    """The header and the table of the tables of a database that is whole."""
    pages: Pages = {}
    pending = [1]
    with file.open("rb") as opened:
        size = int.from_bytes(opened.read(HEADER_BYTES)[16:18], "big")
        size = 65536 if size == 1 else size
        while pending:
            number = pending.pop()
            opened.seek((number - 1) * size)
            pages[number] = opened.read(size)
            pending += _children(pages[number], HEADER_BYTES if number == 1 else 0)
    return pages


def _children(page: bytes, start: int) -> list[int]:
    """The pages below one, whose own facts start at an offset; none below a leaf."""
    if page[start] != _INTERIOR:
        return []
    cells = int.from_bytes(page[start + 3 : start + 5], "big")
    pointers = range(start + 12, start + 12 + 2 * cells, 2)
    places = [start + 8, *(int.from_bytes(page[at : at + 2], "big") for at in pointers)]
    return [int.from_bytes(page[at : at + 4], "big") for at in places]


def has_pages(file: Path, pages: Pages) -> bool:
    """Whether a database has these first pages, and the length that they say."""
    if pages and file.stat().st_size != _length(pages):
        return False
    with file.open("rb") as opened:
        for number, page in pages.items():
            opened.seek((number - 1) * len(page))
            if opened.read(len(page)) != page:
                return False
    return True


def is_same_state(file: Path, pages: Pages) -> bool:
    """Whether a database, damaged or not, is the state that these first pages are of."""
    with file.open("rb") as opened:
        return opened.read(HEADER_BYTES)[_COUNTERS] == pages[1][_COUNTERS]


def put_back(file: Path, pages: Pages) -> None:
    """Puts first pages back into a copy of their database, and gives it the length that they say, with zeros."""
    with file.open("r+b") as opened:
        for number, page in pages.items():
            opened.seek((number - 1) * len(page))
            opened.write(page)
        opened.truncate(_length(pages))


def _length(pages: Pages) -> int:
    return int.from_bytes(pages[1][28:32], "big") * len(pages[1])
