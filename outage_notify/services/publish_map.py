"""What everybody may see: outages that were approved, where and when, and roughly how many are hit.

Promises: map and list are made from the same facts; a number of customers below
`FEWEST_SHOWN` is never told; no customer, tier, address or element of the network appears.
Ended outages stay for three days, so that who was told finds how it ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from outage_notify.domain.errors import NotFound
from outage_notify.domain.outage import OutageState
from outage_notify.services.runtime import Runtime
from outage_notify.store import map_queries
from outage_notify.store.outage_tables import Outage

FEWEST_SHOWN = 10
STAYS_AFTER_END = timedelta(days=3)


class Phase(StrEnum):
    """Where an outage stands, in the public's words."""

    PLANNED = "planned"
    ACTIVE = "active"
    OVERRUN = "overrun"
    RESTORED = "restored"
    CANCELLED = "cancelled"


_ORDER = {phase: rank for rank, phase in enumerate((Phase.OVERRUN, Phase.ACTIVE, Phase.PLANNED))}


@dataclass(frozen=True)
class PublicWindow:
    """One approved revision: when it was announced, and for when."""

    revision: int
    announced_at: datetime
    start: datetime
    end: datetime


@dataclass(frozen=True)
class PublicOutage:
    """One outage as everybody sees it. `customers` None: fewer than FEWEST_SHOWN."""

    reference: str
    kind: str
    phase: Phase
    revision: int
    start: datetime
    end: datetime
    timezone: str
    reason: Mapping[str, str]
    area: str
    customers: int | None
    geometry: Mapping[str, Any] | None
    expected_end: datetime | None
    ended_at: datetime | None
    changed_at: datetime
    history: tuple[PublicWindow, ...] = field(default=())

    @property
    def moved(self) -> bool:
        """Whether the window is not the one that was announced first."""
        first = self.history[0]
        return (first.start, first.end) != (self.start, self.end)


@dataclass(frozen=True)
class PublicList:
    """Everything public at one moment: going on first, then by start, what ended last."""

    as_of: datetime
    outages: tuple[PublicOutage, ...]

    @property
    def customers_without_supply(self) -> int:
        """Customers of what is going on now, small numbers left out."""
        going_on = {Phase.ACTIVE, Phase.OVERRUN}
        return sum(one.customers or 0 for one in self.outages if one.phase in going_on)


def public_list(rt: Runtime) -> PublicList:
    """All outages that the public sees now."""
    with rt.database.read() as session:
        now = rt.now(session)
        rows = map_queries.public_outages(session, now - STAYS_AFTER_END)
        counts = map_queries.customers_out(session, [row.standing.id for row in rows])
        found = [_public(row, counts.get(row.standing.id, 0), now) for row in rows]
    return PublicList(now, tuple(sorted(found, key=lambda one: (_ORDER.get(one.phase, 9), one.start))))


def public_outage(rt: Runtime, reference: str) -> tuple[datetime, PublicOutage]:
    """(as of, the outage), however long ago it ended. NotFound if it is not public."""
    with rt.database.read() as session:
        return rt.now(session), _one(session, rt, reference)


def public_geojson(rt: Runtime, reference: str = "") -> dict[str, Any]:
    """The same as a GeoJSON FeatureCollection (RFC 7946). Where the network has no coordinates
    the geometry is null and the outage still listed."""
    if reference:
        as_of, one = public_outage(rt, reference)
        listed = PublicList(as_of, (one,))
    else:
        listed = public_list(rt)
    return {
        "type": "FeatureCollection",
        "as_of": listed.as_of.isoformat(timespec="seconds"),
        "features": [_feature(one) for one in listed.outages],
    }


def _one(session: Session, rt: Runtime, reference: str) -> PublicOutage:
    row = map_queries.public_outage(session, reference)
    if row is None:
        raise NotFound(f"There is no public outage {reference}.", "Look at the list of outages.")
    counts = map_queries.customers_out(session, [row.standing.id])
    return _public(row, counts.get(row.standing.id, 0), rt.now(session))


def _public(outage: Outage, customers: int, now: datetime) -> PublicOutage:
    standing = outage.standing
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
        customers=customers if customers >= FEWEST_SHOWN else None,
        geometry=standing.public_area,
        expected_end=outage.expected_end,
        ended_at=outage.completed_at or outage.cancelled_at,
        changed_at=outage.changed_at,
        history=tuple(
            PublicWindow(one.number, one.approved_at or one.start, one.start, one.end)
            for one in map_queries.approved_revisions(outage)
        ),
    )


def _phase(outage: Outage, now: datetime) -> Phase:
    if outage.state is OutageState.ACTIVE:
        late = outage.expected_end is not None or outage.standing.end < now
        return Phase.OVERRUN if late else Phase.ACTIVE
    ended = {OutageState.COMPLETED: Phase.RESTORED, OutageState.CANCELLED: Phase.CANCELLED}
    return ended.get(outage.state, Phase.PLANNED)


def _feature(one: PublicOutage) -> dict[str, Any]:
    ended = one.ended_at.isoformat() if one.ended_at else None
    expected = one.expected_end.isoformat() if one.expected_end else None
    return {
        "type": "Feature",
        "id": one.reference,
        "geometry": one.geometry,
        "properties": {
            "reference": one.reference,
            "kind": one.kind,
            "phase": one.phase.value,
            "revision": one.revision,
            "start": one.start.isoformat(),
            "end": one.end.isoformat(),
            "expected_end": expected,
            "ended_at": ended,
            "timezone": one.timezone,
            "area": one.area,
            "reason": dict(one.reason),
            "customers": one.customers,
            "customers_below": FEWEST_SHOWN if one.customers is None else None,
            "changed_at": one.changed_at.isoformat(),
        },
    }
