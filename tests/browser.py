"""A headless Chromium for tests, spoken to through pipes by the DevTools protocol; no driver and no network."""

import base64
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Self

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
KEYS = {"Enter": (13, "\r"), "Tab": (9, ""), "ArrowDown": (40, ""), " ": (32, " ")}


class Browser:
    """One page, opened from a file.

    Attributes:
        complaints: What the console was told as an error or a warning, and what the browser refused to load.
    """

    def __init__(self, profile: Path):
        command_out, self._to_browser = os.pipe()
        self._from_browser, answer_in = os.pipe()
        options = (
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
        )
        flags = (*options, "--disable-dev-shm-usage", "--remote-debugging-pipe", f"--user-data-dir={profile}")
        # The browser reads its orders from descriptor 3 and writes answers to 4.
        script = f'exec "$0" "$@" 3<&{command_out} 4>&{answer_in}'
        self._process = subprocess.Popen(
            ["bash", "-c", script, PROGRAM or "", *flags, "about:blank"],
            pass_fds=(command_out, answer_in),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(command_out)
        os.close(answer_in)
        self.complaints: list[str] = []
        self._sent = 0
        self._unread = b""
        self._session: str | None = None
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session = None
        self.call("Browser.close")
        self._process.wait(timeout=30)
        os.close(self._to_browser)
        os.close(self._from_browser)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of one command; events that come before it are looked through."""
        self._sent += 1
        number = self._sent
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to_browser, json.dumps(message).encode() + b"\0")
        while (answer := self._receive()).get("id") != number:
            self._notice(answer)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def open(self, file: Path, *, dark: bool = False, width: int = 1280, height: int = 900) -> float:
        """Opens the file and gives back the seconds until its script has run."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        narrow = width < 600
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=narrow)
        started = time.perf_counter()
        self.call("Page.navigate", url=file.as_uri())
        while self.run("document.readyState") != "complete" or self.run("location.href") == "about:blank":
            time.sleep(0.01)
        return time.perf_counter() - started

    def run(self, code: str) -> Any:
        """The value of an expression of JavaScript in the page."""
        result = self.call("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def press(self, key: str) -> None:
        """Presses and lets go of one key: a name in `KEYS`, or a character."""
        code, text = KEYS[key] if key in KEYS else (ord(key.upper()), key)
        pressed = {"key": key, "windowsVirtualKeyCode": code, "code": key if key in KEYS and key != " " else ""}
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **pressed)
        self.call("Input.dispatchKeyEvent", type="keyUp", **pressed)

    def type(self, text: str) -> None:
        """Presses the keys of a text, one after the other."""
        for character in text:
            self.press(character)

    def shoot(self, file: Path, *, whole: bool = False) -> None:
        """Writes what is seen, or the whole page, as a PNG."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(shot["data"]))

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            read = os.read(self._from_browser, 1 << 16)
            assert read, "Chromium ended"
            self._unread += read
        message, _, self._unread = self._unread.partition(b"\0")
        return json.loads(message)

    def _notice(self, event: dict[str, Any]) -> None:
        method, given = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(given["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and given["type"] in ("error", "warning", "assert"):
            self.complaints.append(json.dumps(given["args"]))
        elif method == "Log.entryAdded" and given["entry"]["level"] in ("error", "warning"):
            self.complaints.append(given["entry"]["text"])
