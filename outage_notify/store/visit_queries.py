"""Visits that wait: each with its customer, the places that the outage hits, and the numbers to call."""

from __future__ import annotations

from collections.abc import Collection
from hashlib import sha256

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from outage_notify.store.acknowledgement_tables import Acknowledgement, AnswerPhoto, SignedReceipt
from outage_notify.store.outage_tables import Outage
from outage_notify.store.people_tables import Customer, GridManager
from outage_notify.store.work_tables import Task, TaskKind


def waiting(session: Session, limit: int, manager: int | None = None) -> list[tuple[Task, Outage, Customer]]:
    """Open visits, the most urgent first; those of a manager with those of whom she stands in for."""
    statement = (
        select(Task, Outage, Customer)
        .join(Outage, Outage.id == Task.outage_ref)
        .join(Customer, Customer.id == Task.customer_ref)
        .where(Task.kind == TaskKind.VISIT, Task.done_at.is_(None))
        .order_by(Task.due_at.is_(None), Task.due_at, Task.id)
        .limit(limit)
        .options(
            selectinload(Task.grid_manager),
            selectinload(Outage.revisions),
            selectinload(Customer.contacts),
            selectinload(Customer.service_points),
        )
    )
    if manager is not None:
        stands_in_for = select(GridManager.id).where(GridManager.deputy_ref == manager, GridManager.away)
        mine = or_(Task.grid_manager_ref == manager, Task.grid_manager_ref.in_(stands_in_for))
        statement = statement.where(mine)
    return [(task, outage, customer) for task, outage, customer in session.execute(statement)]


def managers(session: Session) -> list[GridManager]:
    """Those who have not left, by name."""
    statement = select(GridManager).where(GridManager.ended_at.is_(None))
    return list(session.scalars(statement.order_by(GridManager.name, GridManager.id)))


def add_photo(session: Session, sequence: int, content: bytes, digest: str, by: str) -> None:
    """Keep the photograph of a receipt."""
    session.add(
        AnswerPhoto(sequence=sequence, mimetype="image/jpeg", sha256=digest, content=content, added_by=by)
    )


def photos_among(session: Session, sequences: Collection[int]) -> set[int]:
    """Which of these receipts have a photograph."""
    return set(session.scalars(select(AnswerPhoto.sequence).where(AnswerPhoto.sequence.in_(sequences))))


def photo_of(session: Session, customer: int, sequence: int) -> bytes | None:
    """The photograph of a receipt, if it belongs to this customer."""
    return session.scalar(
        select(AnswerPhoto.content)
        .join(SignedReceipt, SignedReceipt.sequence == AnswerPhoto.sequence)
        .join(Acknowledgement, SignedReceipt.acknowledgement_ref == Acknowledgement.id)
        .where(AnswerPhoto.sequence == sequence, Acknowledgement.customer_ref == customer)
    )


def photo_hashes(session: Session, sequence: int) -> tuple[str, str]:
    """(hash of the photograph that is kept, hash written beside it); two empty ones where none is kept."""
    row = session.execute(
        select(AnswerPhoto.content, AnswerPhoto.sha256).where(AnswerPhoto.sequence == sequence)
    ).first()
    return (sha256(row[0]).hexdigest(), row[1]) if row is not None else ("", "")
