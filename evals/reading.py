"""Trains the adapter of the shipped reader and writes it to `ragkit/models/reader.safetensors`.

    python -m evals.reading ../shared/data/xquad_en_public.json ../shared/data/clapnq_dev_answerable_public.jsonl

Only the choosing parts teach (see `parts`): of `evals/reading`, whose questions were written for this, and of the
public files given. Each paragraph is read once and asked many questions: those it answers, those it only looks as if it
answered, and others. The reader learns to find the sentence and the short answer in it, or nothing. It takes
about 80 minutes on two cores; `python -m evals.evidence` prints what the result is worth.
"""

import argparse
import math
import random
from collections.abc import Sequence
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel

from evals.lessons import Pack, gather_lessons, pack_lessons
from ragkit.models.conversion import quiet_transformers, writer_folder
from ragkit.models.loading import ADAPTER, load_tokenizer
from ragkit.models.reading_heads import ReadingHeads, Scores
from ragkit.models.weights import WRITER

TAPS, RANK, SCALE, DROPPED = (4, 12), 16, 2.0, 0.1
EPOCHS, ADAPTER_RATE, HEAD_RATE, WARM_UP_STEPS = 2, 3e-4, 1e-3, 30
BATCH_TOKENS, SORTED_PACKS = 2200, 96
START_WEIGHT, END_WEIGHT, MOST_ANSWERS = 0.4, 0.2, 4
SEED = 1


def main() -> None:
    """Gathers the lessons, trains, and writes the adapter in half precision."""
    parser = argparse.ArgumentParser()
    parser.add_argument("places", nargs="*", help="public dataset files")
    parser.add_argument("--steps", type=int, help="stop after so many, for a trial; nothing is written")
    given = parser.parse_args()
    rng = random.Random(SEED)
    torch.manual_seed(SEED)
    tokenizer = load_tokenizer(writer_folder(print))
    batches: list[list[Pack]] = []
    schools = [gather_lessons(place) for place in ("reading", *given.places)]
    for _ in range(EPOCHS):
        lessons = [lesson for school in schools for lesson in school(rng)]
        batches += _batches(pack_lessons(lessons, tokenizer, rng), rng)
    print(len(batches), "steps,", sum(pack.length for batch in batches for pack in batch), "tokens")
    student = Student()
    train(student, batches[: given.steps])
    if given.steps is None:
        tensors = {name: tensor.half().contiguous() for name, tensor in student.adapter().items()}
        save_file(tensors, ADAPTER, metadata={"base_sha256": WRITER.sha256, "taps": " ".join(map(str, TAPS))})


class LowRank(nn.Module):
    """A frozen linear layer with a trained change of low rank (Hu et al. 2021, equation 3)."""

    def __init__(self, frozen: nn.Linear) -> None:
        super().__init__()
        self.frozen = frozen
        self.a = nn.Parameter(torch.randn(RANK, frozen.in_features) / math.sqrt(frozen.in_features))
        self.b = nn.Parameter(torch.zeros(frozen.out_features, RANK))

    def forward(self, values: Tensor) -> Tensor:
        """Shape (..., in) to (..., out)."""
        inner = functional.dropout(functional.linear(values, self.a.to(values.dtype)), DROPPED, self.training)
        return self.frozen(values) + SCALE * functional.linear(inner, self.b.to(values.dtype))


