"""Who loses supply: the one door to tracing.

`resolve` takes the work, the outages and the switching in the words of a dispatcher and
answers with the isolation and the loads. It decides nothing about customers: that a site
keeps another feed is known outside.
"""

from __future__ import annotations

import difflib
import heapq
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from geo.model import SWITCH, Element, GeoError, Network, natural, natural_key
from geo.trace import Change, TraceIndex
from geo.zones import Zone, feeder_zone, work_zone

FEEDER = "feeder:"


@dataclass(frozen=True)
class Resolution:
    """The answer; ids are in natural order (load:2 before load:10).

    `opened` and `closed` are the switches that change state. `lost` are loads in service
    with supply in the normal state and none in the switched state; `momentary` those lost
    without the closing but not with it. `zone` is what lies inside the work zones. `dead`
    are the buses and branches that lose supply, for drawing. `needed` are those among
    `closed` that suffice for that, high voltage first: what a person would really close.
    """

    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    momentary: tuple[str, ...] = ()
    zone: tuple[str, ...] = ()
    dead: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    elapsed_ms: float = field(default=0.0, compare=False)


def resolve(
    network: Network | TraceIndex,
    *,
    work: Sequence[str] = (),
    out: Sequence[str] = (),
    close: Sequence[str] = (),
    close_ties: bool = False,
) -> Resolution:
    """Trace work on `work`, the loss of `out`, and the closing of `close` or of all ties.

    Pass a TraceIndex to trace the same network more than once: building it is most of the
    time. Raises GeoError for an unknown element, a zone that cannot be isolated, and a
    switch that may not be closed. The same arguments always give the same answer.
    """
    index = network if isinstance(network, TraceIndex) else TraceIndex(network)
    began = time.perf_counter()
    plan = _Plan(index)
    for name in dict.fromkeys(work):
        plan.isolate(name)
    for name in dict.fromkeys(out):
        plan.take_out(name)
    change = plan.change
    before = index.supplied(change)
    lost_before = _lost(index, change, before)
    if close_ties:
        change.closed.update(switch for switch in index.open_switches if not plan.reason_against(switch))
    for name in dict.fromkeys(close):
        change.closed.add(plan.closable(name))
    after = index.supplied(change) if change.closed else before
    lost = _lost(index, change, after)
    normal = index.normal
    dead = [name for node, name in enumerate(index.element_at) if normal[node] and not after[node]]
    return Resolution(
        opened=natural(change.opened),
        closed=natural(change.closed),
        lost=natural(lost),
        momentary=natural(lost_before - lost),
        zone=natural(plan.zone_elements()),
        dead=natural(dead),
        needed=natural(_needed(index, change, before)),
        elapsed_ms=round((time.perf_counter() - began) * 1000, 3),
    )


def find(network: Network, name: str) -> Element:
    """The element called `name`; GeoError with the nearest names when there is none."""
    element = network.elements.get(name)
    if element is None:
        raise _unknown(network, name)
    return element


def _unknown(network: Network, name: str) -> GeoError:
    kind = name.partition(":")[0]
    if name.startswith(FEEDER):
        pool = [FEEDER + feeder for feeder in network.feeders]
    else:
        pool = [known for known in network.elements if known.startswith(kind + ":")]
    if not pool:
        kinds = sorted({element.kind for element in network} | ({"feeder"} if network.feeders else set()))
        return GeoError(
            f"There is no element {name}.",
            f"Use kind:id; kinds here are: {', '.join(kinds)}.",
        )
    near = difflib.get_close_matches(name, pool, n=3, cutoff=0.5) or list(natural(pool)[:3])
    return GeoError(f"There is no element {name}.", f"Near it: {', '.join(near)}.")


