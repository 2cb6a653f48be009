"""The question asked each minute: is everybody told who should be, and nobody twice?

For each approved outage, each affected person and each notice that is due, steps of the utility's own among them:
exactly one delivery that is alive or told on each required rung of the ladder (writing by post), and one on the
rung that was climbed to, or a task by which a person takes care of it. That no address gets a notice twice is the
unique key of the outbox; that no second address of a person does is counted here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from outage_notify.domain.delivery import LIVE, DeliveryState
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageState
from outage_notify.domain.own_steps import MOST_STEPS
from outage_notify.services.notice_spacing import Due, day_ahead_redundant, due_times, steps_told
from outage_notify.services.runtime import Runtime
from outage_notify.services.schedule_notices import FIRST, PLANNED_KINDS
from outage_notify.services.whom_to_tell import Person, people
from outage_notify.store import audit_queries, outage_queries
from outage_notify.store.audit_queries import Row
from outage_notify.store.outage_tables import Outage

# A change goes every way that had reached the person; these go by the ladder.
_BY_LADDER = frozenset({NoticeKind.SEVEN_DAY, NoticeKind.AGAIN, NoticeKind.DAY_AHEAD})


def audit(session: Session, rt: Runtime, now: datetime) -> dict[str, Any]:
    """{"outages": n, "people": n, "untold": [...], "twice": [...], "overdue": n, "in_doubt": n}.

    `untold` and `twice` hold {"outage", "customer", "notice"}; what a provider was found to have taken twice
    holds {"outage", "delivery"}. Both are empty when all is well.
    """
    untold: list[dict[str, str]] = []
    twice: list[dict[str, str]] = audit_queries.found_twice(session)
    everybody = 0
    outages = outage_queries.outages_in(session, [OutageState.APPROVED])
    for outage in outages:
        counted, forgotten, doubled = _of_outage(session, rt, outage, now)
        everybody += counted
        untold += forgotten
        twice += doubled
    patience = timedelta(seconds=10 * rt.settings.tick_seconds)
    return {
        "outages": len(outages),
        "people": everybody,
        "untold": untold,
        "twice": twice,
        "overdue": audit_queries.overdue(session, now - patience),
        "in_doubt": audit_queries.in_doubt(session),
    }


def _of_outage(
    session: Session, rt: Runtime, outage: Outage, now: datetime
) -> tuple[int, list[dict[str, str]], list[dict[str, str]]]:
    """(people, who was forgotten, who has a notice twice)."""
    if outage.pending is not None:
        # Its unsent deliveries pause until the revision is decided; the outage page says so.
        return 0, [], []
    affected = people(session, rt, outage, outage.revision, bare=True)
    rows = audit_queries.rows_by_customer(session, outage.id, outage.revision)
    cared_for = audit_queries.customers_with_tasks(session, outage.id)
    in_doubt = audit_queries.customers_in_doubt(session, outage.id)
    approved_at = outage.standing.approved_at or now
    due = due_times(rt, approved_at, ZoneInfo(outage.timezone))
    untold, twice = [], []
    for ref, person in affected.items():
        mine = {kind: rows.get((ref, kind), []) for kind in PLANNED_KINDS}
        for one in _asked(rt, person, due, approved_at, mine):
            said = {
                "outage": outage.reference,
                "customer": person.customer.customer_id,
                "notice": one.name,
            }
            if one.twice:
                twice.append(said)
            if not one.stands and ref not in cared_for and ref not in in_doubt:
                untold.append(said)
    return len(affected), untold, twice


@dataclass(frozen=True)
class _Asked:
    """What was found of one notice to one person."""

    name: str
    stands: bool
    twice: bool


def _asked(
    rt: Runtime, person: Person, due: Due, approved_at: datetime, mine: Mapping[NoticeKind, Sequence[Row]]
) -> Iterator[_Asked]:
    """Each notice that a person is to be told by, or was planned to be, with what the outbox holds of it."""
    first = NoticeKind.SEVEN_DAY in person.duties
    second = NoticeKind.DAY_AHEAD in person.duties
    # Where no rule asks for either, the first notice is sent all the same. After a change of a
    # window with a lead of hours alone, CHANGED may do for the day-ahead notice.
    alone = second and not first
    day_ahead = (NoticeKind.DAY_AHEAD, NoticeKind.CHANGED) if alone else (NoticeKind.DAY_AHEAD,)
    wanted = second and not day_ahead_redundant(rt, person, due)
    yield _found(person, "first", {kind: mine[kind] for kind in FIRST}, first or not second)
    yield _found(person, "day_ahead", {kind: mine[kind] for kind in day_ahead}, wanted)
    again = mine[NoticeKind.AGAIN]
    told = _steps(rt, person, due, approved_at, bool(mine[NoticeKind.CHANGED]))
    # Serials beyond the steps are those of notices that were sent again by hand.
    planned = {one.serial for one in again if one.serial <= MOST_STEPS}
    for number in sorted(told | planned):
        rows = [one for one in again if one.serial == number]
        yield _found(person, f"own_step_{number}", {NoticeKind.AGAIN: rows}, number in told)


def _steps(rt: Runtime, person: Person, due: Due, approved_at: datetime, changed: bool) -> set[int]:
    """The numbers of the own steps that approval must have planned. Who was told of a change may have been in doubt
    then and taken for somebody who was never told: only what both would get is asked for."""
    if not person.steps:
        return set()
    found = {one.step.number for one in steps_told(rt, person, due, approved_at)}
    if changed:
        found &= {one.step.number for one in steps_told(rt, person, due, approved_at, changed=True)}
    return found


def _found(person: Person, name: str, rows: Mapping[NoticeKind, Sequence[Row]], wanted: bool) -> _Asked:
    stands = any(_stands(person, kind, one) for kind, one in rows.items())
    there = any(rows.values())
    twice = any(_twice(one, own=kind is NoticeKind.AGAIN) for kind, one in rows.items() if kind in _BY_LADDER)
    return _Asked(name, stands or not (there or wanted), twice)


def _stands(person: Person, kind: NoticeKind, rows: Sequence[Row]) -> bool:
    """Whether one notice stands as it should. A change goes the way that had reached the person, and no
    other; every other one goes by each required rung as well."""
    alive = any(one.state in LIVE for one in rows)
    # What was posted in vain was tried, and is nothing that the outbox has forgotten.
    tried = {one.channel for one in rows if one.state is not DeliveryState.WITHDRAWN}
    return alive and (kind is NoticeKind.CHANGED or person.ladder.required <= tried)


def _twice(rows: Sequence[Row], own: bool) -> bool:
    """Whether a rung holds two of one channel. A rung asks one address of a channel at a time, and the next one when
    that has failed, so that two that never failed are one too many. What was sent again by hand is none of it."""
    count = Counter(
        one.channel for one in rows if (own or one.serial == 1) and one.state in LIVE and not one.ended
    )
    return any(number > 1 for number in count.values())
