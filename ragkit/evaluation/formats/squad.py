"""SQuAD v1.1 and v2 (Rajpurkar et al. 2016 and 2018), and so XQuAD in any of its languages.

Each article becomes a document, each context one of its paragraphs. Keys that ragkit has no use for are let by.
"""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from ragkit.errors import GoldError
from ragkit.evaluation.formats.documents import Dataset, DocumentWriter, kind_tags, one_line
from ragkit.evaluation.formats.heads import Head
from ragkit.evaluation.gold import GoldQuestion, OnBroken, describe_first_problem, read_text
from ragkit.sentences import split_sentences


class _Answer(BaseModel):
    """An accepted answer, a stretch of the context, and the code point at which it begins."""

    text: str
    answer_start: int | None = None


class _Question(BaseModel):
    id: str
    question: str
    answers: tuple[_Answer, ...] = ()
    is_impossible: bool = False

    @property
    def accepted(self) -> tuple[str, ...]:
        """The answers, those listed twice taken once."""
        texts = () if self.is_impossible else (answer.text.strip() for answer in self.answers)
        return tuple(dict.fromkeys(text for text in texts if text))

    @property
    def starts_at(self) -> int | None:
        """Where the first accepted answer begins in the context, if the file tells."""
        return self.answers[0].answer_start if self.accepted else None


class _Paragraph(BaseModel):
    context: str = Field(pattern=r"\S")
    qas: tuple[_Question, ...] = ()


class _Article(BaseModel):
    title: str = ""
    paragraphs: tuple[_Paragraph, ...] = Field(min_length=1)


class _File(BaseModel):
    data: tuple[object, ...]


def is_squad(head: Head) -> bool:
    """Whether a file is SQuAD: one object with `data`, a list of articles."""
    return "data" in head.keys


def load_squad(file: Path, on_broken: OnBroken) -> Dataset:
    """The questions, each with its context as evidence, and the sentence of it that answers if the file tells."""
    try:
        entries = _File.model_validate_json(read_text(file)).data
    except ValidationError as error:
        raise GoldError(f"{file} is not SQuAD v1.1 or v2 JSON: {describe_first_problem(error)}.") from error
    writer, questions = DocumentWriter(), list[GoldQuestion]()
    for number, entry in enumerate(entries):
        try:
            article = _Article.model_validate(entry)
        except ValidationError as error:
            problem = f"data.{number}.{describe_first_problem(error)}"
            on_broken(GoldError(f"{file} is not SQuAD v1.1 or v2 JSON: {problem}."))
        else:
            questions += _questions_of(article, writer)
    return Dataset(file.stem, tuple(questions), writer)


def _questions_of(article: _Article, writer: DocumentWriter) -> Iterator[GoldQuestion]:
    document = writer.add(article.title, [one_line(paragraph.context) for paragraph in article.paragraphs])
    for paragraph, written in zip(article.paragraphs, document.read_paragraphs(), strict=True):
        for question in paragraph.qas:
            sentence = _sentence_at(paragraph.context, question.starts_at)
            yield GoldQuestion(
                id=question.id,
                question=question.question.strip(),
                answers=question.accepted,
                evidence=tuple(one.as_evidence(sentence) for one in written),
                answerable=bool(question.accepted),
                tags=kind_tags(bool(question.accepted)),
            )


def _sentence_at(context: str, place: int | None) -> str:
    """The sentence of a context that holds a place, on one line; nothing where no place is given."""
    spans = split_sentences(context) if place is not None else []
    return next((one_line(context[start:end]) for start, end in spans if start <= (place or 0) < end), "")
