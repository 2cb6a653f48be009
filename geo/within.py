"""Whether points lie in the public's areas. Plain degrees: nobody draws a border finer than that here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import shapely
from shapely.geometry import shape

Position = tuple[float, float]


def any_within(geometry: Mapping[str, Any] | None, points: Iterable[Position]) -> bool:
    """Whether one of the points (longitude, latitude) lies in or on a GeoJSON Polygon or MultiPolygon."""
    found = list(points)
    if geometry is None or not found:
        return False
    area = shape(geometry)
    return bool(shapely.intersects(area, shapely.points(found)).any())
