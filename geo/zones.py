"""Work zones: what must be dead while somebody works on an element, and the switches around it.

A zone is all that is reached from the element's ends without crossing a switch, open or
closed. Ends lie behind the element's own switches, so a line switched at both ends is its
own zone; a switch's zone is both its sides; a bus's zone is the bus and all that ends at
it; a load's zone is that load alone. What is out of service is not crossed, since it is
not connected; the element that is worked on is, since its state may be what the work is about.

The switches on the border are the smallest isolation: each of them joins the zone to
something outside it, so leaving one closed would leave the zone connected.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from geo.grid import Grid
from geo.model import SWITCH, GeoError, natural


@dataclass(frozen=True)
class Zone:
    """Nodes inside, the switches on the border, and single elements (by number) taken off."""

    nodes: frozenset[int] = frozenset()
    border: frozenset[int] = frozenset()
    terminals: frozenset[int] = frozenset()

    def elements(self, grid: Grid) -> set[int]:
        return {grid.element_of_node(node) for node in self.nodes} | self.terminals


def work_zone(grid: Grid, element: int) -> Zone:
    """The zone of one element, given by its number.

    Raises GeoError when a source lies inside, or when no switch bounds it.
    """
    name = grid.ids.name(element)
    kind = grid.ids.kind(element)
    if is_source(grid, element):
        raise GeoError(
            f"{grid.label(name)} is a source: work on it cannot be isolated by switches of this network.",
            f"Trace its loss with --out {name}, or name the bus or line that is worked on.",
        )
    if kind == SWITCH:
        switch = element - grid.ids.start[SWITCH]
        edge = int(grid.plain.switch_edge[switch])
        seeds = (int(grid.plain.edge_a[edge]), int(grid.plain.edge_b[edge]))
        return _checked(grid, grid.label(name), flood(grid, seeds))
    node = grid.node_of(element)
    if node is None:
        return Zone(terminals=frozenset({element}))
    return _checked(grid, grid.label(name), flood(grid, (node,)))


def is_source(grid: Grid, element: int) -> bool:
    """Whether it holds the network up and is in service, or is an external grid at all."""
    return element in grid.sources or grid.ids.kind(element) == "ext_grid"


def feeder_zone(grid: Grid, name: str, members: Iterable[int]) -> Zone:
    """The zone of a whole feeder. Its switches do not count as worked on, else the busbar would be."""
    nodes = (grid.node_of(member) for member in members)
    seeds = [node for node in nodes if node is not None and grid.plain.alive[node]]
    return _checked(grid, f"feeder:{name}", flood(grid, seeds))


def flood(grid: Grid, seeds: Iterable[int]) -> Zone:
    """All nodes reached from `seeds` without crossing a switch, and the switches met."""
    start = frozenset(seeds)
    inside = set(start)
    stack = list(start)
    met: list[tuple[list[int], int, int]] = []
    while stack:
        node = stack.pop()
        for edge in grid.edges_of(node):
            far = grid.other_end(edge, node)
            switches = grid.switches_on(edge)
            if switches:
                met.append((switches, node, far))
            elif far not in inside and grid.plain.alive[far]:
                inside.add(far)
                stack.append(far)
    border = {one for switches, _, far in met if far not in inside for one in switches}
    return Zone(frozenset(inside), frozenset(border))


def _checked(grid: Grid, label: str, zone: Zone) -> Zone:
    at = np.isin(grid.plain.source, np.fromiter(zone.nodes, np.int64, len(zone.nodes)))
    if at.any():
        inside = natural(grid.ids.names(np.sort(grid.plain.source_element[at])))
        names = ", ".join(grid.label(source) for source in inside[:3])
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
