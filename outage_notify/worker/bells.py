"""What a bell does in this process: one run at a time, and a look of one's own when nobody rings.

Celery only says when to look. A broker may be away, emptied or unreachable, a beat dead or
its clock set back: a worker that has heard no bell for two periods looks by itself, at the
usual pace, until it hears one again. Many workers may do so at once; the database decides.

One run at a time, so that a wave of hours holds one thread of the worker and not all of
them: otherwise nothing would settle doubts while it goes out. A ring that comes during a
run, or so soon after one that it must have waited in a queue, is let go: the next does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger()

PATIENCE = 2  # periods without any bell
GLANCE = 0.5  # seconds at most between two looks at the time


@dataclass
class Bell:
    """One kind of work and how often it is to be done. `began` is on the monotonic clock."""

    name: str
    period: float
    work: Callable[[], object]
    began: float = -1e9
    busy: threading.Lock = field(default_factory=threading.Lock)


class Bells:
    """The bells of one process. Thread-safe."""

    def __init__(self, bells: Iterable[Bell], clock: Callable[[], float] = time.monotonic) -> None:
        self._bells = {one.name: one for one in bells}
        self._clock = clock
        self._heard = clock()

    def ring(self, name: str) -> bool:
        """Somebody rang. Does the work unless it is being done, or was begun half a period ago or
        less; returns whether it did. What the work raises is raised."""
        self._heard = self._clock()
        return self._run(self._bells[name], self._bells[name].period / 2)

    def look(self, name: str) -> bool:
        """Do the work if no bell at all was heard for two of its periods, and one has passed since
        it was last begun; returns whether it was done. A failure is logged: the next look tries again."""
        bell = self._bells[name]
        if self._clock() - self._heard < PATIENCE * bell.period:
            return False
        try:
            if not self._run(bell, bell.period):
                return False
        except Exception:
            log.exception("the work of a bell failed", bell=name)
        else:
            log.info("no bell was heard; looked without", bell=name)
        return True

    def _run(self, bell: Bell, rest: float) -> bool:
        if not bell.busy.acquire(blocking=False):
            return False
        try:
            if self._clock() - bell.began < rest:
                return False
            bell.began = self._clock()
            bell.work()
            return True
        finally:
            bell.busy.release()

    def keep_watch(self, stop: Sequence[bool]) -> list[threading.Thread]:
        """Start to look, a thread for each bell, until `stop` is filled. A look that has begun is finished."""

        def watch(bell: Bell) -> None:
            pause = threading.Event()
            while not stop:
                self.look(bell.name)
                pause.wait(min(GLANCE, bell.period / 2))

        threads = [
            threading.Thread(target=watch, args=(bell,), name=f"watch-{bell.name}")
            for bell in self._bells.values()
        ]
        for one in threads:
            one.start()
        return threads
