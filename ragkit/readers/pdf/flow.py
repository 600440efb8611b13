"""The blocks of all pages enter, the paragraphs of the document leave, each under its headings.

A paragraph that runs over the end of a column or page is put together here. How deep a heading stands is told by the
outline of the file where it has one, else by the size of its letters. Called by `pdf`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ragkit.readers.extraction import Builder
from ragkit.readers.pdf.blocks import SAME_SIZE, Block
from ragkit.readers.pdf.kinds import LARGE_SIZE, Measures, ends_sentence, is_caption, without_bullet
from ragkit.readers.pdf.tables import without_leader
from ragkit.readers.pdf.text import Words, code_text, prose_text

MAX_HEADING_CHARS = 160
"""Headings go in front of every text that is searched, so each is cut at this length."""

MAX_TITLE_CHARS = 200
"""A longer paragraph is no heading, even if an entry of the outline says the same."""

OUTLINE_SHARE = 0.5
"""Where the outline names so many of the headings that are set in large letters, bold lines that it does not name are
none."""

_NUMBERING = re.compile(
    r"^(?:chapter|appendix|part|section|kapitel|anhang|chapitre|annexe)?\s*(?:\d+|[a-z])(?:[.\d]*\d)?[.:)]?\s", re.I
)
_PRIVATE = re.compile(r"[\ue000-\uf8ff]")  # pictures that a font has in place of letters
_NO_LETTERS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the outline; `level` from 1, `page` as it is counted in the file, None if unknown."""

    title: str
    level: int
    page: int | None


def stitched(blocks: Iterable[Block], measures: Measures) -> list[Block]:
    """The blocks, those that go on in the next column or on the next page put together."""
    done: list[Block] = []
    unfinished: Block | None = None
    for block in blocks:
        first = block.lines[0]
        is_aside = block.kind in ("prose", "list") and (measures.is_small(block.size) or is_caption(first.text))
        if is_aside:
            done.append(block)
        elif unfinished is not None and _continues(unfinished, block):
            unfinished.lines += block.lines
            unfinished.right = block.right
        else:
            done.append(block)
            if block.kind != "table":
                unfinished = block if block.kind in ("prose", "list", "code") else None
    return done


def _continues(block: Block, following: Block) -> bool:
    """Whether a block is the rest of one that ended its column."""
    last, first = block.lines[-1], following.lines[0]
    is_next = (last.page, last.region) != (first.page, first.region) and first.page <= last.page + 1
    if not is_next or abs(last.size - first.size) > SAME_SIZE * last.size:
        return False
    if block.kind == "code" or following.kind == "code":
        return block.kind == following.kind and following.is_first
    if following.kind != "prose" or last.is_entry or last.text.rstrip().endswith(":"):
        return False
    is_beside = abs((first.x0 - following.left) - (last.x0 - block.left)) < 0.5 * first.size
    if ends_sentence(last.text):
        return block.is_cut_short and following.is_first and is_beside
    is_full = last.x1 > block.right - 2 * last.size
    may_follow = is_full and following.is_first and (is_beside or first.x0 < following.left + 0.5 * first.size)
    return may_follow or first.text[:1].islower() or last.text.endswith("-")


def add_blocks(
    builder: Builder, blocks: Sequence[Block], outline: Sequence[Entry], measures: Measures, words: Words
) -> None:
    """Adds the paragraphs of a document."""
    texts = [_PRIVATE.sub("", _text(block, measures, words)) for block in blocks]
    levels = _heading_levels(blocks, texts, outline, measures)
    path: list[tuple[int, str]] = []
    for number, (block, text) in enumerate(zip(blocks, texts, strict=True)):
        level = levels.get(number)
        kind = "heading" if level is not None else "prose" if block.kind == "heading" else block.kind
        if level is not None:
            path = [heading for heading in path if heading[0] < level]
        headings, page = tuple(heading for _, heading in path), block.lines[0].page
        builder.add(text, kind, headings=headings, page=page, place=f"page {page}")
        if level is not None:
            path.append((level, _cut(text)))


def _text(block: Block, measures: Measures, words: Words) -> str:
    if block.kind == "table":
        return block.text
    if block.kind == "code":
        return code_text(block.lines, measures.distance(block.size))
    text = prose_text(block.lines, words)
    if block.kind == "list":
        text = " ".join(without_leader(without_bullet(text)).split())
    return text


def _cut(text: str) -> str:
    return text if len(text) <= MAX_HEADING_CHARS else text[: MAX_HEADING_CHARS - 1] + "…"


def _bare(title: str) -> str:
    """A title without numbers in front, spaces and signs, to compare it."""
    return _NO_LETTERS.sub("", _NUMBERING.sub("", title.strip() + " ")).lower()


def _heading_levels(
    blocks: Sequence[Block], texts: Sequence[str], outline: Sequence[Entry], measures: Measures
) -> dict[int, int]:
    """How deep the headings stand, by their number among the blocks; those that are none after all are left out."""
    named = {(_bare(entry.title), entry.page): entry.level for entry in reversed(outline)}
    levels: dict[int, int] = {}
    for number, block in enumerate(blocks):
        title = _bare(texts[number]) if len(texts[number]) <= MAX_TITLE_CHARS else ""
        if title and block.kind in ("heading", "prose", "list"):
            page = block.lines[0].page
            found = [named[title, place] for place in (page, page - 1, page + 1, None) if (title, place) in named]
            if found:
                levels[number] = found[0]
    headings = [number for number, block in enumerate(blocks) if block.kind == "heading" or number in levels]
    is_outlined = len(levels) > OUTLINE_SHARE * max(len(outline), 1)
    styles: dict[tuple[float, bool], int] = {}
    for number, level in levels.items():
        style = _style(blocks[number])
        styles[style] = min(level, styles.get(style, level))
    unknown = sorted({_style(blocks[number]) for number in headings} - styles.keys(), reverse=True)
    for style in unknown:
        larger = [level for other, level in styles.items() if other > style]
        styles[style] = max(larger, default=0) + 1
    for number in headings:
        if number not in levels:
            is_large = blocks[number].size > LARGE_SIZE * measures.body_size
            if is_large or not is_outlined:
                levels[number] = styles[_style(blocks[number])]
    return levels


def _style(block: Block) -> tuple[float, bool]:
    return round(2 * block.size) / 2, block.is_bold
