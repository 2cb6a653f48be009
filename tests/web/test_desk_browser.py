"""The dispatcher's screens in a real browser: desk and phone, both languages, light and dark, with axe-core."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from outage_notify.services import announce, plan_outage
from outage_notify.services.runtime import Runtime
from tests.factories import town
from tests.factories.people import START

AXE = (Path(__file__).parents[1] / "fakes" / "axe" / "axe.min.js").read_text(encoding="utf-8")
SIZES = {"desk": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
RULES = "axe.run({resultTypes: ['violations']}).then(r => r.violations)"


@pytest.fixture
def sitting(chromium: Browser, served: str) -> Iterator[object]:
    """Signs a planner in at a screen of some size and language; nothing may stand on its console."""
    contexts, faults = [], []

    def sit(language: str, size: str, scheme: str = "light", **more: object) -> Page:
        context = chromium.new_context(
            locale=language,
            viewport=SIZES[size],  # type: ignore[arg-type]
            color_scheme=scheme,  # type: ignore[arg-type]
            **more,  # type: ignore[arg-type]
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda one: faults.append(one.text) if one.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{served}/desk/")
        page.fill("#username", town.PLANNER)
        page.fill("#password", town.PASSWORD)
        page.locator("main button").click()
        return page

    yield sit
    for context in contexts:
        context.close()
    assert faults == []


@pytest.mark.parametrize(
    ("language", "size", "scheme"),
    [
        ("en", "desk", "light"),
        ("zh-CN", "phone", "light"),
        ("en", "phone", "dark"),
        ("zh-CN", "desk", "dark"),
    ],
)
def test_every_screen_can_be_used(
    sitting: object, served: str, rt: Runtime, language: str, size: str, scheme: str
) -> None:
    reference = town.approved(rt)
    town.submitted(rt, START + timedelta(days=30))
    plan_outage.revise(rt, town.PLANNER, reference, town.request(START + timedelta(days=1)))
    page: Page = sitting(language, size, scheme)  # type: ignore[operator]
    for path in (
        "/desk/",
        "/desk/?view=calendar",
        "/desk/?view=calendar&week=2026-W11",
        "/desk/?view=map",
        f"/desk/outages/{reference}",
        f"/desk/outages/{reference}/papers?paper=poster",
        f"/desk/outages/{reference}/texts",
        "/desk/numbers",
    ):
        page.goto(served + path)
        if "view=map" in path:
            expect(page.locator("#map[data-ready]")).to_be_visible()
        assert page.evaluate(FITS), path
        page.evaluate(AXE)
        told = [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in page.evaluate(RULES)]
        assert told == [], path


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Papers and announcements", "Record", "Recorded.")),
        ("zh-CN", ("文书与公告", "登记", "已登记。")),
    ],
)
def test_an_announcement_is_recorded_on_a_phone(
    sitting: object, rt: Runtime, served: str, language: str, words: tuple[str, str, str]
) -> None:
    reference = town.approved(rt)
    heading, button, said = words
    page: Page = sitting(language, "phone")  # type: ignore[operator]
    page.goto(f"{served}/desk/outages/{reference}")
    page.locator(f"a[href$='{reference}/papers']").first.click()
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    page.select_option("#medium", "newspaper")
    page.fill("#place", "The Daily")
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_role("status").filter(has_text=said)).to_be_visible()
    assert [one["state"] for one in announce.announcements(rt, reference)["duties"]] == ["met"]
    with page.expect_download() as download:
        page.locator("a[href*='media.pdf']").click()
    assert download.value.suggested_filename == f"{reference}-media-{language}.pdf"


def test_a_view_is_kept_and_found_again_without_script(sitting: object, rt: Runtime, served: str) -> None:
    reference = town.approved(rt)
    page: Page = sitting("en", "desk", java_script_enabled=False)  # type: ignore[operator]
    page.select_option("#state", "APPROVED")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="Calendar").click()
    page.get_by_text("Keep this view").click()
    page.fill("#view-name", "Approved ones")
    page.get_by_role("button", name="Save").click()
    page.goto(f"{served}/desk/")
    page.get_by_role("link", name="Approved ones").click()
    assert "state=APPROVED" in page.url and "view=calendar" in page.url
    assert page.locator(f"a[href='/desk/outages/{reference}']").count() == 1


def test_the_map_of_the_board_leads_to_the_outage(sitting: object, rt: Runtime, served: str) -> None:
    reference = town.approved(rt)
    page: Page = sitting("en", "desk")  # type: ignore[operator]
    page.goto(f"{served}/desk/?view=map")
    expect(page.locator("#map[data-ready]")).to_be_visible()
    page.locator(".pin").first.click()
    page.locator(".leaflet-popup a", has_text=reference).click()
    expect(page.get_by_role("heading", name="Told, by tier and channel")).to_be_visible()
