"""Low-rank changes to a language model's weights: a safetensors file in, the changes merged into the layers.

Hu et al. 2021, "LoRA". Called by `loading`; the trainings under `evals` write the files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragkit.errors import WeightsError
from ragkit.models.weights import WRITER


@dataclass(frozen=True, slots=True)
class Adapted:
    """The lower layers of a causal language model with an adapter merged into them, and what was trained on top.

    Attributes:
        layers: A transformers decoder up to the last tap, without its final norm.
        tokenizer: The model's.
        taps: After which layers the heads look at its states, counted from 1.
        heads: A torch module for states of that width, from so many layers.
    """

    layers: Any
    tokenizer: Any
    taps: tuple[int, ...]
    heads: Any


def read_adapter(file: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The tensors of an adapter to the shipped writer by name, and what it says of itself.

    Raises:
        WeightsError: The file is missing or damaged, or belongs to other weights.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, "pt") as opened:
            described = dict(opened.metadata() or {})
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"The adapter {file} is missing or damaged. Install ragkit again") from error
    if described.get("base_sha256") != WRITER.sha256:
        raise WeightsError(f"{file} was trained on other weights than {WRITER.name}. Install ragkit again")
    return tensors, described


def merge_low_rank(model: Any, tensors: Mapping[str, Any]) -> None:
    """Adds each product of `(layer).b` and `(layer).a` to the weight of that layer of a transformers decoder."""
    for name, tensor in tensors.items():
        if name.startswith("layers.") and name.endswith(".b"):
            layer = model.get_submodule(name.removesuffix(".b"))
            change = tensor.float() @ tensors[f"{name.removesuffix('.b')}.a"].float()
            layer.weight = type(layer.weight)(layer.weight + change.to(layer.weight), requires_grad=False)


def head_tensors(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """What of an adapter belongs to the heads on top of the layers."""
    return {name: tensor for name, tensor in tensors.items() if not name.startswith("layers.")}
