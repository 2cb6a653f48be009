"""What the readers read: pandapower of several ages, our GeoJSON, plain and gzipped."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pandapower as pp
import pytest
from pandapower import networks

from geo.geojson import write_network
from geo.model import Network
from geo.readers import NetworkRead, read_network
from geo.trace import TraceIndex
from tests.factories.pandapower_oracle import as_network, fed_loads
from tests.factories.small_networks import street


def read(folder: Path, document: Any, format: str = "auto") -> NetworkRead:
    path = folder / "network.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return read_network(path, format)


def network_of(answer: NetworkRead) -> Network:
    assert answer.network is not None, [str(fault) for fault in answer.faults]
    return answer.network


def document_of(net: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(pp.to_json(net))
    return document


@pytest.mark.parametrize(
    "name", ["mv_oberrhein", "lv_schutterwald", "example_multivoltage", "create_cigre_network_mv", "case33bw"]
)
def test_every_element_of_pandapowers_networks_arrives(name: str, tmp_path: Path) -> None:
    net = getattr(networks, name)()
    network = as_network(net, tmp_path)
    for table in ("bus", "line", "trafo", "trafo3w", "switch", "load", "sgen", "ext_grid", "gen"):
        assert {one.id for one in network.of_kind(table)} == {f"{table}:{row}" for row in net[table].index}
        for row, values in net[table].iterrows():
            element = network.elements[f"{table}:{row}"]
            assert element.name == ("" if values["name"] is None else str(values["name"]))
            assert element.in_service == bool(values.get("in_service", True))
    for row, values in net.switch.iterrows():
        element = network.elements[f"switch:{row}"]
        on = {"l": "line", "t": "trafo", "t3": "trafo3w"}.get(values.et)
        assert element.closed == values.closed
        assert element.on == (f"{on}:{values.element}" if on else None)
        assert element.buses[0] == f"bus:{values.bus}"
    assert Network.from_rows(network.to_rows()) == network


def test_our_geojson_goes_out_and_comes_back_equal(tmp_path: Path) -> None:
    for network in (street(), as_network(networks.mv_oberrhein(include_substations=True), tmp_path)):
        assert network_of(read(tmp_path, write_network(network))) == network


def test_multivoltage_with_three_windings_survives_geojson(tmp_path: Path) -> None:
    network = as_network(networks.example_multivoltage(), tmp_path)
    assert any(network.of_kind("trafo3w"))
    assert network_of(read(tmp_path, write_network(network))) == network


def test_geojson_by_hand_needs_few_words(tmp_path: Path) -> None:
    def feature(kind: str, key: object, **properties: Any) -> dict[str, Any]:
        return {"type": "Feature", "geometry": None, "properties": {"kind": kind, "id": key, **properties}}

    features = [feature("bus", 1), feature("bus", "2"), feature("ext_grid", 0, bus=1)]
    features += [feature("line", 1, from_bus=1, to_bus="bus:2", name="East", phases="ca")]
    features += [feature("switch", 1, bus=1, element="line:1"), feature("load", "a-7", bus=2)]
    network = network_of(read(tmp_path, {"type": "FeatureCollection", "features": features}))
    assert network.elements["line:1"].phases == "AC"
    assert network.elements["switch:1"].closed is True
    assert network.feeders == {"East": ("bus:2", "line:1", "load:a-7", "switch:1")}


def test_gzip_is_recognised_by_content(tmp_path: Path) -> None:
    path = tmp_path / "no-suffix"
    path.write_bytes(gzip.compress(json.dumps(write_network(street())).encode()))
    assert network_of(read_network(path)) == street()
    path.write_text(json.dumps(write_network(street())), encoding="utf-8-sig")
    assert network_of(read_network(path, "geojson")) == street()


def test_geodata_tables_of_version_2_are_read(tmp_path: Path) -> None:
    net = networks.mv_oberrhein()
    document = document_of(net)
    tables = document["_object"]
    for table, columns in (("bus", ["x", "y", "coords"]), ("line", ["coords"])):
        places = [json.loads(geo)["coordinates"] for geo in net[table].geo]
        rows = [[*place, None] for place in places] if table == "bus" else [[place] for place in places]
        inner = {"columns": columns, "index": [int(row) for row in net[table].index], "data": rows}
        frame = {"_module": "pandas.core.frame", "_class": "DataFrame", "_object": json.dumps(inner)}
        tables[f"{table}_geodata"] = frame
        plain = json.loads(tables[table]["_object"])
        at = plain["columns"].index("geo")
        for row in [plain["columns"], *plain["data"]]:
            del row[at]
        tables[table]["_object"] = json.dumps(plain)
    assert network_of(read(tmp_path, document)) == as_network(net, tmp_path)


@pytest.mark.parametrize("orientation", ["columns", "records", "object"])
def test_other_orientations_of_tables_are_read(orientation: str, tmp_path: Path) -> None:
    net = networks.example_multivoltage()
    document = document_of(net)
    for frame in document["_object"].values():
        if isinstance(frame, dict) and frame.get("_class") == "DataFrame":
            inner = json.loads(frame["_object"])
            if orientation == "columns":
                inner = {
                    column: {
                        str(row): cells[at] for row, cells in zip(inner["index"], inner["data"], strict=True)
                    }
                    for at, column in enumerate(inner["columns"])
                }
            elif orientation == "records":
                inner = [
                    {"index": row, **dict(zip(inner["columns"], cells, strict=True))}
                    for row, cells in zip(inner["index"], inner["data"], strict=True)
                ]
            frame["_object"] = inner if orientation == "object" else json.dumps(inner)
    assert network_of(read(tmp_path, document)) == as_network(net, tmp_path)


def test_slack_generators_and_grid_forming_converters_are_sources(tmp_path: Path) -> None:
    net = pp.create_empty_network()
    buses = pp.create_buses(net, 4, 20.0)
    direct = pp.create_bus_dc(net, 20.0)
    pp.create_gen(net, buses[0], p_mw=1.0, slack=True)
    pp.create_gen(net, buses[1], p_mw=1.0, slack=False)
    for bus, mode in ((buses[2], "slack"), (buses[3], "q_mvar")):
        pp.create_vsc(net, bus, direct, 1.0, 1.0, 1.0, control_mode_ac=mode)
    for bus in buses:
        pp.create_load(net, bus, p_mw=0.1)
    network = as_network(net, tmp_path)
    assert [one.id for one in network if one.is_source] == ["gen:0", "vsc:0"]
    assert TraceIndex(network).fed_loads == fed_loads(net) == {"load:0", "load:2"}


def test_the_phases_column_is_kept(tmp_path: Path) -> None:
    net = networks.example_simple()
    net.line["phases"] = ["AB"] + [None] * (len(net.line) - 1)
    network = as_network(net, tmp_path)
    assert {one.phases for one in network.of_kind("line")} == {"AB", "ABC"}
