"""What a change does to loads: lost, partly lost, lost for a moment; phase by phase where phases differ.

A load that had supply is *lost* when none of its phases has any, *partial* when some phase that it had
has none; it is *momentary* when it was either without the closing of ties and is neither with it.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from geo.grid import Grid, Layer
from geo.supply import Change, Pieces, cut, loads_in, nodes_in, tree_of

Array = np.ndarray
ROOT = -1


@dataclass(frozen=True)
class Outcome:
    """Numbers of loads, rising; `dead` are nodes that lose all supply; `pieces` one per layer."""

    lost: Array
    partial: Array
    momentary: Array
    dead: Array
    pieces: tuple[Pieces, ...]


def trace(grid: Grid, change: Change, loads_out: frozenset[int] = frozenset()) -> Outcome:
    """Follow the change through every layer."""
    pieces = tuple(cut(grid, layer.forest, change) for layer in grid.layers)
    off = np.array(sorted(load for load in loads_out if normal_bits(grid, load)), np.int32)
    if not grid.phased:
        (only,) = pieces
        forest = only.forest
        after = only.unfed(only.after)
        spans = only.spans(after)
        lost = _with(np.sort(loads_in(forest, spans)), off)
        back = set(only.unfed(only.before)) - set(after)
        momentary = np.sort(loads_in(forest, only.spans(back))) if back else lost[:0]
        return Outcome(lost, lost[:0], _without(momentary, off), nodes_in(forest, spans), pieces)
    lost, partial = _by_phase(grid, pieces, [one.unfed(one.after) for one in pieces], off)
    momentary = lost[:0]
    if change.closes:
        gained = _gained(grid, change, _without(lost, off).tolist())
        lost, partial = np.setdiff1d(lost, gained), np.union1d(partial, gained).astype(np.int32)
        before = np.concatenate(_by_phase(grid, pieces, [one.unfed(one.before) for one in pieces], off))
        momentary = np.setdiff1d(before, np.concatenate([lost, partial]))
    return Outcome(lost, partial, momentary, _dead(pieces), pieces)


def normal_bits(grid: Grid, load: int) -> int:
    """The phases on which a load has supply in the normal state; 0 if it has none."""
    plain = grid.plain
    if not plain.load_alive[load]:
        return 0
    node = int(plain.load_node[load])
    own = int(plain.load_phases[load])
    found = 0
    for layer in grid.layers:
        if own & layer.bits and 0 <= layer.forest.position.item(node) < layer.forest.fed:
            found |= own & layer.bits
    return found


def _with(loads: Array, more: Array) -> Array:
    return np.union1d(loads, more).astype(np.int32) if len(more) else loads


def _without(loads: Array, less: Array) -> Array:
    return np.setdiff1d(loads, less) if len(less) and len(loads) else loads


def _by_phase(
    grid: Grid, pieces: tuple[Pieces, ...], unfed: list[list[int]], off: Array
) -> tuple[Array, Array]:
    """Loads that lose all their phases, and loads that lose some."""
    found: list[Array] = []
    bits: list[Array] = []
    for layer, one, dark in zip(grid.layers, pieces, unfed, strict=True):
        loads = loads_in(layer.forest, one.spans(dark))
        found.append(loads)
        bits.append(np.full(len(loads), layer.bits, np.uint8))
    loads, place = np.unique(np.concatenate(found), return_inverse=True)
    gone = np.bincount(place, weights=np.concatenate(bits), minlength=len(loads)).astype(np.uint8)
    had = np.zeros(len(loads), np.uint8)
    for layer in grid.layers:
        at = layer.forest.position[grid.plain.load_node[loads]]
        own = grid.plain.load_phases[loads] & layer.bits
        had |= np.where((at >= 0) & (at < layer.forest.fed), own, 0).astype(np.uint8)
    whole = gone == had
    return _with(loads[whole].astype(np.int32), off), _without(loads[~whole].astype(np.int32), off)


def _gained(grid: Grid, change: Change, lost: list[int]) -> Array:
    """Those among the lost loads that get, by the closing, a phase that they did not have before."""
    found: set[int] = set()
    for layer in grid.layers:
        forest = layer.forest
        at = {
            load: forest.position.item(int(grid.plain.load_node[load]))
            for load in lost
            if grid.plain.load_phases[load] & layer.bits
        }
        dark = {load: position for load, position in at.items() if position >= forest.fed}
        if dark:
            trees = {tree_of(forest, position) for position in dark.values()}
            pieces = cut(grid, forest, change, trees)
            found.update(load for load, position in dark.items() if pieces.has_supply(position))
    return np.array(sorted(found), np.int32)


def _dead(pieces: tuple[Pieces, ...]) -> Array:
    """Nodes that had supply on some phase and have it on none."""
    gone = np.concatenate([nodes_in(one.forest, one.spans(one.unfed(one.after))) for one in pieces])
    nodes, lost_on = np.unique(gone, return_counts=True)
    had = np.zeros(len(nodes), np.int64)
    for one in pieces:
        at = one.forest.position[nodes]
        had += (at >= 0) & (at < one.forest.fed)
    return nodes[had == lost_on]


@dataclass(frozen=True)
class Way:
    """One tie that takes over: the edge, the group it feeds, and the group (ROOT: supply) that it feeds from."""

    edge: int
    group: int
    source: int


def ways_in(
    grid: Grid, layer: Layer, pieces: Pieces, loads_out: frozenset[int], first: Collection[int] = ()
) -> list[Way]:
    """Few of the closed ties that feed all that the closing feeds, each group once, so that none makes a loop.

    Takes the ties of `first` before others, then that of the highest voltage. A group without a load is
    entered only on the way to one.
    """
    between: dict[int, list[tuple[float, int, int, int]]] = {}
    for edge, one, other in pieces.ties:
        a, b = pieces.before[one], ROOT if other == ROOT else pieces.before[other]
        rank = (-math.inf, edge) if edge in first else rank_of(grid, edge)
        between.setdefault(a, []).append((*rank, edge, b))
        between.setdefault(b, []).append((*rank, edge, a))
    chosen: dict[int, Way] = {}
    heap: list[tuple[float, int, int, int, int]] = [(*one, ROOT) for one in between.get(ROOT, ())]
    heapq.heapify(heap)
    while heap:
        _, _, edge, group, source = heapq.heappop(heap)
        if group == ROOT or group in chosen:
            continue
        chosen[group] = Way(edge, group, source)
        for entry in between.get(group, ()):
            heapq.heappush(heap, (*entry, group))
    needed: dict[int, Way] = {}
    for group in sorted(chosen):
        members = [piece for piece, of in enumerate(pieces.before) if of == group]
        if group in needed or not _holds_load(layer, pieces, members, loads_out):
            continue
        while group != ROOT and group not in needed:
            needed[group] = chosen[group]
            group = chosen[group].source
    return list(needed.values())


def _holds_load(layer: Layer, pieces: Pieces, members: list[int], loads_out: frozenset[int]) -> bool:
    loads = loads_in(layer.forest, pieces.spans(members))
    return len(loads) > 0 and (not loads_out or any(load not in loads_out for load in loads.tolist()))


def rank_of(grid: Grid, edge: int) -> tuple[float, int]:
    """Ties in order: highest voltage first, then by name."""
    ends = (int(grid.plain.edge_a[edge]), int(grid.plain.edge_b[edge]))
    kilovolts = max(float(grid.plain.kv[node]) for node in ends)
    return -kilovolts, min(grid.switches_on(edge), default=-1)
