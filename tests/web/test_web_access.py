"""Each route and each role: the table says who may, and the server does as the table says."""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.routing import Rule

from outage_notify.web.access import ACCESS, Access
from tests.factories import town
from tests.web.conftest import Person

NUMBERS = {"batch", "version", "x", "y", "z"}
VALUES = {
    "step": "stop",
    "reference": "PO-2026-9999",
    "token": "x" * 31,
    "secret": "nobody",
    "filename": "icon.svg",
}
VALUES |= {"paper": "media", "form": "txt", "number": 1, "name": "twilio-sms"}
# Would sign out whoever asks, so that nothing after it would be tested.
ENDS_IT = {"auth.sign_out", "account.change_password", "account.end_session"}
PEOPLE = {
    "stranger": (),
    "planner": (Access.STAFF, Access.WORKER, Access.VISITOR, Access.PLANNER),
    "approver": (Access.STAFF, Access.WORKER, Access.VISITOR, Access.APPROVER),
    "desk": (Access.STAFF, Access.WORKER, Access.VISITOR, Access.DESK),
    "field": (Access.STAFF, Access.VISITOR),
    "admin": (Access.STAFF, Access.ADMIN),
    "readonly": (Access.STAFF,),
}


def rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if not rule.build_only]


def test_every_route_stands_in_the_table_and_nothing_else(app: Flask) -> None:
    assert {rule.endpoint for rule in rules(app)} == set(ACCESS)


def test_everything_at_the_desk_asks_who_it_is(app: Flask) -> None:
    open_to_all = {Access.EVERYBODY, Access.LINK, Access.PROVIDER, Access.KEY}
    desk = {rule.endpoint for rule in rules(app) if rule.rule.startswith("/desk")}
    assert {endpoint for endpoint in desk if ACCESS[endpoint] in open_to_all} == {
        "auth.sign_in",
        "auth.second",
        "provider.begin",
        "provider.back",
    }


@pytest.mark.parametrize("who", PEOPLE)
def test_the_server_does_as_the_table_says(app: Flask, who: str) -> None:
    person = Person(app)
    if who != "stranger":
        names = {"planner": town.PLANNER, "approver": town.APPROVER, "desk": town.HOTLINE}
        names |= {"field": town.FIELD, "admin": town.ADMIN}
        person.sign_in(names.get(who, town.LOOKER))
    # Its own token is not what is tested here; the test of forms keeps it on.
    app.config["WTF_CSRF_ENABLED"] = False
    for rule in rules(app):
        access = ACCESS[rule.endpoint]
        if (
            access in {Access.EVERYBODY, Access.LINK, Access.PROVIDER, Access.KEY, Access.MACHINE}
            or rule.endpoint in ENDS_IT
        ):
            continue
        values = {
            name: 1 if name.endswith("id") or name in NUMBERS else VALUES[name] for name in rule.arguments
        }
        with app.test_request_context():
            address = app.url_for(rule.endpoint, **values)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            answer = person.client.open(address, method=method, headers=person.headers)
            if access in PEOPLE[who]:
                refused = answer.status_code == 403 or "/desk/sign-in" in answer.headers.get("Location", "")
                assert not refused, (method, rule.rule)
            else:
                assert answer.status_code == (302 if who == "stranger" else 403), (method, rule.rule)


def test_a_route_that_is_not_in_the_table_answers_nobody(app: Flask) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    answer = Person(app).sign_in(town.PLANNER).get("/forgotten")
    assert answer.status_code == 403
    assert "secret" not in answer.get_data(as_text=True)
