"""Low-rank changes to the shipped writer's layers, and the loop that trains them.

Called by `reading`, `verifying` and `writing`.
"""

import math
import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel

from ragkit.models.conversion import quiet_transformers, writer_folder
from ragkit.models.weights import WRITER

WARM_UP_STEPS, DROPPED, SCALE = 30, 0.1, 2.0
SORTED = 96


class HasLength(Protocol):
    """What can be put into batches of similar length."""

    @property
    def length(self) -> int:
        """In tokens."""


Item = TypeVar("Item")
Sized = TypeVar("Sized", bound=HasLength)


class LowRank(nn.Module):
    """A frozen linear layer with a trained change of low rank (Hu et al. 2021, equation 3)."""

    def __init__(self, frozen: nn.Linear, rank: int) -> None:
        super().__init__()
        self.frozen = frozen
        self.a = nn.Parameter(torch.randn(rank, frozen.in_features) / math.sqrt(frozen.in_features))
        self.b = nn.Parameter(torch.zeros(frozen.out_features, rank))

    def forward(self, values: Tensor) -> Tensor:
        """Shape (..., in) to (..., out)."""
        inner = functional.dropout(functional.linear(values, self.a.to(values.dtype)), DROPPED, self.training)
        return self.frozen(values) + SCALE * functional.linear(inner, self.b.to(values.dtype))


def lower_layers(layers: int, first_layer: int, rank: int) -> Any:
    """So many of the writer's layers in bfloat16, without the final norm, with changes from `first_layer` on."""
    with quiet_transformers():
        model: Any = AutoModel.from_pretrained(
            writer_folder(), num_hidden_layers=layers, dtype=torch.float32, local_files_only=True
        )
    model.norm = nn.Identity()
    model.to(torch.bfloat16)
    add_low_rank(model, first_layer, rank)
    return model


def rates(layers: nn.Module, adapter_rate: float, heads: nn.Module, head_rate: float) -> list[dict[str, Any]]:
    """The trained parameters of layers and heads with their rates, as `train` takes them."""
    changes = [parameter for parameter in layers.parameters() if parameter.requires_grad]
    return [{"params": changes, "lr": adapter_rate}, {"params": list(heads.parameters()), "lr": head_rate}]


def save_adapter(file: Path, tensors: Mapping[str, Tensor], **described: str) -> None:
    """The tensors in half precision, with the hash of the weights that they belong to."""
    halved = {name: tensor.half().contiguous() for name, tensor in tensors.items()}
    save_file(halved, file, metadata={"base_sha256": WRITER.sha256, **described})
    file.chmod(0o644)


def add_low_rank(model: Any, first_layer: int, rank: int) -> None:
    """Freezes a decoder and puts a low-rank change beside every linear layer from `first_layer` (from 0) on.

    Where there is a C++ compiler, torch compiles the decoder at its first step, which makes the others faster.
    """
    model.requires_grad_(False)
    for layer in model.layers[first_layer:]:
        for name in [name for name, module in layer.named_modules() if isinstance(module, nn.Linear)]:
            layer.set_submodule(name, LowRank(layer.get_submodule(name), rank))
    if shutil.which("c++"):
        model.compile(dynamic=True)


def low_rank_tensors(model: nn.Module) -> dict[str, Tensor]:
    """The trained changes under the names by which `ragkit.models.adapters` merges them."""
    tensors = {}
    for name, module in model.named_modules():
        if isinstance(module, LowRank):
            tensors |= {f"{name}.a": module.a.detach(), f"{name}.b": SCALE * module.b.detach()}
    return tensors


def take_up(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Sets the changes to what an earlier training left, as `low_rank_tensors` names them."""
    for name, module in model.named_modules():
        if isinstance(module, LowRank):
            module.a.data.copy_(tensors[f"{name}.a"])
            module.b.data.copy_(tensors[f"{name}.b"] / SCALE)


def train(
    groups: Sequence[dict[str, Any]], batches: Sequence[Sequence[Item]], loss_of: Callable[[Sequence[Item]], Tensor]
) -> None:
    """One pass over the batches with AdamW, a warm-up, and a rate that falls along a cosine.

    Args:
        groups: Parameters with their rates, as torch's optimisers take them.
        batches: What is learned in each step.
        loss_of: The mean loss of one batch.
    """
    parameters = [parameter for group in groups for parameter in group["params"]]
    optimizer = torch.optim.AdamW(list(groups), weight_decay=0.01, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, len(batches)))
    recent = 0.0
    for step, batch in enumerate(batches, 1):
        loss = loss_of(batch)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        recent = loss.item() if step == 1 else 0.98 * recent + 0.02 * loss.item()
        if step % 20 == 0:
            print(f"step {step} of {len(batches)}: loss {recent:.3f}", flush=True)


def _rate(step: int, steps: int) -> float:
    return min(1.0, (step + 1) / WARM_UP_STEPS) * (0.05 + 0.475 * (1 + math.cos(math.pi * step / steps)))


def make_batches(items: Sequence[Sized], most_tokens: int, rng: random.Random) -> list[list[Sized]]:
    """Items of similar length together, each batch padded to at most so many tokens, in random order."""
    batches: list[list[Sized]] = []
    for start in range(0, len(items), SORTED):
        batch: list[Sized] = []
        for item in sorted(items[start : start + SORTED], key=lambda item: item.length):
            if batch and (len(batch) + 1) * item.length > most_tokens:
                batches.append(batch)
                batch = []
            batch.append(item)
        batches.append(batch)
    rng.shuffle(batches)
    return batches
