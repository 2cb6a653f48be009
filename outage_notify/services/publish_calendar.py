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
from outage_notify.store.feed_queries import Affected, Subscriber

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
        customer = feed_queries.subscriber(session, secret, now)
        if customer is None:
            cache.forget(secret)
            return None
        rows = feed_queries.affected_by(session, customer.id, now - KEPT)
        events = _events(session, rt, customer, rows)
        name = _name(rt, customer.language)
    leaving = min((row.ended_at for row in rows if row.ended_at is not None), default=None)
    moments = [leaving + KEPT if leaving else None, customer.ends_at]
    # The version was read before the facts: what was written in between makes the next poll look again.
    return cache.put(secret, standing.version, name, events, customer.language, now, moments)


def _name(rt: Runtime, language: Language) -> str:
    return _NAMES[language].format(utility=rt.settings.utility).strip(" :")


def _events(session: Session, rt: Runtime, customer: Subscriber, rows: Sequence[Affected]) -> list[FeedEvent]:
    """One event per outage and site of a customer."""
    told = [row for row in rows if rt.policy.told(row.impact, row.is_key)]
    where = feed_queries.coordinates(session, {row.element for row in told})
    events = []
    for _, group in groupby(told, key=lambda row: (row.reference, row.site)):
        mine = list(group)
        events.append(_event(rt, customer, [row for row in mine if row.number == mine[-1].number], where))
    return events


def event_site(customer_id: str, site_id: str) -> str:
    """The site as the UID of its events knows it; the same in the feed and in the attachment of an e-mail."""
    return f"{customer_id}/{site_id}"


def _event(
    rt: Runtime, customer: Subscriber, points: Sequence[Affected], where: Mapping[str, tuple[float, float]]
) -> FeedEvent:
    """`points`: what the newest approved revision that affects the site affects there."""
    one = points[0]
    zone = ZoneInfo(one.timezone)
    managed = next((point for point in points if point.manager), None)
    contact = [managed.manager, managed.manager_phone] if managed else []
    contact.append(rt.settings.hotline)
    base = rt.settings.base_url
    latitude, longitude = next(
        (where[point.element] for point in points if point.element in where), (None, None)
    )
    return FeedEvent(
        reference=one.reference,
        site=event_site(customer.customer_id, one.site_id),
        revision=one.standing,
        status=_status(one),
        start=one.start.astimezone(zone),
        end=_end(one).astimezone(zone),
        modified=one.changed_at,
        place=", ".join(dict.fromkeys(point.place for point in points)),
        reason=one.reason.get(customer.language) or next(iter(one.reason.values()), ""),
        impact=gravest(point.impact for point in points).value,
        utility=rt.settings.utility,
        contact=" ".join(part for part in contact if part),
        url=f"{base}/outages" if base else "",
        latitude=latitude,
        longitude=longitude,
        maintnote=_maintnote(rt, customer, points),
    )


def _maintnote(rt: Runtime, customer: Subscriber, points: Sequence[Affected]) -> Maintnote | None:
    """For customers whose kind is read by machines; None for all others."""
    if customer.kind.strip().lower().replace(" ", "_").replace("-", "_") not in _READ_BY_MACHINES:
        return None
    one = points[0]
    going = {OutageState.ACTIVE: "IN-PROCESS", OutageState.COMPLETED: "COMPLETED"}
    stands = _status(one)
    return Maintnote(
        provider=rt.settings.utility,
        account=customer.customer_id,
        maintenance=one.reference,
        objects=tuple((point.point, point.impact.value) for point in points),
        status=going.get(one.state, stands) if stands == CONFIRMED else stands,
        planned=one.kind not in _EMERGENCIES,
    )


def _status(one: Affected) -> str:
    """The status of an event: CANCELLED too where a newer revision spares the site."""
    if one.state is OutageState.CANCELLED or one.number != one.standing:
        return CANCELLED
    if one.state is OutageState.APPROVED and one.revised:
        return TENTATIVE
    return CONFIRMED


def _end(one: Affected) -> datetime:
    """When supply is back: as planned, as expected while it overruns, as it was once it is over."""
    if one.number != one.standing:
        return one.end
    actual = one.completed_at or one.expected_end
    return actual if actual and actual > one.start else one.end
