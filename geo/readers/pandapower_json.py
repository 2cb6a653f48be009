"""pandapower's JSON, read without pandapower.

The file is a net whose tables are data frames written as JSON inside JSON, `split` by
default and `columns`, `index` or `records` in some. Coordinates are GeoJSON strings in a column `geo`
since version 3 and tables `bus_geodata` and `line_geodata` before. Which tables join buses
and which hold supply follows pandapower.topology; results and controllers are not read.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

from geo.model import Element
from geo.readers.draft import Draft
from geo.readers.report import Report, clip
from geo.readers.values import Cells, identifier
from geo.wkb import Geometry

# Table to the columns that name its buses.
_BRANCHES = {
    "line": ("from_bus", "to_bus"),
    "trafo": ("hv_bus", "lv_bus"),
    "trafo3w": ("hv_bus", "mv_bus", "lv_bus"),
    "impedance": ("from_bus", "to_bus"),
    "tcsc": ("from_bus", "to_bus"),
    "dcline": ("from_bus", "to_bus"),
}
_TERMINALS = (
    "load",
    "asymmetric_load",
    "ext_grid",
    "gen",
    "vsc",
    "sgen",
    "storage",
    "motor",
    "shunt",
    "ward",
    "xward",
)
_SWITCH_ENDS = {"l": "line", "t": "trafo", "t3": "trafo3w"}
# What is kept of the other columns; the rest is of use to load flow alone.
_ATTRS = (
    "vn_kv",
    "type",
    "zone",
    "length_km",
    "std_type",
    "max_i_ka",
    "parallel",
    "sn_mva",
    "vn_hv_kv",
    "vn_mv_kv",
    "vn_lv_kv",
    "p_mw",
    "q_mvar",
    "scaling",
)

Row = tuple[object, dict[str, Any]]


def recognises(document: object) -> bool:
    """Whether the document looks like a net."""
    if not isinstance(document, dict):
        return False
    if document.get("_class") == "pandapowerNet":
        return True
    bus = document.get("bus")
    return isinstance(bus, (dict, str)) and "type" not in document


def read(document: object, draft: Draft, report: Report) -> None:
    """Fill `draft`; all that is wrong goes to `report`."""
    net = document.get("_object", document) if isinstance(document, dict) else None
    if isinstance(net, str):
        net = _inner(net, "", report)
    if not isinstance(net, dict):
        report.fault(
            message="This is not a pandapower network: its tables are missing.",
            remedy="Export it with pandapower.to_json(net, FILE), without encryption.",
        )
        return
    draft.declared = _declares_degrees(net)
    old_geo = {
        "bus": _old_geodata(net, "bus", report),
        "line": _old_geodata(net, "line", report),
    }
    if "bus" not in net:
        report.fault(
            "bus",
            message="The table bus is missing.",
            remedy="Export the network again.",
        )
    for cells in _rows(net, "bus", report):
        _add(draft, cells, (), old_geo["bus"])
    for table, columns in _BRANCHES.items():
        for cells in _rows(net, table, report):
            _add(draft, cells, _buses(cells, columns), old_geo.get(table, {}))
    for table in _TERMINALS:
        for cells in _rows(net, table, report):
            _add(draft, cells, _buses(cells, ("bus",)), {})
    for cells in _rows(net, "switch", report):
        _add_switch(draft, cells)


def _add(draft: Draft, cells: Cells, buses: tuple[str, ...], old_geo: dict[str, Geometry]) -> None:
    key = identifier(cells.row)
    if key is None:
        cells.fault(
            "index",
            f"{clip(cells.row)} is not an identifier.",
            "Give the row a number as its index.",
        )
        return
    attrs = _attrs(cells)
    if cells.table == "gen" or cells.table == "vsc":
        attrs["slack"] = _is_slack(cells)
    element = Element(
        kind=cells.table,
        id=f"{cells.table}:{key}",
        name=cells.text("name"),
        buses=buses,
        in_service=cells.flag("in_service", True),
        phases=cells.phases(),
        geometry=_geometry(cells) or old_geo.get(key),
        attrs=attrs,
    )
    draft.add(element, cells.table, cells.row)


def _add_switch(draft: Draft, cells: Cells) -> None:
    key = identifier(cells.row)
    bus, other = cells.key("bus"), cells.key("element")
    kind = cells.values.get("et")
    if key is None:
        cells.fault(
            "index",
            f"{clip(cells.row)} is not an identifier.",
            "Give the row a number as its index.",
        )
    if kind != "b" and not (isinstance(kind, str) and kind in _SWITCH_ENDS):
        cells.fault("et", f"{clip(kind)} is not a place for a switch.", "Write b, l, t or t3.")
        return
    if key is None or bus is None or other is None:
        return
    on = None if kind == "b" else f"{_SWITCH_ENDS[kind]}:{other}"
    element = Element(
        kind="switch",
        id=f"switch:{key}",
        name=cells.text("name"),
        buses=(f"bus:{bus}", f"bus:{other}") if on is None else (f"bus:{bus}",),
        in_service=cells.flag("in_service", True),
        closed=cells.flag("closed", True),
        on=on,
        phases=cells.phases(),
        attrs=_attrs(cells),
    )
    draft.add(element, cells.table, cells.row)


def _is_slack(cells: Cells) -> bool:
    """A converter forms the network when its mode says so; a generator when it is flagged."""
    if cells.table == "vsc":
        return cells.values.get("control_mode_ac") == "slack"
    return cells.values.get("slack") is not None and cells.flag("slack", False)


def _buses(cells: Cells, columns: tuple[str, ...]) -> tuple[str, ...]:
    keys = [cells.key(column) for column in columns]
    return tuple(f"bus:{key}" for key in keys if key is not None)


def _attrs(cells: Cells) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for field in _ATTRS:
        value = cells.values.get(field)
        if isinstance(value, str):
            kept[field] = value[:200]
        elif (number := cells.number(field)) is not None:
            kept[field] = number
    return kept


def _rows(net: dict[str, Any], table: str, report: Report) -> Iterator[Cells]:
    for row, values in _frame(net.get(table), table, report):
        yield Cells(table, row, values, report)


def _frame(frame: object, table: str, report: Report) -> list[Row]:
    """The rows of a data frame, in whatever orientation it was written."""
    if isinstance(frame, dict) and "_object" in frame:
        frame = frame["_object"]
    if isinstance(frame, str):
        frame = _inner(frame, table, report)
        if frame is None:
            return []
    if frame is None:
        return []
    rows = _oriented(frame)
    if rows is None:
        report.fault(
            table,
            message="The table is not a data frame.",
            remedy="Export the network again.",
        )
        return []
    return rows


def _oriented(frame: object) -> list[Row] | None:
    if isinstance(frame, list):
        if all(isinstance(row, dict) for row in frame):
            return [(row.get("index", place), row) for place, row in enumerate(frame)]
        return None
    if not isinstance(frame, dict):
        return None
    if isinstance(frame.get("data"), list) and isinstance(frame.get("columns"), list):
        return _split(frame["columns"], frame.get("index"), frame["data"])
    if not all(isinstance(cells, dict) for cells in frame.values()):
        return None
    # Column by column: {"name": {"0": "Bus 0", ...}, ...}; the union of the keys are the rows.
    keys = dict.fromkeys(key for cells in frame.values() for key in cells)
    return [(key, {field: cells.get(key) for field, cells in frame.items()}) for key in keys]


def _split(columns: list[Any], index: object, data: list[Any]) -> list[Row] | None:
    if index is None:
        index = list(range(len(data)))
    if not isinstance(index, list) or len(index) != len(data):
        return None
    if not all(isinstance(row, list) and len(row) == len(columns) for row in data):
        return None
    names = [str(column) for column in columns]
    return [(key, dict(zip(names, row, strict=True))) for key, row in zip(index, data, strict=True)]


def _inner(text: str, table: str, report: Report) -> Any:
    """JSON inside JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else clip(str(error), 100)
        report.fault(
            table,
            message=f"The table is not valid JSON: {reason}.",
            remedy="Export the network again.",
        )
    return None