class Student(nn.Module):
    """The lower layers of the writer in bfloat16 with low-rank changes above the first tap, and the heads."""

    def __init__(self) -> None:
        super().__init__()
        with quiet_transformers():
            layers: Any = AutoModel.from_pretrained(
                writer_folder(), num_hidden_layers=TAPS[-1], dtype=torch.float32, local_files_only=True
            )
        layers.norm = nn.Identity()
        layers.to(torch.bfloat16).requires_grad_(False)
        for layer in layers.layers[TAPS[0] :]:
            for name in [name for name, module in layer.named_modules() if isinstance(module, nn.Linear)]:
                layer.set_submodule(name, LowRank(layer.get_submodule(name)))
        self.layers = layers
        self.heads = ReadingHeads(layers.config.hidden_size, len(TAPS))

    def adapter(self) -> dict[str, Tensor]:
        """The trained tensors under the names that `LanguageModelReader` reads."""
        tensors = {}
        for name, module in self.layers.named_modules():
            if isinstance(module, LowRank):
                tensors |= {f"{name}.a": module.a.detach(), f"{name}.b": SCALE * module.b.detach()}
        return tensors | {name: tensor.detach() for name, tensor in self.heads.state_dict().items()}

    def forward(self, packs: Sequence[Pack]) -> list[Scores]:
        """What is said of each pack's text for its questions."""
        width = max(pack.length for pack in packs)
        ids = torch.zeros(len(packs), width, dtype=torch.long)
        places = torch.zeros(len(packs), width, dtype=torch.long)
        seen = torch.eye(width, dtype=torch.bool).repeat(len(packs), 1, 1, 1)
        for row, pack in enumerate(packs):
            for start, tokens in pack.stretches():
                end, text = start + len(tokens), len(pack.tokens)
                ids[row, start:end] = torch.tensor(tokens)
                first = text if start else 0  # every question follows the text directly and sees no other question
                places[row, start:end] = torch.arange(first, first + len(tokens))
                seen[row, 0, start:end, : text if start else 0] = True
                seen[row, 0, start:end, start:end] = torch.ones(len(tokens), len(tokens), dtype=torch.bool).tril()
        masks = {"full_attention": seen, "sliding_attention": seen}
        read = self.layers(ids, position_ids=places, attention_mask=masks, use_cache=False, output_hidden_states=True)
        states = [read.hidden_states[tap].float() for tap in TAPS]
        return [self._score([tap[row] for tap in states], pack) for row, pack in enumerate(packs)]

    def _score(self, states: Sequence[Tensor], pack: Pack) -> Scores:
        (_, text), *questions = pack.stretches()
        asked = [[tap[start : start + len(tokens)] for tap in states] for start, tokens in questions]
        scores: Scores = self.heads([tap[: len(text)] for tap in states], asked, pack.sentence_tokens)
        return scores


def loss_of(scores: Scores, pack: Pack) -> Tensor:
    """Summed over the questions of a pack: how unlikely the right sentence, and the answer in it, were."""
    stops = scores.ends.log_softmax(1)
    outcomes = torch.cat([scores.sentences, scores.nowhere[:, None]], 1)
    normaliser = outcomes.logsumexp(1)
    total = torch.zeros(())
    for row, (_, question) in enumerate(pack.asked):
        right = list(question.sentences) or [outcomes.shape[1] - 1]
        total = total + normaliser[row] - outcomes[row, right].mean()
        answers = [tokens for answer in question.answers[:MOST_ANSWERS] if (tokens := pack.tokens_in(answer))]
        for tokens in answers:
            total = total + START_WEIGHT * (normaliser[row] - scores.starts[row, tokens[0]]) / len(answers)
            total = total - END_WEIGHT * stops[row, tokens[-1]] / len(answers)
    return total


def train(student: Student, batches: Sequence[Sequence[Pack]]) -> None:
    """One pass over the batches with AdamW, a warm-up, and a rate that falls along a cosine."""
    heads = list(student.heads.parameters())
    changes = [parameter for parameter in student.layers.parameters() if parameter.requires_grad]
    groups = [{"params": changes, "lr": ADAPTER_RATE}, {"params": heads, "lr": HEAD_RATE}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, len(batches)))
    recent = 0.0
    for step, batch in enumerate(batches, 1):
        losses = [loss_of(scores, pack) for scores, pack in zip(student(batch), batch, strict=True)]
        loss = torch.stack(losses).sum() / sum(len(pack.asked) for pack in batch)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([*changes, *heads], 1.0)
        optimizer.step()
        schedule.step()
        recent = loss.item() if step == 1 else 0.98 * recent + 0.02 * loss.item()
        if step % 20 == 0:
            print(f"step {step} of {len(batches)}: loss {recent:.3f}", flush=True)


def _rate(step: int, steps: int) -> float:
    return min(1.0, (step + 1) / WARM_UP_STEPS) * (0.05 + 0.475 * (1 + math.cos(math.pi * step / steps)))


def _batches(packs: Sequence[Pack], rng: random.Random) -> list[list[Pack]]:
    """Packs of similar length together, in random order."""
    batches: list[list[Pack]] = []
    for start in range(0, len(packs), SORTED_PACKS):
        batch: list[Pack] = []
        for pack in sorted(packs[start : start + SORTED_PACKS], key=lambda pack: pack.length):
            if batch and (len(batch) + 1) * pack.length > BATCH_TOKENS:
                batches.append(batch)
                batch = []
            batch.append(pack)
        batches.append(batch)
    rng.shuffle(batches)
    return batches


if __name__ == "__main__":
    main()
