"""Is my place affected? Right answers for a house, and no way to read a street off door by door."""

from __future__ import annotations

import json
import re

import pytest
from flask import Flask
from sqlalchemy import event, select

from outage_notify.domain.audience import Impact
from outage_notify.services import public_facts, publish_map, run_outage
from outage_notify.services.check_place import HOUSES_A_DAY
from outage_notify.services.runtime import Runtime
from outage_notify.store.outage_tables import AudienceMember
from outage_notify.store.people_tables import ServicePoint
from outage_notify.web import place_limits
from tests.factories import town
from tests.web.conftest import Person

ANSWERS = {"▲": "yes", "●": "no", "◔": "perhaps"}


def ask(app: Flask, place: str, address: str = "203.0.113.7", language: str = "en") -> tuple[str, str]:
    """(yes, no, perhaps, or empty; the text of the answer) for a client at an address."""
    answer = app.test_client().post(
        "/affected",
        data={"place": place},
        headers={"Accept-Language": language},
        environ_base={"REMOTE_ADDR": address},
    )
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200, answer.status_code
    assert answer.headers["Cache-Control"] == "no-store" and "Set-Cookie" not in answer.headers
    found = re.search(r'<p class="answer">(?:<span[^>]*><span[^>]*>(.)</span>)?', text)
    assert found is not None
    card = text[found.start() : text.index("</form>")]
    return ANSWERS.get(found[1] or "", ""), card


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("北街 3-1 号", "yes"),
        ("北街3-1号", "yes"),
        ("北街 1-1 号", "no"),
        ("南街 10-1 号", "no"),
        # The hospital keeps its other supply.
        ("北街 4 号", "no"),
        ("5 North Street", "yes"),
        ("北街", "perhaps"),
        ("北街线", "perhaps"),
        ("北街 99 号", ""),
        ("Nowhere Road 1", ""),
    ],
)
def test_answers(app: Flask, rt: Runtime, place: str, said: str) -> None:
    reference = town.approved(rt)
    answer, text = ask(app, place)
    assert answer == said
    assert (reference in text) == (said in {"yes", "perhaps"})


def test_the_whole_town_is_answered_as_the_audience_says(app: Flask, rt: Runtime) -> None:
    town.approved(rt)
    with rt.database.read() as session:
        hit = set(
            session.scalars(
                select(AudienceMember.service_point_ref).where(AudienceMember.impact == Impact.OUTAGE)
            )
        )
        places: dict[str, bool] = {}
        for point in session.scalars(select(ServicePoint)):
            places[point.place] = places.get(point.place, False) or point.id in hit
    for number, (place, affected) in enumerate(places.items()):
        # A client of its own for each: here the answers are what is looked at.
        assert ask(app, place, f"198.51.100.{number}")[0] == ("yes" if affected else "no"), place


def test_when_it_is_over_nobody_is_affected(app: Flask, rt: Runtime) -> None:
    reference = town.approved(rt)
    assert ask(app, "北街 3-1 号")[0] == "yes"
    run_outage.cancel(rt, town.PLANNER, reference, "no crew")
    assert ask(app, "北街 3-1 号")[0] == "no"


def test_before_approval_nobody_is_told(app: Flask, rt: Runtime) -> None:
    town.submitted(rt)
    assert ask(app, "北街 3-1 号")[0] == "no"


def test_coordinates_are_answered_from_what_is_public(app: Flask, rt: Runtime) -> None:
    town.approved(rt)
    data = json.loads(app.test_client().get("/outages.geojson").data)
    west, south = (
        data["features"][0]["geometry"]["coordinates"][0][0][:2]
        if (data["features"][0]["geometry"]["type"] == "Polygon")
        else data["features"][0]["geometry"]["coordinates"][0][0][0]
    )
    assert ask(app, f"{south}, {west}")[0] == "perhaps"
    assert ask(app, "0, 0")[0] == "no"


def test_too_little_is_refused(stranger: Person) -> None:
    answer = stranger.post("/affected", {"place": "5"})
    assert answer.status_code == 422


