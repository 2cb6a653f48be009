"""The CSV set: folder or zip, UTF-8 or GB18030, faults by file and line."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from geo.readers import read_network
from geo.resolve import resolve

TABLES = {
    "bus.csv": "id,name,vn_kv,lon,lat\n1,东站,20,116.39,39.91\n2,,20,116.40,39.91\n",
    "line.csv": 'id,from_bus,to_bus,length_km,max_i_ka,wkt\n1,1,2,0.85,0.25,"LINESTRING (116.39 39.91, 116.4 39.91)"\n',
    "switch.csv": "id,bus,element,closed\n1,1,line:1,yes\n",
    "load.csv": "id,bus,name\n7,2,院里\n",
    "ext_grid.csv": "id,bus\n1,1\n",
}


def folder_of(path: Path, encoding: str = "utf-8", **changes: str) -> Path:
    path.mkdir()
    for name, text in (TABLES | {f"{key}.csv": value for key, value in changes.items()}).items():
        (path / name).write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_folder_is_a_network(encoding: str, tmp_path: Path) -> None:
    answer = read_network(folder_of(tmp_path / "net", encoding))
    assert answer.network is not None, [str(one) for one in answer.faults]
    assert answer.network.elements["bus:1"].name == "东站"
    assert answer.network.elements["line:1"].attrs == {"length_km": 0.85, "max_i_ka": 0.25}
    assert answer.network.elements["load:7"].name == "院里"
    assert resolve(answer.network, out=["switch:1"]).lost == ("load:7",)


def test_a_zip_is_the_same(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "net")
    with zipfile.ZipFile(tmp_path / "net.zip", "w") as packed:
        for one in folder.iterdir():
            packed.write(one, one.name)
    assert read_network(tmp_path / "net.zip").network == read_network(folder).network


@pytest.mark.parametrize(
    ("changes", "start"),
    [
        ({"load": "id,bus\n7,9\n"}, "net, file load.csv, row 2, field bus: load:7 ends at bus:9"),
        ({"load": "id,bus\n7,2\n7,2\n"}, "net, file load.csv, row 3, field id: load:7 is there twice"),
        ({"load": "id,bus\n7\n"}, "net, file load.csv, row 2: It has not 2 cells"),
        ({"load": "id\n7\n"}, "net, file load.csv, row 1, field bus: The column is missing"),
        ({"load": "id,bus,bus\n7,2,1\n"}, "net, file load.csv, row 1, field bus: The column stands twice"),
        ({"bus": "id,vn_kv\n1,low\n2,20\n"}, "net, file bus.csv, row 2, field vn_kv: low is not a number"),
        ({"bus": "id,lon,lat\n1,8,95\n2,8,48\n"}, "net, file bus.csv, row 2, field geometry: bus:1 lies at"),
        ({"bus": "id,lon,lat\n1,8,\n2,8,48\n"}, "net, file bus.csv, row 2, field lat: Only one of"),
        (
            {"switch": "id,bus,element,closed\n1,1,line:1,maybe\n"},
            "net, file switch.csv, row 2, field closed",
        ),
        (
            {"line": "id,from_bus,to_bus,wkt\n1,1,2,LINE\n"},
            "net, file line.csv, row 2, field wkt: LINE is no",
        ),
        ({"ext_grid": "id,bus\n"}, "net: The network has no source"),
    ],
)
def test_faults_name_file_and_line(changes: dict[str, str], start: str, tmp_path: Path) -> None:
    answer = read_network(folder_of(tmp_path / "net", **changes))
    assert answer.network is None
    assert any(str(one).startswith(start) for one in answer.faults), [str(one) for one in answer.faults]
