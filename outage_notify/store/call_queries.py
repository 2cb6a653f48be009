"""Who calls, and what is ahead of that customer."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from channels.model import Channel
from outage_notify.domain.audience import Impact
from outage_notify.domain.outage import OutageState
from outage_notify.store.outage_tables import AudienceMember, Outage, OutageRevision
from outage_notify.store.people_tables import ContactPoint, Customer


def customers_with_number(session: Session, number: str) -> list[Customer]:
    """Customers who gave this telephone number, in the order in which they are kept."""
    theirs = select(ContactPoint.customer_ref).where(
        ContactPoint.address == number, ContactPoint.channel.in_((Channel.VOICE, Channel.SMS))
    )
    return list(session.scalars(select(Customer).where(Customer.id.in_(theirs)).order_by(Customer.id)))


def ahead_of(
    session: Session, customers: Collection[int], now: datetime
) -> list[tuple[OutageRevision, frozenset[Impact]]]:
    """Standing revisions of approved and running outages that affect these customers and are not over, the
    next one first, each with what its service points feel."""
    rows = session.execute(
        select(OutageRevision, AudienceMember.impact)
        .join(AudienceMember, AudienceMember.revision_ref == OutageRevision.id)
        .join(OutageRevision.outage)
        .where(
            AudienceMember.customer_ref.in_(customers),
            OutageRevision.number == Outage.revision,
            (Outage.state == OutageState.ACTIVE)
            | ((Outage.state == OutageState.APPROVED) & (OutageRevision.end > now)),
        )
        .options(contains_eager(OutageRevision.outage).selectinload(Outage.revisions))
        .order_by(OutageRevision.start, OutageRevision.id)
    )
    found: dict[int, tuple[OutageRevision, set[Impact]]] = {}
    for revision, impact in rows:
        found.setdefault(revision.id, (revision, set()))[1].add(impact)
    return [(revision, frozenset(impacts)) for revision, impacts in found.values()]
