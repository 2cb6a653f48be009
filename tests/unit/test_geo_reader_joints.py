"""Networks that are only drawn: ends found by place and voltage, undecidable ones refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyogrio.raw
import shapely

from geo.readers import read_network
from geo.resolve import resolve

LAYERS = """
layers:
  - {layer: cables, kind: line, id: ID, vn_kv: KV}
  - {layer: stations, kind: trafo, id: ID, hv_kv: HV, lv_kv: LV}
  - {layer: switches, kind: switch, id: ID, closed: STATE}
  - {layer: houses, kind: load, id: ID, vn_kv: KV}
  - {layer: infeed, kind: ext_grid, id: ID, vn_kv: KV}
"""


def at(metres: float, north: float = 0.0) -> tuple[float, float]:
    """A place east of 8 E 48 N; a degree of longitude there is about 74.6 km."""
    return 8 + metres / 74_630, 48 + north / 111_200


def line(*places: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString(places)


def write(path: Path, layer: str, rows: list[tuple[shapely.Geometry, dict[str, str]]]) -> None:
    shapes = np.array([shape for shape, _ in rows], dtype=object)
    names = list(rows[0][1])
    columns = [np.array([row[name] for _, row in rows], dtype=object) for name in names]
    pyogrio.raw.write(
        path, shapely.to_wkb(shapes), columns, names, layer=layer, crs="EPSG:4326", driver="GPKG",
        geometry_type=shapes[0].geom_type, append=path.exists(),
    )  # fmt: skip


def village(folder: Path, gap: float = 0.2, switches: int = 2) -> Path:
    """20 kV from the infeed over two cables to a station, 0.4 kV from there over a street to two houses.

    The cable's end misses the next one by `gap` metres, as drawings do.
    """
    path = folder / "village.gpkg"
    point = shapely.Point
    cables = [
        (line(at(0), at(100)), {"ID": "1", "KV": "20"}),
        (line(at(100 + gap), at(200)), {"ID": "2", "KV": "20"}),
        (line(at(200), at(250)), {"ID": "3", "KV": "0.4"}),
        (line(at(250), at(300)), {"ID": "4", "KV": "0.4"}),
    ]
    write(path, "cables", cables)
    write(path, "stations", [(point(at(200)), {"ID": "1", "HV": "20", "LV": "0.4"})])
    write(
        path,
        "houses",
        [(point(at(250)), {"ID": "1", "KV": "0.4"}), (point(at(300)), {"ID": "2", "KV": "0.4"})],
    )
    write(path, "infeed", [(point(at(0)), {"ID": "1", "KV": "20"})])
    write(path, "switches", [(point(at(m)), {"ID": str(m), "STATE": "closed"}) for m in (0, 250)[:switches]])
    return path


def mapping(folder: Path, text: str = LAYERS) -> Path:
    path = folder / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_drawing_is_joined_and_traced(tmp_path: Path) -> None:
    answer = read_network(village(tmp_path), mapping=mapping(tmp_path))
    assert answer.network is not None, [str(one) for one in answer.faults]
    network = answer.network
    # 0, 100, 200 at 20 kV; 200, 250, 300 at 0.4 kV.
    assert sum(1 for _ in network.of_kind("bus")) == 6
    hv, lv = network.elements["trafo:1"].buses
    assert (network.elements[hv].attrs["vn_kv"], network.elements[lv].attrs["vn_kv"]) == (20.0, 0.4)
    assert network.elements["switch:250"].on == "line:3"
    assert resolve(network, out=["line:4"]).lost == ("load:2",)
    assert resolve(network, out=["switch:250"]).lost == ("load:1", "load:2")
    assert resolve(network, out=["line:2"]).lost == ("load:1", "load:2")


def test_a_gap_wider_than_the_snap_stays_a_gap(tmp_path: Path) -> None:
    path = village(tmp_path, gap=2.0)
    answer = read_network(path, mapping=mapping(tmp_path))
    assert answer.network is not None
    assert sum(1 for _ in answer.network.of_kind("bus")) == 7
    wider = read_network(path, mapping=mapping(tmp_path, "snap_m: 3\n" + LAYERS))
    assert wider.network is not None and sum(1 for _ in wider.network.of_kind("bus")) == 6


def test_what_cannot_be_decided_is_a_fault_with_its_row(tmp_path: Path) -> None:
    path = village(tmp_path)
    blind = mapping(tmp_path, LAYERS.replace(", hv_kv: HV, lv_kv: LV", ""))
    (fault,) = read_network(path, mapping=blind).faults
    assert str(fault).startswith(
        "village.gpkg, layer stations, row 1, field geometry: trafo:1 is drawn as a point"
    )
    write(path, "cables", [(line(at(250), at(250, 50)), {"ID": "5", "KV": "0.4"})])
    (fault,) = read_network(path, mapping=mapping(tmp_path)).faults
    assert "switch:250 is a point where line:3, line:4, line:5 meet" in str(fault)


def test_what_begins_where_it_ends_is_a_fault(tmp_path: Path) -> None:
    path = village(tmp_path)
    write(path, "cables", [(line(at(300), at(300.1)), {"ID": "9", "KV": "0.4"})])
    assert any(
        "line:9 begins and ends" in str(one) for one in read_network(path, mapping=mapping(tmp_path)).faults
    )
