"""The dispatcher's day in a browser, from an empty database to a completed outage: real web server, worker, provider.

On a desk in English and on a phone in Chinese. Everything goes by the pages; only the first administrator is made by
a command, as the README says, and the clock is turned by hand once all that is due has gone out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from geo.geojson import write_network
from outage_notify.demo.stage import Stage, stage
from outage_notify.domain.outage import OutageState
from outage_notify.services import desk_views
from outage_notify.services.users import add_user
from outage_notify.settings import Settings
from tests.factories import town

pytestmark = pytest.mark.timeout(600)

SIZES: dict[str, Any] = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
LINE_3 = (town.SOUTH + 0.002, town.WEST + 0.0075)
PATIENCE = 120_000  # milliseconds that a page may take on a busy machine before the test gives up
OWN = "a password of my own"
# Seen on the way, in the language that the browser asks for.
WORDS = {
    "en": ("Taken over.", "Submitted", "Approved", "Decided", "Started", "new expected end", "Completed"),
    "zh-CN": ("已导入。", "已提交", "已批准", "已决定", "已开始", "新的预计", "已完成"),
}


class Office:
    """People with a browser each, at one size and in one language."""

    def __init__(self, chromium: Browser, built: Stage, language: str, size: str) -> None:
        self.chromium, self.built, self.language, self.size = chromium, built, language, size
        self.words = iter(WORDS[language])
        self.pages: dict[str, Page] = {}
        self.faults: list[str] = []

    def page(self, who: str) -> Page:
        if who not in self.pages:
            context = self.chromium.new_context(
                locale=self.language, viewport=SIZES[self.size], has_touch=self.size == "phone"
            )
            context.set_default_timeout(PATIENCE)
            page = self.pages[who] = context.new_page()
            page.on(
                "console",
                lambda one: self.faults.append(one.text) if one.type in {"error", "warning"} else None,
            )
            page.on("pageerror", lambda error: self.faults.append(str(error)))
            page.on("dialog", lambda dialog: dialog.accept())
        return self.pages[who]

    def sign_in(self, who: str, password: str = OWN, path: str = "/desk/") -> Page:
        """Signed in and at a page; a session that ended meanwhile is begun anew."""
        page = self.page(who)
        page.goto(self.built.web + path)
        if page.locator("#username").is_visible() and "sign-in" in page.url:
            page.fill("#username", who)
            page.fill("#password", password)
            page.locator("main button").click()
            page.wait_for_url(lambda url: "sign-in" not in url)
        return page

    def said(self, page: Page) -> None:
        """The next word of the day is on the page, and nothing sticks out sideways."""
        expect(page.get_by_role("status").filter(has_text=next(self.words)).first).to_be_visible(
            timeout=PATIENCE
        )
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")

    def step(self, page: Page, action: str) -> None:
        """The button of one form, by where it leads: the same in every language."""
        form = page.locator(f"form[action$='/{action}']")
        if not form.is_visible():
            page.locator("details", has=form).locator("summary").click()
        form.locator("button").click()

    def close(self) -> None:
        for page in self.pages.values():
            page.context.close()


@pytest.fixture
def built(tmp_path: Path) -> Iterator[Stage]:
    """An empty database, and web server, worker and provider as processes of their own."""
    settings = Settings.load(
        {
            "OUTAGE_NOTIFY_SIMULATOR": "1",
            "OUTAGE_NOTIFY_TIMEZONE": "Europe/Berlin",
            "OUTAGE_NOTIFY_STATE_DIR": str(tmp_path),
        }
    )
    with stage(settings) as made:
        yield made


def upload(office: Office, kind: str, file: Path) -> None:
    """By the administrator's page; the bar is watched until the worker is through, a reload in between."""
    page = office.sign_in(town.ADMIN, town.PASSWORD, "/desk/admin/imports")
    page.select_option("#kind", kind)
    page.set_input_files("#file", file)
    page.uncheck("[name=dry_run]")
    page.locator("main form button").click()
    page.wait_for_url(re.compile(r"/imports/\d+$"))
    page.reload()
    expect(page.locator("#state")).to_contain_text(WORDS[office.language][0], timeout=PATIENCE)


def colleague(office: Office, username: str, name: str, role: str) -> None:
    """Added by the administrator, with a password for the first time; chooses one of her own."""
    page = office.sign_in(town.ADMIN, town.PASSWORD, "/desk/admin/users")
    page.fill("#username", username)
    page.fill("#name", name)
    page.check(f"[name=role][value={role}]")
    page.locator("form", has=page.locator("#username")).locator("button").click()
    first = page.locator(".secret").inner_text()
    own = office.sign_in(username, first)
    for field, text in (("#old", first), ("#new", OWN), ("#again", OWN)):
        own.fill(field, text)
    own.locator("form", has=own.locator("#old")).locator("button").click()
    expect(own.get_by_role("status").first).to_be_visible(timeout=PATIENCE)


