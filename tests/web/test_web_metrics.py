"""/metrics says how the engine is, to whoever has the token."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from outage_notify.store import migrate
from outage_notify.store.database import Database
from outage_notify.store.delivery_tables import Delivery
from outage_notify.web import create_app
from tests.factories.world import World, world


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (one.name, frozenset(one.labels.items())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def made(folder: Path, name: str) -> str:
    url = f"sqlite:///{folder / name}"
    database = Database(url)
    migrate.ensure(database)
    database.close()
    return url


def read(city: World, token: str | None) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    answer = create_app(city.rt).test_client().get("/metrics", headers=headers)
    return answer.status_code, answer.text


def test_the_state_of_the_outbox_is_told_without_a_word_about_people(tmp_path: Path) -> None:
    with world(made(tmp_path, "m.db"), tmp_path, METRICS_TOKEN="secret") as city:
        home = city.customer()
        city.approved()
        city.first_wave()
        status, text = read(city, "secret")
        assert status == 200
        found = samples(text)
        states = {("channel", "sms"), ("state", "DELIVERED")}
        assert found["outage_notify_deliveries", frozenset(states)] == 1
        calls = {("sender", "twilio-sms"), ("outcome", "accepted")}
        assert found["outage_notify_calls_recent", frozenset(calls)] == 1
        assert found["outage_notify_in_doubt", frozenset()] == 0
        assert found["outage_notify_oldest_due_seconds", frozenset({("channel", "sms")})] == 0
        city.pass_time(hours=24 * 7)
        late = samples(read(city, "secret")[1])
        assert late["outage_notify_oldest_due_seconds", frozenset({("channel", "sms")})] > 60
        assert home not in text


def test_doubts_and_senders_are_told_with_their_rate(tmp_path: Path) -> None:
    sender = frozenset({("channel", "sms"), ("sender", "twilio-sms")})
    with world(made(tmp_path, "m.db"), tmp_path, METRICS_TOKEN="secret", SMS_PER_SECOND="7") as city:
        city.customer()
        city.script({"times": 1, "do": {"api": "dropped"}})
        city.approved()
        city.first_wave()
        city.pass_time(minutes=1)
        found = samples(read(city, "secret")[1])
        assert found["outage_notify_in_doubt", frozenset()] == 1
        assert found["outage_notify_oldest_doubt_seconds", frozenset()] >= 60
        lost = frozenset({("sender", "twilio-sms"), ("outcome", "unknown")})
        assert found["outage_notify_calls_recent", lost] == 1
        assert found["outage_notify_sender_limit_per_second", sender] == 7
        assert found["outage_notify_sender_down_seconds", sender] == 0
        city.customer()
        city.script({"channel": "sms", "do": {"api": "reject", "code": 20003}})
        city.approved(days=12)
        city.turn_to(city.monday + timedelta(days=4, minutes=1))
        city.work()
        city.pass_time(minutes=1)
        found = samples(read(city, "secret")[1])
        assert found["outage_notify_sender_down_seconds", sender] >= 60
        assert found["outage_notify_sender_held_seconds", sender] > 60


def test_the_heartbeat_is_as_old_as_the_last_audit_that_holds(tmp_path: Path) -> None:
    def ages(city: World) -> dict[str, float]:
        found = samples(read(city, "secret")[1])
        names = ("heartbeat_age_seconds", "audit_age_seconds", "untold", "told_twice")
        return {
            name: found[key] for name in names if (key := (f"outage_notify_{name}", frozenset())) in found
        }

    with world(made(tmp_path, "m.db"), tmp_path, METRICS_TOKEN="secret") as city:
        home = city.customer()
        city.approved()
        assert ages(city) == {}
        assert city.reconcile().holds
        fresh = ages(city)
        assert fresh["heartbeat_age_seconds"] == fresh["audit_age_seconds"] < 60
        assert (fresh["untold"], fresh["told_twice"]) == (0, 0)
        city.change(Delivery, city.deliveries(home)[0].id, lambda one: setattr(one, "state", "WITHDRAWN"))
        city.pass_time(minutes=5)
        assert not city.reconcile().holds
        late = ages(city)
        assert late["heartbeat_age_seconds"] >= 300 and late["audit_age_seconds"] < 60
        assert (late["untold"], late["told_twice"]) == (1, 0)


def test_without_the_token_nothing_is_told(tmp_path: Path) -> None:
    with world(made(tmp_path, "m.db"), tmp_path, METRICS_TOKEN="secret") as city:
        assert read(city, None)[0] == 401
        assert read(city, "secre")[0] == 401
    with world(made(tmp_path, "n.db"), tmp_path) as closed:
        assert read(closed, "")[0] == 404
