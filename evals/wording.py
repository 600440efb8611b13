"""What the shipped writer's sentences are worth beside the quotations they stand for. Prints a Markdown table.

    python -m evals.wording
    python -m evals.wording --fit

The best evidence of each answerable question is put into words, and it is noted whether the quotation and whether each
wording holds a gold answer. With --fit, how much a wording's likelihood and its answering the question count is fitted
on every second question and written to the writer's profile in `ragkit/profiles.json`; the table is of the others. A
last line tells how often yes/no questions got the right word.
"""

import argparse
import json
import math
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from evals.parts import entries_of, open_suite, part_of
from ragkit.citations import DraftSentence, without_marks
from ragkit.evaluation import GoldQuestion
from ragkit.evaluation.measures.metrics import includes
from ragkit.evaluation.report.tables import markdown_table
from ragkit.kit import Kit
from ragkit.models.weights import WRITER
from ragkit.profiles import Profile, profile_of
from ragkit.records import Evidence
from ragkit.repair import BRIEF, LEAST_SUPPORT, gains_in_answering, holds_words
from ragkit.settings import Settings
from ragkit.verification import verify_answer

PLACES = ("neartopic", "reading")
MOST_QUESTIONS = 200
AS_GOOD = 0.9
"""A wording is said where it is at least so likely to be as good as the quotation."""

SEED = 7
_YES_NO = re.compile(r"(Yes|No)[,:] ")
TARGET = Path("ragkit/profiles.json")
FEATURES = ("likelihood", "answering")


@dataclass(frozen=True, slots=True)
class Wording:
    """One wording of the best evidence.

    Attributes:
        right: Whether it holds the gold answer.
        supported: Whether it is verified, and holds the reader's short answer.
        is_trim: Whether it is the quotation with parts left out.
    """

    text: str
    right: bool
    supported: bool
    likelihood: float
    answering: float
    is_trim: bool

    @property
    def features(self) -> tuple[float, float]:
        """What the profile weighs."""
        return self.likelihood, self.answering


@dataclass(frozen=True, slots=True)
class Told:
    """The quotation, whether it holds the gold answer, and the wordings that may stand in its place."""

    quoted: str
    quoted_right: bool
    wordings: tuple[Wording, ...]


def main() -> None:
    """Answers, fits where asked to, and prints a row for each way of choosing."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fit", action="store_true", help="write the writer's profile")
    parser.add_argument("--most", type=int, default=MOST_QUESTIONS, help="questions of each suite")
    given = parser.parse_args()
    told = [found for place in PLACES for found in collect(place, given.most)]
    profile = profile_of(WRITER.name)
    if given.fit:
        profile = fit(told[::2])
        told = told[1::2]
    rules: list[tuple[str, Callable[[Sequence[Wording]], Sequence[Wording]]]] = [
        ("always the quotation", lambda _: []),
        ("the best wording that is worth it, as ragkit says it", lambda found: _by_worth(found, profile)),
        ("the shortest one, as `--style short` says it", lambda found: _by_length(found, profile)),
        ("what the writer wrote, if it is worth it", lambda found: _by_worth(_written(found), profile)),
        ("what the writer wrote", _written),
    ]
    heads = ("said, where it is supported", "holds the gold answer", "own words", "words")
    print(markdown_table(heads, [_row(told, *rule) for rule in rules]))
    words = [word for place in PLACES for word in say_yes_or_no(place, given.most)]
    said = [is_right for is_right in words if is_right is not None]
    print(f"yes or no: said to {len(said)} of {len(words)} questions, rightly to {sum(said)}")


def _written(found: Sequence[Wording]) -> list[Wording]:
    """What the writer wrote itself."""
    return [wording for wording in found if not wording.is_trim][:1]


def _by_worth(found: Sequence[Wording], profile: Profile) -> list[Wording]:
    """Those that are worth saying, the best first."""
    worths = {id(w): profile.worth(*w.features) for w in found}
    return sorted((w for w in found if worths[id(w)] >= 0), key=lambda w: -worths[id(w)])


def _by_length(found: Sequence[Wording], profile: Profile) -> list[Wording]:
    """Those that are worth saying in a short answer, the shortest first."""
    brief = replace(profile, intercept=profile.intercept + BRIEF)
    return sorted(_by_worth(found, brief), key=lambda w: len(w.text.split()))


def collect(place: str, most: int) -> list[Told]:
    """The best evidence of at most so many answerable questions of a suite's reporting part."""
    suite, kit = open_suite(place, Settings(min_confidence=0.0))
    parts = part_of(suite)
    questions = [q for q in suite.questions if q.answerable and not q.is_long and parts[q.id] == "report"]
    questions = [question for question in questions if question.answers or question.must_include]
    random.Random(SEED).shuffle(questions)
    with kit:
        found = [_told(question, kit) for question in questions[:most]]
    return [told for told in found if told is not None]


