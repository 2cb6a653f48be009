"""What a dispatcher's words mean: work, out, close, ties, on networks that fit on a page."""

from __future__ import annotations

import pytest

from geo.model import GeoError, Network
from geo.resolve import resolve
from tests.factories.small_networks import Build, street


def test_work_on_a_line_switched_at_both_ends_opens_just_these() -> None:
    answer = resolve(street(), work=["line:1"])
    assert answer.opened == ("switch:1", "switch:2")
    assert answer.lost == ("load:1", "load:2")
    assert answer.zone == ("line:1",)
    assert answer.closed == answer.momentary == ()


def test_the_tie_saves_what_is_behind_the_zone_and_that_is_momentary() -> None:
    answer = resolve(street(), work=["line:1"], close_ties=True)
    assert answer.lost == ()
    assert answer.momentary == ("load:1", "load:2")
    assert answer.closed == answer.needed == ("switch:9",)
    assert resolve(street(), work=["line:1"], close=["switch:9"]) == answer


def test_a_zone_reaches_through_everything_that_has_no_switch() -> None:
    """line:6 and line:9 hang on bus:6 and bus:5 without a switch, so all of it is one zone."""
    answer = resolve(street(), work=["line:6"])
    assert answer.zone == ("bus:5", "bus:6", "line:6", "line:9")
    assert answer.opened == ("switch:6",)
    assert answer.lost == ("load:5", "load:6")


def test_a_tie_with_an_end_in_the_zone_stays_open() -> None:
    assert resolve(street(), work=["line:6"], close_ties=True).closed == ()
    with pytest.raises(GeoError, match="inside a work zone"):
        resolve(street(), work=["line:6"], close=["switch:9"])


def test_work_on_a_bus_isolates_the_bus_and_not_the_lines_behind_their_switches() -> None:
    answer = resolve(street(), work=["bus:1"])
    assert answer.zone == ("bus:1",)
    assert answer.opened == ("switch:2", "switch:3")
    assert answer.lost == ("load:1", "load:2")
    assert resolve(street(), work=["bus:1"], close_ties=True).lost == ("load:1",)


def test_work_on_a_switch_isolates_both_its_sides() -> None:
    answer = resolve(street(), work=["switch:3"])
    assert answer.zone == ("bus:1", "line:2")
    assert answer.opened == ("switch:2", "switch:4")


def test_work_on_a_load_takes_off_that_load_alone() -> None:
    answer = resolve(street(), work=["load:5"])
    assert (answer.lost, answer.opened, answer.zone) == (("load:5",), (), ("load:5",))
    assert resolve(street(), work=["load:5"], close_ties=True).lost == ("load:5",)


def test_a_source_inside_the_zone_is_refused() -> None:
    for work in ("bus:0", "switch:1", "ext_grid:0"):
        with pytest.raises(GeoError, match="source"):
            resolve(street(), work=[work])


def test_a_zone_without_any_switch_around_it_is_refused() -> None:
    net = Build().buses(4).add("ext_grid:0", 0).add("switch:0", 0, 1).add("line:0", 2, 3).network()
    with pytest.raises(GeoError, match="no switch on its border"):
        resolve(net, work=["line:0"])


def test_out_opens_the_element_at_its_ends_and_its_neighbours_keep_supply() -> None:
    answer = resolve(street(), out=["line:6"])
    assert answer.lost == ("load:6",)
    assert answer.opened == ()  # it has no switches of its own
    assert resolve(street(), out=["line:1"]).opened == ("switch:1", "switch:2")


def test_out_of_a_switch_opens_it() -> None:
    answer = resolve(street(), out=["switch:3"])
    assert (answer.opened, answer.lost) == (("switch:3",), ("load:2",))
    assert resolve(street(), out=["switch:9"]).opened == ()  # it is open already


def test_out_of_the_only_source_loses_all() -> None:
    assert resolve(street(), out=["ext_grid:0"]).lost == ("load:1", "load:2", "load:5", "load:6")


