"""A wave with everything that can go wrong leaves a log in which nobody is found: no number, mailbox, name or place."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from sqlalchemy import select

from channels.model import Channel
from outage_notify import log_lines
from outage_notify.cli import main
from outage_notify.domain.audience import Tier
from outage_notify.services import run_outage
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.people_tables import ContactPoint, Customer, ServicePoint
from outage_notify.worker import tasks
from tests.factories.world import World

NAMES = [
    "Rosalind Secretive",
    "Quirinus Hidden",
    "张秘密",
    "Wilhelmina Unseen",
    "Ottoline Unknown",
    "Hieronymus Quiet",
]


@pytest.fixture(autouse=True)
def as_a_process_logs() -> Iterator[None]:
    root = logging.getLogger()
    before = list(root.handlers)
    log_lines.configure()
    log_lines.hear_others()
    yield
    root.handlers[:] = before


def personal(city: World) -> set[str]:
    """What must not be found: addresses whole and without their first signs, names, places, the texts themselves."""
    with city.rt.database.read() as session:
        addresses = set(session.scalars(select(ContactPoint.address)))
        names = {name for name in session.scalars(select(Customer.name)) if name}
        places = {place for place in session.scalars(select(ServicePoint.place)) if place}
    texts = {line for one in city.ledger() for line in str(one["text"]).splitlines() if len(line) > 20}
    return addresses | {one.removeprefix("+86") for one in addresses} | names | places | texts


def ring(city: World, bell: str) -> None:
    """As the worker does it: what the work raises is logged by whoever rang."""
    try:
        tasks.bells_of(city.rt, []).ring(bell)
    except Exception as error:
        said: dict[str, Any] = {"name": bell, "exc": error}
        logging.getLogger("celery.app.trace").error("Task %(name)s raised: %(exc)s", said, exc_info=True)


def a_hard_life(city: World) -> list[str]:
    """A wave in which everything goes wrong that can, answers of customers, a change, and the questions afterwards."""
    homes = [city.customer(name=name, places=[f"{number} Secret Alley"]) for number, name in enumerate(NAMES)]
    homes.append(city.customer(name="Ignatius Mute", sms=None, voice=None))
    key = city.customer(name="Silent Works Ltd", tier=Tier.FIRST)
    number = [city.address(one, Channel.SMS) for one in homes[:6]]
    city.script(
        {"to": number[0], "do": "dead_number"},
        {"to": number[1], "do": {"api": "lost", "callback_drop": True}},
        {"to": number[2], "do": "invalid_number"},
        {"to": number[3], "times": 1, "do": {"api": "429", "retry_after": 5}},
        {"to": number[4], "times": 1, "do": {"api": "reject", "code": 20003}},
        {"channel": "email", "do": "bad_mailbox"},
        {"channel": "voice", "do": "no_answer"},
    )
    reference = city.approved()
    # There is no such revision: its text can't be made.
    city.change(Delivery, city.deliveries(homes[5])[0].id, lambda one: setattr(one, "revision", 9))
    city.turn_to(city.monday + timedelta(days=2, minutes=1))
    for _ in range(4):
        ring(city, "send")
        assert city.simulator.settle()
        ring(city, "reconcile")
        city.pass_time(minutes=11)
    sender = {"from": number[3], "body": f"不是我, I am {NAMES[3]}, call {number[3]}"}
    requests.post(f"{city.rt.settings.twilio_api_base}/simulator/reply", json=sender, timeout=10)
    city.post("/webhooks/twilio/status/sms", {"MessageSid": "SM1", "To": number[0], "MessageStatus": "sent"})
    assert city.simulator.settle()
    run_outage.cancel(city.rt, "petra", reference, f"{NAMES[0]} is ill")
    ring(city, "send")
    return [reference, *homes, key]


def test_nobody_is_found_in_the_log(
    city: World,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    # The simulated mail server's own log is none of the product's.
    monkeypatch.setattr(logging.getLogger("mail.log"), "disabled", True)
    with caplog.at_level(logging.INFO):
        reference, *customers = a_hard_life(city)
        # A defect at the worst place, with words that quote what it could not take.
        sender = city.rt.senders[Channel.VOICE]
        monkeypatch.setattr(sender, "send", defect_with(city.address(customers[0], Channel.VOICE)))
        home = city.customer(name="Perpetua Last", sms=None, email=None)
        city.approved(days=12)
        city.turn_to(city.monday + timedelta(days=4, minutes=1))
        ring(city, "send")
        for name, value in city.rt.settings.as_environment().items():
            monkeypatch.setenv(name, value)
        for command in (
            ["reconcile"],
            ["reconcile", "--report"],
            ["explain", "--outage", reference, "--customer", home],
        ):
            main(command)
    out, err = capfd.readouterr()
    # All that was logged, also what no handler of ours has written.
    others = [one for one in caplog.records if not one.exc_info]
    everything = [
        *out.splitlines(),
        *err.splitlines(),
        *(f"{one.name}: {one.getMessage()}" for one in others),
    ]
    events = [json.loads(line)["event"] for line in err.splitlines() if line.startswith("{")]
    for one in (
        "delivery settled",
        "sender stopped",
        "message can't be made",
        "Task %(name)s raised: %(exc)s",
    ):
        assert one in events, one
    assert [line for line in err.splitlines() if not line.startswith("{")] == []
    found = personal(city)
    assert {"张秘密", "Perpetua Last", "3 Secret Alley"} <= found and len(found) > 30
    assert [(one, line) for line in everything for one in found if one in line] == []


def defect_with(address: str) -> Callable[[object], object]:
    def send(message: object) -> object:
        raise ValueError(f"can't encode {address}: {message!r}")

    return send
