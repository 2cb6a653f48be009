"""The question asked each minute: is everybody told who should be, and nobody twice?

For each approved outage, each affected person and each notice that is due: a delivery that is
alive or told, and one on each required rung of the ladder (writing by post) beside it, or a task by which
a person takes care of it. That it is one and not two is the unique key of the outbox.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.domain.delivery import LIVE, DeliveryState
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
            found = {kind: states.get((ref, kind), []) for kind in kinds}
            stands = any(_stands(person, kind, rows) for kind, rows in found.items())
            if (any(found.values()) or wanted) and not stands:
                missed.append(
                    {"outage": outage.reference, "customer": person.customer.customer_id, "notice": name}
                )
    return len(affected), missed


def _stands(person: Person, kind: NoticeKind, rows: Sequence[tuple[Channel, DeliveryState]]) -> bool:
    """Whether one notice stands as it should. A change goes the way that had reached the person, and no
    other; a first notice goes by each required rung as well."""
    alive = any(state in LIVE for _, state in rows)
    # What was posted in vain was tried, and is nothing that the outbox has forgotten.
    tried = {channel for channel, state in rows if state is not DeliveryState.WITHDRAWN}
    return alive and (kind is NoticeKind.CHANGED or person.ladder.required <= tried)


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
