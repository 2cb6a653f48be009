"""A network that is put by in pieces is the same network, and its faults are found in every piece."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from geo.readers import draft, open_network, read_network
from outage_notify.sample.network import FILE
from tests.unit.test_geo_reader_csv import folder_of

STREET = 40


def street(folder: Path, **changes: str) -> Path:
    """A row of buses, each with a line to the next and a load."""
    numbers = range(STREET)
    tables = {
        "bus": "id,vn_kv,lon,lat\n" + "".join(f"{one},20,{8 + one / 1000},48\n" for one in numbers),
        "line": "id,from_bus,to_bus,name\n"
        + "".join(f"{one},{one},{one + 1},L{one}\n" for one in numbers[:-1]),
        "load": "id,bus\n" + "".join(f"{one},{one}\n" for one in numbers),
        "switch": "id,bus,element,closed\n",
        "ext_grid": "id,bus\n1,0\n",
    }
    return folder_of(folder, **(tables | changes))


@pytest.mark.parametrize("piece", [1, 7, 10_000])
def test_pieces_of_any_size_make_one_network(
    piece: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read_network(FILE).network, read_network(street(tmp_path / "net")).network
    monkeypatch.setattr(draft, "PIECE", piece)
    assert (read_network(FILE).network, read_network(tmp_path / "net").network) == whole
    with open_network(tmp_path / "net") as (checked, answer):
        assert checked is not None and not answer.faults
        assert list(checked.rows()) == list(checked.rows()) and len(checked) == 3 * STREET
        assert checked.count_by_kind() == {"bus": STREET, "ext_grid": 1, "line": STREET - 1, "load": STREET}


def test_faults_name_their_rows_in_every_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft, "PIECE", 7)
    loads = "id,bus\n" + "".join(f"{one % 30},{one if one % 10 else 99}\n" for one in range(STREET))
    faults = [str(one) for one in read_network(street(tmp_path / "net", load=loads)).faults]
    assert [one.partition(" Give")[0] for one in faults if "twice" in one] == [
        f"net, file load.csv, row {one + 2}, field id: load:{one % 30} is there twice."
        for one in range(30, STREET)
    ]
    assert [one.partition(", field")[0] for one in faults if "does not exist" in one] == [
        f"net, file load.csv, row {one + 2}" for one in range(0, STREET, 10)
    ]


def test_nothing_is_left_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft, "PIECE", 7)
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    with open_network(street(tmp_path / "net")) as (checked, _):
        assert checked is not None
    assert not list((tmp_path / "scratch").iterdir())
