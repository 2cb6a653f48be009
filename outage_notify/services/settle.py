"""What follows from a delivery's end: contacts marked, the next rung of the ladder, tasks for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.orm import Session

from channels.model import Channel, FaultClass
from outage_notify.domain import ladder
from outage_notify.domain.delivery import LIVE, DeliveryState
from outage_notify.domain.ladder import VISIT, Contact, Ladder, Tried
from outage_notify.domain.notice import BESIDE, IMMEDIATE, NoticeKind, still_true
from outage_notify.services.runtime import Runtime
from outage_notify.services.whom_to_tell import contacts_of, priority_of
from outage_notify.store import audit_queries, delivery_queries, outage_queries, people_lookup
from outage_notify.store.delivery_queries import Planned
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.outage_tables import Outage
from outage_notify.store.people_tables import Customer
from outage_notify.store.work_queries import SYSTEM, open_task, record
from outage_notify.store.work_tables import TaskKind

log = structlog.get_logger()

S = DeliveryState


def note_bad_contact(session: Session, delivery: int, fault: FaultClass, code: str, now: datetime) -> None:
    """Mark the address that the provider calls wrong, or whose owner said no, for everybody who
    gave it. Twice is harmless."""
    if fault not in {FaultClass.BAD_ADDRESS, FaultClass.OPTED_OUT}:
        return
    row = session.get_one(Delivery, delivery)
    for contact in people_lookup.contacts_at(session, row.channel, row.address):
        if fault is FaultClass.OPTED_OUT:
            contact.opted_out_at = contact.opted_out_at or now
            continue
        contact.bad_at, contact.bad_reason = contact.bad_at or now, f"provider code {code}"[:200]
        open_task(
            session,
            TaskKind.CONTACT_BAD,
            f"contact:{contact.id}:{contact.bad_at:%Y-%m-%d}",
            now,
            outage=row.outage_ref,
            customer=contact.customer_ref,
            delivery=row.id,
            grid_manager=people_lookup.grid_manager_of(session, contact.customer_ref),
            note=f"{contact.channel.value}: provider code {code}",
        )


def note_twice(session: Session, delivery: Delivery, now: datetime) -> None:
    """A provider has taken one delivery twice: kept on record, so that the audit shows it. Once."""
    if not audit_queries.known_twice(session, delivery.id):
        record(session, now, SYSTEM, "found_twice", outage=delivery.outage_ref, delivery=delivery.id)
        log.error("provider has a message twice", delivery=delivery.id)


def of_use(outage: Outage, delivery: Delivery, now: datetime) -> bool:
    """Whether anybody gains from (another) try: not for what is over, replaced or no longer true."""
    return delivery.not_after > now and still_true(
        delivery.notice.kind, delivery.revision, outage.state, outage.revision
    )


def step_ladder(session: Session, rt: Runtime, delivery: Delivery, now: datetime) -> int:
    """Below a failed delivery: insert the next rung for each of its recipients, or a visit task.

    Marks the row as stepped in the same transaction, so it is done once; a crash before the
    commit leaves it to the next reconcile. What goes beside the notice has no next channel. Returns how
    many deliveries are new.
    """
    delivery.stepped = True
    outage = session.get_one(Outage, delivery.outage_ref)
    if delivery.notice.kind in BESIDE or not of_use(outage, delivery, now):
        return 0
    customers = people_lookup.customers_by_ref(session, [one.customer_ref for one in delivery.recipients])
    return sum(_step(session, rt, outage, delivery, customer, now) for customer in customers.values())


def next_channels(
    session: Session, rt: Runtime, delivery: Delivery, customer: Customer, now: datetime
) -> set[Channel]:
    """By which channels this customer would be told next if the delivery came to nothing; a visit is none."""
    outage = session.get_one(Outage, delivery.outage_ref)
    if not of_use(outage, delivery, now):
        return set()
    steps, contacts = _ladder_of(session, rt, outage, delivery, customer)
    tried = [
        Tried(one.channel, one.address, S.WITHDRAWN if one.id == delivery.id else one.state)
        for one in delivery_queries.deliveries_for(session, delivery.notice_ref, customer.id)
    ]
    following = ladder.next(steps, contacts, tried)
    return set() if following is None or following is VISIT else {one.channel for one in following}


def _ladder_of(
    session: Session, rt: Runtime, outage: Outage, delivery: Delivery, customer: Customer
) -> tuple[Ladder, Sequence[Contact]]:
    revision = next(one for one in outage.revisions if one.number == delivery.revision)
    members = outage_queries.audience_of_customer(session, revision, customer.id)
    contacts = contacts_of(customer, members[0].service_point.place if members else "")
    return rt.policy.ladder_for(customer.tier, customer.life_support, customer.vulnerable), contacts


def _step(
    session: Session, rt: Runtime, outage: Outage, delivery: Delivery, customer: Customer, now: datetime
) -> int:
    """Climb until something is alive again. More than once only where the next address is one that
    somebody else's delivery of this notice has found dead already."""
    steps, contacts = _ladder_of(session, rt, outage, delivery, customer)
    new = 0
    while True:
        tried = [
            Tried(one.channel, one.address, one.state)
            for one in delivery_queries.deliveries_for(session, delivery.notice_ref, customer.id)
        ]
        following = ladder.next(steps, contacts, tried)
        if following is None:
            if not any(one.state in LIVE for one in tried):
                _left_untold(session, customer, delivery, now)
            return new
        if following is VISIT:
            _visit(session, outage, customer, delivery, now)
            return new
        rows = [
            Planned(
                customer.id,
                one.channel,
                one.contact.address,
                one.contact.id or None,
                customer.language,
                priority_of(customer),
                _next_due(rt, outage, delivery, customer, one.channel, now),
                rung=delivery.rung + 1,
                urgent=delivery.urgent or delivery.notice.kind in IMMEDIATE,
            )
            for one in following
        ]
        # What waits for a pending revision to be decided waits on every channel.
        new += delivery_queries.insert_deliveries(
            session, delivery.notice, rows, paused=outage.pending is not None
        )
        record(
            session,
            now,
            SYSTEM,
            "next_channel",
            outage=outage.id,
            customer=customer.id,
            delivery=delivery.id,
            channels=sorted({one.channel.value for one in following}),
        )


