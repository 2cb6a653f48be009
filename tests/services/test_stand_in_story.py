"""A second provider stands in while the first one fails, and steps back when it works again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from channels.model import Channel
from channels.simulator import Simulator
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.errors import SettingsError
from outage_notify.services import doctor
from outage_notify.services.measure_engine import measure
from outage_notify.services.stand_in import TROUBLES
from outage_notify.store.delivery_tables import Attempt
from outage_notify.store.work_tables import Task
from tests.factories.world import World, world
from tests.servers.process import free_port

S = DeliveryState
SECOND = "AC" + "2" * 32


class Pair:
    """A world with two providers: `city.simulator` and `other`."""

    def __init__(self, city: World, other: Simulator) -> None:
        self.city, self.other = city, other

    def script_second(self, *rules: dict[str, Any]) -> None:
        self.other.load_script({"seed": 1, "rules": list(rules)})

    def work(self) -> int:
        sent = self.city.work()
        assert self.other.settle()
        return sent

    def minute(self) -> None:
        """The clock goes on, the senders that are down are asked."""
        self.city.pass_time(seconds=61)
        self.city.reconcile()
        self.work()

    def counts(self) -> tuple[int, int]:
        """Texts that reached somebody by the first and by the second provider."""
        assert self.other.settle()
        return len(self.city.ledger(channel="sms")), len(self.other.ledger.entries("sms"))

    def senders(self) -> list[str]:
        return [one.sender for one in self.city.deliveries() if one.notice.kind == "SEVEN_DAY"]

    def told_once(self, homes: list[str]) -> None:
        got = [one["to"] for one in self.city.ledger() + self.other.ledger.entries()]
        assert sorted(got) == sorted(self.city.address(one, Channel.SMS) for one in homes)


@contextmanager
def two(url: str, folder: Path, **more: str) -> Iterator[Pair]:
    port = free_port()
    token = "of-the-second"
    settings = {
        "SECOND_TWILIO_ACCOUNT_SID": SECOND,
        "SECOND_TWILIO_AUTH_TOKEN": token,
        "SECOND_TWILIO_FROM": "+15005550007",
        "SECOND_TWILIO_API_BASE": f"http://127.0.0.1:{port}",
        "SECOND_SMS_PER_SECOND": "500",
    }
    with world(url, folder, **{**settings, **more}) as city:
        other = Simulator(port, 0, folder / "second", SECOND, token, now=city.now)
        other.start()
        try:
            yield Pair(city, other)
        finally:
            other.stop()


@pytest.fixture
def pair(migrated_sqlite_copy: str, tmp_path: Path) -> Iterator[Pair]:
    with two(migrated_sqlite_copy, tmp_path) as made:
        yield made


def wave(pair: Pair, people: int = 20) -> list[str]:
    homes = [pair.city.customer() for _ in range(people)]
    pair.city.approved()
    pair.city.turn_to(pair.city.monday + timedelta(days=2, minutes=1))
    return homes


def sender_tasks(city: World) -> list[tuple[str, bool]]:
    """(note, done) of each alarm about a sender."""
    with city.rt.database.read() as session:
        rows = session.scalars(select(Task).where(Task.dedupe.startswith("sender:")).order_by(Task.id))
        return [(one.note, one.done_at is not None) for one in rows]


def down(city: World) -> bool:
    return not doctor.examine(city.rt)["senders"].ok


def test_while_all_is_well_the_second_one_has_nothing_to_do(pair: Pair) -> None:
    homes = wave(pair)
    pair.work()
    assert pair.counts() == (20, 0)
    assert set(pair.senders()) == {"twilio-sms"}
    pair.told_once(homes)
    assert not down(pair.city)


def test_wrong_credentials_send_everybody_by_the_second_and_back_again(pair: Pair) -> None:
    homes = wave(pair)
    pair.city.script({"channel": "sms", "do": {"api": "reject", "code": 20003}})
    pair.work()
    assert pair.counts() == (0, 20)
    assert set(pair.senders()) == {"twilio-sms-2"}
    pair.told_once(homes)
    assert down(pair.city)
    pair.city.pass_time(seconds=30)
    failing = {gauge.name: gauge.values for gauge in measure(pair.city.rt)}[
        "outage_notify_sender_down_seconds"
    ]
    by_name = {dict(names)["sender"]: seconds for names, seconds in failing.items()}
    assert by_name["twilio-sms"] >= 30 and by_name["twilio-sms-2"] == 0
    ((note, done),) = sender_tasks(pair.city)
    assert not done and "twilio-sms-2 stands in" in note and "20003" in note
    # It works again: one message of the next wave tries it, the others follow in the next claim.
    pair.city.script()
    pair.city.turn_to(pair.city.monday + timedelta(days=9, minutes=1))
    pair.city.reconcile()
    pair.work()
    first, second = pair.counts()
    assert first + second == 40 and first >= 1
    assert [done for _, done in sender_tasks(pair.city)] == [True]
    assert not down(pair.city)


def test_what_is_tried_first_is_nobody_important(pair: Pair) -> None:
    lung = pair.city.customer(life_support=True, voice=None, email=None)
    homes = wave(pair, 3)
    pair.city.script({"channel": "sms", "times": 1, "do": {"api": "reject", "code": 20003}})
    pair.work()
    pair.city.turn_to(pair.city.monday + timedelta(days=9, minutes=1))
    pair.city.script({"channel": "sms", "times": 1, "do": {"api": "dropped"}})
    pair.city.reconcile()
    pair.work()
    by_state = {one.id: one.state for one in pair.city.deliveries(lung)}
    assert S.IN_DOUBT not in by_state.values()
    assert S.IN_DOUBT in {one.state for home in homes for one in pair.city.deliveries(home)}


def test_a_provider_that_gives_no_answers_is_left_after_a_few_and_asked_about_those(pair: Pair) -> None:
    homes = wave(pair, 40)
    # It takes them and says 500: whoever sends these again by the second provider tells people twice.
    pair.city.script({"channel": "sms", "do": {"api": "500-taken", "callback_drop": True}})
    pair.work()
    first, second = pair.counts()
    assert first + second == 40
    # Not many more than are on their way at the same time.
    assert TROUBLES <= first <= TROUBLES + pair.city.rt.settings.send_threads
    assert pair.city.states()[S.IN_DOUBT] == first
    assert "no proper answers" in sender_tasks(pair.city)[0][0]
    pair.city.pass_time(seconds=151)
    assert pair.city.reconcile().found == first
    assert S.IN_DOUBT not in pair.city.states()
    pair.told_once(homes)


def test_what_never_arrived_goes_out_by_whoever_carries_then(pair: Pair) -> None:
    homes = wave(pair, 12)
    pair.city.script({"channel": "sms", "do": {"api": "500"}})
    pair.work()
    for _ in range(9):
        pair.minute()
    assert pair.counts() == (0, 12)
    pair.told_once(homes)


def test_a_trial_that_fails_leaves_the_second_one_in_charge(pair: Pair) -> None:
    homes = wave(pair, 12)
    pair.city.script({"channel": "sms", "do": {"api": "500"}})
    pair.work()
    # Its account answers, so one message tries it now and then; it still fails.
    for _ in range(8):
        pair.minute()
    assert len(sender_tasks(pair.city)) == 1
    assert down(pair.city)
    with pair.city.rt.database.read() as session:
        tried = session.query(Attempt).filter(Attempt.sender == "twilio-sms").count()
    assert TROUBLES < tried <= TROUBLES + pair.city.rt.settings.send_threads + 4
    for _ in range(4):
        pair.minute()
    pair.told_once(homes)


def test_asked_to_wait_is_no_failure(pair: Pair) -> None:
    wave(pair, 20)
    pair.city.script({"channel": "sms", "times": 1, "do": {"api": "429", "retry_after": 20}})
    pair.work()
    assert pair.counts()[1] == 0
    assert sender_tasks(pair.city) == []


def test_a_report_of_the_second_one_is_believed_by_its_own_signature(pair: Pair) -> None:
    wave(pair, 3)
    pair.city.script({"channel": "sms", "do": {"api": "reject", "code": 20003}})
    pair.work()
    assert [one.state for one in pair.city.deliveries() if one.sender] == [S.DELIVERED] * 3
    assert pair.other.health()["webhooks"]["failed"] == 0


def test_when_both_fail_the_rows_wait_and_nothing_is_burnt(pair: Pair) -> None:
    homes = wave(pair, 15)
    for script in (pair.city.script, pair.script_second):
        script({"channel": "sms", "do": {"api": "reject", "code": 20003}})
    pair.work()
    assert pair.counts() == (0, 0)
    assert pair.city.states() == {S.READY: 30}
    pair.city.script()
    pair.script_second()
    for _ in range(12):
        pair.minute()
    pair.told_once(homes)


def test_each_channel_has_a_line_of_its_own(pair: Pair) -> None:
    names = {channel: [one.name for one in pair.city.rt.line(channel)] for channel in pair.city.rt.senders}
    assert names == {
        Channel.SMS: ["twilio-sms", "twilio-sms-2"],
        Channel.VOICE: ["twilio-voice", "twilio-voice-2"],
        Channel.EMAIL: ["smtp"],
    }


def test_the_settings_may_turn_the_order_round(migrated_sqlite_copy: str, tmp_path: Path) -> None:
    with two(migrated_sqlite_copy, tmp_path, SMS_SENDERS="twilio-sms-2, twilio-sms") as pair:
        wave(pair, 5)
        pair.work()
        assert pair.counts() == (0, 5)


def test_a_sender_that_is_not_there_is_named(migrated_sqlite_copy: str, tmp_path: Path) -> None:
    with (
        two(migrated_sqlite_copy, tmp_path, SMS_SENDERS="pigeons") as pair,
        pytest.raises(SettingsError, match=r"'pigeons'.*twilio-sms, twilio-sms-2"),
    ):
        _ = pair.city.rt.senders
