"""A network as a set of CSV files, one per kind, in a folder or a zip: bus.csv, line.csv, load.csv ...

The columns are the properties that `geo.geojson` documents, but `kind`, which the file's
name says; the position is `lon` and `lat`, or `wkt` (a POINT or LINESTRING in degrees).
RFC 4180 with a header; UTF-8 with or without BOM, or GB18030. Rows are read one by one;
faults name file and line.
"""

from __future__ import annotations

import codecs
import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import shapely

from geo.geojson import BUS_FIELDS, ONE_BUS
from geo.model import KINDS, SWITCH
from geo.readers import geojson_profile
from geo.readers.draft import Draft
from geo.readers.file import ZIP_DAMAGE
from geo.readers.report import Report, clip
from geo.readers.values import Cells
from geo.wkb import Geometry

_PLACE = ("lon", "lat", "wkt")
_PLAIN = ("id", "name", "in_service", "phases", "feeder", "vn_kv", "length_km", "slack")
_FLAGS = {
    **dict.fromkeys(("true", "1", "yes", "是"), True),
    **dict.fromkeys(("false", "0", "no", "否"), False),
}
# A cell is a name, a number or a line's vertices; the largest that is read.
_LONGEST_CELL = 4 << 20


def holds_tables(path: Path) -> bool:
    """Whether the folder or zip holds at least a bus.csv and files of other kinds."""
    return "bus" in _tables(path)


def read(path: Path, draft: Draft, report: Report) -> None:
    """Fill `draft`. The degrees are declared, so impossible ones are faults."""
    report.part = "file"
    draft.declared = True
    tables = _tables(path)
    if "bus" not in tables:
        report.fault(message="There is no bus.csv in it, or it is damaged.", remedy="Export the set again.")
        return
    csv.field_size_limit(_LONGEST_CELL)
    for kind in sorted(set(tables) - KINDS):
        report.warn(
            tables[kind],
            message="It is not the name of a kind and was not read.",
            remedy=f"Kinds: {', '.join(sorted(KINDS))}.",
        )
    for kind in sorted(set(tables) & KINDS, key=lambda one: (one != "bus", one)):
        try:
            with _open(path, tables[kind]) as stream:
                _read_table(kind, tables[kind], stream, draft, report)
        except UnicodeDecodeError as error:
            report.fault(
                tables[kind],
                message=f"It is neither UTF-8 nor GB18030 (byte {error.start + 1} of a block).",
                remedy="Save it as CSV UTF-8.",
            )
        except (csv.Error, *ZIP_DAMAGE) as error:
            report.fault(
                tables[kind],
                message=f"It cannot be read: {clip(str(error), 100)}.",
                remedy="Export it again.",
            )


def _tables(path: Path) -> dict[str, str]:
    """Kind to file name inside the folder or zip."""
    if path.is_dir():
        names = [one.name for one in path.iterdir() if one.is_file()]
    else:
        try:
            with zipfile.ZipFile(path) as packed:
                names = packed.namelist()
        except ZIP_DAMAGE:
            return {}
    return {Path(one).stem.casefold(): one for one in sorted(names) if one.casefold().endswith(".csv")}


def _open(path: Path, name: str) -> IO[bytes]:
    if path.is_dir():
        return (path / name).open("rb")
    # Reading goes on after the archive's own handle is closed; zipfile keeps the file open for it.
    with zipfile.ZipFile(path) as packed:
        return packed.open(name)


