"""Which unsent messages their own channel will hardly bring out before their deadline."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, literal_column, or_, select
from sqlalchemy.orm import Session

from channels.model import Channel, OutcomeKind
from outage_notify.domain.audience import PRIORITIES
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.notice import ANNOUNCEMENTS
from outage_notify.store.delivery_tables import Attempt, Delivery, Notice

# So often "later" for one message is no accident any more.
REFUSALS = 3
# Longer than any back-off: whoever waits for longer was not refused but is not due yet.
LONGEST_WAIT = timedelta(minutes=90)
CARRIED = (Channel.SMS, Channel.VOICE, Channel.EMAIL)
_NO_ANSWER = (OutcomeKind.UNKNOWN.value, "")


def stuck(
    session: Session, stopped: Collection[Channel], now: datetime, by: datetime, limit: int = 500
) -> Sequence[int]:
    """Unsent announcements with a deadline before `by` that were refused several times, or whose channel is
    `stopped`; the most important first.

    Only those that surely never left: another channel would tell the person twice else.
    """
    lost_answer = exists().where(Attempt.delivery_ref == Delivery.id, Attempt.outcome.in_(_NO_ANSWER))
    waits = and_(Delivery.channel.in_(tuple(stopped)), or_(Delivery.due_at <= now, Delivery.tries > 0))
    statement = (
        select(Delivery.id)
        .join(Notice, Delivery.notice_ref == Notice.id)
        .where(
            Notice.kind.in_(tuple(ANNOUNCEMENTS)),
            Notice.deadline <= by,
            # Spelled out and named one by one: the index of what is due holds READY alone, by channel, priority, time.
            Delivery.state == literal_column(f"'{DeliveryState.READY.value}'"),
            Delivery.channel.in_(CARRIED),
            Delivery.priority.in_(tuple(PRIORITIES)),
            Delivery.due_at <= now + LONGEST_WAIT,
            Delivery.not_after > now,
            Delivery.paused.is_(False),
            Delivery.doubt_since.is_(None),
            or_(Delivery.tries >= REFUSALS, waits),
            ~lost_answer,
        )
        .order_by(Delivery.priority, Delivery.id)
        .limit(limit)
    )
    return session.scalars(statement).all()
