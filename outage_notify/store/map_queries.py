"""What the public may know of outages, how many are without supply, and whether anything changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, defer, selectinload

from outage_notify.domain.audience import Impact
from outage_notify.domain.outage import PUBLIC_STATES, OutageState
from outage_notify.store.outage_tables import AudienceMember, Outage, OutageRevision
from outage_notify.store.people_tables import GridManager, ServicePoint
from outage_notify.store.work_tables import Event

AHEAD = frozenset({OutageState.APPROVED, OutageState.ACTIVE})


def public_outages(session: Session, ended_since: datetime) -> list[Outage]:
    """Outages that were approved and are ahead or going on, or ended after `ended_since`; by start."""
    statement = (
        _shown(select(Outage), ended_since)
        .order_by(OutageRevision.start, Outage.id)
        .options(selectinload(Outage.revisions).options(*_UNNEEDED))
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


def fingerprint(session: Session) -> str:
    """Changes with every write to an outage that is or was public, and to what the public calls. One statement."""
    offices = select(func.coalesce(func.sum(GridManager.office_serial), 0)).scalar_subquery()
    number, versions, newest, serial = session.execute(
        select(func.count(), func.sum(Outage.version), func.max(Outage.changed_at), offices).where(
            Outage.state.in_(PUBLIC_STATES)
        )
    ).one()
    return f"{number}-{versions or 0}-{serial}-{newest.isoformat() if newest else ''}"


def offices(session: Session, ended_since: datetime) -> dict[int, list[tuple[str, str]]]:
    """Standing revision id to the offices (name, telephone) of the grid managers of who loses supply, by how many
    they have there; of all that is shown."""
    shown = _shown(select(OutageRevision.id).select_from(Outage), ended_since)
    return _offices(session, AudienceMember.revision_ref.in_(shown))


def offices_of(session: Session, revision: int) -> dict[int, list[tuple[str, str]]]:
    return _offices(session, AudienceMember.revision_ref == revision)


def _offices(session: Session, which: ColumnElement[bool]) -> dict[int, list[tuple[str, str]]]:
    if session.scalar(select(GridManager.id).where(GridManager.office_phone != "").limit(1)) is None:
        return {}
    statement = (
        select(AudienceMember.revision_ref, GridManager.office, GridManager.office_phone)
        .join(ServicePoint, ServicePoint.id == AudienceMember.service_point_ref)
        .join(GridManager, GridManager.id == ServicePoint.grid_manager_ref)
        .where(which, AudienceMember.impact == Impact.OUTAGE, GridManager.office_phone != "")
        .group_by(AudienceMember.revision_ref, GridManager.office, GridManager.office_phone)
        .order_by(AudienceMember.revision_ref, func.count().desc(), GridManager.office_phone)
    )
    found: dict[int, list[tuple[str, str]]] = {}
    for revision, office, phone in session.execute(statement):
        found.setdefault(revision, []).append((office, phone))
    return found


def customers_out(session: Session, ended_since: datetime) -> dict[int, int]:
    """Standing revision id to the number of customers who lose supply in it, of all that is shown."""
    shown = _shown(select(OutageRevision.id).select_from(Outage), ended_since)
    return {row[0]: row[1] for row in session.execute(_counted().where(_of(shown)))}


def customers_out_of(session: Session, revision: int) -> int:
    """How many customers lose supply in one revision."""
    found = session.execute(_counted().where(AudienceMember.revision_ref == revision)).first()
    return found[1] if found else 0


def overruns(session: Session, ended_since: datetime) -> dict[int, list[tuple[datetime, datetime]]]:
    """Outage id to each "it takes longer": when it was said, and until when; of all that is shown."""
    shown = _shown(select(Outage.id), ended_since)
    return _overruns(session, Event.outage_ref.in_(shown))


def overruns_of(session: Session, outage: int) -> dict[int, list[tuple[datetime, datetime]]]:
    return _overruns(session, Event.outage_ref == outage)


def approved_revisions(outage: Outage) -> Sequence[OutageRevision]:
    """The revisions that were ever made public, in order."""
    return [one for one in outage.revisions if one.approved_at is not None]


# Long columns that the public never sees.
_UNNEEDED = [
    defer(getattr(OutageRevision, name)) for name in ("lost", "isolation", "switching", "exception_reason")
]


def _shown(statement: Select[Any], ended_since: datetime) -> Select[Any]:
    ended = func.coalesce(Outage.completed_at, Outage.cancelled_at)
    recent = and_(Outage.state.in_(PUBLIC_STATES - AHEAD), ended > ended_since)
    return statement.join(OutageRevision, _standing()).where(
        or_(Outage.state.in_(AHEAD), recent), OutageRevision.approved_at.is_not(None)
    )


def _counted() -> Any:
    return (
        select(AudienceMember.revision_ref, func.count(AudienceMember.customer_ref.distinct()))
        .where(AudienceMember.impact == Impact.OUTAGE)
        .group_by(AudienceMember.revision_ref)
    )


def _of(shown: Select) -> ColumnElement[bool]:
    return AudienceMember.revision_ref.in_(shown)


def _overruns(session: Session, which: ColumnElement[bool]) -> dict[int, list[tuple[datetime, datetime]]]:
    found: dict[int, list[tuple[datetime, datetime]]] = {}
    rows = session.execute(
        select(Event.outage_ref, Event.at, Event.detail)
        .where(Event.what == "overrun", which)
        .order_by(Event.id)
    )
    for outage, at, detail in rows:
        if outage is not None:
            found.setdefault(outage, []).append((at, datetime.fromisoformat(detail["until"])))
    return found


def _standing() -> ColumnElement[bool]:
    return and_(OutageRevision.outage_ref == Outage.id, OutageRevision.number == Outage.revision)
