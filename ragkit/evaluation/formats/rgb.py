"""RGB (Chen et al. 2024): web questions with passages that answer them and passages that only look so.

Every passage becomes a document. An answer is a text or a list of all that is needed, each entry a text or a list of
wordings, as in that benchmark's own scoring. Passages that were made wrong on purpose are left out.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

from ragkit.evaluation.formats.documents import Dataset, DocumentWriter, kind_tags, one_line
from ragkit.evaluation.formats.heads import Head, Text, read_entries
from ragkit.evaluation.gold import GoldEvidence, GoldQuestion, OnBroken

PASSAGE_TITLE = "passage"


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _flat(value: Any) -> Any:
    """A list of texts, where there may be lists of texts: one for each of the things that are asked for."""
    return list(chain.from_iterable(map(_as_list, value))) if isinstance(value, list) else value


Wordings = Annotated[tuple[Text, ...], BeforeValidator(_as_list)]
Passages = Annotated[tuple[str, ...], BeforeValidator(_flat)]


class _Line(BaseModel):
    id: Text
    query: str = Field(pattern=r"\S")
    answer: Annotated[tuple[Wordings, ...], BeforeValidator(_as_list)]
    positive: Passages
    negative: Passages = ()

    @property
    def needed(self) -> tuple[tuple[str, ...], ...]:
        """The wordings of everything that an answer must say; nothing where no passage answers."""
        entries = (tuple(dict.fromkeys(w.strip() for w in entry if w.strip())) for entry in self.answer)
        return tuple(entry for entry in entries if entry) if self.positive else ()


def is_rgb(head: Head) -> bool:
    """Whether a file is RGB: lines with `query`, `answer` and `positive` passages."""
    return {"query", "answer", "positive"} <= head.keys


def load_rgb(file: Path, on_broken: OnBroken) -> Dataset:
    """The questions, each with all the passages that answer it as evidence."""
    writer, questions = DocumentWriter(), []
    for _, line in read_entries(file, _Line, "RGB", on_broken):
        evidence = tuple(_written(line.positive, writer))
        tuple(_written(line.negative, writer))
        needed = line.needed
        questions.append(
            GoldQuestion(
                id=line.id,
                question=line.query.strip(),
                answers=needed[0] if len(needed) == 1 else (),
                must_include=needed if len(needed) > 1 else (),
                evidence=evidence,
                answerable=bool(needed),
                tags=kind_tags(bool(needed)),
            )
        )
    return Dataset(file.stem, tuple(questions), writer)


def _written(passages: tuple[str, ...], writer: DocumentWriter) -> Iterator[GoldEvidence]:
    for passage in dict.fromkeys(map(one_line, passages)):
        if passage:
            paragraphs = writer.add(PASSAGE_TITLE, [passage]).read_paragraphs()[0]
            yield from (paragraph.as_evidence() for paragraph in paragraphs)
