"""The only source of now.

The database's clock rules, so that web, worker and provider simulator agree even when
a machine's clock is off. In simulator mode an offset stored in the database turns that
clock by hand; in production mode the offset is neither read nor writable.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

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


def machine_instant() -> datetime:
    """What this machine's own clock says: only for `doctor`, which compares it with the database's."""
    return datetime.now(UTC)
