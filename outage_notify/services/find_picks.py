"""What a planner may pick: found by a name, an address or a customer, or by an area drawn on the map.

For dispatchers alone, since the answers name customers and homes. Promises: reads only; each hit comes with what
can be put into the plan for it (the section, the transformer, the feeder that supply it now). Leaves geometry
to `geo` and the indexes to `find_places`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from geo.drawn_area import fewer_corners
from geo.model import GeoError
from geo.outcome import Outcome, trace
from geo.proof import prove
from geo.request import Request
from outage_notify.domain.errors import InvalidInput
from outage_notify.services import find_places, network_map
from outage_notify.services.names_in_force import names_in_force
from outage_notify.services.network_in_force import LoadedNetwork, load_network
from outage_notify.services.runtime import Runtime
from outage_notify.store import desk_queries, place_queries, planner_queries
from outage_notify.store.planner_queries import Supplied

SHORTEST = 2
MOST_HITS = 12
# Of so many who are called so, those above the lowest tier are shown first.
MOST_NAMED = 500
# A hand draws some dozens; more come from a pasted shape.
MOST_CORNERS = 1000


@dataclass(frozen=True)
class Pick:
    """Something that can be worked on: `role` is section, cable, transformer, switch or feeder."""

    role: str
    element: str


@dataclass(frozen=True)
class Found:
    """One hit. `where` is (longitude, latitude)."""

    title: str
    detail: str
    picks: tuple[Pick, ...]
    where: tuple[float, float] | None


@dataclass(frozen=True)
class Enclosed:
    """What lies in a drawn area, by kind. `corners` and `off_by` (metres): what was simplified, if anything."""

    sections: tuple[str, ...]
    low: tuple[str, ...]
    transformers: tuple[str, ...]
    customers: int
    corners: int
    off_by: float


def look_for(rt: Runtime, text: str) -> list[Found]:
    """Elements and customers that `text` may mean; InvalidInput for less than two letters."""
    words = " ".join(text.split())[:100]
    if len(words) < SHORTEST:
        raise InvalidInput(
            "Type at least two letters or digits.", "A name, an address, a customer or an element."
        )
    with rt.database.read() as session:
        version, loaded = load_network(session, rt)
        found = [
            Found(name, "", (Pick("feeder", f"feeder:{name}"),), None)
            for name in loaded.grid.feeders
            if words.lower() in name.lower()
        ][:MOST_HITS]
        named = [
            f"{row.kind}:{row.source_id}" for row in desk_queries.elements_like(session, words, MOST_HITS)
        ]
        for one in place_queries.placed(session, version, named):
            picks = (Pick(_role(one.name), one.name), *_feeder(one.feeder))
            found.append(
                Found(one.name, one.title, picks, one.where[len(one.where) // 2] if one.where else None)
            )
        named_so = list(islice(names_in_force(session, rt).holding(words), MOST_NAMED))
        points = planner_queries.points_of(session, words, named_so, MOST_HITS)
        found += _customers(session, version, loaded, points)
    return found


def _customers(
    session: Session, version: int, loaded: LoadedNetwork, points: Sequence[tuple[Supplied, str]]
) -> list[Found]:
    if not points:
        return []
    request = Request()
    outcome = trace(loaded.grid, request.change)
    found = []
    for point, load in points:
        ways = _ways(loaded, request, outcome, load)
        placed = {
            one.name: one
            for one in place_queries.placed(session, version, [load, *(p.element for p in ways)])
        }
        feeders = [placed[one.element].feeder for one in ways if one.element in placed]
        at = placed[load].where if load in placed else None
        picks = (*ways, *_feeder(next((one for one in feeders if one), None)))
        found.append(Found(point.name, f"{point.place} · {load}", picks, at[0] if at else None))
    return found


def _ways(loaded: LoadedNetwork, request: Request, outcome: Outcome, load: str) -> tuple[Pick, ...]:
    """What supplies a load now, the nearest first: its cable, its transformer, the section before that."""
    grid = loaded.grid
    if grid.ids.number(load) is None:
        return ()
    try:
        chain = prove(grid, request, outcome, load)[0].before
    except GeoError:
        # It hangs on something that is no load of this network; then it is found, and nothing is offered.
        return ()
    lines = [(at, one) for at, one in enumerate(chain) if one.startswith("line:")]
    trafos = [(at, one) for at, one in enumerate(chain) if one.startswith("trafo")]
    picks: list[Pick] = []
    if trafos:
        at, trafo = trafos[-1]
        behind = [one for place, one in lines if place > at]
        before = [one for place, one in lines if place < at]
        picks += [Pick("cable", behind[-1])] if behind else []
        picks.append(Pick("transformer", trafo))
        picks += [Pick("section", before[-1])] if before else []
    elif lines:
        picks.append(Pick("section", lines[-1][1]))
    return tuple(picks)


def _feeder(name: str | None) -> tuple[Pick, ...]:
    return (Pick("feeder", f"feeder:{name}"),) if name else ()


def _role(element: str) -> str:
    kind = element.partition(":")[0]
    return {"line": "section", "switch": "switch"}.get(kind, "transformer")


def enclosed(rt: Runtime, area: Mapping[str, Any]) -> Enclosed:
    """What touches a GeoJSON Polygon or MultiPolygon. InvalidInput says what is wrong with it.

    A shape with more corners than `MOST_CORNERS` is simplified, and the answer says by how much.
    """
    try:
        drawn, corners, off_by = fewer_corners(area, MOST_CORNERS)
    except GeoError as error:
        raise InvalidInput(error.message, error.remedy) from error
    elements = find_places.elements_within(rt, drawn)
    inside = find_places.find_within(rt, drawn)
    with rt.database.read() as session:
        low = network_map.low_voltage(session, rt, elements)
    lines = [one for one in elements if one.startswith("line:")]
    return Enclosed(
        tuple(one for one in lines if one not in low),
        tuple(one for one in lines if one in low),
        tuple(one for one in elements if not one.startswith("line:")),
        sum(one["customers"] for one in inside.by_tier.values()),
        corners,
        off_by,
    )
