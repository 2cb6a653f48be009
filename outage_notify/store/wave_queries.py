"""All that is needed to tell the rows of one claim, in a handful of queries whatever their number.

Plain rows, no mapped objects: a wave is read once, row by row, and making objects of it costs
more than the provider's own client. Reads alone; what may go out is the service's decision.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from channels.model import Channel, Language
from outage_notify.domain.audience import Impact, Tier, is_key
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.notice import NoticeKind
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.delivery_tables import Delivery, DeliveryRecipient, Notice
from outage_notify.store.outage_tables import AudienceMember, Outage
from outage_notify.store.people_tables import ContactPoint, Customer, GridManager, ServicePoint, Site


@dataclass(frozen=True, slots=True)
class Recipient:
    """A customer as far as a text speaks of one."""

    id: int
    customer_id: str
    name: str
    kind: str
    tier: Tier
    life_support: bool
    vulnerable: bool
    language: Language
    feed_secret: str

    @property
    def key(self) -> bool:
        return is_key(self.tier, self.life_support)


@dataclass(frozen=True, slots=True)
class Place:
    """One affected service point in words, and who is responsible for the area."""

    name: str
    impact: Impact
    is_key: bool
    site_id: str = ""
    manager: str | None = None
    manager_phone: str = ""


@dataclass(slots=True)
class WaveRow:
    """One delivery of a claim with what is said in it, and to whom."""

    id: int
    short_ref: str
    notice_ref: int
    outage_ref: int
    revision: int
    channel: Channel
    address: str
    language: Language
    urgent: bool
    state: DeliveryState
    fence: int
    not_after: datetime
    notice_kind: NoticeKind
    notice_facts: dict[str, str]
    deadline: datetime
    bad_at: datetime | None
    opted_out_at: datetime | None
    recipients: list[Recipient] = field(default_factory=list)


@dataclass(frozen=True)
class Wave:
    """The rows in the order asked for, and what several of them share."""

    rows: list[WaveRow]
    outages: dict[int, Outage]
    # By outage and customer: (revision, places), the newest revision first.
    places: Mapping[tuple[int, int], list[tuple[int, list[Place]]]]
    # By outage, revision and customer: the acknowledgement asked for.
    asked: Mapping[tuple[int, int, int], int]

    def places_of(self, row: WaveRow, customer: int) -> list[Place]:
        """The places of a customer in the newest revision, up to the row's own, that affects it."""
        for number, found in self.places.get((row.outage_ref, customer), ()):
            if number <= row.revision:
                return found
        return []


def load_wave(session: Session, ids: Sequence[int]) -> Wave:
    """Read the deliveries `ids` as they stand; those that are gone are left out."""
    rows = _rows(session, ids)
    found = {row.id: row for row in rows}
    recipients = session.execute(
        select(
            DeliveryRecipient.delivery_ref,
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
        .join(Customer, DeliveryRecipient.customer_ref == Customer.id)
        .where(DeliveryRecipient.delivery_ref.in_(ids))
        .order_by(DeliveryRecipient.delivery_ref, Customer.id)
    )
    for delivery, *about in recipients:
        if delivery in found:
            found[delivery].recipients.append(Recipient(*about))
    outages = {
        one.id: one
        for one in session.scalars(
            select(Outage)
            .where(Outage.id.in_({row.outage_ref for row in rows}))
            .options(selectinload(Outage.revisions))
        )
    }
    people = {one.id for row in rows for one in row.recipients}
    keys = {one.id for row in rows for one in row.recipients if one.key}
    places = _places(session, outages, people)
    keys |= {
        who for (_, who), by_revision in places.items() if any(p.is_key for _, ps in by_revision for p in ps)
    }
    return Wave(rows, outages, places, _asked(session, outages, keys))


def _rows(session: Session, ids: Sequence[int]) -> list[WaveRow]:
    statement = (
        select(
            Delivery.id,
            Delivery.short_ref,
            Delivery.notice_ref,
            Delivery.outage_ref,
            Delivery.revision,
            Delivery.channel,
            Delivery.address,
            Delivery.language,
            Delivery.urgent,
            Delivery.state,
            Delivery.fence,
            Delivery.not_after,
            Notice.kind,
            Notice.facts,
            Notice.deadline,
            ContactPoint.bad_at,
            ContactPoint.opted_out_at,
        )
        .join(Notice, Delivery.notice_ref == Notice.id)
        .outerjoin(ContactPoint, Delivery.contact_ref == ContactPoint.id)
        .where(Delivery.id.in_(ids))
    )
    found: Iterable[tuple[Any, ...]] = session.execute(statement)
    by_id = {row[0]: WaveRow(*row) for row in found}
    return [by_id[one] for one in ids if one in by_id]


def _places(
    session: Session, outages: Mapping[int, Outage], people: Collection[int]
) -> dict[tuple[int, int], list[tuple[int, list[Place]]]]:
    revisions = {one.id: (outage.id, one.number) for outage in outages.values() for one in outage.revisions}
    statement = (
        select(
            AudienceMember.revision_ref,
            AudienceMember.customer_ref,
            ServicePoint.place,
            AudienceMember.impact,
            AudienceMember.is_key,
            Site.site_id,
            GridManager.name,
            GridManager.phone,
        )
        .join(ServicePoint, AudienceMember.service_point_ref == ServicePoint.id)
        .join(Site, ServicePoint.site_ref == Site.id)
        .outerjoin(GridManager, ServicePoint.grid_manager_ref == GridManager.id)
        .where(AudienceMember.customer_ref.in_(people), AudienceMember.revision_ref.in_(revisions))
        .order_by(AudienceMember.id)
    )
    gathered: dict[tuple[int, int], dict[int, list[Place]]] = defaultdict(lambda: defaultdict(list))
    found: Iterable[tuple[Any, ...]] = session.execute(statement)
    for revision, customer, place, impact, key, site, manager, phone in found:
        outage, number = revisions[revision]
        gathered[outage, customer][number].append(Place(place, impact, key, site, manager, phone or ""))
    return {who: sorted(by_number.items(), key=lambda one: -one[0]) for who, by_number in gathered.items()}


def _asked(
    session: Session, outages: Mapping[int, Outage], keys: Collection[int]
) -> dict[tuple[int, int, int], int]:
    if not keys:
        return {}
    statement = select(
        Acknowledgement.outage_ref, Acknowledgement.revision, Acknowledgement.customer_ref, Acknowledgement.id
    ).where(Acknowledgement.outage_ref.in_(tuple(outages)), Acknowledgement.customer_ref.in_(keys))
    return {
        (outage, revision, customer): ack for outage, revision, customer, ack in session.execute(statement)
    }
