"""The product's own commands, each in a process of its own, to be killed, stopped or given a wrong clock.

They are forked from a server that has loaded the program already: loading it takes seconds,
and a worker that lives for a few tenths of one would otherwise never work. What a
signal hits is a whole process, wherever it happens to be.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

LOADED = ["outage_notify.app", "outage_notify.cli", "outage_notify.cli.processes", "outage_notify.cli.serve"]
LOADED += ["celery.apps.worker", "celery.apps.beat", "celery.concurrency.thread", "kombu.transport.memory"]
LOADED += ["kombu.transport.redis", "kombu.transport.pyamqp", "gunicorn.app.base", "gunicorn.workers.gthread"]
LOADED += ["channels.simulator", "time_machine"]


def _end_with(parent: BaseProcess | None) -> None:
    if parent is not None:
        parent.join()
    os._exit(1)


def _command(arguments: list[str], environ: dict[str, str], log: str, ahead: float) -> None:
    """The body of each process: one command of the product, with its words in a file."""
    # When the tests themselves are killed, nothing of a drill may go on: it would disturb the next one.
    threading.Thread(target=_end_with, args=(multiprocessing.parent_process(),), daemon=True).start()
    os.environ.update(environ)
    words = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(words, 1)
    os.dup2(words, 2)
    if ahead:
        import time_machine

        wrong = datetime.now(UTC) + timedelta(seconds=ahead)
        time_machine.travel(wrong, tick=True).start()
    from outage_notify.cli import main

    sys.exit(main(arguments))


class Processes:
    """Starts commands with one environment; `close` ends all that still run."""

    def __init__(self, environ: dict[str, str], folder: Path) -> None:
        self._environ = environ
        self._log = folder / "drill.log"
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(LOADED)
        self._started: list[BaseProcess] = []

    def start(self, *arguments: str, ahead: float = 0.0) -> BaseProcess:
        """Run `outage-notify ARGUMENTS`; its clock goes `ahead` seconds before the machine's."""
        process = self._context.Process(
            target=_command, args=(list(arguments), self._environ, str(self._log), ahead), daemon=True
        )
        process.start()
        self._started.append(process)
        return process

    def words(self) -> str:
        """The last that the processes said."""
        if not self._log.exists():
            return "(nothing was said)"
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-25:])

    def close(self) -> None:
        for process in self._started:
            process.kill()
            process.join()
