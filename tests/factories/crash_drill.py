"""Runs a wave through real processes while something goes wrong, and counts whom it reached.

Simulator, web server, workers and beat are the product's own commands. A minute of the
product's default settings is two seconds here: lease, grace, ticks and the spells of a
fault are shortened alike, so that their order stays what it is in production.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import func, select

from channels.model import Channel
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.errors import NotPermitted
from outage_notify.domain.notice import NoticeKind
from outage_notify.services.runtime import Runtime
from outage_notify.settings import Settings
from outage_notify.store import migrate
from outage_notify.store.delivery_tables import Attempt, Delivery, Notice, ProviderReport
from tests.factories import crowd
from tests.factories.drill_processes import Processes
from tests.factories.drill_stacks import Stack
from tests.servers.process import free_port

MINUTE, TICK, LEASE, GRACE = 2.0, 0.3, 2.0, 5.0
WORKERS = 4  # at the same time
PATIENCE = 60.0  # for one thing to happen on a busy machine
# Half by text, a fifth by call, the rest by mail.
MIX = [Channel.SMS] * 5 + [Channel.VOICE] * 2 + [Channel.EMAIL] * 3
# Those of the wave and of what may follow it; day-ahead notices are not due yet.
KINDS = (NoticeKind.SEVEN_DAY, NoticeKind.CHANGED, NoticeKind.CANCELLED)

TOLD_BY = {
    "state",
    "revision",
    "tries",
    "code",
    "detail",
    "began_at",
    "accepted_at",
    "delivered_at",
    "ended_at",
}
TOLD_BY |= {"doubt_since", "provider_id", "spoken_at", "channel", "paused"}

Rule = Mapping[str, Any]
# Answers are lost; now and then a message as well, a callback, or only its order and time.
LOSSES: Sequence[Rule] = (
    {"share": 0.03, "do": {"api": "lost", "smtp": "drop"}},
    {"share": 0.01, "do": {"api": "dropped", "smtp": "drop-untaken"}},
    {"share": 0.01, "do": {"answer_delay": 1.5}},  # longer than the time-out
    {"share": 0.2, "do": "no_callbacks"},
    {"share": 0.03, "do": {"callback_delay": 2 * MINUTE}},
    {"share": 0.03, "do": "repeated_callbacks"},
    {"share": 0.05, "do": "reversed_callbacks"},
)


@dataclass(frozen=True, eq=False)
class Fault:
    """What goes wrong. `strike` runs while the wave goes out and says what it did, in numbers."""

    name: str
    strike: Callable[[Drill], dict[str, Any]]
    rules: Sequence[Rule] = LOSSES
    ahead: Sequence[float] = ()  # of the workers' clocks, in seconds, in turns
    beat_ahead: float = 0.0
    changes: bool = False  # a change of mind is part of it
    settings: Mapping[str, str] = field(default_factory=dict)  # instead of the short ones


@dataclass
class Result:
    """The provider's ledger, and what happened on the way."""

    entries: list[dict[str, Any]]
    did: dict[str, Any]
    counts: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


