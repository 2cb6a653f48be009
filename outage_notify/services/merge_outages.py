"""一停多用: one outage for the work of several. Takes another outage's work into a plan that is not stored yet.

Promises: the other outage is cancelled in the same transaction that stores the plan, and only if nobody was told of it;
else it stands, and the planner is told what cancelling it would tell to whom. What was taken in is on record on
both sides. Leaves the window to the planner: it is that of the plan, and `check_plan` judges it anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from outage_notify.domain.errors import Conflict, InvalidInput
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageState
from outage_notify.services import plan_outage
from outage_notify.services.plan_outage import Also, PlanRequest
from outage_notify.services.resolve_audience import Switching
from outage_notify.services.run_outage import cancel_in
from outage_notify.services.runtime import Runtime
from outage_notify.services.tell_news import told_ways
from outage_notify.store import announcement_queries, outage_queries, people_lookup, user_lookup
from outage_notify.store.outage_tables import Outage
from outage_notify.store.user_tables import Role
from outage_notify.store.work_queries import record

_MERGED = frozenset({OutageState.DRAFT, OutageState.SUBMITTED, OutageState.APPROVED})


@dataclass(frozen=True)
class Taken:
    """Another outage whose work a plan takes in. `told` customers know of it, `cancelling` of them would be told
    that it is cancelled; `published`: announcements that stand somewhere."""

    reference: str
    state: OutageState
    switching: Switching
    start: datetime
    end: datetime
    reason: dict[str, str]
    area: str
    told: int
    cancelling: int
    published: int

    @property
    def quiet(self) -> bool:
        """Whether nobody was told of it: then it is cancelled as soon as the plan is stored."""
        return not self.told and not self.published


def look_at(rt: Runtime, references: Sequence[str]) -> list[Taken]:
    """What taking in these outages would mean. InvalidInput for one that is under way or over."""
    with rt.database.read() as session:
        return [_taken(session, rt, one) for one in dict.fromkeys(references)]


def joined(own: Switching, taken: Switching) -> Switching:
    """The work of both, each element once."""
    return Switching(
        tuple(dict.fromkeys((*own.work, *taken.work))),
        tuple(dict.fromkeys((*own.out, *taken.out))),
        tuple(dict.fromkeys((*own.close, *taken.close))),
        own.close_ties or taken.close_ties,
    )


def merge(
    rt: Runtime,
    by: str,
    request: PlanRequest,
    others: Sequence[str],
    reference: str = "",
    version: int | None = None,
) -> str:
    """Store a plan (a new one, or the draft `reference`) that does the work of `others` too, and cancel those of
    which nobody was told. Returns the reference. All of it happens, or nothing."""
    also = also_merge(rt, by, others)
    if not reference:
        return plan_outage.plan(rt, by, request, also)
    plan_outage.edit(rt, by, reference, request, version, also)
    return reference


def also_merge(rt: Runtime, by: str, others: Sequence[str]) -> Also:
    """What `merge` does beside storing the plan, for `plan_outage`."""

    def cancel_the_quiet(session: Session, outage: Outage, now: datetime) -> None:
        user_lookup.require(session, by, Role.PLANNER)
        for other in dict.fromkeys(others):
            if other == outage.reference:
                raise InvalidInput("An outage can't be merged with itself.", "Name another one.")
            taken = _taken(session, rt, other, lock=True)
            _require_its_work(outage, taken)
            row = outage_queries.outage_by_reference(session, other)
            if taken.quiet:
                row.changed_at = now
                # Raises the version even where the clock has not moved since the last change.
                flag_modified(row, "changed_at")
                cancel_in(session, rt, by, row, f"merged into {outage.reference}", now)
            record(session, now, by, "merged", outage=outage.id, taken=other, cancelled=taken.quiet)
            record(session, now, by, "merged", outage=row.id, into=outage.reference, cancelled=taken.quiet)

    return cancel_the_quiet


def _require_its_work(outage: Outage, taken: Taken) -> None:
    """What is no longer in the plan must not be cancelled for it."""
    kept = Switching.from_dict(outage.newest.switching)
    missing = [
        one for one in (*taken.switching.work, *taken.switching.out) if one not in (*kept.work, *kept.out)
    ]
    if missing:
        raise Conflict(
            f"The plan does not do the work of {taken.reference} on {', '.join(missing[:5])}.",
            "Put it in again, or let the other outage stand.",
        )


def _taken(session: Session, rt: Runtime, reference: str, lock: bool = False) -> Taken:
    outage = outage_queries.outage_by_reference(session, reference, lock=lock)
    if outage.state not in _MERGED:
        raise InvalidInput(
            f"{reference} is {outage.state}, its work can't be taken over.", "Plan beside it, or after it."
        )
    standing = outage.standing
    told, doubtful = told_ways(session, outage)
    customers = people_lookup.customers_by_ref(session, told)
    hear = [one for one in customers.values() if rt.policy.told_of(NoticeKind.CANCELLED, one.key)]
    return Taken(
        reference,
        outage.state,
        Switching.from_dict(standing.switching),
        standing.start,
        standing.end,
        dict(standing.reason),
        standing.area,
        len(told.keys() | doubtful),
        len(hear),
        len(announcement_queries.records(session, outage.id, void=False)),
    )
