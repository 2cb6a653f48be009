"""Who has supply after a change: cut the forest, look for ways back in, in time that follows what is cut.

Cutting edges of the forest leaves the part that still hangs on the root and *pieces*, each a few
intervals of positions. A piece has supply exactly if an edge that the forest does not use and that
is closed leads from it, perhaps by way of other pieces, to the part at the root. So only
the pieces are looked at, never the rest. Parts that had no supply before are entered when a
tie leads there, since two ties in a row may carry supply through them.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from geo.forest import Forest, spread
from geo.grid import Grid

Array = np.ndarray
_ROOT = -1
# So few edges are looked at one by one.
_FEW = 48


@dataclass
class Change:
    """What differs from the normal state, in numbers of a `Grid`.

    `blocked` edges carry nothing, whatever is closed. `dead` nodes are off. `shut` are ties that are
    closed; with `all_ties` every tie is that is not blocked. `sources_out` are numbers of sources.
    """

    blocked: set[int] = field(default_factory=set)
    dead: set[int] = field(default_factory=set)
    shut: set[int] = field(default_factory=set)
    all_ties: bool = False
    sources_out: set[int] = field(default_factory=set)

    @property
    def closes(self) -> bool:
        return self.all_ties or bool(self.shut)


@dataclass
class Pieces:
    """The pieces of one forest after a change, and how they hang together.

    `bounds` and `owner` say which piece a position is of (-1: the part at the root). `before` and
    `after` give the group of each piece without and with the closing; -1 is supply. `ties` are the
    closed ties that end at a piece: (edge, piece, piece or -1); `joins` are other edges, enough to hold
    the groups together. `entered` are trees without supply that a tie led into, and their pieces.
    """

    forest: Forest
    bounds: list[int]
    owner: list[int]
    off: set[int]
    before: list[int]
    after: list[int]
    ties: list[tuple[int, int, int]]
    joins: list[tuple[int, int, int]]
    entered: dict[int, int]

    def piece_at(self, position: int) -> int:
        """The piece that a position is of; -1 where it is of none."""
        place = bisect.bisect_right(self.bounds, position) - 1
        piece = self.owner[place] if place >= 0 else _ROOT
        if piece == _ROOT and position >= self.forest.fed:
            return self.entered.get(tree_of(self.forest, position), _ROOT)
        return piece

    def spans(self, pieces: Iterable[int]) -> list[tuple[int, int]]:
        """The intervals of these pieces within what normally has supply."""
        wanted = set(pieces)
        found: list[tuple[int, int]] = []
        for place, piece in enumerate(self.owner):
            if piece in wanted and self.bounds[place] < self.forest.fed:
                low, high = self.bounds[place], self.bounds[place + 1]
                if found and found[-1][1] == low:
                    low = found.pop()[0]
                found.append((low, high))
        return found

    def has_supply(self, position: int) -> bool:
        """Whether a position within a piece has supply with the closing."""
        piece = self.owner[bisect.bisect_right(self.bounds, position) - 1]
        return self.after[piece] == _ROOT

    def unfed(self, group: list[int]) -> list[int]:
        return [piece for piece in range(len(group)) if group[piece] != _ROOT]


def loads_in(forest: Forest, spans: list[tuple[int, int]]) -> Array:
    """The loads in these intervals, by position."""
    cuts = np.searchsorted(forest.load_at, np.array(spans, np.int32).reshape(-1)).tolist()
    parts = [forest.load[low:high] for low, high in zip(cuts[::2], cuts[1::2], strict=True) if low < high]
    return np.concatenate(parts) if parts else np.empty(0, np.int32)


def nodes_in(forest: Forest, spans: list[tuple[int, int]]) -> Array:
    """The nodes in these intervals."""
    parts = [forest.node[low:high] for low, high in spans]
    return np.concatenate(parts) if parts else np.empty(0, np.int32)


def cut(grid: Grid, forest: Forest, change: Change, also: Iterable[int] = ()) -> Pieces:
    """The pieces that `change` leaves, and which of them have supply.

    `also` are trees without supply, by where they begin, that are to be looked at in any case.
    """
    starts, off_at = _starts(grid, forest, change, also)
    bounds, owner = _segments(forest, starts)
    piece_at = {start: piece for piece, start in enumerate(starts)}
    off = {piece_at[at] for at in off_at}
    return _join(grid, forest, change, bounds, owner, len(starts), off)


def _starts(grid: Grid, forest: Forest, change: Change, also: Iterable[int]) -> tuple[list[int], set[int]]:
    """Where pieces begin, in order, and which of them are nodes that are off."""
    starts: set[int] = set(also)
    off: set[int] = set()
    child, last = forest.child, forest.last
    edges = len(grid.plain.edge_a)
    for edge in (*change.blocked, *(edges + source for source in change.sources_out)):
        at = child.item(edge)
        if at >= 0:
            starts.add(at)
    for node in change.dead:
        at = forest.position.item(node)
        if at < 0:
            continue
        starts.add(at)
        off.add(at)
        below, end = at + 1, last.item(at)
        while below < end:
            starts.add(below)
            below = last.item(below)
    for at in [one for one in starts if one >= forest.fed]:
        starts.add(tree_of(forest, at))
    return sorted(starts), off


def tree_of(forest: Forest, at: int) -> int:
    """Where the tree without supply begins that holds this position."""
    return int(forest.trees[np.searchsorted(forest.trees, at, side="right") - 1])


def _segments(forest: Forest, starts: list[int]) -> tuple[list[int], list[int]]:
    """Positions where the piece changes, and the piece from there on."""
    bounds: list[int] = []
    owner: list[int] = []

    def begin(at: int, piece: int) -> None:
        if bounds and bounds[-1] == at:
            owner[-1] = piece
        else:
            bounds.append(at)
            owner.append(piece)

    open_: list[tuple[int, int]] = []
    for piece, at in enumerate(starts):
        while open_ and open_[-1][0] <= at:
            end, _ = open_.pop()
            begin(end, open_[-1][1] if open_ else _ROOT)
        begin(at, piece)
        open_.append((forest.last.item(at), piece))
    while open_:
        end, _ = open_.pop()
        begin(end, open_[-1][1] if open_ else _ROOT)
    return bounds, owner


def _join(
    grid: Grid, forest: Forest, change: Change, bounds: list[int], owner: list[int], count: int, off: set[int]
) -> Pieces:
    before = _Groups(count)
    ties: list[tuple[int, int, int]] = []
    joins: list[tuple[int, int, int]] = []
    blocked = {*change.blocked, *(len(grid.plain.edge_a) + one for one in change.sources_out)}
    fresh = [
        (bounds[place], bounds[place + 1], piece)
        for place, piece in enumerate(owner)
        if piece != _ROOT and piece not in off
    ]
    entered: dict[int, int] = {}
    while fresh:
        seen = _leaving(grid, forest, change, blocked, fresh, bounds, owner)
        fresh = []
        for edge, one, other, at, is_tie in seen:
            if other in off:
                continue
            if other == _ROOT and at >= forest.fed:
                tree = tree_of(forest, at)
                if tree not in entered:
                    entered[tree] = before.add()
                    fresh.append((tree, forest.last.item(tree), entered[tree]))
                other = entered[tree]
            if one == other:
                continue
            if is_tie:
                ties.append((edge, one, other))
            elif before.join(one, other):
                joins.append((edge, one, other))
    after = before.copy()
    for _, one, other in ties:
        after.join(one, other)
    return Pieces(forest, bounds, owner, off, before.groups(off), after.groups(off), ties, joins, entered)


def _telling(here: Array, there: Array, unfed: Array, tie: Array) -> Array:
    """Which edges say anything new: not those within a piece, and of parallel closed ones only the first.

    A piece of a mesh holds very many of both.
    """
    leads = np.flatnonzero((here != there) | ((there == _ROOT) & unfed))
    special = tie[leads] | ((there[leads] == _ROOT) & unfed[leads])
    plain = leads[~special]
    width = int(there.max()) + 2
    _, first = np.unique(here[plain] * width + there[plain] + 1, return_index=True)
    return np.sort(np.concatenate([leads[special], plain[first]]))


def _leaving(
    grid: Grid,
    forest: Forest,
    change: Change,
    blocked: set[int],
    spans: list[tuple[int, int, int]],
    bounds: list[int],
    owner: list[int],
) -> Iterable[tuple[int, int, int, int, bool]]:
    """Edges that carry and are unused by the forest, from these (low, high, piece) to anything else:
    (edge, piece, piece or root there, position there, whether it is a tie)."""
    ends = np.array([end for low, high, _ in spans for end in (low, high)], np.int32)
    cuts = forest.side_at.searchsorted(ends).tolist()
    found = [
        (low, high, span[2])
        for low, high, span in zip(cuts[::2], cuts[1::2], spans, strict=True)
        if low < high
    ]
    count = sum(high - low for low, high, _ in found)
    if not count:
        return ()
    if count <= _FEW:
        return _few_leaving(grid, forest, change, blocked, found, bounds, owner)
    place_of = (np.array([-1, *bounds], np.int64), np.array([_ROOT, *owner], np.int64))
    here, entries, there = _smaller_side(forest, found, count, place_of)
    edges = forest.side_edge[entries]
    real = edges < len(grid.plain.edge_a)
    carries = ~real
    carries[real] = grid.derived.passable[edges[real]]
    tie = ~carries
    if change.all_ties:
        open_ = np.ones(len(edges), bool)
    elif change.shut:
        open_ = carries | np.isin(edges, np.fromiter(change.shut, np.int64, len(change.shut)))
    else:
        open_ = carries
    if blocked:
        shut = np.array(sorted(blocked), np.int64)
        slot = np.minimum(shut.searchsorted(edges), len(shut) - 1)
        open_ = open_ & (shut[slot] != edges)
    kept = np.flatnonzero(open_)
    if not len(kept):
        return ()
    edges, here, there, tie = edges[kept], here[kept], there[kept], tie[kept]
    piece = place_of[1][place_of[0].searchsorted(there, side="right") - 1]
    told = _telling(here, piece, there >= forest.fed, tie)
    columns = [column[told].tolist() for column in (edges, here, piece, there, tie)]
    return zip(*columns, strict=True)


def _few_leaving(
    grid: Grid,
    forest: Forest,
    change: Change,
    blocked: set[int],
    found: list[tuple[int, int, int]],
    bounds: list[int],
    owner: list[int],
) -> Iterator[tuple[int, int, int, int, bool]]:
    """The same one by one: for a handful, setting up arrays costs more than looking at each."""
    edges, passable = len(grid.plain.edge_a), grid.derived.passable
    for low, high, piece in found:
        entries = zip(forest.side_edge[low:high].tolist(), forest.side_to[low:high].tolist(), strict=True)
        for edge, to in entries:
            tie = edge < edges and not passable.item(edge)
            if edge in blocked or (tie and not change.all_ties and edge not in change.shut):
                continue
            place = bisect.bisect_right(bounds, to) - 1
            yield edge, piece, owner[place] if place >= 0 else _ROOT, to, tie


def _smaller_side(
    forest: Forest, found: list[tuple[int, int, int]], count: int, place_of: tuple[Array, Array]
) -> tuple[Array, Array, Array]:
    """(piece, entry, position there) of all unused edges that may lead out of the pieces.

    A piece that holds most of a mesh is not looked through: what leads out of it is seen from the rest as well.
    """
    big: int | None = None
    if 2 * count > len(forest.side_at):
        sizes: dict[int, int] = {}
        for low, high, piece in found:
            sizes[piece] = sizes.get(piece, 0) + high - low
        largest = max(sizes, key=lambda piece: sizes[piece])
        # A tree without supply that was entered has no place among the bounds; it is looked through.
        if 2 * sizes[largest] > len(forest.side_at) and largest in place_of[1]:
            big = largest
    table = np.array([one for one in found if one[2] != big], np.int64).reshape(-1, 3)
    entries, which = spread(table[:, 0], table[:, 1])
    here, there = table[which, 2], forest.side_to[entries]
    if big is None:
        return here, entries, there
    # Whatever is of no piece, from where the piece is seen; edges between pieces are seen from the smaller one.
    bounds, owner = place_of
    rest = np.flatnonzero(owner == _ROOT)
    first = np.maximum(bounds[rest], 0).astype(np.int32)
    after = np.append(bounds[1:], len(forest.node))[rest].astype(np.int32)
    other, _ = spread(forest.side_at.searchsorted(first), forest.side_at.searchsorted(after))
    other = other[owner[bounds.searchsorted(forest.side_to[other], side="right") - 1] == big]
    return (
        np.concatenate([here, np.full(len(other), big, np.int64)]),
        np.concatenate([entries, other]),
        np.concatenate([there, forest.side_at[other]]),
    )


class _Groups:
    """Union-find over pieces; the part at the root is the first member."""

    def __init__(self, count: int) -> None:
        self.above = list(range(count + 1))

    def add(self) -> int:
        self.above.append(len(self.above))
        return len(self.above) - 2

    def copy(self) -> _Groups:
        other = _Groups(0)
        other.above = list(self.above)
        return other

    def find(self, piece: int) -> int:
        above = self.above
        at = piece + 1
        while above[at] != at:
            above[at] = above[above[at]]
            at = above[at]
        return at - 1

    def join(self, one: int, other: int) -> bool:
        """Join two groups; False if they were one. The root stays on top of its own."""
        low, high = sorted((self.find(one), self.find(other)))
        if low == high:
            return False
        self.above[high + 1] = low + 1
        return True

    def groups(self, off: set[int]) -> list[int]:
        return [piece if piece in off else self.find(piece) for piece in range(len(self.above) - 1)]
