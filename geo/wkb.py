"""Well-known binary (OGC 06-103r4) for the two shapes that elements have: points and lines.

Standard library only, little-endian, two dimensions. Areas are no business of this module.
"""

from __future__ import annotations

import struct

# (lon, lat) vertices; one is a point, more are a line.
Geometry = tuple[tuple[float, float], ...]

_POINT = 1
_LINE = 2


_POINTS = struct.Struct("<BI2d")


def encode(geometry: Geometry) -> bytes:
    """The vertices as WKB; exact, doubles are kept bit by bit."""
    if not geometry:
        raise ValueError("a geometry has at least one vertex")
    if len(geometry) == 1:
        return _POINTS.pack(1, _POINT, *geometry[0])
    flat = [number for vertex in geometry for number in vertex]
    return struct.pack(f"<BII{len(flat)}d", 1, _LINE, len(geometry), *flat)


def decode(data: bytes) -> Geometry:
    """The vertices of WKB, in either byte order. Raises ValueError on anything else."""
    try:
        order = {0: ">", 1: "<"}[data[0]]
        (kind,) = struct.unpack_from(order + "I", data, 1)
        if kind == _POINT:
            numbers = struct.unpack(order + "2d", data[5:])
        elif kind == _LINE:
            (count,) = struct.unpack_from(order + "I", data, 5)
            numbers = struct.unpack(order + f"{2 * count}d", data[9:])
        else:
            raise ValueError(f"geometry type {kind} is neither a point nor a line")
    except (KeyError, IndexError, struct.error) as error:
        raise ValueError("not well-known binary of a point or a line") from error
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def box(data: bytes) -> tuple[float, float, float, float]:
    """West, south, east and north of what `encode` wrote."""
    if len(data) == _POINTS.size:
        _, _, lon, lat = _POINTS.unpack(data)
        return lon, lat, lon, lat
    lons, lats = zip(*decode(data), strict=True)
    return min(lons), min(lats), max(lons), max(lats)
