"""While a key customer is silent: remind, call, try the backup contact, send somebody there.

The steps and their times are policy data (`domain.ladder.Escalation`); they count from the request, or
from when the customer's first announcement is due if that is later, since nobody can answer before being
told. Promises: each step of each request is taken once, however often and by however many this is
called; an answer stops it. Leaves to others: sending (`schedule_notices`), and what happens
at the start to those still silent (`acknowledge.close_at_start`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from outage_notify.domain import ladder
from outage_notify.domain.acknowledgement import OPEN
from outage_notify.domain.outage import OutageState
from outage_notify.services.runtime import Runtime
from outage_notify.services.schedule_notices import remind
from outage_notify.services.whom_to_tell import contacts_of
from outage_notify.store import acknowledgement_queries as acks
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.outage_tables import Outage
from outage_notify.store.work_queries import SYSTEM, open_task, record
from outage_notify.store.work_tables import TaskKind


def escalate_due(rt: Runtime) -> int:
    """Take every step that is due now; how many were taken. See `escalate_at`."""
    with rt.database.read() as session:
        now = rt.now(session)
    return escalate_at(rt, now)


def escalate_at(rt: Runtime, now: datetime) -> int:
    """Take every step that is due at `now`, each in a transaction of its own.

    Called twice, or by two at once, a step is taken once: the count of steps is compared and raised in
    one UPDATE. Killed midway, what was not yet committed is taken by the next call. One request that
    fails does not hold up the others: its error is raised when they are done.
    """
    taken, last, errors = 0, 0, []
    while True:
        with rt.database.read() as session:
            due = acks.due_for_a_step(session, now, after=last)
        if not due:
            break
        for ack in due:
            last = ack
            try:
                with rt.database.write() as session:
                    taken += escalate_one(session, rt, ack, now)
            except Exception as error:
                error.add_note(f"while escalating acknowledgement {ack}")
                errors.append(error)
    if errors:
        raise ExceptionGroup("Some escalations failed; they will be tried again.", errors)
    return taken


def escalate_one(session: Session, rt: Runtime, ack_id: int, now: datetime) -> bool:
    """Take the next step of one request if it is due; says whether it was taken."""
    ack = acks.fresh(session, ack_id)
    if ack is None or ack.state not in OPEN:
        return False
    outage = acks.fresh_outage(session, ack.outage_ref)
    # While a revision awaits approval the deliveries of the standing one pause, and so does this.
    if outage.state is not OutageState.APPROVED or outage.revision != ack.revision or outage.pending:
        return False
    steps = rt.policy.escalation.steps
    if ack.step >= len(steps):
        acks.put_off(session, ack.id, ack.step, None)
        return False
    due = _due(session, rt, outage, ack, ack.step)
    if due > now:
        acks.put_off(session, ack.id, ack.step, due)
        return False
    following = ack.step + 1
    next_at = _due(session, rt, outage, ack, following) if following < len(steps) else None
    if not acks.take_step(session, ack.id, ack.step, next_at):
        return False
    _act(session, rt, outage, ack, steps[ack.step], now)
    return True


def _due(session: Session, rt: Runtime, outage: Outage, ack: Acknowledgement, step: int) -> datetime:
    told = acks.first_told_due(session, outage.id, ack.revision, ack.customer_ref)
    since = max(ack.requested_at, told) if told else ack.requested_at
    return rt.policy.step_due(since, outage.standing.start, step, ZoneInfo(outage.timezone))


def _act(
    session: Session, rt: Runtime, outage: Outage, ack: Acknowledgement, step: ladder.Step, now: datetime
) -> None:
    """What a step does. Without a contact for it that is written down, and the next step comes anyway."""
    if step.rung is None:
        sent = int(_send_somebody(session, rt, outage, ack, now))
    else:
        targets = ladder.targets(step.rung, contacts_of(ack.customer))
        sent = remind(session, rt, outage, ack.customer, targets, ack.step, now) if targets else 0
    record(
        session,
        now,
        SYSTEM,
        "ack_escalated",
        outage=outage.id,
        customer=ack.customer_ref,
        action=step.action.value,
        step=ack.step + 1,
        revision=ack.revision,
        sent=sent,
    )


def _send_somebody(
    session: Session, rt: Runtime, outage: Outage, ack: Acknowledgement, now: datetime
) -> bool:
    """The visit task, once per customer and revision, whoever found first that somebody has to go."""
    start = outage.standing.start
    return open_task(
        session,
        TaskKind.VISIT,
        f"{TaskKind.VISIT.value}:{outage.id}:{ack.revision}:{ack.customer_ref}",
        now,
        outage=outage.id,
        customer=ack.customer_ref,
        grid_manager=acks.grid_manager_of(session, outage.standing.id, ack.customer_ref),
        due_at=visit_due(now, start, rt.policy.escalation.reserve),
        note="has not answered; have the notice signed or the refusal witnessed",
    )


def visit_due(now: datetime, start: datetime, reserve: timedelta) -> datetime:
    """By when somebody should have been there: `reserve` before the start, or half-way to it when
    less than that is left; never after the start unless it is past."""
    by = start - reserve
    return by if by > now else now + max(start - now, timedelta(0)) / 2
