"""The facts that checks before approval rest on: other outages, whom they take, protected dates."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, func, or_, select
from sqlalchemy.orm import Session

from outage_notify.domain.audience import KEY_TIERS, Impact, Tier
from outage_notify.domain.outage import OutageKind, OutageState, RevisionState
from outage_notify.store.listed import among, dialect_of, values_of
from outage_notify.store.outage_tables import AudienceMember, Outage, OutageRevision
from outage_notify.store.people_tables import Customer
from outage_notify.store.plan_tables import CustomerPlanRow
from outage_notify.store.protection_tables import ProtectedDay

COUNTED = (
    OutageState.DRAFT,
    OutageState.SUBMITTED,
    OutageState.APPROVED,
    OutageState.ACTIVE,
    OutageState.COMPLETED,
)
_CHUNK = 500


class OtherRow(NamedTuple):
    reference: str
    state: OutageState
    expected_end: datetime | None
    revision: int
    start: datetime
    end: datetime
    lost: list[str]
    switching: dict[str, Any]


def others(session: Session, low: datetime, high: datetime, but: str = "") -> list[OtherRow]:
    """Outages whose window touches [low, high]: the standing revision, and one that awaits approval.

    Cancelled ones and `but` (a reference) are left out; a draft revision of an approved outage is no plan yet.
    """
    statement = (
        select(
            Outage.reference,
            Outage.state,
            Outage.expected_end,
            OutageRevision.id,
            OutageRevision.start,
            OutageRevision.end,
            OutageRevision.lost,
            OutageRevision.switching,
        )
        .join(Outage, Outage.id == OutageRevision.outage_ref)
        .where(
            Outage.state.in_(COUNTED),
            Outage.reference != but,
            or_(OutageRevision.number == Outage.revision, OutageRevision.state == RevisionState.SUBMITTED),
            OutageRevision.start <= high,
            OutageRevision.end >= low,
        )
        .order_by(OutageRevision.start, OutageRevision.id)
    )
    return [OtherRow(*row) for row in session.execute(statement)]


def dark_customers(session: Session, revisions: Sequence[int]) -> dict[int, set[int]]:
    """Customers who lose supply, by row of the revision."""
    found: dict[int, set[int]] = {one: set() for one in revisions}
    for at in range(0, len(revisions), _CHUNK):
        rows = session.execute(
            select(AudienceMember.revision_ref, AudienceMember.customer_ref).where(
                AudienceMember.revision_ref.in_(revisions[at : at + _CHUNK]),
                AudienceMember.impact == Impact.OUTAGE,
            )
        )
        for revision, customer in rows:
            found[revision].add(customer)
    return found


def often(
    session: Session,
    customers: Collection[int],
    span: tuple[datetime, datetime],
    but: str,
    kinds: Collection[OutageKind],
    least: int,
) -> list[int]:
    """Those of `customers` who lose supply in `least` or more outages that start within a span and are no drafts."""
    dialect = dialect_of(session)
    statement = (
        select(AudienceMember.customer_ref)
        .join(OutageRevision, OutageRevision.id == AudienceMember.revision_ref)
        .join(Outage, (Outage.id == OutageRevision.outage_ref) & (Outage.revision == OutageRevision.number))
        .where(
            AudienceMember.customer_ref.in_(among(dialect, "people", BigInteger())),
            AudienceMember.impact == Impact.OUTAGE,
            Outage.state.in_([one for one in COUNTED if one is not OutageState.DRAFT]),
            Outage.kind.in_(kinds),
            Outage.reference != but,
            OutageRevision.start >= span[0],
            OutageRevision.start < span[1],
        )
        .group_by(AudienceMember.customer_ref)
        .having(func.count(Outage.id.distinct()) >= least)
        .order_by(AudienceMember.customer_ref)
    )
    return list(session.scalars(statement, values_of(dialect, "people", customers)))


def key_without_plan(session: Session, customers: Collection[int]) -> list[int]:
    """Those of `customers` who are key and have neither a plan nor a file; the highest tier first."""
    dialect = dialect_of(session)
    statement = (
        select(Customer.id)
        .outerjoin(CustomerPlanRow, CustomerPlanRow.customer_ref == Customer.id)
        .where(
            Customer.id.in_(among(dialect, "people", BigInteger())),
            or_(Customer.tier.in_(KEY_TIERS), Customer.life_support),
            CustomerPlanRow.customer_ref.is_(None),
        )
        .order_by(Customer.tier == Tier.LOW_VOLTAGE, Customer.id)
    )
    return list(session.scalars(statement, values_of(dialect, "people", customers)))


def names_of(session: Session, customers: Collection[int]) -> list[str]:
    rows = session.scalars(
        select(Customer.name).where(Customer.id.in_(list(customers))).order_by(Customer.id)
    )
    return list(rows)


def protected_days(session: Session, first: date, last: date) -> list[ProtectedDay]:
    """Entries in force that touch the days from `first` to `last`."""
    return list(
        session.scalars(
            select(ProtectedDay)
            .where(ProtectedDay.first <= last, ProtectedDay.last >= first, ProtectedDay.removed_at.is_(None))
            .order_by(ProtectedDay.first, ProtectedDay.id)
        )
    )


def all_protected_days(session: Session, since: date) -> list[ProtectedDay]:
    """Entries in force that are not over, in order."""
    return protected_days(session, since, date.max)
