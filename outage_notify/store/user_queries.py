"""Users by name, and all of them."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outage_notify.store.user_tables import User


def by_username(session: Session, username: str, *, lock: bool = False) -> User | None:
    """The user of that name, whatever its case; `lock` holds the row until the transaction ends."""
    query = select(User).where(func.lower(User.username) == username.lower())
    return session.scalars(query.with_for_update() if lock else query).first()


def by_id(session: Session, id: int, *, lock: bool = False) -> User | None:
    return session.get(User, id, with_for_update=True if lock else None)


def all_users(session: Session, *, lock: bool = False) -> list[User]:
    """By name; `lock` holds the rows until the transaction ends, always in the same order."""
    query = select(User).order_by(User.username)
    return list(session.scalars(query.with_for_update() if lock else query))


def by_identity(session: Session, identity: str, *, lock: bool = False) -> User | None:
    """The user who is bound to this identity of the OpenID provider."""
    query = select(User).where(User.identity == identity)
    return session.scalars(query.with_for_update() if lock else query).first()
