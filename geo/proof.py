"""Why a load has supply or has none: the chain that fed it before, where it was cut, the chain that feeds it now.

A chain runs from the source to the load and names every bus, branch and switch on the way. There is one
proof per phase where phases differ.
"""

from __future__ import annotations

from dataclasses import dataclass

from geo.grid import Grid, Layer, phase_names
from geo.model import GeoError
from geo.outcome import ROOT, Outcome, normal_bits
from geo.request import Request, number_of
from geo.supply import Pieces


@dataclass(frozen=True)
class Proof:
    """Of one load on `phases`. `state`: supplied, momentary, partial, lost, or unfed (no supply before either).

    `before` and `now` are empty where there is no supply. `cut` lists what of `before` is opened or
    off, from the source on.
    """

    load: str
    phases: str
    state: str
    before: tuple[str, ...]
    cut: tuple[str, ...]
    now: tuple[str, ...]


def prove(grid: Grid, request: Request, outcome: Outcome, name: str) -> tuple[Proof, ...]:
    """The proofs of one load. GeoError when it is not a load of this network."""
    load = grid.load_of(number_of(grid, name))
    if load is None:
        raise GeoError(f"{name} is not a load.", "Name a load, such as load:7.")
    plain = grid.plain
    state = _state(grid, outcome, load)
    found = []
    for layer, pieces in zip(grid.layers, outcome.pieces, strict=True):
        if not plain.load_alive[load] or not plain.load_phases[load] & layer.bits:
            continue
        position = layer.forest.position.item(int(plain.load_node[load]))
        walk = _Walk(grid, request, layer, pieces)
        before = walk.up(position)[::-1] if 0 <= position < layer.forest.fed else []
        off = load in request.loads_off
        now = [] if off or position < 0 else walk.now(position)
        ends = (name,)
        found.append(
            Proof(
                load=name,
                phases=phase_names(int(plain.load_phases[load]) & layer.bits),
                state=state,
                before=walk.names(before) + ends if before else (),
                cut=walk.cut(before) + (ends if off else ()) if before else (),
                now=walk.names(now) + ends if now else (),
            )
        )
    return tuple(found) or (Proof(name, phase_names(int(plain.load_phases[load])), "unfed", (), (), ()),)


def _state(grid: Grid, outcome: Outcome, load: int) -> str:
    for state in ("lost", "partial", "momentary"):
        if (getattr(outcome, state) == load).any():
            return state
    return "supplied" if normal_bits(grid, load) else "unfed"


class _Walk:
    """Chains as (is it an edge, number), in one layer."""

    def __init__(self, grid: Grid, request: Request, layer: Layer, pieces: Pieces) -> None:
        self.grid = grid
        self.request = request
        self.forest = layer.forest
        self.pieces = pieces
        self.edges = len(grid.plain.edge_a)

    def up(self, position: int) -> list[tuple[bool, int]]:
        """From a position to the source above it, the root itself left out."""
        chain: list[tuple[bool, int]] = []
        while position > 0:
            chain += [(False, self.forest.node.item(position)), (True, self._edge_above(position))]
            position = self.forest.parent.item(position)
        return chain

    def _edge_above(self, position: int) -> int:
        child = self.forest.child
        for edge in self.grid.edges_of(self.forest.node.item(position)):
            if child.item(edge) == position:
                return edge
        sources = child[self.edges :].tolist()
        return self.edges + sources.index(position)

    def _between(self, here: int, there: int) -> list[tuple[bool, int]]:
        """From a position to another of the same tree: nodes and edges, the last node left out."""
        node, parent = self.forest.node, self.forest.parent
        out: list[tuple[bool, int]] = []
        back: list[tuple[bool, int]] = []
        # The parent of a position is always lower, so the higher of the two is not above the other.
        while here != there:
            if here > there:
                out += [(False, node.item(here)), (True, self._edge_above(here))]
                here = parent.item(here)
            else:
                back += [(False, node.item(there)), (True, self._edge_above(there))]
                there = parent.item(there)
        if not back:
            return out
        return [*out, (False, node.item(here)), *back[:0:-1]]

    def now(self, position: int) -> list[tuple[bool, int]]:
        """From the source to a position as switched; empty without supply."""
        piece = self.pieces.piece_at(position)
        if piece == ROOT:
            return self.up(position)[::-1] if position < self.forest.fed else []
        way = self._pieces_to_supply(piece)
        if way is None:
            return []
        chain: list[tuple[bool, int]] = []
        for edge in way:
            near, far = self._ends(edge)
            if self.pieces.piece_at(near) != piece or near == 0:
                near, far = far, near
            chain += [*self._between(position, near), (False, self.forest.node.item(near)), (True, edge)]
            position, piece = far, self.pieces.piece_at(far)
        return (chain + self.up(position))[::-1]

    def _ends(self, edge: int) -> tuple[int, int]:
        plain, position = self.grid.plain, self.forest.position
        if edge >= self.edges:
            return 0, position.item(int(plain.source[edge - self.edges]))
        return position.item(int(plain.edge_a[edge])), position.item(int(plain.edge_b[edge]))

    def _pieces_to_supply(self, start: int) -> list[int] | None:
        """The edges that lead from a piece to the part at the root, few first; None if none do."""
        beside: dict[int, list[tuple[int, int]]] = {}
        for edge, one, other in (*self.pieces.joins, *self.pieces.ties):
            beside.setdefault(one, []).append((edge, other))
            beside.setdefault(other, []).append((edge, one))
        came: dict[int, tuple[int, int]] = {}
        queue = [start]
        for piece in queue:
            if piece == ROOT:
                break
            for edge, other in beside.get(piece, ()):
                if other != start and other not in came and other not in self.pieces.off:
                    came[other] = (piece, edge)
                    queue.append(other)
        if ROOT not in came or start in self.pieces.off:
            return None
        edges: list[int] = []
        piece = ROOT
        while piece != start:
            piece, edge = came[piece]
            edges.append(edge)
        return edges[::-1]

    def names(self, chain: list[tuple[bool, int]]) -> tuple[str, ...]:
        return tuple(name for is_edge, number in chain for name in self._names(is_edge, number))

    def _names(self, is_edge: bool, number: int) -> tuple[str, ...]:
        grid = self.grid
        if not is_edge:
            return (grid.ids.name(grid.element_of_node(number)),)
        if number >= self.edges:
            return (grid.ids.name(int(grid.plain.source_element[number - self.edges])),)
        # One at a time: most edges have none, and a chain has hundreds of edges.
        return tuple(grid.switch_name(one) for one in sorted(grid.switches_on(number)))

    def cut(self, chain: list[tuple[bool, int]]) -> tuple[str, ...]:
        """What of a chain is opened or off."""
        request = self.request
        found: list[str] = []
        dead = request.change.dead
        opened = request.opened | request.out_switches
        for is_edge, number in chain:
            if not is_edge:
                found += self._names(False, number) if number in dead else ()
            elif number >= self.edges:
                out = number - self.edges in request.change.sources_out
                found += self._names(True, number) if out else ()
            else:
                on = [one for one in self.grid.switches_on(number) if one in opened]
                found += [self.grid.switch_name(one) for one in sorted(on)]
        return tuple(found)
