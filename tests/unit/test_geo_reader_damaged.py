"""Whatever bytes a file holds, reading answers with faults and never raises; the commands that read say so."""

from __future__ import annotations

import json
import random
import zipfile
from pathlib import Path

import pytest

from geo.readers import read_network
from outage_notify.cli import main
from tests.unit.test_geo_reader_csv import folder_of
from tests.unit.test_geo_reader_joints import mapping, village

CIM = Path(__file__).parents[1] / "data" / "cim"


def spoilt(data: bytes, seed: int) -> bytes:
    """Some bytes turned, or the end cut off."""
    chance = random.Random(seed)
    if seed % 3 == 0:
        return data[: chance.randrange(1, len(data))]
    changed = bytearray(data)
    for _ in range(chance.choice([1, 20, 400])):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


@pytest.mark.parametrize("kind", ["gis", "csv", "cim"])
def test_spoilt_files_never_raise(kind: str, tmp_path: Path) -> None:
    plan = mapping(tmp_path) if kind == "gis" else None
    if kind == "gis":
        whole = village(tmp_path).read_bytes()
    elif kind == "csv":
        folder = folder_of(tmp_path / "net")
        with zipfile.ZipFile(tmp_path / "net.zip", "w", zipfile.ZIP_DEFLATED) as packed:
            for one in folder.iterdir():
                packed.write(one, one.name)
        whole = (tmp_path / "net.zip").read_bytes()
    else:
        whole = next(CIM.glob("*Boundary*")).read_bytes()
    suffix = {"gis": ".gpkg", "csv": ".zip", "cim": ".zip"}[kind]
    refused = 0
    for seed in range(60):
        path = tmp_path / f"spoilt-{seed}{suffix}"
        path.write_bytes(spoilt(whole, seed))
        answer = read_network(path, kind, plan)
        assert (answer.network is None) == bool(answer.faults)
        refused += answer.network is None
    assert refused > 10


def test_the_commands_draft_a_mapping_and_check_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OUTAGE_NOTIFY_DATABASE_URL", f"sqlite:///{tmp_path / 'x.db'}")
    path = village(tmp_path)
    assert main(["import", "network", str(path), "--suggest-mapping"]) == 0
    drafted = capsys.readouterr().out
    assert "layer: cables" in drafted and "hv_kv" not in drafted
    assert main(["import", "network", str(path), "--dry-run"]) == 2
    assert "--suggest-mapping" in capsys.readouterr().err
    assert main(["import", "network", str(path), "--mapping", str(mapping(tmp_path)), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"]["elements"]["load"] == 2
    area = tmp_path / "area.geojson"
    area.write_text('{"type": "Polygon", "coordinates": [[[7, 47], [9, 47], [9, 49], [7, 49], [7, 47]]]}')
    assert main(["find", "area", str(area), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["loads"] == ["load:1", "load:2"]
    assert main(["find", "nearest", "8.0005", "48.0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["transformer"] is not None
    assert main(["import", "network", "--undo"]) == 2
    assert "no earlier network" in capsys.readouterr().err
