"""A customers' file that was wrong is taken back: the list before is in force again, and nothing else changes."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from sqlalchemy import select

from geo.geojson import write_network
from geo.model import Network
from outage_notify.cli import main
from outage_notify.domain.errors import Conflict, ImportRefused, NotFound
from outage_notify.services import customer_lists
from outage_notify.services.import_customers import import_customers, undo_customers
from outage_notify.services.import_network import import_network
from outage_notify.services.runtime import Runtime
from outage_notify.store.people_tables import Customer, ServicePoint
from tests.factories.customer_files import customer_row, write_customers
from tests.factories.runtimes import make_runtime
from tests.factories.small_networks import Build, street


@pytest.fixture
def rt(database_url: str, tmp_path: Path) -> Runtime:
    return make_runtime(database_url, tmp_path / "state")


def write(path: Path, network: Network) -> Path:
    path.write_text(json.dumps(write_network(network)), encoding="utf-8")
    return path


def present(rt: Runtime) -> dict[str, tuple[int, str, str, str]]:
    """Customer id to row, name, secret and place of those who are present."""
    with rt.database.read() as session:
        query = select(Customer, ServicePoint).join(ServicePoint, ServicePoint.customer_ref == Customer.id)
        rows = session.execute(query.where(Customer.gone_at.is_(None), ServicePoint.gone_at.is_(None)))
        return {one.customer_id: (one.id, one.name, one.feed_secret, point.place) for one, point in rows}


def files(rt: Runtime) -> list[Path]:
    return [one for one in (Path(rt.settings.state_dir) / "customers").rglob("*") if one.is_file()]


def test_the_list_before_comes_back_with_everybodys_identity(rt: Runtime, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no earlier list"):
        undo_customers(rt)
    good = write_customers(tmp_path / "good.csv", [customer_row(1), customer_row(2)])
    import_customers(rt, good)
    with pytest.raises(NotFound, match="no earlier list"):
        undo_customers(rt)
    before = present(rt)
    wrong = [customer_row(1, name="Somebody else", place="nowhere"), customer_row(3)]
    import_customers(rt, write_customers(tmp_path / "wrong.csv", wrong))
    assert present(rt) != before
    # The same file once more is no newer list.
    assert import_customers(rt, tmp_path / "wrong.csv").unchanged
    dry = undo_customers(rt, dry_run=True)
    assert dry.counts["customers"] == {"added": 1, "changed": 1, "gone": 1, "same": 0}
    assert dry.file == "good.csv" and present(rt) != before
    good.unlink()
    undone = undo_customers(rt, by="li.na")
    assert undone.counts == dry.counts and present(rt) == before
    with pytest.raises(NotFound):
        undo_customers(rt)
    # Forward again, and back again.
    import_customers(rt, tmp_path / "wrong.csv")
    undo_customers(rt)
    assert present(rt) == before


def test_two_files_are_kept_for_their_owner_alone_and_a_damaged_one_is_not_used(
    rt: Runtime, tmp_path: Path
) -> None:
    for number in (1, 2, 3):
        import_customers(rt, write_customers(tmp_path / "c.csv", [customer_row(number)]))
    import_customers(rt, write_customers(tmp_path / "c.csv", [customer_row(4)]), dry_run=True)
    kept = files(rt)
    assert len(kept) == 2 and {stat.S_IMODE(one.stat().st_mode) for one in kept} == {0o600}
    (older,) = [one for one in kept if b"C2" in one.read_bytes()]
    older.chmod(0o600)
    older.write_bytes(older.read_bytes().replace(b"C2", b"C9"))
    with pytest.raises(NotFound, match="not kept on this machine"):
        undo_customers(rt)
    assert list(present(rt)) == ["C3"]


def test_a_list_that_does_not_fit_the_network_any_more_is_refused(rt: Runtime, tmp_path: Path) -> None:
    import_network(rt, write(tmp_path / "one.geojson", street()))
    import_customers(rt, write_customers(tmp_path / "a.csv", [customer_row(6)]))
    import_customers(rt, write_customers(tmp_path / "b.csv", [customer_row(1)]))
    small = Build().buses(2).add("ext_grid:0", 0).add("line:1", 0, 1).add("load:1", 1).network()
    import_network(rt, write(tmp_path / "two.geojson", small))
    with pytest.raises(ImportRefused) as refused:
        undo_customers(rt)
    (fault,) = refused.value.faults
    assert (fault.file, fault.line, fault.field) == ("a.csv", 2, "element")
    assert list(present(rt)) == ["C1"]


def test_another_import_meanwhile_is_not_overwritten(rt: Runtime, tmp_path: Path) -> None:
    for number in (1, 2):
        import_customers(rt, write_customers(tmp_path / "c.csv", [customer_row(number)]))
    third = write_customers(tmp_path / "third.csv", [customer_row(3)])
    came: list[str] = []

    def meddle(phase: str, share: float) -> None:
        if phase == "comparing" and not came:
            came.append(import_customers(rt, third).file)

    with pytest.raises(Conflict, match="meanwhile"):
        undo_customers(rt, progress=meddle)
    assert came == ["third.csv"] and list(present(rt)) == ["C3"]


def test_no_room_to_keep_it_is_said_and_the_import_goes_on(
    rt: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_customers(rt, write_customers(tmp_path / "a.csv", [customer_row(1)]))

    def full(rt: Runtime, path: Path) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(customer_lists, "keep", full)
    report = import_customers(rt, write_customers(tmp_path / "b.csv", [customer_row(2)]))
    assert "No space left on device" in str(report.warnings[-1]) and list(present(rt)) == ["C2"]
    monkeypatch.undo()
    # What came before is kept, so this one can be undone; the next one can't.
    undo_customers(rt, dry_run=True)
    import_customers(rt, write_customers(tmp_path / "c.csv", [customer_row(3)]))
    with pytest.raises(NotFound):
        undo_customers(rt)


def test_the_command(
    rt: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {
        "SIMULATOR": "1",
        "STATE_DIR": rt.settings.state_dir,
        "DATABASE_URL": rt.settings.database_url,
    }.items():
        monkeypatch.setenv(f"OUTAGE_NOTIFY_{name}", value)
    assert main(["import", "customers", "--undo"]) == 2
    assert "no earlier list" in capsys.readouterr().err
    for number in (1, 2):
        path = write_customers(tmp_path / "c.csv", [customer_row(number)])
        assert main(["import", "customers", str(path)]) == 0
    assert main(["import", "customers", str(path), "--undo"]) == 2
    assert main(["import", "customers"]) == 2
    capsys.readouterr()
    assert main(["import", "customers", "--undo", "--dry-run"]) == 0
    assert "nothing was changed" in capsys.readouterr().out and list(present(rt)) == ["C2"]
    assert main(["import", "customers", "--undo"]) == 0
    assert "1 added" in capsys.readouterr().out and list(present(rt)) == ["C1"]
