"""Model names to models: shipped (None), a folder, a `.gguf` file, a hub id, or `openai:http://...` for a server.

Only a hub id may reach for the network, and only when it is not in the local hub cache. No code that comes with a
model is ever run, and only safetensors weights are read. Called by `ingest`, `answering`, `evaluation` and `cli`.
"""

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ragkit.errors import ModelError, ModelNotFoundError
from ragkit.models.adapters import Adapted, head_tensors, merge_low_rank, read_adapter
from ragkit.models.causal import TransformersGenerator
from ragkit.models.conversion import OnMessage, convert_gguf, is_converted, quiet_transformers, writer_folder
from ragkit.models.deciding import Decider, LanguageModelDecider
from ragkit.models.embedding import Embedder, SentenceTransformerEmbedder
from ragkit.models.generation import Generator
from ragkit.models.hub import hub_folder
from ragkit.models.reading import LanguageModelReader, Reader
from ragkit.models.reranking import CrossEncoderReranker, Reranker
from ragkit.models.server import SERVER_PREFIX, ServerGenerator
from ragkit.models.verifying import InferenceVerifier, LanguageModelVerifier, Verifier
from ragkit.models.weights import EMBEDDER, WRITER, embedder_folder, files_sha256

ADAPTER = Path(__file__).with_name("reader.safetensors")
WRITER_ADAPTER = Path(__file__).with_name("writer.safetensors")
VERIFIER_ADAPTER = Path(__file__).with_name("verifier.safetensors")
DECIDER_ADAPTER = Path(__file__).with_name("decider.safetensors")
ASKER_ADAPTER = Path(__file__).with_name("asker.safetensors")


def load_generator(
    model: str | None = None, *, offline: bool = False, on_message: OnMessage | None = None
) -> Generator:
    """The writing model of that name; None is the one that ships with ragkit.

    Args:
        model: A folder, a `.gguf` file, a hub id, `openai:http://host:port/v1#name`, or None.
        offline: Look for hub ids only in the local cache.
        on_message: Told about work that takes long and happens once.

    Raises:
        ModelNotFoundError: Nothing of that name is here, and it could not be fetched.
        WeightsError: Weights are missing, damaged or in a format that is not read.
    """
    if model is not None and model.startswith(SERVER_PREFIX):
        return ServerGenerator.from_name(model)
    if model is None:
        return _transformers_generator(writer_folder(on_message), WRITER.name, read_adapter(WRITER_ADAPTER)[0])
    if Path(model).suffix == ".gguf":
        file = Path(model).expanduser()
        if not file.is_file():
            raise ModelNotFoundError(f"There is no file {model}. Check the path, or give a folder or a hub id")
        return _transformers_generator(convert_gguf(file, on_message), file.name)
    folder, name = _find(model, offline=offline)
    return _transformers_generator(folder, name)


def load_asker(*, on_message: OnMessage | None = None) -> Generator:
    """The shipped model that words questions for given answers.

    Raises:
        WeightsError: The shipped weights are missing or damaged, or the adapter belongs to other weights.
    """
    return _transformers_generator(writer_folder(on_message), WRITER.name, read_adapter(ASKER_ADAPTER)[0])


def load_embedder(model: str | None = None, *, offline: bool = False) -> Embedder:
    """The embedding model of that name (a folder or a hub id); None is the one that ships with ragkit.

    Raises:
        ModelNotFoundError: Nothing of that name is here, and it could not be fetched.
        WeightsError: The shipped weights are missing or damaged.
    """
    folder, name = (embedder_folder(), EMBEDDER.name) if model is None else _find(model, offline=offline)
    _let_threads_sleep()
    from sentence_transformers import SentenceTransformer

    with _translated(folder):
        loaded = SentenceTransformer(
            str(folder), local_files_only=True, trust_remote_code=False, model_kwargs={"use_safetensors": True}
        )
    return SentenceTransformerEmbedder(loaded, name if model is None else f"{name}@{_short_hash(folder)}")


def load_reranker(model: str, *, offline: bool = False) -> Reranker:
    """The cross-encoder of that name, a folder or a hub id.

    Raises:
        ModelNotFoundError: Nothing of that name is here, and it could not be fetched.
    """
    return CrossEncoderReranker(*_cross_encoder(model, offline=offline))


def _cross_encoder(model: str, *, offline: bool) -> tuple[Any, str]:
    """A sentence-transformers cross-encoder, and its name with the first digits of its weights' hash."""
    folder, name = _find(model, offline=offline)
    _let_threads_sleep()
    from sentence_transformers import CrossEncoder

    with _translated(folder):
        loaded = CrossEncoder(
            str(folder), local_files_only=True, trust_remote_code=False, model_kwargs={"use_safetensors": True}
        )
    return loaded, f"{name}@{_short_hash(folder)}"


def load_reader(*, on_message: OnMessage | None = None) -> Reader:
    """The shipped reading model: the lower layers of the shipped writer with the adapter that comes with ragkit.

    Raises:
        WeightsError: The shipped weights are missing or damaged, or the adapter belongs to other weights.
    """
    from ragkit.models.reading_heads import ReadingHeads

    return LanguageModelReader(_adapted(ADAPTER, ReadingHeads, on_message))