def test_nothing_is_told_of_others(app: Flask, rt: Runtime) -> None:
    town.approved(rt)
    _, text = ask(app, "5 North Street")
    for secret in ("Water", "FIRST", "Keller", "人民医院", "load:", "4930231251", "3-2 号"):
        assert secret not in text


def test_one_client_can_not_read_a_street_off(app: Flask, rt: Runtime) -> None:
    """The attack: ask for every house of a street from one address, and again, and again."""
    town.approved(rt)
    houses = [f"北街 {station}-{house} 号" for station in range(1, 7) for house in range(1, 5)]
    told = {}
    for at, house in enumerate(houses[:9]):
        answer, _ = ask(app, house, "203.0.113.9")
        if answer:
            told[house] = answer
        assert len(told) <= HOUSES_A_DAY, at
    assert len(told) == HOUSES_A_DAY
    # What was answered once may be asked for again.
    assert ask(app, houses[0], "203.0.113.9")[0] == told[houses[0]]


def test_ipv6_addresses_of_one_household_count_as_one(app: Flask, rt: Runtime) -> None:
    town.approved(rt)
    answers = [ask(app, f"北街 3-{house} 号", f"2001:db8:1:2::{house}")[0] for house in range(1, 5)]
    assert answers == ["yes"] * HOUSES_A_DAY + [""]


def test_a_street_of_one_house_is_answered_like_the_area(app: Flask, rt: Runtime) -> None:
    # "3 North Street", "5 North Street": two houses, so one of them may be asked for.
    town.approved(rt)
    assert ask(app, "5 North Street")[0] == "yes"
    assert ask(app, "3 North Street")[0] == ""
    with rt.database.write() as session:
        point = session.scalars(select(ServicePoint).where(ServicePoint.place == "3 North Street")).one()
        point.place = "3 Lonely Lane"
    assert ask(app, "3 Lonely Lane", "203.0.113.20")[0] == "perhaps"


def test_the_rate_is_limited(app: Flask, rt: Runtime) -> None:
    answers = [
        app.test_client().post("/affected", data={"place": "北街"}, environ_base={"REMOTE_ADDR": "192.0.2.1"})
        for _ in range(11)
    ]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]


def test_the_arithmetic_of_the_limits() -> None:
    """Reading a street of n houses takes n requests; a client gets min(3, n - 1) a day: always fewer."""
    for houses in range(1, 200):
        assert min(HOUSES_A_DAY, houses - 1) < houses
    assert place_limits.HOUSES_OF_ALL_STREETS < 100


def test_yes_and_no_cost_the_same_questions(app: Flask, rt: Runtime) -> None:
    """Time can't tell what the answer does not: the database does the same work for both."""
    town.approved(rt)
    asked: list[str] = []
    event.listen(
        rt.database.engine, "before_cursor_execute", lambda c, cursor, text, *rest: asked.append(text)
    )

    def cost(place: str) -> list[str]:
        asked.clear()
        ask(app, place, "192.0.2.9")
        return list(asked)

    cost("北街 6-1 号")
    assert cost("北街 3-1 号") == cost("北街 1-1 号")


def test_what_is_public_is_the_same_whoever_is_affected(app: Flask, rt: Runtime) -> None:
    """The attack: compare what is published with and without one named customer among the affected.

    Every page, document, header and tag is made from these facts, so that it is enough to compare them.
    """
    town.approved(rt)
    before = public_facts.write(publish_map.public_list(rt))
    with rt.database.read() as session:
        hit = list(
            session.scalars(
                select(AudienceMember.customer_ref).where(AudienceMember.impact == Impact.OUTAGE).distinct()
            )
        )
    assert len(hit) > 10
    for customer in hit:
        with rt.database.write() as session:
            members = list(
                session.scalars(select(AudienceMember).where(AudienceMember.customer_ref == customer))
            )
            kept = [(one.impact, one.id) for one in members]
            for one in members:
                one.impact = Impact.NONE
            session.flush()
            without = publish_map.collect(session, rt.now(session))
            for one, (impact, _) in zip(members, kept, strict=True):
                one.impact = impact
        assert public_facts.write(without) == before