def _next_due(
    rt: Runtime, outage: Outage, delivery: Delivery, customer: Customer, channel: Channel, now: datetime
) -> datetime:
    """When the next channel is tried: at once, but nobody is woken whom the first try would not have woken."""
    notice, zone = delivery.notice, ZoneInfo(outage.timezone)
    if notice.kind in {NoticeKind.CHANGED, NoticeKind.CANCELLED}:
        changed = notice.kind is NoticeKind.CHANGED
        old = notice.facts.get("old_start")
        return rt.policy.change_due(
            channel,
            customer.key,
            now,
            zone,
            old_start=datetime.fromisoformat(old) if old else outage.standing.start,
            new_start=outage.standing.start if changed else None,
            deadline=notice.deadline if changed else None,
        )
    if notice.kind in IMMEDIATE:
        return rt.policy.immediate_due(channel, customer.key, now, zone)
    if channel not in {Channel.SMS, Channel.VOICE}:
        return now
    if notice.kind is NoticeKind.REMINDER:
        morning = rt.policy.quiet_hours.quiet_end(now, zone)
        return morning if morning < notice.deadline else now
    return rt.policy.due_at(notice.kind, notice.deadline, now, zone, channel)


def _visit(session: Session, outage: Outage, customer: Customer, delivery: Delivery, now: datetime) -> None:
    """Every rung has failed: the area's grid manager goes there."""
    manager = people_lookup.grid_manager_of(session, customer.id)
    new = open_task(
        session,
        TaskKind.VISIT,
        f"visit:{outage.id}:{delivery.revision}:{customer.id}",
        now,
        outage=outage.id,
        customer=customer.id,
        delivery=delivery.id,
        grid_manager=manager,
        due_at=min(delivery.notice.deadline, outage.standing.start),
        note=f"{delivery.notice.kind.value}: every channel failed",
    )
    if new:
        record(
            session, now, SYSTEM, "visit_task", outage=outage.id, customer=customer.id, delivery=delivery.id
        )


def _left_untold(session: Session, customer: Customer, delivery: Delivery, now: datetime) -> None:
    """The ladder has ended and nothing reached this customer: a person has to know."""
    open_task(
        session,
        TaskKind.CONTACT_MISSING,
        f"untold:{delivery.notice_ref}:{customer.id}",
        now,
        outage=delivery.outage_ref,
        customer=customer.id,
        delivery=delivery.id,
        grid_manager=people_lookup.grid_manager_of(session, customer.id),
        due_at=delivery.notice.deadline,
        note=f"{delivery.notice.kind.value}: every channel failed",
    )
