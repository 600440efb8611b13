"""Low-rank changes to the weights of the shipped writer."""

import pytest

from ragkit.errors import WeightsError
from ragkit.models.adapters import head_tensors, merge_low_rank, read_adapter
from ragkit.models.loading import load_asker, load_decider, load_generator, load_reader, load_verifier
from ragkit.models.weights import WRITER

LAYER = "layers.0.self_attn.q_proj"


@pytest.fixture
def adapter(tiny_layers):
    """A change of the first layer's query weights, and one tensor of a head."""
    import torch

    torch.manual_seed(4)
    width = tiny_layers.config.hidden_size
    return {f"{LAYER}.a": torch.randn(2, width), f"{LAYER}.b": torch.randn(width, 2), "null.bias": torch.ones(1)}


def write(file, tensors, base=WRITER.sha256):
    from safetensors.torch import save_file

    save_file(tensors, file, metadata={"base_sha256": base, "taps": "1 2"})
    return file


def test_an_adapter_is_merged_into_its_layer_and_no_other(tiny_gemma, adapter):
    from transformers import AutoModel

    model, other = (AutoModel.from_pretrained(tiny_gemma) for _ in range(2))
    merge_low_rank(model, adapter)
    plain, changed = other.state_dict(), model.state_dict()
    added = adapter[f"{LAYER}.b"] @ adapter[f"{LAYER}.a"]
    assert (changed[f"{LAYER}.weight"] - plain[f"{LAYER}.weight"] - added).abs().max() < 1e-5
    assert [name for name in plain if not plain[name].equal(changed[name])] == [f"{LAYER}.weight"]


def test_an_adapter_is_read_with_what_it_says_of_itself(tmp_path, adapter):
    tensors, described = read_adapter(write(tmp_path / "reader.safetensors", adapter))
    assert all(tensors[name].equal(tensor) for name, tensor in adapter.items())
    assert described["taps"] == "1 2"
    assert list(head_tensors(tensors)) == ["null.bias"]


def test_an_adapter_for_other_weights_is_refused(tmp_path, adapter):
    file = write(tmp_path / "reader.safetensors", adapter, base="0" * 64)
    with pytest.raises(WeightsError, match=r"reader.safetensors was trained on other weights.*Install ragkit again"):
        read_adapter(file)


@pytest.mark.parametrize("content", [None, b"", b"damaged"], ids=["missing", "empty", "damaged"])
def test_an_adapter_that_cannot_be_read_is_named_with_the_cure(tmp_path, content):
    file = tmp_path / "reader.safetensors"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(WeightsError, match=r"reader.safetensors is missing or damaged. Install ragkit again"):
        read_adapter(file)


@pytest.mark.parametrize(
    ("load", "adapter_name"),
    [
        (load_reader, "ADAPTER"),
        (load_generator, "WRITER_ADAPTER"),
        (load_verifier, "VERIFIER_ADAPTER"),
        (load_decider, "DECIDER_ADAPTER"),
        (load_asker, "ASKER_ADAPTER"),
    ],
    ids=["reader", "writer", "verifier", "decider", "asker"],
)
def test_each_shipped_model_needs_its_own_adapter(tmp_path, monkeypatch, load, adapter_name):
    monkeypatch.setattr(f"ragkit.models.loading.{adapter_name}", tmp_path / "gone.safetensors")
    monkeypatch.setattr("ragkit.models.loading.writer_folder", lambda _: tmp_path)
    with pytest.raises(WeightsError, match=r"gone.safetensors is missing or damaged"):
        load()
