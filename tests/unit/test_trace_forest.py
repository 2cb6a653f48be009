"""The forest against a plain full recomputation, on thousands of random networks in random switch states."""

from __future__ import annotations

import random
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import geo.forest
import geo.supply
from geo.grid import Grid
from geo.grid_build import grid_of
from geo.model import GeoError, Network
from geo.resolve import Resolution, resolve
from geo.trace import Change, TraceIndex
from tests.factories.random_networks import of_phase, random_network
from tests.factories.small_networks import Build


def plain(network: Network, phases: str, answer: Resolution, off: set[str]) -> dict[str, set[str]]:
    """Load to the phases it has normally, without the closing, and with it; phase by phase, from scratch."""
    found: dict[str, list[set[str]]] = {}
    for phase in phases:
        index = TraceIndex(of_phase(network, phase) if phases != "*" else network)
        change = Change(
            opened=(set(answer.opened) | off) & index.switch_edge.keys(),
            nodes_out={index.node_of[one] for one in {*answer.zone, *off} if one in index.node_of},
            sources_out=off & index.sources.keys(),
            loads_out=off & index.loads.keys(),
        )
        without = index.supplied(change)
        change.closed = set(answer.closed)
        with_ties = index.supplied(change)
        for load, node in index.loads.items():
            states = (index.normal, without, with_ties)
            for phases_fed, state in zip(found.setdefault(load, [set(), set(), set()]), states, strict=True):
                if state[node] and (state is index.normal or load not in off):
                    phases_fed.add(phase)
    lost = {load for load, (had, _, after) in found.items() if had and not after}
    partial = {load for load, (had, _, after) in found.items() if after and had - after}
    hit = {load for load, (had, before, _) in found.items() if had - before}
    return {"lost": lost, "partial": partial, "momentary": hit - lost - partial}


def check(seed: int, buses: int, branches: int, phased: bool) -> None:
    network = random_network(seed, buses, branches, phased)
    chance = random.Random(seed)
    grid = grid_of(network)
    names = sorted(network.elements)
    out = set(chance.sample(names, chance.choice([1, 1, 2, 4])))
    open_ = [one.id for one in network.of_kind("switch") if not one.closed]
    ties = chance.random() < 0.5
    for work in ([chance.choice(names)], []):
        try:
            answer = resolve(grid, work=work, out=sorted(out), close_ties=ties)
        except GeoError:
            continue
        close = [] if ties else [one for one in open_ if chance.random() < 0.5]
        for one in close:
            try:
                answer = resolve(grid, work=work, out=sorted(out), close=[*answer.closed, one])
            except GeoError:
                continue
        terminals = {one for one in work if one in answer.zone}
        expected = plain(network, "ABC" if phased else "*", answer, out | terminals)
        assert set(answer.lost) == expected["lost"]
        assert set(answer.partial) == expected["partial"]
        assert set(answer.momentary) == expected["momentary"]
        few = resolve(grid, work=work, out=sorted(out), close=answer.needed)
        if not phased:
            assert (few.lost, few.momentary) == (answer.lost, answer.momentary)
        assert set(few.dark) == set(answer.dark)


@settings(max_examples=1500, deadline=None)
@given(st.integers(0, 2**40), st.integers(1, 30), st.integers(0, 45), st.booleans())
def test_equals_a_plain_recomputation(seed: int, buses: int, branches: int, phased: bool) -> None:
    check(seed, buses, branches, phased)


@settings(max_examples=600, deadline=None)
@given(st.integers(0, 2**40), st.integers(1, 30), st.integers(0, 60), st.booleans())
def test_many_edges_at_once_and_from_the_smaller_side_are_as_one_by_one(
    seed: int, buses: int, branches: int, phased: bool
) -> None:
    """As in a large mesh: whole arrays, and of the largest piece only what the rest sees of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(geo.supply, "_FEW", -1)
        check(seed, buses, branches, phased)


def test_grown_node_by_node_it_is_as_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deep networks are grown another way; here every network is deep."""
    monkeypatch.setattr(geo.forest, "_DEEPEST", 1)
    for seed in range(60):
        check(seed, 12, 16, phased=False)


