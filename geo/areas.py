"""The public's picture of an outage: whole cells of a fixed lattice, never a home.

The promise to every customer: nobody who sees the area, or compares all areas ever
published, can name a single affected home. It is kept thus:

- the plane is covered with hexagons that no data move;
- a load counts where its service line leaves the street's cable, not where the home is;
- neighbouring hexagons are joined into cells of at least `k` loads each, once per network;
- an area is the union of the cells touched, so two areas differ by whole cells alone;
- every vertex is a vertex of the lattice.

Each cell is dissolved once, and an area is kept by the cells that it touches: after a change
only the areas whose cells changed are drawn anew.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import shapely
from shapely.geometry import mapping
from shapely.geometry.polygon import orient

from geo.model import Element, Network
from geo.projection import Plane
from geo.resolve import Resolution

LEAST_LOADS = 10
# Metres between the middles of two neighbouring hexagons.
HEXAGON_M = 250.0
_DECIMALS = 5
# Areas that are remembered; a map shows fewer outages at once.
MOST_KEPT = 5_000
# Rings of hexagons searched for a neighbour before all cells are compared.
_RINGS = 20

Hexagon = tuple[int, int]
_NEIGHBOURS: tuple[Hexagon, ...] = ((1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1))


class AreaIndex:
    """The cells of one network; build it once, ask it for every outage."""

    def __init__(self, network: Network, k: int = LEAST_LOADS) -> None:
        self._build(dict(_anchors(network)), lambda: Plane.of(network), k)

    @classmethod
    def of_anchors(cls, anchors: Mapping[str, tuple[float, float]], k: int = LEAST_LOADS) -> AreaIndex:
        """The same from load ids and the places (lon, lat) where their service lines begin."""
        index = cls.__new__(cls)
        middle = sorted(anchors.values())[len(anchors) // 2] if anchors else (0.0, 0.0)
        index._build(dict(anchors), lambda: Plane(*middle), k)
        return index

    def _build(self, anchors: dict[str, tuple[float, float]], plane: Callable[[], Plane], k: int) -> None:
        self.k = k
        self.plane: Plane | None = None
        self.cell_of: dict[str, int] = {}
        self.cells: list[tuple[Hexagon, ...]] = []
        self._dissolved: dict[int, shapely.Geometry] = {}
        self._drawn: dict[tuple[int, ...], dict[str, Any]] = {}
        if len(anchors) < k:
            # Too few to hide among: nothing of this network is ever drawn for the public.
            return
        self.plane = plane()
        where = _hexagons(self.plane.points(anchors.values()))
        counts = Counter(where)
        self.cells = sorted(_merge(counts, k))
        number = {hexagon: place for place, cell in enumerate(self.cells) for hexagon in cell}
        self.cell_of = {load: number[hexagon] for load, hexagon in zip(anchors, where, strict=True)}

    def area(self, lost: Iterable[str]) -> dict[str, Any] | None:
        """A GeoJSON Polygon or MultiPolygon (RFC 7946, five decimals) of all cells with a lost load.

        None when no lost load has a place. The same cells give the same area, always.
        """
        return self.area_of_cells(self.touched(lost))

    def touched(self, lost: Iterable[str]) -> tuple[int, ...]:
        """The cells with a lost load. As long as they are the same, so is the area."""
        return tuple(sorted({self.cell_of[load] for load in lost if load in self.cell_of}))

    def area_of_cells(self, cells: tuple[int, ...]) -> dict[str, Any] | None:
        """The area of `touched`; drawn once and then remembered, for the last MOST_KEPT of them."""
        if not cells or self.plane is None:
            return None
        if (kept := self._drawn.get(cells)) is not None:
            return kept
        area = self._draw(cells, self.plane)
        if len(self._drawn) >= MOST_KEPT:
            self._drawn.pop(next(iter(self._drawn)), None)
        self._drawn[cells] = area
        return area

    def _draw(self, cells: tuple[int, ...], plane: Plane) -> dict[str, Any]:
        # Cells share whole edges with equal vertices, so that joining them is dropping what is there twice.
        union = shapely.coverage_union_all([self._dissolve(cell) for cell in cells])
        drawn = shapely.transform(
            union, lambda xy: np.round(np.column_stack(plane.degrees(xy[:, 0], xy[:, 1])), _DECIMALS)
        )
        parts = [orient(part, 1.0) for part in _cut_at_antimeridian(drawn)]
        return _plain(mapping(parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)))

    def _dissolve(self, cell: int) -> shapely.Geometry:
        if cell not in self._dissolved:
            self._dissolved[cell] = shapely.union_all([_outline(hexagon) for hexagon in self.cells[cell]])
        return self._dissolved[cell]


def public_area(network: Network | AreaIndex, lost: Resolution | Iterable[str]) -> dict[str, Any] | None:
    """The area of an outage for the public: `AreaIndex.area` of its lost loads.

    Pass an AreaIndex to draw more than one outage of the same network.
    """
    index = network if isinstance(network, AreaIndex) else AreaIndex(network)
    return index.area(lost.lost if isinstance(lost, Resolution) else lost)


def _anchors(network: Network) -> Iterator[tuple[str, tuple[float, float]]]:
    """Per load the place where its service line begins; the load's bus where there is no such line."""
    lines: dict[str, list[Element]] = {}
    branches: dict[str, int] = {}
    for element in network:
        if element.is_branch:
            for bus in element.buses:
                branches[bus] = branches.get(bus, 0) + 1
                if element.kind == "line":
                    lines.setdefault(bus, []).append(element)
    for load in network:
        if not load.is_load:
            continue
        (bus,) = load.buses
        if branches.get(bus) == 1 and bus in lines:
            a, b = lines[bus][0].buses
            street = network.elements[b if bus == a else a]
            if street.geometry is not None:
                yield load.id, street.geometry[0]
                continue
        where = network.elements[bus].geometry
        if where is not None:
            yield load.id, where[0]


