"""What a play on the real system has to look up: who is key in an audience, whose a message is."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.domain.audience import Tier
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.delivery_tables import Delivery, DeliveryRecipient, Notice
from outage_notify.store.outage_tables import AudienceMember, OutageRevision
from outage_notify.store.people_tables import ContactPoint, Customer
from outage_notify.store.work_tables import Task, TaskKind


@dataclass(frozen=True)
class Role:
    """One customer of an audience with the first address of each channel."""

    ref: int
    customer_id: str
    name: str
    kind: str
    tier: Tier
    key: bool
    impact: str
    sms: str
    voice: str
    email: str
    has_backup: bool


def cast(session: Session, outage: int, revision: int) -> list[Role]:
    """Everybody in an audience."""
    members = session.execute(
        select(Customer, AudienceMember.impact, AudienceMember.is_key)
        .join(AudienceMember, AudienceMember.customer_ref == Customer.id)
        .join(OutageRevision, AudienceMember.revision_ref == OutageRevision.id)
        .where(OutageRevision.outage_ref == outage, OutageRevision.number == revision)
        .order_by(Customer.customer_id)
    )
    people = {customer.id: (customer, impact, key) for customer, impact, key in members}
    ways: dict[int, dict[str, str]] = defaultdict(dict)
    refs = sorted(people)
    for at in range(0, len(refs), 500):
        for one in session.scalars(
            select(ContactPoint)
            .where(ContactPoint.customer_ref.in_(refs[at : at + 500]))
            .order_by(ContactPoint.id)
        ):
            name = "backup" if one.backup else one.channel.value
            ways[one.customer_ref].setdefault(name, one.address)
    return [
        Role(
            ref,
            customer.customer_id,
            customer.name,
            customer.kind,
            customer.tier,
            key,
            impact.value,
            ways[ref].get(Channel.SMS.value, ""),
            ways[ref].get(Channel.VOICE.value, ""),
            ways[ref].get(Channel.EMAIL.value, ""),
            "backup" in ways[ref],
        )
        for ref, (customer, impact, key) in people.items()
    ]


def owners(session: Session, outage: int) -> dict[str, tuple[str, int, int, frozenset[str]]]:
    """Per short reference, and for calls per provider id: kind, revision and serial of the
    notice, and whom the message tells."""
    mark = case((Delivery.channel == Channel.VOICE, Delivery.provider_id), else_=Delivery.short_ref)
    rows = session.execute(
        select(mark, Notice.kind, Notice.revision, Notice.serial, Customer.customer_id)
        .join(Notice, Delivery.notice_ref == Notice.id)
        .join(DeliveryRecipient, DeliveryRecipient.delivery_ref == Delivery.id)
        .join(Customer, DeliveryRecipient.customer_ref == Customer.id)
        .where(Delivery.outage_ref == outage, mark.is_not(None))
    )
    heads: dict[str, tuple[str, int, int]] = {}
    people: dict[str, set[str]] = defaultdict(set)
    for reference, kind, revision, serial, customer in rows:
        heads[reference] = (kind.value, revision, serial)
        people[reference].add(customer)
    return {reference: (*head, frozenset(people[reference])) for reference, head in heads.items()}


def task_customers(session: Session, outage: int) -> frozenset[str]:
    """Customers whom no wire reaches: a person was asked to go there, or to find an address."""
    return frozenset(
        session.scalars(
            select(Customer.customer_id)
            .join(Task, Task.customer_ref == Customer.id)
            .where(Task.outage_ref == outage, Task.kind.in_({TaskKind.VISIT, TaskKind.CONTACT_MISSING}))
        )
    )


def acknowledgement_id(session: Session, outage: int, revision: int, customer: int) -> int | None:
    return session.scalar(
        select(Acknowledgement.id).where(
            Acknowledgement.outage_ref == outage,
            Acknowledgement.revision == revision,
            Acknowledgement.customer_ref == customer,
        )
    )


def feed_secret(session: Session, customer: int) -> str:
    return session.get_one(Customer, customer).feed_secret
