"""What machines read in a feed: MAINTNOTE for telecom and data centres, and where the site is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar

from channels.maintnote import Maintnote
from outage_notify.domain.audience import Impact
from outage_notify.domain.outage import OutageState
from outage_notify.services import publish_calendar
from outage_notify.services.runtime import Runtime
from outage_notify.store import network_queries
from outage_notify.store.outage_tables import Outage
from outage_notify.store.people_tables import Customer
from tests.factories.people import NOW, START, add_customer, add_outage
from tests.factories.runtimes import make_runtime


@pytest.fixture
def rt(migrated_url: str, tmp_path: Path) -> Iterator[Runtime]:
    runtime = make_runtime(migrated_url, tmp_path)
    yield runtime
    runtime.database.close()


def event(rt: Runtime, customer: Customer) -> Any:
    feed = publish_calendar.customer_feed(rt, customer.feed_secret)
    assert feed is not None
    (found,) = Calendar.from_ical(feed.body).walk("VEVENT")
    return found


@pytest.mark.parametrize(
    ("impact", "says"),
    [
        (Impact.OUTAGE, "OUTAGE"),
        (Impact.REDUCED_REDUNDANCY, "REDUCED-REDUNDANCY"),
        (Impact.MOMENTARY, "DEGRADED"),
    ],
)
def test_a_telecom_site_reads_what_is_hit_and_how(rt: Runtime, impact: Impact, says: str) -> None:
    with rt.database.write() as session:
        customer = add_customer(session, customer_id="T1", kind="Data centre")
        outage = add_outage(session, [customer], impact=impact)
        point = customer.service_points[0].service_point_id
    found = event(rt, customer)
    assert {name: str(found[name]) for name in found if name.startswith("X-MAINTNOTE")} == {
        "X-MAINTNOTE-PROVIDER": rt.settings.utility,
        "X-MAINTNOTE-ACCOUNT": "T1",
        "X-MAINTNOTE-MAINTENANCE-ID": outage.reference,
        "X-MAINTNOTE-OBJECT-ID": point,
        "X-MAINTNOTE-IMPACT": says,
        "X-MAINTNOTE-STATUS": "CONFIRMED",
        "X-MAINTNOTE-PRECEDENCE": "PLANNED",
    }
    assert found["X-MAINTNOTE-OBJECT-ID"].params["X-MAINTNOTE-OBJECT-IMPACT"] == says


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (OutageState.ACTIVE, "IN-PROCESS"),
        (OutageState.COMPLETED, "COMPLETED"),
        (OutageState.CANCELLED, "CANCELLED"),
    ],
)
def test_its_status_follows_the_work(rt: Runtime, state: OutageState, says: str) -> None:
    with rt.database.write() as session:
        customer = add_customer(session, kind="telecom")
        outage = add_outage(session, [customer])
    with rt.database.write() as session:
        row = session.get_one(Outage, outage.id)
        row.state, row.cancelled_at, row.completed_at = state, NOW, START
    assert event(rt, customer)["X-MAINTNOTE-STATUS"] == says


def test_other_customers_are_spared_it(rt: Runtime) -> None:
    with rt.database.write() as session:
        customer = add_customer(session, kind="hospital")
        add_outage(session, [customer])
    assert not [name for name in event(rt, customer) if name.startswith("X-MAINTNOTE")]


def test_a_status_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="PERHAPS"):
        Maintnote("us", "T1", "PO-1", (), "PERHAPS")


def test_a_site_is_where_its_load_or_the_loads_bus_is(rt: Runtime) -> None:
    empty = dict.fromkeys(network_queries._SHARED) | {"name": "", "in_service": True, "phases": "ABC"}
    at = {"min_lon": 7.88, "max_lon": 7.88, "min_lat": 48.47, "max_lat": 48.47}
    rows: list[dict[str, Any]] = [
        {**empty, **at, "id": "bus:9", "kind": "bus", "attrs": {}},
        {**empty, "id": "load:1", "kind": "load", "bus_a": "bus:9", "attrs": {}},
    ]
    with rt.database.write() as session:
        customer = add_customer(session)
        add_outage(session, [customer])
    assert "GEO" not in event(rt, customer)
    with rt.database.write() as session:
        network_queries.insert_version(
            session, rows, imported_at=NOW, imported_by="paula", file_name="f", format="geojson", sha256="0"
        )
    geo = event(rt, customer)["GEO"]
    assert (geo.latitude, geo.longitude) == (48.47, 7.88)
