"""What becomes of a doubtful delivery after its provider was asked. Asking is left to `ask_providers`.

A text or a call is looked for at the provider, twice; a mail is repeated, since its Message-ID
makes it the same mail. What can't be settled within two hours goes to a person, and life
support is told again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from channels.model import REPORT_RANK, Channel, FaultClass, Outcome, OutcomeKind, Report, Sighting
from outage_notify.domain.delivery import DeliveryState
from outage_notify.services import record_receipts
from outage_notify.services.runtime import Runtime
from outage_notify.services.settle import note_twice, of_use
from outage_notify.store import calls_by_number, claims
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.outage_tables import Outage
from outage_notify.store.work_queries import SYSTEM, open_task, record
from outage_notify.store.work_tables import TaskKind

QUESTIONS = 2
# After this long without an answer from the provider about a doubtful message, a person decides.
DOUBT_LIMIT = timedelta(hours=2)

# What a provider said of a doubtful delivery: what it has of it, or what it answered to a mail
# that was handed in again.
Said = list[Sighting] | Outcome

FOUND, RESENT, OPEN = "found", "resent", "open"


def settle(
    session: Session, rt: Runtime, delivery: Delivery, said: Said | None, still_ours: bool, now: datetime
) -> str:
    """Settle one by what was said (None: nothing); returns FOUND, RESENT or OPEN. The caller holds the row.

    `still_ours`: nobody else has asked since. If it took so long, an empty list does not count: two
    questions close to each other are one, where a provider's list is late.
    """
    if delivery.state is not DeliveryState.IN_DOUBT:
        return OPEN
    sender = rt.sender_named(delivery.channel, delivery.sender)
    if sender is not None and sender.repeatable:
        return _settle_repeatable(session, rt, delivery, said if isinstance(said, Outcome) else None, now)
    sightings = said if isinstance(said, list) else None
    return _settle_by_list(session, rt, delivery, sightings, still_ours, now)


def _settle_by_list(
    session: Session,
    rt: Runtime,
    delivery: Delivery,
    sightings: list[Sighting] | None,
    still_ours: bool,
    now: datetime,
) -> str:
    interval = timedelta(seconds=rt.settings.doubt_interval)
    others = calls_by_number.rivals(session, delivery)
    if sightings and delivery.channel is Channel.VOICE:
        # Since the question another call to this number may have been settled with one of these.
        known = calls_by_number.known_calls(session, [delivery.address])[delivery.address]
        sightings = [one for one in sightings if one.provider_id not in known] or None
    if DeliveryState.SUBMITTING in others:
        # Another call to this number is being made: nobody could tell the two apart. It ends soon.
        claims.asked(session, delivery.id, now + interval, counted=False)
    elif sightings:
        _take_sightings(session, rt, delivery, sightings, len(others), now)
        return FOUND
    elif sightings is not None and not still_ours:
        pass  # Whoever has asked since says what it came to.
    elif sightings is not None and delivery.doubt_asked + 1 >= QUESTIONS:
        return _again(session, delivery, now)
    elif sightings is None and delivery.doubt_since and now - delivery.doubt_since > DOUBT_LIMIT:
        _give_to_person(session, delivery, now)
    else:
        claims.asked(session, delivery.id, now + interval, counted=sightings is not None)
    return OPEN


def _again(session: Session, delivery: Delivery, now: datetime) -> str:
    """The provider has nothing: send it again, or withdraw it if nobody needs it any more."""
    outage = session.get_one(Outage, delivery.outage_ref)
    origin = DeliveryState.IN_DOUBT
    if of_use(outage, delivery, now):
        won = claims.back_to_ready(session, delivery.id, now, origin=origin, absent=True)
        return RESENT if won else OPEN
    claims.withdraw(session, delivery.id, now, "never left; replaced meanwhile", origin)
    return OPEN


def _settle_repeatable(
    session: Session, rt: Runtime, delivery: Delivery, repeated: Outcome | None, now: datetime
) -> str:
    """A mail can't be asked about, but sent again: its Message-ID makes it the same mail.

    One that is cancelled or replaced meanwhile was handed in again (`repeated`) instead of waiting
    for its turn: only so is it certain that whoever hears of the change was told before. Dies
    before this is on record: it is handed in once more.
    """
    outage = session.get_one(Outage, delivery.outage_ref)
    interval = timedelta(seconds=rt.settings.doubt_interval)
    won = False
    if of_use(outage, delivery, now):
        won = claims.back_to_ready(session, delivery.id, now, origin=DeliveryState.IN_DOUBT)
    elif repeated and repeated.kind is OutcomeKind.ACCEPTED:
        won = claims.accepted(session, delivery.id, now, provider_id=repeated.provider_id)
    elif repeated and repeated.kind is OutcomeKind.REJECTED and repeated.fault is FaultClass.BAD_ADDRESS:
        claims.failed(session, delivery.id, now, code=repeated.code, fault=repeated.fault.value)
    elif delivery.doubt_since and now - delivery.doubt_since > DOUBT_LIMIT:
        # Whoever may have read it has to hear of the change.
        claims.accepted(session, delivery.id, now)
        record(session, now, SYSTEM, "assumed_taken", outage=outage.id, delivery=delivery.id)
    else:
        claims.asked(session, delivery.id, now + interval, counted=False)
    return RESENT if won else OPEN


def _take_sightings(
    session: Session, rt: Runtime, delivery: Delivery, sightings: list[Sighting], others: int, now: datetime
) -> None:
    """The provider has it: as good as a report of its state. More than are in doubt means told twice.

    Of several calls to one number that are in doubt (`others`), the one that is longest in doubt
    is asked about first and takes the earliest call.
    """
    best = max(sightings, key=lambda one: REPORT_RANK[one.status])
    if others:
        best = min(sightings, key=lambda one: one.sent_at or now)
    if len(sightings) > 1 + others:
        note_twice(session, delivery, now)
    report = Report(best.provider_id, best.status, best.code, best.fault, ended_at=best.ended_at)
    record_receipts.apply_report(session, rt, delivery.id, report, now)


def _give_to_person(session: Session, delivery: Delivery, now: datetime) -> None:
    """The provider can't be asked. Life support is told again whatever happens; a person is called for all."""
    life_support = any(one.customer.life_support for one in delivery.recipients)
    open_task(
        session,
        TaskKind.DOUBTFUL,
        f"doubt:{delivery.id}",
        now,
        outage=delivery.outage_ref,
        customer=delivery.recipients[0].customer_ref if delivery.recipients else None,
        delivery=delivery.id,
        due_at=now,
        note="told again, perhaps twice" if life_support else "nobody can say whether it arrived",
    )
    if life_support:
        claims.back_to_ready(session, delivery.id, now, origin=DeliveryState.IN_DOUBT)
    else:
        claims.failed(session, delivery.id, now, code="in_doubt", fault=FaultClass.UNKNOWN.value)
