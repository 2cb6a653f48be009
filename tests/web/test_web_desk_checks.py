"""What stands in the way, as the pages show it, and the two people who let it through."""

from __future__ import annotations

from datetime import timedelta

from outage_notify.domain.outage import OutageState
from outage_notify.services import desk_views, plan_outage
from outage_notify.services.runtime import Runtime
from tests.factories import town
from tests.factories.people import START
from tests.web.conftest import Person


def act(person: Person, reference: str, step: str, **form: str) -> str:
    page = f"/desk/outages/{reference}"
    assert person.send(f"{page}/{step}", form, page=page).status_code == 303
    return person.get(page).get_data(as_text=True)


def test_an_overlap_is_shown_asked_for_and_let_through(
    planner: Person, approver: Person, rt: Runtime
) -> None:
    first, second = town.approved(rt), town.planned(rt)
    shown = planner.get(f"/desk/outages/{second}").get_data(as_text=True)
    assert "Make it one outage" in shown and "Needs a second person" in shown and first in shown
    assert "Something stands in the way" in act(planner, second, "submit")
    act(planner, second, "submit", exception_reason="the same crew")
    shown = approver.get(f"/desk/outages/{second}").get_data(as_text=True)
    assert "the same crew" in shown and 'name="override_reason"' in shown
    assert "You may not do this" in act(approver, second, "approve")
    assert "Approved." in act(approver, second, "approve", override_reason="fine with me")
    assert "fine with me" in planner.get(f"/desk/outages/{second}").get_data(as_text=True)
    assert desk_views.version_of(rt, second).state is OutageState.APPROVED


def test_protected_dates_are_entered_by_approvers_and_warned_of(
    planner: Person, approver: Person, rt: Runtime
) -> None:
    day = START.astimezone(rt.zone).date().isoformat()
    path = "/desk/protected"
    assert 'name="first"' not in planner.get(path).get_data(as_text=True)
    wrong = approver.send(path, {"first": day, "last": "2020-01-01", "name": "高考"})
    assert wrong.status_code == 422 and "高考" in wrong.get_data(as_text=True)
    assert approver.send(path, {"first": day, "name": "<b>高考</b>"}).status_code == 303
    shown = planner.get(path).get_data(as_text=True)
    assert "&lt;b&gt;高考" in shown and "<b>高考" not in shown
    draft = town.planned(rt)
    assert "Falls on a protected date" in planner.get(f"/desk/outages/{draft}").get_data(as_text=True)
    assert approver.send(f"{path}/1/remove", page=path).status_code == 303
    assert "Falls on" not in planner.get(f"/desk/outages/{draft}").get_data(as_text=True)


def test_the_hospital_is_named_when_both_its_feeds_would_go(planner: Person, rt: Runtime) -> None:
    town.approved(rt)
    plan = town.request(START + timedelta(hours=1))
    south = plan_outage.PlanRequest(plan.kind, plan.start, plan.end, plan.reason, "南街", "", ("line:10",))
    reference = plan_outage.plan(rt, town.PLANNER, south)
    shown = planner.get(f"/desk/outages/{reference}").get_data(as_text=True)
    assert "every feed of 1 key customer" in shown and "市第一人民医院" in shown and "Not possible" in shown
    assert "Nobody may let this through" in act(planner, reference, "submit", exception_reason="it must be")
