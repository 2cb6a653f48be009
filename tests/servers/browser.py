"""Chromium for the tests: one that stays at home and starts in containers too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from playwright.sync_api import Browser, Error, sync_playwright

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
    """Finds the program once; each `launch` is a browser of its own."""

    @cache  # noqa: B019 -- one object lives as long as the run
    def path(self) -> Path:
        return programs.chromium()

    @contextmanager
    def launch(self) -> Iterator[Browser]:
        """A running browser. Missing when there is none, Unavailable when it does not start."""
        path = self.path()
        with sync_playwright() as playwright:
            try:
                browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            except Error as error:
                raise Unavailable(f"{path} does not start: {error.message[:300]}") from error
            try:
                yield browser
            finally:
                browser.close()
