"""The utility's own days in the calendar: those in force."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from outage_notify.store.calendar_tables import CalendarDay


def own_days(session: Session) -> tuple[tuple[date, bool], ...]:
    """(day, whether it is worked)."""
    statement = select(CalendarDay.day, CalendarDay.workday).where(CalendarDay.removed_at.is_(None))
    rows: list[Any] = list(session.execute(statement.order_by(CalendarDay.day)))
    return tuple((day, workday) for day, workday in rows)


def in_force(session: Session, first: date | None = None) -> list[CalendarDay]:
    """By day, from `first` on."""
    statement = select(CalendarDay).where(CalendarDay.removed_at.is_(None)).order_by(CalendarDay.day)
    if first is not None:
        statement = statement.where(CalendarDay.day >= first)
    return list(session.scalars(statement))


def on(session: Session, day: date) -> CalendarDay | None:
    statement = select(CalendarDay).where(CalendarDay.day == day, CalendarDay.removed_at.is_(None))
    return session.scalars(statement).first()
