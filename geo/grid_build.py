"""From elements, or from the columns of a database, to the arrays of `geo.grid`.

Promises: the same graph as `geo.trace.TraceIndex` builds of the same elements, and the same
error where an element ends at something that is not there. Columns come in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from geo.grid import ALL_PHASES, Grid, Plain, assemble, phase_bits
from geo.identifiers import Identifiers, sort_ids
from geo.model import BRANCH_KINDS, BUS, LOAD_KINDS, SOURCE_KINDS, SWITCH, GeoError, Network

Array = np.ndarray


@dataclass
class Columns:
    """All elements of one kind, field by field; `buses` lists the columns bus_a, bus_b, bus_c as far as there are.

    `id` is without its kind, `buses` and `on` with it. A column that is empty holds its usual
    value throughout: in service, closed, all phases, no feeder, no voltage, not a source.
    """

    id: Sequence[str]
    buses: Sequence[Sequence[str | None]] = ()
    in_service: Sequence[bool] = ()
    closed: Sequence[bool | None] = ()
    on: Sequence[str | None] = ()
    phases: Sequence[str] = ()
    feeder: Sequence[str | None] = ()
    kv: Sequence[float | None] = ()
    source: Sequence[bool] = ()
    order: list[int] = field(default_factory=list)


def grid_of(network: Network) -> Grid:
    """The arrays of a network that is in memory; labels and attributes are its own."""
    by_kind: dict[str, list[str]] = {}
    for element in network:
        by_kind.setdefault(element.kind, []).append(element.id)
    feeder = network.feeder_of()
    columns = {}
    for kind, names in by_kind.items():
        elements = [network.elements[name] for name in names]
        widest = max(len(one.buses) for one in elements)
        columns[kind] = Columns(
            id=[name.partition(":")[2] for name in names],
            buses=[
                [one.buses[at] if at < len(one.buses) else None for one in elements] for at in range(widest)
            ],
            in_service=[one.in_service for one in elements],
            closed=[one.closed for one in elements],
            on=[one.on for one in elements],
            phases=[one.phases for one in elements],
            feeder=[feeder.get(name) for name in names],
            kv=[_number(one.attrs.get("vn_kv")) for one in elements],
            source=[one.is_source for one in elements],
        )
    grid = build(columns)
    grid.label = lambda name: network.elements[name].label
    grid.attributes = lambda names: {name: network.elements[name].attrs for name in names}
    return grid


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def build(columns: Mapping[str, Columns], feeders: Iterable[str] = ()) -> Grid:
    """The grid of these columns. GeoError names an element that ends nowhere."""
    tables: dict[str, Array] = {}
    for kind, one in columns.items():
        tables[kind], one.order = sort_ids(kind, one.id)
    ids = Identifiers(tables)
    kinds = {kind: columns[kind] for kind in ids.tables}
    node_kinds, nodes = _number_kinds(kinds, {BUS} | BRANCH_KINDS)
    load_kinds, _ = _number_kinds(kinds, LOAD_KINDS)
    build = _Build(kinds, node_kinds, nodes)
    build.branches()
    switches = build.switches()
    loads = [kinds[kind] for kind in load_kinds]
    sources = build.sources(ids)
    plain = Plain(
        alive=_joined([_flags(kinds[kind]) for kind in node_kinds], np.uint8),
        phases=_joined([_phases(kinds[kind]) for kind in node_kinds], np.uint8),
        kv=_joined([_volts(kinds[kind]) for kind in node_kinds], np.float32),
        edge_a=np.array(build.edge_a, np.int32),
        edge_b=np.array(build.edge_b, np.int32),
        switch_edge=switches,
        switch_closed=_closed(kinds.get(SWITCH)),
        switch_alive=_flags(kinds[SWITCH]) if SWITCH in kinds else np.empty(0, np.uint8),
        switch_phases=_phases(kinds[SWITCH]) if SWITCH in kinds else np.empty(0, np.uint8),
        source=sources[0],
        source_element=sources[1],
        source_phases=sources[2],
        load_node=_joined([build.at_bus(kind) for kind in load_kinds], np.int32),
        load_alive=_joined([_flags(one) for one in loads], np.uint8),
        load_phases=_joined([_phases(one) for one in loads], np.uint8),
        **_feeders(kinds, ids),
    )
    names = tuple(dict.fromkeys(name for one in kinds.values() for name in one.feeder if name is not None))
    return assemble(ids, node_kinds, load_kinds, tuple(sorted(names)), plain)


def _number_kinds(kinds: Mapping[str, Columns], wanted: Iterable[str]) -> tuple[dict[str, int], int]:
    """First number per kind, in the order of `kinds`, and how many there are."""
    found: dict[str, int] = {}
    at = 0
    for kind in kinds:
        if kind in wanted:
            found[kind] = at
            at += len(kinds[kind].id)
    return found, at


class _Build:
    def __init__(self, kinds: Mapping[str, Columns], node_kinds: dict[str, int], nodes: int) -> None:
        self.kinds = kinds
        self.node_kinds = node_kinds
        self.node: dict[str, int] = {}
        for kind, first in node_kinds.items():
            own, mark = kinds[kind].id, kind + ":"
            self.node.update(
                (mark + own[place], number) for number, place in enumerate(kinds[kind].order, first)
            )
        self.edge_a: list[int] = []
        self.edge_b: list[int] = []
        # An edge is found again by the node of its branch and that of its bus.
        self.edge_at: dict[tuple[int, int], int] = {}

    def branches(self) -> None:
        for kind, first in self.node_kinds.items():
            if kind == BUS:
                continue
            one = self.kinds[kind]
            for number, place in enumerate(one.order, first):
                for column in one.buses:
                    bus = column[place]
                    if bus is None:
                        continue
                    end = self._bus(bus, kind, one.id[place])
                    if (number, end) not in self.edge_at:
                        self.edge_at[number, end] = len(self.edge_a)
                        self.edge_a.append(number)
                        self.edge_b.append(end)

    def switches(self) -> Array:
        """The edge of each switch; bus-bus switches get edges of their own."""
        one = self.kinds.get(SWITCH)
        if one is None:
            return np.empty(0, np.int32)
        edges = []
        for place in one.order:
            on = one.on[place] if one.on else None
            bus = one.buses[0][place]
            if on is None:
                ends = [self._bus(column[place], SWITCH, one.id[place]) for column in one.buses[:2]]
                edges.append(len(self.edge_a))
                self.edge_a.append(ends[0])
                self.edge_b.append(ends[1])
                continue
            edge = self.edge_at.get((self.node.get(on, -1), self.node.get(bus or "", -1)))
            if edge is None:
                raise GeoError(
                    f"switch:{one.id[place]} sits between {on} and {bus}, but {on} does not end there.",
                    "Correct the switch in the source and import again.",
                )
            edges.append(edge)
        return np.array(edges, np.int32)

    def at_bus(self, kind: str) -> Array:
        one = self.kinds[kind]
        if not one.id:
            return np.empty(0, np.int32)
        first, node = one.buses[0], self.node
        found = [node.get(first[place] or "", -1) for place in one.order]
        if -1 in found:
            place = one.order[found.index(-1)]
            self._bus(first[place], kind, one.id[place])
        return np.array(found, np.int32)

    def sources(self, ids: Identifiers) -> tuple[Array, Array, Array]:
        nodes: list[int] = []
        elements: list[int] = []
        phases: list[int] = []
        for kind in self.kinds:
            if kind not in SOURCE_KINDS:
                continue
            one = self.kinds[kind]
            for number, place in enumerate(one.order, ids.start[kind]):
                if (one.source[place] if one.source else kind == "ext_grid") and (
                    one.in_service[place] if one.in_service else True
                ):
                    nodes.append(self._bus(one.buses[0][place], kind, one.id[place]))
                    elements.append(number)
                    phases.append(phase_bits(one.phases[place]) if one.phases else ALL_PHASES)
        return np.array(nodes, np.int32), np.array(elements, np.int32), np.array(phases, np.uint8)

    def _bus(self, bus: str | None, kind: str, own: str) -> int:
        node = self.node.get(bus or "")
        if node is None:
            raise GeoError(f"{kind}:{own} ends at {bus}, which does not exist.", "Import the network again.")
        return node


def _joined(parts: list[Array], kind: type) -> Array:
    return np.concatenate(parts).astype(kind, copy=False) if parts else np.empty(0, kind)


def _flags(one: Columns) -> Array:
    if not one.in_service:
        return np.ones(len(one.id), np.uint8)
    return np.array(one.in_service, bool)[one.order].astype(np.uint8)


def _closed(one: Columns | None) -> Array:
    if one is None or not one.closed:
        return np.ones(0 if one is None else len(one.id), np.uint8)
    return np.array([bool(state) for state in one.closed], bool)[one.order].astype(np.uint8)


def _phases(one: Columns) -> Array:
    if not one.phases:
        return np.full(len(one.id), ALL_PHASES, np.uint8)
    known = {text: phase_bits(text) for text in set(one.phases)}
    return np.array([known[text] for text in one.phases], np.uint8)[one.order]


def _volts(one: Columns) -> Array:
    if not one.kv:
        return np.zeros(len(one.id), np.float32)
    return np.array([value or 0.0 for value in one.kv], np.float32)[one.order]


def _feeders(kinds: Mapping[str, Columns], ids: Identifiers) -> dict[str, Array]:
    """The members of each feeder, feeders in the order of their names."""
    names = sorted({name for one in kinds.values() for name in one.feeder if name is not None})
    number = {name: place for place, name in enumerate(names)}
    owners, members = [], []
    for kind, one in kinds.items():
        if not one.feeder:
            continue
        of = np.array([number.get(name, -1) if name is not None else -1 for name in one.feeder], np.int32)
        of = of[one.order]
        here = np.flatnonzero(of >= 0)
        owners.append(of[here])
        members.append((here + ids.start[kind]).astype(np.int32))
    owner = np.concatenate(owners) if owners else np.empty(0, np.int32)
    member = np.concatenate(members) if members else np.empty(0, np.int32)
    start = np.zeros(len(names) + 1, np.int64)
    np.cumsum(np.bincount(owner, minlength=len(names)), out=start[1:])
    return {"feeder_start": start, "feeder_member": member[np.argsort(owner, kind="stable")]}
