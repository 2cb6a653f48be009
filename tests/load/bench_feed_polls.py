"""100,000 subscribers who poll every hour, by an open-loop load test: `make bench-feed ARGS=polls`.

Polls arrive when they arrive, whether or not earlier ones were answered: 28 a second on average and, in bursts,
20 times that. Each is a connection of its own by another subscriber, so that hardly any feed was asked for
before in the same process. Four stretches: average and burst, then the same right after an outage was
approved, which makes every rendered feed suspect. Times count from when a poll was due. Exit status 1 if
the 99th percentile of a stretch is 100 ms or more, or any answer is wrong.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

SUBSCRIBERS, AFFECTED = 100_000, 10_000
AVERAGE = SUBSCRIBERS / 3600
BURST = 20
STRETCHES = (("average", 1, 20.0), ("burst", BURST, 5.0))
GOAL_MS = 100
WORKERS, THREADS = 2, 16
_FOLDER = "BENCH_FEED_FOLDER"


def application() -> Callable[..., Iterable[bytes]]:
    """What gunicorn serves: the product, with the real clock."""
    from outage_notify.app import create_web
    from outage_notify.services.runtime import Runtime
    from tests.factories.runtimes import make_runtime

    folder = Path(os.environ[_FOLDER])
    rt = make_runtime(f"sqlite:///{folder / 'bench.db'}", folder)
    return create_web(Runtime.build(rt.settings))


def fill(folder: Path) -> list[str]:
    """Subscribers with a place each; an outage ahead for every tenth. Their secrets."""
    from sqlalchemy import insert

    from channels.model import Language
    from outage_notify.domain.audience import Impact, Tier
    from outage_notify.store.outage_tables import AudienceMember
    from outage_notify.store.people_tables import Customer, ServicePoint, Site
    from tests.factories.people import add_outage
    from tests.factories.runtimes import make_runtime

    rt = make_runtime(f"sqlite:///{folder / 'bench.db'}", folder)
    secrets = [f"{number:032x}" for number in range(1, SUBSCRIBERS + 1)]
    with rt.database.write() as session:
        people = [
            {
                "id": number,
                "customer_id": f"C{number:06d}",
                "name": f"Customer {number}",
                "kind": "shop",
                "tier": Tier.LOW_VOLTAGE,
                "life_support": False,
                "vulnerable": False,
                "language": Language.EN,
                "feed_secret": secret,
            }
            for number, secret in enumerate(secrets, 1)
        ]
        session.execute(insert(Customer), people)
        numbers = range(1, SUBSCRIBERS + 1)
        session.execute(insert(Site), [{"id": n, "customer_ref": n, "site_id": "S1"} for n in numbers])
        points = [
            {
                "id": n,
                "service_point_id": f"P{n:06d}",
                "customer_ref": n,
                "site_ref": n,
                "element": f"load:{n}",
                "place": f"{n} Mill Street",
            }
            for n in numbers
        ]
        session.execute(insert(ServicePoint), points)
        outage = add_outage(session, [])
        members = [
            {
                "revision_ref": outage.standing.id,
                "service_point_ref": n,
                "customer_ref": n,
                "impact": Impact.OUTAGE,
                "tier": Tier.LOW_VOLTAGE,
                "is_key": False,
                "life_support": False,
            }
            for n in range(1, SUBSCRIBERS + 1, SUBSCRIBERS // AFFECTED)
        ]
        session.execute(insert(AudienceMember), members)
    rt.database.close()
    return secrets


def change(folder: Path) -> None:
    """What an approval does to feeds: one more outage, which every feed might show."""
    from tests.factories.people import add_outage
    from tests.factories.runtimes import make_runtime

    rt = make_runtime(f"sqlite:///{folder / 'bench.db'}", folder)
    with rt.database.write() as session:
        add_outage(session, [])
    rt.database.close()


@dataclass
class Polls:
    """The times of a stretch in milliseconds, and how many answers were wrong."""

    times: list[float]
    wrong: int = 0
    late_to_send: float = 0.0

    def summary(self) -> dict[str, float]:
        ordered = sorted(self.times) or [0.0]
        at = {name: ordered[min(len(ordered) - 1, int(len(ordered) * part))] for name, part in _PARTS}
        found = {"polls": len(self.times), **{name: round(value, 1) for name, value in at.items()}}
        return {**found, "longest": round(ordered[-1], 1), "wrong": self.wrong}


_PARTS = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))


async def stretch(port: int, secrets: list[str], rate: float, seconds: float, dice: random.Random) -> Polls:
    """Polls by chance at `rate` a second."""
    found, waiting = Polls([]), set()
    began = time.perf_counter()
    due = began
    while (due := due + dice.expovariate(rate)) < began + seconds:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        task = asyncio.create_task(_poll(port, dice.choice(secrets), due, found))
        waiting.add(task)
        task.add_done_callback(waiting.discard)
    await asyncio.gather(*waiting)
    return found


async def _poll(port: int, secret: str, due: float, found: Polls) -> None:
    # Every program says what it has; nearly all of them have an old copy or none.
    asked = f"GET /feeds/{secret}.ics HTTP/1.1\r\nHost: bench\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(asked.encode())
        answer = await asyncio.wait_for(reader.read(), 30)
        writer.close()
    except (OSError, TimeoutError):
        found.wrong += 1
        return
    found.times.append((time.perf_counter() - due) * 1000)
    if not answer.startswith(b"HTTP/1.1 200"):
        found.wrong += 1


def main() -> int:
    from tests.load.bench_feed import await_server
    from tests.servers.process import free_port

    dice, results = random.Random(7), {}
    with tempfile.TemporaryDirectory() as name:
        secrets, port = fill(Path(name)), free_port()
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"),
                *("--workers", str(WORKERS), "--worker-class", "gthread", "--threads", str(THREADS)),
                *("--backlog", "4096", "--log-level", "error", "tests.load.bench_feed_polls:application()"),
            ],
            env=os.environ | {_FOLDER: name},
        )
        try:
            await_server(port, f"/feeds/{secrets[0]}.ics")
            for when in ("", "changed, "):
                if when:
                    change(Path(name))
                for kind, times, seconds in STRETCHES:
                    polls = asyncio.run(stretch(port, secrets, AVERAGE * times, seconds, dice))
                    results[when + kind] = polls.summary()
        finally:
            server.terminate()
            server.wait()
    print(json.dumps({"subscribers": SUBSCRIBERS, "workers": WORKERS, "stretches": results}))
    good = all(one["p99"] < GOAL_MS and not one["wrong"] for one in results.values())
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
