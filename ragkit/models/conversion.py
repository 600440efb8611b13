"""GGUF files turned once into safetensors folders in the cache, so that later starts map the weights at once.

transformers reads a GGUF file in most of a minute; the folder written here loads in a tenth of a second. A folder is
named by the hash of its source and the version of this module, is built beside its place and renamed into it, and
carries a manifest of hashes: a missing or changed file makes it be built again. Called by `loading`.
"""

import contextlib
import io
import json
import os
import shutil
import struct
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ragkit.durable import sync, write_atomically
from ragkit.errors import StorageError, WeightsError
from ragkit.models.weights import WRITER, cache_folder, file_sha256, join_parts

OnMessage = Callable[[str], None]

CONVERTER_VERSION = 1
MANIFEST = "manifest.json"


def writer_folder(on_message: OnMessage | None = None) -> Path:
    """Folder of the shipped writing model, converted on first use."""
    return _converted(WRITER.sha256, lambda target: join_parts(WRITER, target), "the writing model", on_message)


def convert_gguf(gguf: Path, on_message: OnMessage | None = None) -> Path:
    """Folder with the weights, configuration and tokenizer of a `.gguf` file, converted on first use."""
    return _converted(file_sha256(gguf), lambda target: _link(gguf, target), gguf.name, on_message)


def is_converted(folder: Path) -> bool:
    """Whether this module wrote the folder, so that its `tokenizer.json` says everything about its tokenizer."""
    return (folder / MANIFEST).is_file()


def _converted(sha256: str, provide: Callable[[Path], None], what: str, on_message: OnMessage | None) -> Path:
    """The folder for a source of this hash; `provide(path)` puts the GGUF file there when it is needed."""
    say = on_message or _keep_quiet
    folder = cache_folder() / "models" / f"{sha256[:16]}-v{CONVERTER_VERSION}"
    if _is_sound(folder):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder.with_name(f"{folder.name}.lock"), what, say):
            if not _is_sound(folder):
                say(f"Preparing {what} (once, about a minute)...")
                _build(folder, sha256, provide, what)
    except OSError as error:
        raise StorageError(
            f"Cannot prepare {what} in {folder.parent}: {error.strerror or error}. "
            "Free some space or set RAGKIT_CACHE to a folder with 4 GB free"
        ) from error
    return folder


def _keep_quiet(_message: str) -> None:
    return


def _is_sound(folder: Path) -> bool:
    """Whether every file that the manifest names is there with its hash."""
    try:
        files: dict[str, str] = json.loads((folder / MANIFEST).read_bytes())["files"]
        return all((folder / name).is_file() and file_sha256(folder / name) == sha for name, sha in files.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


@contextlib.contextmanager
def _locked(path: Path, what: str, say: OnMessage) -> Iterator[None]:
    """One process converts; another that needs the same model waits for it."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"Waiting for another process that prepares {what}...")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _build(folder: Path, sha256: str, provide: Callable[[Path], None], what: str) -> None:
    partial = folder.with_name(f"{folder.name}.partial")
    source = folder.with_name(f"{folder.name}.source")
    for leftover in (partial, source, folder):
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        source.mkdir()
        partial.mkdir()
        provide(source / "model.gguf")
        with _unreadable(what, source):
            _write_model(source, partial)
        for file in (*partial.iterdir(), partial):
            sync(file)
        partial.rename(folder)
        _write_manifest(folder, sha256)
    finally:
        shutil.rmtree(source, ignore_errors=True)
        shutil.rmtree(partial, ignore_errors=True)


def _link(gguf: Path, target: Path) -> None:
    """Show the file under another name, so that nothing that lies beside it is taken for a part of the model."""
    try:
        target.symlink_to(gguf.absolute())
    except OSError:
        shutil.copyfile(gguf, target)


def _write_model(source: Path, target: Path) -> None:
    """Read `source/model.gguf` with transformers and write it as a folder that loads without conversion.

    Weights are kept in float32 (twice the disk of bfloat16): they are mapped as they are, where a cast takes seconds.
    """
    import torch
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    options: dict[str, Any] = {"gguf_file": "model.gguf", "local_files_only": True, "trust_remote_code": False}
    with quiet_transformers(), _gguf_read_once():
        tokenizer = AutoTokenizer.from_pretrained(source, **options)
        model = AutoModelForCausalLM.from_pretrained(
            source, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True), **options
        )
        _write_tokenizer(tokenizer, target)
        _write_config(model, target)
        save_file(_untied(model.state_dict()), target / "model.safetensors", metadata={"format": "pt"})
        (target / "model.safetensors").chmod(0o644)


@contextlib.contextmanager
def _unreadable(what: str, source: Path) -> Iterator[None]:
    """Turns whatever a parser stumbles over in a GGUF file that is broken or of an unknown kind into one line."""
    from safetensors import SafetensorError

    stumbles = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError)
    try:
        yield
    except (*stumbles, RuntimeError, MemoryError, struct.error, SafetensorError) as error:
        reason = str(error).replace(f"{source}{os.sep}", "").partition("\n")[0].rstrip(". ")
        raise WeightsError(
            f"Cannot read {what} as a GGUF file: {reason or type(error).__name__}. Check the file, or use a model of "
            "another architecture or its safetensors folder"
        ) from error


def _write_config(model: Any, target: Path) -> None:
    config = model.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    config.architectures = [type(model).__name__]
    config.save_pretrained(target)
    model.generation_config.save_pretrained(target)


def _write_tokenizer(tokenizer: Any, target: Path) -> None:
    """Save the tokenizer without indentation and without a class of its own, which would build it a second time."""
    tokenizer.save_pretrained(target, save_jinja_files=False)
    whole, settings = target / "tokenizer.json", target / "tokenizer_config.json"
    whole.write_text(json.dumps(json.loads(whole.read_bytes()), ensure_ascii=False), encoding="utf-8")
    kept = json.loads(settings.read_bytes()) | {"tokenizer_class": "PreTrainedTokenizerFast"}
    for of_this_run in ("name_or_path", "is_local", "local_files_only", "backend"):
        kept.pop(of_this_run, None)
    settings.write_text(json.dumps(kept, ensure_ascii=False, indent=2), encoding="utf-8")


def _untied(state: dict[str, Any]) -> dict[str, Any]:
    """The tensors by name, each stored once: a tied output layer is the embedding table again."""
    kept: dict[Any, tuple[str, Any]] = {}
    for name, tensor in state.items():
        kept.setdefault((tensor.data_ptr(), tensor.shape), (name, tensor.contiguous()))
    return dict(kept.values())


def _write_manifest(folder: Path, sha256: str) -> None:
    """Written last: a folder without it was left by a crash."""
    files = {file.name: file_sha256(file) for file in sorted(folder.iterdir())}
    write_atomically(folder / MANIFEST, json.dumps({"source_sha256": sha256, "files": files}, indent=2).encode())
    sync(folder)
    sync(folder.parent)


@contextlib.contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keeps transformers' warnings and progress bars off the terminal, and puts its settings back afterwards."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


@contextlib.contextmanager
def _gguf_read_once() -> Iterator[None]:
    """Lets configuration, tokenizer and weights share one parsed file, and hides the bar that ignores all settings.

    transformers parses the file anew for each of the three; with a vocabulary of 262,000 that is 10 s every time.
    """
    import gguf

    reader, parsed = gguf.GGUFReader, {}

    def read(path: Any, *arguments: Any) -> Any:
        if str(path) not in parsed:
            parsed[str(path)] = reader(path, *arguments)
        return parsed[str(path)]

    gguf.GGUFReader = read
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        gguf.GGUFReader = reader