def _read_table(kind: str, name: str, stream: IO[bytes], draft: Draft, report: Report) -> None:
    buffered = io.BufferedReader(stream)  # type: ignore[type-var]  # zip members are raw enough
    text = io.TextIOWrapper(buffered, encoding=_encoding(buffered.peek(1 << 16)[: 1 << 16]), newline="")
    rows = csv.reader(text, strict=True)
    columns = [one.strip() for one in next(rows, [])]
    ends = ("bus", "other_bus", "element") if kind == SWITCH else BUS_FIELDS.get(kind, ONE_BUS)
    needed = ("id", *(ends if kind != SWITCH else ("bus", "closed")))
    for column in (one for one in needed if one not in columns):
        report.fault(
            name, 1, column, message="The column is missing.", remedy=f"Needed: {', '.join(needed)}."
        )
    twice = sorted({one for one in columns if one and columns.count(one) > 1})
    for column in twice:
        report.fault(name, 1, column, message="The column stands twice.", remedy="Leave one of them out.")
    if twice or any(one not in columns for one in needed):
        return
    # How each column is read: as text, by a way of its own, as a further value, or as part of the position.
    texts, others, further, places = _ways(columns, ends)
    width = len(columns)
    for row in rows:
        line = rows.line_num
        if len(row) != width:
            if row:
                message = f"It has not {width} cells like the header, but {len(row)}."
                report.fault(name, line, message=message, remedy="Mend the row.")
            continue
        values: dict[str, object] = {"kind": kind}
        for at, key in texts:
            if cell := row[at].strip():
                values[key] = cell
        for at, key, way in others:
            if cell := row[at].strip():
                values[key] = way(cell)
        values["attrs"] = {key: _number(cell) for at, key in further if (cell := row[at].strip())}
        cells = Cells(name, line, values, report)
        place = {key: cell for at, key in places if (cell := row[at].strip())}
        element = geojson_profile.element(cells, _place(place, cells) if place else None)
        if element is not None:
            draft.add(element, name, line, cells.text("feeder"))


def _ways(
    columns: list[str], ends: tuple[str, ...]
) -> tuple[
    list[tuple[int, str]],
    list[tuple[int, str, Callable[[str], object]]],
    list[tuple[int, str]],
    list[tuple[int, str]],
]:
    """(place, name) of the columns that are text, with how they are read of those that are not, of those that
    are kept as further values, and of those that say the position."""
    texts: list[tuple[int, str]] = []
    others: list[tuple[int, str, Callable[[str], object]]] = []
    further: list[tuple[int, str]] = []
    places: list[tuple[int, str]] = []
    for at, column in enumerate(columns):
        if column in ("in_service", "closed", "slack"):
            others.append((at, column, _flag))
        elif column in ("vn_kv", "length_km"):
            others.append((at, column, _number))
        elif column in _PLACE:
            places.append((at, column))
        elif column in _PLAIN or column in ends:
            texts.append((at, column))
        else:
            further.append((at, column[:40]))
    return texts, others, further, places


def _flag(cell: str) -> bool | str:
    return _FLAGS.get(cell.casefold(), cell)


def _encoding(head: bytes) -> str:
    """By the first block, which may end inside a character."""
    try:
        codecs.getincrementaldecoder("utf-8-sig")().decode(head, final=False)
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8-sig"


def _number(cell: str) -> float | str:
    try:
        value = float(cell)
    except ValueError:
        return cell[:200]
    return value if abs(value) < 1e300 else cell[:200]


def _place(row: dict[str, str], cells: Cells) -> Geometry | None:
    if "wkt" in row:
        try:
            shape = shapely.force_2d(shapely.from_wkt(row["wkt"]))
        except shapely.errors.ShapelyError:
            shape = None
        if shape is None or shape.geom_type not in ("Point", "LineString") or shape.is_empty:
            cells.fault(
                "wkt", f"{clip(row['wkt'])} is no POINT or LINESTRING.", "Such as POINT (116.39 39.91)."
            )
            return None
        return tuple((float(x), float(y)) for x, y in shape.coords)
    if ("lon" in row) != ("lat" in row):
        cells.fault(
            "lat" if "lon" in row else "lon", "Only one of lon and lat is given.", "Give both or neither."
        )
    if "lon" not in row or "lat" not in row:
        return None
    lon, lat = _number(row["lon"]), _number(row["lat"])
    if isinstance(lon, str) or isinstance(lat, str):
        cells.fault(
            "lon", f"{clip(row['lon'])}, {clip(row['lat'])} is no position.", "Write degrees, such as 7.85."
        )
        return None
    return ((lon, lat),)
