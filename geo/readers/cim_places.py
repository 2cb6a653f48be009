"""Where the things of a CIM model are: locations, their points, and what is drawn where.

CGMES names the thing in the location, CIM100 the location in the thing; both are read. A
node lies where the busbar or the end of equipment at it does, else at the end of a line,
else where its substation is. Points are turned to degrees by the declared system.
"""

from __future__ import annotations

import math

import numpy as np

from geo.readers.cim_xml import Thing, Things
from geo.readers.crs import Turn, to_degrees
from geo.readers.report import Report
from geo.wkb import Geometry

Place = tuple[float, float]


class Places:
    """Locations by the id of what lies there."""

    def __init__(self, things: Things, of_kind: dict[str, list[Thing]], report: Report) -> None:
        self.things = things
        self.declared = False
        self.shapes: dict[str, Geometry] = {}
        self.at_end: dict[str, Place] = {}
        self.of_line: dict[str, Place] = {}
        points = _points(of_kind)
        systems: dict[str, Turn | None] = {}
        for location in of_kind.get("Location", []):
            drawn = points.get(location.id)
            if not drawn:
                continue
            system = things.get(location.values.get("CoordinateSystem", ""))
            urn = system.values.get("crsUrn", "") if system is not None else ""
            if urn not in systems:
                systems[urn] = to_degrees(urn or None, None, location.file, report)
                self.declared = bool(urn)
            turn = systems[urn]
            if turn is not None:
                where = turn(np.array(drawn, dtype=float))
                self.shapes[location.id] = tuple((float(x), float(y)) for x, y in where)
        self.location_of = {
            location.values["PowerSystemResources"]: location.id
            for location in of_kind.get("Location", [])
            if "PowerSystemResources" in location.values
        }

    def shape(self, one: Thing) -> Geometry | None:
        return self.shapes.get(one.values.get("Location") or self.location_of.get(one.id, ""))

    def line(self, one: Thing) -> Geometry | None:
        """Its course; a single point is no course."""
        shape = self.shape(one)
        return shape if shape is not None and len(shape) > 1 else None

    def saw(self, one: Thing, nodes: list[str]) -> None:
        """Remember what an element with these nodes says about where they lie."""
        shape = self.shape(one)
        if shape is None:
            return
        if len(nodes) == 2 and len(shape) > 1:
            # Its first point is at its first terminal.
            for node, place in ((nodes[0], shape[0]), (nodes[-1], shape[-1])):
                self.of_line.setdefault(node, place)
        else:
            for node in nodes:
                self.at_end.setdefault(node, shape[0])

    def nodes(self, nodes: list[Thing]) -> dict[str, Place]:
        """Where each node lies, as far as anything says so."""
        found = {**self.of_line, **self.at_end}
        for node in nodes:
            own = self.shape(node)
            if own is not None:
                found[node.id] = own[0]
            elif node.id not in found and (place := self._container(node)) is not None:
                found[node.id] = place
        return found

    def _container(self, node: Thing) -> Place | None:
        key = node.values.get("ConnectivityNodeContainer")
        for _ in range(4):
            container = self.things.get(key or "")
            if container is None:
                return None
            if (shape := self.shape(container)) is not None:
                return shape[0]
            key = container.values.get("VoltageLevel") or container.values.get("Substation")
        return None


def _points(of_kind: dict[str, list[Thing]]) -> dict[str, list[Place]]:
    """Location id to its points in order."""
    found: dict[str, list[tuple[float, Place]]] = {}
    for point in of_kind.get("PositionPoint", []):
        try:
            x, y = float(point.values["xPosition"]), float(point.values["yPosition"])
            order = float(point.values.get("sequenceNumber") or 0)
        except (KeyError, ValueError):
            continue
        if math.isfinite(x) and math.isfinite(y):
            found.setdefault(point.values.get("Location", ""), []).append((order, (x, y)))
    return {key: [place for _, place in sorted(points)] for key, points in found.items()}
