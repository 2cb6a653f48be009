"""Proof paths, suggested isolation and suggested ties, on pages and on random networks."""

from __future__ import annotations

import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from geo.grid import Grid
from geo.grid_build import grid_of
from geo.loading import Overload, overloads
from geo.model import GeoError, Network
from geo.outcome import trace
from geo.proof import Proof, prove
from geo.request import read_request
from geo.resolve import resolve
from geo.transfers import Suggestion, suggest
from tests.factories.random_networks import of_phase, random_network
from tests.factories.small_networks import Build, street


def proof(network: Network, load: str, **request: object) -> tuple[Proof, ...]:
    grid = grid_of(network)
    read = read_request(grid, **request)  # type: ignore[arg-type]
    return prove(grid, read, trace(grid, read.change, read.loads_out), load)


def suggestion(grid: Grid, allow_loops: bool = False, **request: object) -> Suggestion:
    return suggest(grid, read_request(grid, **request), allow_loops=allow_loops)  # type: ignore[arg-type]


def test_the_chain_before_the_cut_and_the_chain_now() -> None:
    (found,) = proof(street(), "load:2", work=["line:1"], close_ties=True)
    begin = ("ext_grid:0", "bus:0", "switch:1", "line:1", "switch:2", "bus:1", "switch:3", "line:2")
    assert found.before == (*begin, "switch:4", "bus:2", "load:2")
    assert found.cut == ("switch:1", "line:1", "switch:2")
    tie = ("bus:6", "line:9", "switch:9", "bus:2", "load:2")
    assert found.now == ("ext_grid:0", "bus:0", "switch:5", "line:5", "switch:6", "bus:5", "line:6", *tie)
    assert (found.state, found.phases) == ("momentary", "ABC")


def test_a_lost_load_has_no_chain_now_and_an_untouched_one_keeps_its_own() -> None:
    (lost,) = proof(street(), "load:2", out=["line:2"])
    assert (lost.state, lost.now, lost.cut) == ("lost", (), ("switch:3", "line:2", "switch:4"))
    (kept,) = proof(street(), "load:1", out=["line:2"])
    assert (kept.state, kept.cut) == ("supplied", ()) and kept.now == kept.before
    (own,) = proof(street(), "load:1", out=["load:1"])
    assert (own.state, own.cut, own.now) == ("lost", ("load:1",), ())


def joined(network: Network, chain: tuple[str, ...], open_now: set[str], off: set[str]) -> bool:
    """Whether each link of a chain really hangs on the one before it and carries."""
    elements = network.elements
    solid = [one for one in chain if elements[one].kind != "switch"]
    for one in chain:
        if one in open_now or one in off or not elements[one].in_service:
            return False
    for a, b in itertools.pairwise(solid):
        direct = a in elements[b].buses or b in elements[a].buses
        between = [one for one in chain if elements[one].kind == "switch" and not elements[one].on]
        if not direct and not any(set(elements[one].buses) == {a, b} for one in between):
            return False
    return elements[solid[0]].is_source and elements[solid[-1]].is_load


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 2**40), st.integers(2, 25), st.integers(1, 40), st.booleans())
def test_every_chain_holds_and_every_tie_buys(seed: int, buses: int, branches: int, phased: bool) -> None:
    network = random_network(seed, buses, branches, phased)
    grid = grid_of(network)
    out = random.Random(seed).sample(sorted(network.elements), 2)
    request = read_request(grid, out=out)
    found = suggest(grid, request)
    closed = set(found.request.closed)
    names = list(grid.switch_names(closed))
    answer = resolve(grid, out=out, close=names)
    assert set(answer.dark) == set(found.lost)
    assert sorted(name for one in found.transfers for name in one.close) == sorted(names)
    everything = resolve(grid, out=out, close_ties=True)
    if not phased:
        assert found.lost == everything.lost and found.looping == ()
    else:
        assert set(everything.dark) <= set(found.lost)
    for one in found.transfers:
        rest = [name for name in names if name not in one.close]
        assert set(resolve(grid, out=out, close=rest).dark) - set(found.lost) == set(one.buys) != set()
    open_now = {one.id for one in network.of_kind("switch") if not one.closed} - set(names)
    for load in (one.id for one in network if one.is_load):
        for chain in prove(grid, found.request, found.outcome, load):
            views = [of_phase(network, phase) for phase in chain.phases] if phased else [network]
            for view in views:
                if chain.before:
                    normally = {one.id for one in network.of_kind("switch") if not one.closed}
                    assert joined(view, chain.before, normally, set())
                if chain.now:
                    assert joined(view, chain.now, open_now | set(answer.opened), set(out))
            cut_off = bool(chain.before) and not chain.now
            assert not cut_off or chain.cut
        lost = [one for one in prove(grid, found.request, found.outcome, load) if one.state == "lost"]
        assert all(not one.now for one in lost)


