"""Calls: what a person, a machine and nobody make of them, and what a pressed key proves."""

from __future__ import annotations

from datetime import timedelta

from channels.model import Channel
from outage_notify.domain.audience import Tier
from tests.factories.world import World


def test_a_household_that_listened_was_told(city: World) -> None:
    home = city.customer(sms=None)
    city.approved()
    city.first_wave()
    assert city.story(home)[0] == ("SEVEN_DAY", "voice", "DELIVERED")
    (call,) = city.ledger()
    assert "1 River Road" in call["text"]
    assert call["problem"] == ""


def test_a_pressed_key_of_a_key_customer_is_proof_and_signature(city: World) -> None:
    works = city.customer(tier=Tier.FIRST, sms=None, email=None)
    city.script({"channel": "voice", "do": "press:1"})
    reference = city.approved()
    city.first_wave()
    assert city.story(works)[0] == ("SEVEN_DAY", "voice", "DELIVERED")
    assert city.signatures(works) == ["ACKNOWLEDGED"]
    assert city.deliveries(works)[0].digits == "1"
    city.reconcile()
    assert city.reached() == [("voice", city.address(works, Channel.VOICE))]
    assert reference


def test_a_key_that_means_nothing_signs_nothing(city: World) -> None:
    works = city.customer(tier=Tier.FIRST, sms=None, email=None)
    city.script({"channel": "voice", "do": "press:7,8"})
    city.approved()
    city.first_wave()
    assert city.signatures(works) == ["REQUESTED"]
    assert city.story(works)[0] == ("SEVEN_DAY", "voice", "FAILED")


def test_without_a_key_a_key_customer_is_tried_further_up(city: World) -> None:
    works = city.customer(tier=Tier.FIRST, sms=None, email=None, backup="+862188888888")
    city.script({"channel": "voice", "do": "no_key"})
    city.approved()
    city.first_wave()
    assert city.deliveries(works)[0].code == "no_key"
    city.reconcile()
    city.work()
    assert ("sms", "+862188888888") in city.reached()


def test_a_machine_is_nobody(city: World) -> None:
    home = city.customer(sms=None)
    city.script({"channel": "voice", "do": "machine"})
    city.approved()
    city.first_wave()
    assert city.story(home)[0] == ("SEVEN_DAY", "voice", "FAILED")
    city.reconcile()
    city.work()
    assert city.reached() == [("email", city.address(home, Channel.EMAIL))]
    # Nobody was at home; the number is as good as before.
    assert city.contact(home, Channel.VOICE).usable


def test_vulnerable_people_are_called_beside_the_text(city: World) -> None:
    home = city.customer(vulnerable=True)
    city.approved()
    city.first_wave()
    assert sorted(channel for channel, _ in city.reached()) == ["sms", "voice"]
    assert [state for kind, _, state in city.story(home) if kind == "SEVEN_DAY"] == ["DELIVERED"] * 2


def test_life_support_goes_first(city: World) -> None:
    homes = [city.customer(voice=None, email=None) for _ in range(5)]
    lung = city.customer(life_support=True, voice=None, email=None)
    city.script({"do": {"api": "429", "retry_after": 1}})
    city.approved()
    city.first_wave()
    tried = [one.id for one in city.deliveries() if one.tries]
    assert city.deliveries(lung)[0].id in tried
    assert city.deliveries(lung)[0].priority < city.deliveries(homes[0])[0].priority


def test_nobody_is_called_at_night_when_a_sender_was_held(city: World) -> None:
    home = city.customer(sms=None, email=None)
    city.approved()
    # Nothing was sent all day; at eleven in the evening the worker comes back.
    city.turn_to(city.monday + timedelta(days=2, hours=13))
    assert city.work() == 0
    city.turn_to(city.monday + timedelta(days=2, hours=22, minutes=1))
    assert city.work() == 1
    assert city.story(home)[0] == ("SEVEN_DAY", "voice", "DELIVERED")
