"""The made-up town of `synthetic_network` as the files that a utility would hand over, of any size.

A network as CSV set and as GeoPackage, and the customers' list: a customer, a site, a load and a service
point each, with place, mobile number, every second an e-mail, every tenth a landline. Written as
streams, so that writing a million needs no memory that would blur what reading needs.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import shapely

from outage_notify.services.customer_row import COLUMNS
from tests.load.synthetic_network import PER_FEEDER, PER_SUBSTATION, PER_TRAFO

AT_ONCE = 50_000
_TIERS = ("SPECIAL", "FIRST", "SECOND", "TEMPORARY", "GENERAL")
Cells = tuple[Any, ...]


class Utility:
    """Sizes, and the rows of each kind with the columns of the GeoJSON profile."""

    def __init__(self, customers: int) -> None:
        self.customers = customers
        self.trafos = customers // PER_TRAFO
        self.feeders = self.trafos // PER_FEEDER
        self.stations = max(1, self.feeders // PER_SUBSTATION)

    def tables(self) -> dict[str, tuple[tuple[str, ...], Callable[[], Iterator[Cells]]]]:
        """Kind to its columns and rows; positions are lon and lat."""
        return {
            "bus": (("id", "name", "vn_kv", "lon", "lat"), self._buses),
            "line": (("id", "name", "from_bus", "to_bus", "length_km"), self._lines),
            "trafo": (("id", "name", "hv_bus", "lv_bus"), self._trafos),
            "switch": (("id", "name", "bus", "other_bus", "element", "closed"), self._switches),
            "load": (("id", "name", "bus", "lon", "lat"), self._loads),
            "ext_grid": (("id", "name", "bus"), self._sources),
        }

    def place(self, trafo: int) -> tuple[float, float]:
        """Feeders lie side by side, their transformers one behind the other."""
        feeder, at = divmod(trafo, PER_FEEDER)
        across = max(1, int(self.feeders**0.5))
        return 113.0 + (feeder % across) * 0.012 + at * 0.0004, 22.0 + feeder // across * 0.004

    def _buses(self) -> Iterator[Cells]:
        for one in range(self.stations):
            lon, lat = self.place(min(one * PER_SUBSTATION * PER_FEEDER, self.trafos - 1))
            yield f"H{one}", f"Station {one} 110 kV", 110.0, lon - 0.002, lat
            yield f"B{one}", f"Station {one} 20 kV", 20.0, lon - 0.001, lat
        for one in range(self.trafos):
            lon, lat = self.place(one)
            yield f"M{one}", f"Ring {one}", 20.0, lon, lat
            yield f"L{one}", f"Board {one}", 0.4, lon, lat + 0.0001

    def _lines(self) -> Iterator[Cells]:
        for one in range(self.trafos):
            yield (
                f"C{one}",
                f"Section {one}",
                self._head(one),
                f"M{one}",
                0.1 if one % PER_FEEDER == 0 else 0.04,
            )

    def _head(self, trafo: int) -> str:
        if trafo % PER_FEEDER:
            return f"M{trafo - 1}"
        return f"B{min(trafo // (PER_FEEDER * PER_SUBSTATION), self.stations - 1)}"

    def _trafos(self) -> Iterator[Cells]:
        for one in range(self.stations):
            yield f"S{one}", f"Main transformer {one}", f"H{one}", f"B{one}"
        for one in range(self.trafos):
            yield f"T{one}", f"Transformer {one}", f"M{one}", f"L{one}"

    def _switches(self) -> Iterator[Cells]:
        for one in range(self.trafos):
            yield f"S{one}", f"Switch {one}", self._head(one), "", f"line:C{one}", "true"
        for one in range(self.feeders):
            end, other = (one + 1) * PER_FEEDER - 1, (one + 2) % self.feeders * PER_FEEDER + PER_FEEDER - 1
            if end != other:
                yield f"T{one}", f"Tie {one}", f"M{end}", f"M{other}", "", "false"

    def _loads(self) -> Iterator[Cells]:
        for one in range(self.customers):
            lon, lat = self.place(min(one // PER_TRAFO, self.trafos - 1))
            yield (
                f"P{one}",
                f"House {one}",
                f"L{min(one // PER_TRAFO, self.trafos - 1)}",
                *_round(lon, lat, one),
            )

    def _sources(self) -> Iterator[Cells]:
        for one in range(self.stations):
            yield f"G{one}", f"Grid {one}", f"H{one}"

    def people(self) -> Iterator[Cells]:
        for one in range(self.customers):
            tier = "LOW_VOLTAGE" if one % 10 else _TIERS[one // 10 % len(_TIERS)]
            mail = f"p{one}@example.com" if one % 2 else ""
            landline = f"+86755{20_000_000 + one}" if one % 10 == 3 else ""
            area = one // 5_000
            yield (
                *(f"K{one}", f"Customer {one}", "household", tier, "0", "0", "zh-CN" if one % 3 else "en"),
                *(
                    f"S{one}",
                    f"A{one}",
                    f"load:P{one}",
                    f"{one % 400 + 1} Street {one // 400}, District {area}",
                ),
                *(f"+86139{one:08d}", landline, mail, "", "", f"Manager {area}", f"+86138{area:08d}"),
            )


def _round(lon: float, lat: float, number: int) -> tuple[float, float]:
    east, north = number % PER_TRAFO % 5 - 2, number % PER_TRAFO // 5 - 2
    return round(lon + east * 0.00004, 7), round(lat + north * 0.00004, 7)


def write_csv_set(it: Utility, folder: Path) -> Path:
    folder.mkdir(parents=True)
    for kind, (columns, rows) in it.tables().items():
        _write(folder / f"{kind}.csv", columns, rows())
    return folder


def write_customers(it: Utility, path: Path) -> Path:
    _write(path, COLUMNS, it.people())
    return path


def _write(path: Path, columns: tuple[str, ...], rows: Iterator[Cells]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(columns)
        out.writerows(rows)


def write_geopackage(it: Utility, path: Path) -> Path:
    """One layer per kind; returns the mapping file beside it."""
    entries = []
    for kind, (columns, rows) in it.tables().items():
        names = [one for one in columns if one not in ("lon", "lat")]
        drawn = "lon" in columns
        mapped = "".join(f", {one}: {one}" for one in names if one != "id")
        entries.append(f"  - {{layer: {kind}, kind: {kind}, id: id{mapped}}}\n")
        batch: list[Cells] = []
        for row in rows():
            batch.append(row)
            if len(batch) == AT_ONCE:
                _append(path, kind, columns, batch, drawn)
                batch = []
        if batch:
            _append(path, kind, columns, batch, drawn)
    mapping = path.with_suffix(".yaml")
    mapping.write_text("layers:\n" + "".join(entries), encoding="utf-8")
    return mapping


def _append(path: Path, layer: str, columns: tuple[str, ...], rows: list[Cells], drawn: bool) -> None:
    data = {name: list(one) for name, one in zip(columns, zip(*rows, strict=True), strict=True)}
    shapes = shapely.to_wkb(shapely.points(data.pop("lon"), data.pop("lat"))) if drawn else None
    fields = {
        name: np.array(cells, float if isinstance(cells[0], float) else object)
        for name, cells in data.items()
    }
    pyogrio.raw.write(
        path,
        layer=layer,
        driver="GPKG",
        geometry=shapes,
        field_data=list(fields.values()),
        fields=list(fields),
        geometry_type="Point" if drawn else None,
        crs="EPSG:4326" if drawn else None,
        append=path.exists() and layer in {name for name, _ in pyogrio.list_layers(path)},
    )
