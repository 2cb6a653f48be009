"""Who gets which notice when: approved facts become rows of the outbox.

`announce` compares what should stand in the outbox with what does and inserts the
difference, so it may be called again at any time: at approval, and by every reconcile while
somebody's earlier message is in doubt. Whoever is in doubt is left out until that is
settled, because only then is it known whether "planned" or "changed" is the right word.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.domain import ladder
from outage_notify.domain.audience import TIER_ORDER, Affected, Feed, Impact, gravest
from outage_notify.domain.delivery import TOLD
from outage_notify.domain.ladder import Contact, Ladder, Target
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageState
from outage_notify.domain.policy import Duty
from outage_notify.services import acknowledge
from outage_notify.services.runtime import Runtime
from outage_notify.store import delivery_queries, outage_queries, people_lookup
from outage_notify.store.delivery_queries import Planned, Reached
from outage_notify.store.delivery_tables import Notice
from outage_notify.store.outage_tables import AudienceMember, Outage
from outage_notify.store.people_tables import Customer
from outage_notify.store.work_queries import open_task
from outage_notify.store.work_tables import TaskKind

FIRST = (NoticeKind.SEVEN_DAY, NoticeKind.CHANGED)
NEWS_LIFE = timedelta(hours=24)
PLANNED_KINDS = frozenset({NoticeKind.SEVEN_DAY, NoticeKind.CHANGED, NoticeKind.DAY_AHEAD})


@dataclass(frozen=True)
class Person:
    """One affected customer, with everything that decides how to tell."""

    customer: Customer
    impact: Impact
    key: bool
    priority: int
    contacts: tuple[Contact, ...]
    ladder: Ladder
    duties: Mapping[NoticeKind, Duty]


def priority_of(customer: Customer) -> int:
    """0 for life support, then by tier: the order in which a wave goes out."""
    return 0 if customer.life_support else 1 + TIER_ORDER[customer.tier]


def contacts_of(customer: Customer, place: str = "") -> tuple[Contact, ...]:
    """Every address of a customer as the ladder sees it; a letter goes to the place itself."""
    known = [
        Contact(one.id, one.channel, one.address, one.backup, one.usable)
        for one in sorted(customer.contacts, key=lambda one: (one.position, one.id))
    ]
    if place and not any(one.channel is Channel.LETTER for one in known):
        known.append(Contact(0, Channel.LETTER, f"{customer.name}, {place}"[:320]))
    return tuple(known)


def people(session: Session, rt: Runtime, outage: Outage, number: int) -> dict[int, Person]:
    """Who is to be told of a revision, by the policy's view of impacts."""
    revision = next(one for one in outage.revisions if one.number == number)
    zone, holidays = ZoneInfo(outage.timezone), rt.holidays(revision.start)
    grouped = defaultdict(list)
    for member in outage_queries.audience(session, revision):
        grouped[member.customer_ref].append(member)
    found: dict[int, Person] = {}
    for customer_ref, members in grouped.items():
        customer, key = members[0].customer, any(one.is_key for one in members)
        impact = gravest(one.impact for one in members)
        if not rt.policy.told(impact, key):
            continue
        duties = rt.policy.duties(
            outage.kind,
            revision.start,
            zone,
            tier=customer.tier,
            life_support=customer.life_support,
            vulnerable=customer.vulnerable,
            holidays=holidays,
        )
        found[customer_ref] = Person(
            customer,
            impact,
            key,
            priority_of(customer),
            contacts_of(customer, members[0].service_point.place),
            rt.policy.ladder_for(customer.tier, customer.life_support, customer.vulnerable),
            {duty.notice: duty for duty in duties},
        )
    return found


def as_affected(members: Iterable[AudienceMember]) -> list[Affected]:
    """A frozen audience as the domain sees it."""
    return [
        Affected(
            Feed(
                one.service_point_ref,
                one.customer_ref,
                one.service_point.site_ref,
                one.service_point.element,
                one.tier,
                one.life_support,
            ),
            one.impact,
        )
        for one in members
    ]


