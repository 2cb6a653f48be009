"""A customer's calendar feed: one event per outage and site, always as things stand.

Publication, never a delivery: it counts for nobody as having been told. The secret in the address is the
only key to it and appears in no log line. Leaves to others: how an event is written down
(`channels.calendar`), what is kept of it (`feed_cache`), further addresses of
it (`feed_addresses`), caching headers and HEAD (`web`).

An outage that no longer affects a site, or is cancelled, stays as a CANCELLED event, because a client
that saw the old one keeps it otherwise. While a revision is pending the standing window
is shown as TENTATIVE.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from channels.calendar import CANCELLED, CONFIRMED, TENTATIVE, FeedEvent
from channels.maintnote import Maintnote
from channels.model import Language
from outage_notify.domain.audience import gravest
from outage_notify.domain.outage import OutageKind, OutageState
from outage_notify.services.feed_cache import Feed
from outage_notify.services.runtime import Runtime
from outage_notify.store import feed_queries, publication
from outage_notify.store.outage_tables import AudienceMember, Outage, OutageRevision
from outage_notify.store.people_tables import Customer

# How long what is over stays in the feed.
KEPT = timedelta(days=60)
_NAMES = {Language.ZH: "{utility} 计划停电", Language.EN: "{utility}: planned power outages"}


# Kinds of customers whose machines read maintenance from the calendar.
_READ_BY_MACHINES = frozenset({"telecom", "telecom_site", "data_centre", "data_center"})
_EMERGENCIES = frozenset({OutageKind.FAULT, OutageKind.HAZARD_REMOVAL})


def kept_feed(rt: Runtime, secret: str) -> Feed | None:
    """The feed that this secret opens if it was rendered by this process and nothing in it has changed since, or if
    it holds nothing; None says nothing: ask `customer_feed`."""
    standing = publication.standing(rt.database)
    now = rt.clock.at(standing.instant, standing.turned)
    kept = rt.feeds.get(secret, standing.version, now)
    if kept is not None:
        return kept
    language = feed_queries.quiet_language(rt.database, secret, now - KEPT)
    return (
        rt.feeds.put(secret, standing.version, _name(rt, language), (), language, now) if language else None
    )


def customer_feed(rt: Runtime, secret: str) -> Feed | None:
    """The feed that this secret opens; None if there is none (also for a revoked one: nobody can tell which).

    What was rendered before is handed out again until something in it changes.
    """
    cache = rt.feeds
    standing = publication.standing(rt.database)
    now = rt.clock.at(standing.instant, standing.turned)
    kept = cache.get(secret, standing.version, now)
    if kept is not None:
        return kept
    with rt.database.read() as session:
        found = feed_queries.customer_by_feed_secret(session, secret, now)
        if found is None:
            cache.forget(secret)
            return None
        customer, ends_at = found
        events = events_of(session, rt, customer, now)
        name = _name(rt, customer.language)
        leaving = feed_queries.next_to_leave(session, customer.id, now - KEPT)
    moments = [leaving + KEPT if leaving else None, ends_at]
    # The version was read before the facts: what was written in between makes the next poll look again.
    return cache.put(secret, standing.version, name, events, customer.language, now, moments)


def _name(rt: Runtime, language: Language) -> str:
    return _NAMES[language].format(utility=rt.settings.utility).strip(" :")


def events_of(session: Session, rt: Runtime, customer: Customer, now: datetime) -> list[FeedEvent]:
    """One event per outage and site of a customer."""
    rows = feed_queries.affected_by(session, customer.id, now - KEPT)
    told = [(revision, member) for revision, member in rows if rt.policy.told(member.impact, member.is_key)]
    by_site = sorted(told, key=lambda row: (row[0].outage_ref, row[1].service_point.site_ref, row[0].number))
    where = feed_queries.coordinates(session, {member.service_point.element for _, member in told})
    events = []
    for _, group in groupby(by_site, key=lambda row: (row[0].outage_ref, row[1].service_point.site_ref)):
        mine = list(group)
        newest = mine[-1][0]
        members = [member for revision, member in mine if revision is newest]
        events.append(_event(rt, customer, newest, members, where))
    return events


def event_site(customer_id: str, site_id: str) -> str:
    """The site as the UID of its events knows it; the same in the feed and in the attachment of an e-mail."""
    return f"{customer_id}/{site_id}"


def _event(
    rt: Runtime,
    customer: Customer,
    revision: OutageRevision,
    members: Sequence[AudienceMember],
    where: Mapping[str, tuple[float, float]],
) -> FeedEvent:
    """`revision` is the newest approved one that affects the site whose affected points are `members`."""
    outage = revision.outage
    zone = ZoneInfo(outage.timezone)
    points = [member.service_point for member in members]
    manager = next((point.grid_manager for point in points if point.grid_manager), None)
    contact = [manager.name, manager.phone] if manager else []
    contact.append(rt.settings.hotline)
    base = rt.settings.base_url
    latitude, longitude = next((where[one.element] for one in points if one.element in where), (None, None))
    return FeedEvent(
        reference=outage.reference,
        site=event_site(customer.customer_id, points[0].site.site_id),
        revision=outage.revision,
        status=status(outage, revision),
        start=revision.start.astimezone(zone),
        end=end_of(outage, revision).astimezone(zone),
        modified=outage.changed_at,
        place=", ".join(dict.fromkeys(point.place for point in points)),
        reason=revision.reason.get(customer.language) or next(iter(revision.reason.values()), ""),
        impact=gravest(member.impact for member in members).value,
        utility=rt.settings.utility,
        contact=" ".join(part for part in contact if part),
        url=f"{base}/outages" if base else "",
        latitude=latitude,
        longitude=longitude,
        maintnote=_maintnote(rt, customer, revision, members),
    )


def _maintnote(
    rt: Runtime, customer: Customer, revision: OutageRevision, members: Sequence[AudienceMember]
) -> Maintnote | None:
    """For customers whose kind is read by machines; None for all others."""
    if customer.kind.strip().lower().replace(" ", "_").replace("-", "_") not in _READ_BY_MACHINES:
        return None
    outage = revision.outage
    going = {OutageState.ACTIVE: "IN-PROCESS", OutageState.COMPLETED: "COMPLETED"}
    stands = status(outage, revision)
    return Maintnote(
        provider=rt.settings.utility,
        account=customer.customer_id,
        maintenance=outage.reference,
        objects=tuple((one.service_point.service_point_id, one.impact.value) for one in members),
        status=going.get(outage.state, stands) if stands == CONFIRMED else stands,
        planned=outage.kind not in _EMERGENCIES,
    )


def status(outage: Outage, revision: OutageRevision) -> str:
    """The status of an event: CANCELLED too where a newer revision spares the site."""
    if outage.state is OutageState.CANCELLED or revision.number != outage.revision:
        return CANCELLED
    if outage.state is OutageState.APPROVED and outage.pending:
        return TENTATIVE
    return CONFIRMED


def end_of(outage: Outage, revision: OutageRevision) -> datetime:
    """When supply is back: as planned, as expected while it overruns, as it was once it is over."""
    if revision.number != outage.revision:
        return revision.end
    actual = outage.completed_at or outage.expected_end
    return actual if actual and actual > revision.start else revision.end