def _declares_degrees(net: dict[str, Any]) -> bool:
    declared = str(net.get("crs") or net.get("epsg") or "")
    return declared.upper().endswith(("4326", "CRS84", "4490"))


def _geometry(cells: Cells) -> Geometry | None:
    """The column `geo`: a GeoJSON geometry, as text or as an object."""
    value = cells.values.get("geo")
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, dict) or "coordinates" not in value:
        cells.fault(
            "geo",
            "This is not a GeoJSON geometry.",
            "Write a Point for a bus, a LineString for a line.",
        )
        return None
    coordinates = value["coordinates"]
    if value.get("type") == "Point":
        coordinates = [coordinates]
    found = vertices(coordinates)
    if found is None:
        cells.fault(
            "geo",
            "The coordinates are not pairs of numbers.",
            "Write [longitude, latitude].",
        )
    return found or None


def vertices(value: object) -> Geometry | None:
    """Pairs of numbers; empty where a number is missing (null, NaN); None for what is no such list."""
    if not isinstance(value, (list, tuple)):
        return None
    found = []
    for vertex in value:
        if not isinstance(vertex, (list, tuple)) or len(vertex) < 2:
            return () if vertex is None or vertex == [] else None
        x, y = vertex[0], vertex[1]
        if x is None or y is None:
            return ()
        if isinstance(x, bool) or isinstance(y, bool):
            return None
        if not (isinstance(x, (int, float)) and isinstance(y, (int, float))):
            return None
        try:
            pair = (float(x), float(y))
        except OverflowError:
            return None
        if not (math.isfinite(pair[0]) and math.isfinite(pair[1])):
            return ()
        found.append(pair)
    return tuple(found)


def _old_geodata(net: dict[str, Any], table: str, report: Report) -> dict[str, Geometry]:
    """bus_geodata (x, y) and line_geodata (coords) of versions before 3, by identifier."""
    shape: Callable[[dict[str, Any]], object] = _xy if table == "bus" else _coords
    found: dict[str, Geometry] = {}
    for row, values in _frame(net.get(f"{table}_geodata"), f"{table}_geodata", report):
        key, geometry = identifier(row), vertices(shape(values))
        if key is None or geometry is None:
            report.fault(
                f"{table}_geodata",
                row,
                message="The coordinates are not pairs of numbers.",
                remedy="Write x (longitude) and y (latitude).",
            )
        elif geometry:
            found[key] = geometry
    return found


def _xy(values: dict[str, Any]) -> object:
    return [[values.get("x"), values.get("y")]]


def _coords(values: dict[str, Any]) -> object:
    coords = values.get("coords")
    return [] if coords is None else coords


__all__ = ["read", "recognises", "vertices"]
