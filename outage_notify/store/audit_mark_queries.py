"""The mark of the last audit: written after each, read by whoever watches."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from outage_notify.store.audit_mark_tables import AuditMark


def note(session: Session, now: datetime, untold: int, twice: int, *, holds: bool) -> None:
    """An audit was made at `now`. The last to write stands; a `held_at` that is known stays while none holds."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    found = {"made_at": now, "untold": untold, "twice": twice}
    statement = insert(AuditMark).values(id=1, held_at=now if holds else None, **found)
    held_at = func.coalesce(statement.excluded.held_at, AuditMark.held_at)
    session.execute(
        statement.on_conflict_do_update(index_elements=["id"], set_={**found, "held_at": held_at})
    )


def last(session: Session) -> AuditMark | None:
    """None: there was no audit yet."""
    return session.get(AuditMark, 1, populate_existing=True)
