"""Finishes what a crash, a lost answer or a lost callback left open; then audits.

Runs each minute, any number of times, on any number of machines: each step is a guarded
UPDATE or inserts what is missing. What it can't settle goes to a person. The heartbeat
goes out only if the audit holds.
"""

from __future__ import annotations

import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session

from channels.model import (
    REPORT_RANK,
    FaultClass,
    Outcome,
    OutcomeKind,
    Report,
    ReportStatus,
    Sighting,
)
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.notice import NoticeKind, still_true
from outage_notify.services import (
    audit,
    machine_access,
    record_receipts,
    schedule_notices,
    send_invitations,
    stand_in,
)
from outage_notify.services.escalate import escalate_due
from outage_notify.services.notice_facts import message_for
from outage_notify.services.print_letters import open_letter_tasks
from outage_notify.services.runtime import Runtime
from outage_notify.services.settle import note_twice, of_use, step_ladder
from outage_notify.services.tell_news import complete_news
from outage_notify.store import claims, delivery_queries
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.outage_tables import Outage
from outage_notify.store.work_queries import SYSTEM, open_task, record
from outage_notify.store.work_tables import TaskKind

log = structlog.get_logger()

QUESTIONS = 2
AT_ONCE = 20  # rows that one worker takes to ask about before others may
MOST_SILENCE = 3  # questions without an answer after which a channel is not asked any more in one run
NEXT_CHECK = timedelta(hours=1)
# After this long without an answer from the provider about a doubtful message, a person decides.
DOUBT_LIMIT = timedelta(hours=2)


@dataclass
class ReconcileReport:
    """What one run did, and what the audit says."""

    released: int = 0
    doubted: int = 0
    found: int = 0
    resent: int = 0
    reports: int = 0
    stepped: int = 0
    expired: int = 0
    completed: int = 0
    escalated: int = 0
    audit: dict[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        return not self.audit.get("untold") and not self.audit.get("twice")

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "holds": self.holds}


def reconcile(rt: Runtime) -> ReconcileReport:
    """One run. Dies midway: the next run does the rest."""
    report = ReconcileReport()
    with rt.database.write() as session:
        now = rt.now(session)
        grace = timedelta(seconds=rt.settings.doubt_grace)
        report.released = claims.release_expired(session, now)
        report.doubted = claims.doubt_expired(session, now, now + grace)
    report.reports = record_receipts.apply_reports(rt)
    _settle_doubts(rt, report)
    _fetch_silent(rt)
    stand_in.check_again(rt)
    report.stepped = _step_ladders(rt)
    report.expired = _expire(rt)
    report.completed = _complete_notices(rt)
    report.escalated = escalate_due(rt)
    open_letter_tasks(rt)
    machine_access.forget_old(rt)
    with rt.database.read() as session:
        report.audit = audit.audit(session, rt, rt.now(session))
    if report.holds:
        _heartbeat(rt)
    else:
        log.error("audit does not hold", untold=len(report.audit["untold"]), twice=len(report.audit["twice"]))
    return report


def _questions(rt: Runtime, state: DeliveryState, most: int) -> Iterator[int]:
    """What is to be asked about, a few at a time, so that several workers share it. At most `most` in one run."""
    wait = timedelta(seconds=rt.settings.doubt_interval)
    while most > 0:
        with rt.database.write() as session:
            now = rt.now(session)
            taken = claims.take_questions(session, state, now, now + wait, min(most, AT_ONCE))
        yield from taken
        most = most - len(taken) if taken else 0