def say_yes_or_no(place: str, most: int) -> list[bool | None]:
    """For each yes/no question of the reporting part whether it got the right word; None if it got neither."""
    suite, kit = open_suite(place, Settings(min_confidence=0.0))
    parts = part_of(suite)
    questions = [q for q in suite.questions if q.answerable and "yes-no" in q.tags and parts[q.id] == "report"]
    wanted = [(q.question, found[1]) for q in questions if (found := _YES_NO.match(q.direct_answer or ""))]
    with kit:
        answers = [(kit.ask(question).text, word) for question, word in wanted[:most]]
    return [found[1] == word if (found := _YES_NO.match(text)) else None for text, word in answers]


def _told(question: GoldQuestion, kit: Kit) -> Told | None:
    trace = kit.explain(question.question)
    best = next((candidate for candidate, objection in trace.weighed if not objection), None)
    if best is None:
        return None
    evidence = Evidence(1, best.paragraph, best.start, best.end, best.text, best.score, best.short_answer)
    drafted = next((statement for statement in trace.draft.statements if statement[0].labels == (1,)), ())
    gains = gains_in_answering(question.question, drafted, {1: evidence}, lambda: kit.reader)
    written = trace.draft.written.split("\n")
    wordings = [
        Wording(
            text=sentence.text,
            right=_holds_gold(question, sentence.text),
            supported=_is_supported(question, sentence, evidence, kit),
            likelihood=sentence.likelihood or 0.0,
            answering=gain,
            is_trim=not any(line.startswith(sentence.text) for line in written),
        )
        for sentence, gain in zip(drafted, gains, strict=True)
    ]
    quoted = without_marks(best.text)
    return Told(quoted, _holds_gold(question, quoted), tuple(wordings))


def _is_supported(question: GoldQuestion, sentence: DraftSentence, evidence: Evidence, kit: Kit) -> bool:
    source = evidence.paragraph.text
    verdict = verify_answer(question.question, sentence.text, source, kit.verifier)
    return verdict.support >= LEAST_SUPPORT and holds_words(sentence.text, evidence.short_answer)


def _holds_gold(question: GoldQuestion, text: str) -> bool:
    return all(any(includes(text, wording) for wording in entry) for entry in entries_of(question))


def fit(told: Sequence[Told]) -> Profile:
    """Writes to the profile what tells that a supported wording is as good as the quotation, and returns it."""
    pairs = [(one, wording) for one in told for wording in one.wordings if wording.supported]
    values = np.array([wording.features for _, wording in pairs])
    as_good = np.array([wording.right or not one.quoted_right for one, wording in pairs])
    model = LogisticRegression(max_iter=3000).fit(values, as_good)
    auroc = roc_auc_score(as_good, model.decision_function(values))
    print(f"AUROC {auroc:.3f} of {len(pairs)}, {as_good.mean():.3f} as good as the quotation")
    weights = {name: round(float(weight), 4) for name, weight in zip(FEATURES, model.coef_[0], strict=True)}
    weights["intercept"] = round(float(model.intercept_[0]) - math.log(AS_GOOD / (1 - AS_GOOD)), 4)
    profiles = json.loads(TARGET.read_text(encoding="utf-8"))
    profiles[WRITER.name] |= weights
    TARGET.write_text(json.dumps(profiles, indent=2) + "\n", encoding="utf-8")
    return Profile(**profiles[WRITER.name])


def _row(told: Sequence[Told], rule: str, order: Callable[[Sequence[Wording]], Sequence[Wording]]) -> tuple[str, ...]:
    said = [next((w for w in order(one.wordings) if w.supported), None) for one in told]
    right = [w.right if w else one.quoted_right for one, w in zip(told, said, strict=True)]
    words = np.mean([len((w.text if w else one.quoted).split()) for one, w in zip(told, said, strict=True)])
    own = np.mean([w is not None for w in said])
    return rule, f"{np.mean(right):.3f} ({len(told)})", f"{own:.3f}", f"{words:.1f}"


if __name__ == "__main__":
    main()
