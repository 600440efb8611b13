"""Trains the adapter of the shipped verifier and writes it to `ragkit/models/verifier.safetensors`.

    python -m evals.verifying
    python -m evals.verifying --round 2 --newest 640 --sample 700

A source text is read once with several claims. Faithful ones: the twins, the yes/no answers and the lessons written for
this (`evals/verification`), and the direct answers of `evals/reading` (choosing part). Wrong ones: the other twins, the
other of yes and no, and direct answers with one thing corrupted or put to another question. Where a wrong claim has a
twin, the words that differ are taught as the doubtful ones. In the same steps the verifier learns which sentences are
orders (`evals/injection/lessons.jsonl`). One source of ten is held back; it shows what was learned, and thresholds are
chosen on it.
"""

import argparse
import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn import functional

from evals.adapters import low_rank_tensors, lower_layers, make_batches, rates, save_adapter, take_up, train
from evals.corruptions import corrupt
from evals.parts import part_of
from ragkit.evaluation import load_suite
from ragkit.models.adapters import head_tensors, read_adapter
from ragkit.models.conversion import writer_folder
from ragkit.models.loading import VERIFIER_ADAPTER, load_tokenizer
from ragkit.models.packing import Packed, read_packed
from ragkit.models.reading import encode_text, one_line, tokens_in
from ragkit.models.verifying import CLAIM, claim_prompt, judge_claims
from ragkit.models.verifying_heads import VerifyingHeads
from ragkit.models.weights import cache_folder
from ragkit.polarity import both_ways
from ragkit.sentences import split_sentences
from ragkit.terms import WORD

TAPS, FIRST_LAYER, RANK = (6, 12, 18), 4, 16
EPOCHS, ADAPTER_RATE, HEAD_RATE, BATCH_TOKENS = 2, 3e-4, 1e-3, 2200
DOUBT_WEIGHT, UNMARKED_WEIGHT = 0.5, 0.3
READ_SOURCES, CLAIMS_A_PACK, HELD_BACK = 300, 10, 10
ORDERS_AGAIN = 0.4
"""Of the texts with and without orders, in later rounds, so many are repeated."""

WITH_QUESTION, MISMATCHED = 0.5, 0.3
MAX_TEXT_TOKENS = 420
SEED = 3
HARDEST = range(3826, 7026)
FOLDER, ORDERS = Path("evals/verification"), Path("evals/injection/lessons.jsonl")


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim; `twin` is the faithful sentence that a wrong one was made from, where there is one."""

    text: str
    faithful: bool
    kind: str
    twin: str = ""


@dataclass(frozen=True, slots=True)
class Marked:
    """A source with claims, in tokens.

    Attributes:
        marks: For each claim's tokens 1 if doubtful, 0 if not, -1 if that is not known.
        orders: For each sentence of the source the numbers of its tokens, and whether it is part of an order.
    """

    pack: Packed
    claims: tuple[Claim, ...]
    marks: tuple[list[int], ...]
    orders: tuple[tuple[list[int], bool], ...] = ()

    @property
    def length(self) -> int:
        """Tokens of all."""
        return self.pack.length


def main() -> None:
    """Gathers the claims, trains, writes the adapter in half precision, and reports on what was held back."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--round", type=int, default=1, help="from 2 on, one pass more from where the last one ended")
    parser.add_argument("--newest", type=int, help="only so many of the sources, those written last")
    parser.add_argument("--sample", type=int, default=0, help="beside the newest so many of the others")
    parser.add_argument("--steps", type=int, help="stop after so many, for a trial; nothing is written")
    given = parser.parse_args()
    rng = random.Random(SEED + given.round)
    torch.manual_seed(SEED + given.round)
    tokenizer = load_tokenizer(writer_folder(print))
    written = written_claims()
    held = {source for source in written if is_held_back(source)}
    orders = mark_orders(tokenizer, rng)
    batches: list[list[Marked]] = []
    left_out = held if given.round == 1 else held | hardest_sources()
    for _ in range(EPOCHS if given.round == 1 else 1):
        read = read_claims(rng)
        sources = [source for source in written if source not in left_out]
        newest = given.newest or len(sources)
        sources = [*rng.sample(sources[:-newest], given.sample), *sources[-newest:]]
        left_out = held | hardest_sources()
        schools = {source: written[source] for source in sources}
        schools |= dict(rng.sample(sorted(read.items()), READ_SOURCES))
        items = [marked for source, claims in schools.items() for marked in mark(tokenizer, source, claims, rng)]
        items += orders[0] if given.round == 1 else rng.sample(orders[0], int(ORDERS_AGAIN * len(orders[0])))
        rng.shuffle(items)
        batches += make_batches(items, BATCH_TOKENS, rng)
    print(len(batches), "steps,", sum(m.length for batch in batches for m in batch), "tokens")
    student = Student()
    if given.round > 1:
        tensors, _ = read_adapter(VERIFIER_ADAPTER)
        take_up(student.layers, tensors)
        student.heads.load_state_dict(head_tensors(tensors))
    groups = rates(student.layers, ADAPTER_RATE, student.heads, HEAD_RATE)
    train(groups, batches[: given.steps], student.loss)
    if given.steps is None:
        tensors = low_rank_tensors(student.layers) | student.heads.state_dict()
        save_adapter(VERIFIER_ADAPTER, tensors, taps=" ".join(map(str, TAPS)))
    student.eval()
    report([m for source in sorted(held) for m in mark(tokenizer, source, written[source], rng)], student)
    report_orders(orders[1], student)


