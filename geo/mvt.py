"""Polygons as vector tiles (Mapbox Vector Tile 2.1), for maps of large areas.

Pure functions: the same features and the same tile give the same bytes. Longitude and latitude
in, web mercator inside; polygons are cut a little outside of the tile, so that no border shows. A
polygon smaller than a grid step of the tile is left out of it: it is drawn nearer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from shapely.geometry import shape
from shapely.geometry.polygon import orient

EXTENT = 4_096
_MARGIN = 64
DEEPEST = 14
# (id, GeoJSON geometry, properties: text, whole numbers, truth values)
Feature = tuple[int, Mapping[str, Any], Mapping[str, str | int | bool]]


def tile(z: int, x: int, y: int, layer: str, features: Iterable[Feature]) -> bytes:
    """The tile, with one layer; empty bytes where it holds nothing. ValueError for a tile that is not there."""
    if not 0 <= z <= DEEPEST or not (0 <= x < 2**z and 0 <= y < 2**z):
        raise ValueError("there is no such tile")
    keys: dict[str, int] = {}
    values: dict[tuple[type, Any], int] = {}
    found = b""
    for number, geometry, properties in features:
        drawn = _drawn(geometry, z, x, y)
        if not drawn:
            continue
        tags = []
        for key, value in properties.items():
            tags += [
                keys.setdefault(key, len(keys)),
                values.setdefault((type(value), value), len(values)),
            ]
        body = _number(1, number) + _packed(2, tags) + _number(3, 3) + _packed(4, drawn)
        found += _bytes(2, body)
    if not found:
        return b""
    names = b"".join(_bytes(3, key.encode()) for key in keys)
    said = b"".join(_bytes(4, _value(value)) for _, value in values)
    body = _bytes(1, layer.encode()) + found + names + said + _number(5, EXTENT) + _number(15, 2)
    return _bytes(3, body)


def _drawn(geometry: Mapping[str, Any], z: int, x: int, y: int) -> list[int]:
    """The commands that draw a polygon in a tile."""
    area = shapely.transform(shape(geometry), lambda at: _grid(at, z, x, y))
    edge = EXTENT + _MARGIN
    cut = shapely.intersection(area, shapely.box(-_MARGIN, -_MARGIN, edge, edge))
    whole = shapely.make_valid(shapely.set_precision(cut, 1))
    commands: list[int] = []
    pen = (0, 0)
    for part in _polygons(whole):
        # Seen with y downwards an outer ring runs clockwise: its area by the usual formula is positive.
        turned = orient(part, 1.0)
        for ring in (turned.exterior, *turned.interiors):
            points = [(round(px), round(py)) for px, py in ring.coords[:-1]]
            commands += [_command(1, 1), *_step(pen, points[0]), _command(2, len(points) - 1)]
            for before, point in pairwise(points):
                commands += _step(before, point)
            pen = points[-1]
            commands.append(_command(7, 1))
    return commands


def _grid(at: np.ndarray, z: int, x: int, y: int) -> np.ndarray:
    """Degrees to the steps of a tile, y downwards."""
    scale = 2.0**z
    latitude = np.radians(np.clip(at[:, 1], -85.0511, 85.0511))
    east = (at[:, 0] + 180.0) / 360.0 * scale - x
    south = (1.0 - np.arcsinh(np.tan(latitude)) / math.pi) / 2.0 * scale - y
    return np.column_stack([east, south]) * EXTENT


def _polygons(found: Any) -> Iterator[Any]:
    for part in getattr(found, "geoms", [found]):
        if part.geom_type == "Polygon" and not part.is_empty:
            yield part
        elif hasattr(part, "geoms"):
            yield from _polygons(part)


def _step(before: tuple[int, int], after: tuple[int, int]) -> list[int]:
    return [_zigzag(after[0] - before[0]), _zigzag(after[1] - before[1])]


def _command(kind: int, count: int) -> int:
    return kind | count << 3


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _packed(field: int, values: Iterable[int]) -> bytes:
    return _bytes(field, b"".join(map(_varint, values)))


def _value(value: str | int | bool) -> bytes:
    if isinstance(value, bool):
        return _number(7, int(value))
    return _number(4, value) if isinstance(value, int) else _bytes(1, value.encode())
