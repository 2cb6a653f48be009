"""The declared coordinate system of a file: taken as degrees, converted when told so, or refused.

Everything is kept as WGS-84 longitude and latitude (EPSG:4326). CGCS2000, ETRS89 and other
systems that agree with it within metres are taken over; systems whose shift depends on
parameters that only the owner has (Beijing 1954, Xian 1980) are refused with that reason.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError, ProjError
from pyproj.transformer import Transformer, TransformerGroup

from geo.readers.report import Report, clip

Turn = Callable[[NDArray[np.float64]], NDArray[np.float64]]
# A distribution line is told from its neighbour within this.
_GOOD_M = 5.0
_AGREES = "agrees"
_OWNERS_PARAMETERS = ("beijing", "xian")


def to_degrees(declared: str | None, convert: bool | None, table: str, report: Report) -> Turn | None:
    """What turns (x, y) rows into (lon, lat); None with a fault when the system cannot be used.

    `convert` is what the mapping says of projected coordinates, None where there is no mapping.
    `declared` is what the file says (EPSG:4326, WKT, URN); nothing declared is taken as it stands and warned of.
    """
    if not declared:
        report.warn(
            table,
            field="crs",
            message="No coordinate system is declared: taken as longitude and latitude (WGS-84).",
            remedy="Add the .prj file, or set the layer's coordinate system.",
        )
        return _same
    try:
        crs = CRS.from_user_input(declared)
    except CRSError:
        report.fault(
            table,
            field="crs",
            message=f"The declared coordinate system {clip(declared)} is not known.",
            remedy="Export in EPSG:4326 (WGS-84), or without coordinates: then it is traced and not drawn.",
        )
        return None
    if not crs.is_geographic and not convert:
        report.fault(
            table,
            field="crs",
            message=f"The declared coordinates are not geographic ({clip(crs.name)}).",
            remedy="Export in EPSG:4326."
            if convert is None
            else "Export in EPSG:4326, or write `convert: true` into the mapping to have them converted.",
        )
        return None
    best = _best(crs)
    if best is _AGREES:
        return _same
    if not isinstance(best, Transformer) or not 0 <= _accuracy(crs, best) <= _GOOD_M:
        known = "depends on parameters that this program does not have, or is not known well enough"
        report.fault(
            table,
            field="crs",
            message=f"The shift from {clip(crs.name)} to WGS-84 {known}.",
            remedy="Convert with your own parameters to EPSG:4326 or EPSG:4490 (CGCS2000) and export again.",
        )
        return None
    transformer = best

    def turn(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(transformer.transform(xy[:, 0], xy[:, 1]))

    return turn


def _same(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    return xy


def _best(crs: CRS) -> Transformer | str | None:
    """The way to WGS-84: _AGREES where degrees are the same within a metre, None where there is none."""
    base = crs.geodetic_crs
    datum = base.name.casefold() if base is not None else ""
    if any(name in datum for name in _OWNERS_PARAMETERS):
        return None
    if _agrees(datum):
        return _AGREES if crs.is_geographic else Transformer.from_crs(crs, base, always_xy=True)
    try:
        with warnings.catch_warnings():
            # PROJ tells of grids that are not installed; the accuracy that is checked accounts for them.
            warnings.simplefilter("ignore", UserWarning)
            group = TransformerGroup(crs, 4326, always_xy=True, allow_ballpark=False)
    except (CRSError, ProjError):
        return None
    return group.transformers[0] if group.transformers else None


def _accuracy(crs: CRS, best: Transformer) -> float:
    base = crs.geodetic_crs
    return 0.0 if base is not None and _agrees(base.name.casefold()) else best.accuracy


def _agrees(datum: str) -> bool:
    """WGS-84 and what agrees with it within a metre, by the names that GDAL and EPSG write."""
    return any(
        name in datum for name in ("wgs 84", "wgs84", "wgs_1984", "crs84", "cgcs2000", "china geodetic")
    )
