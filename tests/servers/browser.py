"""Chromium for the tests: one that stays at home and starts in containers too."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Error, Playwright

from tests.servers import programs
from tests.servers.process import Unavailable

FLAGS = [
    # Tests may run as root and in containers, which the sandbox does not like; only our own pages are shown.
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    # No calls to its maker: a test must not depend on the world outside.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-first-run",
    "--no-pings",
    # The same picture on each machine.
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
]


class Browsers:
    """Looks for the program once, because trying it out takes a moment."""

    def __init__(self) -> None:
        self._found: Path | programs.Missing | None = None

    def path(self) -> Path | programs.Missing:
        """The program, or why there is none."""
        if self._found is None:
            try:
                self._found = programs.chromium()
            except programs.Missing as missing:
                self._found = missing
        return self._found


def launch(playwright: Playwright, path: Path) -> Browser | Unavailable:
    """A running browser, or why it does not start."""
    try:
        return playwright.chromium.launch(executable_path=path, args=FLAGS)
    except Error as error:
        return Unavailable(f"{path} does not start: {error.message[:300]}")
