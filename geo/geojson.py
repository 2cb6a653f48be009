"""GeoJSON (RFC 7946) out: the network in the project's own profile, and any elements for a map.

The profile is a FeatureCollection with one feature per element. Properties: `kind`, `id`
(without the kind), `name`, `in_service`, and by kind

- line, impedance, tcsc, dcline: `from_bus`, `to_bus`;
- trafo: `hv_bus`, `lv_bus`; trafo3w: also `mv_bus`;
- load, ext_grid, gen and other terminals: `bus`;
- switch: `bus`, `closed`, and `other_bus` (between two buses) or `element` (kind:id of the
  branch at whose end it sits);

optionally `phases`, `feeder`, and `attrs` (an object of values that JSON can carry); `vn_kv`
of a bus, `length_km` of a line and `slack` of a gen may also stand beside it. The bus columns
hold a bus's id, with or without ``bus:``. The geometry is a Point, a LineString or null. `geo.readers` reads it back
to an equal network.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from geo.model import SWITCH, Element, Network
from geo.wkb import Geometry

# Property names of the buses by kind; all kinds not listed here end at one bus.
BUS_FIELDS: dict[str, tuple[str, ...]] = {
    "bus": (),
    "line": ("from_bus", "to_bus"),
    "impedance": ("from_bus", "to_bus"),
    "tcsc": ("from_bus", "to_bus"),
    "dcline": ("from_bus", "to_bus"),
    "trafo": ("hv_bus", "lv_bus"),
    "trafo3w": ("hv_bus", "mv_bus", "lv_bus"),
}
ONE_BUS = ("bus",)


def write_network(network: Network) -> dict[str, Any]:
    """The whole network in the profile, exact to the last digit."""
    feeder = network.feeder_of()
    features = [
        {
            "type": "Feature",
            "geometry": geometry(element.geometry),
            "properties": _properties(element, feeder.get(element.id)),
        }
        for element in network
    ]
    return {"type": "FeatureCollection", "features": features}


def affected_geometry(network: Network, elements: Iterable[str]) -> dict[str, Any]:
    """The elements as a FeatureCollection for the dispatcher's map.

    Points and lines with `id`, `kind` and `name`; what has no place is left out. Loads are
    drawn where their bus is, so this shows homes: never give it to the public.
    """
    features = []
    for name in dict.fromkeys(elements):
        element = network.elements.get(name)
        shape = network.shape(element) if element is not None else None
        if element is None or shape is None:
            continue
        features.append(
            {
                "type": "Feature",
                "id": element.id,
                "geometry": geometry(shape, digits=6),
                "properties": {
                    "id": element.id,
                    "kind": element.kind,
                    "name": element.name,
                },
            }
        )
    return {"type": "FeatureCollection", "features": features}


def geometry(shape: Geometry | None, digits: int | None = None) -> dict[str, Any] | None:
    """A Point or LineString; rounded to `digits` decimals where given."""
    if shape is None:
        return None
    pairs = [[lon, lat] if digits is None else [round(lon, digits), round(lat, digits)] for lon, lat in shape]
    if len(pairs) == 1:
        return {"type": "Point", "coordinates": pairs[0]}
    return {"type": "LineString", "coordinates": pairs}


def _properties(element: Element, feeder: str | None) -> dict[str, Any]:
    buses = [bus.removeprefix("bus:") for bus in element.buses]
    properties: dict[str, Any] = {
        "kind": element.kind,
        "id": element.id.partition(":")[2],
        "name": element.name,
        "in_service": element.in_service,
    }
    if element.kind == SWITCH:
        properties |= {"bus": buses[0], "closed": element.closed}
        properties |= {"element": element.on} if element.on is not None else {"other_bus": buses[1]}
    else:
        properties |= dict(zip(BUS_FIELDS.get(element.kind, ONE_BUS), buses, strict=True))
    if element.phases != "ABC":
        properties["phases"] = element.phases
    if feeder is not None:
        properties["feeder"] = feeder
    if element.attrs:
        properties["attrs"] = dict(element.attrs)
    return properties
