"""How well follow-up questions are made whole. Prints a Markdown table.

    python -m evals.conversations

Each follow-up of `evals/chat/dialogues.jsonl` is put to the conversation as it was, with the answers that the whole
questions got, and what comes out is compared with the whole question that was written for it: the F1 of their content
words. Then it is answered as it was typed, as it was made whole, and as it should read. The odd conversations are for
choosing, the even ones report.
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ragkit.evaluation.measures.estimates import Observation, estimate_mean
from ragkit.evaluation.measures.metrics import includes, spoken_text
from ragkit.evaluation.report.tables import markdown_table
from ragkit.followups import complete
from ragkit.kit import Kit, build
from ragkit.models.loading import load_decider, load_embedder, load_generator, load_reader, load_verifier
from ragkit.models.weights import cache_folder
from ragkit.prompts import Turn
from ragkit.terms import content_terms

DIALOGUES = Path("evals/chat/dialogues.jsonl")


@dataclass(frozen=True, slots=True)
class FollowUp:
    """One follow-up: what was asked, what it should read, what was made of it, and how each was answered."""

    conversation: str
    kind: str
    typed: str
    whole: str
    made: str
    right: dict[str, bool]

    @property
    def likeness(self) -> float:
        """F1 of the content words of the question made whole and of the one that was written."""
        made, whole = Counter(content_terms(self.made)), Counter(content_terms(self.whole))
        shared = (made & whole).total()
        return 2 * shared / max(1, made.total() + whole.total())


def main() -> None:
    """Asks all of one part, prints the table and, with --show, every question."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--part", choices=("choose", "report"), default="report")
    parser.add_argument("--words-only", action="store_true", help="make questions whole, but do not answer them")
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    lines = DIALOGUES.read_text(encoding="utf-8").splitlines()[given.part == "report" :: 2]
    found = [made for line in lines for made in _follow(json.loads(line), answer=not given.words_only)]
    if given.show:
        for made in found:
            print(f"{made.conversation} {made.kind}: {made.typed} -> {made.made} | {made.whole} | {made.right}")
    print(markdown_table(("kind", "likeness", "typed right", "made right", "whole right"), list(_rows(found))))


def _follow(dialogue: dict[str, Any], *, answer: bool) -> Iterator[FollowUp]:
    kit = _open(tuple(dialogue["documents"]))
    turns: list[Turn] = []
    for turn in dialogue["turns"]:
        reply = kit.ask(turn["whole"])
        if turn["kind"] != "first":
            made = complete(turn["question"], turns, lambda: kit.generator)
            asked = {"typed": turn["question"], "made": made} if answer else {}
            right = {name: _is_right(kit, question, turn) for name, question in asked.items()}
            right |= {"whole": _holds(reply, turn)} if answer else {}
            yield FollowUp(dialogue["id"], turn["kind"], turn["question"], turn["whole"], made, right)
        turns.append(Turn(turn["whole"], "" if reply.abstained else " ".join(s.text for s in reply.sentences)))


@cache
def _open(documents: tuple[str, ...]) -> Kit:
    return build(documents, cache_folder() / "measurements" / f"chat-{Path(documents[0]).stem}", **_models())


@cache
def _models() -> dict[str, Any]:
    """The shipped models, once for all documents."""
    return {
        "embedder": load_embedder(),
        "reader": load_reader(),
        "generator": load_generator(),
        "verifier": load_verifier(),
        "decider": load_decider(),
    }


def _is_right(kit: Kit, question: str, turn: dict[str, Any]) -> bool:
    return _holds(kit.ask(question), turn)


def _holds(reply: Any, turn: dict[str, Any]) -> bool:
    if reply.abstained or not turn["answerable"]:
        return bool(reply.abstained) != bool(turn["answerable"])
    return any(includes(spoken_text(reply), accepted) for accepted in turn["answers"])


def _rows(found: list[FollowUp]) -> Iterator[tuple[str, ...]]:
    by_kind: dict[str, list[FollowUp]] = defaultdict(list)
    for made in found:
        by_kind[made.kind].append(made)
        by_kind["all"].append(made)
    for kind, group in sorted(by_kind.items()):
        columns = [_mean([(made.likeness, made.conversation) for made in group])]
        for name in ("typed", "made", "whole"):
            columns.append(_mean([(m.right[name], m.conversation) for m in group if name in m.right]))
        yield (kind, *columns)


def _mean(values: list[tuple[float, str]]) -> str:
    if not values:
        return "–"
    mean = estimate_mean([Observation(float(value), cluster) for value, cluster in values])
    return f"{mean.mean:.3f}, {mean.low:.3f} to {mean.high:.3f} ({mean.n})"


if __name__ == "__main__":
    main()
