"""What the public may know of outages, and how many are without supply."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, selectinload

from outage_notify.domain.audience import Impact
from outage_notify.domain.outage import PUBLIC_STATES, OutageState
from outage_notify.store.outage_tables import AudienceMember, Outage, OutageRevision

AHEAD = frozenset({OutageState.APPROVED, OutageState.ACTIVE})


def public_outages(session: Session, ended_since: datetime) -> list[Outage]:
    """Outages that were approved and are ahead or going on, or ended at or after `ended_since`; by start."""
    recent = and_(Outage.state.in_(PUBLIC_STATES - AHEAD), Outage.changed_at >= ended_since)
    statement = (
        select(Outage)
        .join(OutageRevision, _standing())
        .where(or_(Outage.state.in_(AHEAD), recent), OutageRevision.approved_at.is_not(None))
        .order_by(OutageRevision.start, Outage.id)
        .options(selectinload(Outage.revisions))
    )
    return list(session.scalars(statement))


def public_outage(session: Session, reference: str) -> Outage | None:
    """One outage, if it was ever approved."""
    statement = (
        select(Outage)
        .join(OutageRevision, _standing())
        .where(
            Outage.reference == reference,
            Outage.state.in_(PUBLIC_STATES),
            OutageRevision.approved_at.is_not(None),
        )
        .options(selectinload(Outage.revisions))
    )
    return session.scalars(statement).first()


def customers_out(session: Session, revisions: Collection[int]) -> dict[int, int]:
    """Revision id to the number of customers who lose supply in it; one statement for all of them."""
    statement = (
        select(AudienceMember.revision_ref, func.count(AudienceMember.customer_ref.distinct()))
        .where(AudienceMember.revision_ref.in_(revisions), AudienceMember.impact == Impact.OUTAGE)
        .group_by(AudienceMember.revision_ref)
    )
    return dict(session.execute(statement).all())


def approved_revisions(outage: Outage) -> Sequence[OutageRevision]:
    """The revisions that were ever made public, in order."""
    return [one for one in outage.revisions if one.approved_at is not None]


def _standing() -> ColumnElement[bool]:
    return and_(OutageRevision.outage_ref == Outage.id, OutageRevision.number == Outage.revision)
