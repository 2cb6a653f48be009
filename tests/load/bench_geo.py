"""Everything about where and who at scale, beside what else could do it, in one run: `make bench-geo`.

Tracing on one made-up network by ten ways, `resolve` over the web on both databases (`bench_resolve`), finding by
place (`bench_find`), public areas (`bench_areas`). Each way of tracing runs in a process of its own, so that its memory
can be told apart; all must find the same number of dark customers. Times are medians of warm repetitions, in process.
Ours includes reading the request, impact per service point and counts by tier; the peers only find the dark
nodes (the databases: counts by tier), and are told which end of a section lies away from the source.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from tests.load import bench_areas, bench_find, bench_resolve

CASES = ("section", "feeder", "substation", "50 sections", "50 + all ties")
OURS = "this project"
DATABASES = ("PostgreSQL recursive CTE + join", "SQLite recursive CTE + join")
WAYS = (
    OURS,
    "pandapower.topology",
    "scipy.sparse.csgraph",
    "igraph",
    *DATABASES,
    "networkx",
    "rustworkx",
    "numba CSR",
)
PARTS = ("trace", "mesh", "web", "find", "areas")
# What a peer takes many minutes or gigabytes for is left out at the larger size.
ONLY_SMALL = ("pandapower.topology", "networkx", *DATABASES)
# With ties closed, a query walks the whole network for minutes; pandapower walks it whole for every question.
ONLY_CASES = dict.fromkeys(DATABASES, CASES[:4]) | {"pandapower.topology": (CASES[0], CASES[4])}
NOT_HERE = 3
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


def peer(way: str, customers: int, path: Path, seconds: float) -> dict[str, Any]:
    from tests.load.synthetic_network import town

    it = town(customers)
    here = np.bincount(it.load_node, minlength=it.nodes)
    pairs = np.stack([it.edge_a, it.edge_b], axis=1)
    cases = ONLY_CASES.get(way, CASES)
    bare = resident_mib()
    if way in DATABASES:
        with asking(way, it, path) as ask:
            return _timed(it, cases, seconds, lambda cut, _: (lambda: ask(cut), lambda: None), int) | {
                "memory": None
            }
    from tests.load.geo_peers import FINDERS

    finder = FINDERS[way](it, pairs)

    def count(dark: Any) -> int:
        return int(here[np.unique(np.fromiter(dark, np.int64))].sum())

    found = _timed(it, cases, seconds, finder, count)
    return found | {"memory": resident_mib() - bare}


def _timed(
    it: Any, cases: Iterable[str], seconds: float, finder: Any, count: Callable[[Any], int]
) -> dict[str, Any]:
    found, times = {}, {}
    for case in cases:
        if case == "substation":
            cut = [(it.station_node(it.substations // 2), it.substations + it.substations // 2)]
        else:
            # Behind a section lies its medium-voltage bus.
            sections = sections_of(case, it.trafos)
            cut = [(it.line_node(one), 2 * it.substations + one) for one in sections]
        find, put_back = finder(cut, case.endswith("ties"))
        found[case] = count(find())
        times[case] = median_ms(find, seconds)
        put_back()
    return {"dark": found, "ms": times}


@contextlib.contextmanager
def asking(way: str, it: Any, path: Path) -> Iterator[Callable[[list[tuple[int, int]]], int]]:
    """A database that holds the town as tables of its own."""
    from tests.load import geo_databases

    if way.startswith("SQLite"):
        yield geo_databases.sqlite(it, path.parent)
        (path.parent / "peer.db").unlink()
        return
    from tests.servers.postgres import PostgresServer
    from tests.servers.process import Unavailable
    from tests.servers.programs import Missing

    try:
        server = PostgresServer()
    except (Missing, Unavailable) as error:
        raise ImportError(str(error)) from error
    try:
        yield geo_databases.postgres(it, server.create_database())
    finally:
        server.stop()


def trace_tables(sizes: list[int], ways: Iterable[str], seconds: float) -> None:
    results: dict[int, dict[str, dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            path = Path(folder) / f"{size}.grid"
            child("prepare", size, path, seconds)
            asked = {
                way: child(way, size, path, seconds)
                for way in ways
                if not (way in ONLY_SMALL and size > 1_000_000)
            }
            results[size] = {way: one for way, one in asked.items() if one}
            ours_dark = results[size][OURS]["dark"]
            for way, one in results[size].items():
                if any(ours_dark[case] != count for case, count in one["dark"].items()):
                    raise SystemExit(f"{way} does not agree: {one['dark']}, and not {ours_dark}")
            path.unlink()
    for size, found in results.items():
        dark = found[OURS]["dark"]
        print(f"\n{size:,} customers; dark: " + ", ".join(f"{case} {dark[case]:,}" for case in CASES))
        print("| way (ms) | memory MiB | " + " | ".join(CASES) + " |\n|---|---|" + "---|" * len(CASES))
        for way, one in found.items():
            cells = [_cell(one["ms"].get(case), found[OURS]["ms"][case], way) for case in CASES]
            memory = "-" if one["memory"] is None else f"{one['memory']:.0f}"
            print(f"| {way} | {memory} | " + " | ".join(cells) + " |")
        if left := [way for way in ways if way not in found]:
            print(f"Left out at this size: {', '.join(left)}.")
    if len(sizes) > 1:
        small, large = sizes[0], sizes[-1]
        both = [[results[size][OURS]["ms"][case] for size in (small, large)] for case in CASES]
        cells = " | ".join(f"x{b / a:.2f}" for a, b in both)
        print(f"\nThis project, {large:,} against {small:,} customers:\n| {' | '.join(CASES)} |\n| {cells} |")


def _cell(time_ms: float | None, own: float, way: str) -> str:
    if time_ms is None:
        return "-"
    return f"{time_ms:.3f}" + ("" if way == OURS else f" (x{time_ms / own:.1f})")


def child(way: str, size: int, path: Path, seconds: float) -> dict[str, Any]:
    """What a way found, in a process of its own; nothing where it is not installed."""
    command = [sys.executable, "-m", "tests.load.bench_geo", "--child", way, "--customers", str(size)]
    command += ["--file", str(path), "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == NOT_HERE:
        print(f"  {way} is not installed and left out: {done.stderr.strip().splitlines()[-1]}")
        return {}
    if done.returncode:
        raise SystemExit(f"{way}: {done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    words = ", ".join(f"{k} {v}" for k, v in found.items()) if way == "prepare" else "done"
    print(f"  {way}, {size:,}: {words}", flush=True)
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
    parser.add_argument("--way", choices=WAYS, action="append", help="a way beside ours; default all")
    parser.add_argument("--part", choices=PARTS, action="append", help="default all")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    sizes = asked.customers or [1_000_000, 10_000_000]
    if asked.child == "prepare":
        print(json.dumps(prepare(sizes[0], asked.file)))
    elif asked.child == OURS:
        print(json.dumps(ours(sizes[0], asked.file, asked.seconds)))
    elif asked.child:
        try:
            print(json.dumps(peer(asked.child, sizes[0], asked.file, asked.seconds)))
        except ImportError as error:
            print(error, file=sys.stderr)
            raise SystemExit(NOT_HERE) from error
    else:
        run_all(sizes, asked.seconds, asked.way or WAYS, asked.part or PARTS)


def run_all(
    sizes: list[int], seconds: float, ways: Sequence[str] = WAYS, parts: Sequence[str] = PARTS
) -> None:
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}")
    if "trace" in parts:
        trace_tables(sizes, [OURS, *(way for way in ways if way != OURS)], seconds)
    if "mesh" in parts:
        mesh_table(seconds)
    if "web" in parts:
        # What an import of ten million would do to two databases is not the question here.
        bench_resolve.show(min(sizes[0], 1_000_000), bench_resolve.run(min(sizes[0], 1_000_000), seconds))
    if "find" in parts:
        for size in sizes:
            print()
            bench_find.main(size)
    if "areas" in parts:
        print()
        bench_areas.main()


def mesh_table(seconds: float) -> None:
    """A mesh of 360,000 nodes: the section cut that all but a few hang behind, and one with few behind it."""
    from geo.resolve import trace_work
    from tests.load.synthetic_network import mesh

    grid, cuts = mesh(600)
    print("\nA mesh of 360,000 nodes, one section out:")
    for words, element in cuts.items():
        took = median_ms(lambda element=element: trace_work(grid, out=[element]), seconds)  # type: ignore[misc]
        print(f"| {words} | {took:.3f} ms |")


if __name__ == "__main__":
    main()
