"""Takes the pictures of the README: `python -m tests.web.make_pictures [folder]`.

Plays a few outages on the sample network, serves the real application and photographs its
pages with Chromium, on a desk and on a phone, in both languages. Look at them afterwards.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from logging import getLogger
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, sync_playwright
from sqlalchemy import select, update
from werkzeug.serving import make_server

from channels.model import Channel
from outage_notify.domain.acknowledgement import AckState, AckWay
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.outage import OutageKind
from outage_notify.services import acknowledge, escalate, links, plan_outage, run_outage, start_gate
from outage_notify.services.acknowledge import Answer
from outage_notify.services.approve_outage import approve
from outage_notify.services.import_customers import import_customers
from outage_notify.services.import_network import import_network
from outage_notify.services.plan_outage import PlanRequest
from outage_notify.services.runtime import Runtime
from outage_notify.services.users import add_user
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.outage_tables import Outage
from outage_notify.web import create_app
from tests.factories.people import NOW
from tests.factories.runtimes import StandingClock, make_runtime
from tests.factories.town import APPROVER, PASSWORD, PLANNER
from tests.servers.browser import launch
from tests.servers.process import Unavailable
from tests.servers.programs import chromium

SAMPLE = Path(__file__).parents[2] / "outage_notify" / "sample"
PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
DESK, PHONE = (1280, 800), (390, 844)
ZH, EN = "zh-CN", "en"


def stage(rt: Runtime, folder: Path) -> dict[str, str]:
    """Network, customers, people and outages in every state; returns addresses to visit."""
    import_network(rt, SAMPLE / "network" / "oberrhein_schutterwald.json")
    import_customers(rt, SAMPLE / "customers.csv")
    add_user(rt, PLANNER, PASSWORD, ["planner"], "李娜")
    add_user(rt, APPROVER, PASSWORD, ["approver"], "王伟")
    day = NOW + timedelta(days=9)
    main = _approved(
        rt, "line:162", day, "Kiefernweg und Bahnhofstraße", "更换老化电缆", "Replacing an old cable"
    )
    _told(rt, main)
    _answered(rt, main)
    going = _approved(
        rt,
        "line:12",
        NOW + timedelta(days=8, hours=2),
        "Industriegebiet Nord",
        "开关检修",
        "Maintenance of a switch",
    )
    over = _approved(rt, "line:54", NOW + timedelta(days=10), "Am Mühlbach", "迁移杆线", "Moving a line")
    run_outage.cancel(rt, PLANNER, over, "Wetter")
    waits = _submitted(rt, "line:30", NOW + timedelta(days=15), "Altstadt Süd", "增容改造", "More capacity")
    plan_outage.plan(
        rt, PLANNER, _request("line:108", NOW + timedelta(days=20), "Rheinaue", "树障清理", "Cutting trees")
    )
    _turn(rt, NOW + timedelta(days=8, hours=3))
    start_gate.decide(rt, APPROVER, going, "Alle angerufen")
    run_outage.start(rt, PLANNER, going)
    escalate.escalate_due(rt)
    return {
        "main": main,
        "waits": waits,
        "sign": _sign(rt, main, AckState.REQUESTED),
        "signed": _sign(rt, main, AckState.ACKNOWLEDGED),
    }


def _request(work: str, start: datetime, area: str, zh: str, en: str) -> PlanRequest:
    return PlanRequest(
        OutageKind.PLANNED,
        start,
        start + timedelta(hours=5),
        {ZH: zh, EN: en},
        area,
        f"Leitung {work[5:]}",
        (work,),
    )


def _submitted(rt: Runtime, *plan: object) -> str:
    reference = plan_outage.plan(rt, PLANNER, _request(*plan))  # type: ignore[arg-type]
    plan_outage.submit(rt, PLANNER, reference)
    return reference


def _approved(rt: Runtime, *plan: object) -> str:
    reference = _submitted(rt, *plan)
    approve(rt, APPROVER, reference)
    return reference


def _told(rt: Runtime, reference: str) -> None:
    """As if the worker had been at it: most are delivered, some failed, the rest wait."""
    with rt.database.write() as session:
        outage = session.scalars(select(Outage).where(Outage.reference == reference)).one()
        mine = (Delivery.outage_ref == outage.id) & (Delivery.due_at <= NOW + timedelta(days=4))
        session.execute(update(Delivery).where(mine).values(state=DeliveryState.DELIVERED))
        session.execute(
            update(Delivery).where(mine, Delivery.id % 17 == 0).values(state=DeliveryState.ACCEPTED)
        )
        bad = {"state": DeliveryState.FAILED, "fault": "bad_address", "code": "30005"}
        session.execute(
            update(Delivery).where(mine, Delivery.channel == Channel.SMS, Delivery.id % 61 == 0).values(**bad)
        )


def _answered(rt: Runtime, reference: str) -> None:
    with rt.database.read() as session:
        outage = session.scalars(select(Outage).where(Outage.reference == reference)).one()
        asked = session.scalars(
            select(Acknowledgement.id)
            .where(Acknowledgement.outage_ref == outage.id)
            .order_by(Acknowledgement.id)
        ).all()
    for place, ack in enumerate(asked[: max(2, len(asked) - 2)]):
        answer = Answer(
            AckState.ACKNOWLEDGED,
            AckWay.LINK,
            ("Dr. Elena Brandt", "周建国", "M. Vogel")[place % 3],
            "duty engineer",
        )
        if place == 1:
            answer = Answer(
                AckState.OBJECTED, AckWay.LINK, "周建国", "电气主管", "当天有计划手术", wished="周六"
            )
        acknowledge.answer(rt, ack, answer)


def _sign(rt: Runtime, reference: str, state: AckState) -> str:
    with rt.database.read() as session:
        statement = select(Acknowledgement).join(Outage, Outage.id == Acknowledgement.outage_ref)
        wanted = [AckState.REQUESTED, AckState.ESCALATED] if state is AckState.REQUESTED else [state]
        ack = session.scalars(
            statement.where(Outage.reference == reference, Acknowledgement.state.in_(wanted))
        ).first()
        assert ack is not None, state
        return f"/s/{rt.link_token(links.SIGN, ack.id, NOW + timedelta(days=60))}"


def _turn(rt: Runtime, instant: datetime) -> None:
    assert isinstance(rt.clock, StandingClock)
    rt.clock.instant = instant


@contextmanager
def served(rt: Runtime) -> Iterator[str]:
    getLogger("werkzeug").setLevel("ERROR")
    server = make_server("127.0.0.1", 0, create_app(rt), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def sign_in(page: Page, base: str, username: str) -> None:
    page.goto(f"{base}/desk/sign-in")
    page.fill("#username", username)
    page.fill("#password", PASSWORD)
    page.click("main button")


def preview(page: Page) -> None:
    """A section picked, its window set: who is hit stands beside the map."""
    page.wait_for_selector("[data-plan-map][data-ready]")
    page.fill("#start", "2026-03-24T08:00")
    page.fill("#end", "2026-03-24T13:00")
    page.fill("#reason_zh", "更换老化电缆")
    page.fill("#reason_en", "Replacing an old cable")
    page.fill("#area", "Sportplatzweg")
    page.fill("#work", "line:12")
    page.wait_for_selector("#found .people")
    page.evaluate("planMap.fit()")
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    page.wait_for_timeout(800)


def take(folder: Path, full: bool) -> None:
    with TemporaryDirectory() as state:
        rt = make_runtime(f"sqlite:///{state}/pictures.db", Path(state))
        at = stage(rt, Path(state))
        with served(rt) as base, sync_playwright() as playwright:
            browser = launch(playwright, chromium())
            assert not isinstance(browser, Unavailable), str(browser)

            def shoot(
                name: str,
                path: str,
                size: tuple[int, int],
                language: str,
                *,
                dark: bool = False,
                who: str = "",
                then: Callable[[Page], None] | None = None,
            ) -> None:
                context = browser.new_context(
                    viewport={"width": size[0], "height": size[1]},
                    locale=language,
                    color_scheme="dark" if dark else "light",
                )
                page = context.new_page()
                faults: list[str] = []
                page.on(
                    "console",
                    lambda message: (
                        faults.append(message.text) if message.type in {"error", "warning"} else None
                    ),
                )
                if who:
                    sign_in(page, base, who)
                page.goto(base + path)
                if then:
                    then(page)
                page.wait_for_load_state("networkidle")
                page.screenshot(path=str(folder / f"{name}.png"), full_page=full)
                context.close()
                print(name, *faults)

            shoot("board-desk-zh", "/desk/", DESK, ZH, who=PLANNER)
            shoot("calendar-desk-en", "/desk/?view=calendar", DESK, EN, who=PLANNER)
            shoot("numbers-desk-zh", "/desk/numbers", DESK, ZH, who=PLANNER)
            poster = f"/desk/outages/{at['main']}/papers?paper=poster"
            shoot("papers-desk-zh", poster, DESK, ZH, who=PLANNER)
            shoot("texts-phone-en", f"/desk/outages/{at['main']}/texts", PHONE, EN, who=PLANNER)
            shoot("board-phone-en", "/desk/", PHONE, EN, who=PLANNER)
            shoot("outage-desk-zh", f"/desk/outages/{at['main']}", DESK, ZH, who=PLANNER)
            shoot("outage-desk-en-dark", f"/desk/outages/{at['main']}", DESK, EN, who=PLANNER, dark=True)
            shoot("approve-desk-en", f"/desk/outages/{at['waits']}", DESK, EN, who=APPROVER)
            shoot("plan-desk-en", "/desk/plan", (1280, 1100), EN, who=PLANNER, then=preview)
            shoot("plan-phone-zh", "/desk/plan", PHONE, ZH, who=PLANNER, then=preview, dark=True)
            shoot("tasks-phone-zh", "/desk/tasks", PHONE, ZH, who=PLANNER)
            shoot("sign-phone-zh", at["sign"], PHONE, ZH)
            shoot("signed-phone-en", at["signed"], PHONE, EN)
            shoot("map-desk-en", "/", DESK, EN)
            shoot("map-phone-zh", "/", PHONE, ZH, dark=True)
        rt.database.close()


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES
    target.mkdir(parents=True, exist_ok=True)
    take(target, full=len(sys.argv) > 2)
