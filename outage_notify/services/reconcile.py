"""Finishes what a crash, a lost answer or a lost callback left open; then audits.

Runs each minute, any number of times, on any number of machines: each step is a guarded
UPDATE or inserts what is missing. What it can't settle goes to a person. The heartbeat
goes out only if the audit holds. Asking providers is left to `ask_providers`.
"""

from __future__ import annotations

import urllib.request
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

import structlog

from outage_notify.domain.notice import NoticeKind, still_true
from outage_notify.services import (
    ask_providers,
    audit,
    machine_access,
    record_receipts,
    schedule_notices,
    send_invitations,
    settle_doubt,
    stand_in,
)
from outage_notify.services.escalate import escalate_due
from outage_notify.services.hurry import hurry
from outage_notify.services.print_letters import open_letter_tasks
from outage_notify.services.runtime import Runtime
from outage_notify.services.settle import step_ladder
from outage_notify.services.tell_news import complete_news
from outage_notify.store import audit_mark_queries, claims, delivery_queries
from outage_notify.store.outage_tables import Outage
from outage_notify.store.work_queries import SYSTEM, record

log = structlog.get_logger()


@dataclass
class ReconcileReport:
    """What one run did, and what the audit says."""

    released: int = 0
    doubted: int = 0
    found: int = 0
    resent: int = 0
    reports: int = 0
    stepped: int = 0
    hurried: int = 0
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
    came_to = ask_providers.settle_doubts(rt)
    report.found, report.resent = came_to[settle_doubt.FOUND], came_to[settle_doubt.RESENT]
    ask_providers.fetch_silent(rt)
    stand_in.check_again(rt)
    report.stepped = _step_ladders(rt)
    report.hurried = hurry(rt)
    report.expired = _expire(rt)
    report.completed = _complete_notices(rt)
    report.escalated = escalate_due(rt)
    open_letter_tasks(rt)
    machine_access.forget_old(rt)
    with rt.database.read() as session:
        report.audit = audit.audit(session, rt, rt.now(session))
    untold, twice = len(report.audit["untold"]), len(report.audit["twice"])
    with rt.database.write() as session:
        audit_mark_queries.note(session, rt.now(session), untold, twice, holds=report.holds)
    if report.holds:
        _heartbeat(rt)
    else:
        log.error("audit does not hold", untold=untold, twice=twice)
    return report


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
