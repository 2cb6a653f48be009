"""The sample network as GIS files that GDAL writes, as an electric utility's GIS would export them.

Layers by kind with columns of their own names and no word of ours; one variant names the ends
of each element, the other has nothing but geometry.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import shapely

from geo.model import Element, Network

_NAMES = {
    "line": "Cables",
    "bus": "Nodes",
    "trafo": "Transformers",
    "switch": "Switches",
    "load": "Consumers",
    "ext_grid": "Infeed",
}
MAPPING = """
layers:
  - {layer: Nodes, kind: bus, id: OBJ_ID, name: LABEL, vn_kv: KV}
  - {layer: Cables, kind: line, id: OBJ_ID, name: LABEL, from_bus: NODE_A, to_bus: NODE_B,
     length_km: LEN_M, scale: {length_km: 0.001}, in_service: LIVE}
  - {layer: Transformers, kind: trafo, id: OBJ_ID, name: LABEL, hv_bus: NODE_A, lv_bus: NODE_B, in_service: LIVE}
  - {layer: Switches, kind: switch, id: OBJ_ID, name: LABEL, bus: NODE_A, other_bus: NODE_B, element: ON_ELEM,
     closed: STATE, words: {zu: true, auf: false}, in_service: LIVE}
  - {layer: Consumers, kind: load, id: OBJ_ID, name: LABEL, bus: NODE_A, in_service: LIVE}
  - {layer: Infeed, kind: ext_grid, id: OBJ_ID, name: LABEL, bus: NODE_A, in_service: LIVE}
"""


def write_layers(network: Network, path: Path, driver: str, crs: str = "EPSG:4326", suffix: str = "") -> None:
    """One layer per kind into `path` (GPKG), or one file per kind into the folder `path` (others)."""
    for kind, layer in _NAMES.items():
        elements = list(network.of_kind(kind))
        shapes = np.array([_shape(network, one) for one in elements], dtype=object)
        columns: dict[str, np.ndarray] = {
            "OBJ_ID": _texts(one.id.partition(":")[2] for one in elements),
            "LABEL": _texts(one.name for one in elements),
            "KV": np.array([float(one.attrs.get("vn_kv", 0)) for one in elements]),
            "LEN_M": np.array([float(one.attrs.get("length_km", 0)) * 1000 for one in elements]),
            "NODE_A": _texts(_bus(one, 0) for one in elements),
            "NODE_B": _texts(_bus(one, 1) for one in elements),
            "ON_ELEM": _texts(one.on or "" for one in elements),
            "STATE": _texts("zu" if one.closed else "auf" for one in elements),
            "LIVE": np.array([one.in_service for one in elements], dtype="int32"),
        }
        many = len({shapely.get_type_id(one) for one in shapes if one is not None}) > 1
        pyogrio.raw.write(
            path if driver == "GPKG" else path / f"{layer}{suffix}",
            shapely.to_wkb(shapes),
            list(columns.values()),
            list(columns),
            layer=layer,
            driver=driver,
            geometry_type="Unknown" if many else ("LineString" if kind == "line" else "Point"),
            crs=crs,
            append=driver == "GPKG" and path.exists(),
        )


def _shape(network: Network, element: Element) -> shapely.Geometry | None:
    shape = network.shape(element)
    if shape is None:
        return None
    if element.kind == "line" and len(shape) > 1:
        return shapely.LineString(shape)
    return shapely.Point(shape[0])


def _bus(element: Element, at: int) -> str:
    return element.buses[at].partition(":")[2] if len(element.buses) > at else ""


def _texts(values: Any) -> np.ndarray:
    return np.array(list(values), dtype=object)
