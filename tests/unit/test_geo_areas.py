"""Public areas name nobody: whole cells of a fixed lattice, ten loads each, no vertex on a home."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import shape

from geo.areas import HEXAGON_M, AreaIndex, public_area
from geo.geojson import affected_geometry
from geo.model import Element, GeoError, Network
from geo.projection import Plane
from geo.readers import read_network
from geo.resolve import resolve
from geo.spatial_index import SpatialIndex
from outage_notify.sample.network import FILE


@pytest.fixture(scope="module")
def network() -> Network:
    read = read_network(FILE)
    assert read.network is not None
    return read.network


@pytest.fixture(scope="module")
def areas(network: Network) -> AreaIndex:
    return AreaIndex(network)


def loads(network: Network) -> list[str]:
    return [one.id for one in network if one.is_load]


def rings(area: dict[str, Any]) -> list[list[list[float]]]:
    parts = [area["coordinates"]] if area["type"] == "Polygon" else area["coordinates"]
    return [ring for part in parts for ring in part]


def test_every_load_hides_among_ten(network: Network, areas: AreaIndex) -> None:
    sizes: dict[int, int] = {}
    for cell in areas.cell_of.values():
        sizes[cell] = sizes.get(cell, 0) + 1
    assert set(areas.cell_of) == set(loads(network))
    assert min(sizes.values()) >= 10
    assert len(sizes) > 30  # and not by drawing everything as one


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 300))
def test_outsiders_never_learn_of_fewer_than_ten(
    network: Network, areas: AreaIndex, seed: int, count: int
) -> None:
    """Whatever two outages are compared, what one shows and the other does not holds ten loads or none."""
    chance = random.Random(seed)
    one, two = (chance.sample(loads(network), count) for _ in range(2))
    a, b = shape(areas.area(one)), shape(areas.area(two))
    for seen in (a, b, a.difference(b), b.difference(a), a.intersection(b)):
        inside = sum(
            seen.contains(shape(cell)) for cell in (areas.area([load]) for load in _one_per_cell(areas))
        )
        # Only slivers of rounding may remain where no whole cell is inside.
        assert inside or seen.area < 1e-9


def test_no_vertex_lies_on_a_home(network: Network, areas: AreaIndex) -> None:
    area = areas.area(loads(network))
    assert area is not None
    homes = {
        (round(lon, 5), round(lat, 5))
        for load in network.of_kind("load")
        for lon, lat in network.shape(load) or ()
    }
    assert homes and not homes & {tuple(vertex) for ring in rings(area) for vertex in ring}


def test_the_same_home_is_always_shown_by_the_same_area(network: Network, areas: AreaIndex) -> None:
    again = AreaIndex(network)
    for load in loads(network)[::97]:
        outage = resolve(network, work=[load])
        assert areas.area([load]) == again.area([load]) == public_area(again, outage) is not None


def test_areas_are_right_by_rfc_7946(areas: AreaIndex, network: Network) -> None:
    area = areas.area(random.Random(5).sample(loads(network), 200))
    assert area is not None and shape(area).is_valid
    for part in getattr(shape(area), "geoms", [shape(area)]):
        assert shapely.is_ccw(part.exterior)
        assert not any(shapely.is_ccw(hole) for hole in part.interiors)
    for ring in rings(area):
        assert ring[0] == ring[-1]
        assert all(round(number, 5) == number for vertex in ring for number in vertex)


def test_too_few_loads_are_not_drawn_at_all() -> None:
    elements = {f"bus:{n}": Element("bus", f"bus:{n}", geometry=((8.0 + n / 999, 48.0),)) for n in range(9)}
    elements |= {f"load:{n}": Element("load", f"load:{n}", buses=(f"bus:{n}",)) for n in range(9)}
    assert public_area(Network(elements), ["load:1"]) is None


def test_an_area_across_the_antimeridian_is_cut_there() -> None:
    """Forty loads along a street in Fiji, half on each side of 180 degrees."""
    lons = [179.99 + n / 2000 if n < 20 else -180 + (n - 20) / 2000 for n in range(40)]
    elements = {
        f"bus:{n}": Element("bus", f"bus:{n}", geometry=((lon, -16.8),)) for n, lon in enumerate(lons)
    }
    elements |= {f"load:{n}": Element("load", f"load:{n}", buses=(f"bus:{n}",)) for n in range(40)}
    area = public_area(Network(elements), [f"load:{n}" for n in range(40)])
    assert area is not None and area["type"] == "MultiPolygon"
    drawn = shape(area)
    assert drawn.is_valid and drawn.area < 0.001
    assert {math.copysign(1, part.centroid.x) for part in drawn.geoms} == {1.0, -1.0}
    assert all(drawn.distance(shapely.Point(lon, -16.8)) < 0.003 for lon in lons)


def test_loads_without_a_place_are_not_drawn(network: Network, areas: AreaIndex) -> None:
    assert areas.area(["load:none"]) is None
    assert areas.area([]) is None


@pytest.mark.parametrize(
    ("lon", "lat"), [(7.9, 48.4), (116.4, 39.9), (-70.0, -33.4), (15.0, 85.0), (0.0, -85.0)]
)
def test_metres_are_metres_everywhere(lon: float, lat: float) -> None:
    plane = Plane(lon, lat)
    x, y = plane.metres([lon, lon], [lat, lat + 0.001])
    assert math.isclose(math.hypot(x[1] - x[0], y[1] - y[0]), 111.2, rel_tol=0.01)
    back = plane.degrees(x, y)
    assert math.isclose(float(back[0][0]), lon, abs_tol=1e-7) and math.isclose(
        float(back[1][0]), lat, abs_tol=1e-7
    )


def test_a_drawn_area_finds_what_lies_in_it_and_the_nearest_is_near(network: Network) -> None:
    index = SpatialIndex(network, "load")
    home = network.elements["load:10007"]
    ((lon, lat),) = network.shape(home) or ()
    box = shapely.geometry.mapping(shapely.box(lon - 1e-6, lat - 1e-6, lon + 1e-6, lat + 1e-6))
    assert "load:10007" in index.within(box)
    assert len(index.within(shapely.geometry.mapping(shapely.box(-180, -90, 180, 90)))) == 1641
    name, metres = index.nearest(lon, lat) or ("", math.inf)
    assert name in index.within(box) and metres < 1
    with pytest.raises(GeoError, match="Self-intersection"):
        index.within({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]})
    with pytest.raises(GeoError, match="Polygon"):
        index.within({"type": "Point", "coordinates": [0, 0]})


def test_the_dispatcher_sees_lines_and_points(network: Network) -> None:
    drawn = affected_geometry(network, ["line:182", "bus:77", "load:10007", "nothing:1"])
    assert [one["id"] for one in drawn["features"]] == ["line:182", "bus:77", "load:10007"]
    assert [one["geometry"]["type"] for one in drawn["features"]] == ["LineString", "Point", "Point"]


def _one_per_cell(areas: AreaIndex) -> list[str]:
    return list({cell: load for load, cell in areas.cell_of.items()}.values())


def test_hexagons_have_the_size_they_say(areas: AreaIndex) -> None:
    (single,) = {
        cell for cell in areas.cells if len(cell) == 1 and cell == min(c for c in areas.cells if len(c) == 1)
    }
    load = next(load for load, cell in areas.cell_of.items() if areas.cells[cell] == single)
    area = areas.area([load])
    assert area is not None and areas.plane is not None
    metres = shapely.Polygon(areas.plane.points(tuple(vertex) for vertex in area["coordinates"][0]))
    assert math.isclose(metres.area, math.sqrt(3) / 2 * HEXAGON_M**2, rel_tol=0.01)
