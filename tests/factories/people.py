"""Small facts for tests: a customer, an outage with a frozen audience, a notice, a delivery.

Each function adds rows to the session, flushes and returns the row; whatever is not asked
for gets a plain value. Numbers come from ranges reserved for fiction.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy.orm import Session

from channels.model import Channel, Language
from outage_notify.domain.audience import Impact, Tier
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageKind, OutageState, RevisionState
from outage_notify.store.delivery_tables import Delivery, DeliveryRecipient, Notice
from outage_notify.store.outage_tables import AudienceMember, Outage, OutageRevision
from outage_notify.store.people_tables import ContactPoint, Customer, GridManager, ServicePoint, Site

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
START = NOW + timedelta(days=10)
TIMEZONE = "Europe/Berlin"

_number = count(1)


def add_grid_manager(session: Session, name: str = "Ines Vogt", phone: str = "+493023125700") -> GridManager:
    manager = GridManager(name=f"{name} {next(_number)}", phone=phone)
    session.add(manager)
    session.flush()
    return manager


def add_customer(
    session: Session,
    *,
    customer_id: str | None = None,
    name: str = "Hospital by the river",
    kind: str = "hospital",
    tier: Tier = Tier.FIRST,
    life_support: bool = False,
    vulnerable: bool = False,
    language: Language = Language.EN,
    channels: Iterable[Channel] = (Channel.SMS, Channel.VOICE, Channel.EMAIL),
    backup: bool = True,
    places: Iterable[str] = ("1 River Road",),
    grid_manager: GridManager | None = None,
) -> Customer:
    """A customer with one contact per channel, a backup contact, and one site and feed per place."""
    number = next(_number)
    customer = Customer(
        customer_id=customer_id or f"C{number:05d}",
        name=name,
        kind=kind,
        tier=tier,
        life_support=life_support,
        vulnerable=vulnerable,
        language=language,
        feed_secret=f"{number:032x}",
    )
    session.add(customer)
    session.flush()
    addresses = {
        Channel.SMS: f"+4930231251{number % 100:02d}",
        Channel.VOICE: f"+4930231252{number % 100:02d}",
        Channel.EMAIL: f"c{number}@example.com",
        Channel.LETTER: "1 River Road",
    }
    for position, channel in enumerate(channels):
        add_contact(session, customer, channel, addresses[channel], position=position)
    if backup:
        for channel in (Channel.SMS, Channel.VOICE):
            add_contact(session, customer, channel, f"+4930231253{number % 100:02d}", backup=True)
    for index, place in enumerate(places, start=1):
        add_service_point(session, customer, place, site_id=f"S{index}", grid_manager=grid_manager)
    return customer


def add_contact(
    session: Session,
    customer: Customer,
    channel: Channel,
    address: str,
    *,
    backup: bool = False,
    position: int = 0,
) -> ContactPoint:
    contact = ContactPoint(
        customer_ref=customer.id,
        channel=channel,
        address=address,
        backup=backup,
        person="Deputy" if backup else "",
        position=position,
    )
    session.add(contact)
    session.flush()
    return contact


def add_service_point(
    session: Session,
    customer: Customer,
    place: str,
    *,
    site_id: str = "S1",
    element: str = "load:1",
    grid_manager: GridManager | None = None,
) -> ServicePoint:
    """One feed; feeds with the same `site_id` belong to one site."""
    site = session.query(Site).filter_by(customer_ref=customer.id, site_id=site_id).one_or_none()
    if site is None:
        site = Site(customer_ref=customer.id, site_id=site_id)
        session.add(site)
        session.flush()
    point = ServicePoint(
        service_point_id=f"P{next(_number):06d}",
        customer_ref=customer.id,
        site_ref=site.id,
        element=element,
        place=place,
        grid_manager_ref=grid_manager.id if grid_manager else None,
    )
    session.add(point)
    session.flush()
    session.expire(customer, ["service_points", "contacts"])
    return point


def add_outage(
    session: Session,
    customers: Iterable[Customer] = (),
    *,
    reference: str | None = None,
    kind: OutageKind = OutageKind.PLANNED,
    state: OutageState = OutageState.APPROVED,
    start: datetime = START,
    hours: float = 4,
    impact: Impact = Impact.OUTAGE,
    now: datetime = NOW,
) -> Outage:
    """An outage with revision 1, approved unless `state` says otherwise, that affects `customers`."""
    outage = Outage(
        reference=reference or f"PO-2026-{next(_number):04d}",
        kind=kind,
        state=state,
        revision=1,
        timezone=TIMEZONE,
        created_at=now,
        created_by="planner",
        changed_at=now,
    )
    session.add(outage)
    session.flush()
    planned = {OutageState.DRAFT: RevisionState.DRAFT, OutageState.SUBMITTED: RevisionState.SUBMITTED}
    add_revision(
        session,
        outage,
        customers,
        number=1,
        state=planned.get(state, RevisionState.APPROVED),
        start=start,
        hours=hours,
        impact=impact,
        now=now,
    )
    return outage


def add_revision(
    session: Session,
    outage: Outage,
    customers: Iterable[Customer] = (),
    *,
    number: int,
    state: RevisionState = RevisionState.APPROVED,
    start: datetime = START,
    hours: float = 4,
    impact: Impact = Impact.OUTAGE,
    now: datetime = NOW,
) -> OutageRevision:
    """One more revision with its audience: every service point of each customer. An approved one stands."""
    approved = state is RevisionState.APPROVED
    if approved:
        for older in outage.revisions:
            older.state = RevisionState.SUPERSEDED
        outage.revision = number
    revision = OutageRevision(
        outage_ref=outage.id,
        number=number,
        state=state,
        start=start,
        end=start + timedelta(hours=hours),
        reason={"zh-CN": "线路检修", "en": "line maintenance"},
        area="Riverside",
        line="Line 12",
        switching={"work": ["line:12"], "out": [], "close": [], "close_ties": False},
        planned_by="planner",
        approved_by="approver" if approved else None,
        approved_at=now if approved else None,
    )
    session.add(revision)
    session.flush()
    for customer in customers:
        for point in (
            session.query(ServicePoint).filter_by(customer_ref=customer.id).order_by(ServicePoint.id)
        ):
            session.add(
                AudienceMember(
                    revision_ref=revision.id,
                    service_point_ref=point.id,
                    customer_ref=customer.id,
                    impact=impact,
                    tier=customer.tier,
                    is_key=customer.key,
                    life_support=customer.life_support,
                )
            )
    session.flush()
    session.expire(outage, ["revisions"])
    return revision


def add_notice(
    session: Session,
    outage: Outage,
    kind: NoticeKind = NoticeKind.SEVEN_DAY,
    *,
    serial: int = 1,
    due_at: datetime = NOW,
) -> Notice:
    notice = Notice(
        outage_ref=outage.id,
        revision=outage.revision,
        kind=kind,
        serial=serial,
        deadline=due_at + timedelta(hours=12),
        due_at=due_at,
        not_after=outage.standing.start,
        created_at=due_at,
    )
    session.add(notice)
    session.flush()
    return notice


def add_delivery(
    session: Session,
    notice: Notice,
    customers: Iterable[Customer],
    channel: Channel = Channel.SMS,
    *,
    state: DeliveryState = DeliveryState.READY,
    address: str | None = None,
    due_at: datetime | None = None,
) -> Delivery:
    """One delivery that tells `customers`, to the first one's contact on the channel or to `address`."""
    told = list(customers)
    first = told[0]
    contact = next((one for one in first.contacts if one.channel is channel and not one.backup), None)
    delivery = Delivery(
        short_ref=f"T{next(_number):06d}",
        notice_ref=notice.id,
        outage_ref=notice.outage_ref,
        revision=notice.revision,
        channel=channel,
        address=address or (contact.address if contact else f"{first.customer_id}, 1 River Road"),
        contact_ref=contact.id if contact and address is None else None,
        language=first.language,
        priority=1,
        state=state,
        due_at=due_at or notice.due_at,
        not_after=notice.not_after,
    )
    session.add(delivery)
    session.flush()
    for customer in told:
        session.add(DeliveryRecipient(delivery_ref=delivery.id, customer_ref=customer.id))
    session.flush()
    return delivery
