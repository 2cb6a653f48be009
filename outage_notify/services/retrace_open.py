"""After the network changed: trace every open outage anew and say who would join and who would leave its audience.

Changes nothing but the history of each outage: an audience is frozen with its revision, and only a planner
who revises the outage changes whom it tells. Called twice for one network, it reports once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from outage_notify.domain.errors import InvalidInput
from outage_notify.domain.outage import OutageState
from outage_notify.services.network_in_force import load_network
from outage_notify.services.resolve_audience import Switching, resolve_audience
from outage_notify.services.runtime import Runtime
from outage_notify.store import outage_queries, work_queries
from outage_notify.store.outage_tables import Outage

_STATES = (OutageState.SUBMITTED, OutageState.APPROVED, OutageState.ACTIVE)
# Service points named in the history; the counts are of all.
_NAMED = 500
WORD = "audience_would_change"


@dataclass(frozen=True)
class Retraced:
    """One open outage whose audience differs in the network of today; counts are service points.

    `fault`: it cannot be traced any more, and why.
    """

    reference: str
    joined: int
    left: int
    otherwise: int
    fault: str = ""

    @property
    def differs(self) -> bool:
        return bool(self.joined or self.left or self.otherwise or self.fault)

    def __str__(self) -> str:
        if self.fault:
            return f"{self.reference} can't be traced in this network: {self.fault}"
        return (
            f"{self.reference}: in this network {self.joined} service points would join its audience, "
            f"{self.left} would leave it, {self.otherwise} would be hit otherwise."
        )


def retrace_open(rt: Runtime, by: str) -> list[Retraced]:
    """Compare the frozen audiences of open outages with what the network in force says."""
    # Tracing many outages takes a while, and nobody must wait for it to write.
    with rt.database.read() as session:
        version, _ = load_network(session, rt)
        traced = [
            (outage.id, *_retrace(session, rt, outage))
            for outage in outage_queries.outages_in(session, _STATES)
            if outage.standing.network_ref not in (None, version)
            and not _reported(session, outage.id, version)
        ]
    found = [(outage, one, detail) for outage, one, detail in traced if one.differs]
    if found:
        with rt.database.write() as session:
            now = rt.now(session)
            for outage, _, detail in found:
                work_queries.record(session, now, by, WORD, outage=outage, version=version, **detail)
    return [one for _, one, _ in found]


def _reported(session: Session, outage: int, version: int) -> bool:
    events = work_queries.events_of(session, outage)
    return any(event.what == WORD and event.detail.get("version") == version for event in events)


def _retrace(session: Session, rt: Runtime, outage: Outage) -> tuple[Retraced, dict[str, Any]]:
    """What differs, and the same for the history."""
    revision = outage.standing
    try:
        traced = resolve_audience(session, rt, Switching.from_dict(revision.switching))
    except InvalidInput as error:
        return Retraced(outage.reference, 0, 0, 0, str(error)), {"fault": str(error)}
    frozen = outage_queries.impacts(session, revision)
    today = {one.feed.service_point: one.impact for one in traced.affected}
    joined, left = sorted(today.keys() - frozen.keys()), sorted(frozen.keys() - today.keys())
    otherwise = [point for point in today.keys() & frozen.keys() if today[point] != frozen[point]]
    counts = {"joined": len(joined), "left": len(left), "otherwise": len(otherwise)}
    named = {"joined_points": joined[:_NAMED], "left_points": left[:_NAMED]}
    return Retraced(outage.reference, len(joined), len(left), len(otherwise)), {**counts, **named}
