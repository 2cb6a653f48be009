"""Counts and sets that the audit compares."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.domain.delivery import UNSETTLED, DeliveryState
from outage_notify.domain.notice import BESIDE, NoticeKind
from outage_notify.store.calls_by_number import UNENDED
from outage_notify.store.delivery_tables import Delivery, DeliveryRecipient, Notice
from outage_notify.store.outage_tables import Outage
from outage_notify.store.work_tables import Event, Task, TaskKind


class Row(NamedTuple):
    """One delivery as the audit sees it. `serial`: of its notice; `ended`: it had failed once, whatever came later."""

    serial: int
    channel: Channel
    state: DeliveryState
    ended: bool


def rows_by_customer(session: Session, outage: int, revision: int) -> dict[tuple[int, NoticeKind], list[Row]]:
    """Every delivery of a revision, by customer and kind of notice."""
    rows = session.execute(
        select(
            DeliveryRecipient.customer_ref,
            Notice.kind,
            Notice.serial,
            Delivery.channel,
            Delivery.state,
            Delivery.ended_at.is_not(None),
        )
        .join(Delivery, DeliveryRecipient.delivery_ref == Delivery.id)
        .join(Notice, Delivery.notice_ref == Notice.id)
        .where(Delivery.outage_ref == outage, Delivery.revision == revision)
    )
    found: dict[tuple[int, NoticeKind], list[Row]] = defaultdict(list)
    for customer, kind, serial, channel, state, ended in rows:
        found[customer, kind].append(Row(serial, channel, state, bool(ended)))
    return found


# Tasks by which a person tells the customer. To mend an address or to read a reply is not one of them.
TELLING = (TaskKind.VISIT, TaskKind.CONTACT_MISSING, TaskKind.DOUBTFUL)


def customers_with_tasks(session: Session, outage: int) -> set[int]:
    """Customers whom a person was asked to tell."""
    statement = select(Task.customer_ref).where(Task.outage_ref == outage, Task.kind.in_(TELLING))
    return {one for one in session.scalars(statement.distinct()) if one}


def customers_in_doubt(session: Session, outage: int) -> set[int]:
    """Customers with a message or a call that is on its way or in doubt; what goes beside the notice would
    tell them nothing."""
    return set(
        session.scalars(
            select(DeliveryRecipient.customer_ref)
            .join(Delivery)
            .join(Notice, Delivery.notice_ref == Notice.id)
            .where(
                Delivery.outage_ref == outage,
                or_(Delivery.state.in_(UNSETTLED), UNENDED),
                Notice.kind.not_in(BESIDE),
            )
        )
    )


def found_twice(session: Session) -> list[dict[str, str]]:
    """Deliveries that a provider was found to have taken twice."""
    rows = session.execute(
        select(Outage.reference, Event.delivery_ref)
        .join(Outage, Event.outage_ref == Outage.id)
        .where(Event.what == "found_twice")
    )
    return [{"outage": reference, "delivery": str(delivery)} for reference, delivery in rows]


def known_twice(session: Session, delivery: int) -> bool:
    """Whether it is on record already that a provider took this delivery twice."""
    statement = select(Event.id).where(Event.what == "found_twice", Event.delivery_ref == delivery)
    return session.scalar(statement.limit(1)) is not None


def overdue(session: Session, before: datetime) -> int:
    """Rows that should have been claimed before a moment and were not (a sender too slow or held)."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Delivery)
            .where(
                Delivery.state == DeliveryState.READY, Delivery.due_at < before, Delivery.paused.is_(False)
            )
        )
        or 0
    )


def in_doubt(session: Session) -> int:
    return (
        session.scalar(
            select(func.count()).select_from(Delivery).where(Delivery.state == DeliveryState.IN_DOUBT)
        )
        or 0
    )
