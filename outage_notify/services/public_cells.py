"""The cells that public areas are made of: fixed when the first area needs them, and for all time.

Promises: a hexagon's cell never changes, in no later network either; when a cell was made, at least
`LEAST_LOADS` different customers hung on the loads in it. Later customers are shown by the cell they live
in; a hexagon that a later network adds joins a cell or makes one with others. A cell whose customers
left may hold fewer than it did: it is not redrawn, since two drawings of a place would tell more
than one. With too few customers in all there are no cells and no area is drawn.
"""

from __future__ import annotations

import threading
from weakref import WeakKeyDictionary

import numpy as np
from sqlalchemy.orm import Session

from geo import cells
from geo.areas import LEAST_LOADS, AreaIndex
from geo.grid import Grid
from geo.model import BUS
from geo.projection import Plane
from outage_notify.services.network_in_force import LoadedNetwork, load_network
from outage_notify.services.runtime import Runtime
from outage_notify.store import cell_queries

_lock = threading.Lock()
# With the network that they belong to they go.
_held: WeakKeyDictionary[LoadedNetwork, AreaIndex] = WeakKeyDictionary()


def area_index(session: Session, rt: Runtime) -> AreaIndex | None:
    """The cells of the network in force, added to where they are missing, so in a transaction that may write.

    None where nothing has a place, or too few live there. Reads columns, never whole elements.
    """
    version, loaded = load_network(session, rt)
    with _lock:
        held = _held.get(loaded)
    if held is not None:
        return held
    grid = loaded.grid
    lon, lat = _bus_places(session, version, grid)
    known = ~np.isnan(lon)
    if not known.any():
        return None
    plane = cells.middle(lon[known], lat[known])
    at_lon, at_lat = cells.anchors(grid, lon, lat)
    placed = np.flatnonzero(~np.isnan(at_lon))
    where = cells.hexagons(np.column_stack(plane.metres(at_lon[placed], at_lat[placed])))
    there = cell_queries.cells(session, plane.epsg)
    wanted = set(map(tuple, np.unique(where, axis=0).tolist()))
    if wanted <= there.keys():
        made = AreaIndex.of_grid(grid, plane, where, placed, there)
        with _lock:
            return _held.setdefault(loaded, made)
    # Not held: whether these cells come to stay is known when the transaction commits.
    joined = _join(session, grid, plane, where, placed)
    return AreaIndex.of_grid(grid, plane, where, placed, joined) if joined else None


def _join(
    session: Session, grid: Grid, plane: Plane, where: np.ndarray, placed: np.ndarray
) -> dict[cells.Hexagon, int]:
    cell_queries.lock_cells(session)
    there = cell_queries.cells(session, plane.epsg)
    customers = np.zeros(len(grid.plain.load_node), np.int64)
    for batch in cell_queries.customers_on(session):
        loads = grid.load_numbers([name for name, _ in batch])
        counts = np.array([count for _, count in batch], np.int64)
        np.add.at(customers, loads[loads >= 0], counts[loads >= 0])
    different, of = np.unique(where, axis=0, return_inverse=True)
    counted = np.bincount(np.ravel(of), weights=customers[placed], minlength=len(different)).astype(np.int64)
    by_hexagon = {(q, r): count for (q, r), count in zip(different.tolist(), counted.tolist(), strict=True)}
    joined = cells.join(by_hexagon, LEAST_LOADS, there)
    cell_queries.add_cells(
        session, plane.epsg, {one: cell for one, cell in joined.items() if one not in there}
    )
    return joined


def _bus_places(session: Session, version: int, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude of the buses in the order of their nodes; NaN where there is none."""
    lon = np.full(grid.ids.size(BUS), np.nan)
    lat = lon.copy()
    for batch in cell_queries.bus_places(session, version):
        at = grid.ids.numbers([name for name, _, _ in batch]) - grid.ids.start[BUS]
        lon[at] = [one for _, one, _ in batch]
        lat[at] = [one for _, _, one in batch]
    return lon, lat
