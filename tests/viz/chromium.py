"""Chromium without a window, driven over its debugging pipe: one command, one answer.

https://chromedevtools.github.io/devtools-protocol; a message is JSON that ends with a zero byte.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.viz.browser import CHROMIUM

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-pipe",
)  # fmt: skip
"""No network: every name is unknown."""

START = """
import os, sys
given = [os.dup(int(k)) for k in sys.argv[1:3]]
for place, pipe in enumerate(given, 3):
    os.dup2(pipe, place)
    os.set_inheritable(place, True)  # also where it stood there before
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Starts the browser with the pipes on descriptors 3 and 4, where it looks for them."""

TROUBLE = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")


class Chromium:
    """A browser with one page; a context that ends it."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        (commands, self.write), (read, answers) = os.pipe(), os.pipe()
        self.read = os.fdopen(read, "rb")
        browser = [str(CHROMIUM), *FLAGS, f"--user-data-dir={self.folder.name}"]
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, str(commands), str(answers), *browser],
            pass_fds=(commands, answers), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(commands)
        os.close(answers)
        self.number, self.session = 0, ""
        self.events: list[dict[str, Any]] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Log"):
            self.send(f"{domain}.enable")

    def __enter__(self) -> Chromium:
        return self

    def __exit__(self, *error: object) -> None:
        self.session = ""
        self.send("Browser.close")
        self.process.wait(20)
        os.close(self.write)
        self.read.close()
        self.folder.cleanup()

    def send(self, method: str, **params: Any) -> Any:
        """What the browser answers to a command."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self.number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def _next(self) -> dict[str, Any]:
        parts = []
        while (byte := self.read.read(1)) != b"\0":
            assert byte, "the browser is gone"
            parts.append(byte)
        return json.loads(b"".join(parts))  # type: ignore[no-any-return]  # a message

    def open(self, path: Path, fragment: str = "") -> None:
        """Load a file; a fragment alone changes nothing else."""
        self.events.clear()
        self.send("Page.navigate", url="about:blank")
        self.send("Page.navigate", url=path.as_uri() + fragment)
        while self.run("document.readyState") != "complete":
            pass

    def run(self, expression: str) -> Any:
        """The value of an expression in the page."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def size(self, width: int, height: int = 900) -> None:
        """The window."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)  # fmt: skip

    def media(self, scheme: str = "light") -> None:
        """Light or dark."""
        self.send("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])  # fmt: skip

    def picture(self) -> bytes:
        """The window as PNG."""
        return base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"])

    def printed(self) -> bytes:
        """The page on paper, as PDF."""
        answer = self.send(
            "Page.printToPDF", printBackground=True, paperWidth=8.27, paperHeight=11.7
        )
        return base64.b64decode(answer["data"])

    @property
    def trouble(self) -> list[dict[str, Any]]:
        """What the console would show."""
        return [event for event in self.events if event.get("method") in TROUBLE]
