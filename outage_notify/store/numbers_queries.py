"""The numbers of a period, counted by the database in sets: one statement for each question.

An outage belongs to the period in which its standing revision starts, if that was ever approved. What
is judged (compliance, signatures) is judged once its window has begun; what was cancelled is not.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, false, func, or_, select
from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.domain.acknowledgement import AckState
from outage_notify.domain.audience import Impact, Tier
from outage_notify.domain.delivery import TOLD
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageKind, OutageState
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.coverage_tables import Coverage
from outage_notify.store.delivery_tables import Delivery, DeliveryRecipient, Notice
from outage_notify.store.outage_tables import AudienceMember, Outage, OutageRevision
from outage_notify.store.people_tables import ContactPoint, Customer

FIRST = (NoticeKind.SEVEN_DAY, NoticeKind.CHANGED)
ANNOUNCING = (*FIRST, NoticeKind.DAY_AHEAD, NoticeKind.REMINDER)
REACHABLE = (Channel.SMS, Channel.VOICE, Channel.EMAIL)


@dataclass(frozen=True)
class OutageRow:
    """One outage of the period: its standing window, what became of it, customers without supply by plan."""

    reference: str
    kind: OutageKind
    state: OutageState
    start: datetime
    end: datetime
    started_at: datetime | None
    completed_at: datetime | None
    cancelled_at: datetime | None
    customers: int


def outages(session: Session, low: datetime, high: datetime) -> list[OutageRow]:
    """Every approved outage of the period, by start."""
    out = (
        select(
            AudienceMember.revision_ref,
            func.count(AudienceMember.customer_ref.distinct()).label("customers"),
        )
        .join(OutageRevision, OutageRevision.id == AudienceMember.revision_ref)
        .where(
            AudienceMember.impact == Impact.OUTAGE, OutageRevision.start >= low, OutageRevision.start < high
        )
        .group_by(AudienceMember.revision_ref)
        .subquery()
    )
    rows = session.execute(
        _of_period(
            select(
                Outage.reference,
                Outage.kind,
                Outage.state,
                OutageRevision.start,
                OutageRevision.end,
                Outage.started_at,
                Outage.completed_at,
                Outage.cancelled_at,
                func.coalesce(out.c.customers, 0),
            ),
            low,
            high,
        )
        .outerjoin(out, out.c.revision_ref == OutageRevision.id)
        .order_by(OutageRevision.start, Outage.id)
    )
    return [OutageRow(*tuple(row)) for row in rows]


def compliance(
    session: Session, low: datetime, high: datetime, now: datetime, told: Collection[tuple[Impact, bool]]
) -> dict[Tier, tuple[int, int, int]]:
    """Tier > (customers told in time, told late, not told), each customer once per outage.

    `told`: which (impact, key) are owed a notice. In time: a first notice (where the revision has none, a
    day-ahead notice) was accepted by its deadline. Late: some announcement of the revision was accepted.
    """
    owed = [and_(AudienceMember.impact == impact, AudienceMember.is_key.is_(key)) for impact, key in told]
    members = (
        _judged(
            select(
                Outage.id.label("outage"),
                AudienceMember.customer_ref.label("customer"),
                func.min(AudienceMember.tier).label("tier"),
            ),
            low,
            high,
            now,
        )
        .join(AudienceMember, AudienceMember.revision_ref == OutageRevision.id)
        .where(or_(*owed) if owed else false())
        .group_by(Outage.id, AudienceMember.customer_ref)
        .cte("members")
    )
    with_first = (
        _judged(select(Outage.id.label("outage")), low, high, now)
        .join(Notice, and_(Notice.outage_ref == Outage.id, Notice.revision == Outage.revision))
        .where(Notice.kind.in_(FIRST))
        .distinct()
        .cte("with_first")
    )
    counts = or_(
        Notice.kind.in_(FIRST),
        and_(Notice.kind == NoticeKind.DAY_AHEAD, with_first.c.outage.is_(None)),
    )
    in_time = case((and_(counts, Delivery.accepted_at <= Notice.deadline), 1), else_=0)
    reached = (
        _judged(
            select(
                Outage.id.label("outage"),
                DeliveryRecipient.customer_ref.label("customer"),
                func.max(in_time).label("in_time"),
            ),
            low,
            high,
            now,
        )
        .join(Notice, and_(Notice.outage_ref == Outage.id, Notice.revision == Outage.revision))
        .join(Delivery, Delivery.notice_ref == Notice.id)
        .join(DeliveryRecipient, DeliveryRecipient.delivery_ref == Delivery.id)
        .outerjoin(with_first, with_first.c.outage == Outage.id)
        .where(Delivery.state.in_(TOLD), Notice.kind.in_(ANNOUNCING))
        .group_by(Outage.id, DeliveryRecipient.customer_ref)
        .cte("reached")
    )
    rows = session.execute(
        select(
            members.c.tier,
            func.count().filter(reached.c.in_time == 1),
            func.count().filter(reached.c.in_time == 0),
            func.count().filter(reached.c.in_time.is_(None)),
        )
        .select_from(members)
        .outerjoin(
            reached,
            and_(reached.c.outage == members.c.outage, reached.c.customer == members.c.customer),
        )
        .group_by(members.c.tier)
    )
    return {Tier(tier): (kept, late, none) for tier, kept, late, none in rows}


def signatures(session: Session, low: datetime, high: datetime, now: datetime) -> dict[str, int]:
    """Key customers asked for the standing revision: in_time (signed before the start), late, refused,
    objected, missing."""
    signed = Acknowledgement.state == AckState.ACKNOWLEDGED
    word = case(
        (and_(signed, Acknowledgement.answered_at <= OutageRevision.start), "in_time"),
        (signed, "late"),
        (Acknowledgement.state == AckState.REFUSED, "refused"),
        (Acknowledgement.state == AckState.OBJECTED, "objected"),
        else_="missing",
    )
    rows = session.execute(
        _judged(select(word, func.count()), low, high, now)
        .join(
            Acknowledgement,
            and_(Acknowledgement.outage_ref == Outage.id, Acknowledgement.revision == Outage.revision),
        )
        .group_by(word)
    )
    return {row[0]: row[1] for row in rows}


def coverage(session: Session) -> dict[Tier, tuple[int, int]]:
    """Tier > (customers with a usable number or e-mail address, customers), of those there are today."""
    usable = (
        select(ContactPoint.customer_ref)
        .where(
            ContactPoint.channel.in_(REACHABLE),
            ContactPoint.bad_at.is_(None),
            ContactPoint.opted_out_at.is_(None),
            ContactPoint.backup.is_(False),
        )
        .distinct()
        .subquery()
    )
    rows = session.execute(
        select(Customer.tier, func.count(usable.c.customer_ref), func.count())
        .outerjoin(usable, usable.c.customer_ref == Customer.id)
        .where(Customer.gone_at.is_(None))
        .group_by(Customer.tier)
    )
    return {tier: (reached, every) for tier, reached, every in rows}


def kept_coverage(session: Session, people: str) -> tuple[dict[Tier, tuple[int, int]], datetime] | None:
    """The same as counted last, and when; None where nothing was counted of this state of the people."""
    rows = session.scalars(select(Coverage)).all()
    if not rows or any(one.people != people for one in rows):
        return None
    return {one.tier: (one.reachable, one.customers) for one in rows}, min(one.counted_at for one in rows)


def keep_coverage(session: Session, counts: dict[Tier, tuple[int, int]], people: str, at: datetime) -> None:
    """In place of what was counted before."""
    for tier in Tier:
        reachable, customers = counts.get(tier, (0, 0))
        session.merge(
            Coverage(tier=tier, reachable=reachable, customers=customers, people=people, counted_at=at)
        )


def repeats(session: Session, low: datetime, high: datetime) -> dict[int, int]:
    """Times without supply by plan > how many customers, of outages of the period that were not cancelled."""
    times = (
        _of_period(
            select(AudienceMember.customer_ref, func.count(Outage.id.distinct()).label("times")), low, high
        )
        .join(AudienceMember, AudienceMember.revision_ref == OutageRevision.id)
        .where(AudienceMember.impact == Impact.OUTAGE, Outage.state != OutageState.CANCELLED)
        .group_by(AudienceMember.customer_ref)
        .subquery()
    )
    rows = session.execute(select(times.c.times, func.count()).group_by(times.c.times))
    return {row[0]: row[1] for row in rows}


def _of_period(statement: Any, low: datetime, high: datetime) -> Any:
    """Joined to the standing revision; approved, and starting in the period."""
    return (
        statement.select_from(Outage)
        .join(
            OutageRevision,
            and_(OutageRevision.outage_ref == Outage.id, OutageRevision.number == Outage.revision),
        )
        .where(
            OutageRevision.start >= low, OutageRevision.start < high, OutageRevision.approved_at.is_not(None)
        )
    )


def _judged(statement: Any, low: datetime, high: datetime, now: datetime) -> Any:
    """The same, if the window has begun and the outage was not cancelled."""
    return _of_period(statement, low, high).where(
        Outage.state != OutageState.CANCELLED, OutageRevision.start <= now
    )
