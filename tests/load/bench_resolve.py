"""`resolve` over the web with customers out of the database, and loading for tracing: part of `make bench-geo`.

The product's own tables hold the made-up town, in SQLite and in PostgreSQL. One gunicorn worker serves the product on
loopback; a client asks the JSON interface what the loss of one and of ten substations would mean, and posts the
planner's form for a preview with all its checks, text and page. Medians of warm requests, body read to its end.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from tests.load.synthetic_network import Town, town

CASES = {"5,000": 1, "50,000": 10}
GOALS = {"5,000": 50, "50,000": 300}
_FOLDER, _URL = "BENCH_RESOLVE_FOLDER", "BENCH_RESOLVE_URL"
PASSWORD = "correct horse battery"


def application() -> Callable[..., Iterable[bytes]]:
    """What gunicorn serves."""
    from outage_notify.services.runtime import Runtime
    from outage_notify.web import create_app
    from tests.factories.runtimes import make_runtime

    rt = make_runtime(os.environ[_URL], Path(os.environ[_FOLDER]))
    return create_app(Runtime.build(rt.settings))


def measure(customers: int, url: str, folder: Path, seconds: float) -> dict[str, float]:
    """Every figure of one database, in ms or s as its name says."""
    from outage_notify.services import machine_access, users
    from tests.factories.runtimes import make_runtime
    from tests.load import product_town

    it = town(customers)
    rt = make_runtime(url, folder)
    began = time.perf_counter()
    product_town.fill(rt, it)
    found = {"fill_s": time.perf_counter() - began}
    rt.database.close()
    # In a process of its own, as a worker that has just started does it.
    command = [sys.executable, "-m", "tests.load.bench_resolve", "--loading"]
    done = subprocess.run(
        command, env=os.environ | {_FOLDER: str(folder), _URL: url}, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    found |= json.loads(done.stdout)
    users.add_user(rt, "planner", PASSWORD, ["planner"], "Planner")
    secret = machine_access.new_token(rt, "bench", "planner", "bench")
    rt.database.close()
    with Served(url, folder) as served:
        found |= served.ask(it, secret, seconds)
    return found


def loading() -> dict[str, float]:
    """Medians of three."""
    from geo import grid_build
    from outage_notify.services import people_in_force
    from outage_notify.services.collector_pause import collector_paused
    from outage_notify.store import people_columns, tracing_columns
    from tests.factories.runtimes import make_runtime

    rt = make_runtime(os.environ[_URL], Path(os.environ[_FOLDER]))
    times: dict[str, list[float]] = {"network_read_s": [], "network_s": [], "people_s": []}
    for _ in range(3):
        with rt.database.read() as session, collector_paused():
            began = time.perf_counter()
            columns = tracing_columns.tracing_columns(session, 1)
            times["network_read_s"].append(time.perf_counter() - began)
            grid = grid_build.build(columns)
            times["network_s"].append(time.perf_counter() - began)
            began = time.perf_counter()
            people = people_in_force.arrange(grid, people_columns.people_columns(session))
            times["people_s"].append(time.perf_counter() - began)
    found = {name: statistics.median(some) for name, some in times.items()}
    return found | {"people_mib": (people.rows.nbytes + people.by_site.nbytes) / 2**20}


class Served:
    """The product behind gunicorn, until the end of the block."""

    def __init__(self, url: str, folder: Path, port: int = 8732) -> None:
        self.base = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "gunicorn", "--workers", "1", "--bind", f"127.0.0.1:{port}"]
        self._server = subprocess.Popen(
            [*command, "--timeout", "300", "tests.load.bench_resolve:application()"],
            env=os.environ | {_FOLDER: str(folder), _URL: url},
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> Served:
        for _ in range(150):
            time.sleep(0.2)
            try:
                requests.get(f"{self.base}/healthz", timeout=10)
            except requests.ConnectionError:
                continue
            return self
        raise SystemExit("gunicorn did not start.")

    def __exit__(self, *_: object) -> None:
        self._server.terminate()
        self._server.wait()

    def ask(self, it: Town, secret: str, seconds: float) -> dict[str, float]:
        machine, person = requests.Session(), requests.Session()
        machine.headers["Authorization"] = f"Bearer {secret}"
        self._sign_in(person)
        token = self._token(person, "/desk/plan")
        found: dict[str, float] = {}
        day = (datetime.now(UTC) + timedelta(days=40)).date()
        first = it.substations // 3
        for case, stations in CASES.items():
            if first + stations > it.substations:
                print(f"  {case} affected are left out: the town has {it.substations} substations.")
                continue
            out = [f"trafo:{it.trafos + first + one}" for one in range(stations)]
            began = time.perf_counter()
            answer = machine.post(f"{self.base}/api/v1/resolve", json={"out": out}, timeout=300)
            found.setdefault("first_ms", (time.perf_counter() - began) * 1000)
            answer.raise_for_status()
            assert answer.json()["loads"]["lost"] == 5000 * stations, answer.text[:300]

            def api(out: list[str] = out) -> bytes:
                return machine.post(f"{self.base}/api/v1/resolve", json={"out": out}, timeout=300).content

            form = {
                "csrf_token": token, "step": "preview", "kind": "planned", "start": f"{day}T09:00",
                "end": f"{day}T12:00", "reason_en": "Works", "reason_zh": "", "area": "North", "line": "",
                "out": "\n".join(out), "work": "", "close": "",
            }  # fmt: skip
            page = person.post(f"{self.base}/desk/plan", data=form, timeout=300)
            assert page.ok and f"{answer.json()['loads']['lost']}</dd>" in page.text, page.text[:3000]

            def preview(form: dict[str, str] = form) -> bytes:
                return person.post(f"{self.base}/desk/plan", data=form, timeout=300).content

            found[f"api_{case}_ms"] = median(api, seconds)
            found[f"page_{case}_ms"] = median(preview, seconds)
        return found

    def _sign_in(self, person: requests.Session) -> None:
        form = {
            "username": "planner",
            "password": PASSWORD,
            "csrf_token": self._token(person, "/desk/sign-in"),
        }
        person.post(f"{self.base}/desk/sign-in", data=form, timeout=60).raise_for_status()

    def _token(self, person: requests.Session, path: str) -> str:
        shown = person.get(self.base + path, timeout=60).text
        match = re.search(r'name="csrf_token" value="([^"]*)"', shown)
        assert match, shown[:500]
        return match[1]


def median(ask: Callable[[], Any], seconds: float) -> float:
    ask()
    times: list[float] = []
    until = time.perf_counter() + seconds
    while len(times) < 5 or (time.perf_counter() < until and len(times) < 101):
        began = time.perf_counter()
        ask()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def run(customers: int, seconds: float) -> dict[str, dict[str, float]]:
    """Both databases; PostgreSQL is left out, and named, where it is not installed."""
    from tests.servers.postgres import PostgresServer
    from tests.servers.process import Unavailable
    from tests.servers.programs import Missing

    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found["SQLite"] = measure(customers, f"sqlite:///{folder / 'town.db'}", folder, seconds)
        try:
            server = PostgresServer()
        except (Missing, Unavailable) as error:
            print(f"  PostgreSQL is left out: {error}")
            return found
        try:
            other = folder / "postgres"
            other.mkdir()
            found["PostgreSQL"] = measure(customers, server.create_database(), other, seconds)
        finally:
            server.stop()
    return found


def show(customers: int, found: dict[str, dict[str, float]]) -> None:
    print(f"\nLoading {customers:,} customers for tracing, seconds (goal 3):")
    print("| database | network read | and arranged | people by load, MiB |\n|---|---|---|---|")
    for name, one in found.items():
        people = f"{one['people_s']:.2f} s, {one['people_mib']:.0f} MiB"
        print(f"| {name} | {one['network_read_s']:.2f} | {one['network_s']:.2f} | {people} |")
    print("\nresolve over the web (gunicorn, one worker), ms:")
    print(
        "| database | asked | " + " | ".join(f"{case} affected (goal {GOALS[case]})" for case in CASES) + " |"
    )
    print("|---|---|" + "---|" * len(CASES))
    for name, one in found.items():
        for key, words in (
            ("api", "POST /api/v1/resolve"),
            ("page", "preview on the plan's page, all checks"),
        ):
            times = (one.get(f"{key}_{case}_ms") for case in CASES)
            cells = " | ".join("-" if time is None else f"{time:.1f}" for time in times)
            print(f"| {name} | {words} | {cells} |")
        print(f"| {name} | the very first, file not yet there | {one['first_ms']:.0f} | |")


if __name__ == "__main__":
    if sys.argv[1:] == ["--loading"]:
        print(json.dumps(loading()))
        raise SystemExit
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    results = run(size, 2.0)
    print(json.dumps(results))
    show(size, results)
