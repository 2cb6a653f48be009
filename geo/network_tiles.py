"""The network as square tiles for a dispatcher's map: lines, transformers, switches with their state, sources.

A tile is plain data for JSON, in steps of `EXTENT` to its side, so that a browser draws it at once. Promises: the
same network and tile give the same answer; a tile never holds more than a browser draws in a blink: where a kind
is too dense, the tile names it under `more` and leaves it out (open switches and medium voltage longest), and what
looks alike at this zoom is drawn once. Homes (loads) are not in it. Leaves colours and shapes to who draws.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from geo.wkb import Geometry

Array = np.ndarray
EXTENT = 4096
DEEPEST = 20
# Reaches a little over the edge, so that a mark on the border is drawn whole by both neighbours.
MARGIN = 0.06
MOST_LINES = 5_000
MOST_POINTS = 1_500
LINE, TRAFO, SWITCH, SOURCE = range(4)
KINDS = ("line", "trafo", "switch", "source")


@dataclass(frozen=True)
class Drawable:
    """One element. `main`: medium voltage or above. `on`: in service, or of a switch closed.

    `toward` is the vertex towards which a switch at the end of a line stands a little away from its bus.
    """

    kind: int
    name: str
    where: Geometry
    feeder: str | None = None
    main: bool = True
    on: bool = True
    toward: tuple[float, float] | None = None


class DrawnNetwork:
    """All drawable elements of one network version, as arrays."""

    def __init__(self, drawables: Iterable[Drawable]) -> None:
        self.names: list[str] = []
        kinds, feeders, mains, ons, counts = [], [], [], [], []
        flat: list[float] = []
        toward: list[float] = []
        numbers: dict[str | None, int] = {None: -1}
        for one in drawables:
            self.names.append(one.name)
            kinds.append(one.kind)
            feeders.append(numbers.setdefault(one.feeder, len(numbers) - 1))
            mains.append(one.main)
            ons.append(one.on)
            counts.append(len(one.where))
            flat += [number for vertex in one.where for number in vertex]
            toward += one.toward or one.where[0]
        self.feeders: list[str] = [name for name in numbers if name is not None]
        self.kind = np.array(kinds, np.uint8)
        self.feeder = np.array(feeders, np.int32)
        self.main = np.array(mains, bool)
        self.on = np.array(ons, bool)
        self.start = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)
        degrees = np.array(flat, float).reshape(-1, 2)
        self.at = _mercator(degrees)
        self.direction = _unit(
            _mercator(np.array(toward, float).reshape(-1, 2)) - self.at[self.start[:-1]]
            if len(kinds)
            else np.empty((0, 2))
        )
        self.bounds: tuple[float, float, float, float] | None = None
        if len(degrees):
            low, high = degrees.min(axis=0), degrees.max(axis=0)
            self.bounds = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
            self.low = np.minimum.reduceat(self.at, self.start[:-1])
            self.high = np.maximum.reduceat(self.at, self.start[:-1])
        else:
            self.low = self.high = np.empty((0, 2))

    @cached_property
    def low_names(self) -> frozenset[str]:
        """Elements below medium voltage."""
        return frozenset(self.names[one] for one in np.flatnonzero(~self.main).tolist())

    def tile(self, z: int, x: int, y: int) -> dict[str, Any]:
        """What lies in a tile. ValueError for one that is not there.

        `line`: [id, feeder, main, on, x, y, dx, dy, ...]; points: [id, feeder, state, x, y, towards x, towards y],
        where state is 1 if it is on, plus 2 below medium voltage. `feeders` are names, to which the second
        number of each counts; -1 is none.
        """
        if not 0 <= z <= DEEPEST or not (0 <= x < 2**z and 0 <= y < 2**z):
            raise ValueError("there is no such tile")
        side = 1.0 / 2**z
        corner = np.array([x * side, y * side])
        room = side * MARGIN
        inside = np.flatnonzero(
            (self.high >= corner - room).all(axis=1) & (self.low <= corner + side + room).all(axis=1)
        )
        kind = self.kind[inside]
        more: list[str] = []
        found: dict[str, list[list[Any]]] = {}
        used: dict[int, int] = {}
        lines = self._fewer_lines(inside[kind == LINE], corner, side, more)
        found["line"] = [self._line(one, corner, side, used) for one in lines.tolist()]
        for number in (TRAFO, SWITCH, SOURCE):
            mine = inside[kind == number]
            if len(mine) > MOST_POINTS:
                more.append(KINDS[number])
                # A switch that is open is what a dispatcher looks for.
                mine = mine[~self.on[mine]] if number == SWITCH else mine[:0]
                mine = mine[:MOST_POINTS]
            found[KINDS[number]] = [self._point(one, corner, side, used) for one in mine.tolist()]
        return {**found, "feeders": [self.feeders[one] for one in used], "more": more}

    def _fewer_lines(self, lines: Array, corner: Array, side: float, more: list[str]) -> Array:
        if len(lines) > MOST_LINES and not self.main[lines].all():
            more.append("low")
            lines = lines[self.main[lines]]
        if len(lines) <= MOST_LINES:
            return lines
        # Ends that fall on the same two dots of the screen look alike.
        first, last = self.start[lines], self.start[lines + 1] - 1
        ends = np.concatenate([self.at[first], self.at[last]], axis=1)
        dots = np.floor((ends - np.tile(corner, 2)) / side * 128).astype(np.int32)
        _, alike = np.unique(dots, axis=0, return_index=True)
        lines = lines[np.sort(alike)]
        if len(lines) > MOST_LINES:
            more.append("line")
            size = (self.high[lines] - self.low[lines]).sum(axis=1)
            lines = np.sort(lines[np.argsort(-size, kind="stable")[:MOST_LINES]])
        return lines

    def _line(self, one: int, corner: Array, side: float, used: dict[int, int]) -> list[Any]:
        steps = np.rint((self.at[self.start[one] : self.start[one + 1]] - corner) / side * EXTENT).astype(
            np.int64
        )
        steps[1:] -= steps[:-1].copy()
        moving = steps.any(axis=1)
        moving[0] = True
        return [
            *self._head(one, used),
            int(self.main[one]),
            int(self.on[one]),
            *steps[moving].ravel().tolist(),
        ]

    def _point(self, one: int, corner: Array, side: float, used: dict[int, int]) -> list[Any]:
        where = self.at[self.start[one] : self.start[one + 1]].mean(axis=0)
        px, py = np.rint((where - corner) / side * EXTENT).astype(np.int64).tolist()
        ux, uy = np.rint(self.direction[one] * 100).astype(np.int64).tolist()
        state = int(self.on[one]) + 2 * int(not self.main[one])
        return [*self._head(one, used), state, px, py, ux, uy]

    def _head(self, one: int, used: dict[int, int]) -> list[Any]:
        feeder = int(self.feeder[one])
        return [self.names[one], used.setdefault(feeder, len(used)) if feeder >= 0 else -1]


def _mercator(degrees: Array) -> Array:
    """Longitude and latitude to the unit square of web maps, y downwards."""
    latitude = np.radians(np.clip(degrees[:, 1], -85.0511, 85.0511))
    return np.column_stack(
        [(degrees[:, 0] + 180.0) / 360.0, (1.0 - np.arcsinh(np.tan(latitude)) / math.pi) / 2.0]
    )


def _unit(steps: Array) -> Array:
    length = np.hypot(steps[:, 0], steps[:, 1])
    return steps / np.where(length > 0, length, 1.0)[:, None]


def beside(bus: Sequence[float], line: Geometry) -> tuple[float, float]:
    """The vertex of `line` next to the end at which `bus` lies."""

    def far(vertex: Sequence[float]) -> float:
        return (vertex[0] - bus[0]) ** 2 + (vertex[1] - bus[1]) ** 2

    way = line if far(line[0]) <= far(line[-1]) else line[::-1]
    return next((vertex for vertex in way if vertex != tuple(bus)), way[-1])
