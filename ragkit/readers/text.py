"""Plain text enters, its paragraphs leave: what a reader of the file would call one.

Blank lines separate blocks. What a line is to its block (a whole paragraph, a list item, a wrapped part of one) is not
written down anywhere, so it is judged from how lines end and begin. Called through `ragkit.readers`.
"""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from statistics import median

from ragkit.readers.spans import Line, Span, lines_of, trimmed
from ragkit.records import ParagraphKind

Block = list[Line]

WRAPPED_SHARE = 0.25
"""Where more of the line breaks than this stand in mid-sentence, an editor wrapped the lines (English: about .8 do)."""

PROSE_SHARE = 0.6
"""Where at least this share of the text is in lines that end like sentences, lines are prose; in verse a third is."""

BLOCK_PROSE_SHARE = 0.8
"""The same inside a block between blank lines, where lines need a stronger reason to be paragraphs."""

WIDEST_WRAP = 120
"""Nobody wraps lines wider than this, in characters."""

LONG_LINE = 200
"""A line of this length between blank lines is a paragraph even if it is but one sentence."""

LONGEST_STANZA = 20
"""More unpunctuated lines than this without a blank one are records (a log, a list of names), not verse."""

SHORT_LAST_LINE = 0.75
"""A wrapped line that ends a sentence and fills less than this share of the width ends its paragraph."""

SPACED_LINES = 4
"""Fewer single lines between blank ones do not show that a text is double-spaced."""

SHORT_ITEM = 50
"""A line of a list that is shorter than this was not wrapped, so that what follows unindented is no part of it."""

_SENTENCE_END = re.compile(r"[.!?…。！？।؟][\"'”’»›)\]」』]*(?:\s?\[[\w, ]{1,20}\],?)*$")
_INNER_SENTENCE_END = re.compile(r"[.!?][\"”’)\]]*\s+[\"“‘(]?[A-Z]|[。！？]\S")
_BULLET = re.compile(r"[ \t]{0,12}(?:[-*+•‣◦▪·]|\(?\d{1,3}[.)]|\([a-z]{1,3}\)|[a-z]\))[ \t]+(?=\S)")
_FIRST_BULLET = re.compile(r"[ \t]{0,12}(?:[-*+•‣◦▪·]|\(?1[.)]|\(a\)|a\))[ \t]+(?=\S)")


def text_spans(text: str) -> list[Span]:
    """The paragraphs of a plain text; each form feed begins a new page and ends a paragraph."""
    pages = text.split("\f")
    blocks: list[tuple[int | None, Block]] = []
    start = 0
    for number, page in enumerate(pages, start=1):
        blocks += [(number if len(pages) > 1 else None, block) for block in _spaced_blocks(lines_of(page, start))]
        start += len(page) + 1
    # Page breaks alone do not show that the writer separates paragraphs by blank lines.
    is_separated = len(blocks) > len({page for page, _ in blocks})
    return [
        Span(*trimmed(text, start, lines[-1].end), kind, page=page)
        for page, block in blocks
        for kind, start, lines in _paragraphs(block, is_separated)
    ]


def _spaced_blocks(lines: list[Line]) -> list[Block]:
    """The blocks of a page; where every line is followed by a blank one (double spacing), two blanks part blocks."""
    blocks = list(_blocks(lines))
    firsts = [block[0] for block in blocks]
    is_sparse = len(blocks) >= SPACED_LINES and all(len(block) == 1 for block in blocks)
    if not is_sparse or median(len(line.text) for line in firsts) < SHORT_ITEM or not _is_wrapped(firsts):
        return blocks
    return _split(firsts, [following.start - line.end > 2 for line, following in pairwise(firsts)])


def _blocks(lines: list[Line]) -> Iterator[Block]:
    """The runs of lines between blank lines."""
    block: Block = []
    for line in lines:
        if not line.is_blank:
            block.append(line)
        elif block:
            yield block
            block = []
    if block:
        yield block


def _paragraphs(block: Block, is_separated: bool) -> Iterator[tuple[ParagraphKind, int, Block]]:
    """Kind, start and lines of each paragraph of a block: first its list items, then the prose between them."""
    prose: Block = []
    item: Block = []
    for line in block:
        marker = _item_marker(line, prose[-1] if prose else None, bool(item))
        if marker is None and not (item and _leaves_list(item[-1], line)):
            (item or prose).append(line)
            continue
        yield from _prose(prose, is_separated)
        if item:
            yield "list", _content_start(item[0]), item
        prose, item = ([], [line]) if marker else ([line], [])
    if item:
        yield "list", _content_start(item[0]), item
    yield from _prose(prose, is_separated)


