"""What the readers of single formats give back: where a paragraph lies and what it is."""

from dataclasses import dataclass

from ragkit.records import ParagraphKind


@dataclass(frozen=True, slots=True)
class Span:
    """A paragraph before it has a document and a number; offsets are half-open, in code points of the text."""

    start: int
    end: int
    kind: ParagraphKind = "prose"
    headings: tuple[str, ...] = ()
    page: int | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its line end; `start` is its offset in the text."""

    start: int
    text: str

    @property
    def end(self) -> int:
        """Where the line ends, before its line end."""
        return self.start + len(self.text)

    @property
    def is_blank(self) -> bool:
        """Whether nothing is to be seen in it."""
        return not self.text or self.text.isspace()


def lines_of(text: str, start: int = 0) -> list[Line]:
    """The lines of a text that begins at offset `start`, split at LF only."""
    lines = []
    for line in text.split("\n"):
        lines.append(Line(start, line))
        start += len(line) + 1
    return lines


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The same stretch of text without the whitespace around it; empty if there is nothing else."""
    stretch = text[start:end]
    left = len(stretch) - len(stretch.lstrip())
    return start + left, max(start + left, start + len(stretch.rstrip()))
