"""What runs in the process that reads files nobody vouches for: requests enter by stdin, replies leave by stdout.

It opens no file of the user's: the bytes come through the pipe. Before the first it gives up what it does not need:
memory, time, writing files. It ends when stdin does. Started by `isolation`, with its `Limits` as the only argument.
"""

import math
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from ragkit.errors import DocumentError
from ragkit.readers import extract
from ragkit.readers.isolation.wire import (
    Limits,
    Message,
    Request,
    decode_request,
    encode_extracted,
    encode_failure,
    receive,
    send,
)

if sys.platform != "win32":
    import resource

GRACE_S = 15
"""Later than the parent would end it, this process ends itself: for when the parent is gone and cannot."""

MAX_OPEN_FILES = 64
"""Enough to import a library and to start a program; too few to be of use to anyone else."""

MAX_SCRATCH_BYTES = 64 * 1024 * 1024
"""Programs that recognise pages are handed them in files; a page is no larger than this. Otherwise none is written."""


def main(argument: str) -> None:
    """Reads files until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    requests, replies = _own_pipes()
    limits = Limits.from_argument(argument)
    set_limits(limits)
    with suppress(EOFError, BrokenPipeError):
        while True:
            request = decode_request(receive(requests))
            _set_clock(limits.timeout_s + GRACE_S)
            send(replies, answer(request, limits))
            _set_clock(0)


def _own_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The pipes to the parent, out of the reach of whatever prints to stdout or starts a program."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, replies


def set_limits(limits: Limits) -> None:
    """Gives up for good what is not needed, as far as the system lets a process do so."""
    if sys.platform == "win32":
        return
    scratch = MAX_SCRATCH_BYTES if limits.may_write else 0
    for kind, amount in (
        (resource.RLIMIT_AS, _address_space() + limits.memory_bytes),
        (resource.RLIMIT_FSIZE, scratch),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES),
    ):
        allowed = _allowed(kind, amount)
        with suppress(OSError, ValueError):  # macOS refuses to bound the address space
            resource.setrlimit(kind, (allowed, allowed))


def _allowed(kind: int, amount: int) -> int:
    """The amount, or the hard limit if that is less."""
    _, most = resource.getrlimit(kind)
    return amount if most == resource.RLIM_INFINITY else min(amount, most)


def _address_space() -> int:
    """Bytes that this process has mapped; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_bytes().split()[0])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _set_clock(seconds: float) -> None:
    """From now on the process has so many seconds, whether it computes or waits; 0 for as long as it likes."""
    if sys.platform == "win32":
        return
    signal.setitimer(signal.ITIMER_REAL, seconds)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    used = math.ceil(usage.ru_utime + usage.ru_stime)
    soft = _allowed(resource.RLIMIT_CPU, used + math.ceil(seconds)) if seconds else most
    resource.setrlimit(resource.RLIMIT_CPU, (soft, most))


def answer(request: Request, limits: Limits) -> Message:
    """The reply to one request, whatever is in the file."""
    try:
        return encode_extracted(extract(request.name, request.data, request.options), request.name)
    except DocumentError as exc:
        return encode_failure(str(exc))
    except MemoryError:
        allowed = f"{limits.memory_bytes / 2**30:.3g} GB"
        reason = f"needs more memory than the limit of {allowed}. Split it into parts or leave it out."
    return encode_failure(f"{request.name} {reason}")


if __name__ == "__main__":
    main(sys.argv[1])
