"""Millions of points, sorted into the cells of a grid: which lie in an area, which is nearest.

Cells are rows of the grid laid one after the other, so that all points of a run of cells
stand together in memory. A query tells cells that lie wholly inside the area from those that
its border crosses, and tests single points only in these: the cost follows the answer.
Promises: answers are equal to testing every point (a point on the border is inside); 20
bytes per point; the arrays never change, so that threads may share them.
"""

from __future__ import annotations

import math

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import Geod

_PER_CELL = 48
_MOST_CELLS = 1 << 22
_EARTH = Geod(ellps="WGS84")
# Beyond so many rings of empty cells, one look at all points is quicker.
_RINGS = 24
# Share of a cell by which rounding may put a point into the next one.
_HAIR = 1e-6
# So few points are tested one by one sooner than their cells are sorted out.
_FEW = 1500
_LOW = 40
_NONE = np.empty(0, dtype=np.int64)


class PointGrid:
    """Points by longitude and latitude; answers are their positions in the arrays given."""

    def __init__(self, lon: ArrayLike, lat: ArrayLike) -> None:
        x, y = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
        self.size = len(x)
        if not self.size:
            return
        self.west, self.south = float(x.min()), float(y.min())
        width, height = float(x.max()) - self.west, float(y.max()) - self.south
        # Cells about as wide as high on the ground, where they are.
        self.squeeze = max(math.cos(math.radians(self.south + height / 2)), 0.01)
        cells = min(max(self.size // _PER_CELL, 1), _MOST_CELLS)
        area = max(width * self.squeeze, 1e-9) * max(height, 1e-9)
        self.step_y = max(math.sqrt(area / cells), width * self.squeeze / 1e4, height / 1e4, 1e-9)
        self.step_x = self.step_y / self.squeeze
        self.columns, self.rows = int(width / self.step_x) + 1, int(height / self.step_y) + 1
        cell = self._cells(x, y)
        order = np.argsort(cell, kind="stable")
        self.order = order.astype(np.int32 if self.size < 2**31 else np.int64)
        # One array, so that a run of both is taken in one step; small answers cost little but such steps.
        self.xy = np.stack([x[order], y[order]])
        self.x, self.y = self.xy
        counts = np.bincount(cell, minlength=self.columns * self.rows)
        self.start = np.concatenate(([0], np.cumsum(counts)))
        # The same memory; single numbers come out of it in half the time.
        self._start = self.start.data

    def _cells(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
        column = ((x - self.west) / self.step_x).astype(np.int64)
        row = ((y - self.south) / self.step_y).astype(np.int64)
        np.clip(column, 0, self.columns - 1, out=column)
        np.clip(row, 0, self.rows - 1, out=row)
        return row * self.columns + column

    def within(self, area: shapely.Geometry) -> NDArray[np.integer]:
        """Positions of the points inside a valid polygon or multipolygon, ascending."""
        if not self.size or area.is_empty:
            return _NONE
        shapely.prepare(area)
        # Per part, so that two small areas far apart do not search all that lies between.
        parts = shapely.get_parts(area) if area.geom_type == "MultiPolygon" else [area]
        found = [self._in_box(area, part.bounds) for part in parts]
        # A cell that two parts touch is searched for both.
        return np.sort(found[0]) if len(found) == 1 else np.unique(np.concatenate(found))

    def _in_box(self, area: shapely.Geometry, bounds: tuple[float, float, float, float]) -> NDArray[np.int64]:
        """Positions of what lies inside `area` and in the cells that `bounds` touch, in no order."""
        west = max(int((bounds[0] - self.west) / self.step_x - _HAIR), 0)
        east = min(int((bounds[2] - self.west) / self.step_x + _HAIR), self.columns - 1)
        south = max(int((bounds[1] - self.south) / self.step_y - _HAIR), 0)
        north = min(int((bounds[3] - self.south) / self.step_y + _HAIR), self.rows - 1)
        if west > east or south > north:
            return _NONE
        if north - south < _LOW:
            start = self._start
            runs = [
                slice(start[row + west], start[row + east + 1])
                for row in range(south * self.columns, (north + 1) * self.columns, self.columns)
            ]
            if sum([run.stop - run.start for run in runs]) <= _FEW:
                x, y = np.concatenate([self.xy[:, run] for run in runs], axis=1)
                where = np.concatenate([self.order[run] for run in runs])
                return where[shapely.intersects_xy(area, x, y)]
        rows = np.arange(south, north + 1)
        columns = np.arange(west, east + 1)
        cell = (rows[:, None] * self.columns + columns[None, :]).ravel()
        left = np.tile(self.west + columns * self.step_x, len(rows))
        low = np.repeat(self.south + rows * self.step_y, len(columns))
        # A hair wider than the cell, so that rounding never puts a point outside the box of its cell.
        hair_x, hair_y = self.step_x * _HAIR, self.step_y * _HAIR
        full = self.start[cell + 1] > self.start[cell]
        cell, left, low = cell[full], left[full], low[full]
        boxes = shapely.box(
            left - hair_x, low - hair_y, left + self.step_x + hair_x, low + self.step_y + hair_y
        )
        touched = shapely.intersects(area, boxes)
        whole = np.zeros(len(boxes), dtype=bool)
        whole[touched] = shapely.contains_properly(area, boxes[touched])
        inside = _runs(self.start[cell[whole]], self.start[cell[whole] + 1])
        edge = cell[touched & ~whole]
        some = _runs(self.start[edge], self.start[edge + 1])
        tested = some[shapely.intersects_xy(area, self.x[some], self.y[some])]
        return self.order[np.concatenate([inside, tested])]

    def nearest(self, lon: float, lat: float) -> tuple[int, float] | None:
        """(position, metres on the ellipsoid) of the nearest point; the first of equally near ones."""
        if not self.size:
            return None
        here = [lon]
        # Across the antimeridian the other side is near, though its number is far.
        here += [lon - 360.0] if lon > 90 else [lon + 360.0] if lon < -90 else []
        best = min((self._nearest(one, lat) for one in here), key=lambda found: found[0])
        position = best[1]
        _, _, metres = _EARTH.inv(lon, lat, float(self.x[position]), float(self.y[position]))
        return int(self.order[position]), float(metres)

    def _nearest(self, lon: float, lat: float) -> tuple[float, int]:
        """(squared distance in degrees of latitude, sorted position)."""
        squeeze = max(math.cos(math.radians(lat)), 1e-6)
        column = math.floor((lon - self.west) / self.step_x)
        row = math.floor((lat - self.south) / self.step_y)
        best = (math.inf, 0)
        for ring in range(_RINGS + 1):
            south, north = max(row - ring, 0), min(row + ring, self.rows - 1)
            west, east = max(column - ring, 0), min(column + ring, self.columns - 1)
            if south <= north and west <= east:
                some = self._ring(row, ring, south, north, west, east)
                best = min(best, self._closest(some, lon, lat, squeeze))
            # All points within `ring` whole cells have been seen.
            seen = ring * min(self.step_y, self.step_x * squeeze)
            if best[0] <= seen * seen:
                return best
        return self._closest(None, lon, lat, squeeze)

    def _ring(self, row: int, ring: int, south: int, north: int, west: int, east: int) -> NDArray[np.int64]:
        rows = np.arange(south, north + 1) * self.columns
        return _runs(self.start[rows + west], self.start[rows + east + 1])

    def _closest(
        self, some: NDArray[np.int64] | None, lon: float, lat: float, squeeze: float
    ) -> tuple[float, int]:
        x, y = (self.x, self.y) if some is None else (self.x[some], self.y[some])
        if not len(x):
            return math.inf, 0
        squares = ((x - lon) * squeeze) ** 2 + (y - lat) ** 2
        at = int(squares.argmin())
        return float(squares[at]), at if some is None else int(some[at])


def _runs(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """All numbers of the runs start .. end-1, one run after the other."""
    sizes = ends - starts
    if len(sizes) == 1:
        return np.arange(starts[0], ends[0])
    total = int(sizes.sum())
    if not total:
        return _NONE
    before = np.cumsum(sizes) - sizes
    return np.arange(total) + np.repeat(starts - before, sizes)
