"""Others' ways of finding who is dark, on the same made-up network as ours: parts of `make bench-geo`.

Each is built once and then asked: a function takes the nodes that are cut out, with the node behind each, and
whether all ties are closed; it answers with a search to be timed and a way to put everything back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

Finder = Callable[[list[tuple[int, int]], bool], tuple[Callable[[], Iterable[int]], Callable[[], None]]]


def _networkx(it: Any, pairs: np.ndarray) -> Finder:
    import networkx as nx

    graph = nx.Graph()
    graph.add_edges_from(pairs[: it.tie_from].tolist())
    ties = pairs[it.tie_from :].tolist()

    def switched(cut: list[tuple[int, int]], closed: bool) -> Any:
        gone = [(node, other) for node, _ in cut for other in graph[node]]
        graph.remove_edges_from(gone)
        if closed:
            graph.add_edges_from(ties)

        def dark() -> Iterable[int]:
            seen: set[int] = set()
            found: list[int] = []
            for _, start in cut:
                if start in seen:
                    continue
                part = {start}
                stack = [start]
                while stack:
                    for other in graph[stack.pop()]:
                        if other not in part:
                            part.add(other)
                            stack.append(other)
                seen |= part
                if not any(node < it.substations for node in part):
                    found += part
            return found

        def put_back() -> None:
            if closed:
                graph.remove_edges_from(ties)
            graph.add_edges_from(gone)

        return dark, put_back

    return switched


def _rustworkx(it: Any, pairs: np.ndarray) -> Finder:
    import rustworkx as rx

    graph = rx.PyGraph(multigraph=False)
    graph.add_nodes_from([None] * it.nodes)
    graph.add_edges_from_no_data([tuple(pair) for pair in pairs[: it.tie_from].tolist()])
    ties = [tuple(pair) for pair in pairs[it.tie_from :].tolist()]

    def switched(cut: list[tuple[int, int]], closed: bool) -> Any:
        gone = [(node, other) for node, _ in cut for other in graph.neighbors(node)]
        graph.remove_edges_from(gone)
        if closed:
            graph.add_edges_from_no_data(ties)

        def dark() -> Iterable[int]:
            seen: set[int] = set()
            found: list[int] = []
            for _, start in cut:
                if start not in seen:
                    part = rx.node_connected_component(graph, start)
                    seen |= part
                    if not any(node < it.substations for node in part):
                        found += part
            return found

        def put_back() -> None:
            if closed:
                graph.remove_edges_from(ties)
            graph.add_edges_from_no_data(gone)

        return dark, put_back

    return switched


def _scipy(it: Any, pairs: np.ndarray) -> Finder:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    def switched(cut: list[tuple[int, int]], closed: bool) -> Any:
        def dark() -> Iterable[int]:
            kept = pairs if closed else pairs[: it.tie_from]
            kept = kept[~np.isin(kept[:, 0], [node for node, _ in cut])]
            shape = (it.nodes, it.nodes)
            graph = coo_array((np.ones(len(kept), np.uint8), (kept[:, 0], kept[:, 1])), shape=shape).tocsr()
            _, label = connected_components(graph, directed=False)
            fed = np.zeros(int(label.max()) + 1, bool)
            fed[label[: it.substations]] = True
            return np.flatnonzero(~fed[label])

        return dark, lambda: None

    return switched


def _igraph(it: Any, pairs: np.ndarray) -> Finder:
    import igraph

    graph = igraph.Graph(n=it.nodes, edges=pairs[: it.tie_from])
    ties = pairs[it.tie_from :].tolist()

    def switched(cut: list[tuple[int, int]], closed: bool) -> Any:
        gone = [(node, other) for node, _ in cut for other in graph.neighbors(node)]
        graph.delete_edges(gone)
        if closed:
            graph.add_edges(ties)

        def dark() -> Iterable[int]:
            seen: set[int] = set()
            found: list[int] = []
            for _, start in cut:
                if start not in seen:
                    part = graph.subcomponent(start)
                    seen.update(part)
                    if not any(node < it.substations for node in part):
                        found += part
            return found

        def put_back() -> None:
            if closed:
                graph.delete_edges([tuple(pair) for pair in ties])
            graph.add_edges(gone)

        return dark, put_back

    return switched


def _numba(it: Any, pairs: np.ndarray) -> Finder:
    import numba

    ends = np.concatenate([pairs[:, 0], pairs[:, 1]])
    order = np.argsort(ends, kind="stable")
    far = np.concatenate([pairs[:, 1], pairs[:, 0]])[order].astype(np.int32)
    tie = np.tile(np.arange(len(pairs)) >= it.tie_from, 2)[order]
    start = np.zeros(it.nodes + 1, np.int64)
    np.cumsum(np.bincount(ends, minlength=it.nodes), out=start[1:])

    @numba.njit(cache=False)
    def search(start, far, tie, closed, gone, stations, first, seen, mark, queue):  # type: ignore[no-untyped-def]
        head, count, alive = 0, 1, False
        queue[0] = first
        seen[first] = mark
        while head < count:
            node = queue[head]
            head += 1
            alive |= node < stations
            for at in range(start[node], start[node + 1]):
                other = far[at]
                if (closed or not tie[at]) and seen[other] != mark and not gone[other]:
                    seen[other] = mark
                    queue[count] = other
                    count += 1
        return count, alive

    seen, queue = np.zeros(it.nodes, np.int64), np.empty(it.nodes, np.int32)
    marks = iter(range(1, 1 << 60))

    def switched(cut: list[tuple[int, int]], closed: bool) -> Any:
        gone = np.zeros(it.nodes, np.bool_)
        gone[[node for node, _ in cut]] = True

        def dark() -> Iterable[int]:
            found: list[np.ndarray] = []
            low = next(marks)
            for _, first in cut:
                if seen[first] < low:
                    count, alive = search(
                        start, far, tie, closed, gone, it.substations, first, seen, next(marks), queue
                    )
                    if not alive:
                        found.append(queue[:count].copy())
            return np.concatenate(found) if found else np.empty(0, np.int32)

        return dark, lambda: None

    return switched


def _pandapower(it: Any, pairs: np.ndarray) -> Finder:
    import pandapower as pp
    from pandapower.topology import unsupplied_buses

    net = pp.create_empty_network()
    a, b, trafos, stations = it.edge_a, it.edge_b, it.trafos, it.substations
    buses = 2 * stations + 2 * trafos
    volts = np.repeat([110.0, 20.0, 20.0, 0.4], [stations, stations, trafos, trafos])
    pp.create_buses(net, buses, volts)
    before, medium, low = b[:trafos], b[trafos : 2 * trafos], b[3 * trafos : 4 * trafos]
    pp.create_lines_from_parameters(net, before, medium, 0.1, 0.1, 0.1, 0.0, 1.0)
    station = np.arange(stations)
    pp.create_transformers_from_parameters(
        net, np.append(medium, station), np.append(low, station + stations), 1.0,
        np.repeat([20.0, 110.0], [trafos, stations]), np.repeat([0.4, 20.0], [trafos, stations]),
        0.1, 4.0, 0.1, 0.1,
    )  # fmt: skip
    ends, others = a[it.tie_from :], b[it.tie_from :]
    kinds, closed_now = ["l"] * trafos + ["b"] * len(ends), [True] * trafos + [False] * len(ends)
    pp.create_switches(
        net, np.append(before, ends), np.append(np.arange(trafos), others), kinds, closed=closed_now
    )
    for bus in range(stations):
        pp.create_ext_grid(net, bus)

    def switched(cut: list[tuple[int, int]], closed: bool) -> Any:
        lines = [node - it.line_node(0) for node, _ in cut if node < it.line_node(trafos)]
        bays = [trafos + node - it.station_node(0) for node, _ in cut if node >= it.station_node(0)]

        def turn(on: bool) -> None:
            net.line.loc[lines, "in_service"] = on
            net.trafo.loc[bays, "in_service"] = on
            if closed:
                net.switch.loc[net.switch.index[trafos:], "closed"] = not on

        turn(False)
        return lambda: unsupplied_buses(net), lambda: turn(True)

    return switched


FINDERS: dict[str, Callable[[Any, np.ndarray], Finder]] = {
    "pandapower.topology": _pandapower,
    "scipy.sparse.csgraph": _scipy,
    "igraph": _igraph,
    "networkx": _networkx,
    "rustworkx": _rustworkx,
    "numba CSR": _numba,
}
