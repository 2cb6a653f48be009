"""Finding by place, measured against an STRtree on the same points in one run: `make bench-find`.

Prints a table of medians for about 270, 2,850 and 26,600 points found, at one million points
or as many as given: ``python -m tests.load.bench_find 10000000``. Both answers are compared
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import shapely

from geo.point_grid import PointGrid

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
    tree = shapely.STRtree(shapely.points(lon, lat))
    tree.query(shapely.Point(8, 48))
    tree_s, tree_mib = time.perf_counter() - began, peak_mib() - start - grid_mib
    held = sum(one.nbytes for one in (grid.x, grid.y, grid.order, grid.start)) / 2**20
    print(
        f"{count:,} points; built: grid {grid_s:.2f} s, {held:.0f} MiB held (peak {grid_mib:.0f});", end=" "
    )
    print(f"STRtree {tree_s:.2f} s, {tree_mib:.0f} MiB")
    print(f"{'found':>8} {'grid ms':>9} {'STRtree ms':>11} {'grid/STRtree':>13}")
    for wanted in SIZES:
        area = drawn(wanted, count, turn=0.3)
        mine, theirs = grid.within(area), np.sort(tree.query(area, predicate="intersects"))
        if mine.tolist() != theirs.tolist():
            print("The two answers differ: nothing was measured.", file=sys.stderr)
            return 1
        # Each query gets an area that nobody has prepared yet, as a request brings it.
        grid_ms = median_ms(
            lambda area=area: grid.within(area), lambda area=area: shapely.destroy_prepared(area)
        )
        tree_ms = median_ms(
            lambda area=area: tree.query(area, predicate="intersects"),
            lambda area=area: shapely.destroy_prepared(area),
        )
        print(f"{len(mine):>8,} {grid_ms:>9.3f} {tree_ms:>11.3f} {grid_ms / tree_ms:>13.2f}")
    clicks = iter((7.5 + x, 48 + 0.7 * y) for x, y in chance.random((2 * ROUNDS, 2)).tolist())
    near = median_ms(lambda: grid.nearest(*next(clicks)), lambda: None)
    points = [shapely.Point(x, y) for x, y in zip(lon[:ROUNDS] + 1e-5, lat[:ROUNDS], strict=True)]
    them = iter(points)
    tree_near = median_ms(lambda: tree.nearest(next(them)), lambda: None)
    print(f" nearest {near:>9.3f} {tree_near:>11.3f} {near / tree_near:>13.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*(int(one) for one in sys.argv[1:2])))