def load_verifier(model: str | None = None, *, offline: bool = False, on_message: OnMessage | None = None) -> Verifier:
    """The verifying model of that name; None is the one that ships with ragkit.

    Args:
        model: A cross-encoder for natural language inference: a folder or a hub id. The shipped one still says which
            sentences of a document are orders.
        offline: Look for hub ids only in the local cache.
        on_message: Told about work that takes long and happens once.

    Raises:
        ModelNotFoundError: Nothing of that name is here, and it could not be fetched.
        WeightsError: The shipped weights are missing or damaged, or the adapter belongs to other weights.
    """
    from ragkit.models.verifying_heads import VerifyingHeads

    shipped = LanguageModelVerifier(_adapted(VERIFIER_ADAPTER, VerifyingHeads, on_message))
    return shipped if model is None else InferenceVerifier(_cross_encoder(model, offline=offline)[0], shipped)


def load_decider(*, on_message: OnMessage | None = None) -> Decider:
    """The shipped model that answers yes/no questions.

    Raises:
        WeightsError: The shipped weights are missing or damaged, or the adapter belongs to other weights.
    """
    from ragkit.models.deciding_heads import DecidingHead

    return LanguageModelDecider(_adapted(DECIDER_ADAPTER, DecidingHead, on_message))


def _lower_layers(file: Path, on_message: OnMessage | None) -> tuple[Any, Any, list[int], dict[str, Any]]:
    """The writer's layers with an adapter merged into them, its tokenizer, the taps, and the tensors of the heads."""
    folder = writer_folder(on_message)
    _let_threads_sleep()
    import torch
    from transformers import AutoModel

    tensors, described = read_adapter(file)
    taps = [int(tap) for tap in described["taps"].split()]
    with _translated(folder):
        model = AutoModel.from_pretrained(
            folder,
            num_hidden_layers=taps[-1],
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
        )
        model.eval()
        model.norm = torch.nn.Identity()
        merge_low_rank(model, tensors)
        if torch.cuda.is_available():
            model.to("cuda")
        elif {"amx_bf16", "avx512_bf16"} & {name for name, has in torch.cpu.get_capabilities().items() if has is True}:
            _halve(model)
        return model, load_tokenizer(folder), taps, head_tensors(tensors)


def _halve(model: Any) -> None:
    """Has a decoder's layers compute in bfloat16, as in training: three times as fast where the processor can.

    The embeddings, most of the weights, stay as they are mapped from the file; what is looked up in them is cast.
    """
    import torch

    model.layers.to(torch.bfloat16)
    model.embed_tokens.register_forward_hook(lambda _module, _inputs, looked_up: looked_up.to(torch.bfloat16))


def _adapted(file: Path, make_heads: Callable[[int, int], Any], on_message: OnMessage | None) -> Adapted:
    """The writer's layers with an adapter, and heads of their width and number of taps with their trained weights."""
    layers, tokenizer, taps, tensors = _lower_layers(file, on_message)
    heads = make_heads(layers.config.hidden_size, len(taps))
    heads.load_state_dict(tensors)
    return Adapted(layers, tokenizer, tuple(taps), heads.eval().to(layers.device))


def _find(model: str, *, offline: bool) -> tuple[Path, str]:
    """The folder of a model that the user named, and what to call it."""
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder, folder.resolve().name
    if folder.exists() or model.startswith((".", "/", "~")) or model.count("/") > 1:
        raise ModelNotFoundError(f"There is no model folder {model}. Check the path, or give a hub id (owner/name)")
    return hub_folder(model, offline=offline), model


def _short_hash(folder: Path) -> str:
    return files_sha256(list(folder.rglob("*.safetensors")))[:12]


def _transformers_generator(folder: Path, name: str, adapter: Mapping[str, Any] | None = None) -> TransformersGenerator:
    _let_threads_sleep()
    import torch
    from transformers import AutoModelForCausalLM

    on_gpu = torch.cuda.is_available()
    with _translated(folder):
        tokenizer = load_tokenizer(folder)
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=torch.bfloat16 if on_gpu else torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
        )
    model.eval()
    merge_low_rank(model.get_decoder(), adapter or {})
    return TransformersGenerator(model.to("cuda") if on_gpu else model, tokenizer, name)


@lru_cache(maxsize=2)
def load_tokenizer(folder: Path) -> Any:
    """The tokenizer; of a folder that ragkit converted, straight from its one file (1 s instead of 3 s).

    Reader and writer of one folder share it; use it only under `TOKENIZING`.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    if not is_converted(folder):
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    settings = json.loads((folder / "tokenizer_config.json").read_bytes())
    settings.pop("tokenizer_class", None)
    return PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), **settings)


def _let_threads_sleep() -> None:
    """Have OpenMP threads sleep while they wait, which must be said before torch is first imported.

    By default they spin; beside one other busy process on two cores, that made writing seven times slower.
    """
    if "torch" not in sys.modules:
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@contextlib.contextmanager
def _translated(folder: Path) -> Iterator[None]:
    """Loads quietly, and turns what the libraries raise for a folder that they cannot read into one line."""
    try:
        with quiet_transformers():
            yield
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ModelError(
            f"The folder {folder} does not hold a model that can be used for this: {reason}. "
            "It needs config.json, a tokenizer and safetensors weights"
        ) from error
