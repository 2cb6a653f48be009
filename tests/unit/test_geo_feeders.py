"""A feeder is what normally hangs behind one outgoing branch of the medium-voltage busbar."""

from __future__ import annotations

from geo.model import Network
from tests.factories.small_networks import Build, street


def test_two_branches_of_a_busbar_are_two_feeders_called_like_them() -> None:
    assert street().feeders == {
        "A": (
            "bus:1",
            "bus:2",
            "line:1",
            "line:2",
            "load:1",
            "load:2",
            "switch:1",
            "switch:2",
            "switch:3",
            "switch:4",
        ),
        "B": (
            "bus:5",
            "bus:6",
            "line:5",
            "line:6",
            "line:9",
            "load:5",
            "load:6",
            "switch:5",
            "switch:6",
            "switch:9",
        ),
    }


def test_the_busbar_lies_behind_the_substation_and_joins_over_closed_couplers() -> None:
    net = Build().buses(2, 110.0).buses(2, 20.0).buses(3, 20.0).buses(1, 0.4)
    net.add("ext_grid:0", 0).add("line:0", 0, 1, name="HV")
    net.add("trafo:0", 1, 2).add("switch:0", 2, 3)
    net.add("line:1", 2, 4, name="East").add("line:2", 3, 5, name="West")
    net.add("switch:9", 4, 5, closed=False)
    net.add("trafo:1", 5, 7).add("load:0", 7).add("load:1", 4)
    feeders = net.network().feeders
    assert feeders == {
        "East": ("bus:4", "line:1", "load:1"),
        "West": ("bus:5", "bus:7", "line:2", "load:0", "trafo:1"),
    }  # the tie belongs to neither, nor do the dead bus:6 and the high voltage


def test_a_closed_ring_is_one_feeder_with_both_names() -> None:
    net = Build().buses(3).add("ext_grid:0", 0)
    net.add("line:0", 0, 1, name="P").add("line:1", 1, 2).add("line:2", 2, 0, name="Q")
    assert list(net.network().feeders) == ["P + Q"]


def test_names_that_repeat_get_the_id_and_missing_ones_are_the_id() -> None:
    net = Build().buses(4).add("ext_grid:0", 0)
    net.add("line:0", 0, 1, name="X").add("line:1", 0, 2, name="X").add("line:2", 0, 3)
    assert list(net.network().feeders) == ["X (line:0)", "X (line:1)", "line:2"]


def test_a_closely_meshed_network_still_has_names_that_fit() -> None:
    net = Build().buses(2).add("ext_grid:0", 0)
    for line in range(40):
        net.add(f"line:{line}", 0, 1, name="x" * 190)
    (name,) = net.network().feeders
    assert name.endswith(" + 37 more") and len(name) <= 200


def test_low_voltage_alone_has_its_feeders_behind_the_source_and_transmission_none() -> None:
    low = Build().buses(2, 0.4).add("ext_grid:0", 0).add("line:0", 0, 1, name="Street")
    assert list(low.network().feeders) == ["Street"]
    high = Build().buses(2, 220.0).add("ext_grid:0", 0).add("line:0", 0, 1)
    assert high.network().feeders == {}


def test_a_line_between_two_busbars_is_no_feeder() -> None:
    net = Build().buses(2).add("ext_grid:0", 0).add("ext_grid:1", 1).add("line:0", 0, 1)
    assert net.network().feeders == {}


def test_each_element_is_in_at_most_one_feeder() -> None:
    network: Network = street()
    members = [member for feeder in network.feeders.values() for member in feeder]
    assert len(members) == len(set(members)) == len(network.feeder_of())
