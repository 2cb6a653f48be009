"""A polygon that somebody drew, made fit to search with: repaired where it is clear what was meant, else refused.

Takes a GeoJSON Polygon, MultiPolygon, or a Feature of one. Promises a valid geometry within
longitudes -180 to 180: what crosses the antimeridian, cut there or not, is cut there; holes
stay holes; parts that overlap are joined. A ring that crosses itself is repaired when all but
a sliver of it is one piece (a slip of the hand), and refused with the place of the crossing
when it falls into pieces, since then it is open what was meant.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely

from geo.model import GeoError

# A crossing that cuts off less than this share is a slip.
_SLIVER = 0.02
MOST_VERTICES = 100_000


def read_area(area: Mapping[str, Any]) -> shapely.Geometry:
    """The Polygon or MultiPolygon in degrees; GeoError with reason and remedy when it cannot be used."""
    if isinstance(area, Mapping) and area.get("type") == "Feature":
        area = area.get("geometry") or {}
    if not isinstance(area, Mapping) or area.get("type") not in ("Polygon", "MultiPolygon"):
        raise GeoError("An area must be a Polygon or a MultiPolygon.", "Draw a closed shape.")
    coordinates = area.get("coordinates")
    polygons: Any = [coordinates] if area["type"] == "Polygon" else coordinates
    try:
        parts = [[_ring(ring) for ring in polygon] for polygon in polygons]
        if sum(len(ring) for part in parts for ring in part) > MOST_VERTICES:
            raise GeoError(f"The area has more than {MOST_VERTICES} vertices.", "Simplify it.")
        drawn = [shapely.Polygon(part[0], part[1:]) for part in (_unwrapped(one) for one in parts if one)]
    except (ValueError, TypeError, IndexError, shapely.errors.ShapelyError) as error:
        raise GeoError("The area's coordinates cannot be read.", "Draw it again.") from error
    if not drawn or all(one.is_empty for one in drawn):
        raise GeoError("The area is empty.", "Draw a closed shape.")
    for one in drawn:
        west, south, east, north = one.bounds
        if south < -90 or north > 90 or west < -540 or east > 540:
            raise GeoError(
                f"The area reaches from {west:g}, {south:g} to {east:g}, {north:g}, which is not on the globe.",
                "Write longitude first, then latitude, in degrees.",
            )
    return _within_the_globe(shapely.union_all([_repaired(one) for one in drawn]))


def _ring(vertices: Any) -> np.ndarray:
    ring = np.array([[vertex[0], vertex[1]] for vertex in vertices], dtype=float)
    if len(ring) < 4 or not np.isfinite(ring).all():
        raise ValueError("a ring has four vertices or more")
    return ring


def _unwrapped(rings: list[np.ndarray]) -> list[np.ndarray]:
    """The rings without jumps: from 179 to -179 is a step of two degrees east, not a walk round the world."""
    found = []
    for ring in rings:
        steps = np.diff(ring[:, 0])
        # A closed ring that goes once round the world (all of it, as a box of 360 degrees) has no jump to mend.
        turns = np.zeros(len(ring))
        if np.ptp(ring[:, 0]) < 360:
            turns[1:] = np.cumsum(np.where(steps > 180, -360.0, np.where(steps < -180, 360.0, 0.0)))
        if abs(turns[-1]) > 1e-9:
            raise GeoError("The area goes round a pole.", "Draw one that does not hold the pole.")
        found.append(np.column_stack([ring[:, 0] + turns, ring[:, 1]]))
    middle = float(np.mean(found[0][:, 0]))
    for place, hole in enumerate(found[1:], start=1):
        around = round((middle - float(np.mean(hole[:, 0]))) / 360.0)
        found[place] = hole + np.array([360.0 * around, 0.0])
    return found


def _repaired(polygon: shapely.Polygon) -> shapely.Geometry:
    if polygon.is_valid:
        return polygon
    fixed = shapely.make_valid(polygon, method="structure", keep_collapsed=False)
    parts = [one for one in shapely.get_parts(fixed) if one.geom_type == "Polygon"]
    areas = sorted((one.area for one in parts), reverse=True)
    if not areas or areas[0] <= 0:
        raise GeoError("The area has no inside.", "Draw a closed shape.")
    if sum(areas[1:]) > _SLIVER * sum(areas):
        reason = shapely.is_valid_reason(polygon)
        raise GeoError(f"The area cannot be used: {reason}.", "Draw a shape that does not cross itself.")
    return shapely.union_all(parts)


def _within_the_globe(drawn: shapely.Geometry) -> shapely.Geometry:
    west, _, east, _ = drawn.bounds
    if west >= -180 and east <= 180:
        return drawn
    pieces = []
    for turn in (-360.0, 0.0, 360.0):
        window = shapely.box(-180 + turn, -90, 180 + turn, 90)
        piece = shapely.intersection(drawn, window)
        if not piece.is_empty:
            pieces.append(shapely.transform(piece, lambda xy, turn=turn: xy - [turn, 0.0]))
    parts = [part for one in pieces for part in shapely.get_parts(one) if part.geom_type == "Polygon"]
    return shapely.union_all(parts)


def fewer_corners(area: Mapping[str, Any], most: int) -> tuple[dict[str, Any], int, float]:
    """The area with at most `most` vertices: as GeoJSON, how many there were, and by how many metres it may be off.

    As it was drawn (0 metres) where it has no more. GeoError as `read_area`.
    """
    drawn = read_area(area)
    before = int(shapely.get_num_coordinates(drawn))
    found, metres = drawn, 0.0
    while shapely.get_num_coordinates(found) > most:
        # A degree of latitude is about 111 km; of longitude it is less, so that the promise holds everywhere.
        metres = metres * 2 or 1.0
        if metres > 10_000:
            raise GeoError(f"The area has {before} corners.", f"Draw it with at most {most}.")
        found = shapely.simplify(drawn, metres / 111_320)
    return json.loads(shapely.to_geojson(found)), before, metres
