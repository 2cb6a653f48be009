"""Service places: taken over from a CSV file, shown to everybody, marked when they are dark themselves.

An import replaces all of them or, where there is a fault, nothing. A place whose load is named is marked
by the trace of each outage; one without by the public areas, which can only say perhaps.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import Any

from geo.within import any_within
from outage_notify.domain.errors import Fault, ImportRefused
from outage_notify.services.runtime import Runtime
from outage_notify.store import service_place_queries
from outage_notify.store.service_place_tables import ServicePlace
from outage_notify.store.work_queries import record

COLUMNS = [
    "id",
    "kind",
    "name_zh",
    "name_en",
    "address",
    "latitude",
    "longitude",
    "element",
    "hours",
    "phone",
]
KINDS = ("hall", "charging", "water", "warm_room")
SOON = timedelta(days=7)
MOST = 5_000


class Supply(StrEnum):
    """Whether a place has supply itself."""

    ON = "on"
    SOON = "soon"  # an approved outage of the next seven days will take it
    OFF = "off"
    PERHAPS = "perhaps"  # an outage goes on around it, and nobody knows what feeds it


@dataclass(frozen=True)
class Shown:
    place: ServicePlace
    supply: Supply

    def name(self, language: str) -> str:
        first, second = self.place.name_en, self.place.name_zh
        return (second or first) if language == "zh-CN" else (first or second)


def import_places(rt: Runtime, path: Path, dry_run: bool = False, by: str = "system") -> int:
    """Replace all service places by those of a file; how many there are. ImportRefused lists every fault."""
    name = path.name
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ImportRefused(
            [Fault(name, None, "", "The file can't be read.", "Save it as UTF-8.")]
        ) from error
    reader = csv.DictReader(StringIO(text))
    missing = [one for one in ("id", "kind", "latitude", "longitude") if one not in (reader.fieldnames or ())]
    if missing:
        raise ImportRefused(
            [Fault(name, 1, missing[0], "The column is missing.", "Add it to the first line.")]
        )
    with rt.database.write() as session:
        known, seen = service_place_queries.loads(session), set[str]()
        rows, faults = [], []
        for fields in reader:
            values = {one: (fields.get(one) or "").strip() for one in COLUMNS}
            faults += _faults(name, reader.line_num, values, known, seen)
            seen.add(values["id"])
            if not faults:
                rows.append(_row(values))
        if len(seen) > MOST:
            faults.append(Fault(name, None, "", f"There are more than {MOST} rows.", "Leave some out."))
        if faults:
            raise ImportRefused(faults[:200], max(0, len(faults) - 200))
        if not dry_run:
            service_place_queries.replace(session, rows)
            record(session, rt.now(session), by, "service_places_imported", places=len(rows))
    return len(rows)


def _faults(
    name: str, line: int, values: Mapping[str, str], known: frozenset[str], seen: set[str]
) -> list[Fault]:
    found = []

    def fault(field: str, message: str, remedy: str) -> None:
        found.append(Fault(name, line, field, message, remedy))

    if not values["id"] or values["id"] in seen:
        fault("id", "The id is empty or stands twice.", "Give each place an id of its own.")
    if values["kind"] not in KINDS:
        fault("kind", "This kind is not known.", f"Write one of {', '.join(KINDS)}.")
    if not (values["name_zh"] or values["name_en"]):
        fault("name_en", "The name is missing.", "Fill name_zh, name_en or both.")
    if values["element"] and values["element"] not in known:
        fault("element", "The network has no such load.", "Write one such as load:7, or leave it empty.")
    for field, most in (("latitude", 90), ("longitude", 180)):
        try:
            right = -most <= float(values[field]) <= most
        except ValueError:
            right = False
        if not right:
            fault(field, "This is no coordinate.", f"Write degrees between -{most} and {most}.")
    for field in COLUMNS:
        if len(values[field]) > (60 if field in {"id", "phone"} else 200):
            fault(field, "This is too long.", "Shorten it.")
    return found


def _row(values: Mapping[str, str]) -> ServicePlace:
    texts = {one: values[one] for one in COLUMNS if one not in {"id", "latitude", "longitude"}}
    return ServicePlace(
        place_id=values["id"],
        latitude=float(values["latitude"]),
        longitude=float(values["longitude"]),
        **texts,
    )


def shown(rt: Runtime) -> list[Shown]:
    """All places with their supply as it stands."""
    with rt.database.read() as session:
        found = service_place_queries.places(session)
        if not found:
            return []
        outages = service_place_queries.dark(session, rt.now(session) + SOON)
        now = frozenset(one for active, lost, _ in outages if active for one in lost)
        later = frozenset(one for active, lost, _ in outages if not active for one in lost)
        areas = [area for active, _, area in outages if active]
        return [Shown(one, _supply(one, now, later, areas)) for one in found]


def _supply(one: ServicePlace, now: frozenset[str], later: frozenset[str], areas: list[Any]) -> Supply:
    if one.element:
        return Supply.OFF if one.element in now else Supply.SOON if one.element in later else Supply.ON
    here = [(one.longitude, one.latitude)]
    return Supply.PERHAPS if any(any_within(area, here) for area in areas) else Supply.ON


def as_geojson(found: list[Shown]) -> dict[str, Any]:
    """The open data; the element is not in it."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": one.place.place_id,
                "geometry": {"type": "Point", "coordinates": [one.place.longitude, one.place.latitude]},
                "properties": {
                    "kind": one.place.kind,
                    "name": {"zh-CN": one.name("zh-CN"), "en": one.name("en")},
                    "address": one.place.address,
                    "hours": one.place.hours,
                    "phone": one.place.phone,
                    "supply": one.supply.value,
                },
            }
            for one in found
        ],
    }
