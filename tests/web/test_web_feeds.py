"""Calendar feeds over HTTP: conditional, zipped, alike in both lanes; secrets cannot be guessed."""

from __future__ import annotations

import gzip
import secrets

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import EnvironBuilder

from outage_notify.services import feed_addresses
from outage_notify.services.runtime import Runtime
from outage_notify.store.people_tables import Customer
from outage_notify.web.security import limiter
from tests.factories import town
from tests.factories.people import add_customer, add_outage
from tests.web.conftest import Person


@pytest.fixture
def path(rt: Runtime) -> str:
    with rt.database.write() as session:
        customer = add_customer(session, customer_id="K1")
        add_outage(session, [customer])
    return f"/feeds/{customer.feed_secret}.ics"


def test_both_lanes_answer_alike(stranger: Person, rt: Runtime, path: str) -> None:
    asks: list[dict[str, str]] = [{}, {"Accept-Encoding": "gzip"}, {"Accept-Encoding": "gzip;q=0, br"}]
    tag = stranger.get(path).headers["ETag"]
    asks += [{"If-None-Match": tag}, {"If-None-Match": f'"x", W/{tag}'}, {"If-None-Match": '"x"'}]
    asks += [{"If-Modified-Since": "Wed, 01 Jan 2120 00:00:00 GMT"}, {"If-Modified-Since": "rubbish"}]
    for headers in asks:
        for method in ("GET", "HEAD"):
            rt.feeds.forget(path[7:-4])
            slow = stranger.client.open(path, method=method, headers=headers)
            fast = stranger.client.open(path, method=method, headers=headers)
            assert (fast.status_code, fast.data) == (slow.status_code, slow.data)
            ours = {name: value for name, value in fast.headers.items() if name != "Vary"}
            assert ours == {name: value for name, value in slow.headers.items() if name != "Vary"}
            assert (fast.status_code == 304) == (headers in (asks[3], asks[4], asks[6]))


def test_it_is_zipped_for_who_takes_it_and_head_has_no_body(stranger: Person, path: str) -> None:
    plain = stranger.get(path)
    zipped = stranger.get(path, headers={"Accept-Encoding": "gzip, deflate"})
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(zipped.data) == plain.data
    assert plain.mimetype == "text/calendar" and "Accept-Encoding" in plain.headers["Vary"]
    head = stranger.client.head(path)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == str(len(plain.data))
    again = stranger.get(path, headers={"If-None-Match": zipped.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_change_is_seen_at_the_next_poll_and_a_revoked_address_at_once(
    stranger: Person, rt: Runtime, path: str
) -> None:
    tag = stranger.get(path).headers["ETag"]
    with rt.database.write() as session:
        add_outage(session, [add_customer(session)])
    assert stranger.get(path, headers={"If-None-Match": tag}).status_code == 304
    feed_addresses.revoke(rt, town.PLANNER, "K1")
    assert stranger.get(path, headers={"If-None-Match": tag}).status_code == 404


def test_wrong_secrets_are_refused_alike_and_ten_thousand_are_slowed_down(
    stranger: Person, app: Flask, rt: Runtime, path: str
) -> None:
    ended = feed_addresses.hand_out(rt, town.PLANNER, "K1", "Deputy").rpartition("/")[2]
    feed_addresses.revoke(rt, town.PLANNER, "K1", feed_addresses.listing(rt, "K1")[0].id)
    wrong = [f"/feeds/{ended}", path[:-5] + "g.ics", "/feeds/x.ics", f"/feeds/{'0' * 5000}.ics"]
    answers = [stranger.get(one) for one in wrong]
    assert {(one.status_code, one.data) for one in answers} == {(404, b"There is no such calendar.\n")}
    limiter.reset()
    assert stranger.get(path).status_code == 200
    environ = EnvironBuilder(path="/feeds/x.ics").get_environ()
    seen: list[str] = []
    for _ in range(10_000):
        guess = environ | {"PATH_INFO": f"/feeds/{secrets.token_hex(16)}.ics"}
        app(guess, lambda status, headers, error=None: seen.append(status[:3]))
    assert (seen.count("404"), seen.count("429")) == (30, 9_970)
    # A calendar that polls from the same address is not slowed down by who guesses there.
    assert stranger.get(path).status_code == 200


def test_public_calendars_are_found_on_their_page(stranger: Person, rt: Runtime, path: str) -> None:
    page = stranger.get("/calendar").get_data(as_text=True)
    assert "/calendar/all.ics?language=en" in page
    answer = stranger.get("/calendar/all.ics?language=zh-CN")
    assert "停电" in answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "public, max-age=300" and "Set-Cookie" not in answer.headers
    moved = stranger.get("/calendar/address?by=place&name=River+Road")
    assert moved.status_code == 303
    assert stranger.get(moved.headers["Location"]).mimetype == "text/calendar"
    for nothing in ("/calendar/person/x.ics", "/calendar/all/x.ics", "/calendar/address?by=all&name=x"):
        assert stranger.get(nothing).status_code == 404


def test_the_desk_hands_out_rotates_and_revokes(planner: Person, stranger: Person, path: str) -> None:
    page = "/desk/customers/K1"
    assert "K1" in planner.get("/desk/customers?q=K1").get_data(as_text=True)
    made = planner.send(f"{page}/feed/add", {"label": "Duty engineer"}, page=page).get_data(as_text=True)
    address = made.split('<p class="hash">')[1].split("<")[0]
    assert stranger.get(address).status_code == 200
    assert address.rpartition("/")[2] not in planner.get(page).get_data(as_text=True)
    planner.send(f"{page}/feed/rotate", {"address": ""}, page=page)
    assert stranger.get(path).status_code == 200
    planner.post(f"{page}/feed/revoke", {"csrf_token": planner.hidden(page)["csrf_token"]})
    assert [stranger.get(one).status_code for one in (path, address)] == [404, 404]


def test_who_only_looks_cannot_change_addresses(approver: Person, path: str) -> None:
    page = "/desk/customers/K1"
    assert approver.get(page).status_code == 200
    form = {"csrf_token": approver.hidden("/desk/tasks").get("csrf_token", "")}
    assert approver.post(f"{page}/feed/rotate", form).status_code in {400, 403}


def test_a_poll_does_not_wait_for_whoever_writes(rt: Runtime, stranger: Person) -> None:
    with rt.database.read() as session:
        known = list(session.scalars(select(Customer.feed_secret)))
    with rt.database.write() as session:
        session.execute(update(Customer).values(name=Customer.name))
        assert {stranger.get(f"/feeds/{secret}.ics").status_code for secret in known} == {200}
