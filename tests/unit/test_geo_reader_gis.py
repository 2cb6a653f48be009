"""GIS files written by GDAL, read by a mapping: what arrives, and what is refused with which words."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pyogrio.raw
import pytest
import shapely

from geo.model import Network
from geo.readers import draft_mapping, read_network
from geo.readers.report import NetworkRead
from geo.trace import TraceIndex
from outage_notify.sample.network import FILE
from tests.factories.gis_files import MAPPING, write_layers


@pytest.fixture(scope="module")
def sample() -> Network:
    read = read_network(FILE)
    assert read.network is not None
    return read.network


@pytest.fixture(scope="module")
def package(sample: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gis") / "utility.gpkg"
    write_layers(sample, path, "GPKG")
    return path


def mapping(folder: Path, text: str = MAPPING) -> Path:
    path = folder / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def network_of(answer: NetworkRead) -> Network:
    assert answer.network is not None, [str(fault) for fault in answer.faults[:5]]
    return answer.network


def draw(
    path: Path, shapes: list[shapely.Geometry], crs: str | None = "EPSG:4326", **columns: list[object]
) -> None:
    """One layer, named like the file, or one more layer of a GeoPackage."""
    layer = columns.pop("layer", [path.stem])[0]
    texts = [np.array([str(one) for one in column], dtype=object) for column in columns.values()]
    pyogrio.raw.write(
        path,
        shapely.to_wkb(np.array(shapes, dtype=object)),
        texts,
        list(columns),
        layer=layer,
        crs=crs,
        geometry_type=shapes[0].geom_type,
        driver="GPKG",
        append=path.exists(),
    )


def same(one: Network, two: Network) -> None:
    """Equal in all that tracing and drawing use; ids keep their kinds."""
    assert set(one.elements) == {each.id for each in two if each.id in one.elements}
    a, b = TraceIndex(one), TraceIndex(two)
    assert a.fed_loads == b.fed_loads and len(a.fed_loads) > 1500
    for element in one:
        other = two.elements[element.id]
        assert (element.buses, element.on, element.closed, element.in_service, element.name) == (
            other.buses,
            other.on,
            other.closed,
            other.in_service,
            other.name,
        )
        if element.kind in ("bus", "line") and element.geometry:
            assert np.allclose(element.geometry, other.geometry or (), atol=1e-9)


def test_a_geopackage_of_gdal_becomes_the_same_network(
    package: Path, sample: Network, tmp_path: Path
) -> None:
    found = network_of(read_network(package, mapping=mapping(tmp_path)))
    same(found, sample)
    assert found.elements["line:182"].attrs["length_km"] == pytest.approx(
        sample.elements["line:182"].attrs["length_km"]
    )


def test_shapefiles_of_gdal_become_the_same_network(sample: Network, tmp_path: Path) -> None:
    folder = tmp_path / "shapes"
    folder.mkdir()
    write_layers(sample, folder, "ESRI Shapefile", suffix=".shp")
    assert {one.suffix for one in folder.iterdir()} >= {".shp", ".dbf", ".prj"}
    same(network_of(read_network(folder, mapping=mapping(tmp_path))), sample)


def test_cgcs2000_is_taken_as_it_stands(sample: Network, tmp_path: Path) -> None:
    path = tmp_path / "c.gpkg"
    write_layers(sample, path, "GPKG", crs="EPSG:4490")
    same(network_of(read_network(path, mapping=mapping(tmp_path))), sample)


def test_projected_coordinates_are_refused_with_the_reason_or_converted_when_told(
    sample: Network, tmp_path: Path
) -> None:
    from pyproj import Transformer

    turn = Transformer.from_crs(4326, 25832, always_xy=True)
    moved = {
        one.id: dataclasses.replace(
            one, geometry=tuple(turn.transform(*xy) for xy in one.geometry) if one.geometry else None
        )
        for one in sample
    }
    path = tmp_path / "utm.gpkg"
    write_layers(Network(moved), path, "GPKG", crs="EPSG:25832")
    refused = read_network(path, mapping=mapping(tmp_path))
    assert refused.network is None
    assert str(refused.faults[0]) == (
        "utm.gpkg, layer Nodes, field crs: The declared coordinates are not geographic "
        "(ETRS89 / UTM zone 32N). Export in EPSG:4326, or write `convert: true` into the mapping "
        "to have them converted."
    )
    same(network_of(read_network(path, mapping=mapping(tmp_path, "convert: true\n" + MAPPING))), sample)


@pytest.mark.parametrize("crs", ["EPSG:4214", "EPSG:4610"])
def test_systems_that_need_the_owners_parameters_are_refused(crs: str, tmp_path: Path) -> None:
    draw(tmp_path / "old.gpkg", [shapely.Point(116.4, 39.9)], crs=crs)
    answer = read_network(
        tmp_path / "old.gpkg", mapping=mapping(tmp_path, "layers: [{layer: old, kind: bus}]")
    )
    assert "parameters" in str(answer.faults[0]) and "CGCS2000" in str(answer.faults[0])


def test_faults_name_file_layer_and_row(tmp_path: Path) -> None:
    path = tmp_path / "net.gpkg"
    draw(path, [shapely.Point(8, 48), shapely.Point(8.1, 48)], layer=["nodes"], ID=["1", "1"])
    draw(path, [shapely.LineString([(8, 48), (8.1, 48)])], layer=["wires"], ID=["7"], A=["1"], B=["9"])
    text = """
