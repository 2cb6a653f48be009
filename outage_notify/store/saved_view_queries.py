"""Saved views of the board, each person's own."""

from __future__ import annotations

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from outage_notify.store.saved_view_tables import SavedView


def of(session: Session, username: str) -> list[SavedView]:
    """By name."""
    mine = select(SavedView).where(SavedView.username == username)
    return list(session.scalars(mine.order_by(SavedView.name)))


def named(session: Session, username: str, name: str) -> SavedView | None:
    return session.scalars(
        select(SavedView).where(SavedView.username == username, SavedView.name == name)
    ).first()


def count(session: Session, username: str) -> int:
    statement = select(func.count()).select_from(SavedView).where(SavedView.username == username)
    return session.scalar(statement) or 0


def drop(session: Session, username: str, number: int) -> None:
    session.execute(delete(SavedView).where(SavedView.id == number, SavedView.username == username))
