"""Degrees to metres and back, in a plane chosen from the data.

Positions are kept as WGS-84 longitude and latitude (EPSG:4326) and measured in the UTM
zone (UPS near the poles) of the network's middle. Web Mercator is never used to measure:
at 40 degrees it stretches by 1.3. CGCS2000 agrees with WGS-84 to within a metre.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median_low

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyproj import Transformer

from geo.model import GeoError, Network

_UTM_SOUTH = -80.0
_UTM_NORTH = 84.0


class Plane:
    """One metre system. Two planes of the same zone are the same, whatever data chose them."""

    def __init__(self, lon: float, lat: float) -> None:
        """The plane of the zone in which (lon, lat) lies."""
        self._use(_zone(lon, lat))

    @classmethod
    def numbered(cls, epsg: int) -> Plane:
        """The plane that another one's `epsg` names."""
        plane = cls.__new__(cls)
        plane._use(epsg)
        return plane

    def _use(self, epsg: int) -> None:
        self.epsg = epsg
        self._to = Transformer.from_crs(4326, epsg, always_xy=True)

    @classmethod
    def of(cls, network: Network) -> Plane:
        """The plane of the network's middle; GeoError when nothing in it has a place."""
        points = [shape[0] for bus in network.of_kind("bus") if (shape := bus.geometry)]
        if not points:
            raise GeoError("The network has no coordinates.", "Add longitude and latitude to its buses.")
        # A middle that is one of the places: between 179.9 and -179.9 the mean would be in Greenwich.
        return cls(median_low(lon for lon, _ in points), median_low(lat for _, lat in points))

    def metres(self, lon: ArrayLike, lat: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Easting and northing in metres."""
        x, y = self._to.transform(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))
        return np.asarray(x), np.asarray(y)

    def degrees(self, x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Longitude and latitude."""
        lon, lat = self._to.transform(
            np.asarray(x, dtype=float), np.asarray(y, dtype=float), direction="INVERSE"
        )
        return np.asarray(lon), np.asarray(lat)

    def points(self, pairs: Iterable[tuple[float, float]]) -> NDArray[np.float64]:
        """(lon, lat) pairs as an (n, 2) array of metres."""
        degrees = np.asarray(list(pairs), dtype=float).reshape(-1, 2)
        return np.column_stack(self.metres(degrees[:, 0], degrees[:, 1]))


def _zone(lon: float, lat: float) -> int:
    """The EPSG code of the UTM or UPS zone of WGS-84 that holds the position."""
    if lat >= _UTM_NORTH:
        return 32661
    if lat < _UTM_SOUTH:
        return 32761
    number = int((lon + 180) % 360 // 6) + 1
    return (32600 if lat >= 0 else 32700) + number
