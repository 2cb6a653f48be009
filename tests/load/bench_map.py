"""How fast the public's pages are served and rebuilt, and how heavy the first view is: `make bench-map`.

One gunicorn worker serves both a bare Flask application whose one view answers two letters, and the whole
product with a few hundred outages; a client asks in turns, so that other work on the machine
hits all alike. Then a version of 5,000 outages is built after a change, and the first view of the map is
weighed as a phone would fetch it. Exit status 1 if a goal is missed.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask

from tests.load.bench_feed import rate

GOAL_RATE, GOAL_BUILD, GOAL_WEIGHT = 0.8, 2.0, 150_000
OUTAGES, MANY, ROUNDS, SECONDS = 200, 5_000, 6, 0.8
FOLDER, FILES = "BENCH_MAP_FOLDER", "BENCH_MAP_FILES"
PATHS = ("/", "/outages", "/open-data/v1/outages.geojson")


def application() -> Callable[..., Iterable[bytes]]:
    """What gunicorn serves: /empty by a bare application, all else by the product."""
    from outage_notify.services.runtime import Runtime
    from outage_notify.web import create_app
    from outage_notify.web.press import Press
    from tests.factories.runtimes import make_runtime

    folder = Path(os.environ[FOLDER])
    bare = Flask("bare")
    bare.add_url_rule("/empty", view_func=lambda: "ok")
    rt = make_runtime(f"sqlite:///{folder / 'bench.db'}", folder)
    product = create_app(Runtime.build(rt.settings))
    Press(product, Path(os.environ.get(FILES) or folder / "public")).start()

    def serve(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        return bare(environ, start) if environ["PATH_INFO"] == "/empty" else product(environ, start)

    return serve


def fill(folder: Path, number: int) -> Any:
    """Approved outages with areas, each of a few customers."""
    from tests.factories.people import START, add_customer, add_outage
    from tests.factories.public_outages import square
    from tests.factories.runtimes import make_runtime

    rt = make_runtime(f"sqlite:///{folder / 'bench.db'}", folder)
    with rt.database.write() as session:
        people = [add_customer(session) for _ in range(12)]
        for at in range(number):
            outage = add_outage(session, people, start=START + timedelta(hours=at))
            revision = outage.standing
            revision.public_area, revision.area, revision.line = square(at), f"Street {at}", f"Line {at % 40}"
            revision.approved_at = rt.now(session)
    return rt


def serving(folder: Path) -> dict[str, float]:
    """Path to its rate as a share of the empty view's."""
    fill(folder, OUTAGES).database.close()
    port = 8731
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--workers",
        "1",
        "--threads",
        "4",
        "--worker-class",
        "gthread",
    ]
    server = subprocess.Popen(
        [*command, "--bind", f"127.0.0.1:{port}", "tests.load.bench_map:application()"],
        env=os.environ | {FOLDER: str(folder)},
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            time.sleep(0.2)
            try:
                rate(port, "/empty", {}, 200, 0.1)
                break
            except OSError:
                continue
        found: dict[str, list[float]] = {path: [] for path in PATHS}
        headers = {"Accept-Encoding": "gzip", "Accept-Language": "en"}
        for path in PATHS:
            rate(port, path, headers, 200, 0.3)
        for _ in range(ROUNDS):
            for path in PATHS:
                empty = rate(port, "/empty", headers, 200, SECONDS)
                found[path].append(rate(port, path, headers, 200, SECONDS) / empty)
    finally:
        server.terminate()
        server.wait()
    return {path: round(statistics.median(shares), 2) for path, shares in found.items()}


def building(folder: Path) -> dict[str, tuple[float, float]]:
    """Seconds on the clock and of the processor to build and swap in a version of MANY outages after one of them
    was cancelled: in a worker that built the version before, and in one that has just started."""
    from outage_notify.services.publish_documents import publish

    rt = fill(folder, MANY)
    publish(rt)
    rt.database.close()
    warm = rebuilding(folder, 1)
    command = [sys.executable, "-c", f"from tests.load import bench_map as b; b.started({str(folder)!r})"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {"the one that built before": warm, "just started": tuple(json.loads(said.splitlines()[-1]))}


def started(folder: str) -> None:
    print(json.dumps(rebuilding(Path(folder), 2)))


def rebuilding(folder: Path, number: int) -> tuple[float, float]:
    from outage_notify.domain.outage import OutageState
    from outage_notify.services.publish_documents import publish
    from outage_notify.store.outage_tables import Outage
    from tests.factories.runtimes import make_runtime

    rt = make_runtime(f"sqlite:///{folder / 'bench.db'}", folder)
    with rt.database.write() as session:
        outage = session.get_one(Outage, number)
        outage.state, outage.cancelled_at = OutageState.CANCELLED, rt.now(session)
    began, worked = time.perf_counter(), time.process_time()
    changed = publish(rt)
    seconds, worked = time.perf_counter() - began, time.process_time() - worked
    rt.database.close()
    if not changed:
        raise SystemExit("nothing was built")
    return round(seconds, 2), round(worked, 2)


def weighing(folder: Path) -> int:
    """Bytes over the wire of the first view of the map with ten outages: page, styles, scripts, data."""
    from outage_notify.web import create_app

    rt = fill(folder, 10)
    client = create_app(rt).test_client()
    headers = {"Accept-Encoding": "gzip"}
    page = client.get("/", headers=headers)
    text = gzip.decompress(page.data).decode()
    parts = re.findall(r'(?:href|src|data-source)="(/(?:static|open-data/v1/outages\.geojson)[^"]*)"', text)
    total = len(page.data) + sum(len(client.get(part, headers=headers).data) for part in parts)
    rt.database.close()
    return total


def main() -> int:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        found: dict[str, Any] = {
            "rebuild_seconds": building(Path(one)),
            "first_view_bytes": weighing(Path(two)),
        }
    with tempfile.TemporaryDirectory() as three:
        found["share_of_an_empty_view"] = serving(Path(three))
    print(json.dumps(found, indent=1))
    slowest = max(seconds for seconds, _ in found["rebuild_seconds"].values())
    good = slowest <= GOAL_BUILD and found["first_view_bytes"] <= GOAL_WEIGHT
    return 0 if good and min(found["share_of_an_empty_view"].values()) >= GOAL_RATE else 1


if __name__ == "__main__":
    sys.exit(main())
