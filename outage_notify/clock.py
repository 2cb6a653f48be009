"""The only source of now.

The database's clock rules, so that web, worker and provider simulator agree even when
a machine's clock is off. In simulator mode an offset stored in the database turns that
clock by hand; in production mode the offset is neither read nor writable.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from outage_notify.domain.errors import NotPermitted
from outage_notify.store import clock_queries


class Clock:
    """`now(session)` for entry points; everything behind them takes `now` as an argument."""

    def __init__(self, simulated: bool) -> None:
        self.simulated = simulated

    def now(self, session: Session) -> datetime:
        """The present instant, aware, in UTC."""
        instant = clock_queries.database_instant(session)
        if self.simulated:
            instant += clock_queries.offset(session)
        return instant

    def at(self, instant: datetime, turned: timedelta) -> datetime:
        """The same from what was read already: the database's own clock, and how far it is turned."""
        return instant + turned if self.simulated else instant

    def turn_to(self, session: Session, instant: datetime) -> None:
        """Set the hand-turned clock forward to `instant`; it goes on from there.

        Raises NotPermitted in production mode and when turned back. Calling it twice
        sets the same time twice.
        """
        if not self.simulated:
            raise NotPermitted("The clock can only be turned in simulator mode.")
        step = instant - self.now(session)
        if step < timedelta(0):
            raise NotPermitted("The clock can't be turned back.")
        clock_queries.set_offset(session, clock_queries.offset(session) + step)


class OutsideClock:
    """The clock of a process that is no part of the product and only shares its time: the simulated provider.

    It follows the database's clock and goes on by itself while the database is away, as a
    provider's clock does. Thread-safe.
    """

    def __init__(
        self, read: Callable[[], datetime], away: tuple[type[Exception], ...] = (SQLAlchemyError,)
    ) -> None:
        """`away`: what `read` raises while the database is."""
        self._read, self._away = read, away
        # The last time read, and when that was on the monotonic clock.
        self._last = (read(), time.monotonic())

    def __call__(self) -> datetime:
        try:
            self._last = (self._read(), time.monotonic())
        except self._away:
            instant, read_at = self._last
            return instant + timedelta(seconds=time.monotonic() - read_at)
        return self._last[0]


def machine_instant() -> datetime:
    """What this machine's own clock says: only for `doctor`, which compares it with the database's."""
    return datetime.now(UTC)
