"""The network for the planner's map: where it lies, its tiles, and the shapes of named elements.

For signed-in people alone, though no home is drawn. Promises: arrays are built once per process and
network version; an earlier version's tiles are not served any more, so that a page never mixes two
networks. Leaves tiles to `geo.network_tiles`, drawing to the page.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy.orm import Session

from geo.geojson import geometry
from geo.grid import Grid
from geo.network_tiles import LINE, SOURCE, SWITCH, TRAFO, Drawable, DrawnNetwork, beside
from geo.wkb import Geometry
from outage_notify.domain.errors import NotFound
from outage_notify.services.network_in_force import load_network
from outage_notify.services.runtime import Runtime
from outage_notify.store import place_queries
from outage_notify.store.place_queries import Placed

_KIND = {"line": LINE, "impedance": LINE, "tcsc": LINE, "dcline": LINE, "switch": SWITCH, "ext_grid": SOURCE}
_KIND |= {"trafo": TRAFO, "trafo3w": TRAFO}
_LOW_KV = 1.0

_lock = threading.Lock()
_drawn: dict[tuple[str, int], DrawnNetwork] = {}


def network_view(rt: Runtime) -> dict[str, Any]:
    """The version in force and where it lies: `bounds` as west, south, east, north; null if nowhere."""
    with rt.database.read() as session:
        version, drawn = _network(session, rt)
    return {"version": version, "bounds": drawn.bounds}


def network_tile(rt: Runtime, version: int, z: int, x: int, y: int) -> dict[str, Any]:
    """One tile. NotFound for another version than the one in force, and for a tile that is not there."""
    with rt.database.read() as session:
        current, drawn = _network(session, rt)
    if current != version:
        raise NotFound("This network is not in force any more.", "Load the page again.")
    try:
        return drawn.tile(z, x, y)
    except ValueError:
        raise NotFound("There is no such tile.", "Ask for zoom 0 to 20.") from None


def low_voltage(session: Session, rt: Runtime, names: Iterable[str]) -> set[str]:
    """Those of the named elements that are low voltage."""
    _, drawn = _network(session, rt)
    return set(drawn.low_names.intersection(names))


def shapes_of(
    session: Session, version: int, roles: Iterable[tuple[str, Iterable[str]]]
) -> list[dict[str, Any]]:
    """GeoJSON features of named elements with `role` in their properties, in the order of the roles.

    Elements without a place are left out. Asks for what is named, not for the network.
    """
    wanted = [(role, name) for role, names in roles for name in dict.fromkeys(names)]
    found = {one.name: one for one in place_queries.placed(session, version, {name for _, name in wanted})}
    features = []
    for role, name in wanted:
        one = found.get(name)
        if one is None or one.where is None:
            continue
        properties = {"role": role, "id": name, "kind": name.partition(":")[0], "name": one.title}
        shape = geometry(one.where, digits=6)
        features.append({"type": "Feature", "geometry": shape, "properties": properties})
    return features


def _network(session: Session, rt: Runtime) -> tuple[int, DrawnNetwork]:
    version, loaded = load_network(session, rt)
    place = (str(rt.database.url), version)
    with _lock:
        if place not in _drawn:
            # Earlier versions are not drawn any more.
            for old in [one for one in _drawn if one[0] == place[0]]:
                del _drawn[old]
            rows = place_queries.placed_kinds(session, version, _KIND)
            _drawn[place] = DrawnNetwork(_drawables(rows, loaded.grid))
        return version, _drawn[place]


def _drawables(rows: Iterable[Placed], grid: Grid) -> Iterator[Drawable]:
    """Lines first: a switch stands a little along the line at whose end it sits."""
    lines: dict[str, Geometry] = {}
    switches: list[tuple[Placed, tuple[float, float]]] = []
    for one in rows:
        if one.where is None:
            continue
        kind = _KIND[one.name.partition(":")[0]]
        if kind == SWITCH:
            switches.append((one, _middle(one.where)))
            continue
        if kind == LINE:
            lines[one.name] = one.where
        where = one.where if kind == LINE else (_middle(one.where),)
        yield Drawable(kind, one.name, where, one.feeder, _main(grid, one.bus), one.in_service)
    for one, at in switches:
        along = lines.get(one.on or "")
        toward = beside(at, along) if along is not None and len(along) > 1 else None
        yield Drawable(SWITCH, one.name, (at,), one.feeder, _main(grid, one.bus), bool(one.closed), toward)


def _main(grid: Grid, bus: str | None) -> bool:
    """Whether a bus is above low voltage; where the source names no voltage, it counts as that."""
    number = grid.ids.number(bus) if bus else None
    node = grid.node_of(number) if number is not None else None
    kilovolts = float(grid.plain.kv[node]) if node is not None else 0.0
    return not 0.0 < kilovolts <= _LOW_KV


def _middle(where: Geometry) -> tuple[float, float]:
    return (
        sum(lon for lon, _ in where) / len(where),
        sum(lat for _, lat in where) / len(where),
    )
