"""How well `ragkit.verify` tells faithful sentences from subtly wrong ones. Prints a Markdown table.

    python -m evals.verification

Every pair of `evals/verification/pairs.jsonl` is a sentence and a source paragraph, both written for this: faithful
ones (verbatim, paraphrase, compression, merge) should pass, wrong ones (ten kinds) should be caught. `lessons.jsonl`
and `twins.jsonl`, of other sources, are for teaching and choosing.
"""

import json
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

from ragkit.evaluation.estimates import Observation, estimate_proportion
from ragkit.evaluation.report import markdown_table
from ragkit.models.loading import load_verifier
from ragkit.models.verifying import Verifier
from ragkit.verification import verify_all

PAIRS = Path("evals/verification/pairs.jsonl")


def main() -> None:
    """Share of each kind that is judged rightly, with its interval, and the precision of both verdicts."""
    judged: dict[tuple[str, str], list[Observation]] = defaultdict(list)
    for source, pairs in _by_source().items():
        verdicts = verify_all([pair["sentence"] for pair in pairs], source, _verifier)
        for pair, verdict in zip(pairs, verdicts, strict=True):
            passed = verdict.verdict == "supported"
            side = "faithful, passed" if pair["faithful"] else "wrong, caught"
            for kind in (pair["kind"], "all"):
                judged[side, kind].append(Observation(passed == pair["faithful"], source))
            judged["passed, faithful" if passed else "caught, wrong", "all"].append(
                Observation(passed == pair["faithful"], source)
            )
    rows = [(*kind, _share(observations)) for kind, observations in sorted(judged.items())]
    print(markdown_table(("", "kind", "share"), rows))


@cache
def _verifier() -> Verifier:
    return load_verifier()


def _by_source() -> dict[str, list[dict[str, Any]]]:
    pairs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in PAIRS.read_text(encoding="utf-8").splitlines():
        pair = json.loads(line)
        pairs[pair["source"]].append(pair)
    return pairs


def _share(observations: list[Observation]) -> str:
    share = estimate_proportion(observations)
    return f"{share.mean:.3f}, {share.low:.3f} to {share.high:.3f} ({share.n})"


if __name__ == "__main__":
    main()
