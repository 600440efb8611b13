"""Files and folders enter; whenever something changes in them, the caller is told, until it is interrupted.

Called by the command line for `ragkit index --watch`. The system says what changes; a burst of changes is told once.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from ragkit.errors import InputError, StorageError
from ragkit.index.files import real_path

QUIET_MS = 1_000
"""A burst of changes, such as a folder that is being copied, is over when nothing changed for this long."""

LONGEST_WAIT_MS = 30_000
"""Where something changes all the time, it is told after this."""


def changes_in(paths: Sequence[str | Path], index: Path) -> Iterator[int]:
    """0 as soon as nothing is missed any more, then how many files changed, each time that some did.

    Those of the index itself do not count.

    Raises:
        InputError: The library that watches is not installed.
        StorageError: The system cannot watch so much.
    """
    try:
        from watchfiles import Change, DefaultFilter, watch
    except ModuleNotFoundError as exc:
        raise InputError("--watch needs an extra: pip install 'ragkit-qa[watch]'") from exc
    usual, own, known = DefaultFilter(), real_path(index), _identities(paths)

    def counts(change: Change, path: str) -> bool:
        return usual(change, path) and not real_path(path).is_relative_to(own)

    watched = partial(
        watch,
        *paths,
        watch_filter=counts,
        step=QUIET_MS,
        debounce=LONGEST_WAIT_MS,
        rust_timeout=QUIET_MS,
        yield_on_timeout=True,
        raise_interrupt=True,
    )
    roots = {str(real_path(path)) for path in paths} | {str(Path(path).absolute()) for path in paths}
    missed = 0
    try:
        while True:
            is_begun = is_replaced = False
            for changes in watched():
                if changes or not is_begun:
                    yield max(len(changes), missed)
                is_begun = True
                now, gone = _identities(paths), {path for change, path in changes if change == Change.deleted}
                is_replaced = is_replaced or now != known or not gone.isdisjoint(roots)
                if is_replaced and None not in now:
                    break  # what is there now is another of that name, of which nothing would be told
            known, missed = now, 1
    except (OSError, RuntimeError) as exc:
        names = ", ".join(map(str, paths))
        raise StorageError(f"{names} cannot be watched: {exc}. Watch less, or index again by hand") from exc


def _identities(paths: Sequence[str | Path]) -> list[tuple[int, int] | None]:
    """What each path leads to, whatever it is called; None where there is nothing."""
    found: list[tuple[int, int] | None] = []
    for path in paths:
        try:
            status = Path(path).stat()
        except OSError:
            found.append(None)
        else:
            found.append((status.st_dev, status.st_ino))
    return found
