"""The last step of every reader: what a format has read becomes a checked network.

Checks what holds for all formats: identifiers are unique, every end exists, a switch sits
at an end of its element, a source is in service, coordinates are possible. Finds feeders
where the file names none. All of it on the arrays of the draft; rows are looked at again only
to name a fault, and to be handed on.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo import wkb
from geo.feeders import Wiring, feeders_of
from geo.geojson import BUS_FIELDS, ONE_BUS
from geo.model import BRANCH_KINDS, BUS, SWITCH
from geo.readers.coordinates import check_coordinates
from geo.readers.draft import CLOSED, IN_SERVICE, KIND_CODES, KIND_NAMES, ON, SOURCE, Draft
from geo.readers.report import Report

Numbers = NDArray[np.int32]


@dataclass(frozen=True)
class Checked:
    """A network without a fault, as rows that are read from the draft as often as asked. Close the draft after use."""

    draft: Draft
    ends: tuple[Numbers, Numbers, Numbers]
    drawn: bool
    # The names of the feeders, and the place of each element's in them; empty where the file names them.
    names: list[str]
    feeder: Numbers

    def __len__(self) -> int:
        return len(self.draft)

    def count_by_kind(self) -> dict[str, int]:
        found = Counter(self.draft.kind)
        return {kind: found[code] for code, kind in enumerate(KIND_NAMES) if found[code]}

    def count_feeders(self) -> int:
        if not self.draft.has_feeders:
            return len(self.names)
        return len({record[9] for _, record in self.draft.records() if record[9]})

    def rows(self) -> Iterator[dict[str, Any]]:
        """As `geo.model.Network.rows` writes them, in the order of the file."""
        draft, names = self.draft, self.names
        places = _Places(draft)
        ends, feeder = [end.data for end in self.ends], self.feeder.data
        for number, (own, name, buses, on, phases, shape, attrs, _, _, said) in draft.records():
            flags, kind = draft.flags[number], draft.kind[number]
            if not self.drawn:
                shape = None
            box: Box = (None, None, None, None)
            if shape is not None:
                box = wkb.box(shape)
            elif self.drawn and buses:
                box = places.box([end[number] for end in ends[: len(buses)]], kind in _BRANCHES)
            third = len(buses) > 2
            place = -1 if said or not names else feeder[number]
            yield {
                "id": own,
                "kind": KIND_NAMES[kind],
                "name": name,
                "bus_a": buses[0] if buses else None,
                "bus_b": buses[1] if len(buses) > 1 else None,
                "bus_c": buses[2] if third else None,
                "on_element": on,
                "at_bus": buses[0] if on is not None else None,
                "closed": bool(flags & CLOSED) if kind == _SWITCH else None,
                "in_service": bool(flags & IN_SERVICE),
                "phases": phases,
                "feeder": said or (names[place] if place >= 0 else None),
                "geometry": shape,
                "min_lon": box[0],
                "min_lat": box[1],
                "max_lon": box[2],
                "max_lat": box[3],
                "attrs": attrs,
            }


_SWITCH = KIND_CODES[SWITCH]
_BRANCHES = frozenset(KIND_CODES[kind] for kind in BRANCH_KINDS)
_TRANSFORMERS = [KIND_CODES["trafo"], KIND_CODES["trafo3w"]]
Box = tuple[float | None, float | None, float | None, float | None]


class _Places:
    """Where buses are: what has no place of its own lies where it ends."""

    def __init__(self, draft: Draft) -> None:
        number = np.frombuffer(draft.bus[0], np.int32)
        at = np.full(len(draft), -1, np.int32)
        at[number] = np.arange(len(number), dtype=np.int32)
        self.at, self.lon, self.lat = at.data, draft.bus[2], draft.bus[3]

    def box(self, buses: list[int], branch: bool) -> Box:
        """As `geo.model.Network.shape` draws it: a branch between all its ends, all else at its first."""
        lons, lats = [], []
        for bus in buses:
            lon = self.lon[self.at[bus]]
            if not math.isnan(lon):
                lons.append(lon)
                lats.append(self.lat[self.at[bus]])
        if not lons or (branch and len(lons) < len(buses)):
            return None, None, None, None
        if not branch or len(lons) == 1:
            return lons[0], lats[0], lons[0], lats[0]
        return min(lons), min(lats), max(lons), max(lats)


def finish(draft: Draft, report: Report) -> Checked | None:
    """The network; None when `report` holds faults."""
    own = np.frombuffer(draft.id, np.int64) if len(draft) else np.empty(0, np.int64)
    order = np.argsort(own, kind="stable").astype(np.int32)
    ids = own[order]
    _check_twice(draft, ids, order, report)
    kind = np.frombuffer(draft.kind, np.uint8) if len(draft) else np.empty(0, np.uint8)
    ends, on = _resolve(draft, ids, order)
    _check_ends(draft, kind, ends, on, report)
    _check_sources(draft, report)
    drawn = check_coordinates(draft, ends, report)
    if report.faults:
        return None
    names: list[str] = []
    feeder = np.empty(0, np.int32)
    if not draft.has_feeders:
        names, feeder = feeders_of(
            _wiring(draft, kind, ends, on),
            lambda heads: {number: record[:2] for number, record in draft.records(heads)},
        )
    return Checked(draft, ends, drawn, names, feeder)


def _resolve(draft: Draft, ids: Any, order: Numbers) -> tuple[tuple[Numbers, Numbers, Numbers], Numbers]:
    """The ends and the owner of each element as numbers: -1 for none, -2 for one that is not there."""
    count = len(draft)

    def find(hashes: Any) -> Numbers:
        if not count:
            return np.empty(0, np.int32)
        place = np.minimum(np.searchsorted(ids, hashes), count - 1).astype(np.int32)
        return np.where(hashes == 0, -1, np.where(ids[place] == hashes, order[place], -2)).astype(np.int32)

    first = find(np.frombuffer(draft.first_end, np.int64)) if count else np.empty(0, np.int32)
    second, third, on = (np.full(count, -1, np.int32) for _ in range(3))
    flags = np.frombuffer(draft.flags, np.uint8) if count else np.empty(0, np.uint8)
    if draft.second[0]:
        number = np.frombuffer(draft.second[0], np.int32)
        found, owned = (find(np.frombuffer(draft.second[1], np.int64)), (flags[number] & ON).astype(bool))
        on[number[owned]], second[number[~owned]] = found[owned], found[~owned]
    if draft.third[0]:
        third[np.frombuffer(draft.third[0], np.int32)] = find(np.frombuffer(draft.third[1], np.int64))
    return (first, second, third), on


def _check_twice(draft: Draft, ids: Any, order: Numbers, report: Report) -> None:
    again = np.flatnonzero(ids[1:] == ids[:-1]) + 1
    if not len(again):
        return
    alike = np.sort(np.concatenate([order[again], order[again - 1]]))
    seen: set[str] = set()
    for _, (own, _, _, _, _, _, _, table, row, _) in draft.records(np.unique(alike).tolist()):
        if own in seen:
            report.fault(
                table, row, "id", message=f"{own} is there twice.", remedy="Give each row its own identifier."
            )
        seen.add(own)


def _check_ends(
    draft: Draft, kind: Any, ends: tuple[Numbers, Numbers, Numbers], on: Numbers, report: Report
) -> None:
    if not len(draft):
        return
    is_bus = kind == KIND_CODES[BUS]
    is_branch = np.isin(kind, list(_BRANCHES))
    # One longer, so that -1 (no end) and -2 (not there) have entries of their own.
    lookup = np.concatenate([is_bus, [False, True]])
    wrong = np.zeros(len(draft), bool)
    for end in ends:
        wrong |= ~lookup[end]
    lone = np.flatnonzero(on != -1)
    owner = on[lone]
    owned = (owner >= 0) & is_branch[np.maximum(owner, 0)]
    here = ends[0][lone]
    # A branch whose own end is at fault is listed; its switches would only repeat it.
    spoilt = wrong[np.maximum(owner, 0)] | _short_of_ends(draft, kind, ends, np.maximum(owner, 0))
    fits = np.zeros(len(lone), bool)
    for end in ends:
        fits |= end[np.maximum(owner, 0)] == here
    astray = ~owned | (~spoilt & ~fits & (here != -1))
    bad = np.union1d(np.flatnonzero(wrong), lone[astray])
    owners = np.unique(on[lone[astray]])
    named = dict(draft.records(owners[owners >= 0].tolist()))
    stray = dict(zip(lone[astray].tolist(), owned[astray].tolist(), strict=True))
    for number, record in draft.records(bad.tolist()):
        label, buses, (table, row) = draft.label(record), record[2], record[7:9]
        columns = _fields(KIND_NAMES[kind[number]], record[3])
        for at, (field_name, bus) in enumerate(zip(columns, buses, strict=False)):
            if not lookup[ends[at][number]]:
                report.fault(
                    table,
                    row,
                    field_name,
                    message=f"{label} ends at {bus}, which does not exist.",
                    remedy="Add the bus, or correct the reference.",
                )
        if number in stray and not stray[number]:
            report.fault(
                table,
                row,
                "element",
                message=f"{label} belongs to {record[3]}, which does not exist.",
                remedy="Add the element, or remove the switch.",
            )
        elif number in stray:
            its = named[int(on[number])]
            report.fault(
                table,
                row,
                "bus",
                message=f"{label} sits at {buses[0]}, but {its[0]} does not end there.",
                remedy=f"Place it at one of: {', '.join(its[2])}.",
            )


def _short_of_ends(draft: Draft, kind: Any, ends: tuple[Numbers, ...], of: Any) -> Any:
    """Whether a branch names fewer ends than its kind has."""
    has = sum((end[of] != -1).astype(np.int8) for end in ends)
    needs = np.array([len(_fields(one, None)) for one in KIND_NAMES], np.int8)
    return has < needs[kind[of]]


def _fields(kind: str, on: str | None) -> tuple[str, ...]:
    """The names of the columns that hold its buses."""
    if kind == SWITCH:
        return ("bus",) if on is not None else ("bus", "element")
    return BUS_FIELDS.get(kind, ONE_BUS)


def _check_sources(draft: Draft, report: Report) -> None:
    flags = np.frombuffer(draft.flags, np.uint8) if len(draft) else np.empty(0, np.uint8)
    sources = (flags & SOURCE).astype(bool)
    if (sources & (flags & IN_SERVICE).astype(bool)).any():
        return
    found = f"{sources.sum()} out of service" if sources.any() else "none at all"
    report.fault(
        message=f"The network has no source in service ({found}), so nothing has supply.",
        remedy="Add an ext_grid (or a gen that is slack) and put it in service.",
    )


def _wiring(draft: Draft, kind: Any, ends: tuple[Numbers, Numbers, Numbers], on: Numbers) -> Wiring:
    flags = np.frombuffer(draft.flags, np.uint8)
    kv = np.full(len(draft), np.nan)
    kv[np.frombuffer(draft.bus[0], np.int32)] = np.frombuffer(draft.bus[1], np.float64)
    return Wiring(
        bus=kind == KIND_CODES[BUS],
        branch=np.isin(kind, list(_BRANCHES)),
        transformer=np.isin(kind, _TRANSFORMERS),
        switch=kind == _SWITCH,
        source=(flags & SOURCE).astype(bool),
        in_service=(flags & IN_SERVICE).astype(bool),
        closed=(flags & CLOSED).astype(bool),
        ends=ends,
        on=on,
        kv=kv,
    )
