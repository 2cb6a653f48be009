"""A running simulator with the real clients in front of it and a clock to turn by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from channels.email import SmtpSender, SmtpServer
from channels.model import Channel, Language, Message
from channels.simulator import Simulator
from channels.sms import TwilioSms
from channels.twilio_client import build_client
from channels.voice import TwilioVoice
from fakes.webhooks import Hook

ACCOUNT = "AC" + "5" * 32
TOKEN = "token-of-the-simulator"
OURS = "+441632960000"


class HandClock:
    """Stands still until it is turned."""

    def __init__(self) -> None:
        self.time = datetime(2026, 4, 17, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def turn(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Simulation:
    """The simulator, the product's webhooks and the senders."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.clock = HandClock()
        self.hook = Hook()
        self.start()

    def start(self) -> None:
        """Start, or start again, in the same state."""
        self.simulator = Simulator(
            0,
            0,
            self.state,
            ACCOUNT,
            TOKEN,
            now=self.clock,
            webhook_inbound_url=f"{self.hook.url}/inbound",
            webhook_call_url=f"{self.hook.url}/inbound-call",
        )
        self.simulator.start()
        client = build_client(ACCOUNT, TOKEN, api_base=self.simulator.url, read_timeout=5)
        self.sms = TwilioSms(client, OURS)
        self.voice = TwilioVoice(client, OURS)
        server = SmtpServer.parse(self.simulator.smtp_url)
        self.email = SmtpSender(server, "Power <notice@example.com>", self.clock, timeout=5)

    def post(self, name: str, given: Any) -> Any:
        return requests.post(f"{self.simulator.url}/simulator/{name}", json=given, timeout=10).json()

    def script(self, *rules: dict[str, Any]) -> None:
        answer = requests.post(
            f"{self.simulator.url}/simulator/script", json={"seed": 1, "rules": list(rules)}, timeout=10
        )
        assert answer.status_code == 200, answer.text

    def ledger(self) -> list[dict[str, Any]]:
        """What reached whom, once nothing runs any more."""
        assert self.simulator.settle()
        answer = requests.get(f"{self.simulator.url}/simulator/ledger", timeout=10).json()
        return list(answer["entries"])

    def text(self, to: str, reference: str = "K7Q2", **more: Any) -> Message:
        return Message(
            1,
            Channel.SMS,
            to,
            reference,
            Language.EN,
            text=f"Power off on Friday. Ref {reference}.",
            callback_url=f"{self.hook.url}/status?d=1",
            **more,
        )

    def call(self, to: str, **more: Any) -> Message:
        return Message(
            2,
            Channel.VOICE,
            to,
            "K7Q2",
            Language.ZH,
            callback_url=f"{self.hook.url}/call-status",
            voice_url=f"{self.hook.url}/voice",
            **more,
        )

    def close(self) -> None:
        self.simulator.stop()
        self.hook.close()


@contextmanager
def simulation(state: Path) -> Iterator[Simulation]:
    running = Simulation(state)
    try:
        yield running
    finally:
        running.close()
