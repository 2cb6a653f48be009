"""Importing customers: all or nothing, identity kept, whatever the order and the encoding of the file."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import inspect, select
from sqlalchemy.exc import IntegrityError

from channels.model import Channel, Language
from outage_notify.domain.audience import Tier
from outage_notify.domain.errors import ImportRefused
from outage_notify.services.import_customers import import_customers
from outage_notify.services.runtime import Runtime
from outage_notify.store.feed_tables import Publication
from outage_notify.store.people_tables import ContactPoint, Customer, GridManager, ServicePoint, Site
from outage_notify.store.work_tables import Event
from tests.factories.customer_files import customer_row, write_customers
from tests.factories.people import NOW
from tests.factories.runtimes import StandingClock, make_runtime

SAMPLE = Path(__file__).parents[2] / "outage_notify" / "sample" / "customers.csv"


@pytest.fixture
def rt(database_url: str, tmp_path: Path) -> Runtime:
    return make_runtime(database_url, tmp_path)


def _customer(rt: Runtime, customer_id: str) -> Customer:
    with rt.database.read() as session:
        found = session.scalars(select(Customer).where(Customer.customer_id == customer_id)).one()
        _ = [(one.site, one.grid_manager) for one in found.service_points], list(found.contacts)
        return found


def test_a_file_becomes_customers_sites_feeds_and_contacts(rt: Runtime, tmp_path: Path) -> None:
    rows = [
        customer_row(1, name="人民医院", tier="一级", language="zh-CN", voice="+12125550111", site_id="H"),
        customer_row(
            2,
            customer_id="C1",
            site_id="H",
            name="",
            tier="",
            language="",
            sms="",
            email="",
            backup_name="值班长",
            backup_phone="+1 (212) 555-0112",
        ),
    ]
    report = import_customers(rt, write_customers(tmp_path / "c.csv", rows))
    assert report.counts["customers"] == {"added": 1, "changed": 0, "gone": 0, "same": 0}
    assert report.counts["service_points"]["added"] == 2
    found = _customer(rt, "C1")
    assert (found.name, found.tier, found.language) == ("人民医院", Tier.FIRST, Language.ZH)
    assert {one.element for one in found.service_points} == {"load:1", "load:2"}
    # Two rows of one customer and site are feeds of the same site.
    assert len({one.site_ref for one in found.service_points}) == 1
    assert {(one.channel, one.address, one.backup, one.person) for one in found.contacts} == {
        (Channel.SMS, "+12125550101", False, ""),
        (Channel.VOICE, "+12125550111", False, ""),
        (Channel.EMAIL, "c1@example.com", False, ""),
        (Channel.LETTER, "1 River Road", False, ""),
        (Channel.SMS, "+12125550112", True, "值班长"),
        (Channel.VOICE, "+12125550112", True, "值班长"),
    }
    assert found.service_points[0].grid_manager is not None
    assert found.service_points[0].grid_manager.name == "Ines Vogt"


def test_the_same_file_twice_changes_nothing(rt: Runtime, tmp_path: Path) -> None:
    path = write_customers(tmp_path / "c.csv", [customer_row(n) for n in range(1, 30)])
    assert not import_customers(rt, path).unchanged
    again = import_customers(rt, path)
    assert again.unchanged
    assert {name: found["same"] for name, found in again.counts.items()} == {
        "customers": 29,
        "service_points": 29,
        "contacts": 87,
    }


def test_identity_secret_and_marks_survive_a_new_import(rt: Runtime, tmp_path: Path) -> None:
    path = write_customers(tmp_path / "c.csv", [customer_row(1), customer_row(2)])
    import_customers(rt, path)
    before = _customer(rt, "C1")
    with rt.database.write() as session:
        sms = session.scalars(
            select(ContactPoint).where(
                ContactPoint.customer_ref == before.id, ContactPoint.channel == Channel.SMS
            )
        ).one()
        sms.bad_at, sms.bad_reason, sms.opted_out_at = NOW, "number does not exist", NOW
    changed = customer_row(1, name="Renamed", element="load:9", email="new@example.com")
    report = import_customers(rt, write_customers(path, [changed, customer_row(2)]))
    after = _customer(rt, "C1")
    assert (after.id, after.feed_secret, after.name) == (before.id, before.feed_secret, "Renamed")
    assert [one.id for one in after.service_points] == [one.id for one in before.service_points]
    assert after.service_points[0].element == "load:9"
    marks = {
        one.channel: (one.bad_reason, one.opted_out_at)
        for one in after.contacts
        if one.address != "new@example.com"
    }
    assert marks[Channel.SMS] == ("number does not exist", NOW)
    usable = {one.address for one in after.contacts if one.usable and one.channel is Channel.EMAIL}
    assert usable == {"new@example.com"}
    assert report.counts["contacts"] == {"added": 1, "changed": 0, "gone": 1, "same": 5}


def test_who_left_is_marked_and_can_come_back(rt: Runtime, tmp_path: Path) -> None:
    both, one = [customer_row(1), customer_row(2)], [customer_row(1)]
    path = write_customers(tmp_path / "c.csv", both)
    import_customers(rt, path)
    first = _customer(rt, "C2")
    report = import_customers(rt, write_customers(path, one))
    assert (report.counts["customers"]["gone"], report.counts["service_points"]["gone"]) == (1, 1)
    left = _customer(rt, "C2")
    assert left.gone_at == NOW and left.service_points[0].gone_at == NOW
    # A second import without it does not move the date.
    assert isinstance(rt.clock, StandingClock)
    rt.clock.instant = NOW + timedelta(days=1)
    assert import_customers(rt, path).counts["customers"]["gone"] == 0
    assert _customer(rt, "C2").gone_at == NOW
    report = import_customers(rt, write_customers(path, both))
    back = _customer(rt, "C2")
    assert report.counts["customers"]["added"] == 1
    assert (back.id, back.feed_secret, back.gone_at) == (first.id, first.feed_secret, None)


def test_an_address_that_left_is_not_used_until_it_comes_back(rt: Runtime, tmp_path: Path) -> None:
    old, new = customer_row(1), customer_row(1, sms="+12125550199")
    path = write_customers(tmp_path / "c.csv", [old])
    import_customers(rt, path)
    import_customers(rt, write_customers(path, [new]))
    texts = {one.address: one.usable for one in _customer(rt, "C1").contacts if one.channel is Channel.SMS}
    assert texts == {"+12125550101": False, "+12125550199": True}
    import_customers(rt, write_customers(path, [old]))
    texts = {one.address: one.usable for one in _customer(rt, "C1").contacts if one.channel is Channel.SMS}
    assert texts == {"+12125550101": True, "+12125550199": False}


def test_a_feed_can_go_to_another_customer(rt: Runtime, tmp_path: Path) -> None:
    path = write_customers(tmp_path / "c.csv", [customer_row(1), customer_row(2)])
    import_customers(rt, path)
    before = _customer(rt, "C1").service_points[0].id
    second = customer_row(3, customer_id="C2", service_point_id="P1", site_id="S9", name="", sms="", email="")
    moved = [customer_row(2), second]
    report = import_customers(rt, write_customers(path, moved))
    assert report.counts["service_points"] == {"added": 0, "changed": 1, "gone": 0, "same": 1}
    assert {one.id for one in _customer(rt, "C2").service_points} >= {before}
    assert _customer(rt, "C1").gone_at == NOW


def test_a_dry_run_counts_and_changes_nothing(rt: Runtime, tmp_path: Path) -> None:
    path = write_customers(tmp_path / "c.csv", [customer_row(1), customer_row(2)])
    report = import_customers(rt, path, dry_run=True)
    assert report.dry_run and report.counts["customers"]["added"] == 2
    with rt.database.read() as session:
        for table in (Customer, ServicePoint, Site, ContactPoint, GridManager, Event):
            assert session.scalars(select(table)).all() == []


def test_one_fault_stops_all_of_it(rt: Runtime, tmp_path: Path) -> None:
    rows = [customer_row(1), customer_row(2, tier="GOLD")]
    with pytest.raises(ImportRefused):
        import_customers(rt, write_customers(tmp_path / "c.csv", rows))
    with rt.database.read() as session:
        assert session.scalars(select(Customer)).all() == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_encodings_are_recognised(tmp_path: Path, encoding: str) -> None:
    rt = make_runtime(f"sqlite:///{tmp_path / 'x.db'}", tmp_path)
    rows = [customer_row(1, name="张建国", place="人民路12号"), customer_row(2, name="Zoë Weiß", place="街")]
    import_customers(rt, write_customers(tmp_path / "c.csv", rows, encoding))
    assert _customer(rt, "C1").service_points[0].place == "人民路12号"
    assert _customer(rt, "C2").name == "Zoë Weiß"


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.text("㐀一丁龥张王李路号楼乡镇，。（）\n\r \"',;aZ9", min_size=1, max_size=12),
        min_size=1,
        max_size=8,
    )
)
def test_any_text_survives_either_encoding(tmp_path: Path, names: list[str]) -> None:
    """What a spreadsheet writes by RFC 4180 comes back, line breaks as spaces; never a guess at mixed encodings."""
    rows = [customer_row(n, name=f"客户{name}户", place="人民路") for n, name in enumerate(names, 1)]
    found = []
    for encoding in ("utf-8", "gb18030"):
        folder = tmp_path / encoding
        folder.mkdir(exist_ok=True)
        (folder / "x.db").unlink(missing_ok=True)
        rt = make_runtime(f"sqlite:///{folder / 'x.db'}", folder)
        import_customers(rt, write_customers(folder / "c.csv", rows, encoding))
        found.append([_customer(rt, f"C{n}").name for n in range(1, len(names) + 1)])
        rt.database.close()
    assert found[0] == found[1]
    assert [" ".join(name.split()) for name in found[0]] == [" ".join(row["name"].split()) for row in rows]


def test_the_sample_is_imported_whole(tmp_path: Path) -> None:
    rt = make_runtime(f"sqlite:///{tmp_path / 'x.db'}", tmp_path)
    report = import_customers(rt, SAMPLE)
    rows = sum(1 for _ in SAMPLE.open(encoding="utf-8")) - 1
    assert report.counts["service_points"] == {"added": rows, "changed": 0, "gone": 0, "same": 0}
    assert len(_customer(rt, "LIGHTS").service_points) > 30


def test_the_first_import_leaves_every_reference_as_it_was(rt: Runtime, tmp_path: Path) -> None:
    """References are set aside while empty tables are filled; afterwards the database still refuses orphans."""

    def references() -> set[tuple[str, str]]:
        with rt.database.read() as session:
            about = inspect(session.connection())
            tables = ("sites", "service_points", "contact_points")
            return {(one, str(key["name"])) for one in tables for key in about.get_foreign_keys(one)}

    before, marks = references(), _marks(rt)
    rows = [customer_row(number, site_id="S", service_point_id=f"P{number}") for number in (1, 1)]
    rows[1]["service_point_id"] = "P1b"
    import_customers(rt, write_customers(tmp_path / "c.csv", [*rows, customer_row(2)]))
    assert references() == before
    assert _marks(rt)[0] > marks[0] and _marks(rt)[1] != marks[1]
    assert len({point.site_ref for point in _customer(rt, "C1").service_points}) == 1
    with pytest.raises(IntegrityError), rt.database.write() as session:
        session.add(Site(customer_ref=99_999, site_id="nowhere"))
    # Who came by COPY and who comes by the mapped way get identifiers from one sequence.
    import_customers(rt, write_customers(tmp_path / "d.csv", [*rows, *map(customer_row, (2, 3, 4))]))
    assert _customer(rt, "C4").id > _customer(rt, "C2").id


def _marks(rt: Runtime) -> tuple[int, str]:
    """The version of what is published, and the mark of the people."""
    with rt.database.read() as session:
        row = session.execute(select(Publication.version, Publication.people)).one()
        return row[0], row[1]
