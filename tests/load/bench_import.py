"""How long a utility's files take to be in force, and how much memory: `make bench-import`.

Writes the made-up town of `--customers` service points as CSV set and as GeoPackage with its customers'
list, and imports network and customers into an empty database, each in a process of its own, whose memory
is counted above that of the same process before it read anything. The GeoPackage comes as a second version, so
that the comparison with the first is in its figure. Then the public cells are made, and areas drawn.
Both databases; `--only` names one. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from outage_notify.services.network_in_force import load_network
from outage_notify.services.public_cells import area_index
from outage_notify.services.runtime import Runtime
from tests.load.synthetic_network import PER_FEEDER, PER_TRAFO
from tests.load.utility_files import Utility, write_csv_set, write_customers, write_geopackage
from tests.servers.postgres import PostgresServer

GOAL_S = 60


def work(url: str, state: Path, what: str, path: Path, mapping: str) -> dict[str, float]:
    """One import in this process: seconds, processor seconds, MiB above the start."""
    from geo import readers  # noqa: F401 - loaded before memory is counted
    from outage_notify.services.import_customers import import_customers
    from outage_notify.services.import_network import import_network
    from tests.factories.runtimes import make_runtime

    rt = make_runtime(url, state)
    steps: list[tuple[str, float]] = []
    before, used, began = _peak(), time.process_time(), time.perf_counter()

    def progress(phase: str, share: float) -> None:
        if not steps or steps[-1][0] != phase:
            steps.append((phase, round(time.perf_counter() - began, 1)))

    if what == "areas":
        _areas(rt)
        return {"s": time.perf_counter() - began, "cpu": time.process_time() - used, "mib": _peak() - before}
    if what == "customers":
        report = import_customers(rt, path, False, progress)
    else:
        report = import_network(
            rt, path, "auto", False, "bench", progress, Path(mapping) if mapping else None
        )
    seconds = time.perf_counter() - began
    print(steps, report.counts, file=sys.stderr)
    return {"s": seconds, "cpu": time.process_time() - used, "mib": _peak() - before}


def _areas(rt: Runtime) -> None:
    """The public cells for the first time and once more, then areas of feeders and of 1,000 outages."""
    for word in ("made", "found"):
        began = time.perf_counter()
        with rt.database.write() as session:
            areas = area_index(session, rt)
        if areas is None:
            raise RuntimeError("no cells")
        print(f"{len(areas.cells):,} cells {word} in {time.perf_counter() - began:.1f} s", file=sys.stderr)
    each = PER_FEEDER * PER_TRAFO
    with rt.database.read() as session:
        loads = load_network(session, rt)[1].grid.plain.load_node.size
    feeders = [[f"load:P{one}" for one in range(at, at + each)] for at in range(0, loads, each)]
    times = []
    for lost in [feeders[at % len(feeders)] for at in range(1_000)]:
        began = time.perf_counter()
        areas.area(lost)
        times.append(time.perf_counter() - began)
    print(
        f"a feeder: median {1000 * statistics.median(times):.2f} ms, worst {1000 * max(times):.1f} ms;"
        f" 1,000 outages: {sum(times):.2f} s",
        file=sys.stderr,
    )


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def child(url: str, state: Path, what: str, path: Path, mapping: Path | None = None) -> dict[str, float]:
    command = [
        sys.executable,
        "-m",
        __spec__.name,
        "--child",
        url,
        str(state),
        what,
        str(path),
        str(mapping or ""),
    ]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def run(url: str, name: str, folder: Path, customers: int, kinds: list[str]) -> float:
    """Imports into the database at `url`; returns the longest sum of network and customers."""
    worst = 0.0
    for kind in kinds:
        place = folder / ("set" if kind == "csv" else "town.gpkg")
        mapping = folder / "town.yaml" if kind == "gpkg" else None
        total = 0.0
        for what in ("network", "customers", "areas"):
            path = place if what == "network" else folder / "customers.csv"
            if what != "network" and kind != kinds[0]:
                continue
            it = child(url, folder / f"state-{name}", what, path, mapping if what == "network" else None)
            shown = kind if what == "network" else what
            total += it["s"] if what != "areas" else 0
            print(
                f"| {name} | {customers:,} | {shown} | {it['s']:.1f} | {it['cpu']:.1f} | {it['mib']:.0f} |",
                flush=True,
            )
        worst = max(worst, total)
    return worst


def main() -> int:
    if "--child" in sys.argv:
        url, state, what, path, mapping = sys.argv[sys.argv.index("--child") + 1 :]
        print(json.dumps(work(url, Path(state), what, Path(path), mapping)))
        return 0
    parser = argparse.ArgumentParser()
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--only", choices=["postgresql", "sqlite"])
    parser.add_argument("--kinds", nargs="+", choices=["csv", "gpkg"], default=["csv", "gpkg"])
    parser.add_argument("--files", type=Path, help="a folder to keep the files in, and to take them from")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-import-") as scratch:
        folder = Path(scratch)
        files = chosen.files or folder
        if not (files / "customers.csv").exists():
            files.mkdir(parents=True, exist_ok=True)
            it = Utility(chosen.customers)
            write_csv_set(it, files / "set")
            write_geopackage(it, files / "town.gpkg")
            write_customers(it, files / "customers.csv")
        for one in ("set", "town.gpkg", "town.yaml", "customers.csv"):
            if files != folder:
                (folder / one).symlink_to((files / one).resolve())
        print("| database | service points | file | s | of it processor | peak MiB above start |")
        print("|---|---|---|---|---|---|")
        total = 0.0
        if chosen.only != "postgresql":
            run(f"sqlite:///{folder / 'bench.db'}", "SQLite", folder, chosen.customers, chosen.kinds)
        if chosen.only != "sqlite":
            server = PostgresServer(durable=True)
            try:
                total = run(server.create_database(), "PostgreSQL", folder, chosen.customers, chosen.kinds)
            finally:
                server.stop()
            print(f"Network and customers on PostgreSQL: {total:.1f} s (goal {GOAL_S} for a million).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
