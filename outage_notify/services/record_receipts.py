"""What providers say later, applied by rank; and keys pressed on calls.

Reports come late, repeated, out of order, and about messages whose answer was lost. None is
dropped: `report_intake` has committed the raw form before it is looked at here, and `apply_reports` takes up
whatever a crash left unapplied.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from channels.model import Channel, FaultClass, Report, ReportStatus
from outage_notify.domain.acknowledgement import AckWay
from outage_notify.services import acknowledge, apply_batch
from outage_notify.services.runtime import Runtime
from outage_notify.services.settle import note_bad_contact, note_twice, of_use
from outage_notify.store import calls_by_number, claims, delivery_queries, report_queries
from outage_notify.store.delivery_tables import Delivery, ProviderReport
from outage_notify.store.outage_tables import Outage

CONFIRM_KEY = "1"
# How long to wait for callbacks before the provider is asked how an accepted message ended.
FIRST_CHECK = timedelta(minutes=10)
# A call of which nobody heard our words, because we did not give them, is made again so often and so soon.
MOST_UNHEARD = 3
UNHEARD_WAIT = timedelta(seconds=20)
BATCH = 200  # reports applied in one transaction
CLOCKS = timedelta(seconds=1)  # the provider tells the end of a call in whole seconds


def apply_reports(rt: Runtime) -> int:
    """Apply what is stored and was not applied, oldest first; returns how many that were."""
    with rt.database.read() as session:
        waiting = report_queries.unapplied(session)
    return sum(len(apply_these(rt, waiting[at : at + BATCH])) for at in range(0, len(waiting), BATCH))


def apply_these(rt: Runtime, ids: Sequence[int]) -> dict[int, str]:
    """Apply these stored reports, the usual ones all at once; returns a verdict for each that was not applied
    before. Dies midway: they are found unapplied by the next `apply_reports`.
    """
    # What the disk has not seen yet when the machine dies is applied once more: the raw forms are there.
    with rt.database.write(hasty=True) as session:
        now = rt.now(session)
        verdicts, left = apply_batch.apply_usual(session, rt, ids, now, FIRST_CHECK)
        if len(ids) == 1 and left:
            # Alone it needs no transaction of its own.
            row = session.get_one(ProviderReport, left.pop())
            verdicts[row.id] = _apply(session, rt, row, now)
    for report_id in left:
        with rt.database.write() as session:
            row = session.get_one(ProviderReport, report_id, with_for_update=True)
            if row.applied_at is None:
                verdicts[report_id] = _apply(session, rt, row, rt.now(session))
    return verdicts


def apply_report(session: Session, rt: Runtime, delivery_id: int, report: Report, now: datetime) -> str:
    """Move a delivery by what its provider says. A lower rank never overwrites a higher one."""
    delivery = session.get_one(Delivery, delivery_id, with_for_update={"key_share": True})
    unheard = calls_by_number.unheard_calls(session, delivery.address, delivery.channel)
    if report.provider_id and report.provider_id in unheard:
        return "outranked"  # What more is said of a call that was made again.
    if delivery.provider_id and report.provider_id and delivery.provider_id != report.provider_id:
        # A second message to the same person under one delivery: never silently.
        note_twice(session, delivery, now)
        if report.status is ReportStatus.FAILED:
            # The end of one of the two says nothing about the other.
            return "outranked"
    status, fault, code = report.status, report.fault, report.code
    if status is ReportStatus.DELIVERED and delivery.channel is Channel.VOICE and not delivery.digits:
        # A call is "completed" too when our words could not be fetched: then nobody heard anything.
        # And a call taken without a key pressed is no proof from somebody who has to sign.
        key = any(one.customer.key for one in delivery.recipients)
        # Each delivery has its own tries: a number that was once called in vain is called for the next outage.
        heard = _heard(delivery, report)
        if not heard and claims.times_unheard(session, delivery_id) < MOST_UNHEARD:
            outage = session.get_one(Outage, delivery.outage_ref)
            if of_use(outage, delivery, now):
                # Our own fault, such as a database that was away: the person has still to be told.
                again = claims.call_again(session, delivery_id, report.provider_id, now + UNHEARD_WAIT)
                return "not heard, called again" if again else "outranked"
        if key or not heard:
            code = "no_key" if heard else "not_heard"
            status, fault = ReportStatus.FAILED, FaultClass.UNREACHED
    if status is ReportStatus.DELIVERED:
        won = claims.delivered(session, delivery_id, now, report.provider_id)
    elif status is ReportStatus.FAILED:
        won = claims.failed(
            session,
            delivery_id,
            now,
            code=code,
            fault=fault.value,
            detail=report.answered_by,
            provider_id=report.provider_id,
        )
        if won:
            note_bad_contact(session, delivery_id, fault, code, now)
    else:
        # The callback that tells how it ended may be lost: then the provider is asked.
        won = claims.accepted(
            session, delivery_id, now, provider_id=report.provider_id, check_at=now + FIRST_CHECK
        )
    if not won:
        claims.remember_provider_id(session, delivery_id, report.provider_id)
    return "applied" if won else "outranked"


def _heard(delivery: Delivery, report: Report) -> bool:
    """Whether the words of a call were fetched before it was over. A web server that is overloaded may hand
    them out when the provider has hung up long ago."""
    spoken, ended = delivery.spoken_at, report.ended_at
    return spoken is not None and (ended is None or spoken <= ended + CLOCKS)


def voice_spoken(rt: Runtime, delivery_id: int) -> None:
    """The provider has fetched the words of a call. Twice keeps the first time."""
    with rt.database.write() as session:
        claims.spoken(session, delivery_id, rt.now(session))


def voice_answer(rt: Runtime, delivery_id: int, digits: str) -> bool:
    """A key was pressed on a call. The confirming key is proof of contact and, from a key
    customer, the signed answer. Returns whether it was the confirming key. Twice is once."""
    with rt.database.write() as session:
        now = rt.now(session)
        delivery = session.get(Delivery, delivery_id)
        if delivery is None:
            return False
        confirmed = digits == CONFIRM_KEY
        if not confirmed:
            return False
        delivery.digits = digits
        session.flush()
        claims.delivered(session, delivery_id, now)
        for recipient in delivery.recipients:
            if recipient.customer.key:
                acknowledge.answer_by_customer(
                    session,
                    rt,
                    recipient.customer_ref,
                    delivery.outage_ref,
                    AckWay.KEY_PRESS,
                    recipient.customer.name,
                    now,
                    revision=delivery.revision,
                )
        return True


def _apply(session: Session, rt: Runtime, row: ProviderReport, now: datetime) -> str:
    about = session.get(Delivery, row.delivery_ref) if row.delivery_ref else None
    sender = rt.sender_named(row.channel, about.sender if about else "")
    report = sender.parse_receipt(row.form) if sender else None
    if report is None:
        verdict = apply_batch.NOT_UNDERSTOOD
    else:
        delivery_id = row.delivery_ref or delivery_queries.by_provider_id(session, report.provider_id)
        row.delivery_ref = delivery_id
        verdict = apply_report(session, rt, delivery_id, report, now) if delivery_id else "unknown message"
    row.applied_at, row.verdict = now, verdict
    return verdict