def announce(session: Session, rt: Runtime, outage: Outage, now: datetime) -> int:
    """Bring the outbox in line with the standing revision; returns how many deliveries are new.

    First notices to those never told, CHANGED to those told of an earlier revision,
    CANCELLED to those told and no longer affected, day-ahead notices to everybody affected.
    Idempotent. Runs inside the caller's transaction.
    """
    if outage.state is not OutageState.APPROVED or outage.pending is not None:
        return 0
    revision = outage.standing
    affected = people(session, rt, outage, revision.number)
    before = delivery_queries.reached_by_announcements(session, outage.id, below_revision=revision.number)
    told = _by_customer(one for one in before if one.state in TOLD)
    doubtful = {one.customer for one in before if one.state not in TOLD}
    done = delivery_queries.customers_with(session, outage.id, revision.number, FIRST)
    open_people = {ref: person for ref, person in affected.items() if ref not in done and ref not in doubtful}
    new = _first_notices(session, rt, outage, {r: p for r, p in open_people.items() if r not in told}, now)
    new += _changes(session, rt, outage, {r: p for r, p in open_people.items() if r in told}, told, now)
    new += _day_ahead(session, rt, outage, affected, now)
    left = {ref: ways for ref, ways in told.items() if ref not in affected and ref not in doubtful}
    new += tell_reached(session, rt, outage, NoticeKind.CANCELLED, left, now, revision.end)
    acknowledge.request_for(
        session, rt, outage, revision, [ref for ref, one in affected.items() if one.key], now
    )
    _mark_incomplete(session, outage, revision.number, bool(doubtful))
    return new


def _first_notices(
    session: Session, rt: Runtime, outage: Outage, chosen: Mapping[int, Person], now: datetime
) -> int:
    zone, revision = ZoneInfo(outage.timezone), outage.standing
    planned: list[Planned] = []
    deadlines: list[datetime] = []
    for person in chosen.values():
        # Where no law asks for a first notice (a lead of hours alone), the day-ahead notice is
        # the first one; it is sent even if little is left.
        duty = person.duties.get(NoticeKind.SEVEN_DAY)
        if duty is None and NoticeKind.DAY_AHEAD in person.duties:
            continue
        deadline = duty.deadline if duty else revision.start
        deadlines.append(deadline)
        planned += _rows(
            rt, person, _targets(session, outage, person, now), NoticeKind.SEVEN_DAY, deadline, now, zone
        )
    return _insert(session, outage, NoticeKind.SEVEN_DAY, planned, deadlines, now)


def _day_ahead(
    session: Session, rt: Runtime, outage: Outage, affected: Mapping[int, Person], now: datetime
) -> int:
    zone, revision = ZoneInfo(outage.timezone), outage.standing
    done = delivery_queries.customers_with(session, outage.id, revision.number, (NoticeKind.DAY_AHEAD,))
    planned: list[Planned] = []
    deadlines: list[datetime] = []
    for ref, person in affected.items():
        duty = person.duties.get(NoticeKind.DAY_AHEAD)
        if ref in done or duty is None:
            continue
        first = person.duties.get(NoticeKind.SEVEN_DAY)
        due = rt.policy.due_at(NoticeKind.DAY_AHEAD, duty.deadline, now, zone)
        # The first notice goes out so late that it does for both.
        if first and rt.policy.redundant(
            rt.policy.due_at(NoticeKind.SEVEN_DAY, first.deadline, now, zone), due
        ):
            continue
        deadlines.append(duty.deadline)
        targets = _targets(session, outage, person, now)
        planned += _rows(rt, person, targets, NoticeKind.DAY_AHEAD, duty.deadline, now, zone)
    return _insert(session, outage, NoticeKind.DAY_AHEAD, planned, deadlines, now)


def _changes(
    session: Session,
    rt: Runtime,
    outage: Outage,
    chosen: Mapping[int, Person],
    told: Mapping[int, Sequence[Reached]],
    now: datetime,
) -> int:
    """CHANGED through every channel that had reached them; by the ladder where none is usable any more."""
    zone, revision = ZoneInfo(outage.timezone), outage.standing
    old = next(one for one in reversed(outage.revisions) if one.number < revision.number and one.approved_at)
    planned: list[Planned] = []
    deadlines: list[datetime] = []
    for ref, person in chosen.items():
        duty = person.duties.get(NoticeKind.SEVEN_DAY) or person.duties.get(NoticeKind.DAY_AHEAD)
        deadline = duty.deadline if duty else revision.start
        ways = {(one.channel, one.address) for one in told[ref]}
        targets = [
            Target(one.channel, one)
            for one in person.contacts
            if (one.channel, one.address) in ways and one.usable
        ] or _targets(session, outage, person, now)
        deadlines.append(deadline)
        for target in targets:
            due = rt.policy.change_due(
                target.channel,
                person.key,
                now,
                zone,
                old_start=old.start,
                new_start=revision.start,
                deadline=deadline,
            )
            planned.append(_row(person, target, due, urgent=True))
    facts = {"old_start": old.start.isoformat(), "old_end": old.end.isoformat()}
    return _insert(session, outage, NoticeKind.CHANGED, planned, deadlines, now, facts)


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
        usable = {one.id for one in customer.contacts if one.usable}
        for way in ways:
            if way.channel is Channel.LETTER or (way.contact is not None and way.contact not in usable):
                continue
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


