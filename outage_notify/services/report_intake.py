"""Takes in what providers report, as fast as it comes: raw and durable first, understood right after.

Promises: when `take` returns, the raw report is committed, with whatever else came in the same few
milliseconds in one transaction. What it means is applied in batches behind that, by the threads that bring reports,
and by one of its own as long as more come than they apply; a crash leaves that to `reconcile`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from channels.model import Channel
from outage_notify.services import record_receipts
from outage_notify.services.runtime import Runtime
from outage_notify.services.together import Together
from outage_notify.store import report_queries
from outage_notify.store.report_queries import Kept

log = structlog.get_logger()

GATHER = 0.05  # seconds that lie between two batches behind
TURNS = 2  # batches that a thread applies before it answers, if more come meanwhile


@dataclass(frozen=True)
class Told:
    """What was posted. `expires`: the second since 1970 from which on its token for `delivery` does not hold."""

    channel: Channel | None
    delivery: int | None
    form: Mapping[str, str]
    expires: int | None = None


class Intake:
    """One for each process that serves the provider. Thread-safe."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._together = Together(self._keep, lambda error: not rt.database.is_away(error))
        self._lock = threading.Lock()
        self._stored: deque[int] = deque()
        self._applying = False

    def take(self, told: Told) -> bool:
        """Store a report and see to it that it is applied. Returns whether its token for the delivery held."""
        held = self._together.do(told)
        if self._begin():
            self._apply(TURNS)
        return held

    def _keep(self, reports: Sequence[Told]) -> list[bool]:
        with self._rt.database.write() as session:
            now = self._rt.now(session)
            held = [_holds(one, now) for one in reports]
            kept = [
                Kept(one.channel, one.delivery if held[at] else None, one.form)
                for at, one in enumerate(reports)
            ]
            ids = report_queries.add_many(session, kept, now)
        with self._lock:
            self._stored.extend(ids)
        return held

    def _begin(self) -> bool:
        """Whether there is something to apply and nobody who does it."""
        with self._lock:
            if self._applying or not self._stored:
                return False
            self._applying = True
            return True

    def _apply(self, turns: int) -> None:
        """Until nothing is left; after so many turns a thread of its own goes on, so that the answer can go out."""
        while batch := self._next():
            if not turns:
                self._go_on_behind(batch)
                return
            turns -= 1
            self._apply_batch(batch)

    def _next(self) -> list[int]:
        with self._lock:
            most = min(record_receipts.BATCH, len(self._stored))
            batch = [self._stored.popleft() for _ in range(most)]
            self._applying = bool(batch)
            return batch

    def _go_on_behind(self, batch: list[int]) -> None:
        def work() -> None:
            more = batch
            while more:
                self._apply_batch(more)
                # They come faster than one batch is applied: the next one may grow, and costs hardly more.
                time.sleep(GATHER)
                more = self._next()

        try:
            threading.Thread(target=work, name="reports", daemon=True).start()
        except RuntimeError:
            # No thread is to be had: then here, and the answer is late.
            work()

    def _apply_batch(self, batch: Sequence[int]) -> None:
        try:
            record_receipts.apply_these(self._rt, batch)
        except Exception:
            # They are stored: the next reconcile applies them.
            log.exception("reports were stored and not applied", count=len(batch))


def _holds(told: Told, now: datetime) -> bool:
    return told.expires is None or now.timestamp() < told.expires
