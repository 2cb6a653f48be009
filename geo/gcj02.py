"""GCJ-02, the shifted coordinates that map providers in mainland China draw on, out and back.

Everything in this project is WGS-84; only a map whose tiles are in GCJ-02 gets shifted
coordinates, at the very edge. The shift is not published as a standard; the formula below is
the one in common use (gcoord and coordtransform on npm give the same): a sum of sines
over the distance from 105 E 35 N, turned into degrees on
the Krasovsky ellipsoid. Between 75 and 133 E, 18 and 53 N it moves a place by 423 m (median),
701 m at most. It is applied inside a rectangle around China (72.004 to 137.8347 E, 0.8293 to
55.8271 N) and nowhere else, as the providers do. The way back is by iteration: the round trip
errs by less than 1 cm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.model import GeoError

Array = NDArray[np.float64]
Move = Callable[[ArrayLike, ArrayLike], tuple[Array, Array]]

WEST, SOUTH, EAST, NORTH = 72.004, 0.8293, 137.8347, 55.8271
_AXIS = 6378245.0
_ECCENTRICITY_2 = 0.00669342162296594323
_STEPS = 8


def to_gcj02(lon: ArrayLike, lat: ArrayLike) -> tuple[Array, Array]:
    """WGS-84 degrees to GCJ-02 degrees; places outside the rectangle stay where they are."""
    x, y = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    east, north = _shift(x, y)
    inside = (x >= WEST) & (x <= EAST) & (y >= SOUTH) & (y <= NORTH)
    return np.where(inside, x + east, x), np.where(inside, y + north, y)


def from_gcj02(lon: ArrayLike, lat: ArrayLike) -> tuple[Array, Array]:
    """The WGS-84 place that `to_gcj02` moves here."""
    x, y = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    found_x, found_y = x, y
    for _ in range(_STEPS):
        there_x, there_y = to_gcj02(found_x, found_y)
        found_x, found_y = found_x + (x - there_x), found_y + (y - there_y)
    return found_x, found_y


def shift_geojson(document: Mapping[str, Any], back: bool = False, digits: int = 6) -> dict[str, Any]:
    """GeoJSON (geometry, Feature or FeatureCollection) with all places moved; with `back`, to WGS-84 again.

    Shifted GeoJSON is not RFC 7946 any more, which knows WGS-84 alone. GeoError for what is no GeoJSON.
    """
    move = from_gcj02 if back else to_gcj02
    try:
        return _shifted(document, move, digits)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise GeoError(
            "This is not GeoJSON.", "Give a geometry, a Feature or a FeatureCollection."
        ) from error


def _shifted(part: Mapping[str, Any], move: Move, digits: int) -> dict[str, Any]:
    kept = {key: value for key, value in part.items() if key != "bbox"}
    if part["type"] == "FeatureCollection":
        return {**kept, "features": [_shifted(one, move, digits) for one in part["features"]]}
    if part["type"] == "Feature":
        geometry = part.get("geometry")
        return {**kept, "geometry": None if geometry is None else _shifted(geometry, move, digits)}
    if part["type"] == "GeometryCollection":
        return {**kept, "geometries": [_shifted(one, move, digits) for one in part["geometries"]]}
    return {**kept, "coordinates": _moved(part["coordinates"], move, digits)}


def _moved(part: Any, move: Move, digits: int) -> Any:
    if part and isinstance(part[0], (int, float)):
        lon, lat = move(part[0], part[1])
        return [round(float(lon), digits), round(float(lat), digits)]
    return [_moved(one, move, digits) for one in part]


def _shift(lon: Array, lat: Array) -> tuple[Array, Array]:
    """Degrees east and north."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    ripple = 20 * np.sin(6 * np.pi * x) + 20 * np.sin(2 * np.pi * x)
    north = -100 + 2 * x + 3 * y + 0.2 * y**2 + 0.1 * x * y + 0.2 * root
    north += (ripple + 20 * np.sin(np.pi * y) + 40 * np.sin(np.pi * y / 3)) * 2 / 3
    north += (160 * np.sin(np.pi * y / 12) + 320 * np.sin(np.pi * y / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x**2 + 0.1 * x * y + 0.1 * root
    east += (ripple + 20 * np.sin(np.pi * x) + 40 * np.sin(np.pi * x / 3)) * 2 / 3
    east += (150 * np.sin(np.pi * x / 12) + 300 * np.sin(np.pi * x / 30)) * 2 / 3
    radians = np.radians(lat)
    magic = 1 - _ECCENTRICITY_2 * np.sin(radians) ** 2
    along = _AXIS * (1 - _ECCENTRICITY_2) / (magic * np.sqrt(magic))
    across = _AXIS / np.sqrt(magic) * np.cos(radians)
    return np.degrees(east / across), np.degrees(north / along)
