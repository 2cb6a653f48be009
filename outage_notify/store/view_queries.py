"""Counts and lists that pages and commands show about outages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from outage_notify.domain.audience import Impact, Tier
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.outage import OutageState
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.delivery_tables import Delivery, Notice
from outage_notify.store.outage_tables import AudienceMember, Outage, OutageRevision

_COLUMN = {Impact.OUTAGE: "outage", Impact.REDUCED_REDUNDANCY: "reduced", Impact.MOMENTARY: "momentary"}


def newest_outages(
    session: Session, states: Collection[OutageState] = (), limit: int = 200, offset: int = 0
) -> list[Outage]:
    """Outages with their revisions, the newest first."""
    statement = select(Outage).options(selectinload(Outage.revisions)).order_by(Outage.id.desc())
    if states:
        statement = statement.where(Outage.state.in_(states))
    return list(session.scalars(statement.limit(limit).offset(offset)))


def by_tier(session: Session, revision: OutageRevision) -> dict[str, dict[str, int]]:
    """All six tiers of a frozen audience, as `resolve --json` counts them."""
    counts = {tier.value: {"outage": 0, "reduced": 0, "momentary": 0, "customers": 0} for tier in Tier}
    rows = session.execute(
        select(AudienceMember.tier, AudienceMember.impact, func.count())
        .where(AudienceMember.revision_ref == revision.id)
        .group_by(AudienceMember.tier, AudienceMember.impact)
    )
    for tier, impact, count in rows:
        counts[tier.value][_COLUMN[impact]] += count
    people = session.execute(
        select(AudienceMember.tier, func.count(AudienceMember.customer_ref.distinct()))
        .where(AudienceMember.revision_ref == revision.id)
        .group_by(AudienceMember.tier)
    )
    for tier, count in people:
        counts[tier.value]["customers"] = count
    return counts


def customers_in(session: Session, revisions: Collection[int]) -> dict[int, tuple[int, int]]:
    """Per revision: (customers, key customers) in its audience."""
    rows = session.execute(
        select(
            AudienceMember.revision_ref,
            func.count(AudienceMember.customer_ref.distinct()),
            func.count(AudienceMember.customer_ref.distinct()).filter(AudienceMember.is_key),
        )
        .where(AudienceMember.revision_ref.in_(list(revisions)))
        .group_by(AudienceMember.revision_ref)
    )
    return {revision: (customers, key) for revision, customers, key in rows}


def delivery_counts(session: Session, notices: Collection[int]) -> dict[int, dict[str, dict[str, int]]]:
    """Per notice: channel > state > how many."""
    found: dict[int, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    rows = session.execute(
        select(Delivery.notice_ref, Delivery.channel, Delivery.state, func.count())
        .where(Delivery.notice_ref.in_(list(notices)))
        .group_by(Delivery.notice_ref, Delivery.channel, Delivery.state)
    )
    for notice, channel, state, count in rows:
        found[notice][channel.value][state.value] = count
    return {notice: {k: dict(v) for k, v in channels.items()} for notice, channels in found.items()}


def notices_of_outage(session: Session, outage: int) -> list[Notice]:
    return list(session.scalars(select(Notice).where(Notice.outage_ref == outage).order_by(Notice.id)))


def acknowledgements_of(session: Session, outage: int, revision: int) -> list[Acknowledgement]:
    """The answers asked of key customers for one revision, with the customers."""
    return list(
        session.scalars(
            select(Acknowledgement)
            .where(Acknowledgement.outage_ref == outage, Acknowledgement.revision == revision)
            .order_by(Acknowledgement.id)
            .options(selectinload(Acknowledgement.customer))
        )
    )


def paused_count(session: Session, outage: int) -> int:
    return (
        session.scalar(
            select(func.count())
            .select_from(Delivery)
            .where(Delivery.outage_ref == outage, Delivery.paused, Delivery.state == DeliveryState.READY)
        )
        or 0
    )
