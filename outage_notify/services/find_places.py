"""Where on the map: who lies in a drawn area, and which feeder or transformer is nearest to a place.

For dispatchers alone, since the answers name homes. Promises: indexes are built once per
process and network version; a search changes nothing. Leaves geometry to `geo`.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from geo.gcj02 import shift_geojson
from geo.model import LOAD_KINDS, GeoError
from geo.spatial_index import SpatialIndex
from outage_notify.domain.audience import Tier
from outage_notify.domain.errors import InvalidInput, NotFound
from outage_notify.services.runtime import Runtime
from outage_notify.store import feed_lookup, network_queries, place_queries

_LINES = frozenset({"line"})
_STATIONS = frozenset({"trafo", "trafo3w"})

_lock = threading.Lock()
_indexes: dict[tuple[str, int, frozenset[str]], SpatialIndex] = {}


@dataclass(frozen=True)
class Inside:
    """What lies in an area: loads in natural order, and per tier service points and customers."""

    loads: tuple[str, ...]
    by_tier: dict[str, dict[str, int]]

    def as_dict(self) -> dict[str, Any]:
        return {"loads": list(self.loads), "by_tier": self.by_tier}


@dataclass(frozen=True)
class Near:
    """What is nearest: `transformer` and `line` with metres, and the feeder of the nearer one."""

    transformer: str | None
    transformer_m: float | None
    line: str | None
    line_m: float | None
    feeder: str | None

    def as_dict(self) -> dict[str, Any]:
        return {
            "feeder": self.feeder,
            "transformer": self.transformer,
            "transformer_m": None if self.transformer_m is None else round(self.transformer_m, 1),
            "line": self.line,
            "line_m": None if self.line_m is None else round(self.line_m, 1),
        }


def find_within(rt: Runtime, area: Mapping[str, Any]) -> Inside:
    """Loads and customers inside a GeoJSON Polygon or MultiPolygon; InvalidInput says what is wrong with it."""
    with rt.database.read() as session:
        index = _index(session, rt, LOAD_KINDS)
        try:
            loads = index.within(area)
        except GeoError as error:
            raise InvalidInput(error.message, error.remedy) from error
        inside = frozenset(loads)
        counts = {tier.value: {"service_points": 0, "customers": 0} for tier in Tier}
        customers: dict[str, set[int]] = {tier.value: set() for tier in Tier}
        for feed in feed_lookup.feeds_of_sites_on(session, inside):
            # The lookup brings the other feeds of each site along, which may lie outside.
            if feed.element in inside:
                counts[feed.tier.value]["service_points"] += 1
                customers[feed.tier.value].add(feed.customer)
    for tier, found in customers.items():
        counts[tier]["customers"] = len(found)
    return Inside(loads, counts)


def elements_within(rt: Runtime, area: Mapping[str, Any]) -> tuple[str, ...]:
    """Lines and transformers that touch an area, in natural order; InvalidInput as `find_within`."""
    with rt.database.read() as session:
        lines, stations = _index(session, rt, _LINES), _index(session, rt, _STATIONS)
    try:
        return (*lines.within(area), *stations.within(area))
    except GeoError as error:
        raise InvalidInput(error.message, error.remedy) from error


def find_nearest(rt: Runtime, lon: float, lat: float) -> Near:
    """The transformer, line and feeder nearest to a place on the map."""
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise InvalidInput(
            f"Longitude {lon:g}, latitude {lat:g} is not on the globe.", "Give longitude, then latitude."
        )
    with rt.database.read() as session:
        stations, lines = _index(session, rt, _STATIONS), _index(session, rt, _LINES)
    station, line = stations.nearest(lon, lat), lines.nearest(lon, lat)
    best = [
        index.nearest_feeder(lon, lat)
        for index, found in ((stations, station), (lines, line))
        if found is not None
    ]
    feeders = sorted((one for one in best if one is not None), key=lambda one: one[2])
    transformer, transformer_m = station or (None, None)
    cable, cable_m = line or (None, None)
    return Near(transformer, transformer_m, cable, cable_m, feeders[0][0] if feeders else None)


def shift_map(document: Mapping[str, Any], to: str) -> dict[str, Any]:
    """GeoJSON for a map provider that draws on GCJ-02 (`to` is "gcj02"), or from there back ("wgs84")."""
    try:
        return shift_geojson(document, back=to == "wgs84")
    except GeoError as error:
        raise InvalidInput(error.message, error.remedy) from error


def _index(session: Session, rt: Runtime, kinds: frozenset[str]) -> SpatialIndex:
    version = network_queries.current_version(session)
    if version is None:
        raise NotFound(
            "No network has been imported.", "Import one with `outage-notify import network FILE`."
        )
    place = (str(rt.database.url), version.id, kinds)
    with _lock:
        if place not in _indexes:
            # Earlier versions are not asked any more.
            for old in [one for one in _indexes if one[:2] != place[:2]]:
                del _indexes[old]
            rows = list(place_queries.shapes(session, version.id, kinds))
            feeders = {name: feeder for name, _, feeder in rows if feeder is not None}
            _indexes[place] = SpatialIndex.of_shapes(((name, shape) for name, shape, _ in rows), feeders)
        return _indexes[place]
