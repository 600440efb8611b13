"""Trains the adapter of the shipped reader and writes it to `ragkit/models/reader.safetensors`.

    python -m evals.reading ../shared/data/xquad_en_public.json ../shared/data/clapnq_dev_answerable_public.jsonl
    python -m evals.reading PLACE... --round 2 --newest 3900 --sample 6000

Only the choosing parts teach (see `parts`): of `evals/reading`, whose questions were written for this, and of the
public files given. Each paragraph is read once and asked many questions: those it answers, those it only looks as if it
answered, and others. The reader learns to find the sentence and the short answer in it, or nothing. It takes
about 140 minutes on one core; `python -m evals.evidence` prints what the result is worth.
"""

import argparse
import random
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from evals.adapters import low_rank_tensors, lower_layers, make_batches, rates, save_adapter, take_up, train
from evals.lessons import Pack, gather_lessons, pack_lessons
from ragkit.models.adapters import head_tensors, read_adapter
from ragkit.models.conversion import writer_folder
from ragkit.models.loading import ADAPTER, load_tokenizer
from ragkit.models.packing import read_packed
from ragkit.models.reading_heads import ReadingHeads, Scores

TAPS, RANK = (4, 12, 18), 16
EPOCHS, ADAPTER_RATE, HEAD_RATE, BATCH_TOKENS = 2, 3e-4, 1e-3, 2200
START_WEIGHT, END_WEIGHT, MOST_ANSWERS = 0.4, 0.2, 4
SEED = 1


def main() -> None:
    """Gathers the lessons, trains, and writes the adapter in half precision."""
    parser = argparse.ArgumentParser()
    parser.add_argument("places", nargs="*", help="public dataset files")
    parser.add_argument("--round", type=int, default=1, help="from 2 on, one pass more from where the last one ended")
    parser.add_argument("--newest", type=int, help="of evals/reading only so many questions, those written last")
    parser.add_argument("--sample", type=int, default=0, help="beside the newest so many of the others")
    parser.add_argument("--steps", type=int, help="stop after so many, for a trial; nothing is written")
    given = parser.parse_args()
    rng = random.Random(SEED + given.round - 1)
    torch.manual_seed(SEED + given.round - 1)
    tokenizer = load_tokenizer(writer_folder(print))
    batches: list[list[Pack]] = []
    schools = [gather_lessons("reading", given.newest, given.sample), *map(gather_lessons, given.places)]
    for _ in range(EPOCHS if given.round == 1 else 1):
        lessons = [lesson for school in schools for lesson in school(rng)]
        batches += make_batches(pack_lessons(lessons, tokenizer, rng), BATCH_TOKENS, rng)
    print(len(batches), "steps,", sum(pack.length for batch in batches for pack in batch), "tokens")
    student = Student()
    if given.round > 1:
        tensors, _ = read_adapter(ADAPTER)
        take_up(student.layers, tensors)
        student.heads.load_state_dict(head_tensors(tensors))
    groups = rates(student.layers, ADAPTER_RATE, student.heads, HEAD_RATE)
    train(groups, batches[: given.steps], student.loss)
    if given.steps is None:
        tensors = low_rank_tensors(student.layers) | student.heads.state_dict()
        save_adapter(ADAPTER, tensors, taps=" ".join(map(str, TAPS)))


class Student(nn.Module):
    """The lower layers of the writer in bfloat16 with low-rank changes above the first tap, and the heads."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = lower_layers(TAPS[-1], TAPS[0], RANK)
        self.heads = ReadingHeads(self.layers.config.hidden_size, len(TAPS))

    def loss(self, packs: Sequence[Pack]) -> Tensor:
        """Mean over the questions of the packs."""
        read = read_packed(self.layers, [pack.packed for pack in packs], TAPS)
        losses = [loss_of(self._score(states, pack), pack) for states, pack in zip(read, packs, strict=True)]
        return torch.stack(losses).sum() / sum(len(pack.asked) for pack in packs)

    def _score(self, states: Sequence[Tensor], pack: Pack) -> Scores:
        (_, text), *questions = pack.packed.stretches()
        asked = [[tap[start : start + len(tokens)] for tap in states] for start, tokens in questions]
        scores: Scores = self.heads([tap[: len(text)] for tap in states], asked, pack.sentence_tokens)
        return scores


def loss_of(scores: Scores, pack: Pack) -> Tensor:
    """Summed over the questions of a pack: how unlikely the right sentence, and the answer in it, were."""
    stops = scores.ends.log_softmax(1)
    outcomes = torch.cat([scores.sentences, scores.nowhere[:, None]], 1)
    normaliser = outcomes.logsumexp(1)
    total = torch.zeros(())
    for row, question in enumerate(pack.asked):
        right = list(question.sentences) or [outcomes.shape[1] - 1]
        total = total + normaliser[row] - outcomes[row, right].mean()
        answers = [tokens for answer in question.answers[:MOST_ANSWERS] if (tokens := pack.tokens_in(answer))]
        for tokens in answers:
            total = total + START_WEIGHT * (normaliser[row] - scores.starts[row, tokens[0]]) / len(answers)
            total = total - END_WEIGHT * stops[row, tokens[-1]] / len(answers)
    return total


if __name__ == "__main__":
    main()
