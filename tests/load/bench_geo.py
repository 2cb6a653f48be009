"""Tracing against networkx, rustworkx and scipy on the same made-up network: `make bench-geo`.

Each way runs in a process of its own, so that its memory can be told apart; all must find the same
number of dark customers. Times are medians of warm repetitions, in process. Ours includes reading the
request, impact per service point and counts by tier; the peers only find the dark nodes, and are told
which end of a section lies away from the source.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

CASES = ("section", "feeder", "substation", "50 sections", "50 + all ties")
WAYS = ("this project", "rustworkx", "scipy.sparse.csgraph", "networkx")
# What a peer takes many minutes or gigabytes for is left out at the larger size.
ONLY_SMALL = ("networkx",)
OUTAGE, REDUCED = 0, 1


def resident_mib() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def median_ms(work: Callable[[], Any], seconds: float) -> float:
    work()
    times: list[float] = []
    until = time.perf_counter() + seconds
    while len(times) < 3 or (time.perf_counter() < until and len(times) < 301):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def sections_of(case: str, trafos: int) -> list[int]:
    """The sections that are out: one in the middle of a feeder, a feeder's first, fifty anywhere."""
    if case == "section":
        return [trafos // 2 // 25 * 25 + 12]
    if case == "feeder":
        return [trafos // 2 // 25 * 25]
    return sorted(np.random.default_rng(7).choice(trafos, 50, replace=False).tolist())


def ours(customers: int, path: Path, seconds: float) -> dict[str, Any]:
    bare = resident_mib()
    from geo import grid_file
    from geo.outcome import trace
    from geo.request import read_request

    grid = grid_file.read(path)
    tier, twin = (np.load(path.with_suffix(f".{name}.npy"), mmap_mode="r") for name in ("tier", "twin"))
    trafos = customers // 20

    def answer(case: str) -> tuple[int, np.ndarray, np.ndarray]:
        if case == "substation":
            out = [f"trafo:{trafos + customers // 5000 // 2}"]
        else:
            out = [f"line:{section}" for section in sections_of(case, trafos)]
        request = read_request(grid, out=out, close_ties=case.endswith("ties"))
        lost = trace(grid, request.change, request.loads_out).lost
        # A customer with a second feed is dark only when that is lost too.
        other = twin[lost]
        two = np.flatnonzero(other >= 0)
        impact = np.zeros(len(lost), np.uint8)
        place = np.minimum(np.searchsorted(lost, other[two]), max(len(lost) - 1, 0))
        impact[two] = np.where(lost[place] == other[two], OUTAGE, REDUCED)
        counts = np.bincount(tier[lost] * 2 + impact, minlength=12)
        return len(lost), impact, counts

    found = {case: answer(case)[0] for case in CASES}
    memory = resident_mib() - bare
    times = {case: median_ms(lambda case=case: answer(case), seconds) for case in CASES}  # type: ignore[misc]
    return {"memory": memory, "dark": found, "ms": times}


def peer(way: str, customers: int, seconds: float) -> dict[str, Any]:
    from tests.load.synthetic_network import town

    it = town(customers)
    here = np.bincount(it.load_node, minlength=it.nodes)
    pairs = np.stack([it.edge_a, it.edge_b], axis=1)
    bare = resident_mib()
    dark_of = {"networkx": _networkx, "rustworkx": _rustworkx, "scipy.sparse.csgraph": _scipy}[way](it, pairs)
    memory = resident_mib() - bare
    found, times = {}, {}
    for case in CASES:
        if case == "substation":
            cut = [(it.station_node(it.substations // 2), it.substations + it.substations // 2)]
        else:
            # Behind a section lies its medium-voltage bus.
            sections = sections_of(case, it.trafos)
            cut = [(it.line_node(one), 2 * it.substations + one) for one in sections]
        find, put_back = dark_of(cut, case.endswith("ties"))
        dark = np.fromiter(find(), np.int64)
        found[case] = int(here[np.unique(dark)].sum())
        times[case] = median_ms(lambda find=find: sum(1 for _ in find()), seconds)
        put_back()
    return {"memory": memory, "dark": found, "ms": times}


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


def run_all(sizes: list[int], seconds: float) -> None:
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}")
    results: dict[int, dict[str, dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            path = Path(folder) / f"{size}.grid"
            child("prepare", size, path, seconds)
            results[size] = {
                way: child(way, size, path, seconds)
                for way in WAYS
                if not (way in ONLY_SMALL and size > 1_000_000)
            }
            answers = {json.dumps(one["dark"]) for one in results[size].values()}
            if len(answers) != 1:
                raise SystemExit(f"The ways do not agree: {answers}")
            path.unlink()
    for size, found in results.items():
        dark = next(iter(found.values()))["dark"]
        print(f"\n{size:,} customers; dark: " + ", ".join(f"{case} {dark[case]:,}" for case in CASES))
        print("| way (ms) | memory MiB | " + " | ".join(CASES) + " |\n|---|---|" + "---|" * len(CASES))
        for way, one in found.items():
            cells = [
                f"{one['ms'][case]:.3f} (x{one['ms'][case] / found[WAYS[0]]['ms'][case]:.1f})"
                for case in CASES
            ]
            print(f"| {way} | {one['memory']:.0f} | " + " | ".join(cells) + " |")
    if len(sizes) > 1:
        small, large = sizes[0], sizes[-1]
        print(f"\nThis project, {large:,} against {small:,} customers:")
        for case in CASES:
            a, b = (results[size][WAYS[0]]["ms"][case] for size in (small, large))
            print(f"| {case} | {a:.3f} | {b:.3f} | x{b / a:.2f} |")


def child(way: str, size: int, path: Path, seconds: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.load.bench_geo", "--child", way, "--customers", str(size)]
    command += ["--file", str(path), "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{way}: {done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    print(
        f"  {way}, {size:,}: "
        + (", ".join(f"{k} {v}" for k, v in found.items()) if way == "prepare" else "done")
    )
    return found


def prepare(customers: int, path: Path) -> dict[str, Any]:
    from geo import grid_file
    from tests.load.synthetic_network import grid_of_town, town

    it = town(customers)
    began = time.perf_counter()
    grid = grid_of_town(it)
    built = time.perf_counter()
    grid_file.write(grid, path)
    written = time.perf_counter()
    for name in ("tier", "twin"):
        np.save(path.with_suffix(f".{name}.npy"), getattr(it, name))
    return {
        "build_s": round(built - began, 2),
        "write_s": round(written - built, 2),
        "file_MB": round(path.stat().st_size / 1e6),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--customers", type=int, action="append", help="sizes; default 1,000,000 and 10,000,000"
    )
    parser.add_argument("--seconds", type=float, default=1.0, help="for each case of each way")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    sizes = asked.customers or [1_000_000, 10_000_000]
    if asked.child == "prepare":
        print(json.dumps(prepare(sizes[0], asked.file)))
    elif asked.child == WAYS[0]:
        print(json.dumps(ours(sizes[0], asked.file, asked.seconds)))
    elif asked.child:
        print(json.dumps(peer(asked.child, sizes[0], asked.seconds)))
    else:
        run_all(sizes, asked.seconds)


if __name__ == "__main__":
    main()
