"""Bad files: each fault with its place and remedy, all of them at once, and never a crash."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandapower import networks

from geo.geojson import write_network
from geo.readers import NetworkRead, read_network
from tests.factories.pandapower_oracle import json_text
from tests.factories.small_networks import street

_OBERRHEIN = json_text(networks.mv_oberrhein())


def read_text(folder: Path, text: str | bytes, format: str = "auto") -> NetworkRead:
    path = folder / "network.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_network(path, format)


def changed(folder: Path, table: str, change: Callable[[dict[str, Any]], object]) -> NetworkRead:
    """MV Oberrhein with one table changed."""
    document = copy.deepcopy(_OBERRHEIN)
    frame = document["_object"][table]
    inner = json.loads(frame["_object"])
    change(inner)
    frame["_object"] = json.dumps(inner)
    return read_text(folder, json.dumps(document))


def cell(row: int, column: str, value: object) -> Callable[[dict[str, Any]], object]:
    def change(inner: dict[str, Any]) -> None:
        inner["data"][row][inner["columns"].index(column)] = value

    return change


def each(column: str, turn: Callable[[Any], Any]) -> Callable[[dict[str, Any]], object]:
    def change(inner: dict[str, Any]) -> None:
        at = inner["columns"].index(column)
        for row in inner["data"]:
            row[at] = turn(row[at])

    return change


def moved(turn: Callable[[float, float], tuple[float, float]]) -> Callable[[str], str]:
    """A change of GeoJSON coordinates in a cell."""

    def change(geo: str) -> str:
        value = json.loads(geo)
        if value["type"] == "Point":
            value["coordinates"] = turn(*value["coordinates"])
        else:
            value["coordinates"] = [turn(*vertex) for vertex in value["coordinates"]]
        return json.dumps(value)

    return change


def only(answer: NetworkRead) -> str:
    assert answer.network is None
    (fault,) = answer.faults
    assert fault.remedy and fault.file == "network.json"
    return str(fault)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("   \n", "empty"),
        ("bus,line\n1,2", "line 1, column 1"),
        ('{"type": ', "Not valid JSON"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"PK\x03\x04\xf0\x9f", "not"),
        ("[" * 200_000, "nested too deeply"),
        ('{"a":' * 200_000, "nested too deeply"),
        ("1" * 5000, "Not usable JSON"),
        ("[]", "neither a pandapower network nor"),
        ('"text"', "neither"),
        ("null", "neither"),
        ("{}", "neither"),
        ('{"type": "Feature"}', "neither"),
        ('{"_class": "pandapowerNet", "_object": "gAAAAABencrypted"}', "not valid JSON"),
        ('{"_class": "pandapowerNet", "_object": 7}', "its tables are missing"),
        (gzip.compress(b"{}" * 99)[:-12], "gzip data is damaged"),
        ('{"type": "FeatureCollection", "features": 3}', "not a GeoJSON FeatureCollection"),
    ],
)
def test_what_is_no_network_is_one_clear_fault(text: str | bytes, words: str, tmp_path: Path) -> None:
    answer = read_text(tmp_path, text)
    assert answer.network is None
    assert words in str(answer.faults[0])
    assert answer.faults[0].remedy


def test_missing_files_folders_and_unknown_formats(tmp_path: Path) -> None:
    assert "no such file" in str(read_network(tmp_path / "none.json").faults[0])
    assert "folder" in str(read_network(tmp_path).faults[0])
    assert "Unknown format" in str(read_text(tmp_path, "{}", "shapefile").faults[0])
    assert "missing" in str(read_text(tmp_path, "[1]", "pandapower").faults[0])


def test_a_small_gzip_that_unpacks_to_a_huge_file(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "network.json", "wb", compresslevel=1) as bomb:
        for _ in range(257):
            bomb.write(b" " * (1 << 20))
    fault = only(read_network(tmp_path / "network.json"))
    assert "more than 256 MiB" in fault


def test_a_line_that_ends_nowhere(tmp_path: Path) -> None:
    fault = only(changed(tmp_path, "line", cell(3, "to_bus", 99_999)))
    assert "table line, row 3, field to_bus" in fault and "ends at bus:99999, which does not exist" in fault


@pytest.mark.parametrize("value", ["", None, "a\nb", [1], {}, True, 1.5, 10**400, "x" * 999])
def test_a_reference_of_a_wrong_type(value: object, tmp_path: Path) -> None:
    assert "field to_bus" in only(changed(tmp_path, "line", cell(3, "to_bus", value)))


def test_names_are_one_printable_line_and_not_endless(tmp_path: Path) -> None:
    answer = changed(tmp_path, "line", cell(0, "name", "Nord\n\x00\ud800 1 "))
    assert answer.network is not None and answer.network.elements["line:0"].name == "Nord    1"
    assert "field name" in only(changed(tmp_path, "line", cell(0, "name", "n" * 201)))


def test_a_duplicate_id(tmp_path: Path) -> None:
    def repeat(inner: dict[str, Any]) -> None:
        inner["index"][5] = inner["index"][4]

    fault = only(changed(tmp_path, "load", repeat))
    assert "is there twice" in fault and "table load" in fault


def test_no_source_in_service(tmp_path: Path) -> None:
    assert "no source in service (2 out of service)" in only(
        changed(tmp_path, "ext_grid", each("in_service", lambda _: False))
    )


def test_switches_in_wrong_places(tmp_path: Path) -> None:
    assert "is not a place for a switch" in only(changed(tmp_path, "switch", cell(0, "et", "q")))
    assert "belongs to line:77777, which does not exist" in only(
        changed(tmp_path, "switch", cell(0, "element", 77777))
    )
    assert "does not end there" in only(changed(tmp_path, "switch", cell(0, "bus", 58)))
    assert "neither true nor false" in only(changed(tmp_path, "switch", cell(0, "closed", "maybe")))


def test_all_faults_are_listed_with_their_places(tmp_path: Path) -> None:
    def ruin(inner: dict[str, Any]) -> None:
        cell(0, "to_bus", 88_888)(inner)
        cell(1, "from_bus", None)(inner)
        cell(2, "in_service", "perhaps")(inner)
        cell(3, "geo", "not geojson")(inner)

    answer = changed(tmp_path, "line", ruin)
    assert answer.network is None
    assert [(fault.table, fault.row, fault.field) for fault in answer.faults] == [
        ("line", "1", "from_bus"),
        ("line", "2", "in_service"),
        ("line", "3", "geo"),
        ("line", "0", "to_bus"),
    ]


def test_an_impossible_coordinate_in_a_geographic_network(tmp_path: Path) -> None:
    geo = '{"type": "Point", "coordinates": [7.9, 98.4]}'
    fault = only(changed(tmp_path, "bus", cell(7, "geo", geo)))
    assert "latitude 98.4, which is not on the globe. It would be possible with both swapped" in fault


def test_swapped_coordinates_are_told_by_the_lengths_of_the_lines(tmp_path: Path) -> None:
    document = copy.deepcopy(_OBERRHEIN)
    for table in ("bus", "line"):
        inner = json.loads(document["_object"][table]["_object"])
        each("geo", moved(lambda lon, lat: (lat, lon)))(inner)
        document["_object"][table]["_object"] = json.dumps(inner)
    assert "swapped" in only(read_text(tmp_path, json.dumps(document)))


def test_swapped_coordinates_off_the_globe(tmp_path: Path) -> None:
    """In Hangzhou the longitude, 120, cannot be a latitude."""
    document = copy.deepcopy(_OBERRHEIN)
    for table in ("bus", "line"):
        inner = json.loads(document["_object"][table]["_object"])
        each("geo", moved(lambda lon, lat: (lat - 18, lon + 112)))(inner)
        document["_object"][table]["_object"] = json.dumps(inner)
    assert "swapped" in only(read_text(tmp_path, json.dumps(document)))


@pytest.mark.parametrize(
    "turn", [lambda x, y: (x * 1e5, y * 1e5), lambda x, y: ((x - 7) * 400, (y - 48) * 100)]
)
def test_schematic_coordinates_are_warned_of_and_not_drawn(
    turn: Callable[[float, float], tuple[float, float]], tmp_path: Path
) -> None:
    document = copy.deepcopy(_OBERRHEIN)
    for table in ("bus", "line"):
        inner = json.loads(document["_object"][table]["_object"])
        each("geo", moved(turn))(inner)
        document["_object"][table]["_object"] = json.dumps(inner)
    answer = read_text(tmp_path, json.dumps(document))
    assert answer.network is not None and not answer.network.geographic
    assert "not drawn" in str(answer.warnings[0])


@pytest.mark.parametrize("value", [None, "", float("nan"), '{"type": "Point", "coordinates": [null, NaN]}'])
def test_missing_coordinates_are_warned_of(value: object, tmp_path: Path) -> None:
    answer = changed(tmp_path, "bus", cell(7, "geo", value))
    assert answer.network is not None and answer.network.geographic
    assert "1 of 179 buses" in str(answer.warnings[0])
    answer = changed(tmp_path, "bus", each("geo", lambda _: value))
    assert answer.network is not None


def test_geojson_declares_degrees_so_the_impossible_is_a_fault(tmp_path: Path) -> None:
    document = write_network(street())
    document["features"][0]["geometry"] = {"type": "Point", "coordinates": [8.0, 95.0]}
    assert "features, row 1" in only(read_text(tmp_path, json.dumps(document)))
    document["crs"] = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25832"}}
    assert "not geographic" in only(read_text(tmp_path, json.dumps(document)))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("kind", "pipe", "is not a kind"),
        ("kind", None, "is not a kind"),
        ("id", [], "is not an identifier"),
        ("from_bus", 77, "does not exist"),
        ("in_service", "x", "neither true nor false"),
        ("phases", "ABD", "are not phases"),
        ("attrs", 3, "is not an object"),
        ("attrs", {"length_km": 10**400}, "is not a number"),
        ("length_km", "far", "is not a number"),
    ],
)
def test_wrong_properties_of_a_feature(field: str, value: object, words: str, tmp_path: Path) -> None:
    document = write_network(street())
    place, feature = next(
        (place, one)
        for place, one in enumerate(document["features"], 1)
        if one["properties"]["id"] == "6" and one["properties"]["kind"] == "line"
    )
    feature["properties"][field] = value
    fault = only(read_text(tmp_path, json.dumps(document)))
    assert words in fault and f"row {place}" in fault


def test_features_that_are_no_features(tmp_path: Path) -> None:
    document = write_network(street())
    document["features"] += [
        None,
        3,
        {"properties": None},
        {"properties": {"kind": "bus", "id": 9}, "geometry": 4},
    ]
    answer = read_text(tmp_path, json.dumps(document))
    assert [fault.row for fault in answer.faults] == ["23", "24", "25", "26"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("bus"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["type", "coordinates", "a", "0", "1"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_nothing_in_a_file_crashes_the_reader(data: st.DataObject, tmp_path: Path) -> None:
    """Any cell, column, table or property may hold anything: a network or faults, never an exception."""
    document = write_network(street())
    columns = ["name", "bus", "element", "et", "closed", "in_service", "from_bus", "to_bus", "geo"]
    frames = {
        kind: {
            "columns": (
                columns := [
                    "name",
                    "bus",
                    "element",
                    "et",
                    "closed",
                    "in_service",
                    "from_bus",
                    "to_bus",
                    "geo",
                ]
            ),
            "index": data.draw(st.lists(JSON, min_size=2, max_size=2)),
            "data": data.draw(
                st.lists(st.lists(JSON, min_size=len(columns), max_size=len(columns)), max_size=2)
            ),
        }
        for kind in ("bus", "line", "switch", "ext_grid")
    }
    for kind in data.draw(st.lists(st.sampled_from(sorted(frames)), max_size=1)):
        frames[kind] = data.draw(JSON)
    feature = data.draw(st.sampled_from(document["features"]))
    feature["properties"][data.draw(st.sampled_from(sorted(feature["properties"])))] = data.draw(JSON)
    feature["geometry"] = data.draw(JSON)
    for candidate in (document, frames, {"_class": "pandapowerNet", "_object": frames}, data.draw(JSON)):
        answer = read_text(tmp_path, json.dumps(candidate))
        assert (answer.network is None) == bool(answer.faults)
