"""Our answer equals pandapower.topology's on its own networks, whatever is out and however switched."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandapower as pp
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pandapower import networks

from geo.model import GeoError
from geo.resolve import resolve
from geo.trace import TraceIndex
from tests.factories.pandapower_oracle import as_network, fed_loads, switched


def three_winding() -> Any:
    """Two sources, two three-winding transformers with switches at each end, a meshed ring, a dead island."""
    net = pp.create_empty_network()
    high = [pp.create_bus(net, 110.0) for _ in range(2)]
    middle = [pp.create_bus(net, 20.0) for _ in range(4)]
    low = [pp.create_bus(net, 10.0) for _ in range(2)]
    island = pp.create_buses(net, 2, 0.4)
    pp.create_ext_grid(net, high[0])
    pp.create_gen(net, high[1], p_mw=1.0, slack=True)
    pp.create_gen(net, middle[3], p_mw=1.0, slack=False)
    for place in range(2):
        trafo = pp.create_transformer3w(
            net, high[place], middle[place], low[place], "63/25/38 MVA 110/20/10 kV"
        )
        for bus in (high[place], middle[place], low[place]):
            pp.create_switch(net, bus, trafo, et="t3", closed=not (place and bus == low[1]))
    for a, b in ((0, 2), (2, 3), (3, 1), (0, 2)):
        line = pp.create_line(net, middle[a], middle[b], 1.0, "NA2XS2Y 1x95 RM/25 12/20 kV")
        pp.create_switch(net, middle[a], line, et="l", closed=(a, b) != (3, 1))
    pp.create_switch(net, low[0], low[1], et="b", closed=False)
    pp.create_line(net, island[0], island[1], 0.1, "NAYY 4x50 SE")
    for bus in [*middle, *low, *island]:
        pp.create_load(net, bus, p_mw=0.1)
    return net


NETS: dict[str, Callable[[], Any]] = {
    "three_winding": three_winding,
    "mv_oberrhein": lambda: networks.mv_oberrhein(include_substations=True),
    "lv_schutterwald": networks.lv_schutterwald,
    "multivoltage": networks.example_multivoltage,
    "simple": networks.example_simple,
    "cigre_mv": lambda: networks.create_cigre_network_mv(with_der="all"),
    "cigre_lv": networks.create_cigre_network_lv,
    "cigre_hv": networks.create_cigre_network_hv,
    "kerber": networks.create_kerber_vorstadtnetz_kabel_1,
    "four_loads": networks.four_loads_with_branches_out,
    "dickert": networks.create_dickert_lv_network,
    "case33": networks.case33bw,
    "case145": networks.case145,
    "case300": networks.case300,
    "illinois": networks.case_illinois200,
    "ieee_asymmetric": networks.ieee_european_lv_asymmetric,
    "iceland": networks.iceland,
}
TABLES = (
    "line",
    "trafo",
    "trafo3w",
    "impedance",
    "bus",
    "load",
    "asymmetric_load",
    "switch",
    "ext_grid",
    "gen",
)
_HARNESS = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)


@pytest.mark.parametrize("name", NETS)
@settings(max_examples=12, deadline=None, suppress_health_check=_HARNESS)
@given(
    seed=st.integers(0, 2**32),
    damage=st.integers(0, 12),
    outs=st.integers(0, 6),
    ties=st.booleans(),
)
def test_equals_pandapower(name: str, tmp_path: Path, seed: int, damage: int, outs: int, ties: bool) -> None:
    net, names = _net(name)
    chance = random.Random(seed)
    damaged = [one for one in _some(chance, names, damage) if not one.startswith("ext_grid")]
    normal = switched(net, damaged, [], [])
    # The damage must leave a source, else the file is rightly refused.
    assume(normal.ext_grid.in_service.any() or (normal.gen.in_service & normal.gen.slack).any())
    for switch in _some(chance, [one for one in names if one.startswith("switch")], damage):
        normal.switch.loc[int(switch[7:]), "closed"] = chance.random() < 0.5
    index = TraceIndex(as_network(normal, tmp_path))
    out = _some(chance, names, outs)
    close = []
    for switch in _some(chance, sorted(index.open_switches), 4):
        element = index.network.elements[switch]
        if not {switch, element.on, *element.buses} & set(out):
            close.append(switch)
    answer = resolve(index, out=out, close=close, close_ties=ties)

    before = fed_loads(normal)

    def lost_with(closed: tuple[str, ...]) -> set[str]:
        return before - (fed_loads(switched(normal, out, list(answer.opened), list(closed))) - set(out))

    assert set(answer.lost) == lost_with(answer.closed)
    assert set(answer.momentary) == lost_with(()) - set(answer.lost)
    assert set(answer.lost) == lost_with(answer.needed)
    assert not set(answer.opened) & index.open_switches
    assert set(close) <= set(answer.closed) <= index.open_switches


@pytest.mark.parametrize("name", ["three_winding", "mv_oberrhein", "multivoltage", "lv_schutterwald"])
@settings(max_examples=15, deadline=None, suppress_health_check=_HARNESS)
@given(seed=st.integers(0, 2**32), ties=st.booleans())
def test_moving_only_the_named_switches_loses_the_named_loads(
    name: str, tmp_path: Path, seed: int, ties: bool
) -> None:
    net, names = _net(name)
    if name not in _indexes:
        _indexes[name] = TraceIndex(as_network(net, tmp_path))
    index = _indexes[name]
    work = random.Random(seed).choice(
        [one for one in names if one.startswith(("line", "trafo", "bus", "switch"))]
    )
    try:
        answer = resolve(index, work=[work], close_ties=ties)
    except GeoError as error:
        assert "source" in error.message or "border" in error.message
        return
    after = fed_loads(switched(net, [], list(answer.opened), list(answer.closed)))
    assert set(answer.lost) == fed_loads(net) - after


_indexes: dict[str, TraceIndex] = {}
_cache: dict[str, tuple[Any, list[str]]] = {}


def _net(name: str) -> tuple[Any, list[str]]:
    if name not in _cache:
        net = NETS[name]()
        _cache[name] = (
            net,
            [f"{table}:{index}" for table in TABLES for index in net[table].index],
        )
    return _cache[name]


def _some(chance: random.Random, names: list[str], most: int) -> list[str]:
    return chance.sample(names, min(most, len(names)))
