"""Files that are whole or not there, whatever happens meanwhile. Called by `index` and `models`."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Returns once a file, or the names in a folder, are on the disk; on Windows folders need no sync."""
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(file: Path, content: bytes, *, is_shared: bool = False) -> None:
    """Puts a whole file in its place, or leaves what was there; its folder is made if need be.

    A file is shared if two processes may write it at once.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{os.getpid()}.draft" if is_shared else f"{file.name}.draft")
    try:
        with draft.open("wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    sync(file.parent)
