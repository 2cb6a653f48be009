"""The pages of grid managers: added, changed, given an area, ended; the same by machine."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from outage_notify.services import grid_managers, manager_areas
from outage_notify.services.runtime import Runtime
from outage_notify.store.people_tables import ServicePoint
from tests.factories import town
from tests.web.conftest import Person
from tests.web.test_web_api import Machine

LIST = "/desk/admin/managers"
PHONE = "+493023125799"


@pytest.fixture
def admin(app: Flask) -> Person:
    return Person(app).sign_in(town.ADMIN)


def test_a_manager_s_life_on_the_pages(rt: Runtime, admin: Person) -> None:
    old = grid_managers.listing(rt)[0]
    made = admin.send(LIST, {"name": "Mei <b>", "phone": PHONE}, LIST)
    assert made.status_code == 303
    mei = next(one for one in grid_managers.listing(rt) if one.phone == PHONE)
    page = f"{LIST}/{mei.id}"
    assert "Mei &lt;b&gt;" in admin.get(page).get_data(as_text=True)
    with rt.database.read() as session:
        element = session.scalars(select(ServicePoint.element).order_by(ServicePoint.id)).first() or ""
    given = admin.send(f"{page}/areas", {"element": element, "reason": "closer"}, page)
    assert given.status_code == 303 and element in admin.get(page).get_data(as_text=True)
    wrong = admin.send(f"{page}/areas", {"element": "trafo:4711", "reason": "kept"}, page)
    assert wrong.status_code == 422 and 'value="kept"' in wrong.get_data(as_text=True)
    area = manager_areas.listing(rt)[0].id
    taken = admin.send(f"{LIST}/areas/{area}/end", {"manager": str(mei.id), "reason": "back"}, page)
    assert taken.status_code == 303 and manager_areas.listing(rt) == []
    form = {"seen": str(old.seen), "name": old.name, "phone": old.phone, "deputy": str(mei.id), "away": "1"}
    assert admin.send(f"{LIST}/{old.id}", form, page).status_code == 303
    assert "away" in admin.get(LIST).get_data(as_text=True)
    stale = admin.send(f"{LIST}/{old.id}", form | {"name": "Typed"}, page)
    assert stale.status_code == 409 and 'value="Typed"' in stale.get_data(as_text=True)
    seen = str(grid_managers.show(rt, old.id).seen)
    over = admin.send(
        f"{LIST}/{old.id}/end", {"seen": seen, "successor": str(mei.id), "reason": "retired"}, page
    )
    assert over.status_code == 303 and grid_managers.show(rt, old.id).ended
    assert grid_managers.show(rt, mei.id).service_points >= old.service_points > 0
    log = admin.get("/desk/admin/audit").get_data(as_text=True)
    assert "Grid manager ended" in log and PHONE not in log


def test_in_chinese(app: Flask, rt: Runtime) -> None:
    admin = Person(app, "zh-CN").sign_in(town.ADMIN)
    page = admin.get(f"{LIST}/{grid_managers.listing(rt)[0].id}").get_data(as_text=True)
    assert "代理人" in page and "片区" in page and "接任人" in page


def test_the_same_by_machine(app: Flask, rt: Runtime) -> None:
    machine, api = Machine(app, rt, town.ADMIN), "/api/v1/managers"
    made = machine.post(api, {"name": "Mei", "phone": PHONE}, "one")
    assert made.status_code == 201 and made.json is not None
    mei = next(one for one in made.json["managers"] if one["phone"] == PHONE)
    assert machine.post(api, {"name": "Mei", "phone": PHONE}, "one").headers["Idempotent-Replayed"] == "true"
    changed = {"version": mei["version"], "name": "Mei Li", "phone": PHONE, "deputy": 0, "away": False}
    assert machine.post(f"{api}/{mei['id']}/change", changed, "two").status_code == 200
    assert machine.post(f"{api}/{mei['id']}/change", changed | {"name": "X"}, "three").status_code == 409
    office = {"office": "North", "phone": "+86 21 5550 0142"}
    assert machine.post(f"{api}/{mei['id']}/office", office, "four").status_code == 200
    assert (
        machine.post(f"{api}/{mei['id']}/areas", {"element": "x:1", "reason": "y"}, "five").status_code == 422
    )
    ended = {"version": mei["version"] + 1, "successor": 0, "reason": "left"}
    assert machine.post(f"{api}/{mei['id']}/end", ended, "six").status_code == 200
    assert machine.post("/api/v1/areas/99/end", {"reason": "x"}, "seven").status_code == 404
    planner = Machine(app, rt, town.PLANNER)
    assert (
        planner.get(api).status_code == 403 and planner.post(api, {"name": "Z"}, "eight").status_code == 403
    )
