"""`outage-notify demo`: play the story, print the table and the addresses, stay or go."""

from __future__ import annotations

import signal
import threading

from rich.console import Console

from outage_notify.demo import closing, story
from outage_notify.demo.stage import stage
from outage_notify.settings import Settings


def run_demo(settings: Settings, *, stay: bool = True, inject_double: bool = False) -> int:
    """Exit status 0 if everybody was told once and nobody twice, 1 if not.

    With `stay` the web server and the worker go on until Ctrl-C.
    """
    out = Console(stderr=True, highlight=False)
    with stage(settings) as built:
        told = story.opening(built, out)
        good = story.play(told, inject_double=inject_double)
        if stay:
            closing.addresses(told)
            out.print("[bold]The web server and the worker go on. Ctrl-C ends them.")
            _wait()
    return 0 if good else 1


def _wait() -> None:
    """Until somebody presses Ctrl-C or sends SIGTERM."""
    end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: end.set())
    end.wait()
