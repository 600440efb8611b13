"""Model names to models: shipped (None), a folder, a `.gguf` file, a hub id, or `openai:http://...` for a server.

Only a hub id may reach for the network, and only when it is not in the local hub cache; everything else is read with
`local_files_only`. No code that comes with a model is ever run, and only safetensors weights are read.
Called by `settings` readers: `ingest`, `answering`, `evaluation` and `cli`.
"""

from pathlib import Path
from typing import Any

from ragkit.errors import ModelError, ModelNotFoundError
from ragkit.models.conversion import OnMessage, convert_gguf, is_converted, quiet_transformers, writer_folder
from ragkit.models.generation import Generator, TransformersGenerator
from ragkit.models.weights import WRITER


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
    if model is None:
        return _transformers_generator(str(writer_folder(on_message)), WRITER.name, local=True)
    path = Path(model).expanduser()
    if path.suffix == ".gguf":
        if not path.is_file():
            raise ModelNotFoundError(f"There is no file {model}. Check the path, or give a folder or a hub id")
        return _transformers_generator(str(convert_gguf(path, on_message)), path.name, local=True)
    if path.is_dir():
        return _transformers_generator(str(path), path.resolve().name, local=True)
    return _transformers_generator(model, model, local=offline)


def _transformers_generator(source: str, name: str, *, local: bool) -> TransformersGenerator:
    import torch
    from transformers import AutoModelForCausalLM

    on_gpu = torch.cuda.is_available()
    options = {"local_files_only": local, "trust_remote_code": False}
    try:
        with quiet_transformers():
            tokenizer = _tokenizer(source, options)
            model = AutoModelForCausalLM.from_pretrained(
                source, dtype=torch.bfloat16 if on_gpu else torch.float32, use_safetensors=True, **options
            )
    except (OSError, ValueError, KeyError) as error:
        raise _translated(source, error) from error
    model.eval()
    return TransformersGenerator(model.to("cuda") if on_gpu else model, tokenizer, name)


def _tokenizer(source: str, options: dict[str, Any]) -> Any:
    """The tokenizer; of a folder that ragkit converted, straight from its one file (1 s instead of 3 s)."""
    import json

    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    folder = Path(source)
    if not is_converted(folder):
        return AutoTokenizer.from_pretrained(source, **options)
    settings = json.loads((folder / "tokenizer_config.json").read_bytes())
    settings.pop("tokenizer_class", None)
    return PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), **settings)


def _translated(source: str, error: Exception) -> ModelError:
    reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    if Path(source).is_dir():
        return ModelError(f"The folder {source} is not a model that can be loaded: {reason}")
    return ModelNotFoundError(
        f"No model {source!r} here, and it could not be fetched: {reason}. Check the name, connect to the network, "
        "or give a folder"
    )
