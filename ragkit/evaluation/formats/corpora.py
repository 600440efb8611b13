"""The documents of a collection, in the forms in which they are handed on: JSON lines, or TREC's `<DOC>` files.

Called by `judged`, one document after the other, since collections can be large.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from pydantic import AliasChoices, BaseModel, Field

from ragkit.errors import GoldError
from ragkit.evaluation.formats.documents import one_line
from ragkit.evaluation.formats.heads import Head, Text, read_entries, read_foreign_text
from ragkit.evaluation.gold import OnBroken

IDS = ("_id", "id", "docid", "doc_id", "docno", "document_id")
TEXTS = ("text", "contents", "content", "body", "passage")

_DOC = re.compile(r"<DOC>(.*?)</DOC>", re.DOTALL | re.IGNORECASE)
_NUMBER = re.compile(r"<DOCNO>\s*(.*?)\s*</DOCNO>", re.DOTALL | re.IGNORECASE)
_TITLE = re.compile(r"<(HEADLINE|TITLE|HEAD|HL|TI)>(.*?)</\1>", re.DOTALL | re.IGNORECASE)
_TEXT = re.compile(r"<(TEXT|BODY)>(.*?)</\1>", re.DOTALL | re.IGNORECASE)
_PARAGRAPH = re.compile(r"</?P>", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--.*?-->", re.DOTALL)


@dataclass(frozen=True, slots=True)
class CorpusEntry:
    """A document of a collection under the id that judgments give it."""

    id: str
    title: str
    text: str


class _Line(BaseModel):
    id: Text = Field(validation_alias=AliasChoices(*IDS))
    title: str | None = None
    text: str | None = Field(None, validation_alias=AliasChoices(*TEXTS))


def is_corpus(head: Head) -> bool:
    """Whether a file may hold documents with ids. In JSON, a file of questions can look the same."""
    if head.keys:
        return not head.keys.isdisjoint(IDS) and not head.keys.isdisjoint((*TEXTS, "title"))
    return is_marked_corpus(head)


def is_marked_corpus(head: Head) -> bool:
    """Whether a file holds documents between `<DOC>` and `</DOC>`."""
    return "<doc>" in head.text.lower()


def read_corpus(head: Head, on_broken: OnBroken) -> Iterator[CorpusEntry]:
    """The documents of a file. One without a text is its title."""
    if not head.keys:
        yield from _read_marked(head.file, on_broken)
        return
    for _, line in read_entries(head.file, _Line, "a corpus", on_broken):
        title, text = line.title or "", line.text or ""
        yield CorpusEntry(line.id, title, text if text.strip() else title)


def _read_marked(file: Path, on_broken: OnBroken) -> Iterator[CorpusEntry]:
    for number, match in enumerate(_DOC.finditer(read_foreign_text(file)), start=1):
        whole = match.group(1)
        name = _NUMBER.search(whole)
        if name is None:
            on_broken(GoldError(f"{file}: document {number} has no DOCNO."))
            continue
        rest = _NUMBER.sub("", whole)
        title = _TITLE.search(rest)
        texts = [text for _, text in _TEXT.findall(rest)] or [_TITLE.sub("", rest)]
        plain_title = one_line(_plain(title.group(2))) if title else ""
        text = "\n\n".join(map(_plain, texts))
        yield CorpusEntry(name.group(1), plain_title, text if text.strip() else plain_title)


def _plain(text: str) -> str:
    """The text with paragraph marks as blank lines and without all other marks."""
    return unescape(_TAG.sub(" ", _PARAGRAPH.sub("\n\n", text))).strip("\n")
