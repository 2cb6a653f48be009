"""The network as a plain graph: which nodes have supply? The rules of tracing, and the judge of the fast way.

Readers find feeders with it, and tests compare `geo.supply`, which answers at utility scale, with
this full recomputation. It is blind to phases: a phase is traced as a network of its own.

Built once per network (`TraceIndex`), then asked many times with small changes
(`Change`). The rules are those of pandapower.topology:

- a bus, branch or source that is out of service is not there;
- a branch whose end switch is open carries nothing past that end;
- a three-winding transformer is a star: an open end cuts off that winding alone;
- a bus-bus switch joins two buses while it is closed;
- supply comes from external grids and from generators that are slack.

Each bus and each branch is a node; an edge joins a branch to one of its buses (through
all switches at that end, in series) or, for a bus-bus switch, two buses. Not thread-bound:
an index never changes after it is built.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from geo.grid import Grid
from geo.grid_build import grid_of
from geo.model import SWITCH, Element, GeoError, Network


@dataclass(frozen=True)
class Edge:
    """A joint between two nodes, passable while all of `switches` are closed."""

    a: int
    b: int
    switches: tuple[str, ...] = ()

    def other(self, node: int) -> int:
        return self.b if node == self.a else self.a


@dataclass
class Change:
    """What differs from the normal state: switch ids, dead nodes, and sources and loads taken off."""

    opened: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    nodes_out: set[int] = field(default_factory=set)
    sources_out: set[str] = field(default_factory=set)
    loads_out: set[str] = field(default_factory=set)


class TraceIndex:
    """The graph of one network and its normal supply.

    `node_of` maps buses and branches to nodes; `edges_of[node]` lists edge numbers;
    `switch_edge` maps a switch to its edge. `normal` marks the nodes with supply in the
    normal state. Raises GeoError where an element ends at something that is not there.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.node_of: dict[str, int] = {}
        self.element_at: list[str] = []
        self.edges: list[Edge] = []
        self.switch_edge: dict[str, int] = {}
        self.sources: dict[str, int] = {}
        self.loads: dict[str, int] = {}
        self._build()
        self.edges_of: list[list[int]] = [[] for _ in self.element_at]
        for number, edge in enumerate(self.edges):
            self.edges_of[edge.a].append(number)
            if edge.b != edge.a:
                self.edges_of[edge.b].append(number)
        elements = network.elements
        self._alive = bytearray(elements[name].in_service for name in self.element_at)
        self.normally_passable = bytearray(
            all(elements[one].closed and elements[one].in_service for one in edge.switches)
            for edge in self.edges
        )
        self.open_switches = frozenset(one for one in self.switch_edge if not elements[one].closed)
        self.normal = self.supplied(Change())
        self.fed_loads = frozenset(load for load, node in self.loads.items() if self.normal[node])

    @cached_property
    def grid(self) -> Grid:
        """The same network as arrays, made once."""
        return grid_of(self.network)

    def _build(self) -> None:
        at_end: dict[tuple[str, str], list[str]] = {}
        joints: list[Element] = []
        for element in self.network:
            if element.kind == "bus" or element.is_branch:
                self.node_of[element.id] = len(self.element_at)
                self.element_at.append(element.id)
            elif element.kind == SWITCH and element.on is not None:
                at_end.setdefault((element.on, element.buses[0]), []).append(element.id)
            elif element.kind == SWITCH:
                joints.append(element)
        for element in self.network:
            if element.is_branch:
                here = self.node_of[element.id]
                for bus in dict.fromkeys(element.buses):
                    switches = tuple(at_end.pop((element.id, bus), ()))
                    self._join(here, self._bus(bus, element), switches)
            elif element.is_source and element.in_service:
                self.sources[element.id] = self._bus(element.buses[0], element)
            elif element.is_load and element.in_service:
                self.loads[element.id] = self._bus(element.buses[0], element)
        for element in joints:
            self._join(
                self._bus(element.buses[0], element),
                self._bus(element.buses[1], element),
                (element.id,),
            )
        for (branch, bus), stray in at_end.items():
            raise GeoError(
                f"{stray[0]} sits between {branch} and {bus}, but {branch} does not end there.",
                "Correct the switch in the source and import again.",
            )

    def _bus(self, bus: str, element: Element) -> int:
        node = self.node_of.get(bus)
        if node is None:
            raise GeoError(
                f"{element.id} ends at {bus}, which does not exist.",
                "Import the network again.",
            )
        return node

    def _join(self, a: int, b: int, switches: tuple[str, ...]) -> None:
        for switch in switches:
            self.switch_edge[switch] = len(self.edges)
        self.edges.append(Edge(a, b, switches))

    def is_alive(self, node: int) -> bool:
        """Whether the node is in service in the normal state."""
        return bool(self._alive[node])

    def passable(self, change: Change) -> bytearray:
        """Per edge, whether all its switches are closed under `change`. Opening wins over closing."""
        passable = self.normally_passable
        if change.opened or change.closed:
            passable = bytearray(passable)
            for switch in (*change.closed, *change.opened):
                number = self.switch_edge[switch]
                passable[number] = all(self._is_closed(one, change) for one in self.edges[number].switches)
        return passable

    def _is_closed(self, switch: str, change: Change) -> bool:
        element = self.network.elements[switch]
        if not element.in_service or switch in change.opened:
            return False
        return bool(element.closed) or switch in change.closed

    def supplied(self, change: Change) -> bytearray:
        """Per node, whether supply reaches it under `change`."""
        starts = (node for source, node in self.sources.items() if source not in change.sources_out)
        return self.reached(starts, change)

    def reached(self, starts: Iterable[int], change: Change) -> bytearray:
        """Per node, whether a way in service and closed leads to it from one of `starts`."""
        passable = self.passable(change)
        # A node is wanted while it is in service and not yet seen, so one lookup answers both.
        wanted = bytearray(self._alive)
        for node in change.nodes_out:
            wanted[node] = 0
        seen = bytearray(len(wanted))
        stack = []
        for node in starts:
            if wanted[node]:
                wanted[node] = 0
                stack.append(node)
        edges, edges_of = self.edges, self.edges_of
        while stack:
            node = stack.pop()
            seen[node] = 1
            for number in edges_of[node]:
                if passable[number]:
                    edge = edges[number]
                    far = edge.b if edge.a == node else edge.a
                    if wanted[far]:
                        wanted[far] = 0
                        stack.append(far)
        return seen

    def unfed(self, change: Change) -> frozenset[str]:
        """Loads in service that have supply in the normal state and none under `change`."""
        seen = self.supplied(change)
        return frozenset(
            load for load in self.fed_loads if load in change.loads_out or not seen[self.loads[load]]
        )
