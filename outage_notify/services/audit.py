"""The question asked each minute: is everybody told who should be, and nobody twice?

For each approved outage, each affected person and each notice that is due: at least one
delivery that is alive or told, or a task by which a person takes care of it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from outage_notify.domain.delivery import LIVE
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageState
from outage_notify.services.runtime import Runtime
from outage_notify.services.schedule_notices import FIRST, day_ahead_redundant
from outage_notify.services.whom_to_tell import Person, people
from outage_notify.store import audit_queries, outage_queries
from outage_notify.store.outage_tables import Outage


def audit(session: Session, rt: Runtime, now: datetime) -> dict[str, Any]:
    """{"outages": n, "people": n, "untold": [...], "twice": [...], "overdue": n, "in_doubt": n}.

    `untold` and `twice` hold {"outage", "customer", "notice"}; they are empty when all is well.
    """
    untold: list[dict[str, str]] = []
    everybody = 0
    outages = outage_queries.outages_in(session, [OutageState.APPROVED])
    for outage in outages:
        counted, missed = _of_outage(session, rt, outage, now)
        everybody += counted
        untold += missed
    patience = timedelta(seconds=10 * rt.settings.tick_seconds)
    return {
        "outages": len(outages),
        "people": everybody,
        "untold": untold,
        "twice": audit_queries.found_twice(session),
        "overdue": audit_queries.overdue(session, now - patience),
        "in_doubt": audit_queries.in_doubt(session),
    }


def _of_outage(
    session: Session, rt: Runtime, outage: Outage, now: datetime
) -> tuple[int, list[dict[str, str]]]:
    if outage.pending is not None:
        # Its unsent deliveries pause until the revision is decided; the outage page says so.
        return 0, []
    affected = people(session, rt, outage, outage.revision, bare=True)
    states = audit_queries.states_by_customer(session, outage.id, outage.revision)
    cared_for = audit_queries.customers_with_tasks(session, outage.id)
    in_doubt = audit_queries.customers_in_doubt(session, outage.id)
    approved_at = outage.standing.approved_at or now
    missed = []
    for ref, person in affected.items():
        if ref in cared_for or ref in in_doubt:
            continue
        for kinds, name, wanted in _wanted(rt, outage, person, approved_at):
            found = [state for kind in kinds for state in states.get((ref, kind), ())]
            if (found or wanted) and not any(state in LIVE for state in found):
                missed.append(
                    {"outage": outage.reference, "customer": person.customer.customer_id, "notice": name}
                )
    return len(affected), missed


def _wanted(
    rt: Runtime, outage: Outage, person: Person, approved_at: datetime
) -> list[tuple[tuple[NoticeKind, ...], str, bool]]:
    """(kinds, name, whether it must be there) of the notices that a person is told by."""
    first = NoticeKind.SEVEN_DAY in person.duties
    second = NoticeKind.DAY_AHEAD in person.duties
    # Where no rule asks for either, the first notice is sent all the same. After a change of a
    # window with a lead of hours alone, CHANGED may do for the day-ahead notice.
    alone = second and not first
    day_ahead = (NoticeKind.DAY_AHEAD, NoticeKind.CHANGED) if alone else (NoticeKind.DAY_AHEAD,)
    due = second and not day_ahead_redundant(rt, person, ZoneInfo(outage.timezone), approved_at)
    return [(FIRST, "first", first or not second), (day_ahead, "day_ahead", due)]
