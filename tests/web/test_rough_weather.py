"""Rough weather at the desk, in a real browser: an ended session, double clicks, the back button, two tabs, no script,
hostile words, a slow or missing network, a photo that is too large. Nothing is lost, nothing is done twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from outage_notify.domain.outage import OutageState
from outage_notify.services import desk_views, outage_views, plan_outage
from outage_notify.services.runtime import Runtime
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.people_tables import Customer
from outage_notify.store.work_queries import open_task
from outage_notify.store.work_tables import TaskKind
from tests.factories import town
from tests.factories.people import START

PHONE = {"width": 390, "height": 844}
HOSTILE = "<script>window.hurt=1</script>\"'><img src=x onerror=window.hurt=1>{{7*7}}"
Sit = Callable[..., Page]


@pytest.fixture
def sit(chromium: Browser, served: str) -> Iterator[Sit]:
    """Somebody signed in at a browser of their own."""
    contexts = []

    def make(who: str = town.PLANNER, **more: object) -> Page:
        context = chromium.new_context(base_url=served, locale="en", **more)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.goto("/desk/sign-in")
        sign_in(page, who)
        return page

    yield make
    for context in contexts:
        context.close()


def sign_in(page: Page, who: str = town.PLANNER) -> None:
    page.fill("#username", who)
    page.fill("#password", town.PASSWORD)
    page.locator("main button").click()


def typed(page: Page, area: str = "North street") -> None:
    """A whole plan, not sent yet."""
    page.goto("/desk/plan")
    for name, text in {
        "start": "2026-03-12T09:00",
        "end": "2026-03-12T13:00",
        "work": "line:3",
        "reason_en": "Replacing a cable",
        "area": area,
    }.items():
        page.fill(f"#{name}", text)


def drafts(rt: Runtime) -> list[str]:
    return [one["reference"] for one in outage_views.outage_list(rt, [OutageState.DRAFT])]


def test_a_session_that_ends_while_one_types_loses_nothing(sit: Sit, rt: Runtime) -> None:
    page = sit()
    typed(page)
    # An answer still under way would bring the session back.
    expect(page.locator("#found .summary")).to_contain_text("21 customers affected")
    page.wait_for_load_state("networkidle")
    page.context.clear_cookies()
    page.get_by_role("button", name="Save as draft").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing that you typed is lost")
    page.fill("#username", town.PLANNER)
    page.fill("#password", "not this one")
    page.locator("main button").click()
    expect(page.get_by_role("alert")).to_contain_text("Name or password is wrong")
    sign_in(page)
    expect(page.get_by_role("heading", name="Nothing is lost")).to_be_visible()
    expect(page.locator("dl.facts")).to_contain_text("North street")
    assert drafts(rt) == []
    page.get_by_role("button", name="Send it now").click()
    page.wait_for_url("**/desk/outages/**")
    (reference,) = drafts(rt)
    assert desk_views.version_of(rt, reference).newest.area == "North street"


def test_signed_in_anew_in_another_tab_an_old_form_is_sent_after_a_look(sit: Sit, rt: Runtime) -> None:
    page = sit()
    typed(page)
    # An answer still under way would bring the session back.
    expect(page.locator("#found .summary")).to_contain_text("21 customers affected")
    page.wait_for_load_state("networkidle")
    page.context.clear_cookies()
    tab = page.context.new_page()
    tab.goto("/desk/sign-in")
    sign_in(tab)
    page.get_by_role("button", name="Save as draft").click()
    page.get_by_role("button", name="Send it now").click()
    page.wait_for_url("**/desk/outages/**")
    assert len(drafts(rt)) == 1


def test_a_double_click_stores_one_plan(sit: Sit, rt: Runtime) -> None:
    page = sit()
    typed(page)
    page.get_by_role("button", name="Save as draft").dblclick(no_wait_after=True)
    page.wait_for_url("**/desk/outages/**")
    assert len(drafts(rt)) == 1


def test_back_and_two_tabs_do_nothing_twice(sit: Sit, rt: Runtime) -> None:
    reference = town.planned(rt)
    one = sit()
    one.goto(f"/desk/outages/{reference}")
    two = one.context.new_page()
    two.goto(f"/desk/outages/{reference}")
    one.get_by_role("button", name="Submit for approval").click()
    expect(one.get_by_role("status").filter(has_text="Submitted")).to_be_visible()
    two.get_by_role("button", name="Submit for approval").click()
    expect(two.locator("main")).to_contain_text("Somebody else changed it in the meantime")
    one.go_back()
    expect(one.get_by_role("button", name="Submit for approval")).to_have_count(0)
    assert desk_views.version_of(rt, reference).state is OutageState.SUBMITTED


def test_two_dispatchers_edit_the_same_outage(sit: Sit, rt: Runtime) -> None:
    reference = town.planned(rt)
    first, second = sit(), sit(town.BOTH)
    for page in (first, second):
        page.goto(f"/desk/outages/{reference}/edit")
    first.fill("#area", "As the first says")
    first.get_by_role("button", name="Save as draft").click()
    first.wait_for_url(f"**/desk/outages/{reference}")
    second.fill("#area", "As the second says")
    second.get_by_role("button", name="Save as draft").click()
    # Told what changed; what was typed stands; nothing was overwritten.
    expect(second.get_by_role("alert").first).to_contain_text("Somebody else changed it")
    expect(second.locator("#meanwhile")).to_contain_text("As the first says")
    expect(second.locator("#area")).to_have_value("As the second says")
    assert desk_views.version_of(rt, reference).newest.area == "As the first says"
    # Having seen it, the second may save.
    second.get_by_role("button", name="Save as draft").click()
    second.wait_for_url(f"**/desk/outages/{reference}")
    assert desk_views.version_of(rt, reference).newest.area == "As the second says"


def test_without_script_one_plans_and_another_approves(sit: Sit, rt: Runtime) -> None:
    page = sit(java_script_enabled=False, viewport=PHONE)
    typed(page)
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#found")).to_contain_text("21 customers affected")
    page.get_by_role("button", name="Save as draft").click()
    page.get_by_role("button", name="Submit for approval").click()
    reference = page.url.rpartition("/")[2]
    chief = sit(town.APPROVER, java_script_enabled=False, viewport=PHONE)
    chief.goto(f"/desk/outages/{reference}")
    chief.get_by_role("button", name="Approve", exact=True).click()
    assert desk_views.version_of(rt, reference).state is OutageState.APPROVED


def test_hostile_words_stay_words(sit: Sit, rt: Runtime) -> None:
    request = town.request(START)
    hostile = plan_outage.PlanRequest(
        **vars(request) | {"area": HOSTILE, "line": HOSTILE, "reason": {"en": HOSTILE, "zh-CN": HOSTILE}}
    )
    reference = plan_outage.plan(rt, town.PLANNER, hostile)
    plan_outage.submit(rt, town.PLANNER, reference)
    chief = sit(town.APPROVER)
    chief.goto(f"/desk/outages/{reference}")
    chief.get_by_role("button", name="Approve", exact=True).click()
    for path in (
        f"/desk/outages/{reference}",
        f"/desk/outages/{reference}/texts",
        f"/desk/outages/{reference}/papers?paper=poster",
        "/desk/?view=map",
        "/desk/",
        f"/desk/?q={HOSTILE}",
        "/",
        "/outages",
        f"/outages/{reference}",
    ):
        chief.goto(path, wait_until="load")
        if path == "/" or "view=map" in path:
            expect(chief.locator("#map[data-ready]")).to_be_visible()
            chief.locator(".pin").first.click()
            expect(chief.locator(".leaflet-popup")).to_be_visible()
        assert chief.evaluate("[window.hurt, document.querySelectorAll('img[src=x]').length]") == [None, 0]
        assert "49" not in chief.locator("main").inner_text().split("}}")[0][-3:], path


def test_a_slow_network_that_breaks_off_loses_nothing(sit: Sit, rt: Runtime) -> None:
    page = sit(viewport=PHONE)
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    slow = {"offline": False, "latency": 300, "downloadThroughput": 60_000, "uploadThroughput": 30_000}
    wire.send("Network.emulateNetworkConditions", slow)
    typed(page)
    expect(page.locator("#found .summary")).to_contain_text("21 customers affected", timeout=20_000)
    wire.send("Network.emulateNetworkConditions", slow | {"offline": True})
    page.fill("#area", "South street")
    expect(page.locator("#live-note")).to_contain_text("nothing that you typed is lost")
    wire.send("Network.emulateNetworkConditions", slow)
    page.get_by_role("button", name="Save as draft").click()
    page.wait_for_url("**/desk/outages/**")
    assert desk_views.version_of(rt, drafts(rt)[0]).newest.area == "South street"


def test_a_photo_that_is_too_large_or_broken_is_refused_before_anything_is_lost(
    sit: Sit, rt: Runtime, tmp_path: Path
) -> None:
    town.approved(rt)
    with rt.database.write() as session:
        ack = session.scalars(
            select(Acknowledgement).join(Customer).where(Customer.customer_id == "W1")
        ).one()
        due = rt.now(session) + timedelta(days=1)
        given = {"outage": ack.outage_ref, "customer": ack.customer_ref, "due_at": due}
        open_task(session, TaskKind.VISIT, "visit:W1", rt.now(session), **given)
    large, broken = tmp_path / "large.jpg", tmp_path / "broken.jpg"
    large.write_bytes(b"\xff\xd8\xff\xe0" + bytes(50_000_000))
    broken.write_bytes(b"no photo at all")
    page = sit(viewport=PHONE)
    page.goto("/desk/tasks?kind=visit")
    page.get_by_text("Enter an answer").click()
    page.get_by_label("Name", exact=True).fill("Grace Hall")
    page.locator("input[type=file]").set_input_files(large)
    page.get_by_role("button", name="Record", exact=True).click()
    assert "6 MB" in page.locator("input[type=file]").evaluate("one => one.validationMessage")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Grace Hall")
    page.locator("input[type=file]").set_input_files(broken)
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.locator("main")).to_contain_text("The scan is neither PDF, JPEG nor PNG")
    page.get_by_text("Enter an answer").click()
    page.get_by_label("Name", exact=True).fill("Grace Hall")
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Recorded as receipt number")
