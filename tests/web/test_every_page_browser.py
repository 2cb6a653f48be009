"""axe-core on every page that the route table knows, in a real browser: phone and desk, light and dark, both languages.

A new route that shows a page is looked at as soon as it stands in the table; one with a variable in its address has to
be given a value here. The short form looks at each page once, by turns on a light desk in English and on a dark phone
in Chinese, or the other way round; `AXE_ALL=1` looks in both languages, on both sizes, light and dark, for each role.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO
from itertools import cycle, product
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page
from sqlalchemy import select
from werkzeug.routing import Rule

from outage_notify.services import escalate, links, long_work, plan_outage, run_outage, start_gate, webhooks
from outage_notify.services.long_work import Wish
from outage_notify.services.runtime import Runtime
from outage_notify.services.users import add_user
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.job_tables import JobKind
from outage_notify.store.people_tables import Customer
from outage_notify.store.user_tables import Role, User
from outage_notify.store.work_queries import open_task
from outage_notify.store.work_tables import Task, TaskKind
from outage_notify.web.access import ACCESS, Access
from tests.factories import town
from tests.factories.people import NOW, START
from tests.web.conftest import Person, turn

AXE = (Path(__file__).parents[1] / "fakes" / "axe" / "axe.min.js").read_text(encoding="utf-8")
RULES = "axe.run({resultTypes: ['violations']}).then(r => r.violations)"
# A map is drawn after the page has come; one that has nothing to draw is hidden.
DRAWN = """
    () => [...document.querySelectorAll("[data-map], [data-plan-map]")].every(
        (one) => one.closest("[hidden]") || one.dataset.ready
    )