@pytest.mark.parametrize("deepest", [1, 4000])
def test_subtrees_are_intervals(monkeypatch: pytest.MonkeyPatch, deepest: int) -> None:
    monkeypatch.setattr(geo.forest, "_DEEPEST", deepest)
    for seed in range(40):
        forest = grid_of(random_network(seed, 25, 40, phased=False)).layers[0].forest
        below: list[set[int]] = [{at} for at in range(len(forest.node))]
        for at in range(len(forest.node) - 1, 0, -1):
            if forest.parent[at] >= 0:
                assert forest.parent[at] < at
                below[forest.parent[at]] |= below[at]
        for at, members in enumerate(below):
            assert members == set(range(at, int(forest.last[at])))


def chain(length: int, ends: Iterable[int]) -> Grid:
    """A street of `length` lines with a load at each bus, fed at its ends, with an open tie beside each line."""
    net = Build().buses(length + 1)
    for number, bus in enumerate(ends):
        net.add(f"ext_grid:{number}", bus)
    for line in range(length):
        net.add(f"line:{line}", line, line + 1).add(f"switch:{line}", line, on=f"line:{line}")
        net.add(f"switch:{line + length}", line, line + 1, closed=False).add(f"load:{line}", line + 1)
    return grid_of(Network(net.elements))


def test_a_deep_network_is_built_and_traced() -> None:
    grid = chain(5000, [0])
    assert len(resolve(grid, out=["line:10"]).lost) == 4990
    assert resolve(grid, out=["line:10"], close=["switch:5010"]).lost == ()
    assert resolve(grid, out=["line:10", "line:30"], close=["switch:5010"]).lost == tuple(
        f"load:{number}" for number in range(30, 5000)
    )


def test_a_stub_that_was_dead_carries_between_two_ties() -> None:
    net = Build().buses(4).add("ext_grid:0", 0).add("switch:0", 0, 1).add("load:1", 1)
    net.add("switch:1", 0, 2, closed=False).add("line:0", 2, 3).add("switch:2", 3, 1, closed=False)
    answer = resolve(net.network(), out=["switch:0"], close_ties=True)
    assert (answer.lost, answer.momentary, answer.needed) == ((), ("load:1",), ("switch:1", "switch:2"))
    assert resolve(net.network(), out=["switch:0"], close=["switch:2"]).lost == ("load:1",)


def test_one_unit_of_three_takes_its_own_customers_and_dims_the_others() -> None:
    """Three single-phase transformers side by side feed one bus: a trace blind to phases sees no loss."""
    net = Build().buses(2).add("ext_grid:0", 0)
    for number, phase in enumerate("ABC"):
        net.add(f"trafo:{number}", 0, 1, phases=phase)
        net.add(f"load:{number}", 1, phases=phase)
    net.add("load:9", 1)
    answer = resolve(net.network(), out=["trafo:1"])
    assert (answer.lost, answer.partial, answer.dead) == (("load:1",), ("load:9",), ("trafo:1",))
    assert answer.dark == ("load:1", "load:9")


def test_a_tie_of_another_phase_does_not_make_it_whole() -> None:
    net = Build().buses(2).add("ext_grid:0", 0).add("line:0", 0, 1, phases="A").add("load:1", 1)
    net.add("switch:0", 0, 1, closed=False, phases="B").add("switch:1", 0, 1, closed=False, phases="AC")
    other = resolve(net.network(), out=["line:0"], close=["switch:0"])
    assert (other.lost, other.partial) == ((), ("load:1",))
    tied = resolve(net.network(), out=["line:0"], close_ties=True)
    assert (tied.lost, tied.momentary, tied.needed) == ((), ("load:1",), ("switch:1",))


def test_positions_are_never_shared() -> None:
    forest = chain(300, [0, 300]).layers[0].forest
    placed = forest.position[forest.position >= 0]
    assert len(np.unique(placed)) == len(placed) == len(forest.node) - 1
