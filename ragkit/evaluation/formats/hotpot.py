"""HotpotQA (Yang et al. 2018) and others of its form: questions whose answer needs several passages together.

Each passage of `context` becomes a document of one paragraph under its title; every supporting sentence is gold
evidence. Both layouts are read: pairs of title and sentences, and one list of titles beside one of sentences.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field

from ragkit.errors import GoldError
from ragkit.evaluation.formats.documents import Dataset, DocumentWriter, WrittenParagraph, kind_tags, one_line
from ragkit.evaluation.formats.heads import Head, Text, read_entries
from ragkit.evaluation.gold import GoldEvidence, GoldQuestion, OnBroken


def _as_pairs(value: Any) -> Any:
    """A list of pairs, also from two lists of the same length under `title` and another name."""
    if isinstance(value, dict) and "title" in value and len(value) == 2:
        others = next(values for name, values in value.items() if name != "title")
        return list(zip(value["title"], others, strict=False))
    return value


class _Entry(BaseModel):
    id: Text = Field(validation_alias=AliasChoices("_id", "id"))
    question: str = Field(pattern=r"\S")
    answer: str = ""
    context: Annotated[tuple[tuple[str, tuple[str, ...]], ...], BeforeValidator(_as_pairs)]
    supporting_facts: Annotated[tuple[tuple[str, int], ...], BeforeValidator(_as_pairs)] = ()
    type: str = ""
    level: str = ""


def is_hotpot(head: Head) -> bool:
    """Whether a file is of HotpotQA's form: entries with `question`, `context` and `supporting_facts`."""
    return {"question", "context", "supporting_facts"} <= head.keys


def load_hotpot(file: Path, on_broken: OnBroken) -> Dataset:
    """The questions, each with the sentences that its answer rests on as evidence."""
    writer, questions = DocumentWriter(), []
    for where, entry in read_entries(file, _Entry, "HotpotQA", on_broken):
        passages = {}
        for title, sentences in entry.context:
            text = one_line(" ".join(sentences))
            written = writer.add(title, [text]).read_paragraphs()[0] if text else ()
            passages[title] = (written, sentences)
        strange = [title for title, _ in entry.supporting_facts if title not in passages]
        if strange:
            on_broken(GoldError(f"{where}: the supporting fact {strange[0]!r} is not in the context."))
            continue
        evidence = dict.fromkeys(_facts(entry.supporting_facts, passages))
        answer = entry.answer.strip()
        kinds = tuple(word for word in (entry.type, entry.level) if word)
        questions.append(
            GoldQuestion(
                id=entry.id,
                question=entry.question.strip(),
                answers=(answer,) if answer else (),
                evidence=tuple(evidence),
                answerable=bool(answer),
                tags=kind_tags(bool(answer)) + kinds,
            )
        )
    return Dataset(file.stem, tuple(questions), writer)


def _facts(
    facts: tuple[tuple[str, int], ...], passages: dict[str, tuple[tuple[WrittenParagraph, ...], tuple[str, ...]]]
) -> Iterator[GoldEvidence]:
    """The evidence of each fact; where there is no sentence of that number, the paragraph alone."""
    for title, number in facts:
        paragraphs, sentences = passages[title]
        sentence = one_line(sentences[number]) if 0 <= number < len(sentences) else ""
        holding = [paragraph for paragraph in paragraphs if sentence in one_line(paragraph.text)] or paragraphs
        yield from (paragraph.as_evidence(sentence) for paragraph in holding)
