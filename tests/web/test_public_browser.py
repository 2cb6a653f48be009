"""The public's pages in a real browser: phone and desk, both languages, with axe-core, without script, in a frame."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from outage_notify.services import plan_outage, run_outage
from outage_notify.services.approve_outage import approve
from outage_notify.services.runtime import Runtime
from tests.factories import town
from tests.factories.people import START

AXE = (Path(__file__).parents[1] / "fakes" / "axe" / "axe.min.js").read_text(encoding="utf-8")
SIZES = {"desk": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}


def approved(rt: Runtime, line: str, area: str, day: int) -> str:
    plan = dataclasses.replace(town.request(START + timedelta(days=day)), work=(line,), area=area)
    reference = plan_outage.plan(rt, town.PLANNER, plan)
    plan_outage.submit(rt, town.PLANNER, reference)
    approve(rt, town.APPROVER, reference)
    return reference


@pytest.fixture
def outages(rt: Runtime) -> list[str]:
    """Three outages, the last one cancelled."""
    found = [approved(rt, f"line:{line}", f"北街 {line} 号", day) for line, day in ((3, 0), (9, 1), (12, 3))]
    run_outage.cancel(rt, town.PLANNER, found[-1], "no crew")
    return found


@pytest.fixture
def watched(chromium: Browser) -> Iterator[list[Page]]:
    """Pages that are opened here are closed at the end; nothing may have stood on their consoles."""
    pages: list[Page] = []
    yield pages
    for page in pages:
        page.context.close()


def opened(
    chromium: Browser, pages: list[Page], language: str, size: str, **more: object
) -> tuple[Page, list[str]]:
    context = chromium.new_context(locale=language, viewport=SIZES[size], **more)  # type: ignore[arg-type]
    page, faults = context.new_page(), []
    page.on("console", lambda one: faults.append(one.text) if one.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    pages.append(page)
    return page, faults


@pytest.mark.parametrize(
    ("language", "size", "scheme"),
    [
        ("en", "desk", "light"),
        ("zh-CN", "phone", "light"),
        ("en", "phone", "dark"),
        ("zh-CN", "desk", "dark"),
    ],
)
def test_everybody_can_use_the_pages(
    chromium: Browser,
    watched: list[Page],
    served: str,
    outages: list[str],
    language: str,
    size: str,
    scheme: str,
) -> None:
    page, faults = opened(chromium, watched, language, size, color_scheme=scheme)
    for path in (
        "/",
        "/outages?when=30d",
        f"/outages/{outages[0]}",
        "/open-data",
        "/affected",
        "/embed",
        "/follow",
    ):
        page.goto(served + path)
        if path in {"/", "/embed"}:
            expect(page.locator("#map[data-ready]")).to_be_visible()
        assert page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        ), path
        page.evaluate(AXE)
        found = page.evaluate("axe.run({rules: {'target-size': {enabled: true}}}).then(r => r.violations)")
        told = [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found]
        assert told == [], path
    assert faults == []


def test_several_outages_at_one_place_can_all_be_chosen(
    chromium: Browser, watched: list[Page], served: str, outages: list[str]
) -> None:
    page, faults = opened(chromium, watched, "en", "desk")
    page.goto(served)
    expect(page.locator("#map[data-ready]")).to_be_visible()
    shown = set()
    for number in range(page.locator(".pin").count()):
        page.locator(".pin").nth(number).click()
        popup = page.locator(".leaflet-popup-content").last
        shown |= {text.strip() for text in popup.locator("a").all_inner_texts()}
        page.keyboard.press("Escape")
    assert shown == set(outages)
    assert faults == []


def test_marks_are_reached_and_named_by_keyboard_and_never_hide_each_other(
    chromium: Browser, watched: list[Page], served: str, outages: list[str]
) -> None:
    page, faults = opened(chromium, watched, "zh-CN", "phone")
    page.goto(served)
    expect(page.locator("#map[data-ready]")).to_be_visible()
    pins = page.locator(".pin")
    boxes = [pins.nth(number).bounding_box() for number in range(pins.count())]
    for number, one in enumerate(boxes):
        assert one is not None and min(one["width"], one["height"]) >= 24
        for other in boxes[:number]:
            assert other is not None
            apart = max(abs(one["x"] - other["x"]), abs(one["y"] - other["y"]))
            assert apart >= 24, "no mark hides another"
    names = [pins.nth(number).get_attribute("aria-label") or "" for number in range(len(boxes))]
    assert all("北街" in name for name in names), names
    pins.first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".leaflet-popup-content, .pin").first).to_be_visible()
    assert faults == []


def test_a_chosen_view_is_on_the_map_and_in_the_address(
    chromium: Browser, watched: list[Page], served: str, outages: list[str]
) -> None:
    page, _ = opened(chromium, watched, "zh-CN", "phone")
    page.goto(served)
    page.get_by_role("link", name="已取消").first.click()
    expect(page.locator("#map[data-ready]")).to_be_visible()
    assert page.url.endswith("phase=cancelled")
    expect(page.locator(".outages li")).to_have_count(1)
    expect(page.locator("path.area")).to_have_count(1)
    page.fill("#day", "2026-03-15")
    page.get_by_role("button", name="显示").click()
    assert "date=2026-03-15" in page.url and "phase=cancelled" in page.url
    expect(page.locator(".outages li")).to_have_count(1)


@pytest.mark.parametrize("scripts", [True, False])
def test_somebody_asks_for_the_own_house(
    chromium: Browser, watched: list[Page], served: str, outages: list[str], scripts: bool
) -> None:
    page, faults = opened(chromium, watched, "en", "phone", java_script_enabled=scripts)
    page.goto(f"{served}/affected")
    page.fill("#place", "北街 3-1 号")
    page.get_by_role("button", name="Look").click()
    expect(page.locator(".answer")).to_contain_text("Yes")
    expect(page.get_by_role("link", name=outages[0])).to_be_visible()
    assert page.url == f"{served}/affected"
    assert faults == []


def test_where_i_am_is_asked_of_the_browser(
    chromium: Browser, watched: list[Page], served: str, outages: list[str]
) -> None:
    where = {"latitude": town.SOUTH + 0.002, "longitude": town.WEST + 0.003 * 3}
    page, faults = opened(chromium, watched, "en", "phone", geolocation=where, permissions=["geolocation"])
    page.goto(f"{served}/affected")
    page.get_by_role("button", name="Where I am").click()
    expect(page.locator(".answer")).to_contain_text("Perhaps")
    assert faults == []


def test_the_embedded_map_works_in_a_strangers_page(
    chromium: Browser, watched: list[Page], served: str, outages: list[str]
) -> None:
    stranger = Flask("stranger")
    stranger.add_url_rule(
        "/", view_func=lambda: f'<iframe src="{served}/embed" width="600" height="500"></iframe>'
    )
    server = make_server("127.0.0.1", 0, stranger, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        page, _ = opened(chromium, watched, "en", "desk")
        page.goto(f"http://localhost:{server.server_port}/")
        frame = page.frame_locator("iframe")
        expect(frame.locator("#map[data-ready]")).to_be_visible()
        expect(frame.locator("path.area")).to_have_count(len(outages))
    finally:
        server.shutdown()
