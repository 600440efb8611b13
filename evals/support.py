"""How many of the sentences that ragkit says are supported by the paragraph they cite, read one by one.

    python -m evals.support draw seeds disputes ../shared/data/xquad_en_public.json
    python -m evals.support keep
    python -m evals.support

`draw` takes 200 sentences at random from the answers that `answers` kept of the reporting parts, with the paragraph
that each cites, and writes them to a file in the cache. Whoever reads them puts `supported` (true or false) and, if
not, a `note` to each; `keep` puts these verdicts, without the texts of others, into `evals/verification/read.jsonl`.
Without a command, the share is printed.
"""

import argparse
import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from evals.answers import measured
from ragkit.citations import without_marks
from ragkit.confidence import estimate_confidence
from ragkit.evaluation import load_suite
from ragkit.evaluation.measures.estimates import Observation, estimate_proportion
from ragkit.evaluation.report.tables import markdown_table
from ragkit.models.weights import cache_folder
from ragkit.settings import Settings

READ = Path("evals/verification/read.jsonl")
KEPT = ("id", "way", "supported", "note")
DRAWN, SEED = 200, 11


def main() -> None:
    """Draws sentences, keeps the verdicts on them, or counts these."""
    parser = argparse.ArgumentParser()
    parser.add_argument("command", nargs="?", choices=("draw", "keep", "count"), default="count")
    parser.add_argument("places", nargs="*", help="suites and public dataset files")
    given = parser.parse_args()
    if given.command == "draw":
        said = [line for place in given.places for line in sentences_of(place)]
        drawn = random.Random(SEED).sample(said, min(DRAWN, len(said)))
        _write(drawn, to_read())
        print(f"{len(drawn)} of {len(said)} sentences drawn into {to_read()}")
        return
    if given.command == "keep":
        _write([{name: line.get(name, "") for name in KEPT} for line in _lines(to_read())], READ)
    lines = _lines(READ)
    rows = []
    for name, chosen in (("all", lines), *((way, [x for x in lines if x["way"] == way]) for way in ("own", "quoted"))):
        if chosen:
            share = estimate_proportion([Observation(float(line["supported"]), line["id"]) for line in chosen])
            rows.append((name, f"{share.mean:.3f}, {share.low:.3f} to {share.high:.3f} ({share.n})"))
    print(markdown_table(("wording", "supported"), rows))


def to_read() -> Path:
    """Where the sentences lie that are to be read."""
    return cache_folder() / "measurements" / "to-read.jsonl"


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line.strip()]


def _write(lines: Iterable[dict[str, Any]], file: Path) -> None:
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")


def sentences_of(place: str) -> Iterator[dict[str, Any]]:
    """The sentences of the answers that are not refused, each with the paragraphs it cites."""
    read = load_suite(place, cache_folder() / "datasets").open_reader()
    for row in measured(place, "report"):
        if row.answer["abstained"] or estimate_confidence(row.features) < Settings().min_confidence:
            continue
        cited = {citation["label"]: citation for citation in row.answer["citations"]}
        for sentence in row.answer["sentences"]:
            places = [cited[label] for label in sentence["citations"]]
            documents = [(read(citation["document"]), citation["paragraph"]) for citation in places]
            yield {
                "id": f"{Path(place).stem}/{row.id}",
                "question": row.answer["question"],
                "sentence": sentence["text"],
                "way": "quoted" if any(without_marks(c["quote"]) == sentence["text"] for c in places) else "own",
                "paragraphs": [document.paragraphs[n - 1].text for document, n in documents if document],
            }


if __name__ == "__main__":
    main()