def is_held_back(text: str) -> bool:
    """Whether the text is one of those that show what was learned; so it stays whatever is added."""
    return hashlib.sha256(text.encode()).digest()[0] % HELD_BACK == 0


def written_claims() -> dict[str, list[Claim]]:
    """The claims that were written for this, by their source."""
    claims: dict[str, list[Claim]] = defaultdict(list)
    for line in (FOLDER / "lessons.jsonl").read_text(encoding="utf-8").splitlines():
        lesson = json.loads(line)
        claims[lesson["source"]].append(Claim(lesson["sentence"], lesson["faithful"], lesson["kind"]))
    for line in (FOLDER / "polarity.jsonl").read_text(encoding="utf-8").splitlines():
        asked = json.loads(line)
        for said in (asked["short"], asked["sentence"]):
            yes, no = both_ways(asked["question"], said)
            right, wrong = (yes, no) if asked["answer"] == "Yes" else (no, yes)
            claims[asked["source"]] += [Claim(right, True, "polar"), Claim(wrong, False, "polarity", right)]
    for line in (FOLDER / "twins.jsonl").read_text(encoding="utf-8").splitlines():
        twin = json.loads(line)
        claims[twin["source"]].append(Claim(twin["faithful"], True, twin["form"]))
        claims[twin["source"]].append(Claim(twin["wrong"], False, twin["kind"], twin["faithful"]))
    return claims


def hardest_sources() -> set[str]:
    """Sources of the twins in `HARDEST`, mostly about who did or said it; they teach in the very first epoch only."""
    twins = [json.loads(line) for line in (FOLDER / "twins.jsonl").read_text(encoding="utf-8").splitlines()]
    return {twin["source"] for twin in twins if int(twin["id"][1:]) in HARDEST}


def read_claims(rng: random.Random) -> dict[str, list[Claim]]:
    """Direct answers of the reading lessons and corrupted ones, by the paragraph they rest on."""
    suite = load_suite("reading", cache_folder() / "datasets")
    parts, read = part_of(suite), suite.open_reader()
    claims: dict[str, list[Claim]] = defaultdict(list)
    last_asked: dict[str, str] = {}
    for question in suite.questions:
        places = {(e.document, e.paragraph) for e in question.evidence}
        if parts[question.id] != "choose" or not question.direct_answer or len(places) != 1 or not question.answerable:
            continue
        (name, number) = places.pop()
        document = read(name)
        if document is None:
            continue
        paragraph = document.paragraphs[number - 1]
        answer = question.direct_answer
        is_yes_no = answer.startswith(("Yes,", "No,"))
        asked = f"{question.question} " if is_yes_no or rng.random() < WITH_QUESTION else ""
        claims[paragraph.text].append(Claim(f"{asked}{answer}", True, "asked" if asked else "direct"))
        if is_yes_no:
            turned = answer.replace("Yes,", "No,", 1) if answer.startswith("Yes,") else answer.replace("No,", "Yes,", 1)
            claims[paragraph.text].append(Claim(f"{asked}{turned}", False, "yes-no", f"{asked}{answer}"))
        elif rng.random() < MISMATCHED and (other := last_asked.get(paragraph.text)):
            claims[paragraph.text].append(Claim(f"{other} {answer}", False, "mismatched"))
        last_asked[paragraph.text] = question.question
        wrong = corrupt(answer, paragraph.text, rng)
        if wrong:
            claims[paragraph.text].append(Claim(f"{asked}{wrong}", False, "corrupted", f"{asked}{answer}"))
        if rng.random() < 0.1:
            elsewhere = rng.choice([p for p in document.paragraphs if p.number != number] or [paragraph])
            if elsewhere is not paragraph and WORD.search(elsewhere.text):
                claims[elsewhere.text].append(Claim(answer, False, "elsewhere"))
    return claims


