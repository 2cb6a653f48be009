"""Calendars for anybody: right by feeder, area and place, and silent about people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar

from channels.model import Language
from outage_notify.domain.errors import InvalidInput
from outage_notify.domain.outage import OutageState
from outage_notify.services import open_formats
from outage_notify.services.open_formats import Publisher
from outage_notify.services.publish_area_calendar import By, area_feed, choices
from outage_notify.services.publish_map import STAYS_AFTER_END, public_list
from outage_notify.services.runtime import Runtime
from outage_notify.store import network_queries
from outage_notify.store.outage_tables import Outage
from tests.factories.people import NOW, add_customer, add_outage
from tests.factories.runtimes import StandingClock, make_runtime

POLYGON = {"type": "Polygon", "coordinates": [[[7.9, 48.4], [8.1, 48.4], [8.1, 48.6], [7.9, 48.4]]]}


@pytest.fixture
def rt(migrated_url: str, tmp_path: Path) -> Iterator[Runtime]:
    runtime = make_runtime(migrated_url, tmp_path)
    yield runtime
    runtime.database.close()


def element(number: int, feeder: str) -> dict[str, Any]:
    empty = dict.fromkeys(network_queries._SHARED)
    return empty | {
        "id": f"load:{number}",
        "kind": "load",
        "name": "",
        "feeder": feeder,
        "in_service": True,
        "phases": "ABC",
        "attrs": {},
    }


@pytest.fixture
def outage(rt: Runtime) -> Outage:
    with rt.database.write() as session:
        rows = [element(1, "Line 62"), element(2, "Line 7")]
        network = network_queries.insert_version(
            session, rows, imported_at=NOW, imported_by="paula", file_name="f", format="geojson", sha256="0"
        )
        customer = add_customer(session, name="Secret Hospital", places=("77 Hidden Road",))
        outage = add_outage(session, [customer])
        standing = outage.standing
        standing.area, standing.line = "Old Town", "Mill Street to Bridge"
        standing.lost, standing.network_ref, standing.public_area = ["load:1"], network, POLYGON
        return outage


def events(rt: Runtime, by: By, name: str = "", language: Language = Language.EN) -> list[Any]:
    return list(Calendar.from_ical(area_feed(rt, by, name, language).body).walk("VEVENT"))


@pytest.mark.parametrize(
    ("by", "name", "found"),
    [
        (By.ALL, "", 1),
        (By.AREA, "old town", 1),
        (By.AREA, "Old", 0),
        (By.PLACE, "mill street", 1),
        (By.PLACE, "Hidden Road", 0),
        (By.FEEDER, "Line 62", 1),
        (By.FEEDER, "Line 7", 0),
        (By.FEEDER, "Line", 0),
    ],
)
def test_it_holds_what_was_asked_for(rt: Runtime, outage: Outage, by: By, name: str, found: int) -> None:
    assert len(events(rt, by, name)) == found


def test_it_names_no_person_and_no_element(rt: Runtime, outage: Outage) -> None:
    body = area_feed(rt, By.ALL, "", Language.EN).body.decode()
    for secret in ("Secret Hospital", "Hidden", "load:", "Ines", "+49302312525"):
        assert secret not in body
    (event,) = events(rt, By.ALL)
    assert (event["LOCATION"], event["STATUS"]) == ("Old Town", "CONFIRMED")
    assert (event["GEO"].latitude, event["GEO"].longitude) == (48.5, 8.0)


def test_the_open_data_and_the_calendar_hold_the_same_entries(rt: Runtime, outage: Outage) -> None:
    publisher = Publisher(rt.settings.utility, rt.settings.base_url, rt.settings.hotline)
    for language in Language:
        document = open_formats.calendar(public_list(rt).outages, publisher, language, NOW)
        assert document == area_feed(rt, By.ALL, "", language).body


def test_cancelled_stays_as_long_as_on_the_list(rt: Runtime, outage: Outage) -> None:
    with rt.database.write() as session:
        row = session.get_one(Outage, outage.id)
        row.state, row.cancelled_at, row.changed_at = OutageState.CANCELLED, NOW, NOW
    assert [one["STATUS"] for one in events(rt, By.ALL)] == ["CANCELLED"]
    assert isinstance(rt.clock, StandingClock)
    rt.clock.instant = NOW + STAYS_AFTER_END - timedelta(seconds=1)
    assert len(events(rt, By.ALL)) == 1
    rt.clock.instant = NOW + STAYS_AFTER_END
    assert events(rt, By.ALL) == []


def test_it_is_rendered_once_and_in_both_languages(rt: Runtime, outage: Outage) -> None:
    for _ in range(3):
        english = area_feed(rt, By.ALL, "", Language.EN)
    chinese = area_feed(rt, By.ALL, "", Language.ZH)
    assert rt.public_feeds.rendered == 2
    assert "停电" in chinese.body.decode() and "停电" not in english.body.decode()


def test_the_choices_are_feeders_and_areas(rt: Runtime, outage: Outage) -> None:
    assert choices(rt) == (("Line 62", "Line 7"), ("Old Town",))


@pytest.mark.parametrize("name", ["", "x" * 201, "a\x00b"])
def test_what_is_no_name_is_refused(rt: Runtime, name: str) -> None:
    with pytest.raises(InvalidInput):
        area_feed(rt, By.PLACE, name, Language.EN)
