"""A customer's calendar feed: one event per outage and site, always as things stand.

Publication, never a delivery: it counts for nobody as having been told. The secret in the address is the
only key to it and appears in no log line. Leaves to others: how an event is written down
(`channels.calendar`), caching headers and HEAD (`web`).

An outage that no longer affects a site, or is cancelled, stays as a CANCELLED event, because a client
that saw the old one keeps it otherwise. While a revision is pending the standing window
is shown as TENTATIVE.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from channels.calendar import CANCELLED, CONFIRMED, TENTATIVE, FeedEvent, render_feed
from channels.model import Language
from outage_notify.domain.audience import gravest
from outage_notify.domain.outage import OutageState
from outage_notify.services.runtime import Runtime
from outage_notify.store import feed_queries
from outage_notify.store.outage_tables import AudienceMember, Outage, OutageRevision
from outage_notify.store.people_tables import Customer

# How long what is over stays in the feed.
KEPT = timedelta(days=60)
_NAMES = {Language.ZH: "{utility} 计划停电", Language.EN: "{utility}: planned power outages"}
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Feed(NamedTuple):
    """`etag` without quotes; `last_modified` in whole seconds, 1970 for a feed that never held anything."""

    body: bytes
    etag: str
    last_modified: datetime


def customer_feed(rt: Runtime, secret: str) -> Feed | None:
    """The feed with this secret; None if there is none (also for a revoked one: nobody can tell which)."""
    with rt.database.read() as session:
        customer = feed_queries.customer_by_feed_secret(session, secret)
        if customer is None:
            return None
        return feed_of(session, rt, customer, rt.now(session))


def feed_of(session: Session, rt: Runtime, customer: Customer, now: datetime) -> Feed:
    """The whole feed of one customer in the customer's language. The same facts give the same bytes."""
    events = events_of(session, rt, customer, now)
    name = _NAMES[customer.language].format(utility=rt.settings.utility).strip(" :")
    body = render_feed(name, events, customer.language, now)
    # An event that ended loses its alarms: a change of the feed at that moment.
    changes = [event.modified for event in events] + [event.end for event in events if event.end <= now]
    modified = max(changes, default=_NEVER).astimezone(UTC).replace(microsecond=0)
    return Feed(body, sha256(body).hexdigest()[:32], modified)


def events_of(session: Session, rt: Runtime, customer: Customer, now: datetime) -> list[FeedEvent]:
    """One event per outage and site of a customer."""
    rows = feed_queries.affected_by(session, customer.id, now - KEPT)
    told = [(revision, member) for revision, member in rows if rt.policy.told(member.impact, member.is_key)]
    by_site = sorted(told, key=lambda row: (row[0].outage_ref, row[1].service_point.site_ref, row[0].number))
    events = []
    for _, group in groupby(by_site, key=lambda row: (row[0].outage_ref, row[1].service_point.site_ref)):
        mine = list(group)
        newest = mine[-1][0]
        members = [member for revision, member in mine if revision is newest]
        events.append(_event(rt, customer, newest, members))
    return events


def event_site(customer_id: str, site_id: str) -> str:
    """The site as the UID of its events knows it; the same in the feed and in the attachment of an e-mail."""
    return f"{customer_id}/{site_id}"


def _event(
    rt: Runtime, customer: Customer, revision: OutageRevision, members: Sequence[AudienceMember]
) -> FeedEvent:
    """`revision` is the newest approved one that affects the site whose affected points are `members`."""
    outage = revision.outage
    zone = ZoneInfo(outage.timezone)
    points = [member.service_point for member in members]
    manager = next((point.grid_manager for point in points if point.grid_manager), None)
    contact = [manager.name, manager.phone] if manager else []
    contact.append(rt.settings.hotline)
    base = rt.settings.base_url
    return FeedEvent(
        reference=outage.reference,
        site=event_site(customer.customer_id, points[0].site.site_id),
        revision=outage.revision,
        status=_status(outage, revision),
        start=revision.start.astimezone(zone),
        end=_end(outage, revision).astimezone(zone),
        modified=outage.changed_at,
        place=", ".join(dict.fromkeys(point.place for point in points)),
        reason=revision.reason.get(customer.language) or next(iter(revision.reason.values()), ""),
        impact=gravest(member.impact for member in members).value,
        utility=rt.settings.utility,
        contact=" ".join(part for part in contact if part),
        url=f"{base}/outages" if base else "",
    )


def _status(outage: Outage, revision: OutageRevision) -> str:
    if outage.state is OutageState.CANCELLED or revision.number != outage.revision:
        return CANCELLED
    if outage.state is OutageState.APPROVED and outage.pending:
        return TENTATIVE
    return CONFIRMED


def _end(outage: Outage, revision: OutageRevision) -> datetime:
    """When supply is back: as planned, as expected while it overruns, as it was once it is over."""
    if revision.number != outage.revision:
        return revision.end
    actual = outage.completed_at or outage.expected_end
    return actual if actual and actual > revision.start else revision.end
