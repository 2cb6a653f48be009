"""The network in force comes from one shared file, and from the database where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from geo.grid_build import grid_of
from geo.model import Network
from geo.resolve import resolve
from outage_notify.services import network_in_force
from outage_notify.services.network_in_force import load_network
from outage_notify.services.resolve_audience import Switching
from outage_notify.services.runtime import Runtime
from outage_notify.services.switching_advice import advised
from outage_notify.store import network_queries
from outage_notify.store.tracing_columns import tracing_columns
from tests.factories.people import NOW
from tests.factories.random_networks import random_network
from tests.factories.runtimes import make_runtime


@pytest.fixture
def rt(database_url: str, tmp_path: Path) -> Runtime:
    return make_runtime(database_url, tmp_path)


def store(rt: Runtime, seed: int, phased: bool = True) -> None:
    with rt.database.write() as session:
        network_queries.insert_version(
            session,
            random_network(seed, 25, 40, phased).to_rows(),
            imported_at=NOW,
            imported_by="test",
            file_name=f"{seed}.json",
            format="json",
            sha256=str(seed),
        )


def files(rt: Runtime) -> list[Path]:
    return sorted((Path(rt.settings.state_dir) / "networks").iterdir())


def forget() -> None:
    """As a process that has just started."""
    network_in_force._loaded.clear()


def lost(rt: Runtime) -> list[tuple[str, ...]]:
    with rt.database.read() as session:
        _, loaded = load_network(session, rt)
    return [resolve(loaded.grid, out=[f"bus:{number}"]).lost for number in range(25)]


def test_columns_from_the_database_answer_like_the_elements(rt: Runtime) -> None:
    for seed, phased in ((3, False), (4, True), (5, True)):
        store(rt, seed, phased)
        network = random_network(seed, 25, 40, phased)
        grid = grid_of(network)
        with rt.database.read() as session:
            version, loaded = load_network(session, rt)
            assert tracing_columns(session, version).keys() == grid.ids.tables.keys()
            assert Network.from_rows(network_queries.element_rows(session, version)) == network
        for name in network.elements:
            found = resolve(loaded.grid, out=[name], close_ties=True)
            assert found == resolve(grid, out=[name], close_ties=True)


def test_the_file_is_written_once_used_again_and_replaced_with_its_version(rt: Runtime) -> None:
    store(rt, 1)
    first = lost(rt)
    (path,) = files(rt)
    written = path.stat().st_mtime_ns
    forget()
    assert (lost(rt), path.stat().st_mtime_ns) == (first, written)
    store(rt, 2)
    assert lost(rt) != first
    assert len(files(rt)) == 1 and files(rt) != [path]


def test_a_damaged_file_is_built_anew(rt: Runtime) -> None:
    store(rt, 1)
    first = lost(rt)
    (path,) = files(rt)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    forget()
    assert lost(rt) == first
    assert path.read_bytes() == whole


def test_where_no_file_can_be_written_tracing_goes_on(rt: Runtime) -> None:
    store(rt, 1)
    (Path(rt.settings.state_dir) / "networks").write_text("in the way")
    forget()
    assert advised(rt, Switching(out=("bus:3",)))["lost"] == list(lost(rt)[3])
