"""Vector tiles, read by GDAL's decoder: the polygons are where they are, and what is said of them is right."""

from __future__ import annotations

import math

import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import mvt
from outage_notify.services.open_formats import vector_tile
from outage_notify.services.public_facts import Phase, PublicList, in_order
from tests.factories.people import NOW
from tests.factories.public_outages import outage, square


def at(z: int, lon: float, lat: float) -> tuple[int, int]:
    """The tile that holds a point."""
    south = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return int((lon + 180) / 360 * 2**z), int(south * 2**z)


def decoded(body: bytes) -> tuple[list[shapely.Geometry], dict[str, list[object]]]:
    meta, _, geometry, columns = pyogrio.raw.read(body, layer="outages")
    fields = {name: list(column) for name, column in zip(meta["fields"], columns, strict=True)}
    return [shapely.from_wkb(one) for one in geometry], fields


def test_a_tile_says_what_the_facts_say() -> None:
    found = [outage(1), outage(2, Phase.CANCELLED)]
    x, y = at(10, 7.015, 48.005)
    shapes, fields = decoded(vector_tile(PublicList(NOW, in_order(found)), 10, x, y))
    assert fields["reference"] == ["PO-2026-0001", "PO-2026-0002"]
    assert fields["phase"] == ["planned", "cancelled"]
    assert all(one.is_valid and one.area > 0 for one in shapes)


@given(st.integers(0, 14), st.integers(0, 9_999))
@settings(max_examples=40)
def test_no_polygon_leaves_its_place(z: int, number: int) -> None:
    west, south = square(number)["coordinates"][0][0]
    x, y = at(z, west + 0.005, south + 0.005)
    body = mvt.tile(z, x, y, "outages", [(1, square(number), {"reference": "R"})])
    side = 0.01 / 360 * 2**z * mvt.EXTENT
    if side < 2:
        return
    (drawn,), _ = decoded(body)
    left = (west + 180) / 360 * 2**z * mvt.EXTENT - x * mvt.EXTENT
    # The reader cuts off what lies outside of the tile.
    assert abs(drawn.bounds[0] - max(left, 0)) <= 1.01
    assert drawn.bounds[2] - drawn.bounds[0] <= side + 2


def test_a_tile_without_outages_is_empty() -> None:
    assert mvt.tile(10, 0, 0, "outages", [(1, square(1), {})]) == b""


@pytest.mark.parametrize("tile", [(15, 0, 0), (-1, 0, 0), (1, 2, 0), (1, 0, -1)])
def test_a_tile_that_is_not_there(tile: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="no such tile"):
        mvt.tile(*tile, "outages", [])
