"""Trains the adapter of the shipped writer and writes it to `ragkit/models/writer.safetensors`.

    python -m evals.writing

A lesson is a sentence of a document, a question, the short answer as a hint (in use it comes from the reader), and the
answer in one sentence that was written for it (`direct_answer` in `evals/reading`, its choosing part); or a question
that the sentence does not answer, some words of it as the hint, and "None". Only lessons whose answer needs no word
beyond those of the text, the question and the language's function words teach, since the writer is held to these.
Between them stand the follow-up questions of `evals/chat/lessons.jsonl`, to be made whole. It takes about half an hour.
"""

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import AutoModel

from evals.adapters import add_low_rank, low_rank_tensors, make_batches, save_adapter, train
from evals.lessons import find_wording
from evals.parts import as_typed, documents_of, entries_of, is_gold, part_of
from ragkit.evaluation import GoldQuestion, load_suite
from ragkit.evaluation.measures.metrics import includes
from ragkit.models.conversion import quiet_transformers, writer_folder
from ragkit.models.loading import WRITER_ADAPTER, load_tokenizer
from ragkit.models.packing import Packed, read_packed
from ragkit.models.vocabulary import allowed_tokens
from ragkit.models.weights import cache_folder
from ragkit.prompts import NOT_HERE, Turn, direct_prompt, followup_prompt
from ragkit.records import Paragraph
from ragkit.sentences import in_context, split_sentences
from ragkit.terms import STOP_WORDS, WORD, content_terms

FIRST_LAYER, RANK = 6, 8
RATE, BATCH_TOKENS = 4e-4, 2400
FACTOIDS, NOWHERE, AS_TYPED = 6500, 1800, 0.15
HINTED, LONGEST_HINT = 0.9, 4
FOLLOW_UPS, FOLLOW_UP_TIMES = Path("evals/chat/lessons.jsonl"), 2
MAX_TOKENS = 200
SEED = 2


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the writer is shown and what it should write."""

    prompt: str
    answer: str


@dataclass(frozen=True, slots=True)
class Written:
    """A lesson in tokens; those from `start` on are to be written."""

    tokens: list[int]
    start: int

    @property
    def length(self) -> int:
        """Of prompt and answer."""
        return len(self.tokens)


def main() -> None:
    """Gathers the lessons, trains, and writes the adapter in half precision."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, help="stop after so many, for a trial; nothing is written")
    given = parser.parse_args()
    rng = random.Random(SEED)
    torch.manual_seed(SEED)
    teach([*gather_lessons(rng), *follow_ups() * FOLLOW_UP_TIMES], WRITER_ADAPTER, given.steps, rng)


def teach(lessons: Sequence[Lesson], target: Path, steps: int | None, rng: random.Random) -> None:
    """Trains an adapter to write what the lessons say, in random order, and saves it unless steps are limited."""
    tokenizer = load_tokenizer(writer_folder(print))
    encoded = [_encode(tokenizer, lesson) for lesson in rng.sample(lessons, len(lessons))]
    batches = make_batches([written for written in encoded if written.length <= MAX_TOKENS], BATCH_TOKENS, rng)
    print(len(batches), "steps,", len(encoded), "lessons,", sum(w.length for b in batches for w in b), "tokens")
    with quiet_transformers():
        model: Any = AutoModel.from_pretrained(writer_folder(), dtype=torch.float32, local_files_only=True)
    model.to(torch.bfloat16)
    add_low_rank(model, FIRST_LAYER, RANK)
    always = allowed_tokens(tokenizer, NOT_HERE)
    changes = [parameter for parameter in model.parameters() if parameter.requires_grad]
    train([{"params": changes, "lr": RATE}], batches[:steps], lambda batch: _loss(model, batch, always))
    if steps is None:
        save_adapter(target, low_rank_tensors(model))


def gather_lessons(rng: random.Random) -> list[Lesson]:
    """Answers of every kind, fewer of the plain ones, and questions that the text does not answer; in random order."""
    suite = load_suite("reading", cache_folder() / "datasets")
    parts, read = part_of(suite), suite.open_reader()
    plain, others, nowhere = list[Lesson](), list[Lesson](), list[Lesson]()
    for question in suite.questions:
        if parts[question.id] != "choose":
            continue
        paragraphs = [p for name in documents_of(question) if (doc := read(name)) for p in doc.paragraphs]
        asked = as_typed(question.question) if rng.random() < AS_TYPED else question.question
        near = [p for p in paragraphs if is_gold(question, p.document.path, p.number)]
        whole = " ".join(text for p in near if (text := gold_text(question, p)))
        if question.answerable and whole and question.direct_answer and _is_drawn_from(question, whole):
            is_plain = question.tags == ("factoid",)
            hint = _hint(question, whole, rng) if rng.random() < HINTED else ""
            (plain if is_plain else others).append(Lesson(direct_prompt(asked, whole, hint), question.direct_answer))
        distractors = [text for p in near for text in _other_texts(question, p)]
        if distractors and rng.random() < (0.5 if not question.answerable else 0.1):
            text = rng.choice(distractors)
            hint = "" if "yes-no" in question.tags else _some_words(text, rng)
            nowhere.append(Lesson(direct_prompt(asked, text, hint), NOT_HERE))
    rng.shuffle(plain)
    rng.shuffle(nowhere)
    return [*plain[:FACTOIDS], *others, *nowhere[:NOWHERE]]


