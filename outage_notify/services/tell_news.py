"""News of the day (CANCELLED, STARTED, OVERRUN, RESTORED): to exactly those told, by the ways that reached them.

Whoever is in doubt when it is made follows when that is settled (`complete_news`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.domain import ladder
from outage_notify.domain.delivery import TOLD, DeliveryState
from outage_notify.domain.notice import NoticeKind
from outage_notify.services.runtime import Runtime
from outage_notify.services.whom_to_tell import contacts_of, priority_of
from outage_notify.store import delivery_queries, people_lookup
from outage_notify.store.delivery_queries import Planned, Reached
from outage_notify.store.delivery_tables import Notice
from outage_notify.store.outage_tables import Outage
from outage_notify.store.people_tables import Customer

NEWS_LIFE = timedelta(hours=24)


def tell_reached(
    session: Session,
    rt: Runtime,
    outage: Outage,
    kind: NoticeKind,
    told: Mapping[int, Sequence[Reached]],
    now: datetime,
    not_after: datetime,
    facts: Mapping[str, str] | None = None,
    serial: int = 1,
) -> int:
    """News (CANCELLED, STARTED, OVERRUN, RESTORED) to exactly those told, by the ways that had
    reached them. Whoever got this very notice already is left out, so it can be called again."""
    zone, number = ZoneInfo(outage.timezone), outage.revision
    customers = people_lookup.customers_by_ref(session, told)
    planned = []
    for ref, ways in told.items():
        customer = customers[ref]
        if not rt.policy.told_of(kind, customer.key):
            continue
        for way in _usable(rt, customer, ways):
            due = rt.policy.immediate_due(way.channel, customer.key, now, zone)
            if kind is NoticeKind.CANCELLED:
                due = rt.policy.change_due(
                    way.channel, customer.key, now, zone, old_start=outage.standing.start
                )
            planned.append(
                Planned(
                    ref,
                    way.channel,
                    way.address,
                    way.contact,
                    customer.language,
                    priority_of(customer),
                    due,
                    urgent=True,
                )
            )
    if not planned:
        return 0
    notice = delivery_queries.ensure_notice(
        session,
        outage.id,
        number,
        kind,
        now=now,
        deadline=now,
        due_at=now,
        not_after=max(not_after, now + NEWS_LIFE),
        serial=serial,
        facts=facts,
    )
    return delivery_queries.insert_deliveries(session, notice, planned)


def tell_news(
    session: Session,
    rt: Runtime,
    outage: Outage,
    kind: NoticeKind,
    now: datetime,
    not_after: datetime,
    facts: Mapping[str, str] | None = None,
) -> int:
    """A new piece of news to everybody told of this outage; those in doubt follow when settled."""
    told, doubtful = told_ways(session, outage)
    serial = delivery_queries.next_serial(session, outage.id, outage.revision, kind)
    certain = {ref: ways for ref, ways in told.items() if ref not in doubtful}
    new = tell_reached(session, rt, outage, kind, certain, now, not_after, facts, serial)
    if doubtful:
        notice = delivery_queries.ensure_notice(
            session,
            outage.id,
            outage.revision,
            kind,
            now=now,
            deadline=now,
            due_at=now,
            not_after=max(not_after, now + NEWS_LIFE),
            serial=serial,
            facts=facts,
        )
        notice.incomplete = True
    return new


def complete_news(session: Session, rt: Runtime, outage: Outage, notice: Notice, now: datetime) -> int:
    """News to those who were in doubt when it was made and turned out to have been told."""
    if notice.not_after <= now:
        notice.incomplete = False
        return 0
    told, doubtful = told_ways(session, outage)
    certain = {ref: ways for ref, ways in told.items() if ref not in doubtful}
    notice.incomplete = bool(doubtful)
    return tell_reached(
        session, rt, outage, notice.kind, certain, now, notice.not_after, notice.facts, notice.serial
    )


def _usable(rt: Runtime, customer: Customer, ways: Sequence[Reached]) -> list[Reached]:
    """The ways that can still be used; if there is none left, the first rung of the ladder."""
    usable = {one.id for one in customer.contacts if one.usable}
    found = [
        way
        for way in ways
        if way.channel is not Channel.LETTER and (way.contact is None or way.contact in usable)
    ]
    if found:
        return found
    steps = rt.policy.ladder_for(customer.tier, customer.life_support, customer.vulnerable)
    return [
        Reached(customer.id, one.channel, one.contact.address, one.contact.id, DeliveryState.READY)
        for one in ladder.first(steps, contacts_of(customer))
        if one.channel is not Channel.LETTER
    ]


def told_ways(session: Session, outage: Outage) -> tuple[dict[int, list[Reached]], set[int]]:
    """Customers told of an outage with the ways that reached them, and those still in doubt.

    Not those whom a revision has spared and who were told so: it is not their outage any more.
    """
    spared = delivery_queries.retracted(session, outage.id)
    everybody = delivery_queries.reached_by_announcements(session, outage.id)
    reached = [one for one in everybody if one.customer not in spared]
    told = by_customer(one for one in reached if one.state in TOLD)
    return told, {one.customer for one in reached if one.state not in TOLD}


def by_customer(reached: Iterable[Reached]) -> dict[int, list[Reached]]:
    found: dict[int, list[Reached]] = defaultdict(list)
    for one in reached:
        if all((one.channel, one.address) != (two.channel, two.address) for two in found[one.customer]):
            found[one.customer].append(one)
    return dict(found)
