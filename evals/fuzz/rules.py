"""What a reader found enters, what is wrong with it leaves: the contract of all readers, as rules that can be checked.

Called by `trying`.
"""

import re
import unicodedata
from collections.abc import Iterator

from ragkit.readers.extraction import Extracted
from ragkit.readers.headings import MAX_HEADING_CHARS
from ragkit.readers.isolation.wire import decode_reply, encode_extracted
from ragkit.readers.spans import Span

AS_WRITTEN = frozenset({"text", "markdown", "code"})
"""Formats whose text is that of the file, with its form feeds."""

HOLDING = frozenset({"gzip", "tar", "zip", "eml", "mbox"})
"""Formats in which such files may lie."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0d-\x1f\x7f-\x9f]")
_OWN_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def broken_rules(extracted: Extracted, format_name: str) -> Iterator[str]:
    """What is wrong, a few words each; the same words for the same fault in whichever file."""
    text = extracted.text
    pattern = _CONTROL if format_name in AS_WRITTEN | HOLDING else _OWN_CONTROL
    if found := pattern.search(text):
        yield f"text holds {_name(found.group())}"
    if _SURROGATE.search(text):
        yield "text holds half a character"
    end = 0
    for span in extracted.spans:
        yield from _of_span(span, text, end)
        end = span.end
    for fact in extracted.facts:
        if fact.name != fact.name.lower():
            yield "name of a fact not in lower case"
        yield from _of_line("name of a fact", fact.name)
        yield from _of_line("value of a fact", fact.value)
    for warning in extracted.warnings:
        yield from _of_line("warning", warning)
    yield from _of_sending(extracted)


def _of_span(span: Span, text: str, end: int) -> Iterator[str]:
    if not end <= span.start < span.end <= len(text):
        yield "spans empty, in disorder or outside the text"
    words = text[span.start : span.end]
    if words != words.strip():
        yield "span with space around it"
    if span.page is not None and span.page < 1:
        yield "page before the first"
    if span.place:
        yield from _of_line("place", span.place)
    for heading in span.headings:
        if len(heading) > MAX_HEADING_CHARS:
            yield "heading too long"
        yield from _of_line("heading", heading)


def _of_line(what: str, words: str) -> Iterator[str]:
    """What is wrong with words that must stand on one line."""
    if not words.strip():
        yield f"{what} empty"
    if len(words.splitlines()) > 1 or any(unicodedata.category(sign) in ("Cc", "Cs") for sign in words):
        yield f"{what} with a control character or a line end"


def _of_sending(extracted: Extracted) -> Iterator[str]:
    """Whether it arrives as it is at the process that asked for it."""
    try:
        arrived = decode_reply(encode_extracted(extracted, "it"))
    except ValueError as exc:
        yield f"refused as a reply: {exc}"
        return
    if arrived != extracted:
        yield "arrives as something else"


def _name(sign: str) -> str:
    return f"U+{ord(sign):04X}"
