"""How fast a calendar feed is served, against an empty Flask view in the same run: `make bench-feed`.

One gunicorn worker serves both: a bare Flask application whose one view answers two letters, and the whole
product with a feed of fifty events. A client with a few kept-open connections asks in turns: empty, 304, 200,
empty, ..., so that other work on the machine hits all alike. The ratios of the rates are the result;
exit status 1 if they miss the goals.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask

GOALS = {"304": 0.8, "200": 0.6}
EVENTS, ROUNDS, SECONDS, CLIENTS = 50, 8, 0.8, 4
_FOLDER = "BENCH_FEED_FOLDER"


def application() -> Callable[..., Iterable[bytes]]:
    """What gunicorn serves: /empty by a bare application, all else by the product."""
    from outage_notify.services.runtime import Runtime
    from outage_notify.web import create_app
    from tests.factories.runtimes import make_runtime

    folder = Path(os.environ[_FOLDER])
    bare = Flask("bare")
    bare.add_url_rule("/empty", view_func=lambda: "ok")
    rt = make_runtime(f"sqlite:///{folder / 'bench.db'}", folder)
    # The clock is the real one: asking it is part of the work.
    product = create_app(Runtime.build(rt.settings))

    def serve(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        return bare(environ, start) if environ["PATH_INFO"] == "/empty" else product(environ, start)

    return serve


def fill(folder: Path) -> str:
    """One customer with fifty planned outages; the path of the feed."""
    from tests.factories.people import START, add_customer, add_outage
    from tests.factories.runtimes import make_runtime

    rt = make_runtime(f"sqlite:///{folder / 'bench.db'}", folder)
    with rt.database.write() as session:
        customer = add_customer(session)
        for number in range(EVENTS):
            add_outage(session, [customer], start=START + timedelta(days=number))
    rt.database.close()
    return f"/feeds/{customer.feed_secret}.ics"


def rate(port: int, path: str, headers: dict[str, str], status: int, seconds: float) -> float:
    """Answers per second over kept-open connections; stops at any answer that is not `status`."""
    counts = [0] * CLIENTS
    faults: list[int] = []
    end = time.perf_counter() + seconds

    def ask(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        while time.perf_counter() < end:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != status:
                faults.append(answer.status)
                return
            counts[number] += 1
        connection.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(CLIENTS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise SystemExit(f"{path.split('/')[1]} answered {faults[0]} instead of {status}")
    return sum(counts) / (time.perf_counter() - began)


def measure(port: int, path: str) -> dict[str, list[float]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    answer.read()
    tag = answer.headers["ETag"]
    asks: dict[str, tuple[str, dict[str, str], int]] = {
        "empty": ("/empty", {}, 200),
        "304": (path, {"If-None-Match": tag}, 304),
        "200": (path, {"Accept-Encoding": "gzip"}, 200),
    }
    rates: dict[str, list[float]] = {name: [] for name in asks}
    for number in range(ROUNDS + 1):
        for name, (where, headers, status) in asks.items():
            found = rate(port, where, headers, status, SECONDS if number else 0.3)
            if number:  # the first round warms up
                rates[name].append(found)
    return rates


def main() -> int:
    from tests.servers.process import free_port

    with tempfile.TemporaryDirectory() as name:
        path, port = fill(Path(name)), free_port()
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "1"),
                *("--worker-class", "gthread", "--threads", "4", "--log-level", "error"),
                "tests.load.bench_feed:application()",
            ],
            env=os.environ | {_FOLDER: name},
        )
        try:
            await_server(port, "/empty")
            rates = measure(port, path)
        finally:
            server.terminate()
            server.wait()
    ratios = {
        name: statistics.median(mine / empty for mine, empty in zip(rates[name], rates["empty"], strict=True))
        for name in GOALS
    }
    result = {
        "per_second": {name: round(statistics.median(values)) for name, values in rates.items()},
        "ratio": {name: round(value, 2) for name, value in ratios.items()},
        "goal": GOALS,
    }
    print(json.dumps(result))
    return 0 if all(ratios[name] >= goal for name, goal in GOALS.items()) else 1


def await_server(port: int, path: str) -> None:
    """Until the server answers there; fails after a minute."""
    end = time.monotonic() + 60
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


if __name__ == "__main__":
    if sys.argv[1:] == ["polls"]:
        from tests.load import bench_feed_polls

        sys.exit(bench_feed_polls.main())
    sys.exit(main())
