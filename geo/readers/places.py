"""Distances on the globe, one by one and for arrays alike."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_EARTH_KM = 6371.0088


def km(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Great-circle distance by the haversine formula; NaN for what is not on the globe."""
    if not (max(abs(lon_a), abs(lon_b)) <= 180 and max(abs(lat_a), abs(lat_b)) <= 90):
        return math.nan
    lon_a, lat_a, lon_b, lat_b = map(math.radians, (lon_a, lat_a, lon_b, lat_b))
    half = math.sin((lat_b - lat_a) / 2) ** 2
    half += math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * _EARTH_KM * math.asin(math.sqrt(min(1.0, half)))


def kms(lon_a: Any, lat_a: Any, lon_b: Any, lat_b: Any) -> Any:
    """The same for arrays."""
    off = np.maximum(np.abs(lon_a), np.abs(lon_b)) > 180
    off |= np.maximum(np.abs(lat_a), np.abs(lat_b)) > 90
    lon_a, lat_a, lon_b, lat_b = (np.radians(one) for one in (lon_a, lat_a, lon_b, lat_b))
    half = np.sin((lat_b - lat_a) / 2) ** 2
    half += np.cos(lat_a) * np.cos(lat_b) * np.sin((lon_b - lon_a) / 2) ** 2
    return np.where(off, np.nan, 2 * _EARTH_KM * np.arcsin(np.sqrt(np.minimum(1.0, half))))