def mark_orders(tokenizer: Any, rng: random.Random) -> tuple[list[Marked], list[Marked]]:
    """Texts with and without orders, their sentences marked: those that teach, and those held back.

    Each comes as it is and cut to a part that begins, and often ends, with the order: else its place would tell.
    """
    taught, held = list[Marked](), list[Marked]()
    for line in ORDERS.read_text(encoding="utf-8").splitlines():
        lesson = json.loads(line)
        text, order = one_line(lesson["text"]), one_line(lesson.get("order", ""))
        into = held if is_held_back(text) else taught
        into += [_mark_order(tokenizer, shown, order) for shown in (text, _cut(text, order, rng))]
    return taught, held


def _cut(text: str, order: str, rng: random.Random) -> str:
    """A part of the text that begins with the order, or with any sentence where there is none."""
    spans = split_sentences(text)
    place = text.find(order) if order else rng.choice(spans)[0]
    start = max(a for a, _ in spans if a <= place)
    ends = [b for _, b in spans if b >= place + max(1, len(order))]
    return text[start : rng.choice((ends[0], ends[-1]))]


def _mark_order(tokenizer: Any, text: str, order: str) -> Marked:
    start = text.find(order) if order else len(text)
    tokens, offsets = encode_text(tokenizer, text)
    marked = []
    for a, b in split_sentences(text):
        overlap = min(b, start + len(order)) - max(a, start)
        if inside := tokens_in((a, b), offsets):
            marked.append((inside, overlap > (b - a) / 2))
    return Marked(Packed(tokens, ()), (), (), tuple(marked))


def mark(tokenizer: Any, source: str, claims: Sequence[Claim], rng: random.Random) -> list[Marked]:
    """The claims of one source in tokens, in random order, some at a time; nothing if the source is too long."""
    flat = " ".join(source.split())
    text, offsets = encode_text(tokenizer, flat)
    if len(text) > MAX_TEXT_TOKENS:
        return []
    informs = [(inside, False) for span in split_sentences(flat) if (inside := tokens_in(span, offsets))]
    shuffled = list(claims)
    rng.shuffle(shuffled)
    items = []
    for start in range(0, len(shuffled), CLAIMS_A_PACK):
        some = shuffled[start : start + CLAIMS_A_PACK]
        encoded = [_mark_claim(tokenizer, claim) for claim in some]
        pack = Packed(text, tuple(tokens for tokens, _ in encoded))
        items.append(Marked(pack, tuple(some), tuple(marks for _, marks in encoded), () if start else tuple(informs)))
    return items


def _mark_claim(tokenizer: Any, claim: Claim) -> tuple[list[int], list[int]]:
    encoded = tokenizer(
        claim_prompt(claim.text), add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True
    )
    tokens, offsets = encoded["input_ids"], encoded["offset_mapping"]
    if claim.faithful:
        return tokens, [0] * len(tokens)
    if not claim.twin:
        return tokens, [-1] * len(tokens)
    spans = [(a + len(CLAIM), b + len(CLAIM)) for a, b in _differing(claim.twin, claim.text)]
    first = min((a for a, _ in spans), default=0)
    marks = []
    for start, end in offsets:
        doubtful = any(end > a and start < b for a, b in spans)
        marks.append(1 if doubtful else 0 if end <= first else -1)
    return tokens, marks


