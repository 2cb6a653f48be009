"""The planner's screen in a real browser: picked on the map, on desk and phone, in both languages; and without it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from outage_notify.domain.outage import OutageState
from outage_notify.services import desk_views
from outage_notify.services.runtime import Runtime
from tests.factories import town

AXE = (Path(__file__).parents[1] / "fakes" / "axe" / "axe.min.js").read_text(encoding="utf-8")
SIZES = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
# In the middle of line:3 of the town, and where the open tie stands.
LINE_3 = (town.SOUTH + 0.002, town.WEST + 0.0075)


@pytest.fixture
def page_of(chromium: Browser, served: str) -> Iterator[object]:
    """Opens the planner's page as a planner; at the end nothing may have stood on a console."""
    faults: list[str] = []
    contexts = []

    def make(
        language: str = "en",
        size: str = "desk",
        path: str = "/desk/plan",
        who: str = town.PLANNER,
        **more: object,
    ) -> Page:
        context = chromium.new_context(
            locale=language,
            viewport=SIZES[size],  # type: ignore[arg-type]
            has_touch=size == "phone",
            **more,  # type: ignore[arg-type]
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda one: faults.append(one.text) if one.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{served}/desk/sign-in")
        page.fill("#username", who)
        page.fill("#password", town.PASSWORD)
        page.locator("main button").click()
        page.goto(served + path)
        return page

    yield make
    for context in contexts:
        context.close()
    assert faults == []


def at(page: Page, place: tuple[float, float]) -> dict[str, float]:
    """Where a place of the map is on the map, in pixels."""
    expect(page.locator("[data-plan-map][data-ready]")).to_be_visible()
    spot = page.evaluate("place => planMap.map.latLngToContainerPoint(place)", list(place))
    return {"x": spot["x"], "y": spot["y"]}


@pytest.mark.parametrize(
    ("language", "size", "affected"),
    [("en", "desk", "21 customers affected"), ("zh-CN", "phone", "影响 21 户")],
)
def test_a_section_is_picked_by_a_click(page_of, language: str, size: str, affected: str) -> None:  # type: ignore[no-untyped-def]
    page = page_of(language, size)
    field = page.locator("[data-plan-map]")
    (field.tap if size == "phone" else field.click)(position=at(page, LINE_3))
    expect(page.locator("#work")).to_have_value("line:3")
    expect(page.locator("#found .summary")).to_contain_text(affected)
    expect(page.locator("[data-said]")).to_contain_text(affected)
    # The switches to open stand on the map, and the tie offers itself; a click closes it.
    expect(page.locator(".plan-open")).to_have_count(2)
    page.locator(".plan-tie").click()
    expect(page.locator("#close")).to_have_value("switch:99")
    expect(page.locator(".plan-closed")).to_have_count(1)
    # A second click on the same section drops it.
    page.locator("[data-tool=all]").click()
    (field.tap if size == "phone" else field.click)(position=at(page, LINE_3))
    expect(page.locator("#work")).to_have_value("")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_click_may_mean_the_whole_feeder(page_of) -> None:  # type: ignore[no-untyped-def]
    page = page_of()
    page.get_by_label("Whole feeder").check()
    page.locator("[data-plan-map]").click(position=at(page, LINE_3))
    expect(page.locator("#work")).to_have_value("feeder:北街1号线")
    expect(page.locator("#found .summary")).to_contain_text("29 customers affected")


def test_an_area_is_drawn_and_a_place_is_found(page_of) -> None:  # type: ignore[no-untyped-def]
    page = page_of()
    north, south = town.SOUTH + 0.0025, town.SOUTH + 0.0015
    at(page, LINE_3)
    page.get_by_role("button", name="Draw an area").click()
    for corner in ((north, town.WEST + 0.007), (north, town.WEST + 0.0085), (south, town.WEST + 0.0085)):
        page.locator("[data-plan-map]").click(position=at(page, corner))
    page.get_by_role("button", name="Finish the area").click()
    page.get_by_role("button", name="Pick 1 section").click()
    expect(page.locator("#work")).to_have_value("line:3")
    page.get_by_label("Find by name").fill("Water")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Section line:5").click()
    expect(page.locator("#work")).to_have_value("line:3\nline:5")
    expect(page.locator("#found .summary")).to_contain_text("21 customers affected")
    # A drawing that is given up leaves everything as it was.
    page.get_by_role("button", name="Draw an area").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Draw an area")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing(page_of, size: str, scheme: str) -> None:  # type: ignore[no-untyped-def]
    page = page_of("en", size, color_scheme=scheme)
    page.fill("#start", "2026-03-12T09:00")
    page.fill("#end", "2026-03-12T13:00")
    page.fill("#work", "line:3")
    expect(page.locator("#found .people li").first).to_be_visible()
    at(page, LINE_3)
    page.evaluate(AXE)
    found = page.evaluate("axe.run().then(r => r.violations)")
    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found] == []


def test_the_keyboard_alone_plans_submits_and_approves(page_of, rt: Runtime) -> None:  # type: ignore[no-untyped-def]
    page = page_of()
    fill = {"work": "line:3", "reason_en": "Replacing a cable", "area": "North street"}
    for name, clock in (("start", "0900AM"), ("end", "0100PM")):
        reach(page, name)
        page.keyboard.type("03122026")
        page.keyboard.press("Tab")
        page.keyboard.type(clock)
    expect(page.locator("#end")).to_have_value("2026-03-12T13:00")
    for name, text in fill.items():
        reach(page, name)
        page.keyboard.type(text)
    expect(page.locator("#found .summary")).to_contain_text("21 customers affected")
    press(page, "Save as draft")
    page.wait_for_url("**/desk/outages/**")
    reference = page.url.rpartition("/")[2]
    press(page, "Submit for approval")
    expect(page.get_by_role("status").filter(has_text="Submitted")).to_be_visible()
    approver = page_of(path=f"/desk/outages/{reference}", who=town.APPROVER)
    press(approver, "Approve")
    expect(approver.get_by_role("status").filter(has_text="Approved")).to_be_visible()
    assert desk_views.version_of(rt, reference).state is OutageState.APPROVED


def reach(page: Page, field: str) -> None:
    """Tab on until a field has the focus."""
    for _ in range(80):
        if page.evaluate("document.activeElement.id") == field:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard never came to {field}")


def press(page: Page, name: str) -> None:
    """Tab on to a button, from the top of the page, and press it."""
    for _ in range(120):
        if (
            page.evaluate("document.activeElement.tagName + document.activeElement.textContent.trim()")
            == "BUTTON" + name
        ):
            page.keyboard.press("Enter")
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard never came to {name}")