def test_a_switch_of_an_element_that_is_out_stays_open() -> None:
    assert resolve(street(), out=["line:9"], close_ties=True).closed == ()
    for out in ("line:9", "switch:9", "bus:2"):
        with pytest.raises(GeoError, match="out"):
            resolve(street(), out=[out], close=["switch:9"])


def test_closing_wants_an_open_switch() -> None:
    with pytest.raises(GeoError, match="closed already"):
        resolve(street(), work=["line:2"], close=["switch:1"])
    with pytest.raises(GeoError, match="not a switch"):
        resolve(street(), close=["line:9"])


def test_an_unknown_element_gets_near_names() -> None:
    with pytest.raises(GeoError, match="There is no element line:11") as caught:
        resolve(street(), work=["line:11"])
    assert "line:1" in caught.value.remedy
    with pytest.raises(GeoError, match="feeder:C"):
        resolve(street(), work=["feeder:C"])
    with pytest.raises(GeoError, match="Use kind:id"):
        resolve(street(), out=["cable:1"])


def test_work_and_out_mix_and_say_each_thing_once() -> None:
    answer = resolve(street(), work=["line:2", "line:2"], out=["line:6", "load:1"])
    assert answer.lost == ("load:1", "load:2", "load:6")


def test_a_zone_does_not_cross_what_is_out_of_service_unless_that_is_worked_on() -> None:
    net = Build().buses(4).add("ext_grid:0", 0).add("switch:0", 0, 1)
    net.add("line:0", 1, 2, in_service=False).add("switch:1", 2, 3).add("switch:2", 0, 3)
    network = net.network()
    assert resolve(network, work=["bus:1"]).zone == ("bus:1",)
    assert resolve(network, work=["line:0"]).zone == ("bus:1", "bus:2", "line:0")


def test_a_load_without_supply_in_the_normal_state_is_nobodys_loss() -> None:
    net = Build().buses(3).add("ext_grid:0", 0).add("switch:0", 0, 1).add("switch:1", 1, 2, closed=False)
    net.add("load:1", 1).add("load:2", 2).add("load:3", 1, in_service=False)
    assert resolve(net.network(), out=["bus:1", "bus:2"]).lost == ("load:1",)


def test_an_open_winding_of_three_is_cut_off_alone() -> None:
    net = Build().buses(3).add("ext_grid:0", 0).add("trafo3w:0", 0, 1, 2)
    net.add("switch:0", 0, on="trafo3w:0").add("switch:1", 1, on="trafo3w:0")
    net.add("load:1", 1).add("load:2", 2)
    assert resolve(net.network(), out=["switch:1"]).lost == ("load:1",)
    assert resolve(net.network(), out=["switch:0"]).lost == ("load:1", "load:2")


def test_switches_in_series_open_together_and_must_all_be_closed() -> None:
    net = Build().buses(2).add("ext_grid:0", 0).add("line:0", 0, 1).add("load:1", 1)
    net.add("switch:0", 0, on="line:0").add("switch:1", 0, on="line:0")
    assert resolve(net.network(), work=["line:0"]).opened == ("switch:0", "switch:1")
    assert resolve(net.network(), out=["switch:1"]).lost == ("load:1",)


def test_work_on_a_feeder_isolates_the_feeder_and_spares_the_busbar() -> None:
    answer = resolve(street(), work=["feeder:A"], close_ties=True)
    assert answer.opened == ("switch:1",)
    assert answer.lost == ("load:1", "load:2")
    assert answer.closed == ()
    out = resolve(street(), out=["feeder:A"], close_ties=True)
    assert (out.opened, out.lost, out.closed) == (("switch:1",), ("load:1", "load:2"), ())


def test_order_is_natural_and_answers_repeat() -> None:
    net = Build().buses(2).add("ext_grid:0", 0).add("switch:0", 0, 1)
    for load in (10, 2, 1):
        net.add(f"load:{load}", 1)
    network: Network = net.network()
    assert resolve(network, out=["switch:0"]).lost == ("load:1", "load:2", "load:10")
    assert resolve(network, out=["switch:0"]) == resolve(network, out=["switch:0"])
