"""Work zones: what must be dead while somebody works on an element, and the switches around it.

A zone is all that is reached from the element's ends without crossing a switch, open or
closed. Ends lie behind the element's own switches, so a line switched at both ends is its
own zone; a switch's zone is both its sides; a bus's zone is the bus and all that ends at
it; a load's zone is that load alone. What is out of service is not crossed, since it is
not connected; the element that is worked on is, since its state may be what the work is about.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from geo.model import BUS, SWITCH, Element, GeoError, natural
from geo.trace import TraceIndex


@dataclass(frozen=True)
class Zone:
    """Nodes of the index inside, the switches on the border, and single terminals taken off."""

    nodes: frozenset[int] = frozenset()
    border: frozenset[str] = frozenset()
    terminals: frozenset[str] = frozenset()

    def elements(self, index: TraceIndex) -> tuple[str, ...]:
        return natural([index.element_at[node] for node in self.nodes] + list(self.terminals))


def work_zone(index: TraceIndex, element: Element) -> Zone:
    """The zone of one element.

    Raises GeoError when a source lies inside, or when no switch bounds it.
    """
    if element.is_source:
        raise GeoError(
            f"{element.label} is a source: work on it cannot be isolated by switches of this network.",
            f"Trace its loss with --out {element.id}, or name the bus or line that is worked on.",
        )
    if not (element.kind in (BUS, SWITCH) or element.is_branch):
        return Zone(terminals=frozenset({element.id}))
    return _checked(index, element.label, flood(index, _seeds(index, element)))


def feeder_zone(index: TraceIndex, name: str, members: Iterable[str]) -> Zone:
    """The zone of a whole feeder. Its switches do not count as worked on, else the busbar would be."""
    elements = [index.network.elements[member] for member in members]
    seeds = [index.node_of[one.id] for one in elements if one.id in index.node_of and one.in_service]
    return _checked(index, f"feeder:{name}", flood(index, seeds))


def flood(index: TraceIndex, seeds: Iterable[int]) -> Zone:
    """All nodes reached from `seeds` without crossing a switch, and the switches met."""
    start = frozenset(seeds)
    inside = set(start)
    stack = list(start)
    while stack:
        node = stack.pop()
        for number in index.edges_of[node]:
            edge = index.edges[number]
            far = edge.other(node)
            if not edge.switches and far not in inside and index.is_alive(far):
                inside.add(far)
                stack.append(far)
    border: set[str] = set()
    for node in inside:
        for number in index.edges_of[node]:
            edge = index.edges[number]
            if edge.switches and not (edge.a in inside and edge.b in inside):
                border.update(edge.switches)
    return Zone(frozenset(inside), frozenset(border))


def _seeds(index: TraceIndex, element: Element) -> tuple[int, ...]:
    if element.kind == SWITCH:
        edge = index.edges[index.switch_edge[element.id]]
        return (edge.a, edge.b)
    return (index.node_of[element.id],)


def _checked(index: TraceIndex, label: str, zone: Zone) -> Zone:
    inside = natural(source for source, node in index.sources.items() if node in zone.nodes)
    if inside:
        names = ", ".join(index.network.elements[source].label for source in inside[:3])
        raise GeoError(
            f"The work zone of {label} contains a source ({names}): no switch separates them.",
            "Name a smaller part of the network, or use --out to trace only the loss of the element.",
        )
    if not zone.border:
        raise GeoError(
            f"The work zone of {label} has no switch on its border, so it cannot be isolated.",
            "Use --out to trace only the loss of the element, or add the missing switches to the network.",
        )
    return zone
