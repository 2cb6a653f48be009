"""Which elements lie inside a drawn area, and which is nearest to a place.

Built once per network and kind of element; elements without a place are not in it. Answers
say where the network is: homes among them, so they are for dispatchers alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
from shapely.geometry import shape

from geo.model import GeoError, Network, natural
from geo.projection import Plane


class SpatialIndex:
    """The shapes of all elements of the given kinds (all kinds if none is given)."""

    def __init__(self, network: Network, *kinds: str) -> None:
        placed = [
            (element.id, where)
            for element in (network.of_kind(*kinds) if kinds else network)
            if (where := network.shape(element)) is not None
        ]
        self.ids = [name for name, _ in placed]
        self._shapes = np.array([_to_shapely(where) for _, where in placed], dtype=object)
        self._tree = shapely.STRtree(self._shapes)
        self._plane = Plane.of(network) if placed else None
        self._in_metres: shapely.STRtree | None = None

    def within(self, area: Mapping[str, Any]) -> tuple[str, ...]:
        """Elements that touch a GeoJSON Polygon or MultiPolygon, in natural order.

        Raises GeoError for anything else, and for a polygon that crosses itself.
        """
        if area.get("type") not in ("Polygon", "MultiPolygon"):
            raise GeoError("An area must be a Polygon or a MultiPolygon.", "Draw a closed shape.")
        try:
            polygon = shape(area)
        except (ValueError, TypeError, IndexError, AttributeError, shapely.errors.ShapelyError) as error:
            raise GeoError("The area's coordinates cannot be read.", "Draw it again.") from error
        if polygon.is_empty or not polygon.is_valid:
            reason = shapely.is_valid_reason(polygon)
            raise GeoError(f"The area cannot be used: {reason}.", "Draw a shape that does not cross itself.")
        return natural(self.ids[place] for place in self._tree.query(polygon, predicate="intersects"))

    def nearest(self, lon: float, lat: float) -> tuple[str, float] | None:
        """The nearest element and its distance in metres; None when nothing has a place."""
        if self._plane is None:
            return None
        if self._in_metres is None:
            plane = self._plane
            self._in_metres = shapely.STRtree(
                shapely.transform(self._shapes, lambda xy: np.column_stack(plane.metres(xy[:, 0], xy[:, 1])))
            )
        (here,) = self._plane.points([(lon, lat)])
        places, metres = self._in_metres.query_nearest(shapely.Point(here), return_distance=True)
        # Several can be equally near, such as a bus and the lines that end there: the first by name.
        name = natural(self.ids[place] for place in places)[0]
        return name, float(metres[0])


def _to_shapely(where: tuple[tuple[float, float], ...]) -> shapely.Geometry:
    return shapely.Point(where[0]) if len(where) == 1 else shapely.LineString(where)
