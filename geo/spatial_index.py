"""Which elements lie inside a drawn area, and which is nearest to a place.

Built once per network and kind of element; elements without a place are not in it. Points
(loads, buses, transformers) stand in a `PointGrid`; lines, which reach over many cells, in a
tree of their own. Answers say where the network is: homes among them, so they are for
dispatchers alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import shapely

from geo.drawn_area import read_area
from geo.model import Network, natural, natural_key
from geo.point_grid import PointGrid
from geo.projection import Plane
from geo.wkb import Geometry


class SpatialIndex:
    """The shapes of all elements of the given kinds (all kinds if none is given)."""

    def __init__(self, network: Network, *kinds: str) -> None:
        self._feeder_of = network.feeder_of()
        self._fill(
            (element.id, where)
            for element in (network.of_kind(*kinds) if kinds else network)
            if (where := network.shape(element)) is not None
        )

    @classmethod
    def of_shapes(cls, shapes: Iterable[tuple[str, Geometry]], feeder_of: Mapping[str, str]) -> SpatialIndex:
        """The same from (id, vertices) pairs, for networks that are not held in memory."""
        index = cls.__new__(cls)
        index._feeder_of = dict(feeder_of)
        index._fill(shapes)
        return index

    def _fill(self, shapes: Iterable[tuple[str, Geometry]]) -> None:
        # In natural order, so that an answer is in order when its positions are.
        placed = sorted(shapes, key=lambda one: natural_key(one[0]))
        single = [(name, where[0]) for name, where in placed if len(where) == 1]
        self.points = [name for name, _ in single]
        degrees = np.array([where for _, where in single], dtype=float).reshape(-1, 2)
        self._grid = PointGrid(degrees[:, 0], degrees[:, 1])
        drawn = [(name, where) for name, where in placed if len(where) > 1]
        self.lines = [name for name, _ in drawn]
        self._shapes = np.array([shapely.LineString(where) for _, where in drawn], dtype=object)
        self._tree = shapely.STRtree(self._shapes)
        self._plane = Plane(*drawn[len(drawn) // 2][1][0]) if drawn else None
        self._in_metres: shapely.STRtree | None = None

    def within(self, area: Mapping[str, Any]) -> tuple[str, ...]:
        """Elements that touch a GeoJSON Polygon or MultiPolygon, in natural order.

        Raises GeoError for anything else, and for a polygon that falls apart where it crosses itself.
        """
        polygon = read_area(area)
        points = [self.points[place] for place in self._grid.within(polygon).tolist()]
        if not self.lines:
            return tuple(points)
        lines = [self.lines[place] for place in self._tree.query(polygon, predicate="intersects").tolist()]
        return natural([*points, *lines])

    def nearest(self, lon: float, lat: float) -> tuple[str, float] | None:
        """The nearest element and its distance in metres; None when nothing has a place."""
        found: list[tuple[float, tuple[Any, ...], str]] = []
        if (point := self._grid.nearest(lon, lat)) is not None:
            name = self.points[point[0]]
            found.append((point[1], natural_key(name), name))
        if self._plane is not None:
            plane = self._plane
            if self._in_metres is None:
                self._in_metres = shapely.STRtree(
                    shapely.transform(
                        self._shapes, lambda xy: np.column_stack(plane.metres(xy[:, 0], xy[:, 1]))
                    )
                )
            (here,) = plane.points([(lon, lat)])
            places, metres = self._in_metres.query_nearest(shapely.Point(here), return_distance=True)
            found += [
                (float(metres[0]), natural_key(self.lines[place]), self.lines[place]) for place in places
            ]
        if not found:
            return None
        # Several can be equally near, such as a bus and the lines that end there: the first by name.
        metres, _, name = min(found)
        return name, metres

    def nearest_feeder(self, lon: float, lat: float) -> tuple[str, str, float] | None:
        """(feeder, element, metres) by the nearest element; None when it is in no feeder."""
        found = self.nearest(lon, lat)
        feeder = self._feeder_of.get(found[0]) if found is not None else None
        return (feeder, *found) if found is not None and feeder is not None else None
