"""Whether the system has come to rest, and whether a database is a former demo's."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from outage_notify.store import calm_queries
from outage_notify.store.database import Database

MARK = "demo_began"


def restless(session: Session, now: datetime) -> dict[str, int]:
    """What is still under way; empty when the clock may be turned."""
    return calm_queries.under_way(session, now)


def is_demo(database: Database) -> bool:
    """Whether the demo made this database: it is the first thing that it writes."""
    with database.read() as session:
        return calm_queries.has_event(session, MARK)
