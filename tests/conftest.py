"""No test reaches the network, and every test has a cache folder of its own unless it runs the shipped weights."""

import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


class NetworkDeniedError(ConnectionError):
    """A test tried to reach something other than this machine."""


def _is_local(host: object) -> bool:
    return host is None or str(host) in {"", "localhost", "127.0.0.1", "::1", "0.0.0.0"}


@pytest.fixture(autouse=True)
def attempts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Hosts that were asked for; a test that expects some clears the list, any other fails."""
    hosts: list[str] = []
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(this, address):
        if this.family in {socket.AF_INET, socket.AF_INET6} and not _is_local(address[0]):
            hosts.append(str(address[0]))
            raise NetworkDeniedError(f"tests may not connect to {address}")
        return connect(this, address)

    def guarded_look_up(host, *arguments, **options):
        if not _is_local(host):
            hosts.append(str(host))
            raise NetworkDeniedError(f"tests may not look up {host}")
        return look_up(host, *arguments, **options)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)
    yield hosts
    assert not hosts, f"the network was tried: {hosts}"


@pytest.fixture(autouse=True)
def own_cache(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Fast tests start with an empty cache; those on real weights share the user's, where conversion is paid once."""
    if request.node.get_closest_marker("model") is None:
        monkeypatch.setenv("RAGKIT_CACHE", str(tmp_path / "ragkit-cache"))


WORDS = (
    "the cat sat on the mat and the dog ran to the house where is paris it is in france what who when the answer "
    "text question naïve café 😀 emoji treaty signed vienna user system assistant"
)
CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def _train_tokenizer(folder: Path, *, chat: bool) -> int:
    """A byte-level tokenizer of a few hundred tokens, written as a folder; returns its size."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    specials = ["<pad>", "<bos>", "<eos>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=340, special_tokens=specials, initial_alphabet=alphabet)
    tokenizer.train_from_iterator([WORDS], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 1)])
    names = {"pad_token": "<pad>", "bos_token": "<bos>", "eos_token": "<eos>"}
    whole = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)
    whole.chat_template = CHAT_TEMPLATE if chat else None
    whole.save_pretrained(folder)
    return len(whole)


@pytest.fixture(scope="session")
def tiny_gemma(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A writing model of random weights with sliding windows of 64 tokens, no chat template."""
    import torch
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    folder = tmp_path_factory.mktemp("tiny-gemma")
    size = _train_tokenizer(folder, chat=False)
    torch.manual_seed(1)
    config = Gemma3TextConfig(
        vocab_size=size,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        sliding_window=64,
        max_position_embeddings=256,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        initializer_range=0.5,
    )
    Gemma3ForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_layers(tiny_gemma: Path) -> Any:
    """Its decoder without the final norm, as readers and verifiers take it."""
    import torch
    from transformers import AutoModel

    layers = AutoModel.from_pretrained(tiny_gemma).eval()
    layers.norm = torch.nn.Identity()
    return layers


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A writing model of random weights with a chat template."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("tiny-llama")
    size = _train_tokenizer(folder, chat=True)
    torch.manual_seed(2)
    config = LlamaConfig(
        vocab_size=size,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=256,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        initializer_range=0.5,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def _write_bert(folder: Path, model_class: str, **extra: object) -> None:
    import torch
    import transformers

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(WORDS.split()), *"abcdefghijklmnopqrstuvwxyz"]
    words += [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    transformers.BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(3)
    config = transformers.BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        initializer_range=0.5,
        **extra,
    )
    getattr(transformers, model_class)(config).save_pretrained(folder)


@pytest.fixture(scope="session")
def tiny_embedder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence-transformers folder of random weights: BERT of 16 dimensions, windows of 32 tokens, mean pooling."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    bert = tmp_path_factory.mktemp("tiny-bert")
    _write_bert(bert, "BertModel")
    whole = tmp_path_factory.mktemp("tiny-embedder")
    body = Transformer(str(bert), max_seq_length=32)
    SentenceTransformer(modules=[body, Pooling(16)], device="cpu").save_pretrained(str(whole), create_model_card=False)
    return whole


@pytest.fixture(scope="session")
def tiny_reranker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-encoder of random weights with one label."""
    folder = tmp_path_factory.mktemp("tiny-reranker")
    _write_bert(folder, "BertForSequenceClassification", num_labels=1)
    return folder


@pytest.fixture(scope="session")
def tiny_inference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-encoder of random weights with the three labels of natural language inference."""
    folder = tmp_path_factory.mktemp("tiny-inference")
    labels = dict(enumerate(("contradiction", "entailment", "neutral")))
    _write_bert(
        folder, "BertForSequenceClassification", id2label=labels, label2id={name: n for n, name in labels.items()}
    )
    return folder


@pytest.fixture
def in_hub_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Path, str], None]:
    """Puts a model folder into an empty hub cache under an id, as a download would have left it."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))

    def put(folder: Path, model: str) -> None:
        place = tmp_path / "hub" / f"models--{model.replace('/', '--')}"
        revision = "0123456789abcdef0123456789abcdef01234567"
        shutil.copytree(folder, place / "snapshots" / revision)
        (place / "refs").mkdir()
        (place / "refs" / "main").write_text(revision, encoding="utf-8")

    return put