def told_ways(session: Session, outage: Outage) -> tuple[dict[int, list[Reached]], set[int]]:
    """Customers told of an outage with the ways that reached them, and those still in doubt."""
    reached = delivery_queries.reached_by_announcements(session, outage.id)
    told = _by_customer(one for one in reached if one.state in TOLD)
    return told, {one.customer for one in reached if one.state not in TOLD}


def remind(
    session: Session,
    rt: Runtime,
    outage: Outage,
    customer: Customer,
    targets: Sequence[Target],
    step: int,
    now: datetime,
) -> int:
    """The reminder of one step of the escalation to one key customer: one notice per step."""
    zone, revision = ZoneInfo(outage.timezone), outage.standing
    notice = delivery_queries.ensure_notice(
        session,
        outage.id,
        revision.number,
        NoticeKind.REMINDER,
        now=now,
        deadline=revision.start,
        due_at=now,
        not_after=revision.start,
        serial=step + 1,
    )
    due = rt.policy.quiet_hours.quiet_end(now, zone)
    rows = [
        Planned(
            customer.id,
            one.channel,
            one.contact.address,
            one.contact.id or None,
            customer.language,
            priority_of(customer),
            due if due < revision.start else now,
            urgent=True,
        )
        for one in targets
    ]
    return delivery_queries.insert_deliveries(session, notice, rows)


def _targets(session: Session, outage: Outage, person: Person, now: datetime) -> list[Target]:
    """Where a new notice to a person goes first; a person without any address becomes a task."""
    targets = ladder.first(person.ladder, person.contacts)
    if not any(one.channel is not Channel.LETTER for one in targets):
        kind = TaskKind.VISIT if person.ladder.visit and not targets else TaskKind.CONTACT_MISSING
        open_task(
            session,
            kind,
            f"{kind.value}:{outage.id}:{outage.revision}:{person.customer.id}",
            now,
            outage=outage.id,
            customer=person.customer.id,
            grid_manager=people_lookup.grid_manager_of(session, person.customer.id),
            due_at=outage.standing.start,
            note="no usable address",
        )
    return targets


def _rows(
    rt: Runtime,
    person: Person,
    targets: Iterable[Target],
    kind: NoticeKind,
    deadline: datetime,
    now: datetime,
    zone: ZoneInfo,
) -> list[Planned]:
    return [_row(person, one, rt.policy.due_at(kind, deadline, now, zone, one.channel)) for one in targets]


def _row(person: Person, target: Target, due_at: datetime, urgent: bool = False) -> Planned:
    return Planned(
        person.customer.id,
        target.channel,
        target.contact.address,
        target.contact.id or None,
        person.customer.language,
        person.priority,
        due_at,
        rung=0,
        urgent=urgent,
    )


def _insert(
    session: Session,
    outage: Outage,
    kind: NoticeKind,
    planned: Sequence[Planned],
    deadlines: Sequence[datetime],
    now: datetime,
    facts: Mapping[str, str] | None = None,
) -> int:
    if not planned:
        return 0
    notice = delivery_queries.ensure_notice(
        session,
        outage.id,
        outage.revision,
        kind,
        now=now,
        deadline=min(deadlines),
        due_at=min(one.due_at for one in planned),
        not_after=outage.standing.start,
        facts=facts,
    )
    return delivery_queries.insert_deliveries(session, notice, planned)


def _by_customer(reached: Iterable[Reached]) -> dict[int, list[Reached]]:
    found: dict[int, list[Reached]] = defaultdict(list)
    for one in reached:
        if all((one.channel, one.address) != (two.channel, two.address) for two in found[one.customer]):
            found[one.customer].append(one)
    return dict(found)


def _mark_incomplete(session: Session, outage: Outage, revision: int, incomplete: bool) -> None:
    """Remember on any notice of the revision that somebody is still in doubt."""
    notices: list[Notice] = delivery_queries.notices_of(session, outage.id, revision)
    for notice in notices:
        notice.incomplete = incomplete and notice is notices[0]
