"""Finding by place: the grid equals testing every point, drawn areas are repaired or refused, near is near."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely.geometry import mapping

from geo.drawn_area import read_area
from geo.model import GeoError
from geo.point_grid import PointGrid
from geo.spatial_index import SpatialIndex

GEOD = Geod(ellps="WGS84")


def blob(chance: np.random.Generator, vertices: int, holes: bool) -> shapely.Polygon:
    """A star-shaped polygon, with a hole in its middle if told so."""
    angle = np.sort(chance.random(vertices)) * 2 * np.pi
    x, y, size = 8 + chance.random(), 48 + chance.random(), chance.choice([0.01, 0.1, 0.5])
    radius = size * (0.4 + 0.6 * chance.random(vertices))
    ring = np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)])
    return shapely.Polygon(ring, [(np.array([x, y]) + (ring - [x, y]) * 0.4)[::-1]] if holes else [])


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    count=st.sampled_from([0, 1, 2, 50, 5_000, 40_000]),
    vertices=st.integers(3, 40),
    holes=st.booleans(),
    lumps=st.booleans(),
)
def test_the_grid_equals_testing_every_point(
    seed: int, count: int, vertices: int, holes: bool, lumps: bool
) -> None:
    chance = np.random.default_rng(seed)
    lon, lat = 8 + chance.random(count), 48 + chance.random(count)
    if lumps:
        lon, lat = np.round(lon, 1), np.round(lat, 1)
    areas = [shapely.make_valid(blob(chance, vertices, holes)) for _ in range(2)]
    area = shapely.union_all(areas)
    if area.geom_type == "GeometryCollection":
        area = shapely.union_all([one for one in area.geoms if "Polygon" in one.geom_type])
    # A point of the border itself, and the corner of a cell.
    if count > 2:
        lon[0], lat[0] = shapely.get_coordinates(area)[0]
    found = PointGrid(lon, lat).within(area)
    assert found.tolist() == np.flatnonzero(shapely.intersects_xy(area, lon, lat)).tolist()


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**32), count=st.sampled_from([1, 3, 2000]), far=st.sampled_from([0.01, 0.5, 20.0])
)
def test_the_nearest_is_the_nearest(seed: int, count: int, far: float) -> None:
    chance = np.random.default_rng(seed)
    lon, lat = 8 + chance.random(count) / 5, 48 + chance.random(count) / 5
    x, y = 8.1 + chance.normal() * far, 48.1 + chance.normal() * far / 2
    position, metres = PointGrid(lon, lat).nearest(x, y) or (-1, math.inf)
    _, _, every = GEOD.inv(np.full(count, x), np.full(count, y), lon, lat)
    # Sought by a flat earth at the place itself, measured on the ellipsoid.
    assert metres == pytest.approx(every[position]) and metres <= every.min() * (1.002 if far < 1 else 1.3)


def test_nearest_looks_across_the_antimeridian() -> None:
    grid = PointGrid([-179.999, 179.9], [-16.8, -16.8])
    assert (grid.nearest(179.999, -16.8) or (None,))[0] == 0
    assert PointGrid([], []).nearest(0, 0) is None


def polygon(*vertices: tuple[float, float]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[*map(list, vertices), list(vertices[0])]]}


@pytest.mark.parametrize(
    "area",
    [
        polygon((179, -17), (-179, -17), (-179, -16), (179, -16)),
        polygon((179, -17), (181, -17), (181, -16), (179, -16)),
        polygon((-181, -17), (-179, -17), (-179, -16), (-181, -16)),
        mapping(shapely.MultiPolygon([shapely.box(179, -17, 180, -16), shapely.box(-180, -17, -179, -16)])),
    ],
)
def test_the_antimeridian_is_no_border(area: dict[str, Any]) -> None:
    found = read_area(area)
    assert found.is_valid and found.area == pytest.approx(2.0)
    assert PointGrid([179.5, -179.5, 0, 178.5], [-16.5] * 4).within(found).tolist() == [0, 1]


def test_a_slip_is_repaired_and_a_figure_of_eight_refused() -> None:
    slip = polygon((0, 0), (10, 0), (10, 10), (0, 10), (0, 0.1), (0.1, -0.1))
    assert not shapely.Polygon(slip["coordinates"][0]).is_valid
    assert read_area(slip).area == pytest.approx(100, rel=0.01)
    with pytest.raises(GeoError, match="Self-intersection"):
        read_area(polygon((0, 0), (1, 1), (1, 0), (0, 1)))


def test_holes_and_overlapping_parts() -> None:
    hole = mapping(shapely.box(0, 0, 10, 10).difference(shapely.box(4, 4, 6, 6)))
    assert PointGrid([5, 1], [5, 1]).within(read_area(hole)).tolist() == [1]
    two = {
        "type": "MultiPolygon",
        "coordinates": [mapping(shapely.box(n, 0, n + 2, 2))["coordinates"] for n in (0, 1)],
    }
    assert read_area(two).area == pytest.approx(6)
    assert read_area({"type": "Feature", "geometry": two}).area == pytest.approx(6)


@pytest.mark.parametrize(
    ("area", "words"),
    [
        ({"type": "Point", "coordinates": [0, 0]}, "Polygon"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}, "cannot be read"),
        ({"type": "Polygon", "coordinates": [[[0, 0], ["a", 1], [1, 0], [0, 0]]]}, "cannot be read"),
        ({"type": "Polygon", "coordinates": []}, "empty"),
        ({"type": "Polygon"}, "cannot be read"),
        (polygon((0, 0), (1, 0), (2, 0)), "no inside"),
        (polygon((48, 100), (49, 100), (49, 101), (48, 101)), "not on the globe"),
        (polygon((0, 80), (120, 80), (-120, 80)), "pole"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(area: dict[str, Any], words: str) -> None:
    with pytest.raises(GeoError, match=words):
        read_area(area)


def test_lines_and_points_are_found_together_and_feeders_by_the_nearest() -> None:
    shapes = [
        ("line:10", ((8.0, 48.0), (8.1, 48.0))),
        ("line:2", ((8.0, 48.1), (8.1, 48.1))),
        ("trafo:1", ((8.05, 48.0),)),
    ]
    index = SpatialIndex.of_shapes(shapes, {"line:2": "North", "trafo:1": "South"})
    assert index.within(mapping(shapely.box(8.04, 47.9, 8.06, 48.2))) == ("line:2", "line:10", "trafo:1")
    feeder, element, metres = index.nearest_feeder(8.06, 48.101) or ("", "", 0.0)
    assert (feeder, element) == ("North", "line:2") and metres == pytest.approx(111.2, rel=0.02)
    assert index.nearest_feeder(8.0, 48.0) is None  # line:10 is in no feeder
