"""Keep me told, in the browser of a stranger: the same answer for everybody, nothing told by a GET."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from outage_notify.domain.notice import NoticeKind
from outage_notify.services import follow, publish_map, tell_followers
from outage_notify.services.runtime import Runtime
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.follower_queries import following
from outage_notify.store.follower_tables import Follower
from tests.factories import town
from tests.factories.people import NOW
from tests.web.conftest import Person, turn

MAIL = "curious@example.com"


def newest(rt: Runtime) -> Follower:
    with rt.database.read() as session:
        return session.scalars(select(Follower).order_by(Follower.id.desc())).first()  # type: ignore[return-value]


def typed(rt: Runtime) -> str:
    row = newest(rt)
    return follow.code_of(rt, row.id, row.made_at)


def followed(rt: Runtime, person: Person, reference: str, address: str = MAIL) -> str:
    """The page after the code was typed."""
    asked = person.send("/follow", {"outage": reference, "address": address}, f"/follow?outage={reference}")
    assert asked.status_code == 200
    form = dict(
        re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', asked.get_data(as_text=True))
    )
    return person.post("/follow/confirm", form | {"code": typed(rt)}).get_data(as_text=True)


def told(rt: Runtime) -> str:
    """The path of the link in the first news."""
    with rt.database.read() as session:
        row = session.scalars(select(Delivery).where(Delivery.address == MAIL)).one()
        assert row.notice.kind is NoticeKind.FOLLOWERS
        return f"/u/{rt.link_token('unfollow', row.id, rt.now(session) + timedelta(days=9))}"


def test_from_the_page_of_an_outage_to_the_list(app: Flask, rt: Runtime, stranger: Person) -> None:
    reference = town.approved(rt)
    assert f"/follow?outage={reference}" in stranger.get(f"/outages/{reference}").get_data(as_text=True)
    assert "We keep you told" in followed(rt, stranger, reference)
    with rt.database.read() as session:
        assert len(following(session, newest(rt).channel, MAIL)) == 1


def test_the_answer_is_the_same_for_every_address(rt: Runtime, stranger: Person) -> None:
    reference = town.approved(rt)
    followed(rt, stranger, reference)
    form = stranger.hidden(f"/follow?outage={reference}")

    def answer(address: str) -> str:
        page = stranger.post("/follow", form | {"outage": reference, "address": address})
        assert page.status_code == 200
        return re.sub(r'value="[^"]*"', "", page.get_data(as_text=True))

    pages = {answer(one) for one in ("new@example.com", MAIL, MAIL, MAIL, MAIL, "h1@example.com")}
    assert len(pages) == 1
    assert MAIL not in pages.pop(), "an address is never shown again, nor in the address of the page"


def test_a_wrong_code_and_a_forged_question_look_alike(rt: Runtime, stranger: Person) -> None:
    reference = town.approved(rt)
    asked = stranger.send("/follow", {"outage": reference, "address": MAIL}, f"/follow?outage={reference}")
    form = dict(
        re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', asked.get_data(as_text=True))
    )
    wrong = f"{(int(typed(rt)) + 1) % 1_000_000:06d}"
    for changed in ({"code": wrong}, {"code": wrong, "token": "A" * 31}, {"code": ""}):
        answer = stranger.post("/follow/confirm", form | changed)
        assert answer.status_code == 422
        assert "This code is not right" in answer.get_data(as_text=True)


def test_a_client_may_ask_so_often(rt: Runtime, stranger: Person) -> None:
    reference = town.approved(rt)
    form = stranger.hidden(f"/follow?outage={reference}") | {"outage": reference}
    codes = [
        stranger.post("/follow", form | {"address": f"nobody{n}@example.com"}).status_code for n in range(22)
    ]
    assert codes == [200] * 20 + [429] * 2


def test_a_street_is_not_followed_house_by_house(rt: Runtime, stranger: Person) -> None:
    form = stranger.hidden("/follow")
    answers = [
        stranger.post("/follow", form | {"address": MAIL, "place": f"北街 {n}-1 号"}).status_code
        for n in range(1, 6)
    ]
    assert answers == [200, 200, 200, 422, 422]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_unsubscribing(app: Flask, rt: Runtime, language: str) -> None:
    stranger = Person(app, language)
    reference = town.approved(rt)
    followed(rt, stranger, reference)
    turn(rt, NOW + timedelta(minutes=5))
    from outage_notify.services import run_outage

    run_outage.cancel(rt, town.PLANNER, reference, "no need")
    assert tell_followers.tell_news(rt) == 1
    path = told(rt)
    for _ in range(2):
        shown = stranger.get(path)
        assert shown.status_code == 200 and "c…@example.com" in shown.get_data(as_text=True)
        assert shown.headers["Cache-Control"] == "no-store"
    # As a mail program does it: no cookie, no form's token.
    answer = app.test_client().post(path, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    with rt.database.read() as session:
        assert session.scalars(select(Follower)).all() == []
    assert "c…@" not in stranger.get(path).get_data(as_text=True)
    assert stranger.get("/u/" + "A" * 31).status_code == 404
    assert stranger.post("/u/" + "A" * 31, {}).status_code == 404


def test_no_public_file_holds_an_address(app: Flask, rt: Runtime, stranger: Person) -> None:
    reference = town.approved(rt)
    followed(rt, stranger, reference)
    assert publish_map.public_list(rt).find(reference) is not None
    for path in ("/", "/outages", f"/outages/{reference}", "/open-data/v1/outages.json"):
        assert MAIL.encode() not in stranger.get(path).data


def test_an_unknown_outage_cannot_be_followed(stranger: Person) -> None:
    assert stranger.get("/follow?outage=PO-2026-9999").status_code == 404
    form = stranger.hidden("/follow") | {"outage": "PO-2026-9999", "address": MAIL}
    assert stranger.post("/follow", form).status_code == 422


def test_an_address_that_cannot_be_used_is_still_in_the_form(rt: Runtime, stranger: Person) -> None:
    reference = town.approved(rt)
    form = stranger.hidden(f"/follow?outage={reference}") | {"outage": reference, "address": 'ada@"nowhere'}
    answer = stranger.post("/follow", form)
    assert answer.status_code == 422
    assert 'value="ada@&#34;nowhere"' in answer.get_data(as_text=True)
