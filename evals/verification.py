"""How well `ragkit.verify` tells faithful sentences from subtly wrong ones. Prints a Markdown table.

    python -m evals.verification

Every pair of `evals/verification/pairs.jsonl` is a sentence and a source paragraph, both written for this: faithful
ones (verbatim, paraphrase, compression, merge) should pass, wrong ones (ten kinds) should be caught. `lessons.jsonl`,
of other topics, is for teaching and choosing.
"""

import json
from collections import defaultdict
from pathlib import Path

from ragkit.evaluation.estimates import Observation, estimate_proportion
from ragkit.evaluation.report import markdown_table
from ragkit.verification import verify

PAIRS = Path("evals/verification/pairs.jsonl")


def main() -> None:
    """Share of each kind that is judged rightly, with its interval."""
    judged: dict[tuple[str, str], list[Observation]] = defaultdict(list)
    for line in PAIRS.read_text(encoding="utf-8").splitlines():
        pair = json.loads(line)
        passed = verify(pair["sentence"], pair["source"]).verdict == "supported"
        side = "faithful, passed" if pair["faithful"] else "wrong, caught"
        for kind in (pair["kind"], "all"):
            judged[side, kind].append(Observation(passed == pair["faithful"], pair["source"]))
    rows = [(*kind, _share(observations)) for kind, observations in sorted(judged.items())]
    print(markdown_table(("", "kind", "share"), rows))


def _share(observations: list[Observation]) -> str:
    share = estimate_proportion(observations)
    return f"{share.mean:.3f}, {share.low:.3f} to {share.high:.3f} ({share.n})"


if __name__ == "__main__":
    main()
