"""Whom the page of an outage tells to call: the office that an administrator entered, never a person's own number."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from sqlalchemy import select

from outage_notify.services.runtime import Runtime
from outage_notify.store.people_tables import GridManager
from tests.factories import town
from tests.web.conftest import Person

OFFICE, PHONE = "北街供电所 North Street office", "+86 21 5550 0142"


@pytest.fixture
def admin(app: Flask) -> Person:
    return Person(app).sign_in(town.ADMIN)


def managers(rt: Runtime) -> list[tuple[int, str]]:
    with rt.database.read() as session:
        return [(one.id, one.phone) for one in session.scalars(select(GridManager).order_by(GridManager.id))]


def test_the_office_is_public_and_the_manager_s_own_number_never(
    admin: Person, stranger: Person, rt: Runtime
) -> None:
    reference = town.approved(rt)
    page = f"/outages/{reference}"
    assert "Grid manager" not in stranger.get(page).get_data(as_text=True)
    found = managers(rt)
    assert found and all(phone for _, phone in found)
    for number, _ in found:
        form = {"office": OFFICE, "phone": PHONE}
        address = f"/desk/admin/managers/{number}/office"
        assert admin.send(address, form, "/desk/admin/managers").status_code == 303
    text = stranger.get(page).get_data(as_text=True)
    assert OFFICE in text and 'href="tel:+862155500142"' in text
    data = stranger.get("/open-data/v1/outages.json").data
    assert json.loads(data)["outages"][0]["offices"] == [{"name": OFFICE, "phone": PHONE}]
    for _, own in found:
        assert own not in text and own.encode() not in data
    for number, _ in found:
        admin.send(
            f"/desk/admin/managers/{number}/office", {"office": "", "phone": ""}, "/desk/admin/managers"
        )
    assert OFFICE not in stranger.get(page).get_data(as_text=True)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"office": OFFICE, "phone": "call us"}, "telephone"),
        ({"office": "", "phone": PHONE}, "name of the office"),
        ({"office": "x" * 201, "phone": PHONE}, "200"),
    ],
)
def test_what_is_no_office(admin: Person, rt: Runtime, form: dict[str, str], said: str) -> None:
    number = managers(rt)[0][0]
    answer = admin.send(f"/desk/admin/managers/{number}/office", form, "/desk/admin/managers")
    assert answer.status_code == 422 and said in answer.get_data(as_text=True)
    missing = admin.send(
        "/desk/admin/managers/4711/office", {"office": OFFICE, "phone": PHONE}, "/desk/admin/managers"
    )
    assert missing.status_code == 404


def test_only_admins_write_it(planner: Person, rt: Runtime) -> None:
    number = managers(rt)[0][0]
    answer = planner.post(f"/desk/admin/managers/{number}/office", {"office": OFFICE, "phone": PHONE})
    assert answer.status_code in {400, 403}