def _item_marker(line: Line, before: Line | None, is_in_list: bool) -> re.Match[str] | None:
    """The bullet or number that makes a line a list item.

    After a line of prose only a first item counts, and only where the line before is complete: wrapped prose may well
    go on with "12. " or "- ".
    """
    if is_in_list or before is None:
        return _BULLET.match(line.text)
    is_complete = _ends_sentence(before) or before.text.rstrip().endswith(":")
    return _FIRST_BULLET.match(line.text) if is_complete else None


def _leaves_list(before: Line, line: Line) -> bool:
    """Whether a line without a marker is prose after the list rather than the rest of the item before it."""
    is_complete = _ends_sentence(before) or len(before.text) < SHORT_ITEM
    return is_complete and not line.text[0].isspace() and not line.text[0].islower()


def _content_start(line: Line) -> int:
    marker = _BULLET.match(line.text)
    return line.start + (marker.end() if marker else 0)


def _prose(lines: Block, is_separated: bool) -> Iterator[tuple[ParagraphKind, int, Block]]:
    if not lines:
        return
    if _lines_are_paragraphs(lines, is_separated):
        groups = _split(lines, [not _is_mid_sentence(*pair) for pair in pairwise(lines)])
    elif _is_wrapped(lines):
        groups = _split(lines, _wrapped_paragraph_ends(lines, is_separated))
    else:
        groups = [lines]
    for group in groups:
        yield "prose", group[0].start, group


def _split(lines: Block, ends: list[bool]) -> list[Block]:
    """The lines in groups; `ends` says for each line but the last whether a group ends with it."""
    groups = [[lines[0]]]
    for line, is_new in zip(lines[1:], ends, strict=True):
        if is_new:
            groups.append([line])
        else:
            groups[-1].append(line)
    return groups


def _lines_are_paragraphs(lines: Block, is_separated: bool) -> bool:
    """Whether each line is a paragraph of its own rather than a part of one.

    Never where many breaks stand in mid-sentence. Else in a file without blank lines: where lines end like sentences
    or are too long to be wrapped. Between blank lines: only where they are also long or hold several sentences, since
    some writers begin a new line for each sentence of a paragraph. Many unpunctuated lines are records either way.
    """
    if len(lines) < 2 or _is_wrapped(lines):
        return False
    prose_share = _share(lines, _ends_sentence)
    if len(lines) > LONGEST_STANZA:
        return True
    if not is_separated:
        return prose_share >= PROSE_SHARE or _share(lines, lambda line: len(line.text) > WIDEST_WRAP) >= PROSE_SHARE
    return prose_share >= BLOCK_PROSE_SHARE and _share(lines, _holds_a_paragraph) >= PROSE_SHARE


def _share(lines: Block, claim: Callable[[Line], bool]) -> float:
    """Share of the text in lines of which the claim is true; by length, so that titles between them weigh little."""
    return sum(len(line.text) for line in lines if claim(line)) / sum(len(line.text) for line in lines)


def _holds_a_paragraph(line: Line) -> bool:
    has_several_sentences = bool(_INNER_SENTENCE_END.search(line.text))
    return len(line.text) >= (WIDEST_WRAP / 2 if has_several_sentences else LONG_LINE)


def _is_wrapped(lines: Block) -> bool:
    breaks = list(pairwise(lines))
    return sum(_is_mid_sentence(*pair) for pair in breaks) > WRAPPED_SHARE * len(breaks)


def _is_mid_sentence(line: Line, following: Line) -> bool:
    """Whether a sentence runs over the break: no end before it, and no capital (or a script without any) after it."""
    first = following.text.lstrip()[:1]
    return not _ends_sentence(line) and first.isalpha() and not first.isupper() and not first.istitle()


def _ends_sentence(line: Line) -> bool:
    return bool(_SENTENCE_END.search(line.text[-60:].rstrip()))


def _wrapped_paragraph_ends(lines: Block, is_separated: bool) -> list[bool]:
    """Which lines of wrapped prose end a paragraph: before an indent and, failing blank lines, short ones."""
    width = max(len(line.text) for line in lines)
    indents = [len(line.text) - len(line.text.lstrip()) for line in lines]
    margin = min(indents)
    indented = [indent >= margin + 2 for indent in indents]
    indent_begins = sum(indented) <= len(lines) / 2
    return [
        _ends_sentence(line)
        and (
            (indent_begins and is_indented)
            or (not is_separated and len(line.text) < SHORT_LAST_LINE * width and not following.text[:1].islower())
        )
        for (line, following), is_indented in zip(pairwise(lines), indented[1:], strict=True)
    ]
