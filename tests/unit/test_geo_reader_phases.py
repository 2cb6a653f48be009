"""One feeder with single phases in every format: one of three single-phase transformers out cuts and dims the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from geo.readers import draft_mapping, read_network
from geo.resolve import resolve
from tests.factories.phased_files import csv_set, geojson, layers


@pytest.mark.parametrize(
    "write",
    [geojson, csv_set, layers("GPKG", ""), layers("ESRI Shapefile", ".shp")],
    ids=["geojson", "csv", "geopackage", "shapefile"],
)
def test_one_unit_of_three_cuts_its_own_and_dims_the_others(
    write: Callable[[Path], tuple[Path, Path | None]], tmp_path: Path
) -> None:
    path, mapping = write(tmp_path)
    read = read_network(path, mapping=mapping)
    assert read.network is not None, [str(one) for one in read.faults]
    assert {one.id: one.phases for one in read.network.of_kind("trafo", "line", "load")} == {
        "line:1": "ABC",
        "trafo:1": "A",
        "trafo:2": "B",
        "trafo:3": "C",
        "load:3": "ABC",
        "load:4": "B",
        "load:5": "AC",
    }
    found = resolve(read.network, out=["trafo:2"])
    assert (found.lost, found.partial) == (("load:4",), ("load:3",))
    assert resolve(read.network, out=["switch:1"]).lost == ("load:3", "load:4", "load:5")


def test_a_draft_of_a_mapping_finds_the_phases(tmp_path: Path) -> None:
    path, _ = layers("GPKG", "")(tmp_path)
    text, answer = draft_mapping(path)
    assert not answer.faults and text is not None and text.count("phases: PHASING") >= 4


def test_letters_that_are_no_phases_are_named_by_file_and_row(tmp_path: Path) -> None:
    folder, _ = csv_set(tmp_path)
    (folder / "load.csv").write_text("id,bus,phases\n3,3,ABC\n4,3,R\n")
    (fault,) = read_network(folder).faults
    assert "load.csv, row 3, field phases" in str(fault) and "R are not phases" in str(fault)
