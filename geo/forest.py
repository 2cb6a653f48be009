"""A spanning forest of the normal state, numbered so that whatever hangs behind an edge is one interval.

A tree grows from one root that stands for all sources; what has no supply grows trees of its
own behind it. Nodes are numbered in preorder, so a subtree is [p, last[p]) and the loads in it
are one slice. The edges that the forest does not use, closed (meshes, second sources) and open
(ties) alike, are listed by the position of their ends.

Promises: an edge of the forest that is cut leaves a piece that has supply exactly if an unused
edge that is closed leads out of it to a piece that has; see `geo.supply`. Leaves the meaning of
nodes to `geo.grid`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

Array = np.ndarray

# Beyond this depth growing level by level costs more than growing node by node.
_DEEPEST = 4000


@dataclass(frozen=True)
class Forest:
    """Positions: 0 is the root; 1 .. fed-1 have supply in the normal state; the rest has none.

    `position` is per node (-1: not in service, or not of this phase), `node` per position (-1: the
    root). `parent` and `last` are per position. `child` is per edge the position that hangs behind
    it, -1 where the forest does not use it. `side_at`, `side_to`, `side_edge` list each unused edge
    from both ends, in the order of `side_at`. `load_at` and `load` list loads by position. `trees`
    are the first positions of the trees without supply.
    """

    fed: int
    position: Array
    node: Array
    parent: Array
    last: Array
    child: Array
    side_at: Array
    side_to: Array
    side_edge: Array
    load_at: Array
    load: Array
    trees: Array

    def arrays(self) -> dict[str, Array]:
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "fed"}


def grow(
    alive: Array, ends: tuple[Array, Array], usable: Array, passable: Array, sources: Array, load_node: Array
) -> Forest:
    """The forest over nodes that are `alive`, along edges that are `usable` and `passable`.

    Edges that are usable and not passable are ties. `sources` (nodes) hang on the root by further
    edges, numbered after the others; -1 is a source that is not there. `load_node` is -1 for a
    load that does not count.
    """
    count = len(alive)
    a, b = ends
    root = count
    here = np.flatnonzero(sources >= 0)
    here = here[alive[sources[here]].astype(bool)]
    edge_a = np.concatenate([a, np.full(len(sources), root, np.int32)])
    edge_b = np.concatenate([b, np.where(sources >= 0, sources, root).astype(np.int32)])
    use = np.concatenate(
        [usable & (alive[a] & alive[b]).astype(bool) & (a != b), np.zeros(len(sources), bool)]
    )
    use[len(a) + here] = True
    closed = use & np.concatenate([passable, np.ones(len(sources), bool)])
    numbers = np.flatnonzero(closed).astype(np.int32)
    order, start = _by_end(np.concatenate([edge_a[numbers], edge_b[numbers]]), count + 1)
    far = np.concatenate([edge_b[numbers], edge_a[numbers]])[order]
    via = np.concatenate([numbers, numbers])[order]
    position = np.full(count + 1, -1, np.int32)
    parent = np.full(count + 1, -1, np.int32)
    upward = np.full(count + 1, -1, np.int32)
    size = np.ones(count + 1, np.int32)
    fed = _by_levels(root, start, far, via, position, parent, upward, size)
    if fed < 0:
        position[:] = -1
        fed = _node_by_node([root], 0, start, far, via, position, parent, upward, size)[0]
    left = np.flatnonzero((position[:-1] < 0) & alive.astype(bool)).tolist()
    total, trees = _node_by_node(left, fed, start, far, via, position, parent, upward, size)
    placed = np.flatnonzero(position >= 0)
    node = np.empty(total, np.int32)
    node[position[placed]] = placed
    grown_from = parent[node]
    child = np.full(len(edge_a), -1, np.int32)
    hung = upward[node] >= 0
    child[upward[node][hung]] = np.flatnonzero(hung)
    side = np.flatnonzero(use & (child < 0)).astype(np.int32)
    from_a, from_b = position[edge_a[side]], position[edge_b[side]]
    at = np.concatenate([from_a, from_b])
    by_place = np.argsort(at, kind="stable")
    load_at = np.where(load_node >= 0, position[load_node], -1)
    counted = np.flatnonzero((load_at > 0) & (load_at < fed))
    loads = counted[np.argsort(load_at[counted], kind="stable")].astype(np.int32)
    final = np.where(node == root, -1, node).astype(np.int32)
    return Forest(
        fed=fed,
        position=position[:-1].copy(),
        node=final,
        parent=np.where(grown_from >= 0, position[grown_from], -1).astype(np.int32),
        last=(np.arange(total, dtype=np.int32) + size[node]).astype(np.int32),
        child=child,
        side_at=at[by_place],
        side_to=np.concatenate([from_b, from_a])[by_place],
        side_edge=np.concatenate([side, side])[by_place],
        load_at=load_at[loads].astype(np.int32),
        load=loads,
        trees=np.array(trees, np.int32),
    )


def _by_end(ends: Array, count: int) -> tuple[Array, Array]:
    """An order of entries by their node, and where each node's entries begin."""
    start = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(ends, minlength=count), out=start[1:])
    return np.argsort(ends, kind="stable"), start


