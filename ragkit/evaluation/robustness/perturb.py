"""Changes that should not change an answer, and how far each metric falls when a suite is asked again with them.

Questions are misspelt, shouted or put in other words; documents are indexed in another order or among others. Called by
the command line, which indexes and asks what `plan_variants` plans.
"""

import json
import math
import random
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ragkit.errors import SettingsError
from ragkit.evaluation.measures.estimates import Estimate, Observation, estimate_mean
from ragkit.evaluation.measures.metrics import METRIC_NAMES
from ragkit.evaluation.results import EvalResult, Row
from ragkit.evaluation.robustness.distractors import find_distractors
from ragkit.evaluation.robustness.paraphrasing import paraphrases
from ragkit.evaluation.suite import Suite
from ragkit.index.files import find_files
from ragkit.index.patterns import Selection
from ragkit.terms import STOP_WORDS, WORD

KINDS = {
    "typos": "a letter swapped, doubled or left out in one or two words of the question",
    "case": "the question in small letters without its question mark, or in capitals",
    "paraphrase": "the question in other words",
    "shuffle": "the documents indexed in another order",
    "distractors": "other documents indexed among them, so many for each of them (distractors:2)",
    "repeat": "asked again, so many times (repeat:3)",
}
"""Every kind of change with what it does."""

TYPO_LETTERS = 5
"""Shorter words are too easily taken for others when a letter is wrong."""


@dataclass(frozen=True, slots=True)
class Change:
    """A kind of change, and how much of it: documents for each of the suite's, or times to ask; else 1."""

    kind: str
    amount: float = 1.0

    def __str__(self) -> str:
        return self.kind if self.amount == 1 else f"{self.kind}:{self.amount:g}"


def parse_changes(specs: Sequence[str]) -> tuple[Change, ...]:
    """Changes from texts such as "typos,distractors:2", each once.

    Raises:
        SettingsError: There is no such kind, or the amount is no number that makes sense.
    """
    return tuple(dict.fromkeys(_parse_change(part.strip()) for spec in specs for part in spec.split(",")))


def _parse_change(text: str) -> Change:
    kind, colon, amount = text.partition(":")
    if kind not in KINDS:
        raise SettingsError(f"There is no change {kind!r} to ask with; known: {', '.join(KINDS)}.")
    if not colon:
        return Change(kind)
    try:
        change = Change(kind, float(amount))
    except ValueError as error:
        raise SettingsError(f"In {text!r} a number must follow the colon, as in distractors:2.") from error
    is_whole = kind == "repeat" and change.amount in range(1, 101)
    if not is_whole and not (kind == "distractors" and 0 < change.amount <= 1000):
        raise SettingsError(
            f"{text!r} makes no sense. Write distractors:0.5 (up to 1000), repeat:3 (up to 100) or {kind}."
        )
    return change


def perturb(question: str, kind: str, rng: random.Random) -> str:
    """The question changed in a way that leaves its meaning; the same where there is nothing to change."""
    if kind == "typos":
        return _misspell(question, rng)
    if kind == "case":
        quiet = question.lower().rstrip("? ")
        return rng.choice([text for text in (quiet, question.upper()) if text != question] or [question])
    if kind == "paraphrase":
        return rng.choice(paraphrases(question) or [question])
    return question


def _misspell(question: str, rng: random.Random) -> str:
    """One slip each in one or two content words of letters only, never in the first letter."""
    words = [match for match in WORD.finditer(question) if _may_be_misspelt(match.group())]
    for match in sorted(rng.sample(words, min(rng.choice((1, 2)), len(words))), key=lambda match: -match.start()):
        question = question[: match.start()] + _slip(match.group(), rng) + question[match.end() :]
    return question


def _may_be_misspelt(word: str) -> bool:
    return len(word) >= TYPO_LETTERS and word.isalpha() and not word.isupper() and word.casefold() not in STOP_WORDS


def _slip(word: str, rng: random.Random) -> str:
    places = range(1, len(word))
    swapped = [word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in places[:-1] if word[i] != word[i + 1]]
    doubled = [word[:i] + word[i] + word[i:] for i in places]
    left_out = [word[:i] + word[i + 1 :] for i in places]
    return rng.choice(rng.choice([slips for slips in (swapped, doubled, left_out) if slips]))


@dataclass(frozen=True, slots=True)
class Variant:
    """A suite as it is to be asked once more.

    Attributes:
        suite: With the questions as they are to be asked.
        documents: The files to index, in this order, in an index of their own; None if the plain run's index will do.
        is_fresh: Whether answers given before prove nothing.
        added: So many of the documents are not the suite's own.
    """

    change: Change
    suite: Suite
    documents: tuple[Path, ...] | None = None
    is_fresh: bool = False
    added: int = 0


def plan_variants(suite: Suite, change: Change, *, seed: int = 0, places: Sequence[Path] = ()) -> list[Variant]:
    """What to ask to see the effect of a change: one variant, or as many as it is to be repeated.

    Questions that the change leaves as they are are not among them. The same seed changes them in the same way.

    Args:
        suite: As in the plain run.
        change: What to do to it.
        seed: Of whatever is drawn.
        places: Where distractors are taken from; see `find_distractors`.

    Raises:
        InputError: There are too few distractors.
    """
    if change.kind == "repeat":
        return [Variant(change, suite, is_fresh=True)] * int(change.amount)
    if change.kind in {"shuffle", "distractors"}:
        files = [found.file for found in find_files(suite.documents, Selection(exclude=suite.exclude)).files.values()]
        if change.kind == "shuffle":
            random.Random(seed).shuffle(files)
            return [Variant(change, suite, tuple(files))]
        added = find_distractors(suite, math.ceil(change.amount * len(files)), places, seed=seed)
        among = replace(suite, documents=(*suite.documents, *added))
        return [Variant(change, among, (*files, *added), added=len(added))]
    asked = [(gold, perturb(gold.question, change.kind, _chance(seed, change, gold.id))) for gold in suite.questions]
    changed = tuple(replace(gold, question=text) for gold, text in asked if text != gold.question)
    return [Variant(change, replace(suite, questions=changed))] if changed else []


