"""Are the coordinates geographic? Impossible and swapped ones are faults, schematic ones are dropped.

Formats declare little: pandapower keeps schematic drawings and real positions in the same
column. The lines' lengths tell them apart: where the drawn lines are about as long as the
lines are said to be, the coordinates are longitude and latitude in degrees; where they
would be so only with both exchanged, they are swapped.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from geo.model import Element
from geo.readers.report import Report
from geo.wkb import Geometry

if TYPE_CHECKING:
    from geo.readers.build import Draft

_EARTH_KM = 6371.0088
# A drawing is off by a factor of a hundred and more; real networks are not, with rough lengths neither.
_PLAUSIBLE = math.log(20)
# Swapped: with both exchanged the lengths fit this well, and as they stand this badly.
_FITS = 0.03
_MISFITS = 0.10
_ENOUGH = 5


def check_coordinates(by_id: dict[str, Element], draft: Draft, report: Report) -> dict[str, Element]:
    """The elements, without geometry where it is schematic. Faults and warnings go to `report`."""
    drawn = {name: one for name, one in by_id.items() if one.geometry is not None}
    buses = sum(one.kind == "bus" for one in by_id.values())
    drawn_buses = sum(one.kind == "bus" for one in drawn.values())
    if not drawn:
        report.warn(
            message="There are no coordinates: the network is traced but not drawn.",
            remedy="Add coordinates to the buses (longitude, latitude).",
        )
        return by_id
    bad = {name for name, one in drawn.items() if not _possible(one.geometry)}
    as_is = _misfits(by_id, _same)
    exchanged = _misfits(by_id, _exchange)
    if _is_swapped(as_is, exchanged, bad, drawn):
        report.fault(
            field="geometry",
            message="The coordinates are swapped: they fit the lengths of the lines, or the globe, "
            "only as latitude, longitude.",
            remedy="Write longitude first, then latitude (RFC 7946).",
        )
        return by_id
    geographic = draft.declared or (
        len(bad) * 2 < len(drawn) and (bool(as_is) or _small_and_off_zero(drawn, bad))
    )
    if as_is and abs(median(as_is)) > _PLAUSIBLE and not (draft.declared and bad):
        geographic = False
    if not geographic:
        report.warn(
            field="geometry",
            message="The coordinates are a schematic drawing or not in degrees: "
            "the network is traced but not drawn.",
            remedy="Convert them to longitude and latitude (EPSG:4326).",
        )
        return {name: replace(one, geometry=None) for name, one in by_id.items()}
    for element, (table, row) in zip(draft.elements, draft.places, strict=True):
        if element.id in bad and element.geometry is not None:
            lon, lat = next(vertex for vertex in element.geometry if not _possible((vertex,)))
            hint = " It would be possible with both swapped." if _possible(((lat, lon),)) else ""
            report.fault(
                table,
                row,
                "geometry",
                message=f"{element.id} lies at longitude {lon:g}, latitude {lat:g}, "
                f"which is not on the globe.{hint}",
                remedy="Write longitude (-180 to 180) first, then latitude (-90 to 90).",
            )
    if drawn_buses < buses:
        report.warn(
            field="geometry",
            message=f"{buses - drawn_buses} of {buses} buses have no coordinates: traced but not drawn.",
            remedy="Add coordinates to them.",
        )
    return by_id


def _is_swapped(as_is: list[float], exchanged: list[float], bad: set[str], drawn: dict[str, Element]) -> bool:
    if len(bad) * 2 > len(drawn):
        turned = all(_possible(_exchange(one.geometry)) for one in drawn.values() if one.geometry)
        return turned and bool(exchanged) and abs(median(exchanged)) <= _PLAUSIBLE
    if len(as_is) < _ENOUGH or len(exchanged) < _ENOUGH:
        return False
    return median(map(abs, as_is)) > _MISFITS and median(map(abs, exchanged)) < _FITS


def _misfits(by_id: dict[str, Element], turn: Callable[[Geometry], Geometry]) -> list[float]:
    """Per line with a length: the logarithm of drawn over stated length."""
    found = []
    for element in by_id.values():
        stated = element.attrs.get("length_km")
        if element.kind != "line" or not isinstance(stated, (int, float)) or not stated > 0:
            continue
        shape = element.geometry
        if shape is None or len(shape) < 2:
            ends = [by_id[bus].geometry for bus in element.buses if bus in by_id]
            shape = tuple(end[0] for end in ends if end)
        shape = turn(shape)
        if len(shape) < 2 or not _possible(shape):
            continue
        drawn = sum(_km(a, b) for a, b in pairwise(shape))
        if drawn > 0:
            found.append(math.log(drawn / stated))
    return found


def _km(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Great-circle distance by the haversine formula."""
    lon_a, lat_a, lon_b, lat_b = map(math.radians, (*a, *b))
    half = math.sin((lat_b - lat_a) / 2) ** 2
    half += math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * _EARTH_KM * math.asin(math.sqrt(min(1.0, half)))


def _possible(shape: Geometry | None) -> bool:
    return shape is not None and all(abs(lon) <= 180 and abs(lat) <= 90 for lon, lat in shape)


def _small_and_off_zero(drawn: dict[str, Element], bad: set[str]) -> bool:
    """Without lengths: real distribution networks are small, and drawings begin at zero."""
    points = [vertex for name, one in drawn.items() if name not in bad for vertex in one.geometry or ()]
    lons, lats = [lon for lon, _ in points], [lat for _, lat in points]
    extent = max(max(lons) - min(lons), max(lats) - min(lats))
    return extent < 2 and math.hypot(median(lons), median(lats)) > 5


def _same(shape: Geometry) -> Geometry:
    return shape


def _exchange(shape: Geometry) -> Geometry:
    return tuple((lat, lon) for lon, lat in shape)
