"""A dispatcher's words (work, out, close, ties) as changes to the arrays of a network, or why not."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from geo.grid import Grid
from geo.model import SWITCH, GeoError, natural
from geo.supply import Change
from geo.zones import Zone, feeder_zone, work_zone

FEEDER = "feeder:"


@dataclass
class Request:
    """What was asked for, in numbers: `change` for tracing, the rest for the answer."""

    change: Change = field(default_factory=Change)
    opened: set[int] = field(default_factory=set)
    closed: set[int] = field(default_factory=set)
    loads_off: set[int] = field(default_factory=set)
    zones: list[Zone] = field(default_factory=list)
    zone_nodes: set[int] = field(default_factory=set)
    # Nodes and switches that are out, other than by a work zone.
    out_nodes: set[int] = field(default_factory=set)
    out_switches: set[int] = field(default_factory=set)

    @property
    def loads_out(self) -> frozenset[int]:
        return frozenset(self.loads_off)

    def zone_elements(self, grid: Grid) -> set[int]:
        return {one for zone in self.zones for one in zone.elements(grid)}

    def closed_names(self, grid: Grid) -> tuple[str, ...]:
        if not self.change.all_ties:
            return grid.switch_names(self.closed)
        names = grid.open_names
        every = grid.derived.open_switches
        kept: list[str] = []
        at = 0
        for place in np.searchsorted(every, sorted(self.kept_open(grid))).tolist():
            kept += names[at:place]
            at = place + 1
        return (*kept, *names[at:]) if at else names

    def kept_open(self, grid: Grid) -> set[int]:
        """Normally open switches that `--close-ties` does not close."""
        closed = grid.plain.switch_closed
        found = {one for one in self.out_switches if not closed[one]}
        for node in self.zone_nodes | self.out_nodes:
            for edge in grid.edges_of(node):
                found.update(one for one in grid.switches_on(edge) if not closed[one])
        return found


def read_request(
    grid: Grid,
    *,
    work: Sequence[str] = (),
    out: Sequence[str] = (),
    close: Sequence[str] = (),
    close_ties: bool = False,
) -> Request:
    """GeoError for an unknown element, a zone that cannot be isolated, a switch that may not be closed."""
    reader = _Reader(grid)
    for name in dict.fromkeys(work):
        reader.isolate(name)
    for name in dict.fromkeys(out):
        reader.take_out(name)
    request = reader.request
    change = request.change
    change.blocked = {int(grid.plain.switch_edge[one]) for one in request.opened | request.out_switches}
    change.dead = request.zone_nodes | request.out_nodes
    change.all_ties = close_ties
    for name in dict.fromkeys(close):
        request.closed.add(reader.closable(name))
    plain = grid.plain
    for edge in {int(plain.switch_edge[one]) for one in request.closed}:
        switches = grid.switches_on(edge)
        if all(
            plain.switch_alive[one] and (plain.switch_closed[one] or one in request.closed)
            for one in switches
        ):
            change.shut.add(edge)
    return request


def number_of(grid: Grid, name: str) -> int:
    """The element called `name`; GeoError with the nearest names when there is none."""
    number = grid.ids.number(name)
    if number is None:
        raise unknown(grid, name)
    return number


def unknown(grid: Grid, name: str) -> GeoError:
    kind = name.partition(":")[0]
    pool: Sequence[str]
    if name.startswith(FEEDER):
        pool = [FEEDER + feeder for feeder in grid.feeders]
    elif kind in grid.ids.tables:
        first = grid.ids.start[kind]
        # Enough to be of help; comparing with a million names is not.
        size = min(grid.ids.size(kind), 20_000)
        pool = grid.ids.names(np.arange(first, first + size))
    else:
        pool = []
    if not pool:
        kinds = sorted({*grid.ids.tables, *({"feeder"} if grid.feeders else set())})
        return GeoError(f"There is no element {name}.", f"Use kind:id; kinds here are: {', '.join(kinds)}.")
    near = difflib.get_close_matches(name, pool, n=3, cutoff=0.5) or list(natural(pool[:1000])[:3])
    return GeoError(f"There is no element {name}.", f"Near it: {', '.join(near)}.")


class _Reader:
    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.request = Request()

    def isolate(self, name: str) -> None:
        """Open the border of the element's work zone."""
        if name.startswith(FEEDER):
            zone = feeder_zone(self.grid, name.removeprefix(FEEDER), self._feeder(name))
        else:
            zone = work_zone(self.grid, number_of(self.grid, name))
        request = self.request
        request.zones.append(zone)
        # Nothing inside may be fed, however the switches stand: dead even where the border leaks.
        request.zone_nodes |= zone.nodes
        self._open(zone.border)
        for element in zone.terminals:
            load = self.grid.load_of(element)
            if load is not None:
                request.loads_off.add(load)

    def take_out(self, name: str) -> None:
        """Open only the element itself at its ends, or the switch."""
        if name.startswith(FEEDER):
            self._take_out_feeder(name)
            return
        element = number_of(self.grid, name)
        self._remove(element)
        if self.grid.ids.kind(element) == SWITCH:
            self._open([element - self.grid.ids.start[SWITCH]])

    def _take_out_feeder(self, name: str) -> None:
        """All its members at once; switches between two of them stay as they are."""
        grid, request = self.grid, self.request
        members = np.array(self._feeder(name), np.int64)
        cuts = np.searchsorted(members, [*grid.ids.start.values(), grid.ids.count]).tolist()
        nodes: set[int] = set()
        loads: list[np.ndarray] = []
        for place, (kind, start) in enumerate(grid.ids.start.items()):
            own = members[cuts[place] : cuts[place + 1]] - start
            if kind in grid.node_kinds:
                nodes.update((own + grid.node_kinds[kind]).tolist())
            elif kind in grid.load_kinds:
                loads.append(own + grid.load_kinds[kind])
            elif kind == SWITCH:
                request.out_switches.update(own.tolist())
        request.out_nodes |= nodes
        for node in nodes:
            for edge in grid.edges_of(node):
                if grid.other_end(edge, node) not in nodes:
                    self._open(grid.switches_on(edge))
        # Loads at a bus that is out need no word of their own.
        dark = np.fromiter(nodes, np.int64, len(nodes))
        for own in loads:
            request.loads_off.update(own[~np.isin(grid.plain.load_node[own], dark)].tolist())

    def _remove(self, element: int) -> None:
        grid, request = self.grid, self.request
        node, load, switch = grid.node_of(element), grid.load_of(element), grid.switch_of(element)
        if node is not None:
            request.out_nodes.add(node)
            for edge in grid.edges_of(node):
                self._open(grid.switches_on(edge))
        elif switch is not None:
            request.out_switches.add(switch)
        elif load is not None:
            request.loads_off.add(load)
        else:
            at = np.flatnonzero(grid.plain.source_element == element)
            request.change.sources_out.update(at.tolist())

    def closable(self, name: str) -> int:
        """The switch `name`, if it is open and nothing forbids to close it."""
        element = number_of(self.grid, name) if not name.startswith(FEEDER) else None
        if element is None or self.grid.ids.kind(element) != SWITCH:
            raise GeoError(f"{name} is not a switch, so it cannot be closed.", "Name a normally open switch.")
        switch = element - self.grid.ids.start[SWITCH]
        label = self.grid.label(name)
        reason = self._reason_against(switch)
        if reason:
            raise GeoError(f"{label} must not be closed: {reason}.", "Leave it out of --close.")
        if self.grid.plain.switch_closed[switch]:
            raise GeoError(f"{label} is normally closed already.", "Leave it out of --close.")
        return switch

    def _reason_against(self, switch: int) -> str:
        """Why the switch must stay open; empty if it need not."""
        grid, request = self.grid, self.request
        name = grid.switch_name(switch)
        if switch in request.out_switches:
            return f"{name} is out"
        edge = int(grid.plain.switch_edge[switch])
        for node in (int(grid.plain.edge_a[edge]), int(grid.plain.edge_b[edge])):
            element = grid.ids.name(grid.element_of_node(node))
            if node in request.out_nodes:
                return f"it belongs to {element}, which is out"
            if node in request.zone_nodes:
                return f"its end at {element} lies inside a work zone"
        return ""

    def _feeder(self, name: str) -> list[int]:
        members = self.grid.members(name.removeprefix(FEEDER))
        if members is None:
            raise unknown(self.grid, name)
        sources = self.grid.sources
        return [one for one in members if one not in sources]

    def _open(self, switches: Iterable[int]) -> None:
        closed = self.grid.plain.switch_closed
        self.request.opened.update(int(one) for one in switches if closed[one])
