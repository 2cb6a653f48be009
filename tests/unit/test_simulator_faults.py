"""Late, repeated, reversed and missing callbacks, shares, restarts: what a provider does on bad days."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from channels.model import Channel, Language, Message, OutcomeKind
from channels.simulator.script import Rule, Script, ScriptError
from channels.sms import TwilioSms
from channels.twilio_client import build_client
from fakes.simulation import OURS, Simulation, simulation

ADA = "+447700900101"
BOB = "+447700900102"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Simulation]:
    with simulation(tmp_path) as running:
        yield running


def told(world: Simulation) -> list[str]:
    world.ledger()
    return [form["MessageStatus"] for form in world.hook.forms("/status")]


def test_late_callbacks_come_when_the_clock_is_turned(world: Simulation) -> None:
    world.script({"do": "late_callbacks"})
    world.sms.send(world.text(ADA))
    assert len(world.ledger()) == 1
    assert told(world) == []
    world.clock.turn(59)
    assert world.simulator.health()["waiting"] == 1
    world.clock.turn(2)
    while world.simulator.health()["waiting"]:
        pass
    assert told(world) == ["sent", "delivered"]


@pytest.mark.parametrize(
    ("preset", "statuses"),
    [
        ("repeated_callbacks", ["sent", "sent", "delivered", "delivered"]),
        ("reversed_callbacks", ["delivered", "sent"]),
        ("no_callbacks", []),
        ("no_receipt", ["sent"]),
        ("stuck", []),
        (["reversed_callbacks", "repeated_callbacks"], ["delivered", "delivered", "sent", "sent"]),
    ],
)
def test_callbacks_as_scripted(world: Simulation, preset: object, statuses: list[str]) -> None:
    world.script({"do": preset})
    world.sms.send(world.text(ADA))
    assert told(world) == statuses


def test_a_failed_callback_is_counted(world: Simulation) -> None:
    world.hook.status = 503
    world.sms.send(world.text(ADA))
    assert told(world) == ["sent", "delivered"]
    assert world.simulator.health()["webhooks"] == {"sent": 0, "failed": 2, "last_failure": "HTTP 503"}


def test_rules_merge_and_the_first_wins() -> None:
    script = Script()
    script.load({"rules": [{"to": ADA, "do": "dead_number"}, {"do": ["lost_answer", {"error_code": 1}]}]})
    ada, bob = script.draw("sms", ADA), script.draw("sms", BOB)
    assert (ada.outcome, ada.error_code, ada.api) == ("undelivered", 30005, "lost")
    assert (bob.outcome, bob.error_code, bob.api) == ("", 1, "lost")


def test_shares_are_kept_and_do_not_depend_on_order() -> None:
    numbers = [f"+4477009{n:05d}" for n in range(3000)]

    def lost(order: list[str]) -> set[str]:
        script = Script()
        script.load({"seed": 4, "rules": [{"share": 0.03, "do": "lost_answer"}]})
        return {to for to in order if script.draw("sms", to).api == "lost"}

    first = lost(numbers)
    assert first == lost(numbers[::-1])
    assert 50 < len(first) < 130


def test_a_rule_can_strike_a_number_of_times() -> None:
    script = Script()
    script.load({"rules": [{"times": 2, "do": "server_error"}]})
    assert [script.draw("sms", ADA).api for _ in range(4)] == ["500", "500", "ok", "ok"]


@pytest.mark.parametrize(
    "rule",
    [
        {"do": "no_such_preset"},
        {"do": {"apu": "lost"}},
        {"do": {"api": "maybe"}},
        {"chanel": "sms"},
        {"channel": "pigeon"},
        {"share": 2},
        "dead_number",
        {"do": 3},
    ],
)
def test_a_script_with_an_error_is_refused_whole(world: Simulation, rule: object) -> None:
    with pytest.raises(ScriptError):
        Rule.parse(rule)
    world.script({"do": "dead_number"})
    assert "error" in world.post("script", {"rules": [{"do": "ok"}, rule]})
    assert world.simulator.script.draw("sms", ADA).outcome == "undelivered"


def test_after_a_restart_everything_is_still_known(world: Simulation) -> None:
    world.script({"to": BOB, "do": {"delay": 100}}, {"channel": "email", "do": "ok"})
    first = world.sms.send(world.text(ADA)).provider_id
    later = world.sms.send(world.text(BOB)).provider_id
    assert [entry["provider_id"] for entry in world.ledger()] == [first]
    world.simulator.stop()
    world.start()
    assert [entry["provider_id"] for entry in world.ledger()] == [first]
    found = world.sms.find(world.text(BOB), world.clock.time, frozenset())
    assert found is not None and [one.provider_id for one in found] == [later]
    world.clock.turn(101)
    while world.simulator.health()["waiting"]:
        pass
    assert [entry["provider_id"] for entry in world.ledger()] == [first, later]
    assert world.simulator.script.draw("sms", BOB).delay == 100
    assert [entry["seq"] for entry in world.ledger()] == [1, 2]


def test_reset_forgets(world: Simulation) -> None:
    world.script({"do": "no_callbacks"})
    world.sms.send(world.text(ADA))
    world.ledger()
    assert world.post("reset", {}) == {"ok": True}
    assert world.ledger() == [] and world.simulator.health()["messages"] == 0
    assert not world.simulator.script.draw("sms", ADA).callback_drop


def test_killed_in_the_middle_it_loses_nothing_that_it_took(tmp_path: Path) -> None:
    """A process of its own, SIGKILL under load: what was accepted is reached once, after a restart at the latest."""
    account = "AC" + "0" * 32

    def start() -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "channels.simulator", str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        return process, str(json.loads(process.stdout.readline())["url"])

    def send(number: int) -> str:
        reference = f"R{number:04d}"
        message = Message(number, Channel.SMS, ADA, reference, Language.EN, text=f"Ref {reference}.")
        outcome = sms.send(message)
        if number == 150:
            process.kill()
        return outcome.provider_id if outcome.kind is OutcomeKind.ACCEPTED else ""

    process, url = start()
    sms = TwilioSms(build_client(account, "simulated", api_base=url), OURS)
    with ThreadPoolExecutor(8) as pool:
        accepted = {sid for sid in pool.map(send, range(300)) if sid}
    process.communicate()
    assert 100 < len(accepted) < 300
    process, url = start()
    try:
        while requests.get(f"{url}/simulator/health", timeout=5).json()["running"]:
            pass
        entries = requests.get(f"{url}/simulator/ledger", timeout=5).json()["entries"]
    finally:
        process.terminate()
        assert process.wait(10) == 0
        assert process.stdout is not None
        process.stdout.close()
    reached = Counter(entry["provider_id"] for entry in entries)
    assert accepted <= set(reached)
    assert set(reached.values()) == {1}
    assert datetime.fromisoformat(entries[0]["reached_at"]).tzinfo == UTC


def test_the_list_has_pages_and_dates(world: Simulation) -> None:
    for number in range(5):
        world.sms.send(world.text(ADA, f"R{number}"))
        world.ledger()
        world.clock.turn(86_400)
    client = world.sms._client
    bodies = [one.body for one in client.messages.list(to=ADA, page_size=2)]
    assert [body[-3:] for body in bodies] == ["R4.", "R3.", "R2.", "R1.", "R0."]
    since = datetime(2026, 4, 20, 9, 0, tzinfo=UTC)
    assert len(client.messages.list(to=ADA, date_sent_after=since)) == 2
    assert len(client.messages.list(to=ADA, date_sent_before=since)) == 4
    assert client.messages.list(to=BOB) == []


def test_a_provider_that_is_down_answers_no_question_either(world: Simulation) -> None:
    sid = world.sms.send(world.text("+447700900101")).provider_id
    world.post("script", {"questions": "server_error", "rules": []})
    assert world.sms.fetch(sid) is None
    assert world.sms.find(world.text("+447700900101"), world.clock(), frozenset()) is None
    assert world.sms.check() != ""
    # What is added says nothing of questions, so they stay as they are, over a restart too.
    world.post("script", {"append": True, "rules": [{"do": "rate_limited"}]})
    world.simulator.stop()
    world.start()
    assert world.sms.fetch(sid) is None
    world.post("script", {"rules": []})
    assert world.sms.fetch(sid) is not None
