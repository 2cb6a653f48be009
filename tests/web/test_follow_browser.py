"""Keep me told, on a phone and at a desk, with axe-core: from the outage's page to the link that ends it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from outage_notify.services import follow, run_outage, tell_followers
from outage_notify.services.runtime import Runtime
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.follower_tables import Follower
from tests.factories import town
from tests.factories.people import NOW
from tests.web.conftest import turn

AXE = (Path(__file__).parents[1] / "fakes" / "axe" / "axe.min.js").read_text(encoding="utf-8")


def clean(page: Page) -> None:
    page.evaluate(AXE)
    found = page.evaluate("axe.run({exclude: ['.leaflet-marker-pane']}).then(r => r.violations)")
    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize(
    ("language", "width", "ask", "confirm", "end"),
    [("en", 1280, "Keep me told", "Confirm", "Unsubscribe"), ("zh-CN", 390, "订阅动态", "确认", "退订")],
)
def test_following_and_leaving(
    chromium: Browser, served: str, rt: Runtime, language: str, width: int, ask: str, confirm: str, end: str
) -> None:
    reference = town.approved(rt)
    context = chromium.new_context(locale=language, viewport={"width": width, "height": 844})
    page = context.new_page()
    page.goto(f"{served}/outages/{reference}")
    page.get_by_role("link", name=ask).click()
    clean(page)
    page.locator("#address").fill("curious@example.com")
    page.locator("main form button").click()
    page.locator("#code").fill("000")
    page.get_by_role("button", name=confirm).click()
    expect(page.get_by_role("alert")).to_be_visible()
    clean(page)
    with rt.database.read() as session:
        row = session.scalars(select(Follower)).one()
        code = follow.code_of(rt, row.id, row.made_at)
    page.locator("#code").fill(code)
    page.get_by_role("button", name=confirm).click()
    expect(page.get_by_role("status")).to_be_visible()
    clean(page)
    turn(rt, NOW + timedelta(minutes=3))
    run_outage.cancel(rt, town.PLANNER, reference, "no crew")
    assert tell_followers.tell_news(rt) == 1
    with rt.database.read() as session:
        told = session.scalars(select(Delivery).where(Delivery.address == "curious@example.com")).one()
        token = rt.link_token("unfollow", told.id, NOW + timedelta(days=9))
    page.goto(f"{served}/u/{token}")
    clean(page)
    page.get_by_role("button", name=end).click()
    expect(page.get_by_role("status")).to_be_visible()
    clean(page)
    context.close()
    with rt.database.read() as session:
        assert session.scalars(select(Follower)).all() == []