def _hexagons(points: np.ndarray) -> list[Hexagon]:
    """The hexagon of each point (metres), in axial coordinates."""
    side = HEXAGON_M / math.sqrt(3)
    q = (math.sqrt(3) / 3 * points[:, 0] - points[:, 1] / 3) / side
    r = (2 / 3 * points[:, 1]) / side
    # Cube rounding: round all three coordinates and mend the worst, so that they add up to zero.
    cube = np.column_stack([q, r, -q - r])
    rounded = np.round(cube)
    worst = np.abs(rounded - cube).argmax(axis=1)
    rows = np.arange(len(cube))
    rounded[rows, worst] -= rounded.sum(axis=1)
    return [(q, r) for q, r in rounded[:, :2].astype(int).tolist()]


def _outline(hexagon: Hexagon) -> shapely.Polygon:
    """The hexagon in metres. Shared vertices are computed from the same integers, so they are equal."""
    q, r = hexagon
    half = HEXAGON_M / 2
    step = HEXAGON_M / math.sqrt(3) / 2
    corners = ((0, 2), (-1, 1), (-1, -1), (0, -2), (1, -1), (1, 1))
    return shapely.Polygon([((2 * q + r + x) * half, (3 * r + y) * step) for x, y in corners])


def _cut_at_antimeridian(drawn: shapely.Geometry) -> list[shapely.Polygon]:
    """The polygons, cut where they cross 180 degrees, as RFC 7946 (3.1.9) asks."""
    west, south, east, north = drawn.bounds
    if east - west <= 180:
        return list(getattr(drawn, "geoms", [drawn]))
    round_the_world = np.array([360.0, 0.0])
    whole = shapely.transform(drawn, lambda xy: xy + (xy[:, :1] < 0) * round_the_world)
    halves = [
        shapely.intersection(whole, shapely.box(-180, south, 180, north)),
        shapely.transform(
            shapely.intersection(whole, shapely.box(180, south, 540, north)), lambda xy: xy - round_the_world
        ),
    ]
    return [part for half in halves for part in shapely.get_parts(half) if part.geom_type == "Polygon"]


def _merge(counts: dict[Hexagon, int], k: int) -> list[tuple[Hexagon, ...]]:
    """Hexagons joined into cells of at least k: the smallest cell joins its nearest, smallest neighbour."""
    cell_of = {hexagon: place for place, hexagon in enumerate(sorted(counts))}
    members: dict[int, list[Hexagon]] = {place: [hexagon] for hexagon, place in cell_of.items()}
    total = {place: counts[hexagons[0]] for place, hexagons in members.items()}
    small = [(count, place) for place, count in total.items() if count < k]
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
        if total[near] < k:
            heapq.heappush(small, (total[near], near))
    return [tuple(sorted(hexagons)) for hexagons in members.values()]


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


def _plain(value: Any) -> Any:
    """GeoJSON with lists for tuples and plain floats, as it comes back from JSON."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return float(value) if isinstance(value, (int, float)) else value
