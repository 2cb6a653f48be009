"""Runs a wave through real processes while workers are killed at random, and counts whom it reached.

Simulator, web server and workers are the product's own commands, each in a process of its
own. They are forked from a server that has loaded the program already: loading it takes
seconds, and a worker that lives for a few tenths of one would otherwise never work. What
is killed is a whole worker process, by SIGKILL, wherever it happens to be.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import requests
from sqlalchemy import func, insert, select

from channels.model import Channel, Language
from outage_notify.domain.audience import Tier
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageKind
from outage_notify.services import approve_outage, plan_outage
from outage_notify.services.plan_outage import PlanRequest
from outage_notify.services.runtime import Runtime
from outage_notify.settings import Settings
from outage_notify.store import migrate, network_queries
from outage_notify.store.delivery_tables import Attempt, Delivery, Notice
from outage_notify.store.people_tables import ContactPoint, Customer, ServicePoint, Site
from outage_notify.store.user_tables import Role, User
from tests.factories.small_networks import street
from tests.factories.tally import Tally, tally
from tests.servers.process import free_port

ZONE = ZoneInfo("Asia/Shanghai")
WORKERS = 4  # at the same time, each with a beat of its own
PER_SECOND = 40  # messages of all channels: slow enough that workers die in the midst of it
LOADED = ["outage_notify.app", "outage_notify.cli", "outage_notify.cli.processes", "outage_notify.cli.serve"]
LOADED += ["celery.apps.worker", "celery.concurrency.thread", "kombu.transport.memory"]
LOADED += ["kombu.transport.redis", "gunicorn.app.base", "gunicorn.workers.gthread", "channels.simulator"]

# Answers are lost; now and then a message as well, a callback, or only its order.
FAULTS = [
    {"share": 0.03, "do": {"api": "lost", "smtp": "drop"}},
    {"share": 0.01, "do": {"api": "dropped", "smtp": "drop-untaken"}},
    {"share": 0.01, "do": {"answer_delay": 1.5}},  # longer than the time-out
    {"share": 0.25, "do": "no_callbacks"},
    {"share": 0.05, "do": "repeated_callbacks"},
    {"share": 0.05, "do": "reversed_callbacks"},
]


@dataclass(frozen=True)
class Result:
    """What the ledger says, and what happened on the way."""

    tally: Tally
    seed: int
    kills: int  # while messages were still to be sent
    cut_short: int  # calls whose worker died before the outcome was on record
    unknown: int  # calls whose answer was lost
    again: int  # deliveries that needed more than one call
    seconds: float

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: told once {self.tally.once}, untold {self.tally.untold}, twice {self.tally.twice}; "
            f"{self.kills} workers killed at work, {self.cut_short} calls cut short, "
            f"{self.unknown} answers lost, {self.again} deliveries tried again; {self.seconds:.0f} s"
        )


def _end_with(parent: BaseProcess | None) -> None:
    if parent is not None:
        parent.join()
    os._exit(1)


def _command(arguments: list[str], environ: dict[str, str], log: str) -> None:
    """The body of each process: one command of the product, with its words in a file."""
    # When the tests themselves are killed, nothing of a drill may go on: it would disturb the next one.
    threading.Thread(target=_end_with, args=(multiprocessing.parent_process(),), daemon=True).start()
    os.environ.update(environ)
    words = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(words, 1)
    os.dup2(words, 2)
    from outage_notify.cli import main

    sys.exit(main(arguments))


class CrashDrill:
    """One run. `close` ends every process that it started."""

    def __init__(self, url: str, broker: str, folder: Path, people: int, seed: int) -> None:
        self._random = random.Random(seed)
        self._seed = seed
        self._log = str(folder / "drill.log")
        web, http, smtp = free_port(), free_port(), free_port()
        environ = {
            "SIMULATOR": "1",
            "STATE_DIR": str(folder),
            "DATABASE_URL": url,
            "BROKER_URL": broker,
            "TIMEZONE": ZONE.key,
            "BASE_URL": f"http://127.0.0.1:{web}",
            "TWILIO_API_BASE": f"http://127.0.0.1:{http}",
            "SMTP_URL": f"smtp://127.0.0.1:{smtp}",
            "PROVIDER_TIMEOUT": "1",
            "LEASE_SECONDS": "2",
            "DOUBT_GRACE": "3",
            "DOUBT_INTERVAL": "1",
            "TICK_SECONDS": "0.3",
            "RECONCILE_SECONDS": "0.7",
            "SMS_PER_SECOND": str(PER_SECOND * 0.5),
            "VOICE_PER_SECOND": str(PER_SECOND * 0.2),
            "EMAIL_PER_SECOND": str(PER_SECOND * 0.3),
        }
        self._environ = {f"OUTAGE_NOTIFY_{name}": value for name, value in environ.items()}
        self.rt = Runtime.build(Settings.load(self._environ))
        migrate.ensure(self.rt.database)
        _ = self.rt.signing_key  # made before several processes ask for it at once
        self.addresses = self._facts(people)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(LOADED)
        self._others: list[BaseProcess] = []
        self._workers: list[BaseProcess] = []

    def _facts(self, people: int) -> list[str]:
        """The network, the people (half by text, a fifth by call, the rest by mail), one approved outage."""
        by_channel = [Channel.SMS] * 5 + [Channel.VOICE] * 2 + [Channel.EMAIL] * 3
        addresses, customers, sites, points, contacts = [], [], [], [], []
        for number in range(1, people + 1):
            channel = by_channel[number % 10]
            address = f"p{number}@example.com" if channel is Channel.EMAIL else f"+86139{number:08d}"
            addresses.append(address)
            customers.append(
                {
                    "id": number,
                    "customer_id": f"C{number}",
                    "name": f"N{number}",
                    "kind": "household",
                    "tier": Tier.LOW_VOLTAGE,
                    "language": Language.EN,
                    "feed_secret": f"{number:032x}",
                }
            )
            sites.append({"id": number, "customer_ref": number, "site_id": "S"})
            points.append(
                {
                    "service_point_id": f"P{number}",
                    "customer_ref": number,
                    "site_ref": number,
                    "element": "load:2",
                    "place": f"{number} River Road",
                }
            )
            contacts.append({"customer_ref": number, "channel": channel, "address": address, "backup": False})
        with self.rt.database.write() as session:
            for table, rows in (
                (Customer, customers),
                (Site, sites),
                (ServicePoint, points),
                (ContactPoint, contacts),
            ):
                session.execute(insert(table), rows)
            network_queries.insert_version(
                session,
                street().to_rows(),
                imported_at=self.rt.now(session),
                imported_by="drill",
                file_name="street",
                format="auto",
                sha256="0" * 64,
            )
            for name, role in (("petra", Role.PLANNER), ("anton", Role.APPROVER)):
                session.add(User(username=name, name=name, password_hash="-", roles=[role.value]))
        day = (datetime.now(ZONE) + timedelta(days=1)).replace(hour=10, minute=0, second=0, microsecond=0)
        self._turn_to(day)
        start = day + timedelta(days=10)
        why = {"en": "line maintenance"}
        request = PlanRequest(OutageKind.PLANNED, start, start + timedelta(hours=4), why, work=("line:2",))
        reference = plan_outage.plan(self.rt, "petra", request)
        plan_outage.submit(self.rt, "petra", reference)
        approve_outage.approve(self.rt, "anton", reference)
        self._wave = day + timedelta(days=2, seconds=1)
        return addresses

    def _turn_to(self, instant: datetime) -> None:
        with self.rt.database.write() as session:
            self.rt.clock.turn_to(session, instant)

    def run(self, kills: int, longest: float) -> Result:
        """Let the wave go out among `kills` kills; the killing stops in any case after half of `longest` seconds."""
        simulator, web = self.rt.settings.twilio_api_base, self.rt.settings.base_url
        self._others = [self._start("simulator"), self._start("web")]
        self._answers(f"{simulator}/simulator/health")
        self._answers(f"{web}/healthz")
        script = {"seed": self._seed, "rules": FAULTS}
        requests.post(f"{simulator}/simulator/script", json=script, timeout=10).raise_for_status()
        self._workers = [self._start("worker", "--beat") for _ in range(WORKERS)]
        self._turn_to(self._wave)
        began = time.monotonic()
        killed = 0
        while killed < kills and time.monotonic() - began < longest / 2:
            time.sleep(self._random.uniform(0.1, 0.4))
            if not self._waiting():
                break
            # One that still starts has nothing in its hands: only those are killed that have begun a call.
            if at_work := self._at_work():
                self._replace(self._random.choice(at_work))
                killed += 1
        # At rest when nothing is to be sent and the provider has finished every call that it took.
        while rest := self._open() or self._under_way(simulator):
            if time.monotonic() - began > longest:
                raise AssertionError(f"the drill does not come to rest: {rest}\n{self._words()}")
            time.sleep(0.3)
        seconds = time.monotonic() - began
        entries = requests.get(f"{simulator}/simulator/ledger", timeout=60).json()["entries"]
        return self._result(tally(entries, self.addresses), killed, seconds)

    def _result(self, found: Tally, kills: int, seconds: float) -> Result:
        with self.rt.database.read() as session:

            def count(*conditions: Any) -> int:
                return session.scalar(select(func.count()).select_from(Attempt).where(*conditions)) or 0

            again = session.scalar(select(func.count()).select_from(Delivery).where(Delivery.tries > 1)) or 0
            cut_short, unknown = count(Attempt.outcome == ""), count(Attempt.outcome == "unknown")
        return Result(found, self._seed, kills, cut_short, unknown, again, seconds)

    def _start(self, *arguments: str) -> BaseProcess:
        process = self._context.Process(
            target=_command, args=(list(arguments), self._environ, self._log), daemon=True
        )
        process.start()
        return process

    def _replace(self, number: int) -> None:
        self._workers[number].kill()
        self._workers[number].join()
        self._workers[number] = self._start("worker", "--beat")

    def _at_work(self) -> list[int]:
        """Positions of the workers that have begun a call."""
        pids = {str(one.pid): number for number, one in enumerate(self._workers)}
        with self.rt.database.read() as session:
            names = session.scalars(select(Attempt.worker).distinct()).all()
        return sorted(pids[pid] for name in names if (pid := name.rpartition(":")[2]) in pids)

    def _answers(self, url: str) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                if requests.get(url, timeout=2).status_code == 200:
                    return
            except requests.RequestException:
                pass
            if time.monotonic() > deadline:
                raise AssertionError(f"{url} does not answer\n{self._words()}")
            time.sleep(0.1)

    def _count(self, *states: DeliveryState) -> int:
        statement = (
            select(func.count())
            .select_from(Delivery)
            .join(Notice, Delivery.notice_ref == Notice.id)
            .where(Notice.kind == NoticeKind.SEVEN_DAY, Delivery.state.in_(states))
        )
        with self.rt.database.read() as session:
            return session.scalar(statement) or 0

    def _waiting(self) -> int:
        """Rows of the wave that no worker has begun."""
        return self._count(DeliveryState.READY, DeliveryState.CLAIMED)

    def _open(self) -> dict[str, int]:
        names = (DeliveryState.READY, DeliveryState.CLAIMED, DeliveryState.SUBMITTING, DeliveryState.IN_DOUBT)
        found = {name.value: self._count(name) for name in names}
        return {name: count for name, count in found.items() if count}

    def _under_way(self, simulator: str) -> dict[str, int]:
        health = requests.get(f"{simulator}/simulator/health", timeout=60).json()
        found = {f"{name} at the provider": health[name] for name in ("running", "waiting")}
        return {name: count for name, count in found.items() if count}

    def _words(self) -> str:
        return "\n".join(Path(self._log).read_text(errors="replace").splitlines()[-25:])

    def close(self) -> None:
        for process in [*self._workers, *self._others]:
            process.kill()
            process.join()
        self.rt.database.close()
