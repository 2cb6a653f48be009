"""The public's picture of an outage: whole cells of a fixed lattice, never a home.

The promise to every customer: nobody who sees the area, or compares all areas ever
published, can name a single affected home. It is kept thus:

- the plane is covered with hexagons that no data move;
- a load counts where its service line leaves the street's cable, not where the home is;
- neighbouring hexagons are joined into cells of at least `k` each, once and for all (`geo.cells`);
- an area is the union of the cells touched, so two areas differ by whole cells alone;
- every vertex is a vertex of the lattice.

An area is kept by the cells that it touches: after a change only the areas whose cells changed
are drawn anew.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import shapely
from shapely.geometry import mapping
from shapely.geometry.polygon import orient

from geo.cells import HEXAGON_M, Hexagon, Placed, hexagons, join
from geo.grid import Grid
from geo.model import Element, Network
from geo.projection import Plane
from geo.resolve import Resolution

LEAST_LOADS = 10
_DECIMALS = 5
# Of a hexagon, round and back to the first, in half widths and half sides.
_CORNERS = np.array([(0, 2), (-1, 1), (-1, -1), (0, -2), (1, -1), (1, 1), (0, 2)])
# Areas that are remembered; a map shows fewer outages at once.
MOST_KEPT = 5_000


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
        cells: dict[Hexagon, int] = {}
        where: list[Hexagon] = []
        self.cell_of: dict[str, int] = {}
        # Too few to hide among: nothing of such a network is ever drawn for the public.
        if len(anchors) >= k:
            self._use(plane())
            where = list(map(tuple, hexagons(self._plane().points(anchors.values())).tolist()))
            cells = join(Counter(where), k)
            self.cell_of = {load: cells[hexagon] for load, hexagon in zip(anchors, where, strict=True)}
        else:
            self._use(None)
        self.k = k
        self._set(cells)

    @classmethod
    def of_grid(cls, grid: Grid, placed: Placed, cells: Mapping[Hexagon, int]) -> AreaIndex:
        """The same for a network in arrays, of cells that were fixed before."""
        index = cls.__new__(cls)
        index._use(Plane.numbered(placed.epsg))
        index.k = LEAST_LOADS
        index.cell_of = {}
        index._set(cells)
        number = [cells.get((q, r), -1) for q, r in placed.hexagons.tolist()]
        # Behind them a row for the loads without a place, whose hexagon is -1.
        index._cell = np.array([*number, -1], np.int64)
        index._grid, index._placed = grid, placed
        return index

    def _use(self, plane: Plane | None) -> None:
        self.plane = plane
        self._grid: Grid | None = None
        self._placed: Placed | None = None
        self._cell = np.empty(0, np.int64)
        self._drawn: dict[tuple[int, ...], dict[str, Any]] = {}

    def _set(self, cells: Mapping[Hexagon, int]) -> None:
        grouped: dict[int, list[Hexagon]] = {}
        for hexagon, cell in cells.items():
            grouped.setdefault(cell, []).append(hexagon)
        self.cells: list[tuple[Hexagon, ...]] = [tuple(sorted(grouped[at])) for at in range(len(grouped))]

    def _plane(self) -> Plane:
        if self.plane is None:
            raise ValueError("nothing is drawn in a network of so few loads")
        return self.plane

    def area(self, lost: Iterable[str]) -> dict[str, Any] | None:
        """A GeoJSON Polygon or MultiPolygon (RFC 7946, five decimals) of all cells with a lost load.

        None when no lost load has a place. The same cells give the same area, always.
        """
        return self.area_of_cells(self.touched(lost))

    def touched(self, lost: Iterable[str]) -> tuple[int, ...]:
        """The cells with a lost load. As long as they are the same, so is the area."""
        if self._grid is None:
            return tuple(sorted({self.cell_of[load] for load in lost if load in self.cell_of}))
        return self._touched(self._grid.load_numbers(list(lost)))

    def _touched(self, loads: np.ndarray) -> tuple[int, ...]:
        if self._placed is None:
            raise ValueError("these cells are of no network in arrays")
        cells = np.unique(self._cell[np.unique(self._placed.of[loads[loads >= 0]])])
        return tuple(cells[cells >= 0].tolist())

    def area_of_loads(self, loads: np.ndarray) -> dict[str, Any] | None:
        """As `area`, from the numbers of the loads in the network in arrays."""
        return self.area_of_cells(self._touched(loads))

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
        union = self._joined(cells)
        drawn = shapely.transform(
            union, lambda xy: np.round(np.column_stack(plane.degrees(xy[:, 0], xy[:, 1])), _DECIMALS)
        )
        parts = [orient(part, 1.0) for part in _cut_at_antimeridian(drawn)]
        return _plain(mapping(parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)))

    def _joined(self, cells: Iterable[int]) -> shapely.Geometry:
        """Whole cells in metres. Hexagons share whole edges with equal vertices, so that joining them is dropping
        what is there twice."""
        return shapely.coverage_union_all(
            outlines(np.array([hexagon for cell in cells for hexagon in self.cells[cell]]))
        )


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


def outlines(which: np.ndarray) -> np.ndarray:
    """The hexagons of an (n, 2) array as polygons in metres. Shared vertices are computed from the same integers,
    so they are equal."""
    x = 2 * which[:, :1] + which[:, 1:] + _CORNERS[:, 0]
    y = 3 * which[:, 1:] + _CORNERS[:, 1]
    return np.asarray(
        shapely.polygons(np.stack([x * (HEXAGON_M / 2), y * (HEXAGON_M / math.sqrt(3) / 2)], axis=2))
    )


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


def _plain(value: Any) -> Any:
    """GeoJSON with lists for tuples and plain floats, as it comes back from JSON."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return float(value) if isinstance(value, (int, float)) else value
