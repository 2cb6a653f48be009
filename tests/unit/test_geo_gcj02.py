"""GCJ-02: known places, a round trip far below a metre, nothing moved outside China."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod
from shapely.geometry import mapping, shape

from geo.gcj02 import EAST, NORTH, SOUTH, WEST, from_gcj02, shift_geojson, to_gcj02
from geo.model import GeoError

GEOD = Geod(ellps="WGS84")


@pytest.mark.parametrize(
    ("wgs", "gcj"),
    [
        # What gcoord 1.0.7 and coordtransform 2.1.2 (npm, MIT both) answer, to the last digit the same.
        ((116.404, 39.915), (116.41024449916938, 39.91640428150164)),
        ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
        ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
        ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
    ],
)
def test_known_places(wgs: tuple[float, float], gcj: tuple[float, float]) -> None:
    lon, lat = to_gcj02(*wgs)
    assert (float(lon), float(lat)) == pytest.approx(gcj, abs=1e-11)


@given(st.floats(WEST + 0.1, EAST - 0.1), st.floats(SOUTH + 0.1, NORTH - 0.1))
def test_there_and_back_is_the_same_place(lon: float, lat: float) -> None:
    there = to_gcj02(lon, lat)
    back = from_gcj02(*there)
    _, _, metres = GEOD.inv(lon, lat, float(back[0]), float(back[1]))
    assert metres < 0.01
    _, _, moved = GEOD.inv(lon, lat, float(there[0]), float(there[1]))
    assert moved < 2_500


def test_the_mainland_moves_by_some_hundred_metres() -> None:
    chance = np.random.default_rng(5)
    lon, lat = 100 + 20 * chance.random(2000), 23 + 20 * chance.random(2000)
    _, _, metres = GEOD.inv(lon, lat, *to_gcj02(lon, lat))
    assert 300 < np.median(metres) < 700 and metres.max() < 1_000


@pytest.mark.parametrize("place", [(7.85, 48.47), (-0.13, 51.5), (151.2, -33.9), (139.7, 35.7)])
def test_elsewhere_nothing_moves(place: tuple[float, float]) -> None:
    assert tuple(map(float, to_gcj02(*place))) == place


def test_an_area_keeps_its_form() -> None:
    area = shapely.box(116.40, 39.90, 116.41, 39.91)
    moved = shape(shift_geojson(mapping(area)))
    assert moved.is_valid and moved.area == pytest.approx(area.area, rel=0.01)
    assert 0.003 < moved.centroid.distance(area.centroid) < 0.01
    back = shape(shift_geojson(mapping(moved), back=True))
    assert shapely.hausdorff_distance(back, area) < 2e-6


def test_collections_keep_their_properties_and_nonsense_is_refused() -> None:
    feature = {
        "type": "Feature",
        "id": "a",
        "properties": {"n": 1},
        "geometry": mapping(shapely.Point(116.4, 39.9)),
    }
    nowhere = {**feature, "geometry": None}
    moved = shift_geojson({"type": "FeatureCollection", "features": [feature, nowhere], "bbox": [0, 0, 1, 1]})
    assert "bbox" not in moved and moved["features"][1] == nowhere
    assert (
        moved["features"][0]["properties"] == {"n": 1}
        and moved["features"][0]["geometry"] != feature["geometry"]
    )
    for nonsense in (
        {},
        {"type": "Point"},
        {"type": "Feature", "geometry": 3},
        {"type": "Polygon", "coordinates": 5},
    ):
        with pytest.raises(GeoError, match="not GeoJSON"):
            shift_geojson(nonsense)