class Drill:
    """One run. `close` ends every process that it started."""

    def __init__(
        self, stack: Stack, fault: Fault, folder: Path, people: int, seed: int, per_second: float
    ) -> None:
        self.fault = fault
        self.stack, self.people, self.seed = stack, people, seed
        self.random = random.Random(seed)
        web, http, smtp = free_port(), free_port(), free_port()
        environ = {
            "SIMULATOR": "1",
            "STATE_DIR": str(folder),
            "DATABASE_URL": stack.database_url,
            "BROKER_URL": stack.broker_url,
            "TIMEZONE": crowd.ZONE.key,
            "BASE_URL": f"http://127.0.0.1:{web}",
            "TWILIO_API_BASE": f"http://127.0.0.1:{http}",
            "SMTP_URL": f"smtp://127.0.0.1:{smtp}",
            "PROVIDER_TIMEOUT": "1",
            "LEASE_SECONDS": str(LEASE),
            "DOUBT_GRACE": str(GRACE),
            "DOUBT_INTERVAL": "1",
            "TICK_SECONDS": str(TICK),
            "RECONCILE_SECONDS": "0.7",
            "SMS_PER_SECOND": str(per_second * 0.5),
            "VOICE_PER_SECOND": str(per_second * 0.2),
            "EMAIL_PER_SECOND": str(per_second * 0.3),
            **fault.settings,
        }
        environ = {f"OUTAGE_NOTIFY_{name}": value for name, value in environ.items()}
        self.rt = Runtime.build(Settings.load(environ))
        migrate.ensure(self.rt.database)
        _ = self.rt.signing_key  # made before several processes ask for it at once
        self.addresses = crowd.fill(self.rt, people, MIX)
        self.reference, self._wave = crowd.approved(self.rt)
        self._simulator = self.rt.settings.twilio_api_base
        self._processes = Processes(environ, folder)
        # The part of the wave during which the present fault is to strike.
        self.span = (0.1, 0.9)
        self.web: BaseProcess | None = None
        self.workers: list[BaseProcess] = []
        self.beats: list[BaseProcess] = []

    def run(self, longest: float) -> Result:
        """Let the wave go out, strike, and wait until it has come to rest, at most `longest` seconds."""
        fault = self.fault
        self._processes.start("simulator")
        self._answers(f"{self._simulator}/simulator/health")
        self.start_web()
        self._answers(f"{self.rt.settings.base_url}/healthz")
        self.script(fault.rules, seed=self.seed)
        self.workers = [self.start_worker(number) for number in range(WORKERS)]
        if not self.stack.embedded:
            self.start_beat(fault.beat_ahead)
        self._turn_on(self._wave)
        began = time.monotonic()
        did = fault.strike(self)
        # At rest when nothing is to be sent, the provider has finished every call that it took, and was
        # asked about those of which it did not tell the end.
        while rest := self._open() or self._under_way() or self._later() or self._incomplete():
            if time.monotonic() - began > longest:
                raise AssertionError(f"the drill does not come to rest: {rest}\n{self._processes.words()}")
            time.sleep(0.2)
        seconds = time.monotonic() - began
        entries = requests.get(f"{self._simulator}/simulator/ledger", timeout=60).json()["entries"]
        return Result(entries, did, self._counts(), seconds)

    # What a fault may do.

    def script(self, rules: Sequence[Rule], questions: Any = "ok", seed: int | None = None) -> None:
        """What the provider does from now on."""
        script = {"rules": list(rules), "questions": questions, **({} if seed is None else {"seed": seed})}
        requests.post(f"{self._simulator}/simulator/script", json=script, timeout=30).raise_for_status()

    @property
    def rules(self) -> Sequence[Rule]:
        return self.fault.rules

    def start_web(self) -> None:
        self.web = self._processes.start("web")

    def start_worker(self, number: int) -> BaseProcess:
        """With the embedded broker each worker has a bell of its own: many beats at once."""
        ahead = self.fault.ahead
        extra = ["--beat"] if self.stack.embedded else []
        return self._processes.start("worker", *extra, ahead=ahead[number % len(ahead)] if ahead else 0.0)

    def start_beat(self, ahead: float = 0.0) -> None:
        self.beats.append(self._processes.start("beat", ahead=ahead))

    def replace(self, number: int) -> None:
        """SIGKILL to a worker, and another one in its place."""
        self.workers[number].kill()
        self.workers[number].join()
        self.workers[number] = self.start_worker(number)

    def at_work(self) -> list[int]:
        """Positions of the workers that have begun a call."""
        pids = {str(one.pid): number for number, one in enumerate(self.workers)}
        with self.rt.database.read() as session:
            names = session.scalars(select(Attempt.worker).distinct()).all()
        return sorted(pids[pid] for name in names if (pid := name.rpartition(":")[2]) in pids)

    def until(self, share: float) -> None:
        """Wait until that share of the present fault's part of the wave was begun."""
        self._wait(lambda: self.has_begun(share), f"{share:.0%} of {self.span} of the wave")

    def has_begun(self, share: float) -> bool:
        low, high = self.span
        return self.begun() >= (low + share * (high - low)) * self.people

    def begun(self) -> int:
        """Deliveries that were begun at least once."""
        with self.rt.database.read() as session:
            return session.scalar(select(func.count(Attempt.delivery_ref.distinct()))) or 0

    def goes_on(self) -> float:
        """Wait until calls are begun that nobody had begun before; the seconds that took, in ticks."""
        before, since = self.begun(), time.monotonic()
        assert before < self.people, "the wave was over before it was disturbed"
        self._wait(lambda: self.begun() > before, "the wave to go on")
        return round((time.monotonic() - since) / TICK, 1)

    # What is looked at.

    def _wait(self, reached: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE + self.people / 20
        while not reached():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited in vain for {what}\n{self._processes.words()}")
            time.sleep(0.02)

    def _answers(self, url: str) -> None:
        def answered() -> bool:
            try:
                return requests.get(url, timeout=2).status_code == 200
            except requests.RequestException:
                return False

        self._wait(answered, url)

    def _count(self, *states: DeliveryState) -> int:
        statement = (
            select(func.count())
            .select_from(Delivery)
            .join(Notice, Delivery.notice_ref == Notice.id)
            .where(Notice.kind.in_(KINDS), Delivery.state.in_(states))
        )
        with self.rt.database.read() as session:
            return session.scalar(statement) or 0

    def _open(self) -> dict[str, int]:
        names = (DeliveryState.READY, DeliveryState.CLAIMED, DeliveryState.SUBMITTING, DeliveryState.IN_DOUBT)
        found = {name.value: self._count(name) for name in names}
        if {one for one, count in found.items() if count} == {"READY"} and not self._under_way():
            self._turn_to_next()
        return {name: count for name, count in found.items() if count}

    def _turn_to_next(self) -> None:
        """All that is left waits for its time, such as a call that is made again."""
        due = select(func.min(Delivery.due_at)).join(Notice, Delivery.notice_ref == Notice.id)
        with self.rt.database.read() as session:
            now = self.rt.now(session)
            soonest = session.scalar(due.where(Notice.kind.in_(KINDS), Delivery.state == DeliveryState.READY))
        if soonest is not None and now < soonest < now + timedelta(minutes=15):
            self._turn_on(soonest)

    def _later(self) -> dict[str, int]:
        """What waits for its time while nothing else moves: the clock is turned on to it."""
        waits = select(func.min(Delivery.next_check_at), func.count()).where(
            Delivery.state == DeliveryState.ACCEPTED, Delivery.next_check_at.is_not(None)
        )
        with self.rt.database.read() as session:
            now = self.rt.now(session)
            soonest, count = session.execute(waits).one()
        # After an hour's wait it is asked again about what has no end at the provider either.
        if soonest is None or soonest > self._wave + timedelta(hours=1):
            return {}
        if soonest > now:
            self._turn_on(soonest)
        return {"to be asked about": count}

    def _incomplete(self) -> dict[str, int]:
        """News that waits for the end of earlier calls, which may have to be asked for first."""
        with self.rt.database.read() as session:
            count = session.scalar(select(func.count()).where(Notice.incomplete.is_(True))) or 0
        return {"incomplete": count} if count else {}

    def _turn_on(self, instant: datetime) -> None:
        """Turn the clock on to that time, which may have come by itself since it was read.

        The provider must have seen it too before anything else happens: a provider's clock goes on by
        itself while the database is away, but it can't know that ours was turned by two days a moment
        before. Its list would then show messages of the day before yesterday.
        """
        with suppress(NotPermitted):
            crowd.turn_to(self.rt, instant)
        self._wait(
            lambda: datetime.fromisoformat(self._provider()["now"]) >= instant, "the provider to see the time"
        )

    def _under_way(self) -> dict[str, int]:
        health = self._provider()
        found = {f"{name} at the provider": health[name] for name in ("running", "waiting", "broken")}
        return {name: count for name, count in found.items() if count}

    def _provider(self) -> dict[str, Any]:
        """What the provider says of itself."""
        said: dict[str, Any] = requests.get(f"{self._simulator}/simulator/health", timeout=60).json()
        return said

    def story(self, addresses: Sequence[str]) -> str:
        """What the database knows of the first few of these."""
        lines = []
        with self.rt.database.read() as session:
            for address in addresses[:4]:
                rows = session.scalars(
                    select(Delivery).where(Delivery.address == address).order_by(Delivery.id)
                )
                for row in rows:
                    if row.notice.kind not in KINDS:
                        continue
                    seen = {name: value for name, value in vars(row).items() if name in TOLD_BY and value}
                    lines.append(f"{address} {row.notice.kind}: {seen}")
                    tries = session.scalars(select(Attempt).where(Attempt.delivery_ref == row.id))
                    lines += [
                        f"    call of {one.began_at:%T.%f} by {one.worker}: {one.outcome or 'cut short'} "
                        f"{one.code} {one.provider_id}"
                        for one in tries
                    ]
                    said = session.scalars(
                        select(ProviderReport).where(ProviderReport.delivery_ref == row.id)
                    )
                    lines += [f"    report of {one.received_at:%T.%f}: {one.verdict}" for one in said]
        return "\n".join(lines)

    def _counts(self) -> dict[str, int]:
        def of(*conditions: Any) -> int:
            return session.scalar(select(func.count()).select_from(Attempt).where(*conditions)) or 0

        again = select(func.count()).select_from(Delivery).where(Delivery.tries > 1)
        with self.rt.database.read() as session:
            return {
                "cut short": of(Attempt.outcome == ""),
                "answers lost": of(Attempt.outcome == "unknown"),
                "tried again": session.scalar(again) or 0,
            }

    def close(self) -> None:
        self._processes.close()
        self.rt.database.close()
