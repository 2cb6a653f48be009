"""GeoPackage, Shapefile, GeoJSON and file geodatabases of somebody's GIS, by a mapping file.

Layers are read in pieces through pyogrio (GDAL), and only the columns that are mapped. Rows whose ends
are to be found by geometry are held until all layers are read. Each row becomes the properties that
`geo.geojson` documents and is then read like those; faults name layer and row (the feature's own number). What the
mapping names must be there; what the file declares of its coordinates decides whether they
are taken (`geo.readers.crs`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pyogrio.errors
import pyogrio.raw
import shapely

from geo.geojson import BUS_FIELDS, ONE_BUS
from geo.model import BUS, KINDS, SWITCH, Element
from geo.readers import geojson_profile
from geo.readers.crs import Turn, to_degrees
from geo.readers.draft import Draft
from geo.readers.joints import SIDES, Held, join_by_geometry
from geo.readers.mapping import FID, FileMap, LayerMap, plain
from geo.readers.report import Report, clip
from geo.readers.values import Cells, identifier
from geo.wkb import Geometry

CHUNK = 20_000
_WORDS = {
    **dict.fromkeys(("true", "1", "yes", "y", "t", "closed", "on", "in service", "是", "合", "在运"), True),
    **dict.fromkeys(
        ("false", "0", "no", "n", "f", "open", "off", "out of service", "否", "分", "停运"), False
    ),
}
_FLAGS = ("in_service", "closed", "slack")
_NUMBERS = ("vn_kv", "length_km", *SIDES.values())


def read(path: Path, mapping: FileMap, draft: Draft, report: Report) -> None:
    """Fill `draft` with the rows that `mapping` names."""
    report.part = "layer"
    known = layers_of(path, report)
    if known is None:
        return
    undeclared: set[str] = set()
    held: list[Held] = []
    for place, entry in enumerate(mapping.layers):
        report.progress(place / len(mapping.layers))
        if entry.layer not in known:
            report.fault(
                entry.layer,
                message="The file has no such layer.",
                remedy=f"It has: {', '.join(map(clip, known)) or 'none'}.",
            )
            continue
        info = pyogrio.read_info(source(path), layer=entry.layer)
        missing = [one for one in entry.needed if one not in set(info["fields"])]
        for one in missing:
            there = ", ".join(map(clip, info["fields"]))
            report.fault(
                entry.layer, field=clip(one), message="No such column.", remedy=f"There are: {there}."
            )
        turn: Turn | None = None
        if info["geometry_type"] is not None:
            turn = to_degrees(info["crs"], mapping.convert, entry.layer, report)
            if turn is None:
                continue
            if not info["crs"]:
                undeclared.add(entry.layer)
        if not missing:
            share = (
                place / len(mapping.layers),
                1 / len(mapping.layers),
                int(info["features"]),
            )
            _read_layer(path, entry, list(info["fields"]), turn, draft, report, held, share)
    draft.declared = not undeclared
    if held and not report.faults:
        held = join_by_geometry(draft, held, mapping.snap_m, report)
    for each in held:
        # Ends that were never sought are no faults of their own.
        element = replace(each.element, buses=()) if report.faults else each.element
        draft.add(_without_sides(element), each.table, each.row, each.feeder)


def _without_sides(element: Element) -> Element:
    """The voltages of its sides are ours until the ends are found."""
    for name in SIDES.values():
        element.attrs.pop(name, None)  # type: ignore[attr-defined]  # made by us, a row ago
    return element


def layers_of(path: Path, report: Report) -> dict[str, str | None] | None:
    """Layer name to its geometry type; None with a fault where GDAL cannot open the file."""
    try:
        listed = pyogrio.list_layers(source(path))
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as error:
        report.fault(
            message=f"GDAL cannot open it: {clip(' '.join(str(error).split()), 160)}.",
            remedy="Give a GeoPackage, a Shapefile (with .shx and .dbf beside it) or GeoJSON.",
        )
        return None
    return {str(name): None if kind is None else str(kind) for name, kind in listed}


def source(path: Path) -> str:
    """What GDAL opens; a zipped Shapefile is opened in place."""
    absolute = str(path.resolve())
    with path.open("rb") if path.is_file() else _Nothing() as stream:
        return f"/vsizip/{absolute}" if stream.read(4) == b"PK\x03\x04" else absolute


class _Nothing:
    """A folder has no first bytes."""

    def __enter__(self) -> _Nothing:
        return self

    def __exit__(self, *about: object) -> None:
        return None

    def read(self, size: int) -> bytes:
        return b""


def _read_layer(
    path: Path,
    entry: LayerMap,
    fields: list[str],
    turn: Turn | None,
    draft: Draft,
    report: Report,
    held: list[Held],
    share: tuple[float, float, int],
) -> None:
    wanted = [one for one in fields if one in set(entry.needed)]
    for row, values, shape in _rows(path, entry.layer, wanted, turn, report, share):
        if any(plain(values.get(column)) not in allowed for column, allowed in entry.only.items()):
            continue
        cells = Cells(entry.layer, row, _properties(entry, row, values), report)
        kind = cells.values["kind"]
        ends = _ends(kind, cells.values)
        joined = isinstance(kind, str) and kind in KINDS and kind != BUS and not ends
        if joined:
            # Placeholders: `join_by_geometry` finds the ends when all layers are read.
            fill = ("bus", "other_bus") if kind == SWITCH else BUS_FIELDS.get(kind, ONE_BUS)
            cells.values |= dict.fromkeys(fill, "?")
        element = geojson_profile.element(cells, shape)
        if element is None:
            continue
        if joined:
            held.append(Held(element, entry.layer, str(row), cells.text("feeder")))
        else:
            draft.add(_without_sides(element), entry.layer, row, cells.text("feeder"))


def _rows(
    path: Path,
    layer: str,
    wanted: list[str],
    turn: Turn | None,
    report: Report,
    share: tuple[float, float, int],
) -> Iterator[tuple[int, dict[str, Any], Geometry | None]]:
    """(feature number, cells, shape in degrees) of each row; `share` is (done before, part of all, features)."""
    start = 0
    while True:
        try:
            meta, fids, geometry, columns = pyogrio.raw.read(
                source(path),
                layer=layer,
                columns=wanted,
                read_geometry=turn is not None,
                skip_features=start,
                max_features=CHUNK,
                return_fids=True,
                datetime_as_string=True,
            )
        except (
            pyogrio.errors.DataSourceError,
            pyogrio.errors.DataLayerError,
            ValueError,
            RuntimeError,
        ) as error:
            report.fault(
                layer, message=f"It cannot be read: {clip(str(error), 160)}.", remedy="Export the file again."
            )
            return
        shapes = [None] * len(fids) if turn is None else _shapes(geometry, fids, turn, layer, report)
        names = [str(one) for one in meta["fields"]]
        for row, shape, *cells in zip(
            fids.tolist(), shapes, *(column.tolist() for column in columns), strict=True
        ):
            yield row, dict(zip(names, cells, strict=True)), shape
        start += len(fids)
        report.progress(share[0] + share[1] * min(start / max(share[2], 1), 1.0))
        if len(fids) < CHUNK:
            return


def _shapes(geometry: Any, fids: Any, turn: Turn, layer: str, report: Report) -> list[Geometry | None]:
    """Points and lines; a polygon by a point inside it, a line in several connected parts as one."""
    drawn = shapely.force_2d(shapely.from_wkb(geometry, on_invalid="ignore"))
    many = np.isin(shapely.get_type_id(drawn), (3, 4, 5, 6, 7))
    for place in np.flatnonzero(many):
        drawn[place] = _simple(drawn[place])
    degrees = shapely.transform(drawn, turn)
    found: list[Geometry | None] = []
    for row, one in zip(fids.tolist(), degrees, strict=True):
        if one is None or one.is_empty:
            found.append(None)
            continue
        if one.geom_type not in ("Point", "LineString"):
            report.fault(
                layer,
                row,
                "geometry",
                message=f"A {one.geom_type} with parts that do not meet cannot be drawn here.",
                remedy="Split it into one row per line.",
            )
            found.append(None)
            continue
        numbers = shapely.get_coordinates(one)
        finite = bool(np.isfinite(numbers).all())
        if not finite:
            report.fault(
                layer,
                row,
                "geometry",
                message="It lies outside its coordinate system.",
                remedy="Draw it again.",
            )
        found.append(tuple(map(tuple, numbers.tolist())) if finite else None)
    return found


def _simple(shape: shapely.Geometry) -> shapely.Geometry:
    if shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape.representative_point()
    parts = shapely.get_parts(shape)
    if len(parts) == 1:
        return _simple(parts[0]) if parts[0].geom_type == "Polygon" else parts[0]
    return shapely.line_merge(shape) if shape.geom_type == "MultiLineString" else shape


def _properties(entry: LayerMap, row: int, values: Mapping[str, Any]) -> dict[str, Any]:
    """The row in the words of `geo.geojson`."""
    found: dict[str, Any] = {}
    for key, column in entry.columns.items():
        value: Any = row if column == FID and key == "id" else values.get(column)
        if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
            continue
        if key in _FLAGS:
            value = {**_WORDS, **entry.words}.get(plain(value), value)
        elif key in _NUMBERS:
            value = _scaled(value, entry.scale.get(key, 1.0))
        found[key] = value
    kind: object = entry.kind or found.get("kind_from")
    found.pop("kind_from", None)
    found["kind"] = kind.strip() if isinstance(kind, str) else kind
    if entry.prefix and (own := identifier(found.get("id"))) is not None:
        found["id"] = entry.prefix + own
    if entry.element_kind and (owner := identifier(found.get("element"))) is not None:
        found["element"] = owner if ":" in owner else f"{entry.element_kind}:{owner}"
    kept = {name: values.get(column) for name, column in entry.attrs.items()}
    attrs = {name: _scaled(raw, entry.scale.get(name, 1.0)) for name, raw in kept.items()}
    attrs |= {name: found[name] for name in SIDES.values() if name in found}
    if kind not in (BUS, "line") and isinstance(found.get("vn_kv"), (int, float)):
        attrs["vn_kv"] = found["vn_kv"]
    found["attrs"] = {
        name: one
        for name, one in attrs.items()
        if isinstance(one, (str, int, float)) and not (isinstance(one, float) and not math.isfinite(one))
    }
    return found


def _scaled(value: Any, factor: float) -> Any:
    """Numbers, also those that a table keeps as text."""
    if isinstance(value, str):
        try:
            value = float(value.strip().replace(",", "."))
        except ValueError:
            return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return value if factor == 1.0 else value * factor


def _ends(kind: object, values: Mapping[str, Any]) -> bool:
    """Whether the row names at least one of its ends."""
    names = ("bus", "other_bus", "element") if kind == SWITCH else BUS_FIELDS.get(str(kind), ONE_BUS)
    return any(name in values for name in names)
