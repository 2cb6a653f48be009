"""All that is needed to tell the rows of one claim, in a handful of queries whatever their number.

Plain rows, no mapped objects: a wave is read once, row by row, and making objects of it costs
more than the provider's own client. Reads alone; what may go out is the service's decision.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import cast

from sqlalchemy import BigInteger, Executable, Table, and_, func, select
from sqlalchemy.orm import Session, defer, selectinload

from channels.model import Channel, Language
from outage_notify.domain.audience import Impact, Tier, is_key
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.notice import NoticeKind
from outage_notify.store import own_text_queries
from outage_notify.store.acknowledgement_tables import Acknowledgement, link_subject
from outage_notify.store.delivery_tables import Delivery, DeliveryRecipient, Notice
from outage_notify.store.invitation_queries import INVITING, invited_before
from outage_notify.store.listed import among, dialect_of, values_of
from outage_notify.store.outage_tables import AudienceMember, Outage, OutageRevision
from outage_notify.store.people_tables import ContactPoint, Customer, GridManager, ServicePoint, Site

_deliveries, _told, _notices, _contacts, _customers, _members, _points, _sites, _managers = (
    cast(Table, model.__table__)
    for model in (
        Delivery,
        DeliveryRecipient,
        Notice,
        ContactPoint,
        Customer,
        AudienceMember,
        ServicePoint,
        Site,
        GridManager,
    )
)
_deputies = _managers.alias("deputies")
# What no text speaks of, and what is long: every load that is lost, the outline of the area.
_UNSAID = [
    defer(one)
    for one in (
        OutageRevision.switching,
        OutageRevision.isolation,
        OutageRevision.lost,
        OutageRevision.public_area,
        OutageRevision.overrides,
    )
]


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
    # The mailbox wishes invitations, and no earlier message of this revision has brought it one.
    invitation: bool | None
    doubt_since: datetime | None
    made_with: int | None
    words_now: int
    recipients: list[Recipient] = field(default_factory=list)

    @property
    def words(self) -> int:
        """Which own words it says: those that stand now; of what may be out already, those it was made with."""
        return self.words_now if self.doubt_since is None else self.made_with or 0


@dataclass(frozen=True)
class Wave:
    """The rows in the order asked for, and what several of them share."""

    rows: list[WaveRow]
    outages: dict[int, Outage]
    # By outage and customer: (revision, places), the newest revision first.
    places: Mapping[tuple[int, int], list[tuple[int, list[Place]]]]
    # By outage, revision and customer: what a link names to the acknowledgement asked for.
    asked: Mapping[tuple[int, int, int], int]

    def places_of(self, row: WaveRow, customer: int) -> list[Place]:
        """The places of a customer in the newest revision, up to the row's own, that affects it."""
        for number, found in self.places.get((row.outage_ref, customer), ()):
            if number <= row.revision:
                return found
        return []


def load_wave(session: Session, ids: Sequence[int]) -> Wave:
    """Read the deliveries `ids` as they stand; those that are gone are left out."""
    dialect = dialect_of(session)
    asked_for = values_of(dialect, "deliveries", ids)
    by_id = {row[0]: WaveRow(*row) for row in session.execute(_rows(dialect), asked_for)}
    for delivery, *about in session.execute(_recipients(dialect), asked_for):
        if delivery in by_id:
            by_id[delivery].recipients.append(Recipient(*about))
    rows = [by_id[one] for one in ids if one in by_id]
    wished = {row.id for row in rows if row.invitation and row.channel is Channel.EMAIL}
    announcing = {row.id for row in rows if row.id in wished and row.notice_kind in INVITING}
    wished -= invited_before(session, announcing)
    for row in rows:
        row.invitation = row.id in wished
    outages = {
        one.id: one
        for one in session.scalars(
            select(Outage)
            .where(Outage.id.in_({row.outage_ref for row in rows}))
            .options(selectinload(Outage.revisions).options(*_UNSAID))
        )
    }
    people = {one.id for row in rows for one in row.recipients}
    keys = {one.id for row in rows for one in row.recipients if one.key}
    places = _places(session, outages, people)
    keys |= {
        who for (_, who), by_revision in places.items() if any(p.is_key for _, ps in by_revision for p in ps)
    }
    return Wave(rows, outages, places, _asked(session, outages, keys))