def _settle_doubts(rt: Runtime, report: ReconcileReport) -> None:
    silent: Counter[str] = Counter()  # by sender
    for delivery_id in _questions(rt, DeliveryState.IN_DOUBT, 500):
        with rt.database.read() as session:
            now = rt.now(session)
            delivery = session.get_one(Delivery, delivery_id)
            # Whoever was handed it, and nobody else, may have taken it.
            sender = rt.sender_named(delivery.channel, delivery.sender)
            began = delivery.began_at
            if sender is None or began is None:
                log.error("nobody to ask about a doubtful delivery", delivery=delivery_id)
            try:
                message = message_for(session, rt, delivery, now)
            except Exception:
                # It stays in doubt; the others are settled all the same.
                log.exception("message can't be made", delivery=delivery_id)
                continue
            known = delivery_queries.provider_ids_to(session, delivery.address, delivery.channel)
            wanted = of_use(session.get_one(Outage, delivery.outage_ref), delivery, now)
        repeatable = sender is not None and sender.repeatable
        sightings = repeated = None
        # A provider that is down is not asked about each of them: the others would wait for hours.
        if sender is not None and began is not None and silent[sender.name] < MOST_SILENCE:
            if not repeatable:
                sightings = sender.find(message, began, known)
                silent[sender.name] += sightings is None
            elif not wanted:
                repeated = sender.send(message)
                silent[sender.name] += not _answer(repeated)
        with rt.database.write() as session:
            if repeatable:
                _settle_mail(session, rt, delivery_id, repeated, rt.now(session), report)
            else:
                _settle_doubt(session, rt, delivery_id, sightings, rt.now(session), report)


def _settle_doubt(
    session: Session,
    rt: Runtime,
    delivery_id: int,
    sightings: list[Sighting] | None,
    now: datetime,
    report: ReconcileReport,
) -> None:
    delivery = session.get_one(Delivery, delivery_id, with_for_update=True)
    if delivery.state is not DeliveryState.IN_DOUBT:
        return
    interval = timedelta(seconds=rt.settings.doubt_interval)
    others = delivery_queries.rivals(session, delivery)
    if sightings:
        # Since the question another call to this number may have been settled with one of these.
        known = delivery_queries.provider_ids_to(session, delivery.address, delivery.channel)
        sightings = [one for one in sightings if one.provider_id not in known] or None
    if DeliveryState.SUBMITTING in others:
        # Another call to this number is being made: nobody could tell the two apart. It ends soon.
        claims.asked(session, delivery.id, now + interval, counted=False)
    elif sightings:
        report.found += 1
        _take_sightings(session, rt, delivery, sightings, len(others), now)
    elif sightings is not None and delivery.doubt_asked + 1 >= QUESTIONS:
        report.resent += _again(session, delivery, now)
    elif sightings is None and delivery.doubt_since and now - delivery.doubt_since > DOUBT_LIMIT:
        _give_to_person(session, delivery, now)
    else:
        claims.asked(session, delivery.id, now + interval, counted=sightings is not None)


def _again(session: Session, delivery: Delivery, now: datetime) -> int:
    """The provider has nothing: send it again, or withdraw it if nobody needs it any more."""
    outage = session.get_one(Outage, delivery.outage_ref)
    origin = DeliveryState.IN_DOUBT
    if of_use(outage, delivery, now):
        return int(claims.back_to_ready(session, delivery.id, now, origin=origin, absent=True))
    claims.withdraw(session, delivery.id, now, "never left; replaced meanwhile", origin)
    return 0


def _answer(outcome: Outcome) -> bool:
    return outcome.kind in {OutcomeKind.ACCEPTED, OutcomeKind.REJECTED}


