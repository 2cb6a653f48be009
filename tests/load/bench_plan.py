"""The planner's screen, measured in Chromium: ``python -m tests.load.bench_plan [--customers 1000000]``.

From the click on a section to the answer on the screen (the work zone lit up, customers by tier beside it), and from a
changed window to the law's deadlines: medians of twenty on the sample network. With a number of customers, on the
made-up town of that size instead, which has no coordinates: picked by name, everything but the map. The server is the
threaded one of tests, on the same cores.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import threading
from collections.abc import Callable, Iterator
from logging import getLogger
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, sync_playwright
from werkzeug.serving import make_server

from outage_notify.services.import_customers import import_customers
from outage_notify.services.import_network import import_network
from outage_notify.services.users import add_user
from outage_notify.web import create_app
from tests.factories.runtimes import make_runtime
from tests.factories.town import PASSWORD, PLANNER
from tests.load import product_town
from tests.load.synthetic_network import Town, town
from tests.servers.browser import launch
from tests.servers.process import Unavailable
from tests.servers.programs import chromium

SAMPLE = Path(__file__).parents[2] / "outage_notify" / "sample"
TIMES = 20
# What was done, milliseconds, what stood on the page.
Rows = Iterator[tuple[str, list[float], str]]
# Runs in the page: `act`, then how long until the answer that follows has been painted.
WATCH = """
act => new Promise(done => {
  const found = document.getElementById("found"), began = performance.now();
  const watch = new MutationObserver(() => {
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
  });
  watch.observe(found, { childList: true });
  new Function(act)();
})
"""
CLICK = "planMap.map.fire('click', { latlng: L.latLng(%s, %s) })"
WINDOW = """
const end = document.getElementById("end");
end.value = end.value.endsWith("13:00") ? "2026-03-14T14:00" : "2026-03-14T13:00";
end.dispatchEvent(new Event("change", { bubbles: true }));
"""


# As a search or the map would pick it: written into the form, asked at once.
PICK = """
const form = document.getElementById("plan");
form.elements.work.value = %s;
form.dispatchEvent(new Event("picked"));
"""


def measured(page: Page, act: Callable[[int], str]) -> list[float]:
    times = []
    for number in range(TIMES):
        times.append(float(page.evaluate(WATCH, act(number))))
        page.wait_for_function("!document.getElementById('found').hasAttribute('aria-busy')")
    return times


def on_sample(page: Page) -> Rows:
    """Picked and dropped in turns: the answer is once 209 customers, once nothing. In the middle of line:12."""
    where = (48.385214, 7.753601)
    page.wait_for_selector("[data-plan-map][data-ready]")
    page.evaluate("where => planMap.map.setView(where, 15, { animate: false })", list(where))
    page.fill("#start", "2026-03-14T08:00")
    page.fill("#end", "2026-03-14T13:00")
    page.wait_for_timeout(1500)
    clicks = measured(page, lambda number: CLICK % where)
    page.evaluate(WATCH, CLICK % where)
    yield "click on a section, answer painted", clicks[::2], page.inner_text("#found .summary")
    windows = measured(page, lambda number: WINDOW)
    yield "window changed, deadlines painted", windows, page.input_value("#work")


def in_town(page: Page, it: Town) -> Rows:
    """Picked and dropped in turns, from a section to ten substations."""
    page.fill("#start", "2026-03-14T08:00")
    page.fill("#end", "2026-03-14T13:00")
    page.wait_for_timeout(3000)
    first = it.trafos + it.substations // 3
    for name, work in (
        ("a section", ["line:10540"]),
        ("a substation", [f"trafo:{first}"]),
        ("ten substations", [f"trafo:{first + one}" for one in range(10)]),
    ):
        put = json.dumps("\n".join(work))
        page.evaluate(WATCH, PICK % put)
        times = measured(page, lambda number, put=put: PICK % ('""' if number % 2 == 0 else put))
        yield f"{name} picked, answer painted", times[1::2], page.inner_text("#found .summary")


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the planner's screen.")
    parser.add_argument("--customers", type=int, default=0)
    customers = parser.parse_args().customers
    getLogger("werkzeug").setLevel("ERROR")
    with TemporaryDirectory() as state, sync_playwright() as playwright:
        rt = make_runtime(f"sqlite:///{state}/plan.db", Path(state))
        it = town(customers) if customers else None
        if it:
            product_town.fill(rt, it)
        else:
            import_network(rt, SAMPLE / "network" / "oberrhein_schutterwald.json")
            import_customers(rt, SAMPLE / "customers.csv")
        add_user(rt, PLANNER, PASSWORD, ["planner"], "Planner")
        server = make_server("127.0.0.1", 0, create_app(rt), threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        browser = launch(playwright, chromium())
        if isinstance(browser, Unavailable):
            print(browser, file=sys.stderr)
            return 1
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(120_000)
        page.goto(f"{base}/desk/sign-in")
        page.fill("#username", PLANNER)
        page.fill("#password", PASSWORD)
        page.click("main button")
        page.goto(f"{base}/desk/plan")
        for name, times, said in in_town(page, it) if it else on_sample(page):
            print(
                f"{name:<40} median {statistics.median(times):6.0f} ms, slowest {max(times):6.0f} ms; {said}"
            )
        server.shutdown()
        rt.database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