def spread(begin: Array, end: Array) -> tuple[Array, Array]:
    """All of begin[i] .. end[i]-1 in one array, and for each the i that it is of."""
    lengths = end - begin
    owner = np.repeat(np.arange(len(begin)), lengths)
    first = np.cumsum(lengths) - lengths
    return np.arange(len(owner)) - first[owner] + begin[owner], owner


def _by_levels(
    root: int,
    start: Array,
    far: Array,
    via: Array,
    position: Array,
    parent: Array,
    upward: Array,
    size: Array,
) -> int:
    """Grow from the root a level at a time; how many nodes were reached, -1 if it is too deep."""
    levels = [np.array([root])]
    position[root] = 0
    while len(levels[-1]):
        if len(levels) > _DEEPEST:
            return -1
        level = levels[-1]
        entries, owner = spread(start[level], start[level + 1])
        fresh = position[far[entries]] < 0
        entries, owner = entries[fresh], owner[fresh]
        # The first entry that reaches a node is its edge; entries are in the order of their owners.
        nodes, first = np.unique(far[entries], return_index=True)
        in_order = np.argsort(first, kind="stable")
        nodes, first = nodes[in_order], first[in_order]
        position[nodes] = 0
        parent[nodes] = level[owner[first]]
        upward[nodes] = via[entries[first]]
        levels.append(nodes)
    for level in reversed(levels[1:]):
        np.add.at(size, parent[level], size[level])
    for level in levels[1:]:
        # Siblings stand side by side, since owners come in order: each begins where the last ended.
        ahead = np.cumsum(size[level]) - size[level]
        above = parent[level]
        head = np.flatnonzero(np.concatenate([[True], above[1:] != above[:-1]])) if len(level) else level
        offset = np.repeat(ahead[head], np.diff(np.append(head, len(level))))
        position[level] = position[above] + 1 + ahead - offset
    return int(size[root])


def _node_by_node(
    roots: list[int],
    at: int,
    start: Array,
    far: Array,
    via: Array,
    position: Array,
    parent: Array,
    upward: Array,
    size: Array,
) -> tuple[int, list[int]]:
    """Grow a tree from each of `roots` that no earlier one reached; the next position, and where trees begin."""
    trees: list[int] = []
    order: list[int] = []
    for root in roots:
        if position[root] >= 0:
            continue
        trees.append(at)
        stack = [(root, -1, -1)]
        while stack:
            node, above, edge = stack.pop()
            if position[node] >= 0:
                continue
            position[node] = at
            parent[node] = above
            upward[node] = edge
            size[node] = 1
            order.append(node)
            at += 1
            begin, end = int(start[node]), int(start[node + 1])
            entries = zip(far[begin:end].tolist(), via[begin:end].tolist(), strict=True)
            stack += [(other, node, edge) for other, edge in entries if position[other] < 0]
    for node in reversed(order):
        if parent[node] >= 0:
            size[parent[node]] += size[node]
    return at, trees
