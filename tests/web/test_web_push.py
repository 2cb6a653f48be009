"""The admin's page of webhooks, and the list of events that everybody may ask for."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select

from outage_notify.services import push_events, run_outage
from outage_notify.services.runtime import Runtime
from outage_notify.store.api_tables import ApiReply
from tests.factories import town
from tests.web.conftest import Person
from tests.web.test_web_api import Machine

URL = "https://city.example/hook"


@pytest.fixture
def admin(app: Flask) -> Person:
    return Person(app).sign_in(town.ADMIN)


def test_a_webhook_s_life_on_its_page(admin: Person) -> None:
    made = admin.send("/desk/admin/webhooks", {"name": "City", "url": URL})
    text = made.get_data(as_text=True)
    secret = re.search(r"whsec_\S+?(?=<)", text)
    assert secret is not None
    assert "whsec_" not in admin.get("/desk/admin/webhooks").get_data(as_text=True), "shown once"
    assert admin.get("/desk/admin/webhooks/1").status_code == 200
    page = "/desk/admin/webhooks/1"
    for step in ("stop", "start", "replay"):
        assert admin.send(f"{page}/{step}", {}, page).status_code == 303
    again = admin.send(f"{page}/secret", {}, page).get_data(as_text=True)
    assert "whsec_" in again and secret[0] not in again
    assert admin.send(f"{page}/remove", {}, page).status_code == 303
    assert admin.get(page).status_code == 404


def test_an_address_inside_is_refused_with_the_reason(admin: Person) -> None:
    refused = admin.send("/desk/admin/webhooks", {"name": "City", "url": "https://10.0.0.1/x"})
    assert refused.status_code == 422
    assert "private network" in refused.get_data(as_text=True)


def test_the_same_by_machine(app: Flask, rt: Runtime) -> None:
    machine = Machine(app, rt, town.ADMIN)
    made = machine.post("/api/v1/webhooks", {"name": "City", "url": URL}, "one")
    assert made.status_code == 201 and made.json is not None
    secret, number = made.json["secret"], made.json["id"]
    again = machine.post("/api/v1/webhooks", {"name": "City", "url": URL}, "one")
    assert again.headers["Idempotent-Replayed"] == "true" and again.json == made.json
    with rt.database.read() as session:
        kept = [one.body for one in session.scalars(select(ApiReply))]
    assert kept and secret not in "".join(kept), "no secret is stored"
    listed = machine.get("/api/v1/webhooks").json
    assert listed is not None and [one["url"] for one in listed["webhooks"]] == [URL]
    assert "secret" not in listed["webhooks"][0]
    town.approved(rt)
    push_events.note_events(rt)
    place = f"/api/v1/webhooks/{number}"
    assert machine.post(f"{place}/stop").json["stopped_at"] is not None
    assert machine.post(f"{place}/start").json["stopped_at"] is None
    # Nothing was handed out yet, so that nothing can be pushed again.
    assert machine.post(f"{place}/replay", {"after": 0}).json == {"pushes": 0}
    assert machine.post(f"{place}/secret").json["secret"] not in {secret, ""}
    assert machine.get(place).json["not_taken"] == []
    assert machine.post("/api/v1/webhooks", {"name": "In", "url": "https://10.0.0.1/x"}).status_code == 422
    assert machine.post(f"{place}/remove").json == {"removed": number}
    assert machine.get(place).status_code == machine.post(f"{place}/replay").status_code == 404
    assert machine.get("/api/v1/webhooks").json == {"webhooks": []}


def test_a_planner_s_machine_is_no_admin(app: Flask, rt: Runtime) -> None:
    machine = Machine(app, rt, town.PLANNER)
    assert machine.get("/api/v1/webhooks").status_code == 403
    assert machine.post("/api/v1/webhooks", {"name": "City", "url": URL}).status_code == 403


def test_only_admins_see_it(stranger: Person, planner: Person) -> None:
    assert stranger.get("/desk/admin/webhooks").status_code == 302
    assert planner.get("/desk/admin/webhooks").status_code == 403


def test_everybody_may_ask_what_came_after_an_event(rt: Runtime, stranger: Person) -> None:
    reference = town.approved(rt)
    run_outage.cancel(rt, town.PLANNER, reference, "no crew")
    push_events.push_due(rt)
    answer = stranger.get("/open-data/v1/events")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "no-store"
    found = answer.json
    assert found is not None
    assert [one["type"] for one in found["events"]] == ["outage.announced", "outage.cancelled"]
    assert found["events"][0]["data"]["outage"]["reference"] == reference
    first = found["events"][0]["sequence"]
    page = stranger.get(f"/open-data/v1/events?after={first}&limit=1").json
    assert page is not None and [one["type"] for one in page["events"]] == ["outage.cancelled"]
    rest = stranger.get(f"/open-data/v1/events?after={page['next']}").json
    assert rest == {"events": [], "next": page["next"], "more": False}
    for odd in ("x", "-4", "9" * 30):
        assert stranger.get(f"/open-data/v1/events?after={odd}").status_code == 200
