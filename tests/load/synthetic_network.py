"""A made-up network of any size: 20 customers a transformer, 25 transformers a feeder, 10 feeders a substation.

Each section is a line with a switch at its head. The ends of two neighbouring feeders are joined by an
open tie. A tenth of the customers have a tier above the lowest, a hundredth a second feed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geo.grid import ALL_PHASES, Grid, Plain, assemble
from geo.identifiers import Identifiers

Array = np.ndarray
PER_TRAFO, PER_FEEDER, PER_SUBSTATION = 20, 25, 10


@dataclass(frozen=True)
class Town:
    """Sizes, the edges as pairs of nodes, which of them are ties, and customers by load."""

    customers: int
    feeders: int
    substations: int
    trafos: int
    nodes: int
    edge_a: Array
    edge_b: Array
    tie_from: int
    load_node: Array
    tier: Array
    twin: Array

    def line_node(self, section: int) -> int:
        return 2 * self.substations + 2 * self.trafos + section

    def station_node(self, substation: int) -> int:
        return 2 * self.substations + 4 * self.trafos + substation


def town(customers: int) -> Town:
    feeders = customers // (PER_TRAFO * PER_FEEDER)
    stations, trafos = feeders // PER_SUBSTATION, feeders * PER_FEEDER
    section = np.arange(trafos, dtype=np.int32)
    station = np.arange(stations, dtype=np.int32)
    busbar = stations + (section // (PER_FEEDER * PER_SUBSTATION))
    medium, low = 2 * stations + section, 2 * stations + trafos + section
    line = 2 * stations + 2 * trafos + section
    trafo, feeding = line + trafos, 2 * stations + 4 * trafos + station
    before = np.where(section % PER_FEEDER == 0, busbar, medium - 1)
    ends = medium[PER_FEEDER - 1 :: PER_FEEDER]
    a = [line, line, trafo, trafo, feeding, feeding, ends]
    b = [before, medium, medium, low, station, stations + station, np.roll(ends, -1)]
    chance = np.random.default_rng(1)
    tier = np.where(chance.random(customers) < 0.1, chance.integers(0, 5, customers), 5).astype(np.uint8)
    twin = np.full(customers, -1, np.int32)
    pairs = chance.permutation(customers)[: customers // 100 * 2].reshape(2, -1)
    twin[pairs[0]], twin[pairs[1]] = pairs[1], pairs[0]
    return Town(
        customers=customers,
        feeders=feeders,
        substations=stations,
        trafos=trafos,
        nodes=2 * stations + 4 * trafos + stations,
        edge_a=np.concatenate(a).astype(np.int32),
        edge_b=np.concatenate(b).astype(np.int32),
        tie_from=4 * trafos + 2 * stations,
        load_node=np.repeat(low, PER_TRAFO).astype(np.int32),
        tier=tier,
        twin=twin,
    )


def grid_of_town(it: Town) -> Grid:
    """The same as a reader and `geo.grid_build` would make of it, without ten million strings on the way."""
    counts = {
        "bus": 2 * it.substations + 2 * it.trafos,
        "ext_grid": it.substations,
        "line": it.trafos,
        "load": it.customers,
        "switch": it.trafos + it.feeders,
        "trafo": it.trafos + it.substations,
    }
    ids = Identifiers({kind: np.arange(count) for kind, count in counts.items()})
    switches = counts["switch"]
    closed = np.ones(switches, np.uint8)
    closed[it.trafos :] = 0
    kilovolts = np.zeros(it.nodes, np.float32)
    kilovolts[: counts["bus"]] = np.repeat(
        np.array([110.0, 20.0, 20.0, 0.4], np.float32), [it.substations, it.substations, it.trafos, it.trafos]
    )

    def whole(count: int) -> Array:
        return np.full(count, ALL_PHASES, np.uint8)

    plain = Plain(
        alive=np.ones(it.nodes, np.uint8),
        phases=whole(it.nodes),
        kv=kilovolts,
        edge_a=it.edge_a,
        edge_b=it.edge_b,
        switch_edge=np.concatenate([np.arange(it.trafos), it.tie_from + np.arange(it.feeders)]).astype(
            np.int32
        ),
        switch_closed=closed,
        switch_alive=np.ones(switches, np.uint8),
        switch_phases=whole(switches),
        source=np.arange(it.substations, dtype=np.int32),
        source_element=(ids.start["ext_grid"] + np.arange(it.substations)).astype(np.int32),
        source_phases=whole(it.substations),
        load_node=it.load_node,
        load_alive=np.ones(it.customers, np.uint8),
        load_phases=whole(it.customers),
        feeder_start=np.zeros(1, np.int64),
        feeder_member=np.empty(0, np.int32),
    )
    first = {"bus": 0, "line": counts["bus"], "trafo": counts["bus"] + it.trafos}
    return assemble(ids, first, {"load": 0}, (), plain)


def mesh(width: int) -> tuple[Grid, dict[str, str]]:
    """A square mesh of buses and lines, fed at one corner, and cuts by what hangs behind them in the forest."""
    bus = np.arange(width * width, dtype=np.int32).reshape(width, width)
    a = np.concatenate([bus[:, :-1].ravel(), bus[:-1].ravel()])
    b = np.concatenate([bus[:, 1:].ravel(), bus[1:].ravel()])
    buses, lines = width * width, len(a)
    line = buses + np.arange(lines, dtype=np.int32)
    counts = {"bus": buses, "ext_grid": 1, "line": lines, "load": buses}
    ids = Identifiers({kind: np.arange(count) for kind, count in counts.items()})
    whole = {name: np.full(count, ALL_PHASES, np.uint8) for name, count in counts.items()}
    none = np.empty(0, np.int32)
    plain = Plain(
        alive=np.ones(buses + lines, np.uint8),
        phases=np.full(buses + lines, ALL_PHASES, np.uint8),
        kv=np.zeros(buses + lines, np.float32),
        edge_a=np.concatenate([line, line]),
        edge_b=np.concatenate([a, b]).astype(np.int32),
        switch_edge=none,
        switch_closed=none.astype(np.uint8),
        switch_alive=none.astype(np.uint8),
        switch_phases=none.astype(np.uint8),
        source=np.zeros(1, np.int32),
        source_element=np.array([ids.start["ext_grid"]], np.int32),
        source_phases=whole["ext_grid"],
        load_node=bus.ravel(),
        load_alive=np.ones(buses, np.uint8),
        load_phases=whole["load"],
        feeder_start=np.zeros(1, np.int64),
        feeder_member=none,
    )
    grid = assemble(ids, {"bus": 0, "line": buses}, {"load": 0}, (), plain)
    forest = grid.layers[0].forest
    at = forest.position[line]
    behind = forest.last[at] - at
    return grid, {
        f"{behind[place]:,} nodes behind it": f"line:{place}"
        for place in (int(np.argmax(behind)), int(np.argmin(np.abs(behind - 300))))
    }
