"""Where people are signed in: found by the hash of the secret, ended one by one or all at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from outage_notify.store.user_tables import User, UserSession


def by_secret(session: Session, sha256: str) -> tuple[UserSession, User] | None:
    """A session that has not ended, and whose it is."""
    row = session.execute(
        select(UserSession, User)
        .join(User, User.id == UserSession.user_ref)
        .where(UserSession.secret_sha256 == sha256, UserSession.ended_at.is_(None))
    ).first()
    return (row[0], row[1]) if row is not None else None


def seen(session: Session, id: int, now: datetime) -> None:
    session.execute(update(UserSession).where(UserSession.id == id).values(seen_at=now))


def open_sessions(session: Session, user: int) -> list[UserSession]:
    """Sessions of a user that have not ended, the one used last first."""
    statement = select(UserSession).where(UserSession.user_ref == user, UserSession.ended_at.is_(None))
    return list(session.scalars(statement.order_by(UserSession.seen_at.desc(), UserSession.id.desc())))


def end(
    session: Session, user: int, now: datetime, *, only: int | None = None, but: int | None = None
) -> int:
    """End the sessions of a user: all, `only` one, or all `but` one. How many that were."""
    statement = update(UserSession).where(UserSession.user_ref == user, UserSession.ended_at.is_(None))
    if only is not None:
        statement = statement.where(UserSession.id == only)
    if but is not None:
        statement = statement.where(UserSession.id != but)
    result = session.execute(statement.values(ended_at=now).execution_options(synchronize_session=False))
    return cast(CursorResult[Any], result).rowcount
