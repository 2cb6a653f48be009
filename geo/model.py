"""The network as plain data: elements, the network that holds them, and the errors of this package.

Promises: standard library only, frozen, and an exact round trip through flat rows
(`Network.to_rows` / `Network.from_rows`), one row per element, as a database table wants
them. Leaves reading files to `geo.readers`, tracing to `geo.trace` and `geo.resolve`.

An element's id is ``kind:id`` where id is the source's own: ``line:12``, ``load:7``,
``trafo3w:0``, ``switch:5``, ``bus:3``, ``ext_grid:0``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from geo.wkb import Geometry, decode, encode

BUS = "bus"
SWITCH = "switch"
# Kinds that join buses; a three-winding transformer joins three.
BRANCH_KINDS = frozenset({"line", "trafo", "trafo3w", "impedance", "tcsc", "dcline"})
# Kinds that a customer can hang on.
LOAD_KINDS = frozenset({"load", "asymmetric_load"})
# Kinds that can hold a network up; all but ext_grid only when attrs["slack"] is true.
SOURCE_KINDS = frozenset({"ext_grid", "gen", "vsc"})
# Kinds that end at one bus and neither feed nor are counted as customers.
OTHER_KINDS = frozenset({"sgen", "storage", "motor", "shunt", "ward", "xward"})
KINDS = BRANCH_KINDS | LOAD_KINDS | SOURCE_KINDS | OTHER_KINDS | {BUS, SWITCH}

PHASES = ("ABC", "AB", "AC", "BC", "A", "B", "C")

_DIGITS = re.compile(r"(\d+)")


class GeoError(Exception):
    """A request that the network cannot serve: what is wrong, and what to do instead."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


def natural_key(text: str) -> tuple[Any, ...]:
    """Sort key that puts load:2 before load:10, and load:P before load:P1; odd parts are numbers."""
    parts = _DIGITS.split(text)
    return tuple([int(part) if place % 2 else part for place, part in enumerate(parts)]), text


def natural(ids: Iterable[str]) -> tuple[str, ...]:
    """The ids, each once, in natural order."""
    return tuple(sorted(set(ids), key=natural_key))


@dataclass(frozen=True, slots=True)
class Element:
    """One thing of the network.

    `buses` are bus ids: none for a bus, one for a load or source, two or three for a
    branch, (bus, other bus) for a bus-bus switch and (bus,) for a switch at the end of
    the branch `on`. `closed` is the normal state of a switch, None for all else.
    `geometry` is WGS-84 (lon, lat): one vertex is a point, more are a line, None is
    unknown. `attrs` holds values that JSON can carry.
    """

    kind: str
    id: str
    name: str = ""
    buses: tuple[str, ...] = ()
    in_service: bool = True
    closed: bool | None = None
    on: str | None = None
    phases: str = "ABC"
    geometry: Geometry | None = None
    attrs: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def is_source(self) -> bool:
        """Whether it holds up the network: an external grid, or a generator that is the slack."""
        return self.kind == "ext_grid" or (self.kind in SOURCE_KINDS and self.attrs.get("slack") is True)

    @property
    def is_load(self) -> bool:
        return self.kind in LOAD_KINDS

    @property
    def is_branch(self) -> bool:
        return self.kind in BRANCH_KINDS

    @property
    def label(self) -> str:
        """What a person calls it: the id, with the name where it says more."""
        return f"{self.id} ({self.name})" if self.name and self.name != self.id else self.id


@dataclass(frozen=True)
class Network:
    """All elements by id, and the feeders: name to the ids of what normally hangs behind them."""

    elements: Mapping[str, Element]
    feeders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "elements", MappingProxyType(dict(self.elements)))
        object.__setattr__(self, "feeders", MappingProxyType(dict(self.feeders)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Network):
            return NotImplemented
        return dict(self.elements) == dict(other.elements) and dict(self.feeders) == dict(other.feeders)

    __hash__ = None  # type: ignore[assignment]  # holds mappings; nobody needs it as a key

    def __iter__(self) -> Iterator[Element]:
        return iter(self.elements.values())

    def __len__(self) -> int:
        return len(self.elements)

    @property
    def geographic(self) -> bool:
        """Whether anything in it can be drawn on a map."""
        return any(element.geometry is not None for element in self)

    def of_kind(self, *kinds: str) -> Iterator[Element]:
        return (element for element in self if element.kind in kinds)

    def feeder_of(self) -> dict[str, str]:
        """Element id to the name of its feeder, for those that have one."""
        return {member: name for name, members in self.feeders.items() for member in members}

    def shape(self, element: Element) -> Geometry | None:
        """Where it is: its own geometry, else that of the buses at which it ends."""
        if element.geometry is not None:
            return element.geometry
        buses = element.buses
        if element.on is not None and element.on not in self.elements:
            return None
        corners = [self.elements[bus].geometry for bus in buses if bus in self.elements]
        points = [corner[0] for corner in corners if corner]
        if not points or (element.is_branch and len(points) < len(buses)):
            return None
        if element.is_branch and len(set(points)) > 1:
            return tuple(points)
        return (points[0],)

    def to_rows(self) -> list[dict[str, Any]]:
        """One flat dict per element, in the order of `elements`; see `from_rows`."""
        return list(self.rows())

    def rows(self) -> Iterator[dict[str, Any]]:
        """The same one by one: a million dicts at once take as much memory as the network.

        The box (min_lon .. max_lat) is that of `shape`, so that a load without geometry
        of its own is found where its bus is.
        """
        feeder = self.feeder_of()
        for element in self:
            shape = self.shape(element)
            west = south = east = north = None
            if shape:
                west, south = east, north = shape[0]
                if len(shape) > 1:
                    lons, lats = zip(*shape, strict=True)
                    west, south, east, north = min(lons), min(lats), max(lons), max(lats)
            buses: list[str | None] = [*element.buses, None, None, None]
            yield {
                "id": element.id,
                "kind": element.kind,
                "name": element.name,
                "bus_a": buses[0],
                "bus_b": buses[1],
                "bus_c": buses[2],
                "on_element": element.on,
                "at_bus": element.buses[0] if element.on is not None else None,
                "closed": element.closed,
                "in_service": element.in_service,
                "phases": element.phases,
                "feeder": feeder.get(element.id),
                "geometry": encode(element.geometry) if element.geometry is not None else None,
                "min_lon": west,
                "min_lat": south,
                "max_lon": east,
                "max_lat": north,
                "attrs": dict(element.attrs),
            }

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Network:
        """The network that `to_rows` wrote; the order of rows does not matter to tracing."""
        elements: dict[str, Element] = {}
        feeders: dict[str, list[str]] = {}
        for row in rows:
            element = Element(
                kind=row["kind"],
                id=row["id"],
                name=row["name"],
                buses=tuple(bus for bus in (row["bus_a"], row["bus_b"], row["bus_c"]) if bus is not None),
                in_service=bool(row["in_service"]),
                closed=None if row["closed"] is None else bool(row["closed"]),
                on=row["on_element"],
                phases=row["phases"],
                geometry=decode(bytes(row["geometry"])) if row["geometry"] is not None else None,
                attrs=dict(row["attrs"] or {}),
            )
            elements[element.id] = element
            if row["feeder"] is not None:
                feeders.setdefault(row["feeder"], []).append(element.id)
        ordered = {name: natural(feeders[name]) for name in sorted(feeders, key=natural_key)}
        return cls(elements, ordered)
