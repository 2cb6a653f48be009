"""The pages in a real browser: a key customer signs on a phone, two dispatchers plan and approve, in both languages.

Every page is watched: no message on the console, nothing that the content security policy stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from sqlalchemy import select

from outage_notify.domain.acknowledgement import AckState
from outage_notify.domain.outage import OutageState
from outage_notify.services import desk_views, links
from outage_notify.services.runtime import Runtime
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.people_tables import Customer
from tests.factories import town
from tests.factories.people import NOW

DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
NAMES = {
    "en": {
        "save": "Save as draft",
        "submit": "Submit for approval",
        "approve": "Approve",
        "approved": "Approved.",
    },
    "zh-CN": {
        "save": "保存草稿",
        "submit": "提交审批",
        "approve": "批准",
        "approved": "已批准，通知即将发出。",
    },
}
Open = Callable[..., Page]


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Open]:
    """Opens a page of its own per person; at the end nothing may have been complained about."""
    faults: list[str] = []
    contexts = []

    def make(language: str = "en", size: dict[str, int] = DESK, **more: object) -> Page:
        context = chromium.new_context(locale=language, viewport=size, **more)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: faults.append(message.text) if _a_fault(message) else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert faults == []


def _a_fault(message: ConsoleMessage) -> bool:
    """An error or a warning; not that the small server here closed a kept connection, Chromium asks again."""
    return message.type in {"error", "warning"} and "ERR_SOCKET_NOT_CONNECTED" not in message.text


def sign_in(page: Page, base: str, username: str) -> None:
    page.goto(f"{base}/desk/")
    page.fill("#username", username)
    page.fill("#password", town.PASSWORD)
    page.locator("main button").click()


def link(rt: Runtime, customer: str) -> tuple[int, str]:
    with rt.database.read() as session:
        ack = session.scalars(
            select(Acknowledgement.id).join(Customer).where(Customer.customer_id == customer)
        ).one()
    return ack, f"/s/{rt.link_token(links.SIGN, ack, NOW + timedelta(days=60))}"


def state_of(rt: Runtime, ack: int) -> AckState:
    with rt.database.read() as session:
        return session.get_one(Acknowledgement, ack).state


def fits(page: Page) -> bool:
    """Whether nothing sticks out sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


@pytest.mark.parametrize(
    ("language", "button", "receipt"),
    [("en", "Sign: I have received this notice", "Receipt"), ("zh-CN", "签收：我已收到此通知", "签收凭证")],
)
def test_a_key_customer_signs_on_a_phone(
    open_page: Open, served: str, rt: Runtime, language: str, button: str, receipt: str
) -> None:
    town.approved(rt)
    ack, path = link(rt, "H1")
    page = open_page(language, PHONE, has_touch=True)
    page.goto(served + path)
    assert fits(page)
    assert state_of(rt, ack) is AckState.REQUESTED
    page.fill("#signer_name", "周建国")
    page.get_by_role("button", name=button).tap()
    expect(page.get_by_role("heading", name=receipt, exact=True)).to_be_visible()
    expect(page.locator("#receipt")).to_contain_text("周建国")
    assert state_of(rt, ack) is AckState.ACKNOWLEDGED
    with page.expect_download() as download:
        page.get_by_role("link", name="JWS").click()
    assert download.value.suggested_filename.endswith(".jws")


def test_an_objection_without_script(open_page: Open, served: str, rt: Runtime) -> None:
    town.approved(rt)
    ack, path = link(rt, "W1")
    page = open_page("en", PHONE, java_script_enabled=False)
    page.goto(served + path)
    page.get_by_text("Object, or ask for another date").click()
    page.fill("#object_name", "Grace Hall")
    page.fill("#reason", "Surgery that day")
    page.get_by_role("button", name="Send the objection").click()
    assert state_of(rt, ack) is AckState.OBJECTED


@pytest.mark.parametrize("language", NAMES)
def test_one_plans_and_another_approves(open_page: Open, served: str, rt: Runtime, language: str) -> None:
    words = NAMES[language]
    planner, approver = open_page(language), open_page(language)
    sign_in(planner, served, town.PLANNER)
    planner.goto(f"{served}/desk/plan")
    planner.fill("#start", "2026-03-12T09:00")
    planner.fill("#end", "2026-03-12T13:00")
    planner.fill("#reason_zh", "更换电缆")
    planner.fill("#reason_en", "Replacing a cable")
    planner.fill("#area", "北街")
    # The search adds an element as soon as one of the list is taken.
    search = planner.locator("[data-element-search=work]")
    search.press_sequentially("北街3")
    expect(planner.locator("#work-found option").first).to_have_attribute("value", "line:3")
    search.fill("line:3")
    expect(planner.locator("#work")).to_have_value("line:3")
    planner.locator("button[value=preview]").click()
    expect(planner.get_by_text("switch:5").first).to_be_visible()
    planner.get_by_role("button", name=words["save"]).click()
    expect(planner.locator("#map[data-ready]")).to_be_visible()
    planner.get_by_role("button", name=words["submit"]).click()
    reference = planner.url.rpartition("/")[2]
    sign_in(approver, served, town.APPROVER)
    approver.get_by_role("link", name=reference).click()
    approver.get_by_role("button", name=words["approve"], exact=True).click()
    expect(approver.get_by_role("status").filter(has_text=words["approved"])).to_be_visible()
    assert desk_views.version_of(rt, reference).state is OutageState.APPROVED


def test_the_public_map_draws_what_the_list_says(open_page: Open, served: str, rt: Runtime) -> None:
    reference = town.approved(rt)
    for size in (DESK, PHONE):
        page = open_page("zh-CN", size)
        page.goto(served)
        expect(page.locator("#map[data-ready]")).to_be_visible()
        expect(page.locator("path.area-planned")).to_have_count(1)
        page.locator(".pin").click()
        expect(page.locator(".leaflet-popup")).to_contain_text(reference)
        assert fits(page)
        page.get_by_role("link", name="列表").click()
        expect(page.locator(".outages li")).to_have_count(1)


@pytest.mark.parametrize("language", NAMES)
def test_no_page_sticks_out_on_a_phone(open_page: Open, served: str, rt: Runtime, language: str) -> None:
    reference = town.approved(rt)
    page = open_page(language, PHONE)
    sign_in(page, served, town.PLANNER)
    pages = (
        "/desk/",
        f"/desk/outages/{reference}",
        "/desk/plan",
        "/desk/tasks",
        "/desk/letters",
        f"/outages/{reference}",
    )
    for path in pages:
        page.goto(served + path)
        assert fits(page), path


def test_the_keyboard_is_enough_to_sign(open_page: Open, served: str, rt: Runtime) -> None:
    town.approved(rt)
    ack, path = link(rt, "W1")
    page = open_page("en", PHONE)
    page.goto(served + path)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "signer_name":
            break
    page.keyboard.type("Grace Hall")
    page.keyboard.press("Enter")
    expect(page.locator("#receipt")).to_be_visible()
    assert state_of(rt, ack) is AckState.ACKNOWLEDGED