@cache
def _rows(dialect: str) -> Executable:
    return (
        select(
            _deliveries.c.id,
            _deliveries.c.short_ref,
            _deliveries.c.notice_ref,
            _deliveries.c.outage_ref,
            _deliveries.c.revision,
            _deliveries.c.channel,
            _deliveries.c.address,
            _deliveries.c.language,
            _deliveries.c.urgent,
            _deliveries.c.state,
            _deliveries.c.fence,
            _deliveries.c.not_after,
            _notices.c.kind,
            _notices.c.facts,
            _notices.c.deadline,
            _contacts.c.bad_at,
            _contacts.c.opted_out_at,
            _contacts.c.invitations,
            _deliveries.c.doubt_since,
            _deliveries.c.words,
            own_text_queries.newest(),
        )
        .join(_notices, _deliveries.c.notice_ref == _notices.c.id)
        .outerjoin(_contacts, _deliveries.c.contact_ref == _contacts.c.id)
        .where(_deliveries.c.id.in_(among(dialect, "deliveries", BigInteger())))
    )


@cache
def _recipients(dialect: str) -> Executable:
    return (
        select(
            _told.c.delivery_ref,
            _customers.c.id,
            _customers.c.customer_id,
            _customers.c.name,
            _customers.c.kind,
            _customers.c.tier,
            _customers.c.life_support,
            _customers.c.vulnerable,
            _customers.c.language,
            _customers.c.feed_secret,
        )
        .join(_customers, _told.c.customer_ref == _customers.c.id)
        .where(_told.c.delivery_ref.in_(among(dialect, "deliveries", BigInteger())))
        .order_by(_told.c.delivery_ref, _customers.c.id)
    )


def _places(
    session: Session, outages: Mapping[int, Outage], people: Collection[int]
) -> dict[tuple[int, int], list[tuple[int, list[Place]]]]:
    dialect = dialect_of(session)
    revisions = {one.id: (outage.id, one.number) for outage in outages.values() for one in outage.revisions}
    gathered: dict[tuple[int, int], dict[int, list[Place]]] = defaultdict(lambda: defaultdict(list))
    asked_for = {**values_of(dialect, "people", people), **values_of(dialect, "revisions", revisions)}
    for revision, customer, place, impact, key, site, manager, phone in session.execute(
        _affected(dialect), asked_for
    ):
        outage, number = revisions[revision]
        gathered[outage, customer][number].append(Place(place, impact, key, site, manager, phone or ""))
    return {who: sorted(by_number.items(), key=lambda one: -one[0]) for who, by_number in gathered.items()}


@cache
def _affected(dialect: str) -> Executable:
    return (
        select(
            _members.c.revision_ref,
            _members.c.customer_ref,
            _points.c.place,
            _members.c.impact,
            _members.c.is_key,
            _sites.c.site_id,
            # While somebody is away the deputy is named.
            func.coalesce(_deputies.c.name, _managers.c.name),
            func.coalesce(_deputies.c.phone, _managers.c.phone),
        )
        .join(_points, _members.c.service_point_ref == _points.c.id)
        .join(_sites, _points.c.site_ref == _sites.c.id)
        .outerjoin(_managers, _points.c.grid_manager_ref == _managers.c.id)
        .outerjoin(_deputies, and_(_managers.c.away, _managers.c.deputy_ref == _deputies.c.id))
        .where(
            _members.c.customer_ref.in_(among(dialect, "people", BigInteger())),
            _members.c.revision_ref.in_(among(dialect, "revisions", BigInteger())),
        )
        .order_by(_members.c.id)
    )


def _asked(
    session: Session, outages: Mapping[int, Outage], keys: Collection[int]
) -> dict[tuple[int, int, int], int]:
    if not keys:
        return {}
    statement = select(
        Acknowledgement.outage_ref,
        Acknowledgement.revision,
        Acknowledgement.customer_ref,
        Acknowledgement.id,
        Acknowledgement.link_serial,
    ).where(Acknowledgement.outage_ref.in_(tuple(outages)), Acknowledgement.customer_ref.in_(keys))
    return {
        (outage, revision, customer): link_subject(ack, serial)
        for outage, revision, customer, ack, serial in session.execute(statement)
    }
