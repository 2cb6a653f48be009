"""Random small networks against a plain recomputation that shares no code with the tracing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from geo.model import Element, GeoError, Network
from geo.resolve import resolve
from tests.factories.small_networks import Build

BUSES = 7


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Meshed, several sources, dead parts, switches at ends and between buses, three windings."""
    net = Build().buses(BUSES)
    flag = st.booleans()
    mostly = st.sampled_from([True, True, True, False])
    bus = st.integers(0, BUSES - 1)
    for number in range(draw(st.integers(2, 9))):
        kind = draw(st.sampled_from(["line", "line", "trafo", "trafo3w"]))
        ends = draw(
            st.lists(bus, min_size=2 + (kind == "trafo3w"), max_size=2 + (kind == "trafo3w"), unique=True)
        )
        name = f"{kind}:{number}"
        net.add(name, *ends, in_service=draw(mostly))
        for end in ends:
            for copy in range(draw(st.sampled_from([0, 1, 1, 2]))):
                net.add(f"switch:{number}{end}{copy}", end, on=name, closed=draw(mostly))
    for number in range(draw(st.integers(0, 4))):
        ends = draw(st.lists(bus, min_size=2, max_size=2, unique=True))
        net.add(f"switch:9{number}9", *ends, closed=draw(flag))
    for number in range(BUSES):
        net.add(f"load:{number}", number, in_service=draw(mostly))
        net.add(f"bus:{number}", in_service=draw(mostly), vn_kv=20.0)
    for number in range(draw(st.integers(1, 2))):
        net.add(f"ext_grid:{number}", draw(bus), in_service=draw(mostly))
    net.add("gen:0", draw(bus), slack=draw(flag))
    return Network(net.elements)


def fed(network: Network, out: set[str], open_now: set[str]) -> set[str]:
    """Loads with supply, by growing the set of fed buses until nothing more is fed."""
    elements = [one for one in network if one.in_service and one.id not in out]
    alive = {one.id for one in elements if one.kind == "bus"}
    live = {one.buses[0] for one in elements if one.is_source} & alive
    blocked = {(one.on, one.buses[0]) for one in network if one.on and one.id in open_now}
    while True:
        grown = set(live)
        for one in elements:
            if one.is_branch:
                ends = [bus for bus in one.buses if (one.id, bus) not in blocked and bus in alive]
            elif one.kind == "switch" and one.on is None and one.id not in open_now:
                ends = [bus for bus in one.buses if bus in alive]
            else:
                continue
            if any(bus in live for bus in ends):
                grown.update(ends)
        if grown == live:
            return {one.id for one in elements if one.is_load and one.buses[0] in live}
        live = grown


def open_normally(network: Network) -> set[str]:
    return {one.id for one in network.of_kind("switch") if not one.closed}


def forbidden(one: Element, out: set[str]) -> bool:
    return bool({one.id, one.on, *one.buses} & out)


@settings(max_examples=400, deadline=None)
@given(data=st.data(), network=networks(), ties=st.booleans())
def test_out_loses_what_the_plain_way_loses(data: st.DataObject, network: Network, ties: bool) -> None:
    out = set(data.draw(st.lists(st.sampled_from(sorted(network.elements)), max_size=3)))
    closable = sorted(s for s in open_normally(network) if not forbidden(network.elements[s], out))
    close = set(closable if ties else data.draw(st.lists(st.sampled_from(closable))) if closable else [])
    answer = resolve(network, out=sorted(out), close=() if ties else sorted(close), close_ties=ties)
    assert set(answer.closed) == close
    normal = fed(network, set(), open_normally(network))
    now = fed(network, out, (open_normally(network) - close) | (out & network.elements.keys()))
    without = fed(network, out, open_normally(network) | out)
    assert set(answer.lost) == normal - now
    assert set(answer.momentary) == (normal - without) - (normal - now)
    few = fed(network, out, (open_normally(network) - set(answer.needed)) | out)
    assert normal - few == normal - now


@settings(max_examples=400, deadline=None)
@given(data=st.data(), network=networks(), ties=st.booleans())
def test_work_is_dead_and_bounded_by_the_fewest_switches(
    data: st.DataObject, network: Network, ties: bool
) -> None:
    names = [one.id for one in network if one.is_branch or one.kind in ("bus", "switch")]
    work = data.draw(st.sampled_from(sorted(names)))
    try:
        answer = resolve(network, work=[work], close_ties=ties)
    except GeoError as error:
        assert "source" in error.message or "no switch" in error.message
        return
    zone = set(answer.zone)
    inside = [one for one in network if one.id in zone]
    assert not any(one.is_source and one.in_service and one.buses[0] in zone for one in network)
    # Nothing inside has a way out that no opened or normally open switch closes off.
    for one in inside:
        if one.is_branch and (one.in_service or one.id == work):
            for bus in one.buses:
                switched = any(s.on == one.id and s.buses[0] == bus for s in network.of_kind("switch"))
                if not switched and network.elements[bus].in_service:
                    assert bus in zone
    for name in answer.opened:
        switch = network.elements[name]
        sides = {switch.on, switch.buses[0]} if switch.on else set(switch.buses)
        assert len(sides & zone) == 1
    normal = fed(network, set(), open_normally(network))
    open_now = (open_normally(network) - set(answer.closed)) | set(answer.opened)
    assert set(answer.lost) == normal - fed(network, set(), open_now)
    assert {one.id for one in network if one.is_load and one.buses[0] in zone} & normal <= set(answer.lost)
    for name in answer.closed:
        switch = network.elements[name]
        assert not ({switch.on} | set(switch.buses)) & zone