"""
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
EVERYBODY, WHOLE = "stranger", "all.roles"
ALL = bool(os.environ.get("AXE_ALL"))
LANGUAGES = ("en", "zh-CN")
LOOKS = tuple(product(("desk", "phone"), ("light", "dark")))
# What the short form goes through by turns; an odd number of them, so that a page's own turn shifts.
TURNS = (
    ("en", LOOKS[:1]),
    ("zh-CN", LOOKS[3:]),
    ("zh-CN", LOOKS[1:2]),
    ("en", LOOKS[2:3]),
    ("en", LOOKS[3:]),
)
SIZES = {"desk": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
# Pages that answer everybody in the same way, whoever is signed in.
OPEN = frozenset({Access.EVERYBODY, Access.LINK})
# Addresses that show nothing to look at: a document, a token that only its owner's mail holds, a part of a page.
NO_PAGE = frozenset(
    {"static", "open_data.document", "plan.network_tile", "follow.leaving", "imports.state", "jobs.state"}
)


def stage(rt: Runtime) -> dict[str, list[str]]:
    """A town with an outage in each state, and the variables of the addresses: name to values."""
    add_user(rt, WHOLE, town.PASSWORD, [role.value for role in Role if role is not Role.READONLY], "何静")
    for role in (Role.FIELD, Role.ADMIN):
        add_user(rt, f"only.{role.value}", town.PASSWORD, [role.value], role.value)
    told = town.approved(rt)
    under_way, cancelled = (town.approved(rt, START + timedelta(days=days)) for days in (65, 130))
    over, revised = (town.approved(rt, START + timedelta(days=days)) for days in (195, 260))
    plan_outage.revise(rt, town.PLANNER, revised, town.request(START + timedelta(days=261)))
    run_outage.cancel(rt, town.PLANNER, cancelled, "Weather")
    for reference, days in ((over, 195), (under_way, 65)):
        start_gate.decide(rt, town.APPROVER, reference, "Spoken to")
        turn(rt, START + timedelta(days=days))
        run_outage.start(rt, town.PLANNER, reference)
    run_outage.complete(rt, town.PLANNER, over)
    turn(rt, NOW + timedelta(days=2))
    escalate.escalate_due(rt)
    waiting = town.submitted(rt, START + timedelta(days=330))
    draft = town.planned(rt, START + timedelta(days=400))
    wrong = long_work.ask(
        rt, town.ADMIN, Wish(JobKind.CUSTOMERS), "people.csv", BytesIO(b"customer_id;name\nX;Y")
    )
    long_work.work_due(rt)
    waits = long_work.ask(rt, town.ADMIN, Wish(JobKind.CUSTOMERS), "more people.csv", BytesIO(b"customer_id"))
    papers = long_work.ask_about(rt, town.PLANNER, JobKind.PAPERS, told, {})
    hook = webhooks.add(rt, town.ADMIN, "Newspaper", "https://example.com/hook")
    with rt.database.write() as session:
        ack = session.scalars(
            select(Acknowledgement)
            .join(Customer)
            .where(Customer.customer_id == "H1")
            .order_by(Acknowledgement.id)
        ).first()
        assert ack is not None
        for kind in TaskKind:
            note = "Saturday would be better"
            given = {"outage": ack.outage_ref, "customer": ack.customer_ref, "note": note}
            open_task(session, kind, f"look:{kind}", rt.now(session), **given)
        delivery = session.scalars(select(Delivery.id)).first()
        assert delivery is not None
        soon = rt.now(session) + timedelta(days=30)
        sign, notice = (
            rt.link_token(purpose, number, soon)
            for purpose, number in ((links.SIGN, ack.id), (links.NOTICE, delivery))
        )
        visit = session.scalars(select(Task.id).where(Task.kind == TaskKind.VISIT)).first()
        people = [str(one) for one in session.scalars(select(User.id).order_by(User.id).limit(1))]
    states = [told, under_way, cancelled, over, revised, waiting, draft]
    return {
        "reference": states,
        "public.outage_page": states[:4],
        "plan.edit": [draft],
        "plan.revise": [told],
        "texts.listing": [told],
        "managers.one": ["1"],
        "wordings.one": ["sms.SEVEN_DAY.zh-CN", "email.OVERRUN.en"],
        "papers.listing": [told, draft],
        "customer_id": ["H1", "L1"],
        "user_id": people,
        "job_id": [str(wrong), str(waits)],
        "jobs.one": [str(papers)],
        "task_id": [str(visit)],
        "number": [str(hook.id)],
        "token": [sign],
        "customer.notice_page": [notice],
        "sha256": ["0" * 64],
    }


# Other states of a page than the one at its plain address.
MORE = {
    "board.page": ("?view=calendar", "?view=calendar&week=2026-W11", "?view=map", "?q=nothing+of+it"),
    "enquiry.page": ("?q=Anna", "?q=nobody+at+all"),
    "customers.listing": ("?q=H1", "?q=nobody"),
    "tasks.listing": ("?kind=sender",),
    "papers.listing": ("?paper=poster",),
    "public.list_page": ("?q=nothing+of+it",),
}


def addresses(rule: Rule, known: dict[str, list[str]]) -> list[str]:
    """Where a route is looked at. KeyError: give its variable a value in `stage`."""
    path = rule.rule
    values = [""]
    for variable in rule.arguments:
        values = known.get(rule.endpoint) or known[variable]
        path = "/".join(
            part.replace(part[part.index("<") : part.index(">") + 1], "{}")
            if f"{variable}>" in part
            else part
            for part in path.split("/")
        )
    return [path.format(value) for value in values] + [path + more for more in MORE.get(rule.endpoint, ())]


def routes(app: Flask) -> list[Rule]:
    """What may be read, has a page of its own, and is not for machines."""
    return [
        rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
        and rule.endpoint not in NO_PAGE
        and not rule.rule.endswith((".csv", ".geojson", ".ics", ".json", ".jws", ".pdf", ".svg"))
        and ACCESS[rule.endpoint] not in {Access.MACHINE, Access.PROVIDER, Access.KEY}
        and len(rule.arguments) < 2
    ]


def pages(app: Flask, known: dict[str, list[str]], who: str) -> list[str]:
    """The addresses that show this person a page."""
    person = Person(app)
    if who != EVERYBODY:
        person.sign_in(who)
    found = []
    for rule in routes(app):
        if (ACCESS[rule.endpoint] in OPEN) != (who == EVERYBODY):
            continue
        for path in addresses(rule, known):
            answer = person.get(path)
            if answer.status_code == 200 and answer.mimetype == "text/html":
                found.append(path)
    return found


def faults(page: Page, base: str, path: str, looks: Sequence[tuple[str, str]]) -> list[str]:
    """What axe-core says of a page in some looks, and what sticks out sideways."""
    answer = page.goto(base + path)
    assert answer is not None and answer.status == 200, path
    page.wait_for_function(DRAWN)
    page.evaluate(AXE)
    told = []
    for size, scheme in looks:
        page.set_viewport_size(SIZES[size])  # type: ignore[arg-type]
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for one in page.evaluate(RULES):
            told.append(f"{path} {size} {scheme}: {one['id']} {one['nodes'][0]['html'][:160]}")
        if not page.evaluate(FITS):
            told.append(f"{path} {size} {scheme}: sticks out")
    return told


@pytest.mark.timeout(3600 if ALL else 600)
def test_axe_finds_nothing_on_any_page(chromium: Browser, app: Flask, rt: Runtime, served: str) -> None:
    known, told, seen = stage(rt), [], 0
    alone = (town.PLANNER, town.APPROVER, town.HOTLINE, "only.field", "only.admin", town.LOOKER)
    for who in (EVERYBODY, WHOLE, *(alone if ALL else ())):
        contexts = {language: chromium.new_context(locale=language) for language in LANGUAGES}
        shown = {language: context.new_page() for language, context in contexts.items()}
        for page in shown.values() if who != EVERYBODY else ():
            page.goto(f"{served}/desk/sign-in")
            page.fill("#username", who)
            page.fill("#password", town.PASSWORD)
            page.locator("main button").click()
        turns = cycle(TURNS)
        for path in pages(app, known, who):
            for language, looks in ((one, LOOKS) for one in LANGUAGES) if ALL else (next(turns),):
                told += [f"{who} {language} {one}" for one in faults(shown[language], served, path, looks)]
                seen += 1
        for context in contexts.values():
            context.close()
    assert told == []
    assert seen > 40
