"""Work that is called off, and the day itself: who hears what, and who nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from channels.model import Channel
from outage_notify.domain.audience import Tier
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.errors import IllegalMove, InvalidInput
from outage_notify.services import run_outage, start_gate
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.people_tables import ContactPoint
from tests.factories.world import World

S = DeliveryState
GRACE = timedelta(seconds=151)


def kinds(city: World, customer: str) -> list[str]:
    """What a customer was or will be told, without what was withdrawn."""
    return [kind for kind, _, state in city.story(customer) if state != "WITHDRAWN"]


# Calling off


def test_called_off_in_mid_wave_tells_those_told_and_nobody_else(city: World) -> None:
    told, untold = city.customer(), city.customer()
    reference = city.approved()
    for one in city.deliveries(untold):
        city.change(Delivery, one.id, lambda row: setattr(row, "due_at", city.monday + timedelta(days=5)))
    city.first_wave()
    run_outage.cancel(city.rt, "petra", reference, "the crew is ill")
    city.pass_time(days=6)
    city.work()
    city.work()
    assert kinds(city, told) == ["SEVEN_DAY", "CANCELLED"]
    assert kinds(city, untold) == []
    assert len(city.ledger(city.address(told, Channel.SMS))) == 2


@pytest.mark.parametrize("taken", [True, False])
def test_who_was_in_doubt_hears_of_the_calling_off_only_if_told(city: World, taken: bool) -> None:
    home = city.customer()
    city.script({"times": 1, "do": {"api": "lost" if taken else "dropped", "callback_drop": True}})
    reference = city.approved()
    city.first_wave()
    run_outage.cancel(city.rt, "petra", reference, "the crew is ill")
    for _ in range(2):
        city.turn_to(city.now() + GRACE)
        city.reconcile()
    city.work()
    assert kinds(city, home) == (["SEVEN_DAY", "CANCELLED"] if taken else [])


def test_a_doubt_about_a_revision_that_was_called_off_announces_nothing_any_more(city: World) -> None:
    home, other = city.customer(), city.customer()
    city.script(
        {"to": city.address(home, Channel.SMS), "times": 1, "do": {"api": "lost", "callback_drop": True}}
    )
    reference = city.approved()
    city.first_wave()
    city.revised(reference, days=12)
    city.work()
    run_outage.cancel(city.rt, "petra", reference, "the crew is ill")
    for _ in range(2):
        city.turn_to(city.now() + GRACE)
        city.reconcile()
        city.work()
    assert kinds(city, home) == ["SEVEN_DAY", "CANCELLED"]
    assert kinds(city, other) == ["SEVEN_DAY", "CHANGED", "CANCELLED"]


def test_who_can_not_be_reached_the_old_way_hears_of_it_another_way(city: World) -> None:
    home = city.customer()
    reference = city.approved()
    city.first_wave()
    contact = city.contact(home, Channel.SMS)
    city.change(ContactPoint, contact.id, lambda one: setattr(one, "bad_at", city.monday))
    run_outage.cancel(city.rt, "petra", reference, "the crew is ill")
    city.work()
    assert city.story(home)[-1] == ("CANCELLED", "voice", "DELIVERED")


# The day itself


@pytest.fixture
def day(city: World) -> tuple[World, str, str, str]:
    """The morning of the work: everybody was told twice."""
    home, works = city.customer(), city.customer(tier=Tier.FIRST)
    reference = city.approved()
    city.first_wave()
    city.turn_to(city.monday + timedelta(days=9))
    city.work()
    city.turn_to(city.monday + timedelta(days=10, minutes=1))
    start_gate.decide(city.rt, "anton", reference, "the crew stands ready")
    return city, reference, home, works


def test_start_overrun_and_end_are_told_to_those_told(day: tuple[World, str, str, str]) -> None:
    city, reference, home, works = day
    run_outage.start(city.rt, "petra", reference)
    city.work()
    run_outage.overrun(city.rt, "petra", reference, city.monday + timedelta(days=10, hours=6))
    city.work()
    run_outage.complete(city.rt, "petra", reference)
    city.work()
    # STARTED goes to key customers alone, by the policy.
    assert kinds(city, home) == ["SEVEN_DAY", "DAY_AHEAD", "OVERRUN", "RESTORED"]
    assert [kind for kind, channel, _ in city.story(works) if channel == "sms"] == [
        "SEVEN_DAY",
        "DAY_AHEAD",
        "STARTED",
        "OVERRUN",
        "RESTORED",
    ]
    assert city.signatures(works) == ["UNREACHED"]
    assert len(city.ledger(city.address(home, Channel.SMS))) == 4


def test_it_does_not_start_before_the_announced_time(city: World) -> None:
    city.customer()
    reference = city.approved()
    with pytest.raises(IllegalMove, match="can't start before"):
        run_outage.start(city.rt, "petra", reference)


def test_two_overruns_are_two_pieces_of_news(day: tuple[World, str, str, str]) -> None:
    city, reference, home, _ = day
    run_outage.start(city.rt, "petra", reference)
    for hours in (6, 8):
        run_outage.overrun(city.rt, "petra", reference, city.monday + timedelta(days=10, hours=hours))
        city.work()
    with pytest.raises(InvalidInput):
        run_outage.overrun(city.rt, "petra", reference, city.monday)
    assert kinds(city, home) == ["SEVEN_DAY", "DAY_AHEAD", "OVERRUN", "OVERRUN"]


def test_early_restoration_goes_by_each_way_that_had_reached_somebody_and_to_nobody_else(
    city: World,
) -> None:
    both, called, untold = city.customer(vulnerable=True), city.customer(), city.customer()
    city.script({"to": city.address(called, Channel.SMS), "do": "dead_number"})
    reference = city.approved()
    for one in city.deliveries(untold):
        city.change(Delivery, one.id, lambda row: setattr(row, "due_at", city.monday + timedelta(days=11)))
    city.first_wave()
    city.reconcile()
    city.work()
    city.turn_to(city.monday + timedelta(days=10, minutes=1))
    before = city.reached()
    assert city.address(untold, Channel.SMS) not in [to for _, to in before]
    run_outage.start(city.rt, "petra", reference)
    city.pass_time(hours=1)
    # Three hours before the end that was announced.
    run_outage.complete(city.rt, "petra", reference)
    city.work()
    assert sorted(city.reached()[len(before) :]) == sorted(
        [
            ("sms", city.address(both, Channel.SMS)),
            ("voice", city.address(both, Channel.VOICE)),
            ("voice", city.address(called, Channel.VOICE)),
        ]
    )
    assert kinds(city, untold) == []


def test_news_that_failed_is_not_told_when_it_is_over(day: tuple[World, str, str, str]) -> None:
    city, reference, home, _ = day
    run_outage.start(city.rt, "petra", reference)
    city.script({"channel": "sms", "do": {"outcome": "undelivered", "error_code": 30003}})
    run_outage.overrun(city.rt, "petra", reference, city.monday + timedelta(days=10, hours=6))
    city.work()
    run_outage.complete(city.rt, "petra", reference)
    city.reconcile()
    city.work()
    assert ("OVERRUN", "voice") not in [(kind, channel) for kind, channel, _ in city.story(home)]


def test_news_at_night_goes_by_text_at_once_while_a_call_waits_for_the_morning(city: World) -> None:
    text, call = city.customer(), city.customer(sms=None)
    works = city.customer(tier=Tier.FIRST, sms=None, email=None)
    city.script({"channel": "voice", "do": "press:1"})
    reference = city.approved(hours=30)
    city.first_wave()
    city.turn_to(city.monday + timedelta(days=10, minutes=1))
    run_outage.start(city.rt, "petra", reference)
    city.turn_to(city.monday + timedelta(days=10, hours=13))
    city.work()
    before = len(city.reached())
    run_outage.complete(city.rt, "petra", reference)
    city.work()
    assert sorted(city.reached()[before:]) == sorted(
        [("sms", city.address(text, Channel.SMS)), ("voice", city.address(works, Channel.VOICE))]
    )
    city.turn_to(city.monday + timedelta(days=10, hours=22, minutes=1))
    city.work()
    assert city.story(call)[-1] == ("RESTORED", "voice", "DELIVERED")


def test_a_text_that_fails_at_night_wakes_nobody_by_a_call(day: tuple[World, str, str, str]) -> None:
    city, reference, home, _ = day
    run_outage.start(city.rt, "petra", reference)
    city.turn_to(city.monday + timedelta(days=10, hours=13))
    city.script({"to": city.address(home, Channel.SMS), "do": "dead_number"})
    run_outage.complete(city.rt, "petra", reference)
    city.work()
    city.reconcile()
    city.work()
    assert city.story(home)[-1] == ("RESTORED", "voice", "READY")
    city.turn_to(city.monday + timedelta(days=10, hours=22, minutes=1))
    city.work()
    assert city.story(home)[-1] == ("RESTORED", "voice", "DELIVERED")
