"""What the planner's screen asks beside the network: who key customers are, and who is reached how."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, func, not_, or_, select
from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.domain.audience import Tier
from outage_notify.domain.outage import OutageState
from outage_notify.store.feed_lookup import listed
from outage_notify.store.outage_tables import Outage, OutageRevision
from outage_notify.store.people_tables import ContactPoint, Customer, ServicePoint


class Supplied(NamedTuple):
    """One service point with its customer, in words."""

    service_point: int
    label: str
    place: str
    customer: int
    customer_id: str
    name: str


class Reach(NamedTuple):
    """How many customers of a class have a usable address on a channel."""

    tier: Tier
    life_support: bool
    vulnerable: bool
    channel: Channel
    customers: int


def supplied(session: Session, service_points: Collection[int]) -> dict[int, Supplied]:
    rows = session.execute(
        select(
            ServicePoint.id,
            ServicePoint.service_point_id,
            ServicePoint.place,
            Customer.id,
            Customer.customer_id,
            Customer.name,
        )
        .join(Customer, Customer.id == ServicePoint.customer_ref)
        .where(ServicePoint.id.in_(listed(session, sorted(service_points), BigInteger())))
    )
    return {row[0]: Supplied(*row) for row in rows}


def reach(session: Session, customers: Collection[int]) -> list[Reach]:
    """Own addresses only (a backup contact is for later), counted by class of customer and channel."""
    if not customers:
        return []
    classes = (Customer.tier, Customer.life_support, Customer.vulnerable, ContactPoint.channel)
    rows = session.execute(
        select(*classes, func.count(ContactPoint.customer_ref.distinct()))
        .join(Customer, Customer.id == ContactPoint.customer_ref)
        .where(
            ContactPoint.customer_ref.in_(listed(session, sorted(customers), BigInteger())),
            ContactPoint.backup.is_(False),
            ContactPoint.bad_at.is_(None),
            ContactPoint.opted_out_at.is_(None),
        )
        .group_by(*classes)
    )
    return [Reach(*row) for row in rows]


def open_between(
    session: Session, low: datetime, high: datetime, but: str, limit: int
) -> list[tuple[str, str]]:
    """(reference, area) of outages whose standing window touches a span, for a planner to trace together with."""
    rows = session.execute(
        select(Outage.reference, OutageRevision.area)
        .join(OutageRevision, OutageRevision.outage_ref == Outage.id)
        .where(
            OutageRevision.number == Outage.revision,
            Outage.state.in_(
                (OutageState.DRAFT, OutageState.SUBMITTED, OutageState.APPROVED, OutageState.ACTIVE)
            ),
            Outage.reference != but,
            OutageRevision.start <= high,
            OutageRevision.end >= low,
        )
        .order_by(OutageRevision.start, Outage.id)
        .limit(limit)
    )
    return [(reference, area) for reference, area in rows]


def points_of(
    session: Session, text: str, customers: Collection[int], limit: int
) -> list[tuple[Supplied, str]]:
    """(service point, its load) of these customers, and of whoever has this identifier; exact identifiers first."""
    own = select(Customer.id).where(Customer.customer_id == text)
    rows = session.execute(
        select(
            ServicePoint.id,
            ServicePoint.service_point_id,
            ServicePoint.place,
            Customer.id,
            Customer.customer_id,
            Customer.name,
            ServicePoint.element,
        )
        .join(Customer, Customer.id == ServicePoint.customer_ref)
        .where(
            or_(
                ServicePoint.customer_ref.in_(own),
                ServicePoint.service_point_id == text,
                ServicePoint.customer_ref.in_(customers),
            ),
            ServicePoint.gone_at.is_(None),
        )
        .order_by(
            Customer.customer_id != text,
            Customer.tier == Tier.LOW_VOLTAGE,
            not_(ServicePoint.place.icontains(text, autoescape=True)),
            ServicePoint.id,
        )
        .limit(limit)
    )
    return [(Supplied(*row[:-1]), row[-1]) for row in rows]
