"""The privacy promise in numbers, and areas that are drawn only when their cells changed."""

from __future__ import annotations

import random

import numpy as np
import pytest
import shapely
from shapely.geometry import shape

from geo.areas import AreaIndex, outlines
from geo.model import Network
from geo.readers import read_network
from outage_notify.sample.network import FILE
from tests.load.bench_areas import named, random_outages, synthetic


@pytest.fixture(scope="module")
def network() -> Network:
    read = read_network(FILE)
    assert read.network is not None
    return read.network


def test_no_outsider_can_name_a_single_affected_home(network: Network) -> None:
    """She knows every home, how areas are made, and every area that was ever shown."""
    outages = random_outages(network, 60, seed=20261122)
    assert any(len(lost) == 1 for lost in outages)  # the hardest case is among them: one home alone is out
    pieces, told, fewest = named(AreaIndex(network), outages)
    assert (told, fewest >= 10) == (0, True) and pieces > 200


def test_the_count_can_fail(network: Network) -> None:
    """With cells of one load each the same outsider names homes."""
    _, told, fewest = named(AreaIndex(network, k=1), random_outages(network, 60, seed=20261122))
    assert told > 0 and fewest == 1


def test_no_home_is_given_away_by_distance_to_a_vertex(network: Network) -> None:
    """Vertices are those of a lattice that no data move: moving every home moves no vertex off it."""
    areas = AreaIndex(network)
    assert areas.plane is not None
    corners = {
        (round(x), round(y))
        for cell in areas.cells
        for x, y in shapely.get_coordinates(outlines(np.array(cell))).tolist()
    }
    drawn = shape(areas.area([one.id for one in network if one.is_load]))
    xy = areas.plane.points(map(tuple, shapely.get_coordinates(drawn).tolist()))
    # Five decimals of a degree are 1.1 m.
    assert all(
        any((round(x) + dx, round(y) + dy) in corners for dx in (-1, 0, 1) for dy in (-1, 0, 1))
        for x, y in xy
    )


def test_an_area_is_drawn_anew_only_when_its_cells_change() -> None:
    areas = AreaIndex.of_anchors(synthetic(20_000))
    loads = [f"load:{n}" for n in range(500)]
    first = areas.area(loads)
    neighbour = next(
        one for one, cell in areas.cell_of.items() if one not in loads and cell in areas.touched(loads)
    )
    assert areas.area([*loads, neighbour]) is first
    far = next(one for one, cell in areas.cell_of.items() if cell not in areas.touched(loads))
    assert areas.area([*loads, far]) is not first


def test_joining_cells_equals_the_union_of_their_hexagons() -> None:
    areas = AreaIndex.of_anchors(synthetic(20_000))
    chance = random.Random(3)
    for _ in range(20):
        cells = tuple(sorted(chance.sample(range(len(areas.cells)), 40)))
        joined = areas._joined(cells)
        whole = shapely.union_all(outlines(np.array([one for cell in cells for one in areas.cells[cell]])))
        assert joined.is_valid and shapely.symmetric_difference(joined, whole).area < 1e-6 * whole.area
