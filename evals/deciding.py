"""Trains the adapter of the shipped decider and writes it to `ragkit/models/decider.safetensors`.

    python -m evals.deciding

A sentence is read with questions that it answers with yes or no, and with questions about the same matter that it
does not settle: those of `evals/verification/decisions.jsonl`, which were written for this, the ones of
`evals/verification/polarity.jsonl` and the yes/no questions of `evals/reading` (choosing part), these also with the
whole paragraph in place of the sentence, and with another sentence of it, which mostly does not tell. It goes on from
the reader's adapter, which finds what a question asks about. One source of ten is held back and shows what was learned.
"""

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from evals.adapters import low_rank_tensors, lower_layers, make_batches, rates, save_adapter, take_up, train
from evals.parts import part_of
from evals.verifying import is_held_back
from ragkit.evaluation import load_suite
from ragkit.models.adapters import read_adapter
from ragkit.models.conversion import writer_folder
from ragkit.models.deciding import decide_packed, pack_questions
from ragkit.models.deciding_heads import ANSWERS, DecidingHead
from ragkit.models.loading import ADAPTER, DECIDER_ADAPTER, load_tokenizer
from ragkit.models.packing import Packed, read_packed
from ragkit.models.weights import cache_folder
from ragkit.questions import is_yes_no
from ragkit.sentences import split_sentences

TAPS, FIRST_LAYER, RANK = (6, 12, 18), 4, 16
EPOCHS, ADAPTER_RATE, HEAD_RATE, BATCH_TOKENS = 3, 3e-4, 1e-3, 2200
MOST_QUESTIONS, MAX_TEXT_TOKENS = 10, 420
ELSEWHERE = 0.35
"""So many of the questions about a sentence of a paragraph are put to another sentence of it, too."""

SEED = 4
FOLDER = Path("evals/verification")


@dataclass(frozen=True, slots=True)
class Lesson:
    """A yes/no question to a source; the sentence of it that decides, and the answer, one of `ANSWERS`."""

    source: str
    sentence: str
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A text with questions, in tokens, and the numbers of the right answers."""

    pack: Packed
    answers: tuple[int, ...]

    @property
    def length(self) -> int:
        """Tokens of all."""
        return self.pack.length


def main() -> None:
    """Gathers the lessons, trains, writes the adapter in half precision, and reports on what was held back."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, help="stop after so many, for a trial; nothing is written")
    given = parser.parse_args()
    rng = random.Random(SEED)
    torch.manual_seed(SEED)
    tokenizer = load_tokenizer(writer_folder(print))
    by_source: dict[str, list[Lesson]] = defaultdict(list)
    for lesson in (*written_lessons(), *read_lessons()):
        by_source[lesson.source].append(lesson)
    taught = {source: lessons for source, lessons in by_source.items() if not is_held_back(source)}
    batches: list[list[Asked]] = []
    for _ in range(EPOCHS):
        items = [asked for lessons in taught.values() for asked in ask(tokenizer, lessons, rng)]
        rng.shuffle(items)
        batches += make_batches(items, BATCH_TOKENS, rng)
    print(len(batches), "steps,", sum(asked.length for batch in batches for asked in batch), "tokens")
    student = Student()
    take_up(student.layers, read_adapter(ADAPTER)[0])
    train(rates(student.layers, ADAPTER_RATE, student.head, HEAD_RATE), batches[: given.steps], student.loss)
    if given.steps is None:
        tensors = low_rank_tensors(student.layers) | student.head.state_dict()
        save_adapter(DECIDER_ADAPTER, tensors, taps=" ".join(map(str, TAPS)))
    student.eval()
    report([lesson for source in sorted(by_source.keys() - taught) for lesson in by_source[source]], tokenizer, student)


