"""Who is to be told of a revision, by the policy's view: the people behind a frozen audience."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.domain.audience import TIER_ORDER, Affected, Feed, Impact, Tier, gravest
from outage_notify.domain.ladder import Contact, Ladder
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.own_steps import StepDue, brought_forward, due_steps
from outage_notify.domain.policy import Duty, classes_of
from outage_notify.services import own_steps
from outage_notify.services.runtime import Runtime
from outage_notify.store.audience_people import audience_people
from outage_notify.store.outage_tables import AudienceMember, Outage, OutageRevision
from outage_notify.store.people_tables import Customer
from outage_notify.store.wave_queries import Recipient


@dataclass(frozen=True)
class Person:
    """One affected customer, with everything that decides how to tell."""

    customer: Recipient
    impact: Impact
    key: bool
    priority: int
    contacts: tuple[Contact, ...]
    ladder: Ladder
    duties: Mapping[NoticeKind, Duty]
    # What the utility tells beyond that, of its own.
    steps: tuple[StepDue, ...] = ()


def priority_of(customer: Customer | Recipient) -> int:
    """0 for life support, then by tier: the order in which a wave goes out."""
    return 0 if customer.life_support else 1 + TIER_ORDER[customer.tier]


def contacts_of(customer: Customer, place: str = "") -> tuple[Contact, ...]:
    """Every address of a customer as the ladder sees it; a letter goes to the place itself."""
    known = tuple(
        Contact(one.id, one.channel, one.address, one.backup, one.usable)
        for one in sorted(customer.contacts, key=lambda one: (one.position, one.id))
    )
    return _with_letter(known, customer.name, place)


def _with_letter(known: tuple[Contact, ...], name: str, place: str) -> tuple[Contact, ...]:
    if place and not any(one.channel is Channel.LETTER for one in known):
        return (*known, Contact(0, Channel.LETTER, f"{name}, {place}"[:320]))
    return known


def people(
    session: Session, rt: Runtime, outage: Outage, number: int, *, bare: bool = False
) -> dict[int, Person]:
    """Who is to be told of a revision, by the policy's view of impacts. `bare`: without
    addresses, for whoever only counts."""
    chunks = people_in_chunks(session, rt, outage, number, bare=bare)
    return {ref: person for chunk in chunks for ref, person in chunk.items()}


def people_in_chunks(
    session: Session, rt: Runtime, outage: Outage, number: int, *, bare: bool = False
) -> Iterator[dict[int, Person]]:
    """The same, a few thousand at a time: for whoever must not hold all of them in memory."""
    revision = next(one for one in outage.revisions if one.number == number)
    duties_of = _duties(session, rt, outage, revision)
    ladder_of = cache(rt.policy.ladder_for)
    for chunk in audience_people(session, revision, bare=bare):
        found: dict[int, Person] = {}
        for one in chunk:
            customer, impact = one.customer, gravest(one.impacts)
            if not rt.policy.told(impact, one.key):
                continue
            found[customer.id] = Person(
                customer,
                impact,
                one.key,
                priority_of(customer),
                () if bare else _with_letter(one.contacts, customer.name, one.place),
                ladder_of(customer.tier, customer.life_support, customer.vulnerable),
                *duties_of(customer.tier, customer.life_support, customer.vulnerable),
            )
        yield found


def _duties(
    session: Session, rt: Runtime, outage: Outage, revision: OutageRevision
) -> Callable[[Tier, bool, bool], tuple[Mapping[NoticeKind, Duty], tuple[StepDue, ...]]]:
    """What customers of a class are owed, and told of the utility's own accord; worked out once per class."""
    zone, holidays = ZoneInfo(outage.timezone), rt.holidays(session, revision.start)
    steps = own_steps.of_revision(session, revision)
    since = own_steps.judged_from(session, rt, revision)

    @cache
    def duties_of(
        tier: Tier, life_support: bool, vulnerable: bool
    ) -> tuple[Mapping[NoticeKind, Duty], tuple[StepDue, ...]]:
        duties = rt.policy.duties(
            outage.kind,
            revision.start,
            zone,
            tier=tier,
            life_support=life_support,
            vulnerable=vulnerable,
            holidays=holidays,
        )
        mine = classes_of(tier, life_support, vulnerable)
        due = due_steps(steps, outage.kind, mine, revision.start, zone, holidays)
        duties, further = brought_forward(duties, due, since)
        return {duty.notice: duty for duty in duties}, further

    return duties_of


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