def _differing(faithful: str, wrong: str) -> list[tuple[int, int]]:
    """Spans of the wrong sentence that the faithful one has not; of what is left out, the word that follows."""
    ours, theirs = list(WORD.finditer(wrong)), [match.group() for match in WORD.finditer(faithful)]
    matcher = SequenceMatcher(None, theirs, [match.group() for match in ours], autojunk=False)
    spans = []
    for tag, _, _, start, end in matcher.get_opcodes():
        if tag == "equal":
            continue
        stretch = ours[start:end] or ours[start : start + 1]
        if stretch:
            spans.append((stretch[0].start(), stretch[-1].end()))
    return spans


class Student(nn.Module):
    """The lower layers of the writer in bfloat16 with low-rank changes, and the heads."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = lower_layers(TAPS[-1], FIRST_LAYER, RANK)
        self.heads = VerifyingHeads(self.layers.config.hidden_size, len(TAPS))

    def read(self, batch: Sequence[Marked]) -> list[tuple[list[Any], Tensor]]:
        """Of each item the `Support` of its claims, and the log odds of each of its sentences to be an order."""
        states = read_packed(self.layers, [marked.pack for marked in batch], TAPS)
        found = []
        for tapped, marked in zip(states, batch, strict=True):
            tokens = self.heads.orders([tap[: len(marked.pack.text)] for tap in tapped])
            orders = [tokens[inside].mean() for inside, _ in marked.orders]
            claims = judge_claims(self.heads, tapped, marked.pack)
            found.append((claims, torch.stack(orders) if orders else tokens[:0]))
        return found

    def loss(self, batch: Sequence[Marked]) -> Tensor:
        """Mean over claims and sentences: how wrong each verdict is, and the doubts of those tokens that are marked."""
        total, count = torch.zeros(()), 0
        for marked, (supports, orders) in zip(batch, self.read(batch), strict=True):
            wanted = torch.tensor([float(is_order) for _, is_order in marked.orders])
            total = total + functional.binary_cross_entropy_with_logits(orders, wanted, reduction="sum")
            count += len(wanted)
            for claim, marks, support in zip(marked.claims, marked.marks, supports, strict=True):
                target = torch.tensor(float(claim.faithful))
                total = total + functional.binary_cross_entropy_with_logits(support.log_odds, target)
                count += 1
                for value, weight in ((1, DOUBT_WEIGHT), (0, UNMARKED_WEIGHT)):
                    chosen = support.doubts[[n for n, m in enumerate(marks) if m == value]]
                    if len(chosen):
                        doubtful = torch.full_like(chosen, float(value))
                        total = total + weight * functional.binary_cross_entropy_with_logits(chosen, doubtful)
        return total / count


@torch.inference_mode()
def report(items: Sequence[Marked], student: Student) -> None:
    """AUROC, and by kind the share judged rightly where 94 % of the faithful pass."""
    odds: dict[str, list[float]] = defaultdict(list)
    labels, values = [], []
    for marked in items:
        for claim, support in zip(marked.claims, student.read([marked])[0][0], strict=True):
            odds[f"{'+' if claim.faithful else '-'}{claim.kind}"].append(float(support.log_odds))
            labels.append(claim.faithful)
            values.append(float(support.log_odds))
    limit = float(np.quantile([v for v, faithful in zip(values, labels, strict=True) if faithful], 0.06))
    print(f"AUROC {roc_auc_score(labels, values):.3f} of {len(labels)}; 94 % of the faithful pass at {limit:.2f}")
    for kind, found in sorted(odds.items()):
        right = np.mean([(value >= limit) == kind.startswith("+") for value in found])
        print(f"{kind:15} {right:.3f} ({len(found)})")


@torch.inference_mode()
def report_orders(items: Sequence[Marked], student: Student) -> None:
    """AUROC of sentences that are orders, and how many are found where 1 % of the others are taken for one."""
    odds = np.concatenate([student.read([marked])[0][1].numpy() for marked in items])
    is_order = np.array([is_order for marked in items for _, is_order in marked.orders])
    limit = float(np.quantile(odds[~is_order], 0.99))
    found = (odds[is_order] > limit).mean()
    print(f"orders: AUROC {roc_auc_score(is_order, odds):.3f} of {len(odds)}; {found:.3f} found at {limit:.2f}")


if __name__ == "__main__":
    main()
