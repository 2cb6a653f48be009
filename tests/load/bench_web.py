"""Each page in Chromium with thousands of outages and a million customers: `make bench-web`.

Time to the first byte (from the request to the answer's first byte) and until the page can be used (all scripts have
run), medians of five loads, at each number of outages; the customers stand beside those of a small town, on SQLite. The
server is the threaded one of tests, on the same cores as the browser. With `--keep FOLDER` the filled database stays
there, and the next call goes on with it: a million customers are written once, and outages only come on top. Exit
status 1 if a desk page misses the goal for the first byte.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
from collections.abc import Iterator, Sequence
from itertools import islice
from logging import getLogger
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Page, sync_playwright
from sqlalchemy import func, select, text
from werkzeug.serving import make_server

from outage_notify.services import numbers
from outage_notify.services.runtime import Runtime
from outage_notify.services.users import add_user
from outage_notify.store import bulk
from outage_notify.store.outage_tables import Outage
from outage_notify.store.people_tables import ContactPoint, Customer, ServicePoint, Site
from outage_notify.store.user_tables import Role
from outage_notify.web import create_app
from tests.factories import town
from tests.factories.people import START
from tests.factories.runtimes import make_runtime
from tests.load.bench_board import fill
from tests.servers.browser import launch
from tests.servers.process import Unavailable
from tests.servers.programs import chromium

GOAL = 200.0
LOADS = 5
CHUNK = 50_000
WHO = "all.roles"
FIRST_ID = 1_000_000
PAGES = {
    "sign-in": "/desk/sign-in",
    "board": "/desk/",
    "board, calendar": "/desk/?view=calendar",
    "board, map": "/desk/?view=map",
    "plan": "/desk/plan",
    "one outage": "/desk/outages/{reference}",
    "its papers": "/desk/outages/{reference}/papers",
    "its texts": "/desk/outages/{reference}/texts",
    "revise it": "/desk/outages/{reference}/revise",
    "tasks": "/desk/tasks",
    "letters": "/desk/letters",
    "numbers of a year": "/desk/numbers",
    "key customers": "/desk/customers",
    "one customer": "/desk/customers/H1",
    "enquiry by name": "/desk/enquiry?q=Keller",
    "enquiry by name, a hundred fit": "/desk/enquiry?q=住户+19999",
    "enquiry, nobody fits": "/desk/enquiry?q=nobody+at+all",
    "enquiry by the end of a number": "/desk/enquiry?q=01999990",
    "protected dates": "/desk/protected",
    "public map": "/",
    "public list": "/outages",
    "public outage": "/outages/{reference}",
}
TIMES = """
() => {
  const one = performance.getEntriesByType("navigation")[0];
  return [one.responseStart - one.requestStart, one.domContentLoadedEventEnd - one.startTime];
}
"""
STATEMENTS = {
    Customer: "INSERT INTO customers"
    " (id, customer_id, name, kind, tier, life_support, vulnerable, language, feed_secret)"
    " VALUES (:id, :mark, :name, 'household', 'LOW_VOLTAGE', 0, 0, 'zh-CN', :secret)",
    Site: "INSERT INTO sites (id, customer_ref, site_id) VALUES (:id, :id, 'S')",
    ServicePoint: "INSERT INTO service_points (id, service_point_id, customer_ref, site_ref, element, place)"
    " VALUES (:id, :mark, :id, :id, 'load:8', :place)",
    ContactPoint: "INSERT INTO contact_points (customer_ref, channel, address, person, backup, bad_reason, position)"
    " VALUES (:id, 'sms', :phone, '', 0, '', 0)",
}


def crowd(rt: Runtime, number: int) -> None:
    """That many households, on a transformer that no outage here reaches."""
    rows = _households(number)
    with rt.database.write() as session:
        while chunk := list(islice(rows, CHUNK)):
            for statement in STATEMENTS.values():
                session.execute(text(statement), chunk)
        bulk.analyse(session, *STATEMENTS)


def _households(number: int) -> Iterator[dict[str, Any]]:
    for at in range(FIRST_ID, FIRST_ID + number):
        yield {
            "id": at,
            "mark": f"M{at}",
            "name": f"住户 {at}",
            "secret": f"{at:032x}",
            "place": f"南街 {at} 号",
            "phone": f"+86139{at:08d}",
        }


def prepare(rt: Runtime, folder: Path, customers: int) -> tuple[str, int]:
    """A town, a crowd and one approved outage, unless they are there: its reference, and how many outages there are."""
    with rt.database.read() as session:
        outages = session.scalar(select(func.count(Outage.id))) or 0
        reference = session.scalar(select(Outage.reference).order_by(Outage.id).limit(1))
        last = session.scalar(select(func.max(Customer.id)).where(Customer.id >= FIRST_ID))
    if reference is None:
        town.build(rt, folder)
        add_user(rt, WHO, town.PASSWORD, [one.value for one in Role if one is not Role.READONLY], "All")
        crowd(rt, customers)
        return town.approved(rt, START), 1
    there = last - FIRST_ID + 1 if last else 0
    if there != customers:
        raise SystemExit(f"{folder} holds {there} customers; ask for as many, or for another folder.")
    return reference, outages


def measure(page: Page, address: str) -> tuple[float, float]:
    """Median milliseconds to the first byte and until the page can be used, without the first load."""
    found = []
    for _ in range(LOADS + 1):
        answer = page.goto(address)
        assert answer is not None and answer.status == 200, address
        found.append(page.evaluate(TIMES))
    first, usable = zip(*found[1:], strict=True)
    return statistics.median(first), statistics.median(usable)


def table(base: str, browser: Any, reference: str) -> dict[str, tuple[float, float]]:
    """Each page, measured."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en")
    page = context.new_page()
    found = {"sign-in": measure(page, base + PAGES["sign-in"])}
    page.fill("#username", WHO)
    page.fill("#password", town.PASSWORD)
    page.click("main button")
    for name, path in PAGES.items():
        if name not in found:
            found[name] = measure(page, base + path.format(reference=reference))
    context.close()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure each page in a browser.")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--outages", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--keep", type=Path, help="folder of a database that is kept, and gone on with")
    wanted = parser.parse_args()
    asked = sorted(wanted.outages)
    getLogger("werkzeug").setLevel("ERROR")
    with TemporaryDirectory() as passing, sync_playwright() as playwright:
        folder = (wanted.keep or Path(passing)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        rt = make_runtime(f"sqlite:///{folder}/web.db", folder)
        reference, there = prepare(rt, folder, wanted.customers)
        if asked and there > asked[0]:
            raise SystemExit(f"{folder} holds {there} outages already; ask for as many or more.")
        # As the worker does every few minutes.
        numbers.count_coverage(rt)
        server = make_server("127.0.0.1", 0, create_app(rt), threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = launch(playwright, chromium())
        if isinstance(browser, Unavailable):
            print(browser, file=sys.stderr)
            return 1
        columns = []
        for number in asked:
            if number > there:
                fill(rt, reference, number, there)
                there = number
            columns.append(table(f"http://127.0.0.1:{server.server_port}", browser, reference))
        missed = say(wanted.customers, asked, columns)
        server.shutdown()
        rt.database.close()
    return 1 if missed else 0


def say(customers: int, asked: Sequence[int], columns: Sequence[dict[str, tuple[float, float]]]) -> int:
    """Print the table; how many desk pages miss the goal."""
    print(f"{customers} customers; milliseconds to the first byte, and until usable")
    print("| page |" + "".join(f" {number} outages |" for number in asked))
    missed = 0
    for name, path in PAGES.items():
        late = path.startswith("/desk") and any(one[name][0] > GOAL for one in columns)
        missed += late
        cells = "".join(f" {one[name][0]:.0f}, {one[name][1]:.0f} |" for one in columns)
        print(f"| {name} |{cells}{' MISSED' if late else ''}")
    return missed


if __name__ == "__main__":
    sys.exit(main())
