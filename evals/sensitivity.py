"""Does each metric fall when what it measures is broken, and only then? Prints two Markdown tables.

    python -m evals.sensitivity

Answers the questions of `seeds`, keeps the answers that are right and supported and the refusals that are right, and
breaks each in one way at a time (`breaks`). The first table says how far each metric falls over the answers that a
break fits, bold where the 95 % interval leaves out zero; the second, whether these are the breaks that it is there for.
Sentences of other documents come from `neartopic`.

Three golds judge: the suite's own; for the metrics of short gold the answer itself, before it was broken; and for those
of long gold the same with its quotes. Else the answers, which are whole sentences, had nothing there to lose.
"""

import argparse
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from evals.breaks import BREAKS, FORBIDDEN, Case, Stock
from evals.parts import open_suite
from ragkit.evaluation import Estimate, GoldQuestion, Suite, load_suite
from ragkit.evaluation.measures.citing import Judge, TextOf, citations_support
from ragkit.evaluation.measures.estimates import Observation, estimate_mean
from ragkit.evaluation.measures.groundedness import sentences_supported
from ragkit.evaluation.measures.metrics import METRICS, answer_right, judge_answer, spoken_text
from ragkit.evaluation.report.tables import markdown_table
from ragkit.evaluation.running.run import choose_clusters
from ragkit.models.weights import cache_folder
from ragkit.records import Answer, Paragraph
from ragkit.sentences import split_sentences
from ragkit.settings import Settings
from ragkit.verification import verify

SUITE, OTHER_SUITE, SEED = "seeds", "neartopic", 13
LEAST_CASES = 5
"""A metric that fewer answers with a break put to the test is not said to have stood it."""

DESCRIBING = ("model_wording", "words", "seconds")
"""Neither good nor bad by themselves, so that no break is theirs."""

SHORT_GOLD = frozenset({"exact_match", "token_f1"})
LONG_GOLD = frozenset({"rouge_l", "unigram_f1", "evidence_sentence_f1"})


@dataclass(frozen=True, slots=True)
class Aim:
    """Which breaks a metric is there for.

    Attributes:
        must: It must fall with these.
        may: With these it falls where the fault happens to hit what it measures; neither is held against it.
    """

    must: frozenset[str]
    may: frozenset[str] = frozenset()


def _aim(must: str, may: str = "") -> Aim:
    return Aim(*(frozenset(part.strip() for part in names.split(",") if part.strip()) for names in (must, may)))


_WORDING = "a sentence of another document, a number changed, cut in half, forbidden words"
_UNSUPPORTED = "another citation, a sentence of another document, a number changed"
_HALF_SAID = "cut in half, forbidden words"
AIMS = {
    "answers_right": _aim("cut in half, a refusal, an answer for a refusal", "a number changed"),
    "contains_gold": _aim("cut in half, a refusal", "a number changed"),
    "item_recall": _aim("cut in half, a refusal", "a number changed"),
    "item_precision": _aim("a sentence of another document", "cut in half, a number changed"),
    "first_citation_right": _aim("another citation", "a citation dropped"),
    "first_citation_right_all": _aim("another citation, a refusal", "a citation dropped"),
    "citation_precision": _aim("another citation, a citation too many", "a citation dropped, cut in half"),
    "citation_recall": _aim("another citation, a citation dropped", "cut in half"),
    "citations_support": _aim(f"{_UNSUPPORTED}, a citation dropped", _HALF_SAID),
    "citations_needed": _aim(f"{_UNSUPPORTED}, a citation too many", _HALF_SAID),
    "refused_rightly": _aim("an answer for a refusal"),
    "refused_wrongly": _aim("a refusal"),
    "says_forbidden": _aim("forbidden words"),
    "sentences_supported": _aim("a verdict taken back"),
    "grounded": _aim(f"{_UNSUPPORTED}, a citation dropped", _HALF_SAID),
    "not_supported": _aim(_UNSUPPORTED, _HALF_SAID),
    "not_cited": _aim("a citation dropped"),
    "quotes_exact": _aim("a quote moved"),
    "exact_match": _aim(f"{_WORDING}, a refusal"),
    "token_f1": _aim(f"{_WORDING}, a refusal"),
    "rouge_l": _aim(_WORDING),
    "unigram_f1": _aim(_WORDING),
    "evidence_sentence_f1": _aim("another citation, a citation too many, a citation dropped", "cut in half"),
}
Falls = Mapping[str, Mapping[str, Estimate]]
"""By break and metric how much worse the metric is, over the answers that the break fits and it can judge twice."""


