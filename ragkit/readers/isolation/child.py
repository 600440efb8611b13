"""A process that is started to read files, and the three pipes to it: messages enter, messages leave.

Nothing here knows what the messages mean. Called by `isolation`, which decides when a process has had its time.
"""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from ragkit.readers.isolation.wire import Limits, Message, receive, send
from ragkit.readers.opening import printable

CLOSE_S = 1.0
"""A child whose work is done ends within milliseconds; one that has not after this is ended."""

MAX_STDERR_BYTES = 4_096
"""So much of the end of what the child complains about is kept."""

MAX_COMPLAINT_CHARS = 200
"""So much of its last line is told."""

_KEPT_VARIABLES = """
PATH HOME USERPROFILE LANG LANGUAGE LC_ALL LC_CTYPE TZ TMPDIR TEMP TMP SYSTEMROOT WINDIR COMSPEC PATHEXT
LD_LIBRARY_PATH DYLD_LIBRARY_PATH PYTHONHOME TESSDATA_PREFIX OMP_THREAD_LIMIT
""".split()  # what an interpreter and tesseract need to start; no keys, tokens or proxies

_PACKAGE = Path(__file__).absolute().parents[2]

# Starts the worker without running ragkit/__init__.py, which would load all of ragkit with numpy and httpx.
_START = """
import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
spec = ModuleSpec("ragkit", None, is_package=True)
spec.submodule_search_locations = [sys.argv[1]]
sys.modules["ragkit"] = module_from_spec(spec)
sys.path.append(sys.argv[2])
from ragkit.readers.isolation.worker import main
main(sys.argv[3])
"""


class Child:
    """A running process with three pipes.

    One thread talks to it, so that neither a full nor an empty pipe can make the caller wait longer than it wants to.
    Another listens to what it complains about, so that it never waits for that.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.files = 0
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=_PACKAGE,  # not where the documents are
            env=_environment(os.environ),
            start_new_session=True,  # a group of its own, that can be ended as one and that Ctrl-C does not reach
            creationflags=_creation_flags(),
        )
        self._requests: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._replies: queue.SimpleQueue[Message | Exception] = queue.SimpleQueue()
        self._complaints = b""
        pipes = self._process.stdin, self._process.stdout
        self._threads = (
            threading.Thread(target=self._talk, args=pipes, daemon=True),
            threading.Thread(target=self._listen, args=(self._process.stderr,), daemon=True),
        )
        for thread in self._threads:
            thread.start()

    def ask(self, request: Message, timeout_s: float) -> Message:
        """The reply to a request.

        Raises:
            TimeoutError: There is none yet.
            EOFError: The child has ended.
            OSError: The same.
            ValueError: The reply is too long.
        """
        self.files += 1
        self._complaints = b""
        self._requests.put(request)
        try:
            reply = self._replies.get(timeout=timeout_s)
        except queue.Empty:
            raise TimeoutError from None
        if isinstance(reply, Exception):
            raise reply
        return reply

    def has_ended(self) -> bool:
        """Whether the process is no more."""
        return self._process.poll() is not None

    def ending(self) -> str:
        """How the process ended, and the last line of its complaints; to be called when its pipes are closed."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(CLOSE_S)
        self._threads[1].join(CLOSE_S)
        status = self._process.returncode
        if status is None:
            how = "it went on without its pipes"
        else:
            how = f"signal {-status}" if status < 0 else f"exit status {status}"
        lines = self._complaints.decode(errors="replace").strip().splitlines()
        return ": ".join((how, *(printable(line.strip())[:MAX_COMPLAINT_CHARS] for line in lines[-1:])))

    def close(self) -> None:
        """Closes its stdin, which ends it; after a while by force."""
        self._requests.put(None)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(CLOSE_S)
        self.kill()

    def kill(self) -> None:
        """Ends the process and those it started, at once."""
        if sys.platform == "win32":
            self._process.kill()
        else:
            with suppress(OSError):  # there is none left
                os.killpg(self._process.pid, signal.SIGKILL)
        self._requests.put(None)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(CLOSE_S)
        for thread in self._threads:
            thread.join(CLOSE_S)

    def _talk(self, stdin: IO[bytes], stdout: IO[bytes]) -> None:
        try:
            while (request := self._requests.get()) is not None:
                send(stdin, request)
                self._replies.put(receive(stdout))
        except (EOFError, OSError, ValueError, MemoryError) as exc:
            self._replies.put(exc)
        finally:
            for pipe in (stdin, stdout):
                with suppress(OSError):  # what was not sent to a process that has ended
                    pipe.close()

    def _listen(self, stderr: IO[bytes]) -> None:
        with stderr:
            while said := os.read(stderr.fileno(), MAX_STDERR_BYTES):
                self._complaints = (self._complaints + said)[-MAX_STDERR_BYTES:]


def worker_command(limits: Limits) -> tuple[str, ...]:
    """What starts `worker` in an interpreter like this one, wherever this package lies."""
    flags = ("-P", "-B", *(["-s"] if sys.flags.no_user_site else []), "-X", "utf8")
    return (sys.executable, *flags, "-c", _START, str(_PACKAGE), str(_PACKAGE.parent), limits.to_argument())


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    """What the child may know of the environment; where Python looks for libraries is where it looks here."""
    kept = {name: variables[name] for name in _KEPT_VARIABLES if name in variables}
    places = [] if sys.flags.ignore_environment else variables.get("PYTHONPATH", "").split(os.pathsep)
    libraries = os.pathsep.join(str(Path(place).absolute()) for place in places if place)
    return kept | ({"PYTHONPATH": libraries} if libraries else {})


def _creation_flags() -> int:
    if sys.platform == "win32":
        return subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    return 0
