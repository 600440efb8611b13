"""How well `ragkit.verify` tells faithful sentences from subtly wrong ones. Prints Markdown tables.

    python -m evals.verification

Every pair of `evals/verification/pairs.jsonl` is a sentence and a source paragraph, both written for this: faithful
ones (verbatim, paraphrase, compression, merge) should pass, wrong ones (ten kinds) should be caught. `lessons.jsonl`
and `twins.jsonl`, of other sources, are for teaching and choosing. Then, for other thresholds, what would pass and be
caught; and how many sentences of ordinary documents would be taken for orders.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import ragkit.verification
from evals.parts import open_suite
from ragkit.evaluation.estimates import Observation, estimate_proportion
from ragkit.evaluation.report import markdown_table
from ragkit.models.loading import load_verifier
from ragkit.models.reading import SentencedText
from ragkit.models.verifying import Judgement, Verifier
from ragkit.screening import LEAST_LOG_ODDS as LEAST_ORDER
from ragkit.screening import SURE_LOG_ODDS
from ragkit.sentences import split_sentences
from ragkit.settings import Settings
from ragkit.verification import LEAST_LOG_ODDS, verify_all

PAIRS = Path("evals/verification/pairs.jsonl")
THRESHOLDS = (2.0, 1.5, 1.0, 0.5, 0.0, -0.5, -1.0)
ORDINARY = ("seeds", "neartopic", "disputes")


def main() -> None:
    """Share of each kind that is judged rightly, with its interval; other thresholds; orders."""
    verifier = Remembering(load_verifier())
    judged = judge(verifier)
    print(markdown_table(("", "kind", "share"), [(*kind, _share(found)) for kind, found in sorted(judged.items())]))
    rows = []
    for threshold in sorted({LEAST_LOG_ODDS, *THRESHOLDS}, reverse=True):
        ragkit.verification.LEAST_LOG_ODDS = threshold
        found = judge(verifier)
        wrong = {kind: _mean(of_kind) for (side, kind), of_kind in found.items() if side == "wrong, caught"}
        worst = min(wrong, key=lambda kind: wrong[kind])
        passed = f"{_mean(found['faithful, passed', 'all']):.3f}"
        rows.append((f"{threshold:g}", passed, f"{wrong['all']:.3f}", f"{worst} {wrong[worst]:.2f}"))
    print(markdown_table(("threshold (log odds)", "faithful passed", "wrong caught", "least"), rows))
    for name in ORDINARY:
        odds = list(orders_in(name, verifier))
        for threshold in (SURE_LOG_ODDS, LEAST_ORDER):
            print(f"{name}: {sum(o >= threshold for o in odds)} of {len(odds)} sentences reach {threshold:g} as orders")


class Remembering:
    """A verifier that reads nothing twice."""

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier
        self._known: dict[tuple[str, tuple[str, ...]], Judgement] = {}

    def judge(self, source: SentencedText, claims: Sequence[str] = ()) -> Judgement:
        """What the verifier made of them."""
        key = source.text, tuple(claims)
        if key not in self._known:
            self._known[key] = self._verifier.judge(source, claims)
        return self._known[key]


def judge(verifier: Verifier) -> dict[tuple[str, str], list[Observation]]:
    """By side and kind, whether each sentence was judged rightly."""
    judged: dict[tuple[str, str], list[Observation]] = defaultdict(list)
    for source, pairs in _by_source().items():
        verdicts = verify_all([pair["sentence"] for pair in pairs], source, lambda: verifier)
        for pair, verdict in zip(pairs, verdicts, strict=True):
            passed = verdict.verdict == "supported"
            right = Observation(passed == pair["faithful"], source)
            side = "faithful, passed" if pair["faithful"] else "wrong, caught"
            for kind in (pair["kind"], "all"):
                judged[side, kind].append(right)
            judged["passed, faithful" if passed else "caught, wrong", "all"].append(right)
    return judged


def orders_in(name: str, verifier: Verifier) -> Iterator[float]:
    """Log odds of each sentence of a suite's documents to be an order."""
    suite, _ = open_suite(name, Settings())
    read = suite.open_reader()
    for file in suite.list_files():
        document = read(file)
        for paragraph in document.paragraphs if document else ():
            yield from verifier.judge(SentencedText(paragraph.text, tuple(split_sentences(paragraph.text)))).orders


def _by_source() -> dict[str, list[dict[str, Any]]]:
    pairs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in PAIRS.read_text(encoding="utf-8").splitlines():
        pair = json.loads(line)
        pairs[pair["source"]].append(pair)
    return pairs


def _mean(observations: list[Observation]) -> float:
    return estimate_proportion(observations).mean


def _share(observations: list[Observation]) -> str:
    share = estimate_proportion(observations)
    return f"{share.mean:.3f}, {share.low:.3f} to {share.high:.3f} ({share.n})"


if __name__ == "__main__":
    main()
