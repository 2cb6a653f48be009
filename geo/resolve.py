"""Who loses supply: the one door to tracing.

`resolve` takes the work, the outages and the switching in the words of a dispatcher and
answers with the isolation and the loads. It decides nothing about customers: that a site
keeps another feed is known outside. `geo.request` reads the words, `geo.outcome` traces.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from geo.grid import Grid
from geo.grid_build import grid_of
from geo.model import Network
from geo.outcome import Outcome, trace, ways_in
from geo.request import Request, read_request
from geo.trace import TraceIndex


@dataclass(frozen=True)
class Resolution:
    """The answer; ids are in natural order (load:2 before load:10).

    `opened` and `closed` are the switches that change state. `lost` are loads in service
    with supply in the normal state and none in the switched state; `partial` those that keep
    some of their phases; `momentary` those lost or partial without the closing and neither with
    it. `zone` is what lies inside the work zones. `dead` are the buses and branches that lose
    supply, for drawing. `needed` are those among `closed` that suffice, high voltage first:
    what a person would really close.
    """

    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()
    momentary: tuple[str, ...] = ()
    zone: tuple[str, ...] = ()
    dead: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    elapsed_ms: float = field(default=0.0, compare=False)

    @property
    def dark(self) -> tuple[str, ...]:
        """All loads that are told of an outage: lost, and lost in part."""
        return (*self.lost, *self.partial)


@dataclass(frozen=True)
class Traced:
    """An answer in numbers, and in names when somebody asks: names of fifty thousand loads take longer than
    finding them. `dark` are the numbers of all loads that are told of an outage, rising."""

    grid: Grid
    request: Request
    outcome: Outcome
    began: float

    @property
    def dark(self) -> np.ndarray:
        lost, partial = self.outcome.lost, self.outcome.partial
        return np.union1d(lost, partial) if len(partial) else lost

    @cached_property
    def resolution(self) -> Resolution:
        return answer(self.grid, self.request, self.outcome, self.began)


def trace_work(
    network: Network | TraceIndex | Grid,
    *,
    work: Sequence[str] = (),
    out: Sequence[str] = (),
    close: Sequence[str] = (),
    close_ties: bool = False,
) -> Traced:
    """Trace work on `work`, the loss of `out`, and the closing of `close` or of all ties.

    Pass a Grid to trace the same network more than once: building it is most of the
    time. Raises GeoError for an unknown element, a zone that cannot be isolated, and a
    switch that may not be closed. The same arguments always give the same answer.
    """
    grid = as_grid(network)
    began = time.perf_counter()
    request = read_request(grid, work=work, out=out, close=close, close_ties=close_ties)
    return Traced(grid, request, trace(grid, request.change, request.loads_out), began)


def resolve(
    network: Network | TraceIndex | Grid,
    *,
    work: Sequence[str] = (),
    out: Sequence[str] = (),
    close: Sequence[str] = (),
    close_ties: bool = False,
) -> Resolution:
    """The answer of `trace_work` in names."""
    return trace_work(network, work=work, out=out, close=close, close_ties=close_ties).resolution


def as_grid(network: Network | TraceIndex | Grid) -> Grid:
    if isinstance(network, TraceIndex):
        return network.grid
    return grid_of(network) if isinstance(network, Network) else network


def answer(grid: Grid, request: Request, outcome: Outcome, began: float) -> Resolution:
    """The outcome in names."""
    return Resolution(
        opened=grid.switch_names(request.opened),
        closed=request.closed_names(grid),
        lost=grid.load_names(outcome.lost),
        partial=grid.load_names(outcome.partial),
        momentary=grid.load_names(outcome.momentary),
        zone=grid.ids.names(request.zone_elements(grid)),
        dead=grid.node_names(outcome.dead),
        needed=grid.switch_names(_needed(grid, request, outcome)),
        elapsed_ms=round((time.perf_counter() - began) * 1000, 3),
    )


def _needed(grid: Grid, request: Request, outcome: Outcome) -> Iterable[int]:
    closed = grid.plain.switch_closed
    found: set[int] = set()
    if request.change.closes:
        for layer, pieces in zip(grid.layers, outcome.pieces, strict=True):
            for way in ways_in(grid, layer, pieces, request.loads_out):
                found.update(one for one in grid.switches_on(way.edge) if not closed[one])
    return np.array(sorted(found), np.int64)
