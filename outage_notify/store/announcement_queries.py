"""Records of announcements, and the places that a public paper names."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outage_notify.domain.audience import Impact, Tier
from outage_notify.store.announcement_tables import Announcement
from outage_notify.store.outage_tables import AudienceMember, Outage, OutageRevision
from outage_notify.store.people_tables import ServicePoint

PUBLIC_IMPACTS = (Impact.OUTAGE, Impact.MOMENTARY)


def records(session: Session, outage: int, *, void: bool = True) -> list[Announcement]:
    """Records of one outage, the newest first; without `void` only those that count."""
    statement = select(Announcement).where(Announcement.outage_ref == outage)
    if not void:
        statement = statement.where(Announcement.void_at.is_(None))
    return list(session.scalars(statement.order_by(Announcement.announced_at.desc(), Announcement.id.desc())))


def record_of(session: Session, number: int) -> Announcement | None:
    return session.get(Announcement, number)


def same_public_facts(outage: Outage, standing: OutageRevision) -> list[int]:
    """Numbers of the revisions whose announcement holds for `standing`: same window and same area in words,
    without another one that was approved in between."""
    found = []
    for one in sorted(outage.revisions, key=lambda one: -one.number):
        if one.number > standing.number or (one.approved_at is None and one.number != standing.number):
            continue
        if (one.start, one.end, one.area) != (standing.start, standing.end, standing.area):
            break
        found.append(one.number)
    return found


def places(session: Session, revision: int) -> Iterable[tuple[str, int]]:
    """(place in words, service points) of all who lose supply, if only for a moment."""
    rows = session.execute(
        select(ServicePoint.place, func.count())
        .join(AudienceMember, AudienceMember.service_point_ref == ServicePoint.id)
        .where(AudienceMember.revision_ref == revision, AudienceMember.impact.in_(PUBLIC_IMPACTS))
        .group_by(ServicePoint.place)
        .order_by(ServicePoint.place)
    )
    return [(place, count) for place, count in rows]


def customers_out(session: Session, revision: int) -> int:
    return (
        session.scalar(
            select(func.count(AudienceMember.customer_ref.distinct())).where(
                AudienceMember.revision_ref == revision, AudienceMember.impact == Impact.OUTAGE
            )
        )
        or 0
    )


def classes(session: Session, revision: int) -> list[tuple[Tier, bool]]:
    """(tier, life support) as they occur in an audience, each once."""
    rows = session.execute(
        select(AudienceMember.tier, AudienceMember.life_support)
        .where(AudienceMember.revision_ref == revision)
        .distinct()
    )
    return [(tier, life_support) for tier, life_support in rows]
