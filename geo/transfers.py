"""What to open and what to close: the smallest isolation, and the ties that give most supply back.

The suggested ties are found on the pieces that the isolation leaves: each dark piece is joined to the
supplied part by exactly one way, highest voltage first, so everything that closing all ties would feed
is fed and nothing is fed from two sides. Where phases differ, a tie may be wanted for one phase and make
a loop on another; it is then left out unless loops are allowed. Leaves the weight of customers and
the ratings of elements to whoever knows them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from geo.grid import Grid
from geo.outcome import ROOT, Outcome, trace, ways_in
from geo.request import Request
from geo.supply import Change, Pieces

Array = np.ndarray
# What supply for these loads (numbers that rise) is worth.
Weight = Callable[[Array], float]


@dataclass(frozen=True, eq=False)
class Transfer:
    """One tie: the switches to close, the loads that would be dark (or lack a phase) without it, their weight."""

    close: tuple[str, ...]
    loads: Array
    weight: float
    edge: int
    grid: Grid = field(repr=False)

    @cached_property
    def buys(self) -> tuple[str, ...]:
        """The loads by name; made when asked for, since there may be thousands."""
        return self.grid.load_names(self.loads)


@dataclass(frozen=True, eq=False)
class Suggestion:
    """`isolation` bounds the work with the fewest switches; `lost` is dark with all of `transfers` closed.

    `looping` lists ties that would feed more and were left out because they close a loop.
    """

    isolation: tuple[str, ...]
    transfers: tuple[Transfer, ...]
    looping: tuple[str, ...]
    request: Request
    outcome: Outcome
    grid: Grid = field(repr=False)

    @cached_property
    def lost(self) -> tuple[str, ...]:
        return self.grid.load_names(_dark(self.outcome))


def suggest(grid: Grid, request: Request, weight: Weight = len, allow_loops: bool = False) -> Suggestion:
    """What to close beside what `request` closes already. The most weight bought comes first."""
    outcome = trace(grid, replace(request.change, all_ties=True), request.loads_out)
    edges: dict[int, None] = {}
    for layer, pieces in zip(grid.layers, outcome.pieces, strict=True):
        found = {way.edge for way in ways_in(grid, layer, pieces, request.loads_out, request.change.shut)}
        # The ways come as a tree; a tie is closed after those that it hangs on.
        edges |= dict.fromkeys(sorted(found - request.change.shut))
    chosen = list(edges)
    looping: list[int] = []
    if grid.phased and not allow_loops:
        chosen, looping = _without_loops(grid, request.change, outcome.pieces, chosen)

    def switched_by(closed: list[int]) -> Outcome:
        return trace(grid, _shut(request.change, closed), request.loads_out)

    final = switched_by(chosen)
    left = _dark(final)
    bought: list[Transfer] = []
    for edge in chosen:
        without = _dark(switched_by([one for one in chosen if one != edge]))
        loads = np.setdiff1d(without, left, assume_unique=True)
        bought.append(Transfer(_to_close(grid, edge), loads, weight(loads), edge, grid))
    kept = [one for one in bought if len(one.loads)]
    kept.sort(key=lambda one: -one.weight)
    switched = _closing(grid, request, [one.edge for one in kept])
    if len(kept) < len(bought):
        final = switched_by([one.edge for one in kept])
    return Suggestion(
        isolation=_smallest(grid, request),
        transfers=tuple(kept),
        looping=tuple(name for edge in looping for name in _to_close(grid, edge)),
        request=switched,
        outcome=final,
        grid=grid,
    )


def _dark(outcome: Outcome) -> Array:
    """Loads that lack supply or a phase, each once, rising."""
    return np.union1d(outcome.lost, outcome.partial) if len(outcome.partial) else outcome.lost


def _shut(change: Change, edges: list[int]) -> Change:
    return replace(change, all_ties=False, shut={*change.shut, *edges})


def _closing(grid: Grid, request: Request, edges: list[int]) -> Request:
    """The request with these ties closed as well."""
    closed = grid.plain.switch_closed
    more = {one for edge in edges for one in grid.switches_on(edge) if not closed[one]}
    return replace(request, change=_shut(request.change, edges), closed=request.closed | more)


def _to_close(grid: Grid, edge: int) -> tuple[str, ...]:
    closed = grid.plain.switch_closed
    return grid.switch_names([one for one in grid.switches_on(edge) if not closed[one]])


def _smallest(grid: Grid, request: Request) -> tuple[str, ...]:
    """One switch for each joint on the border: of several in series the first by name is enough."""
    edge_of = grid.plain.switch_edge
    return grid.switch_names(
        {edge_of.item(one): one for one in sorted(request.opened, reverse=True)}.values()
    )


def _without_loops(
    grid: Grid, change: Change, pieces: tuple[Pieces, ...], edges: list[int]
) -> tuple[list[int], list[int]]:
    """Those edges that join, on every phase that they carry, what is apart; and the others."""
    groups = [list(range(len(one.before) + 1)) for one in pieces]

    def find(layer: int, group: int) -> int:
        above = groups[layer]
        while above[group + 1] != group + 1:
            group = above[group + 1] - 1
        return group

    def joins(edge: int) -> list[tuple[int, int, int]]:
        """Per phase that the edge carries: the layer and the groups at its ends."""
        found = []
        for number, (layer, one) in enumerate(zip(grid.layers, pieces, strict=True)):
            carried = all(grid.plain.switch_phases[switch] & layer.bits for switch in grid.switches_on(edge))
            ends = [
                one.forest.position.item(int(end))
                for end in (grid.plain.edge_a[edge], grid.plain.edge_b[edge])
            ]
            if not carried or min(ends) < 0:
                continue
            at = [one.piece_at(end) for end in ends]
            if any(piece == ROOT and end >= one.forest.fed for piece, end in zip(at, ends, strict=True)):
                # It leads where nothing has supply and no other tie was found to lead.
                continue
            a, b = (find(number, ROOT if piece == ROOT else one.before[piece]) for piece in at)
            found.append((number, a, b))
        return found

    kept: list[int] = []
    left: list[int] = []
    for edge in (*sorted(change.shut), *edges):
        ends = joins(edge)
        if edge not in change.shut:
            if any(a == b for _, a, b in ends):
                left.append(edge)
                continue
            kept.append(edge)
        for layer, a, b in ends:
            low, high = min(a, b), max(a, b)
            groups[layer][high + 1] = low + 1
    return kept, left
