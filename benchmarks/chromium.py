"""A page in a real browser, for tests and benchmarks: headless Chromium, spoken to over its debugging pipe.

The DevTools protocol as JSON, each message ended by a zero byte, on descriptors 3 and 4 of the browser
(`--remote-debugging-pipe`); no port is opened and no package is needed. What a page writes to its console, throws or
is refused by its content security policy is kept in `Page.complaints`.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
LIMIT = 60.0
"""s to wait for an answer: a browser that has died must not hang a test."""
Facts = dict[str, Any]


def program() -> str:
    """Path of the browser; empty when there is none."""
    return next((found for one in PROGRAMS if (found := shutil.which(one))), "")


@contextmanager
def chromium() -> Iterator[Chromium]:
    """A browser with an empty profile, ended on leaving. RuntimeError when there is none or it does not answer."""
    if not (path := program()):
        raise RuntimeError(f"none of {', '.join(PROGRAMS)} is installed")
    with tempfile.TemporaryDirectory(prefix="v2hrig-browser-", ignore_cleanup_errors=True) as profile:
        flags = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
                 "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe")  # fmt: skip
        hers, ours, theirs, mine = _pipe_pair()
        null = os.open(os.devnull, os.O_RDWR)
        actions = [(os.POSIX_SPAWN_DUP2, null, n) for n in (0, 1, 2)]
        actions += [(os.POSIX_SPAWN_DUP2, hers, 3), (os.POSIX_SPAWN_DUP2, theirs, 4)]
        argv = [path, *flags, f"--user-data-dir={profile}", "about:blank"]
        pid = os.posix_spawn(path, argv, os.environ, file_actions=actions, setpgroup=0)
        for one in (hers, theirs, null):
            os.close(one)
        try:
            yield Chromium(ours, mine)
        finally:
            os.close(ours)
            os.close(mine)
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _pipe_pair() -> tuple[int, int, int, int]:
    """Two pipes, on numbers above those they are laid on in the child: its in, our out, its out, our in."""
    ends = [*os.pipe(), *os.pipe()]
    high = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 10) for one in ends]
    for one in ends:
        os.close(one)
    return high[0], high[1], high[3], high[2]


class Chromium:
    """The browser's end of the pipe."""

    def __init__(self, to: int, back: int) -> None:
        self._to, self._back, self._rest, self._number = to, back, b"", 0
        self._pages: dict[str, Page] = {}

    def page(self, width: int = 1280, height: int = 900, dark: bool = False) -> Page:
        """A new tab. width, height: CSS px."""
        target = self.ask("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.ask("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = self._pages[session] = Page(self, session)
        for domain in ("Page", "Runtime", "Log"):
            page.ask(f"{domain}.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        page.ask("Emulation.setDeviceMetricsOverride", size)
        page.emulate(dark=dark)
        return page

    def ask(self, method: str, values: Facts | None = None, session: str = "") -> Facts:
        """Send a command and wait for its answer. RuntimeError for one refused, or none within LIMIT."""
        self._number += 1
        told: Facts = {"id": self._number, "method": method, "params": values or {}}
        if session:
            told["sessionId"] = session
        raw = json.dumps(told).encode() + b"\0"
        while raw:
            raw = raw[os.write(self._to, raw) :]
        while True:
            heard = self.hear()
            if heard.get("id") == told["id"]:
                if "error" in heard:
                    raise RuntimeError(f"{method}: {heard['error'].get('message')}")
                answer: Facts = heard["result"]
                return answer

    def hear(self) -> Facts:
        """The next message; an event is given to its page as well."""
        while b"\0" not in self._rest:
            if not select.select([self._back], [], [], LIMIT)[0]:
                raise RuntimeError(f"the browser said nothing for {LIMIT:g} s")
            if not (more := os.read(self._back, 1 << 20)):
                raise RuntimeError("the browser has ended")
            self._rest += more
        raw, _, self._rest = self._rest.partition(b"\0")
        heard: Facts = json.loads(raw)
        if page := self._pages.get(heard.get("sessionId", "")):
            page.told(heard.get("method", ""), heard.get("params", {}))
        return heard


class Page:
    """A tab. complaints: errors and warnings of its console, its scripts and its policy."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self._browser, self._session, self._loaded = browser, session, False
        self.complaints: list[str] = []

    def ask(self, method: str, values: Facts | None = None) -> Facts:
        """As Chromium.ask, of this tab."""
        return self._browser.ask(method, values, self._session)

    def told(self, method: str, values: Facts) -> None:
        """An event."""
        match method:
            case "Page.loadEventFired":
                self._loaded = True
            case "Runtime.exceptionThrown":
                details = values["exceptionDetails"]
                self.complaints.append(details.get("exception", {}).get("description") or details["text"])
            case "Runtime.consoleAPICalled" if values["type"] in ("error", "warning", "assert"):
                self.complaints.append(" ".join(str(one.get("value", "")) for one in values["args"]))
            case "Log.entryAdded" if values["entry"]["level"] in ("error", "warning"):
                self.complaints.append(values["entry"]["text"])

    def open(self, path: Path, fragment: str = "") -> None:
        """Load a file, and wait until it is loaded."""
        self.go(path.resolve().as_uri() + (f"#{fragment}" if fragment else ""))

    def go(self, url: str) -> None:
        """Load an address, and wait until it is loaded."""
        self._loaded = False
        found = self.ask("Page.navigate", {"url": url})
        if "errorText" in found:
            raise RuntimeError(f"{url}: {found['errorText']}")
        while not self._loaded and "loaderId" in found:
            self._browser.hear()

    def does(self, script: str) -> Any:
        """The value of an expression of JavaScript, awaited if it is a promise. RuntimeError with what it throws."""
        values = {"expression": script, "returnByValue": True, "awaitPromise": True}
        found = self.ask("Runtime.evaluate", values)
        if "exceptionDetails" in found:
            details = found["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description") or details["text"])
        return found["result"].get("value")

    def painted(self) -> float:
        """ms since the load began, after the next frame was painted."""
        twice = "new Promise(d => requestAnimationFrame(() => requestAnimationFrame(() => d(performance.now()))))"
        return float(self.does(twice))

    def key(self, key: str, code: str = "", shift: bool = False) -> None:
        """Press and release a key, as KeyboardEvent.key names it."""
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        number = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowRight": 39, "ArrowUp": 38,
                  "ArrowDown": 40, "Home": 36, "End": 35, " ": 32}.get(key, ord(key[0].upper()))  # fmt: skip
        facts: Facts = {"key": key, "code": code or key, "windowsVirtualKeyCode": number, "modifiers": 8 * shift}
        self.ask("Input.dispatchKeyEvent", {"type": "keyDown", **facts, **text})
        self.ask("Input.dispatchKeyEvent", {"type": "keyUp", **facts})

    def type(self, text: str) -> None:
        """Each character of a text."""
        for one in text:
            self.key(one)

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """kind: mousePressed, mouseReleased, mouseMoved or mouseWheel, at CSS px of the viewport."""
        button: Facts = {"button": "left", "clickCount": 1} if kind in ("mousePressed", "mouseReleased") else {}
        self.ask("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, **button, **more})

    def emulate(self, dark: bool = False, paper: bool = False) -> None:
        """The reader's wish for dark, or the page as it is printed."""
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.ask("Emulation.setEmulatedMedia", {"media": "print" if paper else "", "features": features})

    def picture(self, path: Path, whole: bool = False) -> None:
        """A PNG of what is seen, or of the whole page."""
        raw = self.ask("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": whole})["data"]
        path.write_bytes(base64.b64decode(raw))

    def pdf(self) -> bytes:
        """The page printed on A4."""
        found = self.ask("Page.printToPDF", {"paperWidth": 8.27, "paperHeight": 11.69, "printBackground": True})
        return base64.b64decode(found["data"])