def main() -> None:
    """Answers, breaks, measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=SEED, help="of what is put in where")
    seed = parser.parse_args().seed
    suite, kit = open_suite(SUITE, Settings())
    with kit:
        asked = [(gold, kit.ask(gold.question)) for gold in suite.questions]
        verifier = kit.verifier
    judge = cache(lambda sentence, text: verify(sentence, text, verifier).verdict == "supported")
    cases = choose_cases(asked, judge)
    others = load_suite(OTHER_SUITE, cache_folder() / "datasets")
    sentences = [p.text[start:end] for p in prose_of(others) for start, end in split_sentences(p.text)]
    said = tuple(case.answer for case in cases if not case.answer.abstained)
    falls = measure_falls(cases, Stock(tuple(prose_of(suite)), tuple(sentences), said), text_reader(suite), judge, seed)
    print(f"{len(said)} answers that are right and supported, {len(cases) - len(said)} refusals that are right\n")
    print(markdown_table(*fall_table(falls)), end="\n\n")
    print(markdown_table(*verdict_table(falls)))


def choose_cases(asked: Iterable[tuple[GoldQuestion, Answer]], judge: Judge) -> list[Case]:
    """The answers that are right and of which every sentence is supported, and the refusals that are right."""
    return [
        Case(gold, answer)
        for gold, answer in asked
        if answer_right(gold, answer) == 1.0
        and (answer.abstained or citations_support(answer, judge) == sentences_supported(answer) == 1.0)
    ]


def prose_of(suite: Suite) -> list[Paragraph]:
    """The paragraphs of a suite's documents that are no headings, tables and the like."""
    read = suite.open_reader()
    documents = [document for path in suite.list_files() if (document := read(path))]
    return [paragraph for document in documents for paragraph in document.paragraphs if paragraph.kind == "prose"]


def text_reader(suite: Suite) -> TextOf:
    """A function from a document's path to its text."""
    read = suite.open_reader()
    return lambda path: document.text if (document := read(path)) else None


def measure_falls(cases: Sequence[Case], stock: Stock, text_of: TextOf, judge: Judge, seed: int = SEED) -> Falls:
    """How much worse each metric is by each break; equal for equal seeds."""
    clusters = choose_clusters([case.gold for case in cases])
    whole = [_judge_all(case, case.answer, text_of, judge) for case in cases]
    signs = {metric.name: -1.0 if metric.less_is_better else 1.0 for metric in METRICS if metric.name in AIMS}
    falls: dict[str, dict[str, Estimate]] = {}
    for name, break_answer in BREAKS.items():
        rng = random.Random(f"{seed} {name}")
        found: dict[str, list[Observation]] = {}
        for case, before in zip(cases, whole, strict=True):
            broken = break_answer(case, stock, rng)
            after = _judge_all(case, broken, text_of, judge) if broken else {}
            for metric, sign in signs.items():
                old, new = before[metric], after.get(metric)
                if old is not None and new is not None:
                    fall = Observation(sign * (old - new), clusters[case.gold.id])
                    found.setdefault(metric, []).append(fall)
        falls[name] = {metric: estimate_mean(observed) for metric, observed in found.items()}
    return falls


def _judge_all(case: Case, answer: Answer, text_of: TextOf, judge: Judge) -> dict[str, float | None]:
    """Every metric of an answer, each by the gold that it is for."""
    whole = spoken_text(case.answer)
    short = GoldQuestion(case.gold.id, case.gold.question, (whole,))
    long = replace(short, evidence_sentences=tuple(citation.quote for citation in case.answer.citations))
    values = judge_answer(replace(case.gold, must_not_include=(FORBIDDEN,)), answer, text_of, judge)
    for gold, names in ((short, SHORT_GOLD), (long, LONG_GOLD)):
        judged = judge_answer(gold, answer, text_of) if whole else {}
        values |= {name: judged.get(name) for name in names}
    return values


def fall_table(falls: Falls) -> tuple[list[str], list[list[str]]]:
    """A row for each metric, a column for each break with its answers, and how far it falls; bold if it surely does."""
    answers = {name: max((fall.n for fall in of_break.values()), default=0) for name, of_break in falls.items()}
    header = ["metric", *(f"{name} ({count})" for name, count in answers.items())]
    return header, [[metric, *(_cell(of_break.get(metric)) for of_break in falls.values())] for metric in AIMS]


def _cell(fall: Estimate | None) -> str:
    if fall is None:
        return "–"
    return f"**{fall.mean:.2f}**" if has_fallen(fall) else f"{fall.mean:.2f}" if fall.mean else "0"


def has_fallen(fall: Estimate) -> bool:
    """Whether a metric is worse by more than chance: its interval leaves out zero."""
    return fall.n >= LEAST_CASES and fall.low > 0


def verdict_table(falls: Falls) -> tuple[list[str], list[list[str]]]:
    """A row for each metric: what it must fall with, and whether it fell when, and only when, that was broken."""
    return ["metric", "must fall with", "may fall with", "it fell"], [
        [metric, _listed(aim.must), _listed(aim.may), verdict_on(metric, falls)] for metric, aim in AIMS.items()
    ]


def verdict_on(metric: str, falls: Falls) -> str:
    """Whether a metric fell when, and only when, what it measures was broken, in words."""
    aim = AIMS[metric]
    of_breaks = {name: fall for name, of_break in falls.items() if (fall := of_break.get(metric))}
    fell = {name for name, fall in of_breaks.items() if has_fallen(fall)}
    untested = {name for name in aim.must if name not in of_breaks or of_breaks[name].n < LEAST_CASES}
    said = [
        f"{words} {_listed(names)}"
        for words, names in (
            ("not with", aim.must - fell - untested),
            ("too few answers with", untested),
            ("wrongly with", fell - aim.must - aim.may),
        )
        if names
    ]
    return "; ".join(said) or "when, and only when, it should"


def _listed(names: Iterable[str]) -> str:
    chosen = set(names)
    return ", ".join(name for name in BREAKS if name in chosen)


if __name__ == "__main__":
    main()
