"""What time the database says it is, and how far a simulation has turned it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from outage_notify.store.clock_tables import ClockOffset

_SQLITE_NOW = text("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')")
_POSTGRES_NOW = text("SELECT clock_timestamp()")
_OFFSET = text("SELECT seconds FROM clock_offset WHERE id = 1")


def database_instant(session: Session) -> datetime:
    """The database's own clock, aware, UTC (milliseconds on SQLite)."""
    if session.get_bind().dialect.name == "sqlite":
        return datetime.fromisoformat(session.execute(_SQLITE_NOW).scalar_one()).replace(tzinfo=UTC)
    instant: datetime = session.execute(_POSTGRES_NOW).scalar_one()
    return instant.astimezone(UTC)


def offset(session: Session) -> timedelta:
    return timedelta(seconds=session.execute(_OFFSET).scalar() or 0.0)


def set_offset(session: Session, value: timedelta) -> None:
    session.merge(ClockOffset(id=1, seconds=value.total_seconds()))
    session.flush()
