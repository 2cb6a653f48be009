"""Letters: which wait to be printed, which batch holds which, and their legal moves.

A letter is a delivery of channel `letter`. No worker claims it: a person prints, posts and enters the
dates. Every UPDATE's WHERE holds the state that it leaves.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from channels.model import Channel
from outage_notify.domain.delivery import DeliveryState
from outage_notify.store.delivery_tables import Delivery, DeliveryRecipient, LetterBatch, Notice
from outage_notify.store.outage_tables import Outage
from outage_notify.store.work_tables import Task, TaskKind

S = DeliveryState


@dataclass(frozen=True)
class Waiting:
    """Letters of one outage that should be printed now."""

    outage: int
    reference: str
    letters: int
    first_id: int
    first_due: datetime
    deadline: datetime


@dataclass(frozen=True)
class Batch:
    """One printed batch: its dates, how many letters it holds, how many of them were posted and delivered."""

    id: int
    printed_at: datetime
    printed_by: str
    posted_at: datetime | None
    delivered_at: datetime | None
    letters: int
    open: int  # printed, neither posted nor given up


def _due(statement: Select, now: datetime) -> Select:
    return statement.where(
        Delivery.channel == Channel.LETTER,
        Delivery.state == S.READY,
        Delivery.paused.is_(False),
        Delivery.due_at <= now,
        Delivery.not_after > now,
    )


def waiting(session: Session, now: datetime) -> list[Waiting]:
    """Per outage the letters that are due, the most urgent outage first."""
    statement = (
        select(
            Outage.id,
            Outage.reference,
            func.count(Delivery.id),
            func.min(Delivery.id),
            func.min(Delivery.due_at),
            func.min(Notice.deadline),
        )
        .join(Delivery, Delivery.outage_ref == Outage.id)
        .join(Notice, Notice.id == Delivery.notice_ref)
        .group_by(Outage.id, Outage.reference)
    )
    found = [Waiting(*row) for row in session.execute(_due(statement, now))]
    return sorted(found, key=lambda one: (one.deadline, one.outage))


def due_letters(session: Session, outage: int, now: datetime, limit: int) -> list[Delivery]:
    """Letters of an outage that should be printed now, with notice and recipients, by priority."""
    statement = (
        select(Delivery)
        .where(Delivery.outage_ref == outage)
        .options(
            joinedload(Delivery.notice),
            selectinload(Delivery.recipients).joinedload(DeliveryRecipient.customer),
        )
        .order_by(Delivery.priority, Delivery.due_at, Delivery.id)
        .limit(limit)
    )
    return list(session.scalars(_due(statement, now)))


def take(
    session: Session, batch: LetterBatch, letters: Collection[int], now: datetime, words: int = 0
) -> bool:
    """Put exactly these letters into a batch: READY > CLAIMED > SUBMITTING, made with own `words`. False if
    one of them is no longer READY (the caller then rolls back)."""
    claim = (
        update(Delivery)
        .where(Delivery.id.in_(letters), Delivery.state == S.READY, Delivery.paused.is_(False))
        .values(
            state=S.CLAIMED,
            claimed_by=f"letters:{batch.id}",
            fence=Delivery.fence + 1,
            letter_batch_ref=batch.id,
        )
    )
    taken = session.execute(claim.returning(Delivery.id)).all()
    begin = (
        update(Delivery)
        .where(Delivery.letter_batch_ref == batch.id, Delivery.state == S.CLAIMED)
        .values(state=S.SUBMITTING, began_at=now, tries=Delivery.tries + 1, words=words)
    )
    session.execute(begin)
    return len(taken) == len(letters)


def batch_of(session: Session, batch: int) -> LetterBatch | None:
    """The batch as it is in the database now; locked against a second entry of dates on PostgreSQL."""
    return session.get(LetterBatch, batch, populate_existing=True, with_for_update=True)


def pdf_of(session: Session, batch: int) -> bytes | None:
    return session.scalar(select(LetterBatch.pdf).where(LetterBatch.id == batch))


def batches(session: Session, outage: int) -> list[Batch]:
    """The printed batches of an outage, oldest first."""
    still_open = func.count(Delivery.id).filter(Delivery.state == S.SUBMITTING)
    statement = (
        select(
            LetterBatch.id,
            LetterBatch.printed_at,
            LetterBatch.printed_by,
            LetterBatch.posted_at,
            LetterBatch.delivered_at,
            func.count(Delivery.id),
            still_open,
        )
        .outerjoin(Delivery, Delivery.letter_batch_ref == LetterBatch.id)
        .where(LetterBatch.outage_ref == outage)
        .group_by(LetterBatch.id)
        .order_by(LetterBatch.id)
    )
    return [Batch(*row) for row in session.execute(statement)]


def posted(session: Session, batch: int, at: datetime) -> list[int]:
    """SUBMITTING > ACCEPTED for every letter of a batch."""
    statement = update(Delivery).where(Delivery.letter_batch_ref == batch, Delivery.state == S.SUBMITTING)
    statement = statement.values(state=S.ACCEPTED, accepted_at=at)
    return sorted(session.scalars(statement.returning(Delivery.id)))


def delivered(session: Session, batch: int, at: datetime) -> list[int]:
    """ACCEPTED > DELIVERED for every letter of a batch that did not come back."""
    statement = update(Delivery).where(Delivery.letter_batch_ref == batch, Delivery.state == S.ACCEPTED)
    return sorted(
        session.scalars(statement.values(state=S.DELIVERED, delivered_at=at).returning(Delivery.id))
    )


def returned(session: Session, batch: int, short_ref: str, at: datetime, fault: str) -> int | None:
    """ACCEPTED > FAILED for one letter that came back; its id, or None if there is no such one."""
    statement = (
        update(Delivery)
        .where(
            Delivery.letter_batch_ref == batch, Delivery.short_ref == short_ref, Delivery.state == S.ACCEPTED
        )
        .values(state=S.FAILED, ended_at=at, fault=fault, detail="the letter came back")
    )
    return session.scalar(statement.returning(Delivery.id))


def give_up(session: Session, batch: int, standing: int, now: datetime) -> tuple[int, int]:
    """SUBMITTING > READY for printed letters that were not posted; those of older revisions than `standing`
    go on to WITHDRAWN. Returns (to be printed anew, withdrawn)."""
    back = (
        update(Delivery)
        .where(Delivery.letter_batch_ref == batch, Delivery.state == S.SUBMITTING)
        .values(state=S.READY, claimed_by=None, began_at=None, letter_batch_ref=None)
    )
    ids: Sequence[int] = session.scalars(back.returning(Delivery.id)).all()
    stale = (
        update(Delivery)
        .where(Delivery.id.in_(ids), Delivery.state == S.READY, Delivery.revision < standing)
        .values(state=S.WITHDRAWN, ended_at=now, detail="printed for an older revision, not posted")
    )
    gone = len(session.scalars(stale.returning(Delivery.id)).all())
    return len(ids) - gone, gone


def has_open_task(session: Session, outage: int) -> bool:
    statement = select(Task.id).where(
        Task.kind == TaskKind.LETTERS, Task.outage_ref == outage, Task.done_at.is_(None)
    )
    return session.scalar(statement.limit(1)) is not None
