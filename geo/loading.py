"""Whether a transfer would overload its path, by connected load; only where ratings and loads are in the data.

Connected load is the sum of what hangs behind, as if all of it ran at once: a first look that errs on the
side of care, not a power flow. Ratings: `max_i_ka` of a line at the voltage of its bus, `sn_mva` of a transformer,
each times `parallel`. Loads: `p_mw` and `q_mvar` times `scaling`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from geo.grid import Grid
from geo.model import BRANCH_KINDS
from geo.proof import prove
from geo.supply import loads_in
from geo.transfers import Suggestion, Transfer


@dataclass(frozen=True)
class Overload:
    """An element on the way to a tie that cannot carry what would hang behind it (MVA)."""

    element: str
    rating_mva: float
    load_mva: float


def overloads(grid: Grid, suggestion: Suggestion) -> dict[int, tuple[Overload, ...]]:
    """Per transfer (by its edge) what it would overload; empty where nothing is rated."""
    paths = {one.edge: _path(grid, suggestion, one) for one in suggestion.transfers}
    branches = sorted({name for path in paths.values() for name in path})
    attributes = grid.attributes(branches)
    ratings = {
        name: rating
        for name in branches
        if (rating := _rating(grid, name, attributes.get(name, {}))) is not None
    }
    # What hangs behind a branch is the same for every transfer that goes through it: asked once, and all loads at once.
    behind = {
        name: _behind(grid, suggestion, name).union(
            *(one.buys for one in suggestion.transfers if name in paths[one.edge])
        )
        for name in ratings
    }
    values = grid.attributes(sorted(set().union(*behind.values())))
    loads = {name: _apparent(attrs) for name, attrs in values.items()}
    over: dict[str, Overload] = {}
    for name, rating in ratings.items():
        carried = sum(loads.get(load, 0.0) for load in behind[name])
        if carried > rating:
            over[name] = Overload(name, round(rating, 3), round(carried, 3))
    return {edge: tuple(over[name] for name in path if name in over) for edge, path in paths.items()}


def _path(grid: Grid, suggestion: Suggestion, transfer: Transfer) -> tuple[str, ...]:
    """The branches from the source to the tie."""
    (first,) = grid.load_names(transfer.loads[:1])
    for proof in prove(grid, suggestion.request, suggestion.outcome, first):
        if set(transfer.close) <= set(proof.now):
            until = min(proof.now.index(switch) for switch in transfer.close)
            return tuple(name for name in proof.now[:until] if name.partition(":")[0] in BRANCH_KINDS)
    return ()


def _behind(grid: Grid, suggestion: Suggestion, branch: str) -> set[str]:
    """The loads that hang behind a branch and stay there."""
    number = grid.ids.number(branch)
    node = None if number is None else grid.node_of(number)
    found: set[int] = set()
    for layer, pieces in zip(grid.layers, suggestion.outcome.pieces, strict=True):
        at = -1 if node is None else layer.forest.position.item(node)
        if at > 0 and pieces.piece_at(at) == -1:
            all_below = loads_in(layer.forest, [(at, layer.forest.last.item(at))])
            gone = loads_in(layer.forest, pieces.spans(range(len(pieces.before))))
            found.update(np.setdiff1d(all_below, gone).tolist())
    return set(grid.ids.names({grid.element_of_load(load) for load in found}))


def _rating(grid: Grid, name: str, attrs: Mapping[str, object]) -> float | None:
    units = _value(attrs, "parallel") or 1.0
    power, current = _value(attrs, "sn_mva"), _value(attrs, "max_i_ka")
    if power:
        return power * units
    number = grid.ids.number(name)
    node = None if number is None else grid.node_of(number)
    if not current or node is None:
        return None
    ends = [grid.other_end(edge, node) for edge in grid.edges_of(node)]
    kilovolts = max((float(grid.plain.kv[end]) for end in ends), default=0.0)
    return current * kilovolts * math.sqrt(3) * units * (_value(attrs, "df") or 1.0) if kilovolts else None


def _apparent(attrs: Mapping[str, object]) -> float:
    scaling = _value(attrs, "scaling")
    return math.hypot(_value(attrs, "p_mw") or 0.0, _value(attrs, "q_mvar") or 0.0) * (
        1.0 if scaling is None else scaling
    )


def _value(attrs: Mapping[str, object], name: str) -> float | None:
    value = attrs.get(name)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
