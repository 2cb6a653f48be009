"""Are the coordinates geographic? Impossible and swapped ones are faults, schematic ones are dropped.

Formats declare little: pandapower keeps schematic drawings and real positions in the same
column. The lines' lengths tell them apart: where the drawn lines are about as long as the
lines are said to be, the coordinates are longitude and latitude in degrees; where they
would be so only with both exchanged, they are swapped.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.readers.draft import DRAWN, IMPOSSIBLE, Draft
from geo.readers.places import kms
from geo.readers.report import Report
from geo.wkb import decode

# A drawing is off by a factor of a hundred and more; real networks are not, with rough lengths neither.
_PLAUSIBLE = math.log(20)
# Swapped: with both exchanged the lengths fit this well, and as they stand this badly.
_FITS = 0.03
_MISFITS = 0.10
_ENOUGH = 5

Floats = NDArray[np.float64]


def check_coordinates(draft: Draft, ends: tuple[Any, Any, Any], report: Report) -> bool:
    """Whether the coordinates are geographic and there are any; faults and warnings go to `report`.

    `ends` are the numbers of the elements' buses, negative for none.
    """
    flags = np.frombuffer(draft.flags, np.uint8) if len(draft) else np.empty(0, np.uint8)
    drawn, bad = (flags & DRAWN).astype(bool), (flags & IMPOSSIBLE).astype(bool)
    lons, buses = np.frombuffer(draft.bus[2], float) if draft.bus[2] else np.empty(0), len(draft.bus[0])
    drawn_buses = int((~np.isnan(lons)).sum())
    if not drawn.any():
        report.warn(
            message="There are no coordinates: the network is traced but not drawn.",
            remedy="Add coordinates to the buses (longitude, latitude).",
        )
        return False
    as_is, exchanged = _misfits(draft, ends, turned=False), _misfits(draft, ends, turned=True)
    mostly_bad = bad.sum() * 2 > drawn.sum()
    if _is_swapped(as_is, exchanged, bool(mostly_bad), draft.drawn_turned):
        report.fault(
            field="geometry",
            message="The coordinates are swapped: they fit the lengths of the lines, or the globe, "
            "only as latitude, longitude.",
            remedy="Write longitude first, then latitude (RFC 7946).",
        )
        return False
    geographic = draft.declared or (
        bad.sum() * 2 < drawn.sum() and (bool(len(as_is)) or _small_and_off_zero(draft))
    )
    if len(as_is) and abs(np.median(as_is)) > _PLAUSIBLE and not (draft.declared and bad.any()):
        geographic = False
    if not geographic:
        report.warn(
            field="geometry",
            message="The coordinates are a schematic drawing or not in degrees: "
            "the network is traced but not drawn.",
            remedy="Convert them to longitude and latitude (EPSG:4326).",
        )
        return False
    _name_impossible(draft, np.flatnonzero(bad).tolist(), report)
    if drawn_buses < buses:
        report.warn(
            field="geometry",
            message=f"{buses - drawn_buses} of {buses} buses have no coordinates: traced but not drawn.",
            remedy="Add coordinates to them.",
        )
    return True


def _name_impossible(draft: Draft, numbers: list[int], report: Report) -> None:
    for _, record in draft.records(numbers) if numbers else ():
        shape = decode(record[5] or b"")
        lon, lat = next(vertex for vertex in shape if not _possible(*vertex))
        hint = " It would be possible with both swapped." if _possible(lat, lon) else ""
        report.fault(
            record[7],
            record[8],
            "geometry",
            message=f"{record[0]} lies at longitude {lon:g}, latitude {lat:g}, "
            f"which is not on the globe.{hint}",
            remedy="Write longitude (-180 to 180) first, then latitude (-90 to 90).",
        )


def _possible(lon: float, lat: float) -> bool:
    return abs(lon) <= 180 and abs(lat) <= 90


def _is_swapped(as_is: Floats, exchanged: Floats, mostly_bad: bool, turnable: bool) -> bool:
    if mostly_bad:
        return turnable and bool(len(exchanged)) and bool(abs(np.median(exchanged)) <= _PLAUSIBLE)
    if len(as_is) < _ENOUGH or len(exchanged) < _ENOUGH:
        return False
    return bool(np.median(np.abs(as_is)) > _MISFITS and np.median(np.abs(exchanged)) < _FITS)


def _misfits(draft: Draft, ends: tuple[Any, Any, Any], turned: bool) -> Floats:
    """Per line with a length: the logarithm of drawn over stated length."""
    if not draft.line[0]:
        return np.empty(0)
    number = np.frombuffer(draft.line[0], np.int32)
    said = np.frombuffer(draft.line[1], float)
    length = np.frombuffer(draft.line[3 if turned else 2], float).copy()
    own = ~np.isnan(np.frombuffer(draft.line[2], float)) | ~np.isnan(np.frombuffer(draft.line[3], float))
    # What is not drawn itself runs straight between its buses.
    bare = ~own & (ends[0][number] >= 0) & (ends[1][number] >= 0)
    lon, lat = (np.full(len(draft), np.nan) for _ in range(2))
    buses = np.frombuffer(draft.bus[0], np.int32)
    lon[buses], lat[buses] = np.frombuffer(draft.bus[2], float), np.frombuffer(draft.bus[3], float)
    a, b = ends[0][number[bare]], ends[1][number[bare]]
    places = (lon[a], lat[a], lon[b], lat[b])
    length[bare] = kms(*((places[1], places[0], places[3], places[2]) if turned else places))
    counted = length > 0
    return np.log(length[counted] / said[counted])


def _small_and_off_zero(draft: Draft) -> bool:
    """Without lengths: real distribution networks are small, and drawings begin at zero."""
    west, south, east, north = draft.box
    lon, lat = np.frombuffer(draft.bus[2], float), np.frombuffer(draft.bus[3], float)
    more = np.frombuffer(draft.first_vertex, float).reshape(-1, 2) if draft.first_vertex else np.empty((0, 2))
    off = math.hypot(
        float(np.nanmedian(np.concatenate([lon, more[:, 0]]))),
        float(np.nanmedian(np.concatenate([lat, more[:, 1]]))),
    )
    return max(east - west, north - south) < 2 and off > 5
