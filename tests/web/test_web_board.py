"""The board as list, calendar and map: the same outages, filters in the address, red where somebody must act."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from outage_notify.domain.outage import OutageState
from outage_notify.services import board_views, desk_views, plan_outage, run_outage, saved_views, start_gate
from outage_notify.services.runtime import Runtime
from outage_notify.store.desk_queries import BoardFilter
from outage_notify.web import forms
from tests.factories import town
from tests.factories.people import START
from tests.web.conftest import Person, turn


def at(rt: Runtime, days: float, line: str = "line:3", **more: object) -> str:
    plan = dataclasses.replace(town.request(START + timedelta(days=days)), work=(line,), **more)
    return plan_outage.plan(rt, town.PLANNER, plan)


def needs(rt: Runtime) -> dict[str, list[str]]:
    board = desk_views.board(rt, BoardFilter())
    return {row.outage.reference: list(row.needs) for row in board.rows if row.needs}


def test_red_is_where_somebody_must_act(rt: Runtime, planner: Person) -> None:
    quiet, waits = at(rt, 20), town.submitted(rt, START + timedelta(days=40))
    runs = town.approved(rt)
    assert needs(rt) == {waits: ["approve"]}
    turn(rt, START - timedelta(hours=3))
    assert "unsigned" in needs(rt)[runs]
    turn(rt, START + timedelta(minutes=1))
    assert "not_started" in needs(rt)[runs]
    start_gate.decide(rt, town.APPROVER, runs, "spoken to")
    run_outage.start(rt, town.PLANNER, runs)
    assert "not_started" not in needs(rt).get(runs, [])
    turn(rt, START + timedelta(hours=5))
    assert "overrun" in needs(rt)[runs]
    run_outage.overrun(rt, town.PLANNER, runs, START + timedelta(hours=8))
    assert "overrun" not in needs(rt).get(runs, [])
    turn(rt, START + timedelta(days=41))
    assert needs(rt)[quiet] == ["never_approved"]
    shown = planner.sign_in(town.PLANNER).get("/desk/?needs=1").get_data(as_text=True)
    assert quiet in shown and 'class="red"' in shown
    board = desk_views.board(rt, BoardFilter(needs=START + timedelta(days=41)))
    assert board.total == board.red == len(needs(rt))


def test_the_calendar_shows_each_outage_on_each_of_its_days(rt: Runtime, planner: Person) -> None:
    short = at(rt, 0)
    plan = town.request(START + timedelta(days=3), hours=50)
    long = plan_outage.plan(rt, town.PLANNER, plan)
    first, last = date(2026, 3, 1), date(2026, 3, 31)
    span = forms.span_of(date(2026, 2, 23), date(2026, 4, 5), rt.zone)
    found = board_views.calendar(rt, BoardFilter(span=span), first, last)
    days = {
        day.day: [one.reference for one in day.outages] for week in found.weeks for day in week if day.outages
    }
    local = START.astimezone(rt.zone).date()
    assert days[local] == [short]
    assert [day for day, mine in days.items() if long in mine] == [
        local + timedelta(days=3 + number) for number in range(3)
    ]
    assert all(len(week) == 7 and week[0].day.weekday() == 0 for week in found.weeks)
    page = planner.get("/desk/?view=calendar&month=2026-03").get_data(as_text=True)
    assert page.count(f"/desk/outages/{long}") == 3
    for odd in ("month=2026-13", "month=x", "week=2026-W54", "day=2026-02-30"):
        assert planner.get(f"/desk/?view=calendar&{odd}").status_code == 200


@given(st.dates(date(2001, 1, 1), date(2090, 12, 31)))
def test_a_month_in_an_address_is_that_month(day: date) -> None:
    assert forms.month_of(f"{day:%Y-%m}") == day.replace(day=1)


def test_filters_narrow_list_calendar_and_map_alike(app: Flask, rt: Runtime, planner: Person) -> None:
    draft, approved = at(rt, 2), town.approved(rt)
    for query, expected in (
        ("", {draft, approved}),
        ("state=APPROVED", {approved}),
        ("kind=fault", set()),
        (f"q={draft}", {draft}),
        ("mine=1", {draft, approved}),
        (f"day={START.astimezone(rt.zone).date()}", {approved}),
    ):
        body = planner.get(f"/desk/board.geojson?{query}").json
        assert {one["id"] for one in body["features"]} == expected, query
        listed = planner.get(f"/desk/?{query}").get_data(as_text=True)
        assert {one for one in (draft, approved) if f"outages/{one}" in listed} == expected, query
    stranger = Person(app).sign_in(town.HOTLINE)
    assert stranger.get("/desk/board.geojson?mine=1").json["features"] == []


def test_the_map_leads_to_the_desk_and_names_the_phase(rt: Runtime, planner: Person) -> None:
    reference = town.approved(rt)
    (one,) = planner.get("/desk/board.geojson").json["features"]
    assert (one["properties"]["url"], one["properties"]["phase"]) == (f"/desk/outages/{reference}", "planned")
    assert "data-map" in planner.get("/desk/?view=map").get_data(as_text=True)


def test_a_view_is_kept_by_name_and_by_person(app: Flask, rt: Runtime, planner: Person) -> None:
    town.approved(rt)
    page = "/desk/?state=APPROVED&view=calendar"
    planner.send("/desk/views", {"name": "<Mine>", "query": "state=APPROVED&view=calendar&evil=1"}, page=page)
    planner.send("/desk/views", {"name": "<Mine>", "query": "state=APPROVED"}, page=page)
    (kept,) = saved_views.listing(rt, town.PLANNER)
    assert kept.query == "state=APPROVED"
    shown = planner.get("/desk/").get_data(as_text=True)
    assert "&lt;Mine&gt;" in shown and "<Mine>" not in shown
    other = Person(app).sign_in(town.APPROVER)
    assert "&lt;Mine&gt;" not in other.get("/desk/").get_data(as_text=True)
    other.send(f"/desk/views/{kept.id}/remove", page="/desk/?q=x")
    assert saved_views.listing(rt, town.PLANNER)
    planner.send(f"/desk/views/{kept.id}/remove", page=page)
    assert saved_views.listing(rt, town.PLANNER) == []
    planner.send("/desk/views", {"name": " ", "query": ""}, page=page)
    assert "note-bad" in planner.get("/desk/").get_data(as_text=True)


@pytest.mark.parametrize("state", sorted(OutageState))
def test_every_state_has_a_place_on_the_map(state: OutageState) -> None:
    assert board_views.PHASES[state]
