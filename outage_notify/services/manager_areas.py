"""Areas: a grid manager is given all that is supplied by way of one element, whatever the customers' file says.

Promises: of several areas around a service point the smallest counts; an area holds
through later imports of customers and networks, and when it ends its service points are whose the file names. `settle`
reckons everything anew, so that calling it twice or after a crash changes nothing more. Leaves to
`grid_managers` who the managers are.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from geo.model import GeoError
from geo.resolve import trace_work
from outage_notify.domain.errors import Conflict, InvalidInput, NotFound
from outage_notify.services.given_reason import given_reason
from outage_notify.services.network_in_force import LoadedNetwork, load_network
from outage_notify.services.runtime import Runtime
from outage_notify.store import manager_queries, user_lookup
from outage_notify.store.manager_tables import ManagerArea
from outage_notify.store.user_tables import Role
from outage_notify.store.work_queries import record


@dataclass(frozen=True)
class Area:
    """One area that stands, with the present service points that it decides."""

    id: int
    element: str
    manager: int
    reason: str
    made_by: str
    service_points: int


def listing(rt: Runtime, manager: int | None = None) -> list[Area]:
    """Areas of one manager or of all."""
    with rt.database.read() as session:
        counts = manager_queries.points_by_area(session)
        return [
            Area(one.id, one.element, one.manager_ref, one.reason, one.made_by, counts.get(one.id, 0))
            for one in manager_queries.areas(session, manager)
        ]


def feeders(rt: Runtime, most: int = 500) -> list[str]:
    """Names of feeders that an area can be given by; none where no network is in force."""
    with rt.database.read() as session:
        try:
            _, loaded = load_network(session, rt)
        except NotFound:
            return []
    return [f"feeder:{name}" for name in list(loaded.grid.feeders)[:most]]


def add(rt: Runtime, by: str, manager: int, element: str, reason: str) -> int:
    """Give a manager what is supplied by way of `element`; returns how many service points changed hands.

    Whoever had this area before loses it. InvalidInput for an element that isn't in the network or supplies
    nothing alone, Conflict where it is an area of hers.
    """
    why, name = given_reason(reason), element.strip()
    with rt.database.write() as session:
        now = rt.now(session)
        user_lookup.require(session, by, Role.ADMIN)
        found = manager_queries.by_id(session, manager)
        if found is None or found.ended_at is not None:
            raise NotFound("There is no such grid manager.", "Look at the list again.")
        if any(one.element == name for one in manager_queries.areas(session, manager)):
            raise Conflict(f"{name[:100]} is an area of this manager already.", "Nothing has to be done.")
        _, loaded = load_network(session, rt)
        if not loads_of(loaded, name):
            raise InvalidInput(
                f"Nothing loses supply when {name[:100]} alone is out.",
                "Take a feeder or a transformer, or a load such as load:7.",
            )
        for other in manager_queries.areas(session):
            if other.element == name:
                # It passes from one hand to another.
                other.ended_at, other.ended_by = now, by
        area = ManagerArea(element=name, manager_ref=manager, reason=why, made_at=now, made_by=by)
        session.add(area)
        session.flush()
        moved = settle(session, rt)
        record(session, now, by, "area_given", area=area.id, manager=manager, element=name, reason=why)
        return moved


def end(rt: Runtime, by: str, number: int, reason: str) -> int:
    """Take an area back; its service points are whose the file, or a larger area, says. The second call is NotFound."""
    why = given_reason(reason)
    with rt.database.write() as session:
        now = rt.now(session)
        user_lookup.require(session, by, Role.ADMIN)
        area = manager_queries.area(session, number)
        if area is None or area.ended_at is not None:
            raise NotFound("This area does not stand any more.", "Look at the list again.")
        area.ended_at, area.ended_by = now, by
        session.flush()
        moved = settle(session, rt)
        record(session, now, by, "area_ended", area=area.id, manager=area.manager_ref, reason=why)
        return moved


def settle(session: Session, rt: Runtime) -> int:
    """Make the service points say what the areas say in the network in force; returns how many changed hands."""
    wanted = managed(session, rt)
    moved = manager_queries.leave_areas(session, manager_queries.elements_in_areas(session) - wanted.keys())
    by_area: dict[tuple[int, int], list[str]] = {}
    for load, of in wanted.items():
        by_area.setdefault(of, []).append(load)
    return moved + sum(
        manager_queries.enter_area(session, area, manager, loads)
        for (area, manager), loads in by_area.items()
    )


def managed(session: Session, rt: Runtime) -> dict[str, tuple[int, int]]:
    """Load to the (area, manager) that decides it; empty, and nothing is loaded, where there are no areas."""
    standing = manager_queries.areas(session)
    if not standing:
        return {}
    try:
        _, loaded = load_network(session, rt)
    except NotFound:
        return {}
    found: list[tuple[int, int, ManagerArea, list[str]]] = []
    for area in standing:
        try:
            loads = loads_of(loaded, area.element)
        except InvalidInput:
            # The element is not in this network; the area waits for one that has it.
            continue
        found.append((-len(loads), area.id, area, loads))
    decided: dict[str, tuple[int, int]] = {}
    for _, _, area, loads in sorted(found, key=lambda one: one[:2]):
        decided.update(dict.fromkeys(loads, (area.id, area.manager_ref)))
    return decided


def loads_of(loaded: LoadedNetwork, element: str) -> list[str]:
    """The loads that lose supply when an element alone is out. InvalidInput for one that there isn't."""
    try:
        traced = trace_work(loaded.grid, out=(element,))
    except GeoError as error:
        raise InvalidInput(error.message, error.remedy) from error
    return [str(one) for one in traced.resolution.dark]
