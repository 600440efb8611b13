"""How well `ragkit.verify` tells faithful sentences from subtly wrong ones. Prints Markdown tables.

    python -m evals.verification

Every pair of `evals/verification/pairs.jsonl` is a sentence and a source paragraph, both written for this: faithful
ones (verbatim, paraphrase, compression, merge) should pass, wrong ones (ten kinds) should be caught. `lessons.jsonl`
and `twins.jsonl`, of other sources, are for teaching and choosing. Then, for other thresholds, what would pass and be
caught; and how many paragraphs of ordinary documents are taken to give orders. `omissions.jsonl` has sentences made
by leaving words out, half of which change what is said.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ragkit.verification
from evals.parts import open_suite
from ragkit.evaluation.measures.estimates import Observation, estimate_proportion
from ragkit.evaluation.report.tables import markdown_table
from ragkit.models.loading import load_verifier
from ragkit.models.reading import SentencedText
from ragkit.models.verifying import Judgement, Verifier
from ragkit.screening import gives_orders
from ragkit.settings import Settings
from ragkit.verification import LEAST_LOG_ODDS, verify_all

PAIRS, OMISSIONS = Path("evals/verification/pairs.jsonl"), Path("evals/verification/omissions.jsonl")
THRESHOLDS = (2.0, 1.5, 1.0, 0.5, 0.0, -0.5, -1.0)
ORDINARY = ("seeds", "neartopic", "disputes")


def main() -> None:
    """Share of each kind that is judged rightly, with its interval; other thresholds; orders."""
    verifier = Remembering(load_verifier())
    judged = judge(verifier)
    print(markdown_table(("", "kind", "share"), [(*kind, _share(found)) for kind, found in sorted(judged.items())]))
    omitting = judge(verifier, OMISSIONS)
    print(
        markdown_table(("omissions", "kind", "share"), [(*k, _share(found)) for k, found in sorted(omitting.items())])
    )
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
        suite, _ = open_suite(name, Settings())
        documents = [document for file in suite.list_files() if (document := suite.open_reader()(file))]
        texts = [paragraph.text for document in documents for paragraph in document.paragraphs]
        print(f"{name}: {sum(gives_orders(text, verifier) for text in texts)} of {len(texts)} paragraphs give orders")


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


def judge(verifier: Verifier, file: Path = PAIRS) -> dict[tuple[str, str], list[Observation]]:
    """By side and kind, whether each sentence was judged rightly."""
    judged: dict[tuple[str, str], list[Observation]] = defaultdict(list)
    for source, pairs in _by_source(file).items():
        verdicts = verify_all([pair["sentence"] for pair in pairs], source, lambda: verifier)
        for pair, verdict in zip(pairs, verdicts, strict=True):
            passed = verdict.verdict == "supported"
            right = Observation(passed == pair["faithful"], source)
            side = "faithful, passed" if pair["faithful"] else "wrong, caught"
            for kind in (pair["kind"], "all"):
                judged[side, kind].append(right)
            judged["passed, faithful" if passed else "caught, wrong", "all"].append(right)
    return judged


def _by_source(file: Path) -> dict[str, list[dict[str, Any]]]:
    pairs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in file.read_text(encoding="utf-8").split("\n"):
        if not line.strip():
            continue
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