def follow_ups() -> list[Lesson]:
    """Follow-up questions in their conversations, and the whole questions."""
    lessons = []
    for line in FOLLOW_UPS.read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        turns = [Turn(turn["question"], turn["answer"]) for turn in told["turns"]]
        lessons.append(Lesson(followup_prompt(told["question"], turns, examples=False), told["whole"]))
    return lessons


def _hint(question: GoldQuestion, text: str, rng: random.Random) -> str:
    """A short answer as it stands in the text; of a list one of its entries, of a yes/no question nothing."""
    if "yes-no" in question.tags:
        return ""
    found = [span for entry in entries_of(question) if (span := find_wording(text, [(0, len(text))], entry))]
    return text[slice(*rng.choice(found))] if found else ""


def _some_words(text: str, rng: random.Random) -> str:
    """Some words of the text, as the reader points at them where nothing answers."""
    places = list(WORD.finditer(text))
    content = [n for n, match in enumerate(places) if match.group().casefold() not in STOP_WORDS]
    if not content:
        return ""
    first = rng.choice(content)
    last = max(n for n in content if n < first + rng.randint(1, LONGEST_HINT))
    return text[places[first].start() : places[last].end()]


def gold_text(question: GoldQuestion, paragraph: Paragraph) -> str:
    """The sentences of a paragraph that answer, as the writer is shown them."""
    marked = _marked(question, paragraph)
    spans = split_sentences(paragraph.text)
    chosen = [span for span in spans if _flat(paragraph.text[slice(*span)]) in marked]
    return in_context(paragraph.text, chosen) if chosen else ""


def _other_texts(question: GoldQuestion, paragraph: Paragraph) -> Iterator[str]:
    """Its sentences that do not answer; of an answerable question only those that do not hold the answer."""
    marked = _marked(question, paragraph)
    wordings = [wording for entry in entries_of(question) for wording in entry]
    for span in split_sentences(paragraph.text):
        text = in_context(paragraph.text, [span])
        is_gold = question.answerable and _flat(paragraph.text[slice(*span)]) in marked
        if not is_gold and not (question.answerable and any(includes(text, wording) for wording in wordings)):
            yield text


def _marked(question: GoldQuestion, paragraph: Paragraph) -> set[str]:
    return {_flat(e.sentence) for e in question.evidence if e.sentence and e.paragraph == paragraph.number}


def _is_drawn_from(question: GoldQuestion, text: str) -> bool:
    """Whether the direct answer holds the short one and no content word beyond those of text and question."""
    answer = question.direct_answer or ""
    is_yes_no = "yes-no" in question.tags
    entries = [] if is_yes_no else entries_of(question)
    holds = all(any(includes(answer, wording) for wording in entry) for entry in entries)
    return holds and set(content_terms(answer)) <= set(content_terms(f"{text} {question.question}"))


def _flat(text: str) -> str:
    return " ".join(text.split())


def _encode(tokenizer: Any, lesson: Lesson) -> Written:
    prompt = tokenizer(lesson.prompt, split_special_tokens=True)["input_ids"]
    answer = tokenizer(f" {lesson.answer}\n", add_special_tokens=False, split_special_tokens=True)["input_ids"]
    return Written([*prompt, *answer], len(prompt))


def _loss(model: Any, batch: Sequence[Written], always: Sequence[int]) -> Tensor:
    """Mean over the answers' tokens; of each, how unlikely it was among the tokens that occur in the batch."""
    vocabulary = torch.tensor(sorted({token for written in batch for token in written.tokens} | set(always)))
    packs = [Packed(written.tokens, ()) for written in batch]
    read = read_packed(model, packs, [len(model.layers)])
    states = [row[written.start - 1 : -1] for (row,), written in zip(read, batch, strict=True)]
    wanted = torch.tensor([token for written in batch for token in written.tokens[written.start :]])
    logits = torch.cat(states).to(torch.bfloat16) @ model.embed_tokens.weight[vocabulary].T
    return functional.cross_entropy(logits.float(), torch.searchsorted(vocabulary, wanted))


if __name__ == "__main__":
    main()
