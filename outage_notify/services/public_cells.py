"""The cells that public areas are made of: fixed when the first area needs them, and for all time.

Promises: a hexagon's cell never changes, in no later network either; when a cell was made, at least
`LEAST_LOADS` different customers hung on the loads in it. Later customers are shown by the cell they live
in; a hexagon that a later network adds joins a cell or makes one with others. A cell whose customers
left may hold fewer than it did: it is not redrawn, since two drawings of a place would tell more
than one. With too few customers in all there are no cells and no area is drawn.

Which hexagon a load counts in is worked out once per network and kept in a file beside it.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import IO
from weakref import WeakKeyDictionary

import numpy as np
from sqlalchemy.orm import Session

from geo import cells
from geo.areas import LEAST_LOADS, AreaIndex
from geo.grid import Grid
from geo.model import BUS
from outage_notify.services.marked_files import MarkedFile
from outage_notify.services.network_in_force import LoadedNetwork, load_network
from outage_notify.services.people_in_force import people_in_force
from outage_notify.services.runtime import Runtime
from outage_notify.store import cell_queries

# Raised with every change of the file, or of what decides where a load counts.
LAYOUT = 1

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
    placed = _placed(session, version, loaded)
    if not len(placed.hexagons):
        return None
    there = cell_queries.cells(session, placed.epsg)
    if set(map(tuple, placed.hexagons.tolist())) <= there.keys():
        made = AreaIndex.of_grid(loaded.grid, placed, there)
        with _lock:
            return _held.setdefault(loaded, made)
    # Not held: whether these cells come to stay is known when the transaction commits.
    joined = _join(session, loaded, placed)
    return AreaIndex.of_grid(loaded.grid, placed, joined) if joined else None


def _join(session: Session, loaded: LoadedNetwork, placed: cells.Placed) -> dict[cells.Hexagon, int]:
    cell_queries.lock_cells(session)
    there = cell_queries.cells(session, placed.epsg)
    customers = placed.count(people_in_force(session, loaded).one_load_each)
    joined = cells.join(customers, LEAST_LOADS, there)
    cell_queries.add_cells(
        session, placed.epsg, {one: cell for one, cell in joined.items() if one not in there}
    )
    return joined


def _placed(session: Session, version: int, loaded: LoadedNetwork) -> cells.Placed:
    network, grid = loaded.path, loaded.grid

    def make() -> cells.Placed:
        nowhere = np.full(len(grid.plain.load_node), -1, np.int32)
        found = cells.place(grid, *_bus_places(session, version, grid))
        return found or cells.Placed(0, np.empty((0, 2), np.int64), nowhere)

    place = network.with_name(network.name.partition("-")[0])
    # The name of the network's file tells its versions apart, and no version ever changes.
    return FILE.in_force(session, place, lambda session: f"{network.name} {LAYOUT}", make)


def _bus_places(session: Session, version: int, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude of the buses in the order of their nodes; NaN where there is none."""
    lon = np.full(grid.ids.size(BUS), np.nan)
    lat = lon.copy()
    for batch in cell_queries.bus_places(session, version):
        at = grid.ids.numbers([name for name, _, _ in batch]) - grid.ids.start[BUS]
        lon[at] = [one for _, one, _ in batch]
        lat[at] = [one for _, _, one in batch]
    return lon, lat


def _write(stream: IO[bytes], placed: cells.Placed) -> None:
    for array in (placed.of, placed.hexagons, np.array(placed.epsg)):
        np.save(stream, array)


def _read(path: Path) -> cells.Placed:
    of = np.load(path, mmap_mode="r")
    with path.open("rb") as stream:
        np.lib.format.read_magic(stream)
        np.lib.format.read_array_header_1_0(stream)
        stream.seek(of.nbytes, 1)
        return cells.Placed(of=of, hexagons=np.load(stream), epsg=int(np.load(stream)))


FILE: MarkedFile[cells.Placed, cells.Placed] = MarkedFile(
    "hexagons", _write, _read, hold=lambda placed: placed
)
