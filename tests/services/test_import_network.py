"""Importing a network: in force as a whole or not at all, and never twice the same."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
from sqlalchemy import func, inspect, select

from geo.model import Network
from geo.readers import draft, read_network
from outage_notify.domain.errors import ImportRefused
from outage_notify.services.import_customers import import_customers
from outage_notify.services.import_network import import_network
from outage_notify.services.runtime import Runtime
from outage_notify.store import network_queries
from outage_notify.store.network_tables import NetworkElement, NetworkVersion
from tests.factories.customer_files import customer_row, write_customers
from tests.factories.runtimes import make_runtime

SAMPLE = Path(__file__).parents[2] / "outage_notify" / "sample" / "network" / "oberrhein_schutterwald.json"


def _point(id: str, kind: str, **properties: object) -> dict[str, object]:
    lon = 7.8 + len(id) / 1000
    geometry = {"type": "Point", "coordinates": [lon, 48.4]}
    return {"type": "Feature", "geometry": geometry, "properties": {"id": id, "kind": kind, **properties}}


@pytest.fixture
def rt(database_url: str, tmp_path: Path) -> Runtime:
    return make_runtime(database_url, tmp_path)


def _versions(rt: Runtime) -> list[tuple[int, bool]]:
    with rt.database.read() as session:
        rows = session.execute(select(NetworkVersion.id, NetworkVersion.in_force).order_by(NetworkVersion.id))
        return [(id, in_force) for id, in_force in rows]


def _in_force(rt: Runtime) -> Network:
    with rt.database.read() as session:
        version = network_queries.current_version(session)
        assert version is not None
        return Network.from_rows(network_queries.element_rows(session, version.id))


def test_what_is_stored_is_what_was_read(rt: Runtime) -> None:
    report = import_network(rt, SAMPLE)
    network = read_network(SAMPLE).network
    assert network is not None
    assert _in_force(rt) == network
    assert report.counts["elements"]["load"] == sum(1 for _ in network.of_kind("load"))
    with rt.database.read() as session:
        loads = frozenset(network_queries.loads_of(session, report.version or 0))
    assert loads == {one.id for one in network if one.is_load}


def test_the_same_file_again_is_a_no_op_that_says_so(rt: Runtime) -> None:
    first = import_network(rt, SAMPLE)
    again = import_network(rt, SAMPLE)
    assert (first.unchanged, again.unchanged) == (False, True)
    assert again.counts["elements"] == first.counts["elements"]
    assert len(_versions(rt)) == 1


def test_a_newer_file_takes_over_and_the_older_stays(rt: Runtime, tmp_path: Path) -> None:
    first = import_network(rt, SAMPLE)
    copy = tmp_path / "newer.json"
    copy.write_bytes(SAMPLE.read_bytes() + b"\n")
    second = import_network(rt, copy)
    assert _versions(rt) == [(first.version, False), (second.version, True)]
    with rt.database.read() as session:
        rows = session.execute(
            select(NetworkElement.version_ref, func.count()).group_by(NetworkElement.version_ref)
        ).all()
    assert len({count for _, count in rows}) == 1 and len(rows) == 2


def test_a_dry_run_changes_nothing(rt: Runtime) -> None:
    report = import_network(rt, SAMPLE, dry_run=True)
    assert report.dry_run and report.version is None
    assert _versions(rt) == []


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("", "empty"),
        ("{", "JSON"),
        (json.dumps({"type": "FeatureCollection", "features": []}), "bus"),
        (json.dumps({"type": "FeatureCollection", "features": [_point("bus:1", "bus")]}), "source"),
    ],
)
def test_a_faulty_file_leaves_the_old_network_in_force(
    rt: Runtime, tmp_path: Path, content: str, word: str
) -> None:
    first = import_network(rt, SAMPLE)
    path = tmp_path / "bad.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ImportRefused) as refused:
        import_network(rt, path)
    assert refused.value.faults and all(str(one).startswith("bad.json") for one in refused.value.faults)
    assert _versions(rt) == [(first.version, True)]


def test_a_missing_file_is_a_fault(rt: Runtime, tmp_path: Path) -> None:
    with pytest.raises(ImportRefused) as refused:
        import_network(rt, tmp_path / "none.json")
    assert "no such file" in str(refused.value.faults[0])


def test_customers_on_loads_that_vanish_are_named(rt: Runtime, tmp_path: Path) -> None:
    import_customers(
        rt, write_customers(tmp_path / "c.csv", [customer_row(1), customer_row(2, element="load:99999")])
    )
    report = import_network(rt, SAMPLE)
    (warning,) = [one for one in report.warnings if "service points" in one.message]
    assert "load:99999" in warning.message and "load:1," not in warning.message


def test_the_first_import_leaves_every_index_and_constraint_in_place(rt: Runtime, tmp_path: Path) -> None:
    """They are put off while empty tables are filled."""

    def schema() -> dict[str, list[str]]:
        with rt.database.read() as session:
            ask = inspect(session.connection())
            return {
                table: sorted(
                    str(one["name"])
                    for found in (
                        ask.get_indexes(table),
                        ask.get_unique_constraints(table),
                        ask.get_foreign_keys(table),
                    )
                    for one in found
                )
                for table in ("network_elements", "customers", "sites", "service_points", "contact_points")
            }

    before = schema()
    import_network(rt, SAMPLE, dry_run=True)
    assert schema() == before
    import_network(rt, SAMPLE)
    import_customers(rt, write_customers(tmp_path / "c.csv", [customer_row(element="load:7")]))
    assert schema() == before and all(before.values())


def test_no_room_for_rows_that_wait_is_said_and_changes_nothing(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **more: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(draft, "PIECE", 50)
    monkeypatch.setattr("geo.readers.draft.tempfile.TemporaryFile", full)
    with pytest.raises(ImportRefused) as refused:
        import_network(rt, SAMPLE)
    (fault,) = refused.value.faults
    assert "No space left on device" in fault.message and "TMPDIR" in fault.remedy
    assert not _versions(rt)