layers:
  - {layer: nodes, kind: bus, id: ID}
  - {layer: wires, kind: line, id: ID, from_bus: A, to_bus: B}
  - {layer: lamps, kind: load, id: ID}
  - {layer: wires, kind: line, id: NUMBER}
"""
    faults = [str(one) for one in read_network(path, mapping=mapping(tmp_path, text)).faults]
    assert any(
        one.startswith("net.gpkg, layer nodes, row 2, field id: bus:1 is there twice") for one in faults
    )
    assert any(
        one.startswith("net.gpkg, layer wires, row 1, field to_bus: line:7 ends at bus:9") for one in faults
    )
    assert any(
        one.startswith("net.gpkg, layer lamps: The file has no such layer. It has: nodes, wires")
        for one in faults
    )
    assert any(
        one.startswith("net.gpkg, layer wires, field NUMBER: No such column. There are: ID, A, B")
        for one in faults
    )


def test_without_a_mapping_the_remedy_is_named(package: Path) -> None:
    (fault,) = read_network(package).faults
    assert "--suggest-mapping" in str(fault)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1", "Not valid YAML"),
        ("layers: []", "no list of layers"),
        ("layers: [{layer: a, kind: lamp}]", "lamp is not a kind"),
        ("layers: [{layer: a, kind: bus, colour: X}]", "field colour: Unknown key"),
        ("snap_m: -1\nlayers: [{layer: a, kind: bus}]", "no distance"),
        ("layers: [{layer: a, kind: bus, id: 3}]", "3 is no column"),
        ("layers: [{layer: a, kind: bus, scale: {vn_kv: x}}]", "x is no number"),
        ("!!python/object/apply:os.getcwd []", "Not valid YAML"),
    ],
)
def test_a_bad_mapping_is_refused_with_its_place(
    package: Path, tmp_path: Path, text: str, words: str
) -> None:
    answer = read_network(package, mapping=mapping(tmp_path, text))
    assert answer.network is None
    assert any(str(one).startswith("mapping.yaml") and words in str(one) for one in answer.faults)


def test_a_draft_of_a_mapping_is_nearly_right(package: Path, tmp_path: Path) -> None:
    text, answer = draft_mapping(package)
    assert text is not None and not answer.faults
    assert "layer: Consumers\n  kind: load" in text and "from_bus: NODE_A" in text
    drafted = mapping(tmp_path, text)
    # What a guess cannot know is only what OBJ_ID, LABEL and STATE mean here: the layers are all found.
    assert text.count("- layer:") == 6
    faults = read_network(package, mapping=drafted).faults
    assert not any("No such column" in str(one) for one in faults)


def test_damaged_files_are_faults(package: Path, tmp_path: Path) -> None:
    path = tmp_path / "broken.gpkg"
    path.write_bytes(package.read_bytes()[:5000])
    assert read_network(path, mapping=mapping(tmp_path)).faults
    assert "no such file" in str(read_network(tmp_path / "none.gpkg", mapping=mapping(tmp_path)).faults[0])
    for name in ("/vsicurl/http://127.0.0.1/x.gpkg", "PG:dbname=x"):
        assert "no such file" in str(read_network(name, "gis", mapping(tmp_path)).faults[0])
