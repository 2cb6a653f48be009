"""From switching to people: trace the network in force, find who hangs on what was lost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy.orm import Session

from geo.model import GeoError
from geo.resolve import Resolution, Traced, trace_work
from outage_notify.domain.audience import Affected, Impact, assess, count_by_tier
from outage_notify.domain.errors import InvalidInput
from outage_notify.services.collector_pause import collector_paused
from outage_notify.services.crowd import Crowd, Tallied
from outage_notify.services.network_in_force import LoadedNetwork, load_network
from outage_notify.services.people_in_force import Hit, people_in_force
from outage_notify.services.public_cells import area_index
from outage_notify.services.runtime import Runtime
from outage_notify.store import feed_lookup, outage_queries
from outage_notify.store.outage_tables import OutageRevision


@dataclass(frozen=True)
class Switching:
    """What a planner asks for."""

    work: tuple[str, ...] = ()
    out: tuple[str, ...] = ()
    close: tuple[str, ...] = ()
    close_ties: bool = False

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Switching:
        return cls(
            tuple(data.get("work", ())),
            tuple(data.get("out", ())),
            tuple(data.get("close", ())),
            bool(data.get("close_ties", False)),
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "work": list(self.work),
            "out": list(self.out),
            "close": list(self.close),
            "close_ties": self.close_ties,
        }


@dataclass(frozen=True)
class Resolved:
    """The answer of the network and what it means for customers."""

    version: int
    resolution: Resolution
    affected: tuple[Affected, ...]

    @property
    def by_tier(self) -> dict[str, dict[str, int]]:
        return count_by_tier(self.affected)


@dataclass(frozen=True)
class Frozen:
    """The same of a revision, with the affected in its audience and here only counted."""

    version: int
    resolution: Resolution
    crowd: Crowd


@dataclass(frozen=True)
class Foreseen:
    """What a switching would mean: counted at once, named when somebody asks."""

    version: int
    traced: Traced
    hit: Hit

    @property
    def resolution(self) -> Resolution:
        return self.traced.resolution

    @property
    def by_tier(self) -> dict[str, dict[str, int]]:
        return self.hit.by_tier

    @cached_property
    def affected(self) -> tuple[Affected, ...]:
        return tuple(self.hit.affected(self.traced.grid))


def resolve_audience(session: Session, rt: Runtime, switching: Switching) -> Resolved:
    """Trace and find the affected, row by row. InvalidInput says what is wrong with the switching.

    For what is compared; whoever only looks asks `foresee`.
    """
    version, loaded = load_network(session, rt)
    resolution = _traced(loaded, switching).resolution
    lost, momentary = frozenset(resolution.dark), frozenset(resolution.momentary)
    with collector_paused():
        feeds = feed_lookup.feeds_of_sites_on(session, lost | momentary)
        return Resolved(version, resolution, tuple(assess(feeds, lost, momentary)))


def foresee(session: Session, rt: Runtime, switching: Switching) -> Foreseen:
    """Trace and count the affected as they are now, without an object for each. Raises as `resolve_audience`."""
    version, loaded = load_network(session, rt)
    traced = _traced(loaded, switching)
    people = people_in_force(session, loaded)
    return Foreseen(version, traced, people.hit(traced.dark, traced.outcome.momentary))


def _traced(loaded: LoadedNetwork, switching: Switching) -> Traced:
    if not switching.work and not switching.out:
        raise InvalidInput("Nothing is worked on or taken out.", "Name an element, such as line:12.")
    try:
        return trace_work(
            loaded.grid,
            work=switching.work,
            out=switching.out,
            close=switching.close,
            close_ties=switching.close_ties,
        )
    except GeoError as error:
        raise InvalidInput(error.message, error.remedy) from error


def page_of(
    session: Session, rt: Runtime, switching: Switching, offset: int, limit: int, loads: bool
) -> dict[str, Any]:
    """What a switching would mean, JSON-able: isolation, counts, and one page of the service points, highest tier
    first. `loads` adds the name of every load."""
    found = foresee(session, rt, switching)
    traced, hit = found.traced, found.hit
    shown = hit.affected(traced.grid, hit.gravest_first(offset, limit))
    names = feed_lookup.service_point_names(session, [one.feed.service_point for one in shown])
    outcome, grid = traced.outcome, traced.grid
    kinds = {"lost": outcome.lost, "partial": outcome.partial, "momentary": outcome.momentary}
    return {
        "isolation": {
            "opened": list(grid.switch_names(traced.request.opened)),
            "closed": list(traced.request.closed_names(grid)),
        },
        "loads": {kind: len(numbers) for kind, numbers in kinds.items()},
        "by_tier": found.by_tier,
        "service_points": [
            {
                "service_point": names[one.feed.service_point],
                "load": one.feed.element,
                "tier": one.feed.tier.value,
                "impact": one.impact.value,
            }
            for one in shown
        ],
        "total": len(hit),
    } | ({kind: list(grid.load_names(numbers)) for kind, numbers in kinds.items()} if loads else {})


def freeze(session: Session, rt: Runtime, revision: OutageRevision) -> Frozen:
    """Trace anew and write isolation, audience and public area into a revision, piece by piece, so that a hundred
    thousand affected take no more memory than a few. Twice is once."""
    version, loaded = load_network(session, rt)
    traced = _traced(loaded, Switching.from_dict(revision.switching))
    resolution = traced.resolution
    revision.network_ref = version
    revision.isolation = {
        "opened": list(resolution.opened),
        "closed": list(resolution.closed),
        "zone": list(resolution.zone),
    }
    revision.lost = list(resolution.dark)
    areas = area_index(session, rt)
    revision.public_area = areas.area_of_loads(traced.dark) if areas is not None else None
    lost, momentary = frozenset(resolution.dark), frozenset(resolution.momentary)
    crowd = Tallied()
    outage_queries.clear_audience(session, revision)
    with collector_paused():
        for feeds in feed_lookup.feeds_by_site(session, lost | momentary):
            affected = assess(feeds, lost, momentary)
            crowd.add(affected)
            outage_queries.add_audience(session, revision, affected)
    return Frozen(version, resolution, crowd)


def as_json(session: Session, found: Resolved) -> dict[str, Any]:
    """The answer of `resolve --json`."""
    reduced = [one.feed.service_point for one in found.affected if one.impact is Impact.REDUCED_REDUNDANCY]
    names = feed_lookup.service_point_names(session, reduced)
    resolution = found.resolution
    return {
        "isolation": {"opened": list(resolution.opened), "closed": list(resolution.closed)},
        "lost": list(resolution.lost),
        "partial": list(resolution.partial),
        "reduced": [names[one] for one in reduced],
        "momentary": list(resolution.momentary),
        "by_tier": found.by_tier,
        "elapsed_ms": round(resolution.elapsed_ms, 3),
    }
