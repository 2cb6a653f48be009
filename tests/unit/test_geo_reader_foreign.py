"""Files that others wrote: pandapower's own GeoJSON of MV Oberrhein, what GDAL makes of it, and a map of the world.

Nothing of ours is in them but the mapping, which says what pandapower's columns are.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandapower
import pandapower.networks
import pyogrio
import pyogrio.raw
import pytest
from pandapower.plotting.geo import dump_to_geojson

from geo.model import Network
from geo.readers import draft_mapping, read_network
from geo.trace import TraceIndex

KINDS = ("bus", "line", "trafo", "switch")
# The dump has neither sources nor loads, so the mapping takes the buses at which they sit for them.
MAPPING = """
layers:
  - {{layer: {bus}, kind: bus, id: pp_index, name: name, vn_kv: vn_kv, only: {{pp_type: bus}}}}
  - {{layer: {bus}, kind: ext_grid, id: pp_index, bus: pp_index, only: {{pp_type: bus, pp_index: {sources}}}}}
  - {{layer: {bus}, kind: load, id: pp_index, bus: pp_index, only: {{pp_type: bus, pp_index: {loads}}}}}
  - {{layer: {line}, kind: line, id: pp_index, name: name, from_bus: from_bus, to_bus: to_bus,
     length_km: length_km, only: {{pp_type: line}}}}
  - {{layer: {trafo}, kind: trafo, id: pp_index, hv_bus: hv_bus, lv_bus: lv_bus, only: {{pp_type: trafo}}}}
  - {{layer: {switch}, kind: switch, id: pp_index, bus: bus, element: element, element_kind: line,
     closed: closed, only: {{pp_type: switch, et: l}}}}
  - {{layer: {switch}, kind: switch, id: pp_index, bus: bus, other_bus: element, closed: closed,
     only: {{pp_type: switch, et: b}}}}
"""


@pytest.fixture(scope="module")
def net() -> pandapower.pandapowerNet:
    return pandapower.networks.mv_oberrhein()


@pytest.fixture(scope="module")
def dump(net: pandapower.pandapowerNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dump") / "oberrhein.geojson"
    document = dump_to_geojson(net, buses=True, lines=True, switches=True, trafos=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def mapping_for(net: pandapower.pandapowerNet, folder: Path, layers: dict[str, str]) -> Path:
    ends = {"sources": net.ext_grid.bus.tolist(), "loads": sorted(set(net.load.bus.tolist()))}
    path = folder / "mapping.yaml"
    path.write_text(MAPPING.format(**layers, **ends), encoding="utf-8")
    return path


def by_gdal(dump: Path, folder: Path, driver: str, suffix: str) -> Path:
    """The dump as GDAL writes it in another format, a layer or a file per kind."""
    target = folder / f"oberrhein{suffix}"
    if driver == "ESRI Shapefile":
        target.mkdir()
    for kind in KINDS:
        meta, _, shapes, columns = pyogrio.raw.read(dump, where=f"pp_type = '{kind}'")
        # A Shapefile cuts names to ten characters and knows no lists; these are all that is needed.
        keep = [
            at for at, name in enumerate(meta["fields"]) if len(name) < 10 and columns[at].dtype != object
        ]
        keep += [at for at, name in enumerate(meta["fields"]) if name in ("name", "pp_type", "et")]
        pyogrio.raw.write(
            target / f"{kind}.shp" if driver == "ESRI Shapefile" else target,
            shapes,
            [columns[at] for at in keep],
            [meta["fields"][at] for at in keep],
            layer=kind,
            driver=driver,
            geometry_type="LineString" if kind == "line" else "Point",
            crs="EPSG:4326",
            append=driver != "ESRI Shapefile" and target.exists(),
        )
    if driver != "ESRI Shapefile":
        return target
    packed = folder / "oberrhein.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in sorted(target.iterdir()):
            archive.write(one, one.name)
    shutil.rmtree(target)
    return packed


def read(path: Path, mapping: Path) -> Network:
    answer = read_network(path, mapping=mapping)
    assert answer.network is not None, [str(one) for one in answer.faults[:5]]
    return answer.network


def test_pandapowers_geojson_is_the_network_that_pandapowers_json_is(
    net: pandapower.pandapowerNet, dump: Path, tmp_path: Path
) -> None:
    found = read(dump, mapping_for(net, tmp_path, dict.fromkeys(KINDS, dump.stem)))
    whole = tmp_path / "net.json"
    pandapower.to_json(net, str(whole))
    expected = read_network(whole).network
    assert expected is not None
    assert sum(1 for _ in found.of_kind("switch")) == len(net.switch) > 300
    for element in found.of_kind("bus", "line", "trafo", "switch"):
        other = expected.elements[element.id]
        assert (element.buses, element.on, element.closed) == (other.buses, other.on, other.closed)
        if element.kind in ("bus", "line"):
            assert np.allclose(element.geometry, other.geometry, atol=1e-6)
    dark = {f"load:{bus}" for bus in set(net.load.bus) & set(pandapower.topology.unsupplied_buses(net))}
    assert {f"load:{bus}" for bus in net.load.bus} - set(TraceIndex(found).fed_loads) == dark


@pytest.mark.parametrize(
    ("driver", "suffix"), [("GPKG", ".gpkg"), ("OpenFileGDB", ".gdb"), ("ESRI Shapefile", "")]
)
def test_what_gdal_makes_of_it_is_the_same_network(
    driver: str, suffix: str, net: pandapower.pandapowerNet, dump: Path, tmp_path: Path
) -> None:
    source = read(dump, mapping_for(net, tmp_path, dict.fromkeys(KINDS, dump.stem)))
    path = by_gdal(dump, tmp_path, driver, suffix)
    mapping = mapping_for(net, tmp_path, {kind: kind for kind in KINDS})
    if driver == "ESRI Shapefile":
        mapping.write_text(mapping.read_text().replace(" length_km: length_km,", ""), encoding="utf-8")
    found = read(path, mapping)
    assert set(found.elements) == set(source.elements)
    for element in found:
        other = source.elements[element.id]
        assert (element.buses, element.on, element.closed) == (other.buses, other.on, other.closed)


def test_a_map_of_the_world_is_no_network_and_says_so(tmp_path: Path) -> None:
    """Natural Earth's countries, as they come with pyogrio: readable, but nothing in it feeds anything."""
    folder = Path(pyogrio.__file__).parent / "tests" / "fixtures" / "naturalearth_lowres"
    if not folder.is_dir():
        pytest.skip("this pyogrio comes without its test data")
    packed = tmp_path / "countries.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for one in folder.iterdir():
            archive.write(one, one.name)
    text, _ = draft_mapping(packed)
    assert text is not None and "naturalearth_lowres" in text and "Not recognised" in text
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("layers: [{layer: naturalearth_lowres, kind: bus, id: iso_a3, name: name}]")
    answer = read_network(packed, mapping=mapping)
    assert answer.network is None
    said = [str(one) for one in answer.faults]
    # Some territories share the code -99: each repetition is named with its row.
    assert any("layer naturalearth_lowres, row" in one and "bus:-99 is there twice" in one for one in said)
    assert any("no source in service" in one for one in said)