def test_two_ties_for_one_piece_are_one_too_many() -> None:
    net = Build().buses(3).add("ext_grid:0", 0).add("ext_grid:1", 2).add("load:1", 1)
    net.add("switch:0", 0, 1).add("switch:1", 1, 2, closed=False).add("switch:2", 0, 2, closed=False)
    net.add("switch:3", 2, 1, closed=False)
    found = suggestion(grid_of(net.network()), out=["switch:0"])
    assert [(one.close, one.buys) for one in found.transfers] == [(("switch:1",), ("load:1",))]
    told = suggestion(grid_of(net.network()), out=["switch:0"], close=["switch:3"])
    assert (told.transfers, told.lost) == ((), ())


def test_of_switches_in_series_one_bounds_the_work() -> None:
    net = Build().buses(2).add("ext_grid:0", 0).add("line:0", 0, 1).add("load:1", 1)
    net.add("switch:0", 0, on="line:0").add("switch:1", 0, on="line:0")
    assert suggestion(grid_of(net.network()), work=["line:0"]).isolation == ("switch:0",)


def test_a_tie_that_would_loop_on_another_phase_waits_for_leave() -> None:
    """Phase A of the line is out; the only tie carries ABC, and B and C are still fed."""
    net = Build().buses(2).add("ext_grid:0", 0).add("load:1", 1)
    net.add("line:0", 0, 1, phases="A").add("line:1", 0, 1, phases="BC").add("switch:0", 0, 1, closed=False)
    grid = grid_of(net.network())
    found = suggestion(grid, out=["line:0"])
    assert (found.transfers, found.lost, found.looping) == ((), ("load:1",), ("switch:0",))
    looped = suggestion(grid, out=["line:0"], allow_loops=True)
    assert (looped.transfers[0].close, looped.lost) == (("switch:0",), ())


def test_a_transfer_beyond_the_rating_is_marked() -> None:
    def town(rating: float) -> Network:
        net = Build().buses(4).add("ext_grid:0", 0)
        net.add("line:0", 0, 1, max_i_ka=rating).add("line:1", 0, 2).add("switch:1", 0, on="line:1")
        net.add("switch:9", 1, 2, closed=False)
        net.add("load:1", 1, p_mw=3.0, q_mvar=4.0).add("load:2", 2, p_mw=5.0, scaling=0.5)
        return net.network()

    for rating, expected in ((0.2, (Overload("line:0", 6.928, 7.5),)), (0.3, ())):
        grid = grid_of(town(rating))
        found = suggestion(grid, out=["line:1"])
        assert [one.buys for one in found.transfers] == [("load:2",)]
        assert list(overloads(grid, found).values()) == [expected]


def test_only_a_load_has_a_proof() -> None:
    for name, match in (("line:1", "not a load"), ("load:99", "no element")):
        try:
            proof(street(), name, out=["line:2"])
        except GeoError as error:
            assert match in str(error)
        else:
            raise AssertionError(name)
