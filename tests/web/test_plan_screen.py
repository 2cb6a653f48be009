"""The planner's screen without a browser: what the form says while it is typed, steps without script, tiles."""

from __future__ import annotations

import json
import math
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from outage_notify.domain.outage import OutageState
from outage_notify.services import desk_views, network_map, plan_outage, planner_view
from outage_notify.services.resolve_audience import Switching
from outage_notify.services.runtime import Runtime
from outage_notify.store.people_tables import Customer
from tests.factories import town
from tests.factories.people import START
from tests.web.conftest import Person

WINDOW = {"start": "2026-03-12T09:00", "end": "2026-03-12T13:00", "kind": "planned"}


def live(person: Person, **form: str) -> dict[str, Any]:
    answer = person.send("/desk/plan/live", form, page="/desk/plan")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return dict(answer.get_json())


def roles(answer: dict[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in answer["features"]:
        found.setdefault(one["properties"]["role"], []).append(one["properties"].get("id", ""))
    return found


def test_picked_elements_light_up_before_a_window_is_set(planner: Person) -> None:
    answer = live(planner, work="line:3")
    lit = roles(answer)
    assert lit["zone"] == lit["picked"] == ["line:3"] and lit["open"] == ["switch:5", "switch:6"]
    assert len(lit["dead"]) == 3 and lit["tie"] == ["switch:99"]
    assert "21 customers affected" in answer["html"] and "keeps 21 customers" in answer["html"]
    # The hospital keeps its other feed, and the chain proves it.
    assert (
        "市第一人民医院" in answer["html"]
        and "line:10" in answer["html"]
        and "<del>line:3</del>" in answer["html"]
    )
    assert "By when the law wants" not in answer["html"]


def test_another_window_traces_nothing_anew_and_changed_people_do(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, other = Switching(work=("line:3",)), Switching(work=("line:5",))
    first = planner_view.planner_view(rt, work)
    planner_view.planner_view(rt, other)
    assert planner_view.planner_view(rt, work) is first
    # No more are held than a few planners need.
    monkeypatch.setattr(planner_view, "MOST_HELD", 1)
    planner_view.planner_view(rt, Switching(work=("line:4",)))
    held = planner_view.planner_view(rt, work)
    assert held is not first
    with rt.database.write() as session:
        key = session.scalars(select(Customer).where(Customer.customer_id == held.keys[0].customer_id)).one()
        key.name = "Renamed"
    assert planner_view.planner_view(rt, work).keys[0].name == "Renamed"


def test_a_window_alone_shows_what_the_law_wants(planner: Person) -> None:
    answer = live(planner, **WINDOW)
    assert answer["features"] == [] and "电力供应与使用条例" in answer["html"]
    assert "Quiet hours" in answer["html"] and "Earliest lawful start" in answer["html"]
    late = live(planner, **WINDOW | {"end": "2026-03-12T08:00"})
    assert 'role="alert"' in late["html"]


def test_both_show_all_and_a_fault_leaves_the_rest_standing(planner: Person) -> None:
    answer = live(planner, **WINDOW, work="line:3", close="switch:99")
    assert "Sending begins by" in answer["html"] and "The text message" in answer["html"]
    assert roles(answer)["closed"] == ["switch:99"]
    wrong = live(planner, **WINDOW, work="line:77")
    assert "no element line:77" in wrong["html"] and "电力供应与使用条例" in wrong["html"]
    assert wrong["features"] == []


def test_a_whole_feeder_and_several_at_once(planner: Person) -> None:
    with_feeder = live(planner, work="feeder:南街1号线")
    assert "25 customers affected" in with_feeder["html"], with_feeder["html"]
    both = live(planner, work="feeder:南街1号线\nline:3")
    assert "45 customers affected" in both["html"]


def test_what_two_outages_do_together(planner: Person, rt: Runtime) -> None:
    reference = town.approved(rt)
    answer = live(planner, work="line:10", beside=reference)
    assert f"Together with {reference}" in answer["html"] and "H1-10" in answer["html"]
    assert "There is no such thing" in live(planner, work="line:10", beside="PO-2020-0001")["html"]


def test_steps_work_without_script(planner: Person) -> None:
    page = planner.send("/desk/plan", WINDOW | {"work": "line:3", "step": "add:close:switch:99"})
    text = page.get_data(as_text=True)
    assert page.status_code == 200 and "switch:99</textarea>" in text and "Short interruption" in text
    text = planner.send(
        "/desk/plan", WINDOW | {"work": "line:3\nline:4", "step": "drop:work:line:3"}
    ).get_data(as_text=True)
    assert ">line:4</textarea>" in text


def test_only_planners_ask_and_script_in_a_field_stays_text(app: Any, planner: Person) -> None:
    guest = Person(app).sign_in(town.LOOKER)
    assert guest.post("/desk/plan/live", guest.hidden("/desk/")).status_code == 403
    text = live(planner, work="<script>alert(1)</script>")["html"]
    assert "<script>" not in text and "&lt;script&gt;" in text


def test_tiles_belong_to_the_network_in_force(planner: Person, rt: Runtime, stranger: Person) -> None:
    view = planner.get("/desk/network.json").get_json()
    assert view["version"] == 1 and view["bounds"][0] == town.WEST - 0.004
    tile = planner.get("/desk/network/1/0/0/0.json")
    assert tile.headers["Cache-Control"].startswith("private") and len(tile.get_json()["line"]) == 13
    assert [one[0] for one in tile.get_json()["switch"] if not one[2]] == ["switch:99"]
    assert planner.get("/desk/network/2/0/0/0.json").status_code == 404
    assert planner.get("/desk/network/1/3/9/0.json").status_code == 404
    assert stranger.get("/desk/network/1/0/0/0.json").status_code == 302
    with rt.database.read() as session:
        shapes = network_map.shapes_of(session, 1, [("zone", ["line:99", "load:3", "line:77"])])
    # A line without a geometry of its own runs from bus to bus.
    assert [one["geometry"]["type"] for one in shapes] == ["LineString", "Point"]


def test_a_stored_draft_opens_with_its_own_answer(planner: Person, rt: Runtime) -> None:
    reference = plan_outage.plan(rt, town.PLANNER, town.request())
    form = planner.hidden(f"/desk/outages/{reference}/edit")
    assert form["reference"] == reference
    answer = planner.post("/desk/plan/live", form | WINDOW | {"work": town.WORK})
    assert "Overlaps" not in answer.get_json()["html"] and reference not in answer.get_json()["html"]


def test_an_address_or_a_customer_leads_to_what_supplies_it(planner: Person) -> None:
    found = planner.send("/desk/plan/find", {"find": "南街 10-"}, page="/desk/plan").get_data(as_text=True)
    assert found.count("<li>") == 4 and 'value="add:work:line:10"' in found
    assert 'value="add:work:feeder:南街1号线"' in found
    by_customer = planner.send("/desk/plan/find", {"find": "H1"}, page="/desk/plan").get_data(as_text=True)
    assert "北街 4 号" in by_customer and "南街 4 号" in by_customer
    by_feeder = planner.send("/desk/plan/find", {"find": "北街1"}, page="/desk/plan").get_data(as_text=True)
    assert 'value="add:work:feeder:北街1号线"' in by_feeder and 'value="add:work:line:1"' in by_feeder
    nothing = planner.send("/desk/plan/find", {"find": "<i>nix"}, page="/desk/plan").get_data(as_text=True)
    assert "Nothing was found for &lt;i&gt;nix" in nothing
    short = planner.send("/desk/plan/find", {"find": "x"}, page="/desk/plan").get_data(as_text=True)
    assert "at least two letters" in short


def test_the_search_works_without_script_and_keeps_the_form(planner: Person) -> None:
    page = planner.send("/desk/plan", WINDOW | {"work": "line:9", "step": "find", "find": "5 North Street"})
    text = page.get_data(as_text=True)
    assert page.status_code == 200 and ">line:9</textarea>" in text and "City Water Works" in text


def ring(*corners: tuple[float, float]) -> str:
    return json.dumps({"type": "Polygon", "coordinates": [[*corners, corners[0]]]})


def test_an_area_is_searched_for_what_can_be_picked(planner: Person) -> None:
    north = town.SOUTH + 0.002
    west, east = town.WEST + 0.007, town.WEST + 0.0125
    box = ring((west, north - 1e-4), (east, north - 1e-4), (east, north + 1e-4), (west, north + 1e-4))
    answer = planner.send("/desk/plan/within", {"area": box}, page="/desk/plan")
    html = answer.get_json()["html"]
    # line:3 begins before the box and line:5 ends behind it; stations 3 and 4 lie in it.
    assert 'value="add:work:line:3\nline:4\nline:5"' in html.replace("&#10;", "\n")
    assert "10 customers in the area" in html


def test_areas_that_can_not_be_used_say_why(planner: Person) -> None:
    turn = [math.radians(360 * n / 5000) for n in range(5000)]
    circle = ring(*((town.WEST + 0.01 * math.cos(a), town.SOUTH + 0.01 * math.sin(a)) for a in turn))
    many = planner.send("/desk/plan/within", {"area": circle}, page="/desk/plan").get_json()["html"]
    assert "had 5001 corners" in many and "simplified by at most" in many
    bow = ring((121.47, 31.23), (121.48, 31.24), (121.48, 31.23), (121.47, 31.24))
    for area in (bow, "{", "[]", "null", '{"type": "Point"}', "[" * 5000):
        wrong = planner.send("/desk/plan/within", {"area": area}, page="/desk/plan")
        assert wrong.status_code == 422 and 'role="alert"' in wrong.get_json()["html"]


def test_a_merge_is_offered_taken_and_saved(planner: Person, rt: Runtime) -> None:
    other = plan_outage.plan(rt, town.PLANNER, town.request(START + timedelta(days=3)))
    mine = {**WINDOW, "work": "line:4", "reason_en": "New poles", "area": "North street 4"}
    assert f'value="merge:{other}"' in live(planner, **mine)["html"]
    text = planner.send("/desk/plan", mine | {"step": f"merge:{other}"}).get_data(as_text=True)
    assert "line:4\nline:3</textarea>" in text and f'value="{other}"' in text
    assert (
        "New poles; Replacing a cable</textarea>" in text
        and "it is cancelled when this plan is saved" in text
    )
    assert f'value="merge:{other}"' not in text
    full = mine | {"work": "line:4\nline:3", "merged": other, "step": "save"}
    saved = planner.send("/desk/plan", full)
    assert saved.status_code == 303
    assert desk_views.version_of(rt, other).state is OutageState.CANCELLED
    again = planner.send("/desk/plan", full)
    assert again.status_code == 422 and "its work can&#39;t be taken over" in again.get_data(as_text=True)
    # What can't be merged leaves the form as it was.
    wrong = planner.send("/desk/plan", mine | {"step": "merge:PO-2020-0001"})
    assert wrong.status_code == 404 and ">line:4</textarea>" in wrong.get_data(as_text=True)
