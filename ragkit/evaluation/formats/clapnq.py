"""CLAPNQ (Rosenthal et al. 2024): questions with one passage each and answers of several sentences.

Each passage becomes a document of one paragraph. The answerable and the unanswerable questions come in two files.
"""

from pathlib import Path

from pydantic import BaseModel, Field

from ragkit.evaluation.formats.documents import Dataset, DocumentWriter, kind_tags, one_line
from ragkit.evaluation.formats.heads import Head, read_entries
from ragkit.evaluation.gold import GoldEvidence, GoldQuestion, OnBroken


class _Passage(BaseModel):
    title: str = ""
    text: str = Field(pattern=r"\S")


class _Output(BaseModel):
    """A long answer and the sentences it rests on; both empty where the passage holds no answer."""

    answer: str = ""
    selected_sentences: tuple[str, ...] = ()


class _Line(BaseModel):
    id: str
    input: str
    passages: tuple[_Passage, ...] = Field(min_length=1)
    output: tuple[_Output, ...] = ()

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
            tags=kind_tags(bool(outputs)),
            evidence_sentences=(tuple(sentences) or tuple(p.text for p in self.passages)) if outputs else (),
        )


def is_clapnq(head: Head) -> bool:
    """Whether a file is CLAPNQ: lines with `input` and `passages`."""
    return {"passages", "input"} <= head.keys


def load_clapnq(file: Path, on_broken: OnBroken) -> Dataset:
    """The questions of a file and of the one with the other kind of questions, if that lies beside it."""
    writer, questions = DocumentWriter(), []
    files = _both_files(file)
    for part in files:
        for _, line in read_entries(part, _Line, "CLAPNQ", on_broken):
            documents = [writer.add(passage.title, [one_line(passage.text)]) for passage in line.passages]
            written = [paragraph for document in documents for paragraph in document.read_paragraphs()[0]]
            questions.append(line.to_gold(tuple(paragraph.as_evidence() for paragraph in written)))
    name = file.stem if len(files) == 1 else files[0].stem.replace("answerable", "answerable+unanswerable")
    return Dataset(name, tuple(questions), writer)


def _both_files(file: Path) -> list[Path]:
    """The file and the one that holds the other kind of questions, if it lies beside it; the answerable ones first."""
    answerable = file.with_name(file.name.replace("unanswerable", "answerable"))
    unanswerable = answerable.with_name(answerable.name.replace("answerable", "unanswerable"))
    pair = [answerable, unanswerable]
    return pair if answerable != unanswerable and all(part.is_file() for part in pair) else [file]
