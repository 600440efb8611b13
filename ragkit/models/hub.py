"""Hub ids to folders on this disk: from the local hub cache, or fetched once when that is allowed.

Models are then read from the folder like any other, so nothing else ever asks the network. Called by `loading`.
"""

from pathlib import Path

from ragkit.errors import ModelNotFoundError

# What a model needs to be read; other formats of the same weights stay where they are.
_WANTED = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"]
_UNWANTED = ["onnx/*", "openvino/*", "original/*"]


def hub_folder(model: str, *, offline: bool) -> Path:
    """The folder of a model in the local hub cache, after fetching it where it is not there.

    Raises:
        ModelNotFoundError: It is not in the cache, and `offline` is set, the hub cannot be reached or has no such id.
    """
    import httpx
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        folder = _snapshot(model, local=True)
        if folder is not None and _is_whole(folder):
            return folder
        if not offline:
            folder = _snapshot(model, local=False)
    except (OSError, HFValidationError, HfHubHTTPError, httpx.HTTPError) as error:
        raise _not_found(model, f"it could not be fetched ({_first_line(error)})") from error
    if folder is None:
        raise _not_found(model, "fetching is off (--offline)")
    if not _is_whole(folder):
        raise _not_found(model, f"what is in {folder} has no config.json or no safetensors weights")
    return folder


def _snapshot(model: str, *, local: bool) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        found = snapshot_download(model, allow_patterns=_WANTED, ignore_patterns=_UNWANTED, local_files_only=local)
    except LocalEntryNotFoundError:
        if not local:
            raise
        return None
    return Path(found)


def _is_whole(folder: Path) -> bool:
    return (folder / "config.json").is_file() and next(folder.glob("*.safetensors"), None) is not None


def _not_found(model: str, reason: str) -> ModelNotFoundError:
    return ModelNotFoundError(
        f"There is no model {model!r} here and {reason}. Check the name, connect to the network without --offline, "
        "or give a folder; without a name ragkit uses the model that came with it"
    )


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