class _Plan:
    """The changes that the request asks for, and what they forbid."""

    def __init__(self, index: TraceIndex) -> None:
        self.index = index
        self.elements = index.network.elements
        self.change = Change()
        self.zones: list[Zone] = []
        self.zone_nodes: set[int] = set()
        self.out: set[str] = set()

    def isolate(self, name: str) -> None:
        """Open the border of the element's work zone."""
        if name.startswith(FEEDER):
            members = self._feeder(name)
            zone = feeder_zone(self.index, name.removeprefix(FEEDER), members)
        else:
            zone = work_zone(self.index, find(self.index.network, name))
        self.zones.append(zone)
        self.zone_nodes |= zone.nodes
        self._open(zone.border)
        # Nothing inside may be fed, however the switches stand: dead even where the border leaks.
        self.change.nodes_out |= zone.nodes
        self.change.loads_out |= zone.terminals

    def take_out(self, name: str) -> None:
        """Open only the element itself at its ends, or the switch."""
        if name.startswith(FEEDER):
            members = self._feeder(name)
            self.out |= members
            nodes = {self.index.node_of[one] for one in members if one in self.index.node_of}
            self.change.nodes_out |= nodes
            self.change.loads_out |= members & self.index.loads.keys()
            self._open(
                switch
                for switch, number in self.index.switch_edge.items()
                if (self.index.edges[number].a in nodes) != (self.index.edges[number].b in nodes)
            )
            return
        element = find(self.index.network, name)
        self.out.add(name)
        if element.kind == SWITCH:
            self._open([name])
        elif name in self.index.node_of:
            node = self.index.node_of[name]
            self.change.nodes_out.add(node)
            for number in self.index.edges_of[node]:
                self._open(self.index.edges[number].switches)
        elif element.is_source:
            self.change.sources_out.add(name)
        else:
            self.change.loads_out.add(name)

    def closable(self, name: str) -> str:
        """`name`, if it is an open switch that nothing forbids to close."""
        element = find(self.index.network, name) if not name.startswith(FEEDER) else None
        if element is None or element.kind != SWITCH:
            raise GeoError(
                f"{name} is not a switch, so it cannot be closed.",
                "Name a normally open switch.",
            )
        reason = self.reason_against(name)
        if reason:
            raise GeoError(
                f"{element.label} must not be closed: {reason}.",
                "Leave it out of --close.",
            )
        if element.closed:
            raise GeoError(
                f"{element.label} is normally closed already.",
                "Leave it out of --close.",
            )
        return name

    def reason_against(self, switch: str) -> str:
        """Why the switch must stay open; empty if it need not."""
        element = self.elements[switch]
        for owner in (switch, element.on, *element.buses):
            if owner in self.out:
                return f"{owner} is out" if owner == switch else f"it belongs to {owner}, which is out"
        edge = self.index.edges[self.index.switch_edge[switch]]
        for node in (edge.a, edge.b):
            if node in self.zone_nodes:
                return f"its end at {self.index.element_at[node]} lies inside a work zone"
        return ""

    def zone_elements(self) -> Iterable[str]:
        return (name for zone in self.zones for name in zone.elements(self.index))

    def _feeder(self, name: str) -> set[str]:
        members = self.index.network.feeders.get(name.removeprefix(FEEDER))
        if members is None:
            raise _unknown(self.index.network, name)
        return {one for one in members if not self.elements[one].is_source}

    def _open(self, switches: Iterable[str]) -> None:
        self.change.opened.update(one for one in switches if self.elements[one].closed)


def _lost(index: TraceIndex, change: Change, seen: bytearray) -> frozenset[str]:
    return frozenset(
        load for load in index.fed_loads if load in change.loads_out or not seen[index.loads[load]]
    )


def _needed(index: TraceIndex, change: Change, before: bytearray) -> set[str]:
    """Few of the closed switches that together feed all that the closing feeds.

    Grows the supplied part without the closing, and only where that ends takes one more
    closed switch, that of the highest voltage first: one for each part that was dark, and
    fewer where a part without a lost load would be all that it feeds.
    """
    if not change.closed:
        return set()
    passable = index.passable(change)
    reached = bytearray(before)
    parent: dict[int, tuple[int, int]] = {}
    ties: list[tuple[float, tuple[object, ...], int, int]] = []
    fresh = [node for node, fed in enumerate(before) if fed]
    while fresh or ties:
        if fresh:
            node = fresh.pop()
        else:
            *_, near, number = heapq.heappop(ties)
            node = index.edges[number].other(near)
            if reached[node]:
                continue
            reached[node] = 1
            parent[node] = (near, number)
        for number in index.edges_of[node]:
            edge = index.edges[number]
            far = edge.other(node)
            if not passable[number] or reached[far] or not index.is_alive(far) or far in change.nodes_out:
                continue
            closed = [one for one in edge.switches if one in change.closed]
            if closed:
                heapq.heappush(ties, (-_kilovolts(index, closed[0]), natural_key(closed[0]), node, number))
            else:
                reached[far] = 1
                parent[far] = (node, number)
                fresh.append(far)
    needed: set[str] = set()
    done: set[int] = set()
    for load in index.fed_loads - change.loads_out:
        step = index.loads[load]
        while step in parent and step not in done:
            done.add(step)
            step, number = parent[step]
            needed.update(one for one in index.edges[number].switches if one in change.closed)
    return needed


def _kilovolts(index: TraceIndex, switch: str) -> float:
    bus = index.network.elements[switch].buses[0]
    value = index.network.elements[bus].attrs.get("vn_kv")
    return float(value) if isinstance(value, (int, float)) else 0.0
