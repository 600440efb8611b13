"""The headings of a document enter one after the other, the path of those above each paragraph leaves.

Called by readers of formats that have headings.
"""

from ragkit.readers.tidying import flat

MAX_HEADING_CHARS = 160
"""Headings go in front of every text that is embedded, so a path keeps only the innermost that fit in this."""


class Outline:
    """The headings that are in force while a document is read from its beginning to its end."""

    def __init__(self) -> None:
        self.path: tuple[str, ...] = ()
        self._open: list[tuple[int, str]] = []

    def enter(self, level: int, heading: str) -> tuple[str, ...]:
        """Puts what follows under this heading, smaller levels lying further out; gives the path above it."""
        while self._open and self._open[-1][0] >= level:
            self._open.pop()
        above = fitting_headings([text for _, text in self._open])
        self._open.append((level, flat(heading)))
        self.path = fitting_headings([text for _, text in self._open])
        return above


def fitting_headings(headings: list[str]) -> tuple[str, ...]:
    """The innermost headings that together stay within `MAX_HEADING_CHARS`; one that is too long alone is cut."""
    kept: list[str] = []
    room = MAX_HEADING_CHARS
    for heading in reversed(headings):
        if len(heading) > room and kept:
            break
        if heading:
            kept.append(heading if len(heading) <= room else heading[: room - 1] + "…")
            room -= len(kept[-1])
    return tuple(reversed(kept))
