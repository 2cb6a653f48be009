"""Feeders: what normally hangs behind one outgoing branch of a substation's medium-voltage busbar.

A busbar is a medium-voltage bus that a transformer feeds from high voltage or at which a
source sits, with all that closed bus-bus switches join to it. A feeder is what is supplied
through one of its outgoing branches without passing a busbar again, down to the loads, and
is called like that branch. Branches that are normally joined further out are one feeder,
called like all of them. A network without medium voltage has its feeders behind its
low-voltage sources; a pure transmission network has none.
"""

from __future__ import annotations

from collections.abc import Iterable

from geo.model import BUS, SWITCH, Element, Network, natural, natural_key
from geo.trace import TraceIndex

# kV. Medium voltage reaches to 36 kV in IEC 60038, 40.5 kV in GB/T 11022.
_LOW = 1.0
_MEDIUM = 40.5


def find_feeders(network: Network, index: TraceIndex) -> dict[str, tuple[str, ...]]:
    """Feeder name to its members in natural order. Each element is in at most one feeder."""
    search = _Search(network, index)
    found: list[tuple[list[Element], set[int]]] = []
    taken: set[int] = set()
    for head in search.heads():
        node = index.node_of[head.id]
        if node in taken:
            for heads, nodes in found:
                if node in nodes:
                    heads.append(head)
            continue
        nodes = search.behind(node)
        taken |= nodes
        found.append(([head], nodes))
    found = [(heads, nodes) for heads, nodes in found if search.holds_bus(nodes)]
    names = _names([heads for heads, _ in found])
    members = search.members([nodes for _, nodes in found])
    feeders = {name: natural(ids) for name, ids in zip(names, members, strict=True)}
    return {name: feeders[name] for name in sorted(feeders, key=natural_key)}


class _Search:
    def __init__(self, network: Network, index: TraceIndex) -> None:
        self.network = network
        self.index = index
        self.elements = network.elements
        self.busbar = self._busbar()

    def _kv(self, bus: str) -> float:
        value = self.elements[bus].attrs.get("vn_kv")
        # Where the source names no voltages, each source bus counts as a busbar.
        return float(value) if isinstance(value, (int, float)) and value > 0 else _MEDIUM

    def _is_medium(self, bus: str) -> bool:
        return _LOW < self._kv(bus) <= _MEDIUM

    def _steps_down(self, element: Element) -> bool:
        """Whether it is a transformer that feeds a medium-voltage busbar from above."""
        levels = [self._kv(bus) for bus in element.buses]
        return element.kind in ("trafo", "trafo3w") and max(levels) > _MEDIUM and min(levels) <= _MEDIUM

    def _busbar(self) -> set[int]:
        roots = {
            bus
            for element in self.network.of_kind("trafo", "trafo3w")
            if element.in_service and self._steps_down(element)
            for bus in element.buses
            if self._is_medium(bus)
        }
        at_source = {self.elements[source].buses[0] for source in self.index.sources}
        roots |= {bus for bus in at_source if self._is_medium(bus)}
        if not roots:
            roots = {bus for bus in at_source if self._kv(bus) <= _LOW}
        nodes = {self.index.node_of[bus] for bus in roots}
        nodes = {node for node in nodes if self.index.normal[node]}
        stack = list(nodes)
        while stack:
            for far, joint in self._steps(stack.pop()):
                if joint and far not in nodes:
                    nodes.add(far)
                    stack.append(far)
        return nodes

    def _steps(self, node: int) -> Iterable[tuple[int, bool]]:
        """Nodes next to `node` in the normal state, and whether a bus-bus switch leads there."""
        passable = self.index.normally_passable
        for number in self.index.edges_of[node]:
            edge = self.index.edges[number]
            far = edge.other(node)
            if passable[number] and self.index.normal[far]:
                both = self.elements[self.index.element_at[far]].kind == BUS
                yield (
                    far,
                    both and self.elements[self.index.element_at[node]].kind == BUS,
                )

    def heads(self) -> list[Element]:
        """The outgoing branches of all busbars, in natural order."""
        nodes = {far for node in self.busbar for far, _ in self._steps(node)} - self.busbar
        heads = [self.elements[self.index.element_at[node]] for node in nodes]
        return sorted(
            (head for head in heads if not self._steps_down(head)),
            key=lambda e: natural_key(e.id),
        )

    def behind(self, head: int) -> set[int]:
        """All nodes supplied through `head` without passing a busbar or a feeding transformer."""
        nodes = {head}
        stack = [head]
        while stack:
            for far, _ in self._steps(stack.pop()):
                if far in nodes or far in self.busbar:
                    continue
                if self._steps_down(self.elements[self.index.element_at[far]]):
                    continue
                nodes.add(far)
                stack.append(far)
        return nodes

    def holds_bus(self, nodes: set[int]) -> bool:
        """A line between two busbars has nothing behind it."""
        return any(self.elements[self.index.element_at[node]].kind == BUS for node in nodes)

    def members(self, groups: list[set[int]]) -> list[set[str]]:
        """Per group of nodes its elements, with the switches and terminals that belong to them."""
        group_of = {
            self.index.element_at[node]: place for place, nodes in enumerate(groups) for node in nodes
        }
        members: list[set[str]] = [set() for _ in groups]
        for name, place in group_of.items():
            members[place].add(name)
        for element in self.network:
            if element.id in self.index.node_of or element.is_source:
                continue
            owners = [element.on] if element.kind == SWITCH and element.on else list(element.buses)
            places = {group_of.get(owner) for owner in owners if owner}
            home = places.pop() if len(places) == 1 else None
            # A tie between two feeders has two homes, so it is in neither.
            if home is not None:
                members[home].add(element.id)
        return members


def _names(groups: list[list[Element]]) -> list[str]:
    """A name for each group of heads; where names repeat, the ids are added."""
    plain = [_joined([_short(head.name.strip() or head.id) for head in heads]) for heads in groups]
    with_ids = [
        _joined([_short(f"{_short(head.name.strip(), 24)} ({head.id})") for head in heads])
        for heads in groups
    ]
    return [name if plain.count(name) == 1 else with_ids[place] for place, name in enumerate(plain)]


def _joined(names: list[str]) -> str:
    """Names as one; of a closely meshed network only the first three."""
    more = [f"{len(names) - 3} more"] if len(names) > 3 else []
    return " + ".join(names[:3] + more)


def _short(name: str, most: int = 50) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"
