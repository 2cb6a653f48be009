"""The fixed cells behind public areas: hexagons that no data move, joined into cells that are never parted again.

Promises: a cell holds at least `k` (customers, or whatever is counted) at the time when its hexagons were
joined; a hexagon that has a cell keeps it, whatever network comes later, so that areas of all times are
unions of the same cells. Where a load counts is decided here too: where its service line leaves
the street. Leaves drawing to `geo.areas` and keeping cells to whoever owns a database.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from geo.grid import Grid
from geo.model import BUS
from geo.projection import Plane

Array = np.ndarray
Hexagon = tuple[int, int]

# Metres between the middles of two neighbouring hexagons.
HEXAGON_M = 250.0
# Rings of hexagons searched for a neighbour before all cells are compared.
_RINGS = 20
_NEIGHBOURS: tuple[Hexagon, ...] = ((1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1))


def hexagons(points: Array) -> Array:
    """The hexagon of each point (metres), in axial coordinates, as an (n, 2) array of integers."""
    side = HEXAGON_M / math.sqrt(3)
    q = (math.sqrt(3) / 3 * points[:, 0] - points[:, 1] / 3) / side
    r = (2 / 3 * points[:, 1]) / side
    # Cube rounding: round all three coordinates and mend the worst, so that they add up to zero.
    cube = np.column_stack([q, r, -q - r])
    rounded = np.round(cube)
    worst = np.abs(rounded - cube).argmax(axis=1)
    rows = np.arange(len(cube))
    rounded[rows, worst] -= rounded.sum(axis=1)
    return rounded[:, :2].astype(np.int64)


def join(
    counts: Mapping[Hexagon, int], k: int, fixed: Mapping[Hexagon, int] | None = None
) -> dict[Hexagon, int]:
    """Hexagon to the number of its cell, for all of `counts` and `fixed`.

    The smallest cell below `k` joins its nearest, smallest neighbour until there is none. Cells of `fixed`
    (numbered from 0 without gaps) grow, but are neither parted nor joined. With less than `k` in all
    and nothing fixed there are no cells: nobody could hide.
    """
    fixed = fixed or {}
    if not fixed and sum(counts.values()) < k:
        return {}
    cell_of = dict(fixed)
    old = max(fixed.values(), default=-1) + 1
    for hexagon in sorted(set(counts) - set(fixed)):
        cell_of[hexagon] = len(cell_of) - len(fixed) + old
    members: dict[int, list[Hexagon]] = {}
    total: dict[int, int] = {}
    for hexagon, place in cell_of.items():
        members.setdefault(place, []).append(hexagon)
        total[place] = total.get(place, 0) + counts.get(hexagon, 0)
    small = [(count, place) for place, count in total.items() if count < k and place >= old]
    heapq.heapify(small)
    while small:
        count, place = heapq.heappop(small)
        if total.get(place) != count or len(members) == 1:
            continue
        near = _nearest(place, members, cell_of, total)
        members[near] += members.pop(place)
        total[near] += total.pop(place)
        for hexagon in members[near]:
            cell_of[hexagon] = near
        if total[near] < k and near >= old:
            heapq.heappush(small, (total[near], near))
    new = sorted((min(hexagons), place) for place, hexagons in members.items() if place >= old)
    number = {place: at for at, (_, place) in enumerate(new, old)} | {place: place for place in range(old)}
    return {hexagon: number[place] for hexagon, place in cell_of.items()}


def _nearest(
    place: int, members: dict[int, list[Hexagon]], cell_of: dict[Hexagon, int], total: dict[int, int]
) -> int:
    for radius in range(1, _RINGS + 1):
        found = {
            cell_of[hexagon]
            for middle in members[place]
            for hexagon in _ring(middle, radius)
            if hexagon in cell_of and cell_of[hexagon] != place
        }
        if found:
            return min(found, key=lambda cell: (total[cell], cell))
    others = (cell for cell in members if cell != place)
    return min(others, key=lambda cell: (_distance(members[place][0], members[cell][0]), cell))


def _ring(middle: Hexagon, radius: int) -> Iterator[Hexagon]:
    """The hexagons at this distance: start at one corner and walk the six sides."""
    q, r = middle[0] + _NEIGHBOURS[4][0] * radius, middle[1] + _NEIGHBOURS[4][1] * radius
    for dq, dr in _NEIGHBOURS:
        for _ in range(radius):
            yield q, r
            q, r = q + dq, r + dr


def _distance(a: Hexagon, b: Hexagon) -> int:
    q, r = a[0] - b[0], a[1] - b[1]
    return max(abs(q), abs(r), abs(q + r))


@dataclass(frozen=True)
class Placed:
    """Where the loads of one network count: in which of the `hexagons` of the metre system `epsg`.

    `hexagons` is an (n, 2) array of axial coordinates, each once and none of them empty; `of` has the row of each
    load's hexagon, -1 for a load that has no place.
    """

    epsg: int
    hexagons: Array
    of: Array

    def count(self, loads: Array) -> dict[Hexagon, int]:
        """How many of these loads (a load may stand there more than once) count in each hexagon."""
        own = self.of[loads]
        counts = np.bincount(own[own >= 0], minlength=len(self.hexagons)).tolist()
        return dict(zip(map(tuple, self.hexagons.tolist()), counts, strict=True))


def place(grid: Grid, lon: Array, lat: Array) -> Placed | None:
    """The hexagons of all loads, from the places of the buses (in their order, NaN where unknown).

    None where no load has a place.
    """
    known = ~np.isnan(lon)
    bus = anchors(grid, known)
    used = np.unique(bus[bus >= 0])
    if not len(used):
        return None
    plane = middle(lon[known], lat[known])
    here = hexagons(np.column_stack(plane.metres(lon[used], lat[used])))
    different, row = np.unique(here, axis=0, return_inverse=True)
    of_bus = np.full(len(lon) + 1, -1, np.int32)
    of_bus[used] = np.ravel(row)
    # A load without a place says bus -1: the last row, which is nobody's.
    return Placed(plane.epsg, different, of_bus[bus])


def middle(lon: Array, lat: Array) -> Plane:
    """The plane of places in degrees: that of their lower medians, which are places of them."""
    at = (len(lon) - 1) // 2
    return Plane(float(np.partition(lon, at)[at]), float(np.partition(lat, at)[at]))


def anchors(grid: Grid, known: Array) -> Array:
    """Per load the bus where it counts, in the order of the buses; `known` says which of them have a place.

    Where its service line leaves the street's cable; its own bus where there is no such line, or the
    street has no place; -1 where neither has one.
    """
    first, buses = grid.node_kinds.get(BUS, 0), grid.ids.size(BUS)
    plain = grid.plain
    nodes = len(plain.alive)
    a, b = plain.edge_a.astype(np.int64), plain.edge_b.astype(np.int64)
    of_branch = ~((a >= first) & (a < first + buses))
    a, b = a[of_branch], b[of_branch]
    branches = np.bincount(b, minlength=nodes)
    ends, count = np.zeros(nodes, np.int64), np.bincount(a, minlength=nodes)
    np.add.at(ends, a, b)
    last = np.full(nodes, -1, np.int64)
    last[b] = a
    line, lines = grid.node_kinds.get("line", 0), grid.ids.size("line")
    # Decided per bus: many loads hang on one.
    bus = np.arange(first, first + buses)
    via = last[bus]
    served = (branches[bus] == 1) & (via >= line) & (via < line + lines) & (count[via] == 2)
    street = np.where(served, ends[via] - bus, bus) - first
    own = np.arange(buses)
    at = np.where(known[street], street, np.where(known, own, -1))
    found: Array = at[plain.load_node.astype(np.int64) - first]
    return found
