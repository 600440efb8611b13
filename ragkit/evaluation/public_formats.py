"""The two public dataset formats, SQuAD (v1.1 and v2) and CLAPNQ, as they stand in their files; read by `datasets`.

SQuAD: Rajpurkar et al. 2016 and 2018. CLAPNQ: Rosenthal et al. 2024. Keys that ragkit has no use for are let by.
"""

from pydantic import BaseModel, Field

from ragkit.evaluation.gold import GoldEvidence, GoldQuestion

ANSWERABLE, UNANSWERABLE = ("answerable",), ("unanswerable",)


class SquadAnswer(BaseModel):
    """An accepted answer, a stretch of the context, and the code point at which it begins."""

    text: str
    answer_start: int | None = None


class SquadQuestion(BaseModel):
    """A question about one context."""

    id: str
    question: str
    answers: tuple[SquadAnswer, ...] = ()
    is_impossible: bool = False

    @property
    def starts_at(self) -> int | None:
        """Where the first accepted answer begins in the context, if the file tells."""
        return self.answers[0].answer_start if self.answers and not self.is_impossible else None

    def to_gold(self, evidence: tuple[GoldEvidence, ...]) -> GoldQuestion:
        """The question with its context as evidence; answers listed twice are taken once."""
        texts = () if self.is_impossible else dict.fromkeys(a.text.strip() for a in self.answers if a.text.strip())
        return GoldQuestion(
            id=self.id,
            question=self.question.strip(),
            answers=tuple(texts),
            evidence=evidence,
            answerable=bool(texts),
            tags=ANSWERABLE if texts else UNANSWERABLE,
        )


class SquadParagraph(BaseModel):
    """A context with its questions."""

    context: str = Field(pattern=r"\S")
    qas: tuple[SquadQuestion, ...] = ()


class SquadArticle(BaseModel):
    """An article with its contexts."""

    title: str = ""
    paragraphs: tuple[SquadParagraph, ...] = Field(min_length=1)


class SquadFile(BaseModel):
    """The whole file."""

    data: tuple[SquadArticle, ...]


class ClapnqPassage(BaseModel):
    """A passage of Wikipedia."""

    title: str = ""
    text: str = Field(pattern=r"\S")


class ClapnqOutput(BaseModel):
    """A long answer and the sentences it rests on; both empty where the passage holds no answer."""

    answer: str = ""
    selected_sentences: tuple[str, ...] = ()


class ClapnqLine(BaseModel):
    """A question with its passage and one or several long answers."""

    id: str
    input: str
    passages: tuple[ClapnqPassage, ...] = Field(min_length=1)
    output: tuple[ClapnqOutput, ...] = ()

    def to_gold(self, evidence: tuple[GoldEvidence, ...]) -> GoldQuestion:
        """The question with its passage as evidence, and the sentences that any of its answers rests on.

        Where none are named, the whole passage stands for them.
        """
        outputs = [output for output in self.output if output.answer.strip()]
        sentences = dict.fromkeys(sentence.strip() for output in outputs for sentence in output.selected_sentences)
        return GoldQuestion(
            id=self.id,
            question=self.input.strip(),
            answers=tuple(dict.fromkeys(output.answer.strip() for output in outputs)),
            evidence=evidence,
            answerable=bool(outputs),
            tags=ANSWERABLE if outputs else UNANSWERABLE,
            evidence_sentences=(tuple(sentences) or tuple(p.text for p in self.passages)) if outputs else (),
        )
