"""Who is calling, and which outages concern him: the questions of the hotline."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, selectinload

from outage_notify.domain.outage import PUBLIC_STATES, OutageState
from outage_notify.store.enquiry_tables import Enquiry
from outage_notify.store.outage_tables import AudienceMember, Outage, OutageRevision
from outage_notify.store.people_tables import ContactPoint, Customer, ServicePoint


def by_number(session: Session, text: str, phones: Collection[str], limit: int) -> list[Customer]:
    """Customers with this account, meter or address of a channel, exactly."""
    of_point = select(ServicePoint.customer_ref).where(ServicePoint.service_point_id == text)
    of_contact = select(ContactPoint.customer_ref).where(ContactPoint.address.in_([*phones, text.lower()]))
    return _customers(
        session,
        or_(Customer.customer_id == text, Customer.id.in_(of_point), Customer.id.in_(of_contact)),
        limit,
    )


def by_ids(session: Session, customers: Collection[int], limit: int) -> list[Customer]:
    """These customers, by name."""
    return _customers(session, Customer.id.in_(customers), limit)


def _customers(session: Session, condition: object, limit: int) -> list[Customer]:
    statement = (
        select(Customer)
        .where(condition, Customer.gone_at.is_(None))  # type: ignore[arg-type]
        .order_by(Customer.name, Customer.id)
        .limit(limit)
        .options(selectinload(Customer.contacts), selectinload(Customer.service_points))
    )
    return list(session.scalars(statement))


def revisions_of(session: Session, customer: int, since: datetime, limit: int) -> list[int]:
    """The standing revisions of announced outages that concern a customer and are not over since long, in order of
    start; `limit` at most."""
    mine = select(AudienceMember.revision_ref).where(AudienceMember.customer_ref == customer)
    statement = (
        select(OutageRevision.id)
        .join(Outage, and_(OutageRevision.outage_ref == Outage.id, OutageRevision.number == Outage.revision))
        .where(
            OutageRevision.id.in_(mine),
            Outage.state.in_(PUBLIC_STATES),
            OutageRevision.approved_at.is_not(None),
            or_(OutageRevision.end >= since, Outage.state == OutageState.ACTIVE),
        )
        .order_by(OutageRevision.start, Outage.id)
        .limit(limit)
    )
    return list(session.scalars(statement))


def outages_of(
    session: Session, customer: int, revisions: Collection[int]
) -> list[tuple[Outage, OutageRevision, AudienceMember]]:
    """How these revisions concern a customer: by place, in order of start."""
    statement = (
        select(Outage, OutageRevision, AudienceMember)
        .join(OutageRevision, OutageRevision.outage_ref == Outage.id)
        .join(AudienceMember, AudienceMember.revision_ref == OutageRevision.id)
        .where(AudienceMember.customer_ref == customer, OutageRevision.id.in_(revisions))
        .order_by(OutageRevision.start, Outage.id, AudienceMember.id)
        .options(selectinload(AudienceMember.service_point), selectinload(Outage.revisions))
    )
    return [(outage, revision, member) for outage, revision, member in session.execute(statement)]


def enquiries_of(session: Session, customer: int, limit: int) -> list[tuple[Enquiry, str | None]]:
    """The newest enquiries of a customer, with the reference of the outage that they were about."""
    statement = (
        select(Enquiry, Outage.reference)
        .outerjoin(Outage, Outage.id == Enquiry.outage_ref)
        .where(Enquiry.customer_ref == customer)
        .order_by(Enquiry.id.desc())
        .limit(limit)
    )
    return [(enquiry, reference) for enquiry, reference in session.execute(statement)]