def _settle_mail(
    session: Session,
    rt: Runtime,
    delivery_id: int,
    repeated: Outcome | None,
    now: datetime,
    report: ReconcileReport,
) -> None:
    """A mail can't be asked about, but sent again: its Message-ID makes it the same mail.

    One that is cancelled or replaced meanwhile was handed in again (`repeated`) instead of waiting
    for its turn: only so is it certain that whoever hears of the change was told before. Dies
    before this is on record: it is handed in once more.
    """
    delivery = session.get_one(Delivery, delivery_id, with_for_update=True)
    if delivery.state is not DeliveryState.IN_DOUBT:
        return
    outage = session.get_one(Outage, delivery.outage_ref)
    interval = timedelta(seconds=rt.settings.doubt_interval)
    if of_use(outage, delivery, now):
        report.resent += int(claims.back_to_ready(session, delivery_id, now, origin=DeliveryState.IN_DOUBT))
    elif repeated and repeated.kind is OutcomeKind.ACCEPTED:
        report.resent += int(claims.accepted(session, delivery_id, now, provider_id=repeated.provider_id))
    elif repeated and repeated.kind is OutcomeKind.REJECTED and repeated.fault is FaultClass.BAD_ADDRESS:
        claims.failed(session, delivery_id, now, code=repeated.code, fault=repeated.fault.value)
    elif delivery.doubt_since and now - delivery.doubt_since > DOUBT_LIMIT:
        # Whoever may have read it has to hear of the change.
        claims.accepted(session, delivery_id, now)
        record(session, now, SYSTEM, "assumed_taken", outage=outage.id, delivery=delivery_id)
    else:
        claims.asked(session, delivery_id, now + interval, counted=False)


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
    report = Report(best.provider_id, best.status, best.code, best.fault)
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


def _fetch_silent(rt: Runtime) -> None:
    """Ask about accepted messages whose callback never came; give up asking after two days."""
    silent: Counter[str] = Counter()  # by sender
    for delivery_id in _questions(rt, DeliveryState.ACCEPTED, 200):
        with rt.database.read() as session:
            delivery = session.get_one(Delivery, delivery_id)
        sender = rt.sender_named(delivery.channel, delivery.sender)
        if silent[sender.name if sender else ""] >= MOST_SILENCE:
            continue  # It is due again soon.
        report = sender.fetch(delivery.provider_id) if sender and delivery.provider_id else None
        silent[sender.name if sender else ""] += sender is not None and report is None
        with rt.database.write() as session:
            now = rt.now(session)
            if report and report.status in {ReportStatus.DELIVERED, ReportStatus.FAILED}:
                record_receipts.apply_report(session, rt, delivery_id, report, now)
            else:
                young = delivery.accepted_at and now - delivery.accepted_at < timedelta(days=2)
                claims.check_later(session, delivery_id, now + NEXT_CHECK if young and sender else None)


def _step_ladders(rt: Runtime) -> int:
    new = 0
    with rt.database.write() as session:
        now = rt.now(session)
        for delivery in delivery_queries.unstepped_failures(session):
            new += step_ladder(session, rt, delivery, now)
    return new


def _expire(rt: Runtime) -> int:
    """Unsent rows past their use. Nobody was told by them: the dispatcher has to know."""
    with rt.database.write() as session:
        now = rt.now(session)
        gone = claims.expire(session, now)
        for delivery in delivery_queries.with_recipients(session, gone):
            record(session, now, SYSTEM, "expired_unsent", outage=delivery.outage_ref, delivery=delivery.id)
    return len(gone)


def _complete_notices(rt: Runtime) -> int:
    """Tell those whose earlier message has come out of doubt since."""
    with rt.database.write() as session:
        now, new = rt.now(session), 0
        for notice in delivery_queries.incomplete_notices(session):
            outage = session.get_one(Outage, notice.outage_ref)
            if not still_true(notice.kind, notice.revision, outage.state, outage.revision):
                # Whatever replaced it looks after those in doubt itself.
                notice.incomplete = False
            elif notice.kind in schedule_notices.PLANNED_KINDS:
                new += schedule_notices.announce(session, rt, outage, now)
            elif notice.kind is NoticeKind.INVITATION_CANCELLED:
                new += send_invitations.complete(session, rt, outage, notice, now)
            else:
                new += complete_news(session, rt, outage, notice, now)
    return new


def _heartbeat(rt: Runtime) -> None:
    if not rt.settings.heartbeat_url:
        return
    try:
        # The address comes from the operator's settings, which admit http and https only.
        with urllib.request.urlopen(rt.settings.heartbeat_url, timeout=rt.settings.provider_timeout):  # noqa: S310
            pass
    except OSError as error:
        log.warning("heartbeat not taken", error=type(error).__name__)
