"""Questions without answers, in the forms in which collections of judged documents keep them. Called by `judged`.

JSON lines (BEIR), which may hold a whole conversation (MTRAG: the last thing the user asked is taken), topics between
`<top>` and `</top>` (TREC), and tables of id and question.
"""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, BaseModel, Field

from ragkit.errors import GoldError
from ragkit.evaluation.formats.documents import one_line
from ragkit.evaluation.formats.heads import Head, Text, read_entries, read_foreign_text
from ragkit.evaluation.gold import OnBroken

IDS = ("_id", "id", "query_id", "qid", "task_id")
TEXTS = ("text", "query", "question", "input")
USERS = ("user", "human")
LOOKED_AT = 20

_TURN = re.compile(r"^\|(\w+)\|:", re.MULTILINE)
_TOPIC = re.compile(r"<top(?:ic)?\b([^>]*)>(.*?)(?=</top(?:ic)?>|<top(?:ic)?\b|\Z)", re.DOTALL | re.IGNORECASE)
_FIELD = re.compile(r"<(num|title|desc|description|question|query)\b[^>]*>([^<]*)", re.IGNORECASE)
_NUMBER = re.compile(r"""\b(?:number|id)\s*=\s*["']([^"']+)""", re.IGNORECASE)
_NAME_BEFORE = re.compile(r"^\s*(?:Number|Topic|Title|Description)\s*:", re.IGNORECASE)


class _Turn(BaseModel):
    speaker: str = Field(validation_alias=AliasChoices("speaker", "role"))
    text: str = Field(validation_alias=AliasChoices("text", "content"))


class _Line(BaseModel):
    id: Text = Field(validation_alias=AliasChoices(*IDS))
    text: str | tuple[_Turn, ...] = Field(validation_alias=AliasChoices(*TEXTS))

    @property
    def question(self) -> str:
        """The question, of a conversation the last one of the user."""
        if isinstance(self.text, str):
            return last_question(self.text)
        return next((one_line(turn.text) for turn in reversed(self.text) if turn.speaker in USERS), "")


def is_topics(head: Head) -> bool:
    """Whether a file may hold questions with ids. In JSON, a file of documents can look the same."""
    if head.keys:
        return not head.keys.isdisjoint(IDS) and not head.keys.isdisjoint(TEXTS)
    lines = head.lines[:LOOKED_AT]
    is_table = bool(lines) and all(len(line.split("\t")) == 2 for line in lines)
    return is_table or bool(_TOPIC.search(head.text))


def read_topics(head: Head, on_broken: OnBroken) -> dict[str, str]:
    """Id to question, in the file's order; of an id that occurs twice the first."""
    topics: dict[str, str] = {}
    for name, question, where in _read_all(head, on_broken):
        if name in topics:
            on_broken(GoldError(f"{where}: the id {name!r} occurs twice."))
        elif not (name and question):
            on_broken(GoldError(f"{where}: a topic needs an id and a question."))
        else:
            topics[name] = question
    return topics


def last_question(text: str) -> str:
    """The last thing the user asks in a text whose turns begin with `|user|:`; a text without turns is the question."""
    turns = _TURN.split(text)
    said = [one_line(words) for speaker, words in zip(turns[1::2], turns[2::2], strict=True) if speaker in USERS]
    return said[-1] if said else one_line(text)


def _read_all(head: Head, on_broken: OnBroken) -> Iterator[tuple[str, str, str]]:
    """Id, question and where it stands, in whichever form the file is."""
    if head.keys:
        for where, line in read_entries(head.file, _Line, "topics", on_broken):
            yield line.id.strip(), line.question, where
    elif _TOPIC.search(head.text):
        yield from _read_marked(head.file)
    else:
        yield from _read_rows(head.file)


def _read_rows(file: Path) -> Iterator[tuple[str, str, str]]:
    for number, line in enumerate(read_foreign_text(file).split("\n"), start=1):
        if line.strip():
            name, _, question = line.partition("\t")
            yield name.strip(), one_line(question), f"{file}, line {number}"


def _read_marked(file: Path) -> Iterator[tuple[str, str, str]]:
    for number, match in enumerate(_TOPIC.finditer(read_foreign_text(file)), start=1):
        attributes, body = match.groups()
        fields: dict[str, Any] = {name.lower(): _plain(text) for name, text in reversed(_FIELD.findall(body))}
        numbered = _NUMBER.search(attributes)
        name = fields.get("num") or (numbered.group(1).strip() if numbered else "")
        yield name, _choose_question(fields), f"{file}, topic {number}"


def _choose_question(fields: dict[str, str]) -> str:
    """The field that asks: the question, else a description that is one, else the title, which is a few keywords."""
    description = fields.get("desc") or fields.get("description") or ""
    asking = description if description.endswith("?") else ""
    return fields.get("question") or asking or fields.get("title") or fields.get("query") or description


def _plain(text: str) -> str:
    return one_line(unescape(_NAME_BEFORE.sub("", text)))
