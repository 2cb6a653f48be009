"""Public areas: what they cost and what they give away, in numbers: `make bench-areas`.

Cost: a feeder of 500 loads, 1,000 outages, and the same again with ten of them changed, in a
network of a million loads. Privacy: random outages of the sample network are traced and shown
to an outsider who knows where every home is, how areas are made, and every area ever shown.
She can name a home as affected only where an area, or what two areas do not share, holds
that home alone.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from geo.areas import AreaIndex
from geo.model import GeoError, Network
from geo.readers import read_network
from geo.resolve import resolve
from outage_notify.sample.network import FILE

FEEDER = 500


def synthetic(count: int) -> dict[str, tuple[float, float]]:
    """Loads in feeders of 500 along streets, feeder by feeder."""
    chance = np.random.default_rng(11)
    feeders = count // FEEDER
    start = np.column_stack([7.5 + chance.random(feeders), 48 + 0.7 * chance.random(feeders)])
    places = np.repeat(start, FEEDER, axis=0) + chance.normal(0, 0.006, (feeders * FEEDER, 2))
    return {f"load:{n}": (x, y) for n, (x, y) in enumerate(places.tolist())}


def random_outages(network: Network, count: int, seed: int) -> list[tuple[str, ...]]:
    """The lost loads of `count` outages of one to three random elements."""
    chance = random.Random(seed)
    choice = [one.id for one in network.of_kind("line", "trafo", "switch")]
    found: list[tuple[str, ...]] = []
    while len(found) < count:
        try:
            lost = resolve(network, out=chance.sample(choice, chance.randint(1, 3))).lost
        except GeoError:
            continue
        if lost:
            found.append(tuple(lost))
    return found


def named(areas: AreaIndex, outages: Iterable[tuple[str, ...]]) -> tuple[int, int, int]:
    """(pieces that an outsider can single out, homes that she can name, fewest homes in a piece)."""
    homes: dict[int, int] = {}
    for cell in areas.cell_of.values():
        homes[cell] = homes.get(cell, 0) + 1
    shown = [set(areas.touched(lost)) for lost in outages]
    pieces = [one for one in shown if one]
    for a, b in pairwise(shown):
        pieces += [piece for piece in (a - b, b - a, a & b) if piece]
    # The finest that any comparison of areas can reach is a single cell.
    pieces += [{cell} for one in shown for cell in one]
    sizes = [sum(homes[cell] for cell in piece) for piece in pieces]
    return len(pieces), sum(size == 1 for size in sizes), min(sizes)


def main() -> int:
    anchors = synthetic(1_000_000)
    began = time.perf_counter()
    areas = AreaIndex.of_anchors(anchors)
    print(f"{len(anchors):,} loads, {len(areas.cells):,} cells, built in {time.perf_counter() - began:.1f} s")
    feeders = [[f"load:{n}" for n in range(at, at + FEEDER)] for at in range(0, len(anchors), FEEDER)]
    times = []
    for feeder in feeders[1000:1200]:
        began = time.perf_counter()
        areas.area(feeder)
        times.append(time.perf_counter() - began)
    print(
        f"a feeder of 500: median {1000 * statistics.median(times):.2f} ms, worst {1000 * max(times):.1f} ms"
    )
    began = time.perf_counter()
    for feeder in feeders[:1000]:
        areas.area(feeder)
    print(f"1,000 outages: {time.perf_counter() - began:.2f} s")
    began = time.perf_counter()
    for feeder in [*feeders[:990], *feeders[1200:1210]]:
        areas.area(feeder)
    print(f"1,000 outages, ten changed: {1000 * (time.perf_counter() - began):.0f} ms")
    network = read_network(FILE).network
    if network is None:
        print("The sample network cannot be read.", file=sys.stderr)
        return 1
    pieces, told, fewest = named(AreaIndex(network), random_outages(network, 300, seed=7))
    print(
        f"300 random outages of the sample network: {pieces:,} pieces, {told} homes named, fewest homes {fewest}"
    )
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
