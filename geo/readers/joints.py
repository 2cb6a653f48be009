"""Buses from geometry: for layers that draw the network and name no ends.

Ends that lie within `snap_m` of each other are one joint, told apart by voltage where the
rows say it, so that a transformer drawn as a point joins the lines of both its sides. A
switch drawn as a point sits at the end of one of the lines that meet there. What cannot be
decided is a fault with its row, never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import shapely

from geo.geojson import BUS_FIELDS, ONE_BUS
from geo.model import BUS, SWITCH, Element, natural_key
from geo.projection import Plane
from geo.readers.draft import KIND_CODES, Draft
from geo.readers.report import Report

Place = tuple[float, float]
# Kilovolts of each side of an element that joins two voltages, in the order of its buses.
SIDES = {"hv_bus": "hv_kv", "mv_bus": "mv_kv", "lv_bus": "lv_kv"}


@dataclass
class Held:
    """An element whose ends are to be found, and where it stands in the file."""

    element: Element
    table: str
    row: str
    feeder: str = ""


@dataclass
class _End:
    """One end to be joined: of held element `at`, its bus column `side`, where, at what voltage.

    A bus that is there has an end with `at` -1, and its place among the buses as `side`.
    """

    at: int
    side: int
    place: Place
    kv: float | None
    joint: int = -1


@dataclass
class _Joint:
    place: Place
    kv: float | None
    bus: str = ""
    lines: list[int] = field(default_factory=list)


def join_by_geometry(draft: Draft, held: list[Held], snap_m: float, report: Report) -> list[Held]:
    """The elements of `held` with their buses, which are those of `draft` or new ones that are added to it."""
    ends: list[_End] = []
    for at, one in enumerate(held):
        ends += _ends_of(at, one, report)
    if report.faults or not ends:
        return held
    buses: list[str] = []
    named: list[_End] = []
    numbers = [at for at, kind in enumerate(draft.kind) if kind == KIND_CODES[BUS]]
    for number, record in draft.records(numbers):
        element = draft.element(number, record)
        buses.append(element.id)
        if element.geometry:
            named.append(_End(-1, len(buses) - 1, element.geometry[0], _number(element, "vn_kv")))
    cluster = _clusters([one.place for one in (*named, *ends)], snap_m)
    joints = _joints(draft, held, buses, named, ends, cluster)
    mine: dict[int, list[_Joint]] = {}
    for end in ends:
        mine.setdefault(end.at, []).append(joints[end.joint])
    found: list[Held] = []
    for at, one in enumerate(held):
        element = one.element
        if element.kind == SWITCH and len(element.geometry or ()) == 1:
            found.append(replace(one, element=_place_switch(held, one, mine[at][0], report)))
            continue
        at_joints = tuple(joint.bus for joint in mine[at])
        if len(set(at_joints)) < len(at_joints):
            report.fault(
                one.table,
                one.row,
                "geometry",
                message=f"{element.label} begins and ends at the same joint.",
                remedy="Map the columns that name its ends or voltages, or lower snap_m.",
            )
        found.append(replace(one, element=replace(element, buses=at_joints)))
    return found


def _ends_of(at: int, held: Held, report: Report) -> list[_End]:
    element, table, row = held.element, held.table, held.row
    shape = element.geometry
    if not shape:
        report.fault(
            table,
            row,
            "geometry",
            message=f"{element.label} has neither named ends nor a geometry.",
            remedy="Map the columns that name its ends, or draw it.",
        )
        return []
    kv = _number(element, "vn_kv")
    if element.kind == SWITCH:
        return [_End(at, side, place, kv) for side, place in enumerate(dict.fromkeys((shape[0], shape[-1])))]
    fields = BUS_FIELDS.get(element.kind, ONE_BUS)
    if fields == ONE_BUS:
        return [_End(at, 0, shape[0], kv)]
    if len(shape) == 1:
        levels = [_number(element, SIDES.get(name, "")) for name in fields]
        if any(level is None for level in levels) or len(set(levels)) < len(levels):
            report.fault(
                table,
                row,
                "geometry",
                message=f"{element.label} is drawn as a point, so its ends cannot be told apart.",
                remedy="Map the columns of its ends, or the voltages of its sides (hv_kv, lv_kv) and of the lines.",
            )
            return []
        return [_End(at, side, shape[0], level) for side, level in enumerate(levels)]
    if len(fields) > 2:
        report.fault(
            table,
            row,
            "geometry",
            message=f"{element.label} has three ends, and a line shows two.",
            remedy="Map the columns that name its ends.",
        )
        return []
    levels = [_number(element, SIDES.get(name, "")) or kv for name in fields]
    return [_End(at, 0, shape[0], levels[0]), _End(at, 1, shape[-1], levels[1])]


def _clusters(places: list[Place], snap_m: float) -> list[int]:
    """A number per place, the same for those that a chain of steps of at most `snap_m` joins."""
    degrees = np.array(places)
    inside = (np.abs(degrees[:, 0]) <= 180) & (np.abs(degrees[:, 1]) <= 90)
    metres = degrees.copy()
    if inside.all():
        plane = Plane(float(np.median(degrees[:, 0])), float(np.median(degrees[:, 1])))
        metres = np.column_stack(plane.metres(degrees[:, 0], degrees[:, 1]))
    unique, first = np.unique(metres, axis=0, return_inverse=True)
    points = shapely.points(unique)
    pairs = shapely.STRtree(points).query(points, predicate="dwithin", distance=snap_m)
    root = list(range(len(unique)))

    def find(one: int) -> int:
        while root[one] != one:
            root[one] = root[root[one]]
            one = root[one]
        return one

    for a, b in zip(*pairs.tolist(), strict=True):
        a, b = find(a), find(b)
        root[max(a, b)] = min(a, b)
    return [find(one) for one in np.ravel(first).tolist()]


def _joints(
    draft: Draft,
    held: list[Held],
    buses: list[str],
    named: list[_End],
    ends: list[_End],
    cluster: list[int],
) -> list[_Joint]:
    """The joints, each end's number written into it. An end without voltage takes any joint at its place."""
    joints: list[_Joint] = []
    at_place: dict[int, list[int]] = {}
    for end, group in zip((*named, *ends), cluster, strict=True):
        here = at_place.setdefault(group, [])
        fits = [one for one in here if end.kv is None or joints[one].kv in (None, end.kv)]
        # The same voltage first: what names none may stand for any.
        fits.sort(key=lambda one: joints[one].kv != end.kv)
        if end.at < 0 or not fits:
            here.append(len(joints))
            joints.append(_Joint(end.place, end.kv, buses[end.side] if end.at < 0 else ""))
            end.joint = len(joints) - 1
        else:
            end.joint = fits[0]
            joints[end.joint].kv = joints[end.joint].kv or end.kv
        if end.at >= 0 and held[end.at].element.is_branch:
            joints[end.joint].lines.append(end.at)
    taken = set(buses)
    number = 0
    for joint in joints:
        if joint.bus:
            continue
        number += 1
        while f"bus:joint-{number}" in taken:
            number += 1
        joint.bus = f"bus:joint-{number}"
        attrs = {} if joint.kv is None else {"vn_kv": joint.kv}
        draft.add(Element(BUS, joint.bus, geometry=(joint.place,), attrs=attrs), "joints", number)
    return joints


def _place_switch(held: list[Held], one: Held, joint: _Joint, report: Report) -> Element:
    """A switch that is a point: at the end of a line that meets another there, or of the last one."""
    element = one.element
    meeting = sorted(joint.lines, key=lambda at: natural_key(held[at].element.id))
    if 1 <= len(meeting) <= 2:
        return replace(element, buses=(joint.bus,), on=held[meeting[0]].element.id)
    met = ", ".join(held[at].element.id for at in meeting[:5]) or "nothing"
    report.fault(
        one.table,
        one.row,
        "geometry",
        message=f"{element.label} is a point where {met} meet, so it is open which of them it switches.",
        remedy="Map the columns bus and element, or draw it as a short line between two joints.",
    )
    return element


def _number(element: Element, name: str) -> float | None:
    value = element.attrs.get(name)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
