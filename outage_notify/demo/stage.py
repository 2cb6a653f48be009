"""The stage: its own folder and database, the three processes, the hand-turned clock, waiting for calm."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

import requests

from outage_notify.app import create_runtime
from outage_notify.demo import calm
from outage_notify.domain.errors import OutageNotifyError, SettingsError
from outage_notify.services.runtime import Runtime
from outage_notify.settings import PREFIX, Settings
from outage_notify.store import migrate
from outage_notify.store.database import Database
from outage_notify.store.work_queries import record

START_LIMIT = 60.0  # real seconds until a process must answer
CALM_LIMIT = 300.0  # real seconds until everything that is due must have gone out
TIMEZONE = "Europe/Berlin"


@dataclass
class Stage:
    """A running system under a hand-turned clock."""

    rt: Runtime
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def simulator(self) -> str:
        return self.rt.settings.twilio_api_base

    @property
    def web(self) -> str:
        return self.rt.settings.base_url

    def now(self) -> datetime:
        with self.rt.database.read() as session:
            return self.rt.now(session).astimezone(self.rt.zone)

    def turn_to(self, instant: datetime) -> None:
        """Turn the clock forward, once everything that is due has gone out."""
        self.settle()
        with self.rt.database.write() as session:
            if instant > self.rt.now(session):
                self.rt.clock.turn_to(session, instant)

    def pass_time(self, span: timedelta) -> None:
        self.turn_to(self.now() + span)

    def settle(self) -> None:
        """Wait until nothing is due, on its way, or waiting for a callback. Doubts need their
        grace: the clock is turned over it."""
        began = time.monotonic()
        grace = timedelta(seconds=self.rt.settings.doubt_grace + self.rt.settings.doubt_interval)
        while True:
            self._check_children()
            with self.rt.database.read() as session:
                restless = calm.restless(session, self.rt.now(session))
            if not restless:
                return
            if set(restless) == {"in doubt"}:
                with self.rt.database.write() as session:
                    self.rt.clock.turn_to(session, self.rt.now(session) + grace / 2)
            if time.monotonic() - began > CALM_LIMIT:
                raise OutageNotifyError(f"The demo does not come to rest: {restless}.", "See the log.")
            time.sleep(0.2)

    def _check_children(self) -> None:
        for child in self.children:
            if child.poll() is not None:
                raise OutageNotifyError(
                    f"A process of the demo ended with status {child.returncode}: {child.args!r}.",
                    f"See {self.rt.settings.state_dir}/demo.log.",
                )


@contextmanager
def stage(given: Settings) -> Iterator[Stage]:
    """Prepare folder and database, start the processes, and end them whatever happens."""
    settings = _settings(given)
    _prepare(settings)
    rt = create_runtime(settings)
    with rt.database.write() as session:
        record(session, rt.now(session), "demo", calm.MARK)
    built = Stage(rt)
    # Whoever ends the demo ends its processes too: SIGTERM leaves by the same door as an error.
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        log = (Path(settings.state_dir) / "demo.log").open("ab")
        for arguments, url in (
            (["simulator"], f"{settings.twilio_api_base}/simulator/health"),
            (["web"], f"{settings.base_url}/healthz"),
            (["worker", "--beat"], ""),
        ):
            built.children.append(_start(arguments, settings, log))
            if url:
                _wait_for(url, built)
        yield built
    finally:
        _stop(built.children)
        signal.signal(signal.SIGTERM, before)
        rt.database.close()


def _settings(given: Settings) -> Settings:
    """The demo's settings: always simulated, whatever the environment says about providers."""
    state = str(Path(given.state_dir) / "demo")
    own_database = "" if given.database_url == _usual_database(given) else given.database_url
    ports = [_free_port(wanted) for wanted in (8000, 8010, 8025)]
    return replace(
        given,
        simulator=True,
        state_dir=state,
        database_url=own_database or f"sqlite:///{Path(state) / 'outage-notify.db'}",
        base_url=f"http://127.0.0.1:{ports[0]}",
        timezone=TIMEZONE,
        policy="cn",
        utility="Oberrhein Netz",
        hotline="+49 30 23125 000",
        twilio_account_sid="AC" + "0" * 32,
        twilio_auth_token="simulated",  # noqa: S106 - the simulator takes what it is given
        twilio_from="+15005550006",
        twilio_voice_from="",
        twilio_api_base=f"http://127.0.0.1:{ports[1]}",
        smtp_url=f"smtp://127.0.0.1:{ports[2]}",
        mail_from="notices@example.com",
        # Whoever else the environment names is left out: nothing of a demo may leave the machine.
        second_twilio_account_sid="",
        second_twilio_auth_token="",
        second_twilio_from="",
        second_twilio_voice_from="",
        second_twilio_api_base="",
        second_smtp_url="",
        sms_senders="",
        voice_senders="",
        email_senders="",
        sender_options="",
        plan_notice_to="",
        timestamp_url="",
        chain_mail_to="",
        signing_key_file=str(Path(state) / "key.json"),
        trusted_proxies=0,
        heartbeat_url="",
        tick_seconds=0.4,
        reconcile_seconds=1.5,
        provider_timeout=5.0,
        send_threads=16,
        sms_per_second=500.0,
        voice_per_second=200.0,
        email_per_second=500.0,
    )


def _usual_database(given: Settings) -> str:
    """Where data is kept when nobody says otherwise; the demo keeps its own beside it."""
    return f"sqlite:///{Path(given.state_dir) / 'outage-notify.db'}"


def _prepare(settings: Settings) -> None:
    """An empty database: a former demo's is cleared, any other that holds data is refused."""
    state = Path(settings.state_dir)
    state.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database_url)
    try:
        if migrate.is_empty(database):
            return
        if migrate.current(database) is None or not calm.is_demo(database):
            raise SettingsError(
                "This database holds data of its own; the demo does not touch it.",
                f"Unset {PREFIX}DATABASE_URL, or name an empty database.",
            )
        migrate.downgrade(database)
    finally:
        database.close()
    shutil.rmtree(state / "simulator", ignore_errors=True)


def _free_port(wanted: int) -> int:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _start(arguments: list[str], settings: Settings, log: IO[bytes]) -> subprocess.Popen[bytes]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(PREFIX)
    } | settings.as_environment()
    return subprocess.Popen(
        [sys.executable, "-m", "outage_notify", *arguments],
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


def _wait_for(url: str, built: Stage) -> None:
    began = time.monotonic()
    while time.monotonic() - began < START_LIMIT:
        built._check_children()
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(url, timeout=5).ok:
                return
        time.sleep(0.1)
    raise OutageNotifyError(f"{url} did not answer.", f"See {built.rt.settings.state_dir}/demo.log.")


def _stop(children: list[subprocess.Popen[bytes]]) -> None:
    for child in reversed(children):
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
    for child in children:
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait(5)