def written_lessons() -> Iterator[Lesson]:
    """Those that were written for this."""
    for name in ("decisions", "polarity"):
        for line in (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            asked = json.loads(line)
            sentence = asked.get("sentence", asked["source"])
            yield Lesson(asked["source"], sentence, asked["question"], asked["answer"])


def read_lessons() -> Iterator[Lesson]:
    """The yes/no questions of the reading lessons that a sentence decides."""
    suite = load_suite("reading", cache_folder() / "datasets")
    parts, read = part_of(suite), suite.open_reader()
    for question in suite.questions:
        if parts[question.id] != "choose" or not is_yes_no(question.question) or len(question.evidence) != 1:
            continue
        evidence = question.evidence[0]
        said = [answer.casefold().split()[0].strip(".,") for answer in question.answers if answer.split()]
        answer = next((word for word in ANSWERS[:2] if word.casefold() in said), None)
        document = read(evidence.document)
        if answer and evidence.sentence and document:
            text = document.paragraphs[evidence.paragraph - 1].text
            yield Lesson(text, evidence.sentence, question.question, answer)


def ask(tokenizer: Any, lessons: Sequence[Lesson], rng: random.Random) -> Iterator[Asked]:
    """The lessons of one source in tokens: asked of the sentences or of all of it, and some of another sentence."""
    by_text: dict[str, list[tuple[str, int]]] = defaultdict(list)
    source = lessons[0].source
    sentences = [source[start:end] for start, end in split_sentences(source)]
    as_a_whole = rng.random() < 0.5
    for lesson in lessons:
        text = source if as_a_whole else lesson.sentence
        by_text[text].append((lesson.question, ANSWERS.index(lesson.answer)))
        others = [sentence for sentence in sentences if sentence != lesson.sentence]
        if others and lesson.sentence != source and rng.random() < ELSEWHERE:
            by_text[rng.choice(others)].append((lesson.question, ANSWERS.index("Unclear")))
    for text, questions in by_text.items():
        rng.shuffle(questions)
        for start in range(0, len(questions), MOST_QUESTIONS):
            some = questions[start : start + MOST_QUESTIONS]
            pack = pack_questions(tokenizer, text, [question for question, _ in some])
            if len(pack.text) <= MAX_TEXT_TOKENS:
                yield Asked(pack, tuple(answer for _, answer in some))


class Student(nn.Module):
    """The layers of the writer in bfloat16 with low-rank changes, and the head."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = lower_layers(TAPS[-1], FIRST_LAYER, RANK)
        self.head = DecidingHead(self.layers.config.hidden_size, len(TAPS))

    def read(self, batch: Sequence[Asked]) -> list[Tensor]:
        """Of each item the scores of its questions, shape (questions, 3)."""
        states = read_packed(self.layers, [asked.pack for asked in batch], TAPS)
        return [decide_packed(self.head, tapped, asked.pack) for tapped, asked in zip(states, batch, strict=True)]

    def loss(self, batch: Sequence[Asked]) -> Tensor:
        """Mean cross entropy over the questions."""
        wanted = torch.tensor([answer for asked in batch for answer in asked.answers])
        return functional.cross_entropy(torch.cat(self.read(batch)), wanted)


@torch.inference_mode()
def report(lessons: Sequence[Lesson], tokenizer: Any, student: Student) -> None:
    """By how sure yes or no is said: of the questions with either answer the share said so, and the share right."""
    wanted = np.array([ANSWERS.index(lesson.answer) for lesson in lessons])
    for name, texts in (("sentence", [x.sentence for x in lessons]), ("all", [x.source for x in lessons])):
        packs = [pack_questions(tokenizer, text, [x.question]) for text, x in zip(texts, lessons, strict=True)]
        odds = torch.cat([student.read([Asked(pack, (0,))])[0] for pack in packs]).softmax(1).numpy()
        said, sure = odds[:, :2].argmax(1), odds[:, :2].max(1)
        told = wanted < 2
        print(f"{name}: {(odds.argmax(1) == wanted).mean():.3f} right of {len(lessons)}")
        for least in (0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
            loud = sure >= least
            right = (said == wanted) & loud
            print(
                f"  from {least}: said to {loud[told].mean():.3f} of those with an answer, {loud[~told].mean():.3f} of "
                f"those without; right {right.sum() / loud.sum():.3f}, of those with one "
                f"{right.sum() / max(1, (loud & told).sum()):.3f}"
            )


if __name__ == "__main__":
    main()
