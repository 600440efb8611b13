"""What the shipped writer's sentences are worth beside the quotations they stand for. Prints a Markdown table.

    python -m evals.wording
    python -m evals.wording --fit

The best evidence of each answerable question is put into words, and it is noted whether the quotation and whether the
sentence holds a gold answer. With --fit, how much support, likelihood and answering the question
count is fitted on every second question and written to the writer's profile in `ragkit/profiles.json`; the table is of
the others. A last line tells how often yes/no questions got the right word.
"""

import argparse
import json
import math
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from evals.parts import entries_of, open_suite, part_of
from ragkit.citations import without_marks
from ragkit.evaluation import GoldQuestion
from ragkit.evaluation.metrics import includes
from ragkit.evaluation.report import markdown_table
from ragkit.kit import Kit
from ragkit.models.weights import WRITER
from ragkit.records import Evidence
from ragkit.repair import gains_in_answering
from ragkit.settings import Settings
from ragkit.terms import content_terms
from ragkit.verification import verify_answer

PLACES = ("neartopic", "reading")
MOST_QUESTIONS = 200
AS_GOOD = 0.9
"""A sentence is said where it is at least so likely to be as good as the quotation."""

SEED = 7
_YES_NO = re.compile(r"(Yes|No)[,:] ")
TARGET = Path("ragkit/profiles.json")


@dataclass(frozen=True, slots=True)
class Written:
    """What the writer made of the best evidence; without a text, nothing.

    Attributes:
        right: Whether it holds the gold answer.
        holds: Whether it holds the reader's short answer.
        said: Whether ragkit says it.
    """

    text: str = ""
    right: bool = False
    holds: bool = False
    verified: bool = False
    said: bool = False
    support: float = 0.0
    likelihood: float = 0.0
    answering: float = 0.0

    @property
    def features(self) -> tuple[float, float, float]:
        """What the profile weighs."""
        return self.support, self.likelihood, self.answering


FEATURES = ("support", "likelihood", "answering")


@dataclass(frozen=True, slots=True)
class Pair:
    """The quotation, whether it holds the gold answer, and what was written in its place."""

    quoted: str
    quoted_right: bool
    written: Written

    @property
    def is_as_good(self) -> bool:
        """Whether nothing is lost by the writer's sentence."""
        return self.written.right or not self.quoted_right


def main() -> None:
    """Answers, fits where asked to, and prints a row for each way of choosing."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fit", action="store_true", help="write the writer's profile")
    parser.add_argument("--most", type=int, default=MOST_QUESTIONS, help="questions of each suite")
    given = parser.parse_args()
    pairs = [pair for place in PLACES for pair in collect(place, given.most)]
    if given.fit:
        fit(pairs[::2])
        pairs = pairs[1::2]
    rules: list[tuple[str, Callable[[Written], bool]]] = [
        ("always the quotation", lambda _: False),
        ("the writer's sentence as ragkit says it", lambda written: written.said),
        ("where it is verified and holds the short answer", lambda written: written.verified and written.holds),
        ("where it is verified", lambda written: written.verified),
        ('unless it is "None"', lambda written: bool(written.text)),
    ]
    heads = ("said", "holds the gold answer", "writer's words", "words")
    print(markdown_table(heads, [_row(pairs, *rule) for rule in rules]))
    said = [word for place in PLACES for word in say_yes_or_no(place, given.most)]
    told = [is_right for is_right in said if is_right is not None]
    print(f"yes or no: said to {len(told)} of {len(said)} questions, rightly to {sum(told)}")


def collect(place: str, most: int) -> list[Pair]:
    """The best evidence of at most so many answerable questions of a suite's reporting part."""
    suite, kit = open_suite(place, Settings(min_confidence=0.0))
    parts = part_of(suite)
    questions = [q for q in suite.questions if q.answerable and not q.is_long and parts[q.id] == "report"]
    questions = [question for question in questions if question.answers or question.must_include]
    random.Random(SEED).shuffle(questions)
    with kit:
        found = [_pair(question, kit) for question in questions[:most]]
    return [pair for pair in found if pair is not None]


