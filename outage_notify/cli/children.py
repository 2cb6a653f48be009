"""The processes that `serve` starts, watches, and ends.

Promises: all of them end when one of them does, when we are told to, and (on Linux) when
we are killed: none is left behind holding a port. A child gets time to finish what it
has begun before it is killed.
"""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from types import FrameType

from outage_notify.cli.output import say

PATIENCE = 25.0  # seconds for all children together to end by themselves
_PR_SET_PDEATHSIG = 1


class Children:
    """Named subprocesses of this program."""

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._told_to_end = threading.Event()

    def start(self, name: str, arguments: Sequence[str]) -> None:
        """Start `outage-notify ARGUMENTS` with our environment."""
        command = [sys.executable, "-m", "outage_notify", *arguments]
        # In a session of its own, so that Ctrl-C reaches us alone and we end the children in order.
        self._running[name] = subprocess.Popen(command, start_new_session=True, preexec_fn=_die_with_parent)

    def watch(self) -> int:
        """Wait until told to end (exit status 0) or a child ends by itself (1); then end all."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        status = 0
        while not self._told_to_end.wait(0.2):
            ended = [name for name, child in self._running.items() if child.poll() is not None]
            if ended:
                codes = ", ".join(f"{name} (status {self._running[name].returncode})" for name in ended)
                say(f"Ended by itself: {codes}. Stopping the others.")
                status = 1
                break
        self.end()
        return status

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._told_to_end.set()

    def end(self) -> None:
        """Ask all to end, last started first, wait, and kill who does not."""
        for child in reversed(self._running.values()):
            if child.poll() is None:
                child.terminate()
        limit = time.monotonic() + PATIENCE
        for name, child in self._running.items():
            try:
                child.wait(max(0.1, limit - time.monotonic()))
            except subprocess.TimeoutExpired:
                say(f"{name} does not end; it is killed.")
                child.kill()
                child.wait()
        self._running.clear()


def _die_with_parent() -> None:
    """Runs in the child before the program: Linux then ends it when we are gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
