"""The map of one outage for dispatchers: area, work zone, switches and the network around it.

Shows where single homes lose supply, so it is for signed-in people only; the public gets
`publish_map`. Asks for what is drawn alone, thinned where thousands lie in the area. Where the network
has no coordinates the collection is empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from outage_notify.services import network_map
from outage_notify.services.network_in_force import load_network
from outage_notify.services.runtime import Runtime
from outage_notify.store import desk_queries, outage_queries

MOST_LINES = 3000
MOST_LOADS = 5000


def outage_geojson(rt: Runtime, reference: str) -> dict[str, Any]:
    """GeoJSON with `role` in each feature's properties: area, net, zone, lost, open or closed, in drawing order."""
    with rt.database.read() as session:
        revision = outage_queries.outage_by_reference(session, reference).newest
        # Drawn in the network of today; elements that are gone since are left out.
        version, _ = load_network(session, rt)
        isolation = revision.isolation
        box = _box(revision.public_area)
        around = desk_queries.lines_within(session, version, box, MOST_LINES) if box else []
        roles = (
            ("net", around),
            ("zone", isolation.get("zone", ())),
            ("lost", revision.lost[:: max(1, -(-len(revision.lost) // MOST_LOADS))]),
            ("open", isolation.get("opened", ())),
            ("closed", isolation.get("closed", ())),
        )
        features = network_map.shapes_of(session, version, roles)
    if revision.public_area:
        area = {"role": "area", "name": revision.area or reference}
        drawn = {"type": "Feature", "geometry": revision.public_area, "properties": area}
        # Above the network, beneath what is switched.
        above = next(
            (at for at, one in enumerate(features) if one["properties"]["role"] != "net"), len(features)
        )
        features.insert(above, drawn)
    return {"type": "FeatureCollection", "features": features}


def _box(area: dict[str, Any] | None) -> tuple[float, float, float, float] | None:
    """West, south, east, north of an area with some room around it; None of no area."""
    points = list(_points(area["coordinates"])) if area else []
    if not points:
        return None
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    south, north = min(y for _, y in points), max(y for _, y in points)
    room_x, room_y = (east - west) * 0.3 + 0.001, (north - south) * 0.3 + 0.001
    return west - room_x, south - room_y, east + room_x, north + room_y


def _points(coordinates: Any) -> Iterator[tuple[float, float]]:
    """Every position in the nested arrays of a GeoJSON geometry."""
    if coordinates and isinstance(coordinates[0], int | float):
        yield float(coordinates[0]), float(coordinates[1])
        return
    for part in coordinates:
        yield from _points(part)