def say_yes_or_no(place: str, most: int) -> list[bool | None]:
    """For each yes/no question of the reporting part whether it got the right word; None if it got neither."""
    suite, kit = open_suite(place, Settings(min_confidence=0.0))
    parts = part_of(suite)
    questions = [q for q in suite.questions if q.answerable and "yes-no" in q.tags and parts[q.id] == "report"]
    wanted = [(q.question, found[1]) for q in questions if (found := _YES_NO.match(q.direct_answer or ""))]
    with kit:
        answers = [(kit.ask(question).text, word) for question, word in wanted[:most]]
    return [found[1] == word if (found := _YES_NO.match(text)) else None for text, word in answers]


def _pair(question: GoldQuestion, kit: Kit) -> Pair | None:
    trace = kit.explain(question.question)
    best = next((candidate for candidate, objection in trace.weighed if not objection), None)
    if best is None:
        return None
    quoted, written = without_marks(best.text), Written()
    evidence = Evidence(1, best.paragraph, best.start, best.end, best.text, best.score, best.short_answer)
    for sentence, checked in zip(trace.draft.sentences, trace.checked, strict=True):
        if sentence.labels == (1,):
            verdict = verify_answer(question.question, sentence.text, best.paragraph.text, kit.verifier)
            written = Written(
                text=sentence.text,
                right=_holds_gold(question, sentence.text),
                holds=set(content_terms(best.short_answer)) <= set(content_terms(sentence.text)),
                verified=verdict.verdict == "supported",
                said=bool(checked.labels),
                support=verdict.support,
                likelihood=sentence.likelihood or 0.0,
                answering=gains_in_answering(question.question, [sentence], {1: evidence}, lambda: kit.reader)[0],
            )
    return Pair(quoted, _holds_gold(question, quoted), written)


def _holds_gold(question: GoldQuestion, text: str) -> bool:
    return all(any(includes(text, wording) for wording in entry) for entry in entries_of(question))


def fit(pairs: Sequence[Pair]) -> None:
    """Writes to the profile what support, likelihood and answering say about a verified sentence being as good."""
    chosen = [pair for pair in pairs if pair.written.verified and pair.written.holds]
    values = np.array([pair.written.features for pair in chosen])
    as_good = np.array([pair.is_as_good for pair in chosen])
    model = LogisticRegression(max_iter=3000).fit(values, as_good)
    intercept = float(model.intercept_[0]) - math.log(AS_GOOD / (1 - AS_GOOD))
    auroc = roc_auc_score(as_good, model.decision_function(values))
    print(f"AUROC {auroc:.3f} of {len(chosen)}, {as_good.mean():.3f} as good as the quotation")
    profiles = json.loads(TARGET.read_text(encoding="utf-8"))
    weights = {name: round(float(weight), 4) for name, weight in zip(FEATURES, model.coef_[0], strict=True)}
    profiles[WRITER.name] |= {"intercept": round(intercept, 4)} | weights
    TARGET.write_text(json.dumps(profiles, indent=2) + "\n", encoding="utf-8")


def _row(pairs: Sequence[Pair], rule: str, is_chosen: Callable[[Written], bool]) -> tuple[str, ...]:
    chosen = [is_chosen(pair.written) for pair in pairs]
    said = [pair.written.text if own else pair.quoted for pair, own in zip(pairs, chosen, strict=True)]
    right = [pair.written.right if own else pair.quoted_right for pair, own in zip(pairs, chosen, strict=True)]
    words = np.mean([len(text.split()) for text in said])
    return rule, f"{np.mean(right):.3f} ({len(pairs)})", f"{np.mean(chosen):.3f}", f"{words:.1f}"


if __name__ == "__main__":
    main()
