"""Finding by place, measured against what else could do it, on the same points in one run: `make bench-find`.

Prints a table of medians for about 270, 2,850 and 26,600 points found, at one million points
or as many as given: ``python -m tests.load.bench_find 10000000``. All answers are compared before they are timed.
"""

from __future__ import annotations

import contextlib
import resource
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import shapely

from geo.point_grid import PointGrid
from geo.spatial_index import SpatialIndex
from tests.load import find_peers

SIZES = (270, 2_850, 26_600)
ROUNDS = 31


def drawn(wanted: int, count: int, turn: float) -> shapely.Polygon:
    """A five-lobed figure of 40 vertices that holds about `wanted` of `count` points."""
    reach = np.sqrt(wanted / count * 0.7 / np.pi)
    angle = np.linspace(0, 2 * np.pi, 41)[:-1]
    radius = reach * (1 + 0.2 * np.sin(5 * angle + turn))
    return shapely.Polygon(np.column_stack([8 + radius * np.cos(angle), 48.35 + radius * np.sin(angle)]))


def median_ms(ask: Callable[[], object], before: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        before()
        began = time.perf_counter()
        ask()
        times.append(time.perf_counter() - began)
    return 1000 * statistics.median(times)


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(count: int = 1_000_000) -> int:
    chance = np.random.default_rng(20261122)
    lon, lat = 7.5 + chance.random(count), 48 + 0.7 * chance.random(count)
    start = peak_mib()
    began = time.perf_counter()
    grid = PointGrid(lon, lat)
    grid_s, grid_mib = time.perf_counter() - began, peak_mib() - start
    began = time.perf_counter()
    tree = find_peers.tree(lon, lat)
    tree_s, tree_mib = time.perf_counter() - began, peak_mib() - start - grid_mib
    held = sum(one.nbytes for one in (grid.x, grid.y, grid.order, grid.start)) / 2**20
    print(
        f"{count:,} points; built: grid {grid_s:.2f} s, {held:.0f} MiB held (peak {grid_mib:.0f});", end=" "
    )
    print(f"STRtree {tree_s:.2f} s, {tree_mib:.0f} MiB")
    with contextlib.ExitStack() as stack:
        ways: dict[str, find_peers.Ask] = {
            "this project": grid.within,
            "STRtree": lambda area: tree.query(area, predicate="intersects"),
            "sorted, contains_xy": find_peers.sorted_rows(lon, lat),
        }
        if count <= find_peers.MOST_IN_DATABASES:
            ways["SQLite rtree"] = stack.enter_context(find_peers.sqlite_rtree(lon, lat))
            spatial = stack.enter_context(find_peers.postgis(lon, lat))
            if isinstance(spatial, str):
                print(f"PostGIS is left out: {spatial}")
            else:
                ways["PostGIS"] = spatial
        else:
            print("SQLite rtree and PostGIS are left out at this size.")
        print("| found | " + " | ".join(f"{way}, ms" for way in ways) + " |\n|---|" + "---|" * len(ways))
        if not all(_row(drawn(wanted, count, turn=0.3), ways) for wanted in SIZES):
            print("The answers differ: nothing was measured.", file=sys.stderr)
            return 1
    clicks = iter((7.5 + x, 48 + 0.7 * y) for x, y in chance.random((2 * ROUNDS, 2)).tolist())
    near = median_ms(lambda: grid.nearest(*next(clicks)), lambda: None)
    points = [shapely.Point(x, y) for x, y in zip(lon[:ROUNDS] + 1e-5, lat[:ROUNDS], strict=True)]
    them = iter(points)
    tree_near = median_ms(lambda: tree.nearest(next(them)), lambda: None)
    print(f"| nearest point | {near:.3f} | {tree_near:.3f} (x{tree_near / near:.2f}) |")
    nearest_rows(count)
    return 0


def nearest_rows(customers: int) -> None:
    """The nearest transformer and feeder of a network with so many customers: 20 at a transformer, 25 of them
    and as many line sections on a feeder."""
    trafos = customers // 20
    chance = np.random.default_rng(20261122)
    lon, lat = (7.5 + chance.random(trafos)).tolist(), (48 + 0.7 * chance.random(trafos)).tolist()
    stations = SpatialIndex.of_shapes(
        ((f"trafo:{one}", [here]) for one, here in enumerate(zip(lon, lat, strict=True))),
        {f"trafo:{one}": f"F{one // 25}" for one in range(trafos)},
    )
    lines = SpatialIndex.of_shapes(
        (
            (f"line:{one}", [(x, y), (x + 0.001, y + 0.0007), (x + 0.002, y)])
            for one, (x, y) in enumerate(zip(lon, lat, strict=True))
        ),
        {f"line:{one}": f"F{one // 25}" for one in range(trafos)},
    )
    places = (7.5 + chance.random(9 * ROUNDS), 48 + 0.7 * chance.random(9 * ROUNDS))
    clicks = iter(zip(*(one.tolist() for one in places), strict=True))

    def feeder() -> tuple[str, str, float]:
        here = next(clicks)
        found = [one for index in (stations, lines) if (one := index.nearest_feeder(*here)) is not None]
        return min(found, key=lambda one: one[2])

    for words, ask in (("transformer", lambda: stations.nearest(*next(clicks))), ("feeder", feeder)):
        ask()
        print(f"| nearest {words} of {trafos:,} (goal 1 ms) | {median_ms(ask, lambda: None):.3f} |")


def _row(area: shapely.Polygon, ways: dict[str, find_peers.Ask]) -> bool:
    """One line of the table; False if the ways do not find the same points."""
    answers = {way: sorted(np.asarray(ask(area)).tolist()) for way, ask in ways.items()}
    found = answers["this project"]
    if any(answer != found for answer in answers.values()):
        return False
    # Each query gets an area that nobody has prepared yet, as a request brings it.
    times = {
        way: median_ms(lambda ask=ask: ask(area), lambda: shapely.destroy_prepared(area))  # type: ignore[misc]
        for way, ask in ways.items()
    }
    own = times["this project"]
    cells = [
        f"{one:.3f}" + ("" if way == "this project" else f" (x{one / own:.2f})") for way, one in times.items()
    ]
    print(f"| {len(found):,} | " + " | ".join(cells) + " |", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main(*(int(one) for one in sys.argv[1:2])))
