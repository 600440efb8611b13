"""Trains the adapter of the shipped reader and writes it to `ragkit/models/reader.safetensors`.

    python -m evals.reading ../shared/data/xquad_en_public.json ../shared/data/clapnq_dev_answerable_public.jsonl

Only the choosing parts teach (see `parts`): of `evals/reading`, whose questions were written for this, and of the
public files given. Each paragraph is read once and asked many questions: those it answers, those it only looks as if it
answered, and others. The reader learns to point at the sentence and at the short answer in it, or at nothing. It takes
about 40 minutes on two cores; `python -m evals.evidence` prints what the result is worth.
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
from ragkit.models.weights import WRITER

LAYERS, RANK, SCALE, POINTER_WIDTH = 12, 16, 2.0, 64
EPOCHS, ADAPTER_RATE, HEAD_RATE, WARM_UP_STEPS = 2, 3e-4, 1.5e-3, 30
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
        save_file(tensors, ADAPTER, metadata={"base_sha256": WRITER.sha256, "layers": str(LAYERS)})


class LowRank(nn.Module):
    """A frozen linear layer with a trained change of low rank (Hu et al. 2021, equation 3)."""

    def __init__(self, frozen: nn.Linear) -> None:
        super().__init__()
        self.frozen = frozen
        self.a = nn.Parameter(torch.randn(RANK, frozen.in_features) / math.sqrt(frozen.in_features))
        self.b = nn.Parameter(torch.zeros(frozen.out_features, RANK))

    def forward(self, values: Tensor) -> Tensor:
        """Shape (..., in) to (..., out)."""
        change = functional.linear(functional.linear(values, self.a.to(values.dtype)), self.b.to(values.dtype))
        return self.frozen(values) + SCALE * change


class Student(nn.Module):
    """The lower layers of the writer in bfloat16, frozen but for changes of low rank, and the pointing heads."""

    def __init__(self) -> None:
        super().__init__()
        with quiet_transformers():
            layers: Any = AutoModel.from_pretrained(
                writer_folder(), num_hidden_layers=LAYERS, dtype=torch.float32, local_files_only=True
            )
        layers.norm = nn.Identity()
        layers.to(torch.bfloat16).requires_grad_(False)
        linear = [name for name, module in layers.named_modules() if isinstance(module, nn.Linear)]
        for name in linear:
            layers.set_submodule(name, LowRank(layers.get_submodule(name)))
        width = layers.config.hidden_size
        self.layers = layers
        self.heads = nn.ModuleDict(
            {
                "norm_t": nn.LayerNorm(width),
                "norm_q": nn.LayerNorm(width),
                "key": nn.Linear(width, POINTER_WIDTH, bias=False),
                "query": nn.Linear(width, POINTER_WIDTH),
                "end_key": nn.Linear(width, POINTER_WIDTH, bias=False),
                "end_query": nn.Linear(width, POINTER_WIDTH),
                "null": nn.Linear(width, 1),
            }
        )
        for name in ("key", "query", "end_key", "end_query"):
            nn.init.normal_(self.heads[name].weight, std=0.02)
        nn.init.zeros_(self.heads["null"].weight)
        nn.init.constant_(self.heads["null"].bias, 4.0)

    def adapter(self) -> dict[str, Tensor]:
        """The trained tensors under the names that `PointerReader` reads."""
        tensors = {}
        for name, module in self.layers.named_modules():
            if isinstance(module, LowRank):
                tensors |= {f"{name}.a": module.a.detach(), f"{name}.b": SCALE * module.b.detach()}
        return tensors | {name: tensor.detach() for name, tensor in self.heads.state_dict().items()}

    def forward(self, packs: Sequence[Pack]) -> list[tuple[Tensor, Tensor]]:
        """For each pack the states of its text, shape (tokens, width), and at the ends of its questions."""
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
        states = self.layers(ids, position_ids=places, attention_mask=masks, use_cache=False).last_hidden_state.float()
        return [(states[row, : len(pack.tokens)], states[row, pack.ends()]) for row, pack in enumerate(packs)]

    def loss(self, text: Tensor, ends: Tensor, pack: Pack) -> Tensor:
        """Summed over the questions of a pack: how unlikely the right sentence, and the answer in it, were."""
        heads = self.heads
        text, ends = heads["norm_t"](text), heads["norm_q"](ends)
        scale = POINTER_WIDTH**-0.5
        starts = heads["query"](ends) @ heads["key"](text).T * scale
        stops = (heads["end_query"](ends) @ heads["end_key"](text).T * scale).log_softmax(1)
        sentences = [starts[:, tokens].logsumexp(1) for tokens in pack.sentence_tokens]
        scores = torch.stack([*sentences, heads["null"](ends)[:, 0]], 1)
        normaliser = scores.logsumexp(1)
        total = torch.zeros(())
        for row, (_, question) in enumerate(pack.asked):
            right = list(question.sentences) or [scores.shape[1] - 1]
            total = total + normaliser[row] - scores[row, right].mean()
            answers = [tokens for answer in question.answers[:MOST_ANSWERS] if (tokens := pack.tokens_in(answer))]
            for tokens in answers:
                total = total + START_WEIGHT * (normaliser[row] - starts[row, tokens[0]]) / len(answers)
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
        read = student(batch)
        losses = [student.loss(text, ends, pack) for (text, ends), pack in zip(read, batch, strict=True)]
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
