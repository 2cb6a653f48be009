"""How the telling of one outage stands: by tier and channel, by notice over time. Counts are the database's."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outage_notify.domain.delivery import TOLD, DeliveryState
from outage_notify.domain.notice import NoticeKind
from outage_notify.store.delivery_tables import Delivery, DeliveryRecipient, Notice
from outage_notify.store.people_tables import Customer

UNSENT = (DeliveryState.READY, DeliveryState.CLAIMED)


@dataclass(frozen=True)
class Telling:
    """One notice: when its first and last message were accepted, how many messages told, are left, failed,
    and when the next one is due."""

    kind: NoticeKind
    revision: int
    serial: int
    first_at: datetime | None
    last_at: datetime | None
    told: int
    left: int
    failed: int
    next_due: datetime | None
    deadline: datetime


def by_tier_and_channel(session: Session, outage: int, revision: int) -> dict[str, dict[str, dict[str, int]]]:
    """Tier > channel > state > messages of one revision to customers of that tier."""
    found: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    rows = session.execute(
        select(Customer.tier, Delivery.channel, Delivery.state, func.count())
        .join(DeliveryRecipient, DeliveryRecipient.customer_ref == Customer.id)
        .join(Delivery, Delivery.id == DeliveryRecipient.delivery_ref)
        .where(Delivery.outage_ref == outage, Delivery.revision == revision)
        .group_by(Customer.tier, Delivery.channel, Delivery.state)
    )
    for tier, channel, state, count in rows:
        found[tier.value][channel.value][state.value] = count
    return found


def tellings(session: Session, outage: int) -> list[Telling]:
    """Every notice of an outage with how far it is, in the order in which they were made."""
    told = Delivery.state.in_(TOLD)
    left = Delivery.state.in_(UNSENT)
    rows = session.execute(
        select(
            Notice.kind,
            Notice.revision,
            Notice.serial,
            func.min(Delivery.accepted_at),
            func.max(Delivery.accepted_at),
            func.count().filter(told),
            func.count().filter(left),
            func.count().filter(Delivery.state == DeliveryState.FAILED),
            func.min(Delivery.due_at).filter(left),
            Notice.deadline,
        )
        .join(Delivery, Delivery.notice_ref == Notice.id)
        .where(Notice.outage_ref == outage)
        .group_by(Notice.id, Notice.kind, Notice.revision, Notice.serial, Notice.deadline)
        .order_by(Notice.id)
    )
    return [Telling(*tuple(row)) for row in rows]
