"""After the network changed: trace every open outage anew and say who would join and who would leave its audience.

Changes nothing but the history of each outage and the dispatchers' tasks: an audience is frozen with its revision,
and only a planner who revises the outage changes whom it tells. Called twice for one network, it reports once.
A task is closed when a later network, or one put back in force, changes nothing any more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from outage_notify.domain.errors import InvalidInput
from outage_notify.domain.outage import OutageState
from outage_notify.services.network_in_force import load_network
from outage_notify.services.resolve_audience import Switching, resolve_audience
from outage_notify.services.runtime import Runtime
from outage_notify.store import network_versions, outage_queries, people_queries, work_queries
from outage_notify.store.outage_tables import Outage
from outage_notify.store.work_tables import AUDIENCE_NOTE, TaskKind

_STATES = (OutageState.SUBMITTED, OutageState.APPROVED, OutageState.ACTIVE)
# Service points named in the history; the counts are of all.
_NAMED = 500
WORD = "audience_would_change"


@dataclass(frozen=True)
class Retraced:
    """One open outage whose audience differs in the network of today; counts are service points, by tier.

    `fault`: it cannot be traced any more, and why.
    """

    reference: str
    joined: Mapping[str, int]
    left: Mapping[str, int]
    otherwise: int
    fault: str = ""

    @property
    def differs(self) -> bool:
        return bool(self.joined or self.left or self.otherwise or self.fault)

    def __str__(self) -> str:
        if self.fault:
            return f"{self.reference} can't be traced in this network: {self.fault}"
        return (
            f"{self.reference}: in this network {_counted(self.joined)} service points would join its audience, "
            f"{_counted(self.left)} would leave it, {self.otherwise} would be hit otherwise."
        )

    @property
    def note(self) -> str:
        """The same for a task, in numbers that the page puts into words."""
        found = {"joined": self.joined, "left": self.left, "otherwise": self.otherwise, "fault": self.fault}
        return f"{AUDIENCE_NOTE}: {json.dumps(found, ensure_ascii=False)}"


def _counted(by_tier: Mapping[str, int]) -> str:
    listed = ", ".join(f"{count} {tier}" for tier, count in by_tier.items())
    return f"{sum(by_tier.values())} ({listed})" if listed else "0"


def retrace_open(rt: Runtime, by: str) -> list[Retraced]:
    """Compare the frozen audiences of open outages with what the network in force says."""
    # Tracing many outages takes a while, and nobody must wait for it to write.
    with rt.database.read() as session:
        outages = list(outage_queries.outages_in(session, _STATES))
        if not outages:
            return []
        version, _ = load_network(session, rt)
        traced = [
            (outage.id, *_retrace(session, rt, outage))
            for outage in outages
            if outage.standing.network_ref is not None and not _reported(session, outage.id, version)
        ]
    found = [(outage, one, detail) for outage, one, detail in traced if one.differs]
    if not traced:
        return []
    with rt.database.write() as session:
        now = rt.now(session)
        for outage, _, _ in traced:
            work_queries.close_tasks(session, TaskKind.AUDIENCE, now, by, outage=outage)
        for outage, one, detail in found:
            work_queries.record(session, now, by, WORD, outage=outage, version=version, **detail)
            # Dated: an import that is undone and made again asks again.
            dedupe = f"audience:{outage}:{version}:{now.isoformat()}"
            work_queries.open_task(session, TaskKind.AUDIENCE, dedupe, now, outage=outage, note=one.note)
    return [one for _, one, _ in found]


def _reported(session: Session, outage: int, version: int) -> bool:
    """Whether the newest report is about this version, which no other has been in force since."""
    events = (one for one in work_queries.events_of(session, outage) if one.what == WORD)
    newest = next(events, None)
    since = work_queries.newest_of(session, network_versions.PUT_IN_FORCE)
    return (
        newest is not None
        and newest.detail.get("version") == version
        and (since is None or newest.id > since.id)
    )


def _retrace(session: Session, rt: Runtime, outage: Outage) -> tuple[Retraced, dict[str, Any]]:
    """What differs, and the same for the history."""
    revision = outage.standing
    try:
        traced = resolve_audience(session, rt, Switching.from_dict(revision.switching))
    except InvalidInput as error:
        return Retraced(outage.reference, {}, {}, 0, str(error)), {"fault": str(error)}
    frozen = outage_queries.impacts(session, revision)
    today = {one.feed.service_point: one.impact for one in traced.affected}
    joined, left = sorted(today.keys() - frozen.keys()), sorted(frozen.keys() - today.keys())
    otherwise = sum(today[point] != frozen[point] for point in today.keys() & frozen.keys())
    counts = {"joined": len(joined), "left": len(left), "otherwise": otherwise}
    named = {"joined_points": joined[:_NAMED], "left_points": left[:_NAMED]}
    joining, leaving = (people_queries.points_by_tier(session, points) for points in (joined, left))
    return Retraced(outage.reference, joining, leaving, otherwise), {**counts, **named}
