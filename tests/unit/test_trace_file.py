"""The file of a network: what was written is read, what is damaged is not used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geo import grid_file
from geo.grid_build import Columns, build, grid_of
from geo.identifiers import Identifiers, sort_ids
from geo.model import GeoError, Network, natural
from geo.resolve import resolve
from geo.trace import TraceIndex
from tests.factories.random_networks import random_network
from tests.factories.small_networks import Build, street


@pytest.mark.parametrize("phased", [False, True])
def test_a_file_answers_like_what_was_written(tmp_path: Path, phased: bool) -> None:
    network = random_network(7, 25, 40, phased)
    path = tmp_path / "net.grid"
    built = grid_of(network)
    grid_file.write(built, path)
    grid_file.write(built, path)
    mapped = grid_file.read(path)
    for name in sorted(network.elements):
        assert resolve(mapped, out=[name], close_ties=True) == resolve(built, out=[name], close_ties=True)
    assert [one.name for one in tmp_path.iterdir()] == ["net.grid"]


def test_feeders_and_names_of_text_survive(tmp_path: Path) -> None:
    net = Build().buses(2).add("ext_grid:_a", 0).add("line:Süd 2", 0, 1, name="S").add("line:Süd 10", 0, 1)
    net.add("switch:x", 0, on="line:Süd 2").add("load:0017", 1)
    grid_file.write(grid_of(net.network()), tmp_path / "a")
    grid = grid_file.read(tmp_path / "a")
    assert resolve(grid, out=["line:Süd 2", "line:Süd 10"]).lost == ("load:0017",)
    assert grid.ids.number("load:17") is None
    grid_file.write(street_grid := grid_of(street()), tmp_path / "b")
    again = grid_file.read(tmp_path / "b")
    assert again.feeders == street_grid.feeders == ("A", "B")
    assert resolve(again, work=["feeder:A"]) == resolve(street(), work=["feeder:A"])


@pytest.mark.parametrize("harm", ["cut", "flip", "foreign", "layout", "empty"])
def test_a_damaged_file_is_refused(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "net.grid"
    grid_file.write(grid_of(street()), path)
    data = bytearray(path.read_bytes())
    if harm == "flip":
        data[-200] ^= 1
    elif harm == "layout":
        data[8] ^= 255
    elif harm == "foreign":
        data[:8] = b"SQLite f"
    path.write_bytes({"cut": data[:-64], "empty": b""}.get(harm, bytes(data)))
    with pytest.raises(grid_file.GridFileError):
        grid_file.read(path)


def test_numbers_run_in_natural_order_and_back() -> None:
    names = ["load:10", "load:9", "load:a2", "load:a10", "trafo:1", "trafo3w:0", "bus:007", "bus:7"]
    tables = {}
    for kind in ("trafo3w", "load", "bus", "trafo"):
        tables[kind] = sort_ids(kind, [n.partition(":")[2] for n in names if n.startswith(kind + ":")])[0]
    ids = Identifiers(tables)
    assert ids.names(np.arange(ids.count)) == natural(names)
    for number, name in enumerate(natural(names)):
        assert (ids.number(name), ids.name(number), ids.kind(number)) == (
            number,
            name,
            name.partition(":")[0],
        )
    for stranger in ("load:11", "load:", "load", "cable:1", "bus:٧", "load:-1", "trafo:" + "9" * 30):
        assert ids.number(stranger) is None


def test_an_end_that_leads_nowhere_is_named() -> None:
    bus = Columns(id=["1", "2"])
    for columns in (
        {"bus": bus, "load": Columns(id=["7"], buses=[["bus:3"]])},
        {"bus": bus, "line": Columns(id=["7"], buses=[["bus:1"], ["bus:3"]])},
        {"bus": bus, "ext_grid": Columns(id=["7"], buses=[["bus:3"]])},
    ):
        with pytest.raises(GeoError, match=r":7 ends at bus:3, which does not exist"):
            build(columns)
    stray = {"bus": bus, "line": Columns(id=["7"], buses=[["bus:1"], ["bus:1"]])}
    stray["switch"] = Columns(id=["5"], buses=[["bus:2"], [None]], on=["line:7"], closed=[True])
    with pytest.raises(GeoError, match="switch:5 sits between line:7 and bus:2"):
        build(stray)


def test_arrays_say_the_same_as_the_plain_graph() -> None:
    for seed in range(50):
        network: Network = random_network(seed, 20, 30, phased=False)
        grid, index = grid_of(network), TraceIndex(network)
        forest = grid.layers[0].forest
        fed = {
            grid.ids.name(grid.element_of_node(node))
            for node, at in enumerate(forest.position.tolist())
            if 0 <= at < forest.fed
        }
        assert fed == {name for node, name in enumerate(index.element_at) if index.normal[node]}
        assert set(grid.load_names(np.sort(forest.load))) == index.fed_loads
