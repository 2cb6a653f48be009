"""Public cells: at least ten different customers each when made, and the same ones ever after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geo import cells
from geo.areas import LEAST_LOADS, AreaIndex, _anchors
from geo.grid_build import grid_of
from geo.model import BUS
from geo.readers import read_network
from outage_notify.sample.network import FILE
from outage_notify.services import network_in_force, public_cells
from outage_notify.services.import_customers import import_customers
from outage_notify.services.import_network import import_network
from outage_notify.services.network_in_force import load_network
from outage_notify.services.public_cells import area_index
from outage_notify.services.runtime import Runtime
from outage_notify.store import cell_queries
from tests.factories.customer_files import customer_row, write_customers
from tests.factories.runtimes import make_runtime
from tests.load.utility_files import Utility, write_csv_set


@pytest.fixture
def rt(database_url: str, tmp_path: Path) -> Runtime:
    return make_runtime(database_url, tmp_path)


def import_town(rt: Runtime, folder: Path, customers: int, owners: dict[int, str] | None = None) -> None:
    """The town of so many loads with a customer each, but those whose owner is named."""
    import_network(rt, write_csv_set(Utility(customers), folder / f"town-{customers}"))
    rows = [
        customer_row(
            one,
            element=f"load:P{one}",
            customer_id=(owner := (owners or {}).get(one, f"K{one}")),
            name=owner,
            sms="",
            email=f"{owner}@example.com".lower(),
            site_id=f"{owner}-{one}",
        )
        for one in range(customers)
    ]
    import_customers(rt, write_customers(folder / f"c-{customers}.csv", rows))


def made(rt: Runtime) -> AreaIndex | None:
    with rt.database.write() as session:
        return area_index(session, rt)


def test_every_cell_has_ten_customers_and_no_one_counts_twice(rt: Runtime, tmp_path: Path) -> None:
    # A chain store owns every house behind the first twenty transformers, so there nobody else hides.
    import_town(rt, tmp_path, 2_000, dict.fromkeys(range(400), "CHAIN"))
    areas = made(rt)
    assert areas is not None
    with rt.database.read() as session:
        owner_of = {f"load:P{one}": "CHAIN" if one < 400 else f"K{one}" for one in range(2_000)}
        _, loaded = load_network(session, rt)
    names = loaded.grid.load_names(np.arange(2_000))
    owners: dict[int, set[str]] = {}
    for name in names:
        (cell,) = areas.touched([name])
        owners.setdefault(cell, set()).add(owner_of[name])
    assert len(owners) == len(areas.cells) > 3
    assert min(map(len, owners.values())) >= LEAST_LOADS


def test_a_cell_is_for_ever_whatever_is_imported_later(rt: Runtime, tmp_path: Path) -> None:
    import_town(rt, tmp_path, 2_000)
    first = made(rt)
    again = made(rt)
    assert first is not None and again is not None and first.cells == again.cells
    assert made(rt) is again  # held once it is known to stay
    assert first.area(["load:P7"]) == again.area(["load:P7"]) is not None
    # Most customers leave, the town grows: nobody's cell is parted, and new streets have cells too.
    import_customers(rt, write_customers(tmp_path / "few.csv", [customer_row(1, element="load:P1")]))
    import_town(rt, tmp_path, 4_000)
    grown = made(rt)
    assert grown is not None and len(grown.cells) > len(first.cells)
    assert all(set(old) <= set(new) for old, new in zip(first.cells, grown.cells, strict=False))
    assert grown.touched(["load:P3999"])


def test_where_too_few_live_nothing_is_drawn_and_nothing_is_fixed(rt: Runtime, tmp_path: Path) -> None:
    import_network(rt, write_csv_set(Utility(1_000), tmp_path / "town"))
    rows = [customer_row(one, element=f"load:P{one}") for one in range(LEAST_LOADS - 1)]
    import_customers(rt, write_customers(tmp_path / "nine.csv", rows))
    assert made(rt) is None
    rows.append(customer_row(9, element="load:P9"))
    import_customers(rt, write_customers(tmp_path / "ten.csv", rows))
    areas = made(rt)
    assert areas is not None and len(areas.cells) == 1


def test_loads_count_where_the_arrays_say_as_where_the_elements_say() -> None:
    network = read_network(FILE).network
    assert network is not None
    grid = grid_of(network)
    lon = np.full(grid.ids.size(BUS), np.nan)
    lat = lon.copy()
    for bus in network.of_kind(BUS):
        if bus.geometry is not None:
            at = grid.ids.number(bus.id) - grid.ids.start[BUS]
            lon[at], lat[at] = bus.geometry[0]
    found = cells.anchors(grid, ~np.isnan(lon)).tolist()
    expected = dict(_anchors(network))
    for bus, name in zip(found, grid.load_names(np.arange(len(found))), strict=True):
        assert expected.get(name) == (None if bus < 0 else (lon[bus], lat[bus]))


def test_the_file_of_hexagons_answers_like_what_it_was_made_of(rt: Runtime, tmp_path: Path) -> None:
    import_town(rt, tmp_path, 2_000)
    made(rt)
    first = made(rt)
    folder = Path(rt.settings.state_dir) / "networks"
    (path,) = folder.glob("*.hexagons")
    whole = path.read_bytes()
    numbers = np.arange(2_000)
    for harm in (whole, whole[: len(whole) // 2], b"no such file"):
        path.write_bytes(harm)
        network_in_force._loaded.clear()  # as a new process
        public_cells.FILE.forget()
        again = made(rt)
        assert first is not None and again is not None and again is not first
        assert again.cells == first.cells
        assert again.area_of_loads(numbers[5:600]) == first.area_of_loads(numbers[5:600]) is not None
        assert path.read_bytes() == whole  # what was damaged is written anew
    # Another network has places of its own, and the file of the one before goes.
    import_town(rt, tmp_path, 4_000)
    grown = made(rt)
    assert grown is not None and grown.area_of_loads(np.array([3_999])) is not None
    assert [one for one in folder.glob("*.hexagons") if one != path] and not path.exists()


def test_cells_of_the_database_come_back(rt: Runtime) -> None:
    with rt.database.write() as session:
        cell_queries.add_cells(session, 32650, {(1, -2): 0, (3, 4): 1})
    with rt.database.read() as session:
        assert cell_queries.cells(session, 32650) == {(1, -2): 0, (3, 4): 1}
        assert cell_queries.cells(session, 32651) == {}
