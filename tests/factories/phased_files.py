"""A feeder with three single-phase transformers, as files of every format that a utility may hand over.

Out of `trafo:2`, `load:4` is lost and `load:3` keeps two of its three phases. Each writer returns the path to read and
the mapping file, if the format needs one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import shapely

PLACE = {"1": (8.0, 48.0), "2": (8.001, 48.0), "3": (8.002, 48.0)}
# The columns that a utility would have; a blank phase means all three.
ROWS: dict[str, list[dict[str, Any]]] = {
    "bus": [{"id": one, "vn_kv": 20.0 if one < "3" else 0.4} for one in PLACE],
    "ext_grid": [{"id": "1", "bus": "1"}],
    "line": [{"id": "1", "from_bus": "1", "to_bus": "2", "phases": ""}],
    "switch": [{"id": "1", "bus": "1", "element": "line:1", "closed": "true", "phases": "ABC"}],
    "trafo": [
        {"id": n, "hv_bus": "2", "lv_bus": "3", "phases": p} for n, p in zip("123", "Abc", strict=True)
    ],
    "load": [
        {"id": "3", "bus": "3", "phases": ""},
        {"id": "4", "bus": "3", "phases": "B"},
        {"id": "5", "bus": "3", "phases": "CA"},
    ],
}


def geojson(folder: Path) -> tuple[Path, None]:
    features = []
    for kind, rows in ROWS.items():
        for row in rows:
            properties = {"kind": kind, **{key: value for key, value in row.items() if value != ""}}
            if kind == "switch":
                properties["closed"] = True
            where = {"type": "Point", "coordinates": PLACE[row["id"]]} if kind == "bus" else None
            features.append({"type": "Feature", "geometry": where, "properties": properties})
    path = folder / "net.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path, None


def csv_set(folder: Path) -> tuple[Path, None]:
    for kind, rows in ROWS.items():
        lines = [",".join(rows[0]), *(",".join(str(value) for value in row.values()) for row in rows)]
        (folder / f"{kind}.csv").write_text("\n".join(lines) + "\n")
    return folder, None


def layers(driver: str, suffix: str) -> Callable[[Path], tuple[Path, Path]]:
    def write(folder: Path) -> tuple[Path, Path]:
        place = folder / ("net.gpkg" if suffix == "" else "shapes")
        if suffix:
            place.mkdir()
        for kind, rows in ROWS.items():
            # A Shapefile cuts names to ten characters.
            names = [{"phases": "PHASING"}.get(one, one.upper()) for one in rows[0]]
            pyogrio.raw.write(
                place / f"{kind}{suffix}" if suffix else place,
                shapely.to_wkb(np.array([shapely.Point(PLACE.get(row["id"], (8.0, 48.0))) for row in rows])),
                [np.array([str(row[key]) for row in rows], dtype=object) for key in rows[0]],
                names,
                layer=kind,
                crs="EPSG:4326",
                geometry_type="Point",
                driver=driver,
                append=place.is_file(),
            )
        entries = []
        for kind, rows in ROWS.items():
            keys = "".join(f", {key}: {'PHASING' if key == 'phases' else key.upper()}" for key in rows[0])
            entries.append(f"  - {{layer: {kind}, kind: {kind}{keys}}}\n")
        mapping = folder / "mapping.yaml"
        mapping.write_text("layers:\n" + "".join(entries))
        return place, mapping

    return write