def ledger(built: Stage) -> list[dict[str, Any]]:
    """What reached people's phones and mailboxes."""
    answer = requests.get(f"{built.simulator}/simulator/ledger", timeout=30).json()
    return list(answer["entries"])


@pytest.mark.parametrize(("language", "size"), [("en", "desk"), ("zh-CN", "phone")])
def test_from_an_empty_database_to_supply_restored(
    chromium: Browser, built: Stage, tmp_path: Path, language: str, size: str
) -> None:
    office = Office(chromium, built, language, size)
    network, customers = tmp_path / "town.geojson", tmp_path / "customers.csv"
    network.write_text(json.dumps(write_network(town.town())), encoding="utf-8")
    customers.write_text(town.customers(), encoding="utf-8")
    add_user(built.rt, town.ADMIN, town.PASSWORD, ["admin"], "徐丽")

    # The administrator brings network, customers and colleagues.
    upload(office, "network", network)
    upload(office, "customers", customers)
    next(office.words)
    colleague(office, town.PLANNER, "李娜", "planner")
    colleague(office, town.APPROVER, "王伟", "approver")

    # The planner picks a section on the map, two weeks ahead.
    day = datetime.combine(built.now().date() + timedelta(days=14), time(10), tzinfo=built.rt.zone)
    page = office.sign_in(town.PLANNER, path="/desk/plan")
    expect(page.locator("[data-plan-map][data-ready]")).to_be_visible(timeout=PATIENCE)
    spot = page.evaluate("place => planMap.map.latLngToContainerPoint(place)", list(LINE_3))
    field = page.locator("[data-plan-map]")
    (field.tap if size == "phone" else field.click)(position={"x": spot["x"], "y": spot["y"]})
    expect(page.locator("#work")).to_have_value("line:3", timeout=PATIENCE)
    for name, text in {
        "start": f"{day:%Y-%m-%dT%H:%M}",
        "end": f"{day + timedelta(hours=4):%Y-%m-%dT%H:%M}",
        "reason_zh": "更换电缆",
        "reason_en": "Replacing a cable",
        "area": "北街 3 至 6 号",
    }.items():
        page.fill(f"#{name}", text)
    expect(page.locator("#found .summary")).to_contain_text("21", timeout=PATIENCE)
    page.locator("button[name=step][value=save]").click()
    page.wait_for_url(re.compile(r"/desk/outages/[^/]+$"))
    outage = page.url.removeprefix(built.web)
    reference = outage.rpartition("/")[2]
    office.step(page, "submit")
    office.said(page)

    # Another person looks and approves.
    page = office.sign_in(town.APPROVER, path=outage)
    office.step(page, "approve")
    office.said(page)

    # The worker sends the first wave; a hospital's engineer signs by the link in his text.
    assert ledger(built) == []
    built.turn_to(day - timedelta(days=8, minutes=-5))
    built.settle()
    texts = [one["text"] for one in ledger(built) if one["channel"] == "sms"]
    assert len(texts) >= 10
    link = next(found for text in texts if (found := re.search(r"http://\S+?/s/[\w-]+", text)))
    signer = office.page("signer")
    signer.goto(link[0])
    signer.fill("#signer_name", "周建国")
    signer.locator("button[name=answer][value=sign]").click()
    expect(signer.locator("#receipt")).to_contain_text("周建国", timeout=PATIENCE)

    # On the day: the approver answers for those who have not signed, the planner starts.
    built.turn_to(day - timedelta(hours=1))
    page = office.sign_in(town.APPROVER, path=outage)
    page.locator("details", has=page.locator("#go_reason")).locator("summary").click()
    page.fill("#go_reason", "All were called")
    office.step(page, "go")
    office.said(page)
    built.turn_to(day + timedelta(minutes=2))
    page = office.sign_in(town.PLANNER, path=outage)
    office.step(page, "start")
    office.said(page)

    # It takes longer, and then supply is back.
    built.turn_to(day + timedelta(hours=3))
    page = office.sign_in(town.PLANNER, path=outage)
    page.locator("details", has=page.locator("#expected_end")).locator("summary").click()
    page.fill("#expected_end", f"{day + timedelta(hours=6):%Y-%m-%dT%H:%M}")
    office.step(page, "overrun")
    office.said(page)
    built.turn_to(day + timedelta(hours=5))
    page = office.sign_in(town.PLANNER, path=outage)
    office.step(page, "complete")
    office.said(page)
    built.settle()

    assert desk_views.version_of(built.rt, reference).state is OutageState.COMPLETED
    page.goto(built.web + "/desk/")
    expect(page.locator(f"a[href$='{outage}']").first).to_be_visible(timeout=PATIENCE)
    office.close()
    assert office.faults == []
