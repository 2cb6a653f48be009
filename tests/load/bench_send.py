"""How fast a wave goes out, side by side with two other ways of sending it. Run by `make bench-send`.

One provider stands behind all three (`stub`, on the loopback interface), one PostgreSQL that
writes to the disk at each commit, one machine. Measured are

- ours: real workers, from READY to ACCEPTED, by the database's own times;
- plain: a pool of threads that calls twilio-python as its makers ship it. No database, no memory;
- usual: one Celery task for each message, which reads its row, calls, and writes its row.

Prints a table in Markdown, with ratios. `--people` and `--rows` choose the size. `--reports` posts so many status
reports afterwards, `--fan-out` measures one approval of so many customers instead of all this.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text

from outage_notify.domain.delivery import DeliveryState
from outage_notify.services import approve_outage
from outage_notify.services.runtime import Runtime
from outage_notify.settings import Settings
from outage_notify.store import bulk, migrate
from outage_notify.store.delivery_tables import Attempt, Delivery
from tests.factories import crowd
from tests.load.bench_reports import Burst, burst
from tests.servers.postgres import PostgresServer
from tests.servers.process import free_port
from tests.servers.redis import RedisServer

TEXT = (
    "Planned power outage Fri 17 Apr 09:00-13:00 at 12 River Road: line maintenance. Ref K7Q2ABCDEF. "
    + "x" * 60
)


@contextlib.contextmanager
def process(*arguments: str, environ: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, *arguments],
        env={**os.environ, **(environ or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as started:
        try:
            yield started
        finally:
            started.terminate()
            started.wait(60)


def plain(port: int, count: int, threads: int) -> float:
    """Messages per second of twilio-python alone."""
    from twilio.http.http_client import TwilioHttpClient
    from twilio.rest import Client

    class ToStub(TwilioHttpClient):
        def request(self, method: str, uri: str, *args: Any, **more: Any) -> Any:
            return super().request(
                method, uri.replace("https://api.twilio.com", f"http://127.0.0.1:{port}"), *args, **more
            )

    client = Client("AC" + "0" * 32, "x", http_client=ToStub())

    def send(number: int) -> str:
        return str(
            client.messages.create(
                to=crowd.address(crowd.Channel.SMS, number),
                from_="+15005550006",
                body=TEXT,
                status_callback="http://127.0.0.1/webhooks/twilio/status/" + "x" * 31,
                validity_period=36000,
            ).sid
        )

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(send, range(threads * 4)))
        began = time.perf_counter()
        sids = set(pool.map(send, range(count)))
        seconds = time.perf_counter() - began
    if len(sids) != count:
        raise AssertionError("the stub gave one id twice")
    return count / seconds


def usual(port: int, url: str, broker: str, count: int, threads: int) -> float:
    """Messages per second of one Celery task per message, from the first begun to the last written."""
    from tests.load import usual_design

    usual_design.prepare(url, count)
    environ = {"BENCH_DATABASE": url, "BENCH_BROKER": broker, "BENCH_PROVIDER": f"http://127.0.0.1:{port}"}
    usual_design.ring(environ, count)
    worker = ("-m", "celery", "-A", "tests.load.usual_design:app", "worker", "--pool=threads")
    with process(*worker, f"--concurrency={threads}", "--loglevel=ERROR", environ=environ):
        return usual_design.wait(url, count)


class Ours:
    """The product on PostgreSQL and Redis, with an outbox of `people` texts and `ballast` other rows."""

    def __init__(self, url: str, broker: str, port: int, folder: Path, threads: int) -> None:
        environ = {
            "SIMULATOR": "1",
            "STATE_DIR": str(folder),
            "DATABASE_URL": url,
            "BROKER_URL": broker,
            "TIMEZONE": crowd.ZONE.key,
            "BASE_URL": "http://127.0.0.1:8000",
            "TWILIO_API_BASE": f"http://127.0.0.1:{port}",
            "SMTP_URL": "smtp://127.0.0.1:1",
            "SMS_PER_SECOND": "1000000",
            "SEND_THREADS": str(threads),
            "TICK_SECONDS": "0.5",
            "RECONCILE_SECONDS": "600",
        }
        self.environ = {f"OUTAGE_NOTIFY_{name}": value for name, value in environ.items()}
        self.rt = Runtime.build(Settings.load(self.environ))
        migrate.ensure(self.rt.database)
        _ = self.rt.signing_key

    def approve(self, people: int) -> tuple[float, int]:
        """Seconds of one approval, and by how many megabytes the process grew in it."""
        crowd.fill(self.rt, people)
        reference, self._day = crowd.submitted(self.rt)
        self._vacuum()
        before = resource.getrusage(resource.RUSAGE_SELF)
        began = time.perf_counter()
        approve_outage.approve(self.rt, "anton", reference)
        seconds = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_SELF)
        self.processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return seconds, (after.ru_maxrss - before.ru_maxrss) // 1024

    def ballast(self, rows: int) -> None:
        """Other rows of the outbox: half of them told long ago, half of them not due yet."""
        with self.rt.database.write() as session:
            model = session.scalars(select(Delivery).limit(1)).one()
            given = {"short_ref", "address", "state", "due_at"}
            columns = [one.name for one in Delivery.__table__.columns if one.name not in {"id", *given}]
            same = [getattr(model, name) for name in columns]
            bulk.insert_tuples(
                session,
                Delivery,
                [*sorted(given), *columns],
                (
                    (
                        f"+86138{number:08d}",
                        model.due_at + timedelta(days=4),
                        f"B{number:09d}",
                        DeliveryState.ACCEPTED if number % 2 else DeliveryState.READY,
                        *same,
                    )
                    for number in range(rows)
                ),
            )
        self._vacuum()

    def _vacuum(self) -> None:
        """As the database does by itself some time after many rows came."""
        with self.rt.database.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))

    def send(self, count: int, workers: int) -> tuple[float, int]:
        """Deliveries per second from the first begun to the last accepted; most memory of a worker in MB."""
        with contextlib.ExitStack() as stack:
            started = [
                stack.enter_context(process("-m", "outage_notify", "worker", "--beat", environ=self.environ))
                for _ in range(workers)
            ]
            time.sleep(4)  # both have started and have nothing to do yet
            crowd.turn_to(self.rt, self._day + timedelta(days=2, seconds=1))
            deadline = time.monotonic() + 600
            while self._accepted() < count:
                if time.monotonic() > deadline:
                    raise AssertionError(f"{self._accepted()} of {count} after ten minutes")
                time.sleep(0.5)
            memory = max(_memory(one.pid) for one in started)
        with self.rt.database.read() as session:
            first, last = session.execute(
                select(func.min(Attempt.began_at), func.max(Attempt.ended_at))
            ).one()
        return count / (last - first).total_seconds(), memory

    def reports(self, most: int) -> Burst:
        """What the web tier, two processes of it, does with a burst of status reports."""
        port = free_port()
        arguments = ("-m", "outage_notify", "web", "--port", str(port), "--processes", "2")
        with process(*arguments, environ=self.environ):
            return burst(self.rt, port, most)

    def _accepted(self) -> int:
        with self.rt.database.read() as session:
            taken = select(func.count()).select_from(Attempt).where(Attempt.outcome == "accepted")
            return session.scalar(taken) or 0


def _memory(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    return 0


def fan_out(url: str, folder: Path, people: int) -> None:
    """One approval of `people` customers: its time on the wall and its memory."""
    ours = Ours(url, "redis://127.0.0.1:1", 1, folder, 1)
    seconds, grew = ours.approve(people)
    print(
        f"approval of {people:,} customers: {seconds:.1f} s, {ours.processor:.1f} s of it processor time of the "
        f"approving process, which grew by {grew} MB; load {os.getloadavg()[0]:.1f}"
    )
    ours.rt.database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=6000)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--rows", type=int, nargs="*", default=[10_000], help="other rows in the outbox")
    parser.add_argument("--reports", type=int, default=0, help="status reports in one burst")
    parser.add_argument("--fan-out", type=int, default=0, help="customers of one approval")
    given = parser.parse_args()
    count, threads = given.people, given.threads
    postgres, redis = PostgresServer(durable=True), RedisServer()
    port = free_port()
    try:
        if given.fan_out:
            with tempfile.TemporaryDirectory() as folder:
                fan_out(postgres.create_database(), Path(folder), given.fan_out)
            return
        with process("-m", "tests.load.stub", str(port)), tempfile.TemporaryDirectory() as folder:
            time.sleep(1)
            print(
                f"{count} texts, {threads} calls at a time, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n"
            )
            print("| what | per second | of plain | of usual |\n|---|---|---|---|")
            alone = plain(port, count, threads)
            tasks = usual(port, postgres.create_database(), redis.url, count, threads)
            for name, rate in (
                ("plain twilio-python, no database", alone),
                ("one Celery task per message", tasks),
            ):
                print(f"| {name} | {rate:.0f} | {rate / alone:.2f} | {rate / tasks:.2f} |", flush=True)
            for number, (rows, workers) in enumerate([(one, 1) for one in given.rows] + [(given.rows[0], 2)]):
                place = Path(folder) / str(number)
                ours = Ours(postgres.create_database(), redis.url, port, place, threads)
                ours.approve(count)
                ours.ballast(rows)
                rate, memory = ours.send(count, workers)
                name = f"ours, {workers} worker(s), {rows:,} other rows, {memory} MB"
                print(f"| {name} | {rate:.0f} | {rate / alone:.2f} | {rate / tasks:.2f} |", flush=True)
                if given.reports and not number:
                    found = ours.reports(given.reports)
                    print(
                        f"reports: {found}, {found.per_second:.0f}/s, {found.per_second / rate:.2f} of sending"
                    )
                ours.rt.database.close()
    finally:
        redis.stop()
        postgres.stop()


if __name__ == "__main__":
    main()
