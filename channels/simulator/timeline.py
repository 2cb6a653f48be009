"""What the simulator does after it has answered: at once in a bounded pool, or later by the given clock.

Promises: jobs are never dropped while the process lives; a job that breaks is counted
and logged with its traceback. The clock may be turned by hand, so it is looked at many
times a second while something waits for it.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

log = logging.getLogger(__name__)

GLANCE = 0.05  # real seconds between two looks at the clock
Job = Callable[[], None]


class Timeline:
    """A pool of threads and a list of what is due later."""

    def __init__(self, now: Callable[[], datetime], workers: int = 16) -> None:
        self.now = now
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="simulator")
        self._waiting: list[tuple[datetime, int, Job]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._running = 0
        self._broken = 0
        self._stopped = False
        self._watcher = threading.Thread(target=self._watch, name="simulator-clock", daemon=True)
        self._watcher.start()

    def run(self, job: Job, after: float = 0.0) -> None:
        """Run `job` in the pool, `after` seconds by the given clock (0: at once)."""
        with self._changed:
            if self._stopped:
                return
            if after > 0:
                due = self.now() + timedelta(seconds=after)
                heapq.heappush(self._waiting, (due, next(self._order), job))
                self._changed.notify_all()
                return
        self.prepared(job)()

    def prepared(self, job: Job) -> Job:
        """Count `job` as running from now on; it starts when what is returned is called, once."""
        with self._changed:
            if self._stopped:
                return lambda: None
            self._running += 1

        def start() -> None:
            try:
                self._pool.submit(self._guarded, job)
            except RuntimeError:  # The pool was shut down in between; the next start takes it up.
                with self._changed:
                    self._running -= 1

        return start

    def _guarded(self, job: Job) -> None:
        try:
            job()
        except Exception:  # The pool would swallow it; here it is counted and shown.
            log.exception("a simulated event broke")
            with self._changed:
                self._broken += 1
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _watch(self) -> None:
        while True:
            with self._changed:
                if self._stopped:
                    return
                if not self._waiting:
                    self._changed.wait()
                    continue
                due = self._look()
                if not due:
                    self._changed.wait(GLANCE)
                    continue
            for job in due:
                self._pool.submit(self._guarded, job)

    def _look(self) -> list[Job]:
        try:
            return self._take_due()
        except Exception:  # The clock is the product's; while it cannot be read, time stands still.
            log.exception("the clock cannot be read")
            return []

    def _take_due(self) -> list[Job]:
        now = self.now()
        due = []
        while self._waiting and self._waiting[0][0] <= now:
            due.append(heapq.heappop(self._waiting)[2])
        self._running += len(due)
        return due

    def state(self) -> dict[str, int]:
        """`running` now, `waiting` for the clock, `broken` so far."""
        with self._changed:
            return {"running": self._running, "waiting": len(self._waiting), "broken": self._broken}

    def settle(self, timeout: float = 30.0) -> bool:
        """Wait, in real seconds, until nothing runs, whatever waits for the clock; False: too long."""
        with self._changed:
            return self._changed.wait_for(lambda: self._running == 0, timeout)

    def forget(self) -> None:
        """Drop what waits for the clock."""
        with self._changed:
            self._waiting.clear()

    def stop(self) -> None:
        """Take no more jobs and end the threads; jobs that run are finished."""
        with self._changed:
            self._stopped = True
            self._waiting.clear()
            self._changed.notify_all()
        self._watcher.join()
        self._pool.shutdown(wait=True, cancel_futures=True)
