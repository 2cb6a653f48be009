"""The outbox counted: waves by notice and channel, and what whoever watches the engine asks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.notice import NoticeKind
from outage_notify.store.delivery_tables import Attempt, Delivery, Notice
from outage_notify.store.sender_tables import SenderState

# Notices that the law asks for, and with the utility's own steps all that have their time before the work.
PLANNED = (NoticeKind.SEVEN_DAY, NoticeKind.DAY_AHEAD)
WITH_STEPS = (*PLANNED, NoticeKind.AGAIN)


def planned_notices(session: Session, outage: int, revision: int) -> list[Notice]:
    """The notices of a revision that have a deadline and all the time before it."""
    return list(
        session.scalars(
            select(Notice)
            .where(Notice.outage_ref == outage, Notice.revision == revision, Notice.kind.in_(WITH_STEPS))
            .order_by(Notice.id)
        )
    )


def unsent_by_channel(session: Session, notice: int) -> dict[Channel, int]:
    rows: Iterable[tuple[Any, Any]] = session.execute(
        select(Delivery.channel, func.count())
        .where(Delivery.notice_ref == notice, Delivery.state == DeliveryState.READY)
        .group_by(Delivery.channel)
    )
    return {row[0]: row[1] for row in rows}


def begin_by(session: Session, notice: int, channel: Channel, moment: datetime) -> None:
    """Unsent rows of a notice that are due later than `moment` are due then."""
    session.execute(
        update(Delivery)
        .where(
            Delivery.notice_ref == notice,
            Delivery.channel == channel,
            Delivery.state == DeliveryState.READY,
            Delivery.due_at > moment,
        )
        .values(due_at=moment)
        .execution_options(synchronize_session=False)
    )


def by_state(session: Session) -> dict[tuple[Channel, DeliveryState], int]:
    """How many deliveries stand in each state, by channel."""
    rows: Iterable[tuple[Any, ...]] = session.execute(
        select(Delivery.channel, Delivery.state, func.count()).group_by(Delivery.channel, Delivery.state)
    )
    return {(channel, state): count for channel, state, count in rows}


def oldest_due(session: Session, now: datetime) -> dict[Channel, datetime]:
    """Since when the row that has waited longest is due, by channel; channels that keep up are left out."""
    rows: Iterable[tuple[Any, Any]] = session.execute(
        select(Delivery.channel, func.min(Delivery.due_at))
        .where(
            Delivery.state == DeliveryState.READY,
            Delivery.due_at <= now,
            Delivery.channel != Channel.LETTER,
            Delivery.paused.is_(False),
        )
        .group_by(Delivery.channel)
    )
    return {row[0]: row[1] for row in rows}


def oldest_doubt(session: Session) -> datetime | None:
    return session.scalar(
        select(func.min(Delivery.doubt_since)).where(Delivery.state == DeliveryState.IN_DOUBT)
    )


def outcomes_since(session: Session, since: datetime) -> dict[tuple[str, str], int]:
    """Calls to providers that ended after a moment, by sender and outcome."""
    rows: Iterable[tuple[Any, ...]] = session.execute(
        select(Attempt.sender, Attempt.outcome, func.count())
        .where(Attempt.ended_at > since)
        .group_by(Attempt.sender, Attempt.outcome)
    )
    return {(sender, outcome): count for sender, outcome, count in rows}


def senders(session: Session) -> list[SenderState]:
    return list(session.scalars(select(SenderState).order_by(SenderState.sender)))
