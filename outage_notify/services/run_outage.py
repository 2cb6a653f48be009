"""The day itself: start, overrun, complete; and cancel. Each tells exactly those who were told."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from outage_notify.domain.errors import IllegalMove, InvalidInput
from outage_notify.domain.notice import TAKEN_BACK, NoticeKind
from outage_notify.domain.outage import OutageState, RevisionState, require_move
from outage_notify.services import acknowledge, announce, send_invitations, start_gate
from outage_notify.services.plan_outage import changing, drop_pending
from outage_notify.services.runtime import Runtime
from outage_notify.services.tell_news import tell_news
from outage_notify.store import claims, user_lookup
from outage_notify.store.outage_tables import Outage
from outage_notify.store.user_tables import Role
from outage_notify.store.work_queries import record

NEWS_AFTER_END = timedelta(hours=24)


def cancel(rt: Runtime, by: str, reference: str, reason: str, version: int | None = None) -> int:
    """Cancel: withdraw what is unsent, tell those told. Returns how many deliveries that makes."""
    with changing(rt, reference, version) as (session, outage, now):
        user_lookup.require(session, by, Role.PLANNER)
        return cancel_in(session, rt, by, outage, reason, now)


def cancel_in(session: Session, rt: Runtime, by: str, outage: Outage, reason: str, now: datetime) -> int:
    """The same inside the transaction of something else; the outage is locked and `by` may do it."""
    if not reason.strip():
        raise InvalidInput("The reason is missing.", "Say why it is cancelled.")
    require_move(outage.reference, outage.state, OutageState.CANCELLED)
    drop_pending(session, outage, by, now)
    was_approved = outage.state is OutageState.APPROVED
    outage.state, outage.cancelled_at = OutageState.CANCELLED, now
    outage.cancel_reason = reason.strip()[:500]
    told = 0
    if was_approved:
        claims.withdraw_unsent(session, outage.id, now, "cancelled")
        acknowledge.close_at_cancel(session, outage, now)
        told = tell_news(session, rt, outage, NoticeKind.CANCELLED, now, outage.standing.end)
        send_invitations.uninvite(session, rt, outage, (), now)
    else:
        outage.standing.state = RevisionState.DROPPED
    record(session, now, by, "cancelled", outage=outage.id, deliveries=told)
    return told


def start(rt: Runtime, by: str, reference: str, version: int | None = None) -> int:
    """The work starts: who has not signed is UNREACHED. Blocked while key customers have not signed
    and no second person has decided (`start_gate.decide`)."""
    with changing(rt, reference, version) as (session, outage, now):
        user_lookup.require(session, by, Role.PLANNER)
        require_move(reference, outage.state, OutageState.ACTIVE)
        if outage.pending is not None:
            raise IllegalMove(
                f"{reference} has revision {outage.pending.number} under way.", "Approve or drop it first."
            )
        if now < outage.standing.start:
            begins = outage.standing.start.astimezone(ZoneInfo(outage.timezone))
            raise IllegalMove(
                f"{reference} was announced for {begins:%Y-%m-%d %H:%M}; it can't start before.",
                "Revise it if it has to start earlier.",
            )
        start_gate.require(session, outage, by)
        # No gate of its own: work that nobody announced is on record as such.
        unannounced = announce.unmet(announce.of_standing(session, rt, outage, now))
        outage.state, outage.started_at = OutageState.ACTIVE, now
        # Whom a revision has spared still hears of that.
        claims.withdraw_unsent(session, outage.id, now, "the work has started", keep=TAKEN_BACK)
        acknowledge.close_at_start(session, rt, outage, now)
        told = tell_news(session, rt, outage, NoticeKind.STARTED, now, outage.standing.end)
        record(
            session,
            now,
            by,
            "started",
            outage=outage.id,
            deliveries=told,
            unannounced=[one.sentence for one in unannounced],
        )
        return told


def overrun(rt: Runtime, by: str, reference: str, expected_end: datetime, version: int | None = None) -> int:
    """It takes longer: tell the new expected end. Each call is news of its own."""
    with changing(rt, reference, version) as (session, outage, now):
        user_lookup.require(session, by, Role.PLANNER)
        if outage.state is not OutageState.ACTIVE:
            raise IllegalMove(f"{reference} is {outage.state}.", "Only work that has started can overrun.")
        if expected_end <= max(now, outage.standing.end if outage.expected_end is None else now):
            raise InvalidInput(
                "The expected end must lie after now and after the announced end.",
                "Complete the outage if supply is back.",
            )
        outage.expected_end = expected_end
        facts = {"expected_end": expected_end.isoformat()}
        until = expected_end + NEWS_AFTER_END
        told = tell_news(session, rt, outage, NoticeKind.OVERRUN, now, until, facts)
        record(session, now, by, "overrun", outage=outage.id, deliveries=told, until=facts["expected_end"])
        return told


def complete(rt: Runtime, by: str, reference: str, version: int | None = None) -> int:
    """Supply is back: withdraw news that is out of date, tell RESTORED."""
    with changing(rt, reference, version) as (session, outage, now):
        user_lookup.require(session, by, Role.PLANNER)
        require_move(reference, outage.state, OutageState.COMPLETED)
        outage.state, outage.completed_at = OutageState.COMPLETED, now
        claims.withdraw_unsent(session, outage.id, now, "supply is back", keep=TAKEN_BACK)
        facts = {"restored_at": now.isoformat()}
        told = tell_news(session, rt, outage, NoticeKind.RESTORED, now, now + NEWS_AFTER_END, facts)
        record(session, now, by, "completed", outage=outage.id, deliveries=told)
        return told
