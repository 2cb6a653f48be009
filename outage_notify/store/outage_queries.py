"""Outages by reference, the next reference, and who is in an audience."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from outage_notify.domain.audience import Affected, Impact
from outage_notify.domain.errors import NotFound
from outage_notify.domain.outage import OutageState
from outage_notify.store import bulk
from outage_notify.store.outage_tables import AudienceMember, Outage, OutageRevision
from outage_notify.store.people_tables import Customer, ServicePoint


def outage_by_reference(session: Session, reference: str, *, lock: bool = False) -> Outage:
    """The outage with its revisions. `lock`: no other transaction changes it meanwhile."""
    statement = select(Outage).where(Outage.reference == reference).options(selectinload(Outage.revisions))
    if lock:
        # Its key stays readable: a worker that notes an event about it must not wait for this, while
        # this waits for the worker's rows.
        statement = statement.with_for_update(key_share=True)
    outage = session.scalar(statement)
    if outage is None:
        raise NotFound(f"There is no outage {reference}.", "`outage-notify outage list` shows them all.")
    return outage


def next_reference(session: Session, year: int) -> str:
    """PO-2026-0417: counted within the year. Two planners at once: UNIQUE refuses one, who tries again."""
    prefix = f"PO-{year}-"
    newest = session.scalar(
        select(Outage.reference)
        .where(Outage.reference.startswith(prefix))
        .order_by(func.length(Outage.reference).desc(), Outage.reference.desc())
        .limit(1)
    )
    number = int(newest.removeprefix(prefix)) + 1 if newest else 1
    return f"{prefix}{number:04d}"


def clear_audience(session: Session, revision: OutageRevision) -> None:
    """Before a revision's audience is frozen anew."""
    session.execute(delete(AudienceMember).where(AudienceMember.revision_ref == revision.id))


def add_audience(session: Session, revision: OutageRevision, affected: Iterable[Affected]) -> None:
    """Freeze more service points with a revision; each may be added once."""
    columns = ("service_point_ref", "customer_ref", "impact", "tier", "is_key", "life_support")
    rows = (
        (feed.service_point, feed.customer, one.impact, feed.tier, feed.key, feed.life_support)
        for one in affected
        for feed in (one.feed,)
    )
    bulk.insert_tuples(session, AudienceMember, columns, rows, {"revision_ref": revision.id})


def audience(session: Session, revision: OutageRevision) -> list[AudienceMember]:
    """Every affected service point of a revision with its customer, contacts, place and grid manager."""
    customer = joinedload(AudienceMember.customer)
    whole = [
        customer.selectinload(Customer.contacts),
        selectinload(AudienceMember.service_point).selectinload(ServicePoint.grid_manager),
    ]
    return list(
        session.scalars(
            select(AudienceMember)
            .where(AudienceMember.revision_ref == revision.id)
            .order_by(AudienceMember.customer_ref, AudienceMember.id)
            .options(*whole)
        )
    )


def audience_of_customer(session: Session, revision: OutageRevision, customer: int) -> list[AudienceMember]:
    """The affected service points of one customer."""
    return list(
        session.scalars(
            select(AudienceMember)
            .where(AudienceMember.revision_ref == revision.id, AudienceMember.customer_ref == customer)
            .order_by(AudienceMember.id)
            .options(selectinload(AudienceMember.service_point).selectinload(ServicePoint.grid_manager))
        )
    )


def impacts(session: Session, revision: OutageRevision) -> dict[int, Impact]:
    """Service point to what it feels, as frozen."""
    rows = session.execute(
        select(AudienceMember.service_point_ref, AudienceMember.impact).where(
            AudienceMember.revision_ref == revision.id
        )
    )
    return {row[0]: row[1] for row in rows}


def outages_in(
    session: Session, states: Sequence[OutageState], changed_since: datetime | None = None
) -> list[Outage]:
    """Outages in these states, oldest first."""
    statement = (
        select(Outage)
        .where(Outage.state.in_(states))
        .order_by(Outage.id)
        .options(selectinload(Outage.revisions))
    )
    if changed_since is not None:
        statement = statement.where(Outage.changed_at >= changed_since)
    return list(session.scalars(statement))