def _chance(seed: int, change: Change, question_id: str) -> random.Random:
    """A die for each question, so that a sample is changed as the whole is."""
    return random.Random(f"{seed} {change.kind} {question_id}")


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change did to the metrics.

    Attributes:
        change: As it is written on the command line.
        n: Questions that were asked both ways.
        differences: Metric name to its mean difference, changed - plain, over the questions judged both ways.
        fell: Ids of the questions that were right and no longer are; if asked several times, at least once.
        rose: Ids of those that were wrong and now are right.
        otherwise: Ids of those that were answered in other words.
        questions: Question id to the question as it was asked, where it was changed.
        documents: So many documents were added.
        variances: Metric name to the variance of its mean over plain run and repetitions; only for repetitions.
    """

    change: str
    n: int
    differences: dict[str, Estimate]
    fell: tuple[str, ...] = ()
    rose: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()
    questions: dict[str, str] = field(default_factory=dict)
    documents: int = 0
    variances: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Robustness:
    """What each change did to the metrics of a suite."""

    suite: str
    suite_hash: str
    seed: int
    effects: tuple[Effect, ...]

    def to_json(self) -> str:
        """The whole as one JSON object; `load_robustness` reads it back."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)


def load_robustness(stored: Mapping[str, Any]) -> Robustness:
    """What was written with `asdict` or `to_json`."""
    effects = []
    for effect in stored["effects"]:
        ids = {name: tuple(effect[name]) for name in ("fell", "rose", "otherwise")}
        differences = {name: Estimate(**numbers) for name, numbers in effect["differences"].items()}
        effects.append(Effect(**{**effect, **ids, "differences": differences}))
    return Robustness(**{**stored, "effects": tuple(effects)})


def run_perturbed(
    suite: Suite,
    plain: EvalResult,
    changes: Sequence[Change],
    ask: Callable[[Variant], EvalResult],
    *,
    seed: int = 0,
    places: Sequence[Path] = (),
) -> Robustness:
    """The effect of each change, in order.

    Args:
        suite: What the plain run asked; of a sample, only those questions are asked again.
        plain: The run without changes.
        changes: See `parse_changes`.
        ask: Runs a variant with the plain run's settings, over an index of `Variant.documents` if it has any.
        seed: Of whatever is drawn.
        places: Where distractors are taken from; see `find_distractors`.

    Raises:
        InputError: There are too few distractors.
    """
    ids = {row.id for row in plain.rows}
    asked = replace(suite, questions=tuple(gold for gold in suite.questions if gold.id in ids))
    effects = []
    for change in changes:
        variants = plan_variants(asked, change, seed=seed, places=places)
        effect = measure_effect(change, plain, [ask(variant) for variant in variants])
        effects.append(replace(effect, documents=sum(variant.added for variant in variants)))
    return Robustness(plain.suite, plain.suite_hash, seed, tuple(effects))


def measure_effect(change: Change, plain: EvalResult, results: Sequence[EvalResult]) -> Effect:
    """What the results of asking with a change differ in from the plain run, question by question."""
    after = [{row.id: row for row in result.rows} for result in results]
    pairs = [(row, again) for row in plain.rows if (again := [rows[row.id] for rows in after if row.id in rows])]
    differences = {name: estimate for name in METRIC_NAMES if (estimate := _difference(name, pairs))}
    return Effect(
        change=str(change),
        n=len(pairs),
        differences=differences,
        fell=tuple(old.id for old, new in pairs if old.right is True and any(row.right is False for row in new)),
        rose=tuple(old.id for old, new in pairs if old.right is False and any(row.right is True for row in new)),
        otherwise=tuple(old.id for old, new in pairs if any(_said(row) != _said(old) for row in new)),
        questions={new[0].id: new[0].question for old, new in pairs if new[0].question != old.question},
        variances=dict(_variances(plain, results)) if change.kind == "repeat" else {},
    )


def _difference(name: str, pairs: Sequence[tuple[Row, Sequence[Row]]]) -> Estimate | None:
    """The mean of the paired differences; its interval resamples whole documents."""
    observed = []
    for old, new in pairs:
        before, after = old.values.get(name), [value for row in new if (value := row.values.get(name)) is not None]
        if before is not None and after:
            observed.append(Observation(statistics.fmean(after) - before, old.cluster))
    return estimate_mean(observed) if observed else None


def _variances(plain: EvalResult, results: Sequence[EvalResult]) -> Iterator[tuple[str, float]]:
    """Of each metric's mean over all runs; not of the seconds, which no two runs share."""
    for name in (name for name in METRIC_NAMES if name != "seconds"):
        means = [result.metrics[name].mean for result in (plain, *results) if name in result.metrics]
        if len(means) > 1:
            yield name, statistics.variance(means)


def _said(row: Row) -> str | None:
    return row.answer["answer"] if row.answer else row.error
