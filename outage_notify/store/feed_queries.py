"""Which outages a customer's calendar holds."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from outage_notify.domain.outage import OutageState
from outage_notify.store.outage_tables import AudienceMember, Outage, OutageRevision
from outage_notify.store.people_tables import Customer, ServicePoint

# A secret is never longer; what is longer does not reach the database.
LONGEST_SECRET = 64


def customer_by_feed_secret(session: Session, secret: str) -> Customer | None:
    """The customer whose feed has this secret; None for an unknown, revoked or impossible one."""
    if not 16 <= len(secret) <= LONGEST_SECRET or not secret.isascii() or not secret.isprintable():
        return None
    return session.scalar(select(Customer).where(Customer.feed_secret == secret))


def affected_by(
    session: Session, customer: int, since: datetime
) -> list[tuple[OutageRevision, AudienceMember]]:
    """Every (revision, affected service point) of a customer, of revisions that were ever approved: outages
    that stand or run, and those completed or cancelled since `since`; in order of outage, revision, point.

    The outages come with all their revisions, the members with site and grid manager: four queries
    however many there are.
    """
    statement = (
        select(OutageRevision, AudienceMember)
        .join(AudienceMember, AudienceMember.revision_ref == OutageRevision.id)
        .join(OutageRevision.outage)
        .where(
            AudienceMember.customer_ref == customer,
            OutageRevision.approved_at.is_not(None),
            or_(
                Outage.state.in_([OutageState.APPROVED, OutageState.ACTIVE]),
                (Outage.state == OutageState.COMPLETED) & (Outage.completed_at >= since),
                (Outage.state == OutageState.CANCELLED) & (Outage.cancelled_at >= since),
            ),
        )
        .options(
            contains_eager(OutageRevision.outage).selectinload(Outage.revisions),
            selectinload(AudienceMember.service_point).options(
                joinedload(ServicePoint.site), joinedload(ServicePoint.grid_manager)
            ),
        )
        .order_by(Outage.id, OutageRevision.number, AudienceMember.service_point_ref)
    )
    return [(revision, member) for revision, member in session.execute(statement)]
