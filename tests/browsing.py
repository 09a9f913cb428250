"""A real browser and a real server for the tests of the page.

Is: starting both, and the few moves that every test makes. Is not: tests (see `test_browser_page.py`).
"""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# A machine that runs other tests at the same time may take this long to start the server, or to answer.
START_SECONDS, ANSWER_SECONDS = 90, 30
_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars --lang=en-GB"
).split()
DESKTOP, PHONE = (1366, 900), (390, 844)


def chromium() -> tuple[str, str] | None:
    """Return the paths of Chromium and its driver, or None where either is missing."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def serving(environment: dict[str, str], index: Path, folder: Path, *options: str) -> Iterator[str]:
    """Serve an index with `followup serve` in a process of its own; yield its address."""
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    database = f"sqlite:///{folder / 'conversations.sqlite'}"
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "--port", str(port), "--index", str(index), *options],
            env={"FOLLOWUP_CONVERSATIONS": database, **environment},
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            until(lambda: _answers(address, process), START_SECONDS, f"server: {folder / 'server.log'}")
            yield address
        finally:
            process.terminate()
            process.wait(20)


def _answers(address: str, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "the server ended"
    try:
        with urllib.request.urlopen(f"{address}/healthz", timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def until(holds: Callable[[], Any], seconds: float, what: str) -> Any:
    """Return what `holds` returns as soon as that is true; fail after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        if value := holds():
            return value
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.03)


class Browser:
    """One Chromium with the moves that tests make; `address` is the server's."""

    def __init__(self, address: str) -> None:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        found = chromium()
        assert found
        self.address = address
        self._profile = tempfile.mkdtemp(prefix="followup-browser-")
        options = webdriver.ChromeOptions()
        options.binary_location = found[0]
        for flag in (*_FLAGS, f"--user-data-dir={self._profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(found[1]))
        self.size(*DESKTOP)

    def quit(self) -> None:
        """Close the browser and throw its profile away."""
        self.driver.quit()
        shutil.rmtree(self._profile, ignore_errors=True)

    def size(self, width: int, height: int) -> None:
        """Make the window this many CSS pixels."""
        values = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", values)

    def prefer(self, scheme: str) -> None:
        """Prefer "light" or "dark" colours, as the system would."""
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def network(self, *, offline: bool = False, latency_ms: int = 0) -> None:
        """Cut or slow the network between browser and server."""
        values = {"offline": offline, "latency": latency_ms, "downloadThroughput": -1, "uploadThroughput": -1}
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", values)

    def fresh(self, size: tuple[int, int] = DESKTOP, scheme: str = "light") -> None:
        """Open the page as somebody who has never been here."""
        self.size(*size)
        self.prefer(scheme)
        self.driver.get(f"{self.address}/healthz")
        self.driver.delete_all_cookies()
        self.js("localStorage.clear()")
        self.driver.get(self.address)
        self.ready()

    def reload(self) -> None:
        """Load the page again, at the same address."""
        self.driver.refresh()
        self.ready()

    def ready(self) -> None:
        """Wait until the page is at rest."""
        until(lambda: self.js("return document.querySelector('#followup')?.dataset.ready"), START_SECONDS, "page")

    def js(self, script: str, *values: Any) -> Any:
        """Run a script in the page."""
        return self.driver.execute_script(script, *values)

    def all(self, selector: str) -> list[Any]:
        """Return the elements that match."""
        return list(self.driver.find_elements("css selector", selector))

    def one(self, selector: str) -> Any:
        """Return the first element that matches and is shown; wait for it."""
        script = "return [...document.querySelectorAll(arguments[0])].find((e) => e.checkVisibility()) || null"
        return until(lambda: self.js(script, selector), ANSWER_SECONDS, selector)

    def click(self, selector: str, place: int = 0) -> None:
        """Click the element at `place` among those that match and are shown, wherever it has been scrolled to."""
        # In one step: the page may draw a list anew between finding and clicking.
        script = """
            const shown = [...document.querySelectorAll(arguments[0])].filter((e) => e.checkVisibility());
            const found = shown.at(arguments[1]);
            if (found) found.click();
            return Boolean(found);"""
        until(lambda: self.js(script, selector, place), ANSWER_SECONDS, selector)

    def text(self, selector: str) -> str:
        """Return the text content of the first element that matches, hidden parts included."""
        return " ".join(
            str(self.js("return document.querySelector(arguments[0])?.textContent || ''", selector)).split()
        )

    def texts(self, selector: str) -> list[str]:
        """Return the text contents of all that match."""
        script = "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent.trim())"
        return list(self.js(script, selector))

    def turns(self) -> int:
        """Return how many turns are complete."""
        return int(self.js("return document.querySelectorAll('#conversation .turn .actions').length"))

    def ask(self, question: str) -> None:
        """Type a question, send it and wait for the whole answer."""
        before = self.turns()
        box = self.one("#question")
        box.clear()
        box.send_keys(question)
        self.one("#send").click()
        self.answered(before)

    def answered(self, before: int) -> None:
        """Wait until there is a turn more than `before`."""
        until(lambda: self.turns() > before, ANSWER_SECONDS, "answer")

    def settled(self) -> None:
        """Wait until no animation or transition runs: colours are what they will be."""
        until(lambda: not self.js("return document.getAnimations().length"), 5, "animations")

    def picture(self, name: str) -> None:
        """Write a picture into docs/pictures, if FOLLOWUP_PICTURES asks for them."""
        if os.environ.get("FOLLOWUP_PICTURES"):
            from PIL import Image

            folder = ROOT / "docs" / "pictures"
            folder.mkdir(parents=True, exist_ok=True)
            self.settled()
            picture = Image.open(io.BytesIO(self.driver.get_screenshot_as_png())).convert("RGB")
            # Few colours: the page has few, and a README loads faster.
            picture.quantize(128, dither=Image.Dither.NONE).save(folder / f"{name}.png", optimize=True)

    def faults(self) -> list[str]:
        """Return what the console says went wrong since it was last asked."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def requested(self) -> list[str]:
        """Return the addresses that were requested since it was last asked."""
        rows = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        return [row["params"]["request"]["url"] for row in rows if row["method"] == "Network.requestWillBeSent"]
