"""What follows from a delivery's end: contacts marked, the next rung of the ladder, tasks for people."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from channels.model import Channel, FaultClass
from outage_notify.domain import ladder
from outage_notify.domain.ladder import VISIT, Tried
from outage_notify.domain.notice import IMMEDIATE, NoticeKind
from outage_notify.domain.outage import OutageState
from outage_notify.services.runtime import Runtime
from outage_notify.services.whom_to_tell import contacts_of, priority_of
from outage_notify.store import delivery_queries, outage_queries, people_lookup
from outage_notify.store.delivery_queries import Planned
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.outage_tables import Outage
from outage_notify.store.people_tables import Customer
from outage_notify.store.work_queries import SYSTEM, open_task, record
from outage_notify.store.work_tables import TaskKind


def note_bad_contact(session: Session, delivery: int, fault: FaultClass, code: str, now: datetime) -> None:
    """Mark the contact that the provider calls wrong, or whose owner said no. Twice is harmless."""
    if fault not in {FaultClass.BAD_ADDRESS, FaultClass.OPTED_OUT}:
        return
    row = session.get_one(Delivery, delivery)
    contact = delivery_queries.contact_of(session, row)
    if contact is None:
        return
    if fault is FaultClass.OPTED_OUT:
        contact.opted_out_at = contact.opted_out_at or now
    else:
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


def step_ladder(session: Session, rt: Runtime, delivery: Delivery, now: datetime) -> int:
    """Below a failed delivery: insert the next rung for each of its recipients, or a visit task.

    Marks the row as stepped in the same transaction, so it is done once; a crash before the
    commit leaves it to the next reconcile. Returns how many deliveries are new.
    """
    delivery.stepped = True
    outage = session.get_one(Outage, delivery.outage_ref)
    if not _still_of_use(outage, delivery, now):
        return 0
    customers = people_lookup.customers_by_ref(session, [one.customer_ref for one in delivery.recipients])
    new = 0
    for customer in customers.values():
        tried = [
            Tried(one.channel, one.address, one.state)
            for one in delivery_queries.deliveries_for(session, delivery.notice_ref, customer.id)
        ]
        revision = next(one for one in outage.revisions if one.number == delivery.revision)
        members = outage_queries.audience_of_customer(session, revision, customer.id)
        place = members[0].service_point.place if members else ""
        contacts = contacts_of(customer, place)
        steps = rt.policy.ladder_for(customer.tier, customer.life_support, customer.vulnerable)
        following = ladder.next(steps, contacts, tried)
        if following is None:
            if not any(one.state not in {delivery.state} for one in tried):
                _left_untold(session, customer, delivery, now)
            continue
        if following is VISIT:
            _visit(session, outage, customer, delivery, now)
            continue
        urgent = delivery.urgent or delivery.notice.kind in IMMEDIATE
        zone = delivery_queries.zone_of(session, delivery)
        rows = []
        for one in following:
            awake = rt.policy.quiet_hours.quiet_end(now, zone)
            wait = one.channel in {Channel.SMS, Channel.VOICE} and awake < delivery.notice.deadline
            rows.append(
                Planned(
                    customer.id,
                    one.channel,
                    one.contact.address,
                    one.contact.id or None,
                    customer.language,
                    priority_of(customer),
                    awake if wait and not urgent else now,
                    rung=delivery.rung + 1,
                    urgent=urgent,
                )
            )
        new += delivery_queries.insert_deliveries(session, delivery.notice, rows)
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
    return new


def _still_of_use(outage: Outage, delivery: Delivery, now: datetime) -> bool:
    """Whether anybody gains from another try: not for a revision that was replaced or is over."""
    if delivery.not_after <= now or delivery.revision < outage.revision:
        return False
    if delivery.notice.kind in {NoticeKind.SEVEN_DAY, NoticeKind.DAY_AHEAD, NoticeKind.REMINDER}:
        return outage.state is OutageState.APPROVED
    return True


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
