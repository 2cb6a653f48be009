"""The network as plain data: rows and back, names in natural order, well-known binary."""

from __future__ import annotations

import json
import math

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.model import Element, Network, natural
from geo.wkb import decode, encode
from tests.factories.small_networks import Build, street

coordinate = st.floats(allow_nan=False, allow_infinity=False)
vertices = st.lists(st.tuples(coordinate, coordinate), min_size=1, max_size=9).map(tuple)


@given(vertices)
def test_geometry_survives_binary_bit_by_bit(shape: tuple[tuple[float, float], ...]) -> None:
    assert decode(encode(shape)) == shape


@given(st.lists(st.tuples(st.integers(-180, 180), st.integers(-90, 90)), min_size=1, max_size=5).map(tuple))
def test_others_read_our_binary(shape: tuple[tuple[float, float], ...]) -> None:
    assert tuple(shapely.from_wkb(encode(shape)).coords) == shape
    drawn = shapely.Point(shape[0]) if len(shape) == 1 else shapely.LineString(shape)
    assert decode(shapely.to_wkb(drawn, byte_order=0)) == shape


@pytest.mark.parametrize(
    "data", [b"", b"\x01", b"\x07abcdefgh", encode(((1.0, 2.0),))[:-1], b"\x01\x03" + bytes(20)]
)
def test_other_binary_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"neither|not well-known"):
        decode(data)


def test_rows_hold_everything_and_survive_a_database() -> None:
    net = Build().buses(3).network().elements
    elements = dict(net)
    elements["bus:0"] = Element(
        "bus", "bus:0", "Süd 变电站", geometry=((7.9, 48.4),), attrs={"vn_kv": 20.0, "zone": None}
    )
    elements["bus:1"] = Element("bus", "bus:1", geometry=((7.8, 48.5),))
    elements["ext_grid:0"] = Element("ext_grid", "ext_grid:0", buses=("bus:0",))
    elements["line:0"] = Element("line", "line:0", buses=("bus:0", "bus:1"), phases="AB")
    elements["switch:0"] = Element("switch", "switch:0", buses=("bus:0",), on="line:0", closed=False)
    elements["trafo3w:0"] = Element(
        "trafo3w", "trafo3w:0", buses=("bus:0", "bus:1", "bus:2"), in_service=False
    )
    elements["load:0"] = Element("load", "load:0", buses=("bus:1",), attrs={"p_mw": 0.1})
    network = Network(elements, {"Nord": ("line:0", "load:0", "switch:0"), "West": ("trafo3w:0",)})
    rows = network.to_rows()
    stored = [{**row, "attrs": json.loads(json.dumps(row["attrs"]))} for row in rows]
    assert Network.from_rows(stored) == network
    assert Network.from_rows(reversed(stored)) == network
    by_id = {row["id"]: row for row in rows}
    assert by_id["load:0"]["min_lon"] == by_id["load:0"]["max_lon"] == 7.8  # where its bus is
    assert by_id["line:0"]["min_lat"] == 48.4 and by_id["line:0"]["max_lat"] == 48.5
    assert by_id["bus:2"]["min_lon"] is None and by_id["bus:2"]["geometry"] is None
    assert by_id["switch:0"]["at_bus"] == "bus:0" and by_id["switch:0"]["on_element"] == "line:0"


def test_a_network_that_differs_in_one_switch_is_not_equal() -> None:
    network = street()
    rows = network.to_rows()
    for row in rows:
        if row["id"] == "switch:9":
            row["closed"] = True
    assert Network.from_rows(rows) != network


@given(st.lists(st.from_regex(r"[a-z]{1,4}:[0-9]{1,3}", fullmatch=True)))
def test_natural_order_is_by_number_and_without_repeats(names: list[str]) -> None:
    ordered = natural(names)
    assert set(ordered) == set(names) and len(ordered) == len(set(names))
    keys = [(name.split(":")[0], int(name.split(":")[1])) for name in ordered]
    assert keys == sorted(keys)


def test_natural_order_takes_any_name() -> None:
    assert natural(["load:10", "load:2", "load:2a", "12", "x"]) == ("12", "load:2", "load:2a", "load:10", "x")


def test_elements_without_a_place_have_no_shape() -> None:
    network = street()
    assert all(network.shape(element) is None for element in network)
    assert not network.geographic
    placed = Element("bus", "bus:1", geometry=((1.0, 2.0),))
    half = Network({**network.elements, "bus:1": placed})
    assert half.shape(half.elements["load:1"]) == ((1.0, 2.0),)
    assert half.shape(half.elements["line:2"]) is None
    assert math.isclose(half.shape(placed)[0][1], 2.0)  # type: ignore[index]
