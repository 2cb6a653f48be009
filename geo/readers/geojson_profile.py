"""GeoJSON networks in the project's own profile; `geo.geojson` documents and writes it."""

from __future__ import annotations

import json
import sys
from typing import Any

from geo.geojson import BUS_FIELDS, ONE_BUS
from geo.model import KINDS, SWITCH, Element
from geo.readers.draft import Draft
from geo.readers.pandapower_json import vertices
from geo.readers.report import Report, clip
from geo.readers.values import Cells, identifier
from geo.wkb import Geometry

_TABLE = "features"
_DEGREES = ("4326", "CRS84", "4490")


def recognises(document: object) -> bool:
    return isinstance(document, dict) and document.get("type") == "FeatureCollection"


def read(document: object, draft: Draft, report: Report) -> None:
    """Fill `draft`; rows are counted from 1, as a person counts features."""
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not recognises(document) or not isinstance(features, list):
        report.fault(
            message="This is not a GeoJSON FeatureCollection.",
            remedy='Write {"type": "FeatureCollection", "features": [...]}.',
        )
        return
    if "crs" in document and not _in_degrees(document["crs"]):
        report.fault(
            field="crs",
            message="The declared coordinate system is not geographic.",
            remedy="GeoJSON is longitude and latitude (EPSG:4326); convert it first.",
        )
        return
    draft.declared = True
    for row, feature in enumerate(features, start=1):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(feature, dict) or not isinstance(properties, dict):
            report.fault(
                _TABLE,
                row,
                message="Not a feature with properties.",
                remedy="Remove or complete it.",
            )
            continue
        cells = Cells(_TABLE, row, properties, report)
        found = element(cells, _geometry(feature.get("geometry"), cells))
        if found is not None:
            draft.add(found, _TABLE, row, cells.text("feeder"))


def element(cells: Cells, geometry: Geometry | None) -> Element | None:
    """The element of one row of properties; None with faults in the report of `cells`."""
    kind, key = cells.values.get("kind"), identifier(cells.values.get("id"))
    if not isinstance(kind, str) or kind not in KINDS:
        cells.fault(
            "kind",
            f"{clip(kind)} is not a kind.",
            f"Use one of: {', '.join(sorted(KINDS))}.",
        )
        return None
    if key is None:
        cells.fault(
            "id",
            f"{clip(cells.values.get('id'))} is not an identifier.",
            "Give it a number or a name.",
        )
        return None
    key = key.removeprefix(f"{kind}:")
    on: str | None = None
    fields = BUS_FIELDS.get(kind, ONE_BUS)
    if kind == SWITCH:
        on = cells.text("element").strip() or None
        if on is None:
            fields = ("bus", "other_bus")
    keys = [cells.key(field) for field in fields]
    return Element(
        kind=kind,
        id=sys.intern(f"{kind}:{key}"),
        name=cells.text("name"),
        # One text per bus, however many elements end there.
        buses=tuple([sys.intern(f"bus:{one.removeprefix('bus:')}") for one in keys if one is not None]),
        in_service=cells.flag("in_service", True),
        closed=cells.flag("closed", True) if kind == SWITCH else None,
        on=on,
        phases=cells.phases(),
        geometry=geometry,
        attrs=_attrs(cells),
    )


def _attrs(cells: Cells) -> dict[str, Any]:
    """The object `attrs`, and for hand-written files the few values that the product uses, beside it."""
    attrs = cells.values.get("attrs", {})
    if not isinstance(attrs, dict):
        cells.fault("attrs", f"{clip(attrs)} is not an object.", 'Write {"name": value, ...}.')
        return {}
    values = cells.values
    if not attrs and not ("vn_kv" in values or "length_km" in values or "slack" in values):
        return {}
    try:
        if attrs:
            json.dumps(attrs, allow_nan=False)
    except (ValueError, RecursionError):
        cells.fault(
            "attrs",
            "It holds a number that JSON cannot carry.",
            "Remove NaN and Infinity.",
        )
        return {}
    kept = dict(attrs)
    for field in ("vn_kv", "length_km"):
        if field not in kept and field not in cells.values:
            continue
        beside = Cells(cells.table, cells.row, kept if field in kept else cells.values, cells.report)
        number = beside.number(field)
        if number is not None:
            kept[field] = number
        elif beside.values.get(field) is not None:
            cells.fault(
                field, f"{clip(beside.values[field])} is not a number.", "Write kilovolts or kilometres."
            )
    if "slack" not in kept and "slack" in cells.values:
        kept["slack"] = cells.flag("slack", False)
    return kept


def _geometry(value: object, cells: Cells) -> Geometry | None:
    if value is None:
        return None
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(value, dict) or kind not in ("Point", "LineString"):
        cells.fault(
            "geometry",
            f"{clip(kind)} cannot be drawn here.",
            "Use Point, LineString or null.",
        )
        return None
    coordinates = value.get("coordinates")
    found = vertices([coordinates] if kind == "Point" else coordinates)
    if found is None:
        cells.fault(
            "geometry",
            "The coordinates are not pairs of numbers.",
            "Write [longitude, latitude].",
        )
    return found or None


def _in_degrees(crs: object) -> bool:
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else crs
    return isinstance(name, str) and name.upper().endswith(_DEGREES)
