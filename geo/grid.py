"""The network as arrays: what tracing needs of it, and nothing else.

Buses and branches are nodes; an edge joins a branch to one of its buses (through all switches
at that end, in series) or, for a bus-bus switch, two buses; loads and sources sit at nodes. The
rules are those of `geo.trace`, which says the same in plain Python and is what this is tested against.

Where all elements carry all three phases there is one forest; where some do not, each phase
has its own, since an edge may carry one and not another. Built by `geo.grid_build`, kept in a
file by `geo.grid_file`; never changes, so threads may share it.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from geo.forest import Forest, grow
from geo.identifiers import Identifiers

Array = np.ndarray
BITS = {"A": 1, "B": 2, "C": 4}
ALL_PHASES = 7


def phase_bits(phases: str) -> int:
    bits = 0
    for one in phases:
        bits |= BITS[one]
    return bits


def phase_names(bits: int) -> str:
    return "".join(name for name, bit in BITS.items() if bits & bit)


@dataclass(frozen=True)
class Plain:
    """The arrays of a network before anything is derived.

    Per node: `alive`, `phases`, `kv`. Per edge: `edge_a`, `edge_b`. Per switch: its edge, `closed`,
    `switch_alive`, `switch_phases`. Per source and load: its node (a source that does not hold the
    network up: -1), in service or not, phases. `feeder_start` and `feeder_member` list the elements
    of each feeder by number.
    """

    alive: Array
    phases: Array
    kv: Array
    edge_a: Array
    edge_b: Array
    switch_edge: Array
    switch_closed: Array
    switch_alive: Array
    switch_phases: Array
    source: Array
    source_element: Array
    source_phases: Array
    load_node: Array
    load_alive: Array
    load_phases: Array
    feeder_start: Array
    feeder_member: Array


@dataclass(frozen=True)
class Derived:
    """What follows from `Plain`: edges by node, switches by edge, and which edges are closed."""

    near_start: Array
    near_edge: Array
    on_start: Array
    on_switch: Array
    passable: Array
    tie: Array
    open_switches: Array


@dataclass(frozen=True)
class Layer:
    """One forest and the phases that it stands for."""

    bits: int
    forest: Forest


@dataclass
class Grid:
    """One network, ready for tracing. Elements are numbered by `ids`, in natural order of their names.

    `node_kinds` lists the kinds that are nodes with the number of their first node; loads, switches
    and sources are numbered in the order of `ids` too. `label` and `attributes` ask the source of the
    network for what is not here: how people call an element, and its further values.
    """

    ids: Identifiers
    node_kinds: dict[str, int]
    load_kinds: dict[str, int]
    feeders: tuple[str, ...]
    plain: Plain
    derived: Derived
    layers: tuple[Layer, ...]
    label: Callable[[str], str] = field(default=str)
    attributes: Callable[[Iterable[str]], Mapping[str, Mapping[str, object]]] = field(default=lambda ids: {})

    def node_of(self, element: int) -> int | None:
        kind = self.ids.kind(element)
        first = self.node_kinds.get(kind)
        return None if first is None else first + element - self.ids.start[kind]

    def element_of_node(self, node: int) -> int:
        return _element(node, self.node_kinds, self.ids)

    def element_of_load(self, load: int) -> int:
        return _element(load, self.load_kinds, self.ids)

    def load_of(self, element: int) -> int | None:
        kind = self.ids.kind(element)
        first = self.load_kinds.get(kind)
        return None if first is None else first + element - self.ids.start[kind]

    def load_numbers(self, names: Sequence[str]) -> Array:
        """The loads of these names, -1 for what is none."""
        elements = self.ids.numbers(names)
        found = np.full(len(elements), -1, np.int64)
        for kind, first in self.load_kinds.items():
            start = self.ids.start[kind]
            own = (elements >= start) & (elements < start + self.ids.size(kind))
            found[own] = elements[own] - start + first
        return found

    def load_names(self, loads: Array) -> tuple[str, ...]:
        """Names of loads whose numbers rise."""
        return self.ids.names(_elements(loads, self.load_kinds, self.ids))

    def node_names(self, nodes: Array) -> tuple[str, ...]:
        return self.ids.names(_elements(np.sort(nodes), self.node_kinds, self.ids))

    def switch_of(self, element: int) -> int | None:
        return element - self.ids.start["switch"] if self.ids.kind(element) == "switch" else None

    def switch_name(self, switch: int) -> str:
        return self.ids.name(self.ids.start["switch"] + switch)

    def switch_names(self, switches: Iterable[int] | Array) -> tuple[str, ...]:
        wanted = np.asarray(switches if isinstance(switches, np.ndarray) else sorted(switches), np.int64)
        return self.ids.names(wanted + self.ids.start.get("switch", 0))

    def edges_of(self, node: int) -> list[int]:
        begin, end = self.derived.near_start[node : node + 2].tolist()
        found: list[int] = self.derived.near_edge[begin:end].tolist()
        return found

    def other_end(self, edge: int, node: int) -> int:
        a = int(self.plain.edge_a[edge])
        return int(self.plain.edge_b[edge]) if a == node else a

    def switches_on(self, edge: int) -> list[int]:
        begin, end = self.derived.on_start[edge : edge + 2].tolist()
        found: list[int] = self.derived.on_switch[begin:end].tolist()
        return found

    def members(self, feeder: str) -> list[int] | None:
        """The elements of a feeder by number; None when there is no such feeder."""
        place = bisect.bisect_left(self.feeders, feeder)
        if place == len(self.feeders) or self.feeders[place] != feeder:
            return None
        begin, end = self.plain.feeder_start[place : place + 2].tolist()
        found: list[int] = self.plain.feeder_member[begin:end].tolist()
        return found

    @cached_property
    def open_names(self) -> tuple[str, ...]:
        """All normally open switches."""
        return self.switch_names(self.derived.open_switches)

    @cached_property
    def sources(self) -> frozenset[int]:
        """The elements that hold the network up."""
        return frozenset(self.plain.source_element.tolist())

    @property
    def phased(self) -> bool:
        return len(self.layers) > 1


def _element(number: int, kinds: dict[str, int], ids: Identifiers) -> int:
    kind = max((first, kind) for kind, first in kinds.items() if first <= number and ids.size(kind))[1]
    return ids.start[kind] + number - kinds[kind]


def _elements(numbers: Array, kinds: dict[str, int], ids: Identifiers) -> Array:
    """Element numbers of node or load numbers that rise."""
    found = numbers.astype(np.int64)
    for kind, first in kinds.items():
        begin, end = np.searchsorted(numbers, [first, first + ids.size(kind)])
        found[begin:end] += ids.start[kind] - first
    return found


def assemble(
    ids: Identifiers,
    node_kinds: dict[str, int],
    load_kinds: dict[str, int],
    feeders: tuple[str, ...],
    plain: Plain,
) -> Grid:
    """The grid of these arrays: edges by node, normal states and the forest of each phase."""
    count, edges = len(plain.alive), len(plain.edge_a)
    numbers = np.arange(edges, dtype=np.int32)
    loose = plain.edge_a != plain.edge_b
    entries = np.concatenate([plain.edge_a, plain.edge_b[loose]])
    near_start = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(entries, minlength=count), out=near_start[1:])
    near_edge = np.concatenate([numbers, numbers[loose]])[np.argsort(entries, kind="stable")]
    on_start = np.zeros(edges + 1, np.int64)
    np.cumsum(np.bincount(plain.switch_edge, minlength=edges), out=on_start[1:])
    on_switch = np.argsort(plain.switch_edge, kind="stable").astype(np.int32)
    dead = np.zeros(edges, bool)
    dead[plain.switch_edge[plain.switch_alive == 0]] = True
    open_ = np.zeros(edges, bool)
    open_[plain.switch_edge[plain.switch_closed == 0]] = True
    derived = Derived(
        near_start=near_start,
        near_edge=near_edge,
        on_start=on_start,
        on_switch=on_switch,
        passable=~dead & ~open_,
        # Open, and carrying once every open switch on it is closed.
        tie=~dead & open_,
        open_switches=np.flatnonzero(plain.switch_closed == 0).astype(np.int32),
    )
    layers = tuple(_layer(bits, plain, derived) for bits in _layer_bits(plain))
    return Grid(ids, node_kinds, load_kinds, feeders, plain, derived, layers)


def _layer_bits(plain: Plain) -> tuple[int, ...]:
    every = (plain.phases, plain.switch_phases, plain.source_phases)
    return (ALL_PHASES,) if all(bool((one == ALL_PHASES).all()) for one in every) else tuple(BITS.values())


def _layer(bits: int, plain: Plain, derived: Derived) -> Layer:
    alive = plain.alive.astype(bool) & ((plain.phases & bits) > 0)
    carries = np.ones(len(plain.edge_a), bool)
    carries[plain.switch_edge[(plain.switch_phases & bits) == 0]] = False
    counted = plain.load_alive.astype(bool) & ((plain.load_phases & bits) > 0)
    forest = grow(
        alive,
        (plain.edge_a, plain.edge_b),
        carries & (derived.passable | derived.tie),
        derived.passable,
        np.where((plain.source_phases & bits) > 0, plain.source, -1),
        np.where(counted, plain.load_node, -1),
    )
    return Layer(bits, forest)
