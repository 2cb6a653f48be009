"""Watching one outage being told: how far each tier is by channel, what was told when, what is due next.

Also what approving a revision would do, before it is done. Reads only; each function works inside
the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from outage_notify.domain.acknowledgement import OPEN
from outage_notify.domain.announcement import AnnouncementDuty, DutyState
from outage_notify.domain.delivery import TOLD
from outage_notify.domain.outage import OutageState
from outage_notify.services.runtime import Runtime
from outage_notify.services.tell_news import by_customer
from outage_notify.services.whom_to_tell import people_in_chunks
from outage_notify.store import delivery_queries
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.outage_tables import Outage
from outage_notify.store.watch_queries import Telling

AHEAD = frozenset({OutageState.APPROVED, OutageState.ACTIVE})


@dataclass(frozen=True)
class Due:
    """Something that comes next. `what`: start, end, notice, step, announcement; `word` names which one.
    `red`: a person must act, or should have."""

    at: datetime
    what: str
    word: str = ""
    count: int = 0
    red: bool = False


@dataclass(frozen=True)
class Effects:
    """What approving the pending revision sets in motion, counted in customers."""

    changed: int  # told of the standing revision, told of the change
    first: int  # not told yet, get a first notice
    spared: int  # told, and no longer affected: told that it is off for them
    doubtful: int  # left out until it is known whether they were told
    stale: int  # signatures and requests that are superseded


def due_next(
    outage: Outage,
    tellings: Sequence[Telling],
    acks: Sequence[Acknowledgement],
    steps: Sequence[str],
    announcements: Sequence[AnnouncementDuty],
    now: datetime,
) -> list[Due]:
    """What is due next, the soonest first; nothing of an outage that is over."""
    if outage.state not in AHEAD:
        return []
    found = [
        Due(one.next_due, "notice", one.kind.value, one.left, red=one.deadline < now)
        for one in tellings
        if one.next_due is not None and one.left
    ]
    open_acks = [one for one in acks if one.state in OPEN and one.next_step_at is not None]
    by_step: dict[str, list[datetime]] = {}
    for one in open_acks:
        if one.next_step_at is not None and one.step < len(steps):
            by_step.setdefault(steps[one.step], []).append(one.next_step_at)
    found += [Due(min(times), "step", step, len(times)) for step, times in by_step.items()]
    found += [
        Due(one.deadline, "announcement", one.word, red=one.state is DutyState.LATE)
        for one in announcements
        if one.state is not DutyState.MET
    ]
    standing = outage.standing
    if outage.state is OutageState.APPROVED:
        found.append(Due(standing.start, "start", red=standing.start <= now))
    else:
        end = outage.expected_end or standing.end
        found.append(Due(end, "end", red=end <= now))
    return sorted(found, key=lambda one: one.at)


def effects(session: Session, rt: Runtime, outage: Outage, acks: Sequence[Acknowledgement]) -> Effects | None:
    """What approval of the pending revision would do, by the rules of `schedule_notices.announce`;
    None where no revision is pending."""
    pending = outage.pending
    if pending is None or outage.state is not OutageState.APPROVED:
        return None
    before = delivery_queries.reached_by_announcements(session, outage.id, below_revision=pending.number)
    spared = delivery_queries.retracted(session, outage.id)
    told = set(by_customer(one for one in before if one.state in TOLD and one.customer not in spared))
    doubtful = {one.customer for one in before if one.state not in TOLD}
    affected: set[int] = set()
    for chunk in people_in_chunks(session, rt, outage, pending.number, bare=True):
        affected.update(chunk)
    sure = affected - doubtful
    return Effects(
        changed=len(sure & told),
        first=len(sure - told),
        spared=len(told - affected - doubtful),
        doubtful=len(doubtful),
        stale=len(acks),
    )


def told_share(states: Mapping[str, int]) -> tuple[int, int, int]:
    """(told, all that count, failed) of messages by state; what was withdrawn does not count."""
    told = states.get("ACCEPTED", 0) + states.get("DELIVERED", 0)
    every = sum(count for state, count in states.items() if state != "WITHDRAWN")
    return told, every, states.get("FAILED", 0)
