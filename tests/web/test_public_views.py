"""Views of map and list: filters, pages of a long list, the embedded map, the page of one outage."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outage_notify.domain.errors import InvalidInput
from outage_notify.services import plan_outage, run_outage, start_gate
from outage_notify.services.approve_outage import approve
from outage_notify.services.public_facts import ENDED, Phase, PublicList
from outage_notify.services.public_filter import View, When
from outage_notify.services.runtime import Runtime
from tests.factories import town
from tests.factories.people import NOW, START
from tests.factories.public_outages import lists, outage
from tests.web.conftest import Person, turn

ZONE = ZoneInfo("Europe/Berlin")


def shown(view: View, *found: object) -> list[str]:
    listed = PublicList(NOW, tuple(found))  # type: ignore[arg-type]
    return [one.reference[-1] for one in view.applied(listed, NOW, ZONE).outages]


def test_the_spans_of_time() -> None:
    found = [
        outage(1, start=NOW + timedelta(hours=23)),
        outage(2, start=NOW + timedelta(days=6)),
        outage(3, start=NOW + timedelta(days=29)),
        outage(4, start=NOW + timedelta(days=40)),
        outage(5, Phase.ACTIVE, start=NOW - timedelta(hours=1)),
        outage(6, Phase.OVERRUN, start=NOW - timedelta(days=2)),
        outage(7, Phase.RESTORED, start=NOW - timedelta(days=1)),
        outage(8, Phase.CANCELLED, start=NOW + timedelta(days=2)),
    ]
    expected = {
        When.ALL: "12345678",
        When.NOW: "56",
        When.DAY: "156",
        When.WEEK: "12568",
        When.MONTH: "123568",
    }
    assert {when: "".join(shown(View(when), *found)) for when in expected} == expected
    assert shown(View(When.ALL, phase=Phase.OVERRUN), *found) == ["6"]


def test_a_date_is_the_local_one() -> None:
    # 23:30 UTC on the 11th is 00:30 on the 12th in Berlin.
    late = outage(1, start=datetime(2026, 3, 11, 23, 30, tzinfo=UTC), hours=1)
    assert shown(View(When.DATE, date(2026, 3, 12)), late) == ["1"]
    assert shown(View(When.DATE, date(2026, 3, 11)), late) == []


@given(lists(), st.sampled_from([When.NOW, When.DAY, When.WEEK, When.MONTH]))
@settings(max_examples=30)
def test_a_longer_span_never_shows_less(listed: PublicList, when: When) -> None:
    order = [When.NOW, When.DAY, When.WEEK, When.MONTH, When.ALL]
    wider = order[order.index(when) + 1]
    some, more = (set(shown(View(one), *listed.outages)) for one in (when, wider))
    assert some <= more
    assert not any(one.phase in ENDED for one in View(When.NOW).applied(listed, NOW, ZONE).outages)


@pytest.mark.parametrize("wrong", [{"when": "soon"}, {"date": "tomorrow"}, {"phase": "unclear"}])
def test_a_view_that_does_not_exist(wrong: dict[str, str], stranger: Person) -> None:
    with pytest.raises(InvalidInput):
        View.of(wrong)
    query = "&".join(f"{name}={value}" for name, value in wrong.items())
    assert stranger.get(f"/?{query}").status_code == 422


def test_map_and_list_show_the_same_view(rt: Runtime, stranger: Person) -> None:
    near, far = town.approved(rt), town.approved(rt, START + timedelta(days=30))
    for path in ("/", "/outages", "/embed"):
        text = stranger.get(f"{path}?when=30d").get_data(as_text=True)
        assert set(re.findall(r'data-reference="(PO-[\d-]+)"', text)) == {near}
        everything = stranger.get(path).get_data(as_text=True)
        assert set(re.findall(r'data-reference="(PO-[\d-]+)"', everything)) == {near, far}
    drawn = re.search(r"data-references='([^']*)'", stranger.get("/?when=30d").get_data(as_text=True))
    assert drawn is not None and drawn[1] == f'["{near}"]'


def test_an_empty_view_says_so(rt: Runtime, stranger: Person) -> None:
    town.approved(rt)
    text = stranger.get("/outages?when=now").get_data(as_text=True)
    assert "No outage in this view" in text and "Show all" in text


def test_the_embedded_map_alone_may_be_framed(rt: Runtime, stranger: Person) -> None:
    town.approved(rt)
    embedded, page = stranger.get("/embed"), stranger.get("/")
    assert "frame-ancestors *" in embedded.headers["Content-Security-Policy"]
    assert "script-src 'self'" in embedded.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in embedded.headers
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] == "DENY"


def test_the_page_of_an_outage_tells_what_was_said_when(rt: Runtime, stranger: Person) -> None:
    reference = town.approved(rt)
    plan_outage.revise(rt, town.PLANNER, reference, town.request(START + timedelta(days=1)))
    plan_outage.submit(rt, town.PLANNER, reference)
    turn(rt, NOW + timedelta(hours=1))
    approve(rt, town.APPROVER, reference)
    turn(rt, START + timedelta(days=1))
    start_gate.decide(rt, town.APPROVER, reference, "spoken to")
    run_outage.start(rt, town.PLANNER, reference)
    turn(rt, START + timedelta(days=1, hours=4))
    run_outage.overrun(rt, town.PLANNER, reference, START + timedelta(days=1, hours=6))
    turn(rt, START + timedelta(days=1, hours=5))
    run_outage.complete(rt, town.PLANNER, reference)
    text = stranger.get(f"/outages/{reference}").get_data(as_text=True)
    said = re.findall(r"<li><div><strong>([^<]*)</strong>", text)
    assert said == ["Restored", "Takes longer", "Started", "Moved", "Announced"]
    assert f"/outages/{reference}.svg" in text and f"outages/{reference}.en.ics" in text


def test_the_code_on_the_poster_is_a_picture(rt: Runtime, stranger: Person) -> None:
    reference = town.approved(rt)
    answer = stranger.get(f"/outages/{reference}.svg")
    assert answer.mimetype == "image/svg+xml" and b"<path" in answer.data
    assert stranger.get("/outages/PO-2026-9999.svg").status_code == 404


def test_the_page_of_the_open_data_is_there_in_both_languages(rt: Runtime, app: object) -> None:
    town.approved(rt)
    for language, word in (("en", "Licence"), ("zh-CN", "许可")):
        text = Person(app, language).get("/open-data").get_data(as_text=True)  # type: ignore[arg-type]
        assert word in text and "CC BY 4.0" in text and "&lt;iframe" in text
