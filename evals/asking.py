"""Trains the adapter that words questions for `ragkit eval draft` and writes it to `ragkit/models/asker.safetensors`.

    python -m evals.asking

A lesson is a sentence of a document with its title, an answer that stands in it, and the question that was written for
both (`evals/reading`, its choosing part). Only whole questions that stand alone and bring in no name, no number and few
other words teach, since others are not drafted. It takes about half an hour.
"""

import argparse
import random
from collections.abc import Iterator

import torch

from evals.lessons import find_wording
from evals.parts import entries_of, is_gold, part_of
from evals.writing import Lesson, gold_text, teach
from ragkit.evaluation import GoldQuestion, load_suite
from ragkit.evaluation.drafting.prompting import asking_prompt, keeps_to
from ragkit.followups import stands_alone
from ragkit.models.loading import ASKER_ADAPTER
from ragkit.models.weights import cache_folder
from ragkit.questions import is_yes_no
from ragkit.records import Paragraph

SEED = 6
MOST_ANSWER_SHARE = 0.5
"""Of the text's words; longer answers are explanations, which nobody asks for by their words."""


def main() -> None:
    """Gathers the lessons, trains, and writes the adapter in half precision."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, help="stop after so many, for a trial; nothing is written")
    given = parser.parse_args()
    rng = random.Random(SEED)
    torch.manual_seed(SEED)
    teach(list(gather_lessons()), ASKER_ADAPTER, given.steps, rng)


def gather_lessons() -> Iterator[Lesson]:
    """A lesson for each question of one sentence's words."""
    suite = load_suite("reading", cache_folder() / "datasets")
    parts, read = part_of(suite), suite.open_reader()
    for question in suite.questions:
        if parts[question.id] != "choose" or not question.answerable or len(question.evidence) != 1:
            continue
        evidence = question.evidence[0]
        document = read(evidence.document)
        for paragraph in document.paragraphs if document else ():
            lesson = _lesson(question, paragraph) if is_gold(question, evidence.document, paragraph.number) else None
            if lesson:
                yield lesson


def _lesson(question: GoldQuestion, paragraph: Paragraph) -> Lesson | None:
    """The question as a lesson, if it can be asked of the sentence alone."""
    text = gold_text(question, paragraph)
    spans = [find_wording(text, [(0, len(text))], entry) for entry in entries_of(question)]
    found = [span for span in spans if span]
    if not text or not found or len(found) < len(spans) or is_yes_no(question.question):
        return None
    answer = text[min(start for start, _ in found) : max(end for _, end in found)]
    asked = question.question
    is_whole = asked.endswith("?") and asked[:1].isupper() and stands_alone(asked)
    is_held = is_whole and keeps_to(asked, f"{text} {paragraph.title}")
    is_short = len(answer.split()) <= MOST_ANSWER_SHARE * len(text.split())
    return Lesson(asking_prompt(text, answer, paragraph.title), question.question) if is_held and is_short else None


if __name__ == "__main__":
    main()
