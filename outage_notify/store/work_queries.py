"""What happened and what a person must do: the two lists that only ever grow by these functions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from outage_notify.store.work_tables import Event, Task, TaskKind

SYSTEM = "system"


def record(
    session: Session,
    at: datetime,
    actor: str,
    what: str,
    *,
    outage: int | None = None,
    customer: int | None = None,
    delivery: int | None = None,
    **detail: Any,
) -> None:
    """Add an event. `what` is a constant word; `detail` must hold no address and no text of a message."""
    session.add(
        Event(
            at=at,
            actor=actor,
            what=what,
            outage_ref=outage,
            customer_ref=customer,
            delivery_ref=delivery,
            detail=detail,
        )
    )


def open_task(
    session: Session,
    kind: TaskKind,
    dedupe: str,
    at: datetime,
    *,
    outage: int | None = None,
    customer: int | None = None,
    delivery: int | None = None,
    grid_manager: int | None = None,
    due_at: datetime | None = None,
    note: str = "",
) -> bool:
    """Open a task unless one with the same `dedupe` was ever opened. Says whether it is new."""
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = (
        insert(Task)
        .values(
            kind=kind,
            dedupe=dedupe,
            outage_ref=outage,
            customer_ref=customer,
            delivery_ref=delivery,
            grid_manager_ref=grid_manager,
            note=note,
            created_at=at,
            due_at=due_at,
            done_by="",
        )
        .on_conflict_do_nothing(index_elements=["dedupe"])
        .returning(Task.id)
    )
    return session.execute(statement).scalar() is not None


def close_tasks(session: Session, kind: TaskKind, at: datetime, by: str, **about: int) -> int:
    """Close every open task of a kind about an outage=, customer= or delivery=. Twice is harmless."""
    columns = {"outage": Task.outage_ref, "customer": Task.customer_ref, "delivery": Task.delivery_ref}
    statement = update(Task).where(Task.kind == kind, Task.done_at.is_(None))
    for name, value in about.items():
        statement = statement.where(columns[name] == value)
    done = session.execute(statement.values(done_at=at, done_by=by).returning(Task.id))
    return len(done.all())


def close_tasks_named(session: Session, kind: TaskKind, prefix: str, at: datetime, by: str) -> int:
    """Close every open task of a kind whose `dedupe` begins so. Twice is harmless."""
    statement = (
        update(Task)
        .where(Task.kind == kind, Task.done_at.is_(None), Task.dedupe.startswith(prefix, autoescape=True))
        .values(done_at=at, done_by=by)
    )
    return len(session.execute(statement.returning(Task.id)).all())


def open_tasks(session: Session, outage: int | None = None, limit: int = 500) -> list[Task]:
    """Open tasks, the most urgent first."""
    statement = select(Task).where(Task.done_at.is_(None)).order_by(Task.due_at, Task.id).limit(limit)
    if outage is not None:
        statement = statement.where(Task.outage_ref == outage)
    return list(session.scalars(statement))


def newest_of(session: Session, words: Sequence[str]) -> Event | None:
    """The newest event of these words."""
    return session.scalars(
        select(Event).where(Event.what.in_(words)).order_by(Event.id.desc()).limit(1)
    ).first()


def events_of(session: Session, outage: int, limit: int = 200) -> list[Event]:
    """The newest events of an outage, newest first."""
    statement = select(Event).where(Event.outage_ref == outage).order_by(Event.id.desc()).limit(limit)
    return list(session.scalars(statement))
