"""Collects what everybody may see: outages that were approved, where and when, and roughly how many are hit.

Promises: every format is made from these same facts (`public_facts`); no customer, tier,
address or element of the network is read but to be counted. When a planner drafts or submits
a change nothing public moves, not even a time. Ended outages stay for three days,
so that who was told finds how it ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from outage_notify.domain.errors import NotFound
from outage_notify.domain.outage import OutageState
from outage_notify.services.public_facts import (
    ENDED,
    Office,
    Phase,
    PublicList,
    PublicOutage,
    PublicStep,
    Step,
    in_order,
    rounded,
)
from outage_notify.services.runtime import Runtime
from outage_notify.store import map_queries
from outage_notify.store.outage_tables import Outage, OutageRevision

STAYS_AFTER_END = timedelta(days=3)
# Offices that an outage's page names: those with most customers in it.
MOST_OFFICES = 3
# Overruns of one outage: when it was said, and until when.
Overruns = Sequence[tuple[datetime, datetime]]


def collect(session: Session, now: datetime) -> PublicList:
    """All outages that the public sees at `now`."""
    rows = map_queries.public_outages(session, now - STAYS_AFTER_END)
    counts = map_queries.customers_out(session, now - STAYS_AFTER_END)
    overruns = map_queries.overruns(session, now - STAYS_AFTER_END)
    offices = map_queries.offices(session, now - STAYS_AFTER_END)
    found = [_public(row, counts.get(row.standing.id, 0), overruns, now, offices) for row in rows]
    return PublicList(now, in_order(found))


def holds_until(listed: PublicList) -> datetime | None:
    """When the facts change by the passing of time alone: work runs over its end, or something old goes."""
    changes = [one.end for one in listed.outages if one.phase is Phase.ACTIVE]
    changes += [
        one.ended_at + STAYS_AFTER_END for one in listed.outages if one.phase in ENDED and one.ended_at
    ]
    return min(changes, default=None)


def public_list(rt: Runtime) -> PublicList:
    """All outages that the public sees now, straight from the database."""
    with rt.database.read() as session:
        return collect(session, rt.now(session))


def public_outage(rt: Runtime, reference: str) -> tuple[datetime, PublicOutage]:
    """(as of, the outage), however long ago it ended. NotFound if it is not public."""
    with rt.database.read() as session:
        now = rt.now(session)
        row = map_queries.public_outage(session, reference)
        if row is None:
            raise NotFound(f"There is no public outage {reference}.", "Look at the list of outages.")
        counts = map_queries.customers_out_of(session, row.standing.id)
        offices = map_queries.offices_of(session, row.standing.id)
        return now, _public(row, counts, map_queries.overruns_of(session, row.id), now, offices)


def as_public(outage: Outage, now: datetime) -> PublicOutage:
    """An outage that was approved, from its own row alone: nobody is counted, no overrun is in its history."""
    return _public(outage, 0, {}, now)


def counted(session: Session, outage: Outage, now: datetime) -> PublicOutage:
    """An outage that was approved, as everybody sees it now."""
    customers = map_queries.customers_out_of(session, outage.standing.id)
    offices = map_queries.offices_of(session, outage.standing.id)
    return _public(outage, customers, map_queries.overruns_of(session, outage.id), now, offices)


def history_of(session: Session, outage: Outage) -> tuple[PublicStep, ...]:
    """What was said of an outage, oldest first."""
    return _history(outage, map_queries.overruns_of(session, outage.id).get(outage.id, ()))


def _public(
    outage: Outage,
    customers: int,
    overruns: Mapping[int, Overruns],
    now: datetime,
    offices: Mapping[int, Sequence[tuple[str, str]]] | None = None,
) -> PublicOutage:
    standing = outage.standing
    history = _history(outage, overruns.get(outage.id, ()))
    return PublicOutage(
        reference=outage.reference,
        kind=outage.kind.value,
        phase=_phase(outage, now),
        revision=outage.revision,
        start=standing.start,
        end=standing.end,
        timezone=outage.timezone,
        reason=standing.reason,
        area=standing.area,
        line=standing.line,
        customers=rounded(customers),
        geometry=standing.public_area,
        expected_end=outage.expected_end,
        ended_at=outage.completed_at or outage.cancelled_at,
        changed_at=history[-1].at,
        history=history,
        offices=tuple(Office(*one) for one in (offices or {}).get(standing.id, ())[:MOST_OFFICES]),
    )


def _history(outage: Outage, overruns: Overruns) -> tuple[PublicStep, ...]:
    """What was said when, oldest first."""
    steps: list[PublicStep] = []
    before: OutageRevision | None = None
    for one in map_queries.approved_revisions(outage):
        if before is None:
            what = Step.ANNOUNCED
        else:
            same = (before.start, before.end) == (one.start, one.end)
            what = Step.CHANGED if same else Step.MOVED
        steps.append(PublicStep(what, one.approved_at or one.start, one.number, one.start, one.end))
        before = one
    standing = outage.standing

    def add(what: Step, at: datetime | None, expected: datetime | None = None) -> None:
        if at is not None:
            steps.append(PublicStep(what, at, outage.revision, standing.start, standing.end, expected))

    add(Step.STARTED, outage.started_at)
    for at, until in overruns:
        add(Step.OVERRUN, at, until)
    add(Step.RESTORED, outage.completed_at)
    add(Step.CANCELLED, outage.cancelled_at)
    return tuple(sorted(steps, key=lambda step: step.at))


def _phase(outage: Outage, now: datetime) -> Phase:
    if outage.state is OutageState.ACTIVE:
        late = outage.expected_end is not None or outage.standing.end <= now
        return Phase.OVERRUN if late else Phase.ACTIVE
    ended = {OutageState.COMPLETED: Phase.RESTORED, OutageState.CANCELLED: Phase.CANCELLED}
    return ended.get(outage.state, Phase.PLANNED)
