"""Who stands behind a frozen audience, a few thousand customers at a time.

Plain rows: an approval of a hundred thousand customers must fit into a few seconds and into
little memory, and mapped objects would take ten times of both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from outage_notify.domain.audience import Impact
from outage_notify.domain.ladder import Contact
from outage_notify.store.outage_tables import AudienceMember, OutageRevision
from outage_notify.store.people_tables import ContactPoint, Customer, ServicePoint
from outage_notify.store.wave_queries import Recipient

CHUNK = 5000


@dataclass(frozen=True, slots=True)
class Standing:
    """One customer of an audience: impacts of the service points, the first place, every address."""

    customer: Recipient
    impacts: frozenset[Impact]
    key: bool
    place: str
    contacts: tuple[Contact, ...]


def audience_people(
    session: Session, revision: OutageRevision, *, bare: bool = False
) -> Iterator[list[Standing]]:
    """The customers of a revision in order of their ids, chunk by chunk; `bare`: without addresses."""
    last = 0
    while True:
        refs = session.scalars(
            select(AudienceMember.customer_ref)
            .where(AudienceMember.revision_ref == revision.id, AudienceMember.customer_ref > last)
            .distinct()
            .order_by(AudienceMember.customer_ref)
            .limit(CHUNK)
        ).all()
        if not refs:
            return
        yield _chunk(session, revision, last, refs[-1], bare)
        last = refs[-1]


def _chunk(session: Session, revision: OutageRevision, after: int, until: int, bare: bool) -> list[Standing]:
    mine = (
        AudienceMember.revision_ref == revision.id,
        AudienceMember.customer_ref > after,
        AudienceMember.customer_ref <= until,
    )
    contacts = {} if bare else _contacts(session, mine)
    members: Iterable[tuple[Any, ...]] = session.execute(
        select(
            AudienceMember.impact,
            AudienceMember.is_key,
            ServicePoint.place,
            Customer.id,
            Customer.customer_id,
            Customer.name,
            Customer.kind,
            Customer.tier,
            Customer.life_support,
            Customer.vulnerable,
            Customer.language,
            Customer.feed_secret,
        )
        .join(Customer, AudienceMember.customer_ref == Customer.id)
        .join(ServicePoint, AudienceMember.service_point_ref == ServicePoint.id)
        .where(*mine)
        .order_by(AudienceMember.customer_ref, AudienceMember.id)
    )
    grouped: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in members:
        grouped[row[3]].append(row)
    return [
        Standing(
            Recipient(*rows[0][3:]),
            frozenset(row[0] for row in rows),
            any(row[1] for row in rows),
            rows[0][2],
            tuple(contacts.get(ref, ())),
        )
        for ref, rows in grouped.items()
    ]


def _contacts(session: Session, mine: tuple[Any, ...]) -> dict[int, list[Contact]]:
    rows: Iterable[tuple[Any, ...]] = session.execute(
        select(
            ContactPoint.customer_ref,
            ContactPoint.id,
            ContactPoint.channel,
            ContactPoint.address,
            ContactPoint.backup,
            ContactPoint.bad_at,
            ContactPoint.opted_out_at,
        )
        .where(ContactPoint.customer_ref.in_(select(AudienceMember.customer_ref).where(*mine)))
        .order_by(ContactPoint.customer_ref, ContactPoint.position, ContactPoint.id)
    )
    found: dict[int, list[Contact]] = defaultdict(list)
    for customer, ref, channel, address, backup, bad_at, opted_out_at in rows:
        usable = bad_at is None and opted_out_at is None
        found[customer].append(Contact(ref, channel, address, backup, usable))
    return found
