"""A worker's moves of many rows at once: claim them, begin them, note what the provider took.

The same guards as in `claims`: legal predecessors and the fencing token of each row stand
in the WHERE, and RETURNING says which rows were won. One statement moves a whole chunk,
because a statement for each row costs more than the call to the provider.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, delete, insert, select, tuple_, update
from sqlalchemy.orm import Session

from channels.model import Channel, OutcomeKind
from outage_notify.domain.audience import PRIORITIES
from outage_notify.domain.delivery import DeliveryState, predecessors
from outage_notify.store.delivery_tables import Attempt, Delivery

S = DeliveryState


@dataclass(frozen=True)
class Claim:
    """A row held by a worker: only the holder of this fence may begin or settle it."""

    delivery: int
    fence: int


def claim(
    session: Session, channel: Channel, worker: str, now: datetime, lease: timedelta, limit: int
) -> list[Claim]:
    """Hold up to `limit` due rows of a channel, the most important first.

    One statement for each priority, so that each reads the first rows of an index and
    nothing else, however many wait behind them or are not due yet; rows that another worker is
    claiming are skipped. Dies midway: the lease runs out and `release_expired` makes them
    READY again, since nothing was sent.
    """
    held: list[Claim] = []
    for priority in PRIORITIES:
        if len(held) == limit:
            break
        held += _claim(session, channel, priority, worker, now, lease, limit - len(held))
    return held


def _claim(
    session: Session,
    channel: Channel,
    priority: int,
    worker: str,
    now: datetime,
    lease: timedelta,
    limit: int,
) -> list[Claim]:
    due = (
        select(Delivery.id)
        .where(
            Delivery.state == S.READY,
            Delivery.channel == channel,
            Delivery.priority == priority,
            Delivery.due_at <= now,
            Delivery.not_after > now,
            Delivery.paused.is_(False),
        )
        .order_by(Delivery.due_at, Delivery.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    statement = (
        update(Delivery)
        .where(Delivery.id.in_(select(due.c.id)), Delivery.state == S.READY)
        .values(state=S.CLAIMED, claimed_by=worker, lease_until=now + lease, fence=Delivery.fence + 1)
        .returning(Delivery.id, Delivery.fence, Delivery.due_at)
        .execution_options(synchronize_session=False)
    )
    rows = sorted(session.execute(statement).all(), key=lambda row: (row.due_at, row.id))
    return [Claim(row.id, row.fence) for row in rows]


def begin(session: Session, held: Claim, worker: str, sender: str, now: datetime, lease: timedelta) -> bool:
    """`begin_many` of one row: whether it was won."""
    return bool(begin_many(session, [held], worker, sender, now, lease))


def begin_many(
    session: Session, held: Sequence[Claim], worker: str, sender: str, now: datetime, lease: timedelta
) -> set[int]:
    """CLAIMED > SUBMITTING, each with its attempt on record. Only after this commits may the calls be made.

    Returns the deliveries that were won. Of the others the lease ran out, or they were
    withdrawn or paused: do not send.
    """
    if not held:
        return set()
    statement = (
        update(Delivery)
        .where(
            *_held(held),
            Delivery.state.in_(predecessors(S.SUBMITTING)),
            Delivery.lease_until > now,
            Delivery.not_after > now,
            Delivery.paused.is_(False),
        )
        .values(state=S.SUBMITTING, began_at=now, lease_until=now + lease, tries=Delivery.tries + 1)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    )
    won = set(session.scalars(statement))
    if won:
        session.execute(
            insert(Attempt),
            [
                {
                    "delivery_ref": one.delivery,
                    "fence": one.fence,
                    "worker": worker,
                    "sender": sender,
                    "began_at": now,
                    "outcome": "",
                    "code": "",
                    "provider_id": "",
                }
                for one in held
                if one.delivery in won
            ],
        )
    return won


def _held(held: Sequence[Claim]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Rows that are still held under the same fences. The ids alone besides, because that is what an index knows."""
    return (
        Delivery.id.in_([one.delivery for one in held]),
        tuple_(Delivery.id, Delivery.fence).in_([(one.delivery, one.fence) for one in held]),
    )


def accepted_many(
    session: Session, taken: Mapping[Claim, str], now: datetime, check_at: datetime | None
) -> set[int]:
    """`end_attempt` and `accepted` of many calls at once: each claim with the provider's id.

    Returns the deliveries that were won; the others had moved on and are looked at one by one.
    """
    if not taken:
        return set()
    ids = {one.delivery: provider_id for one, provider_id in taken.items()}
    session.execute(
        update(Attempt)
        .where(
            Attempt.delivery_ref.in_(list(ids)),
            tuple_(Attempt.delivery_ref, Attempt.fence).in_([(one.delivery, one.fence) for one in taken]),
        )
        .values(
            ended_at=now,
            outcome=OutcomeKind.ACCEPTED.value,
            provider_id=case(ids, value=Attempt.delivery_ref, else_=""),
        )
        .execution_options(synchronize_session=False)
    )
    statement = (
        update(Delivery)
        .where(*_held(list(taken)), Delivery.state.in_(predecessors(S.ACCEPTED)))
        .values(
            state=S.ACCEPTED,
            accepted_at=now,
            lease_until=None,
            next_check_at=check_at,
            provider_id=case(ids, value=Delivery.id),
        )
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    )
    return set(session.scalars(statement))


def unbegin(session: Session, held: Claim, now: datetime) -> bool:
    """Begun, and then the provider was certainly not called: READY again, without a trace of an attempt.

    Under the same fence that holds even for a row that was put in doubt meanwhile: nobody
    else can have called for it.
    """
    statement = (
        update(Delivery)
        .where(*_held([held]), Delivery.state.in_(predecessors(S.READY)))
        .values(
            state=S.READY,
            due_at=now,
            tries=Delivery.tries - 1,
            claimed_by=None,
            lease_until=None,
            doubt_since=None,
            doubt_asked=0,
            next_check_at=None,
        )
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    )
    session.execute(delete(Attempt).where(Attempt.delivery_ref == held.delivery, Attempt.fence == held.fence))
    return session.scalar(statement) is not None
