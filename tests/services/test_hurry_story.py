"""A channel that lets messages wait until their deadline is near: the next one carries them, nobody is told twice."""

from __future__ import annotations

from datetime import timedelta

from channels.model import Channel
from outage_notify.domain.delivery import DeliveryState
from outage_notify.services import hold_sender
from outage_notify.services.explain import explain
from tests.factories.world import World

S = DeliveryState
REFUSED = {"channel": "sms", "do": {"api": "reject", "code": 20003}}


def near_the_deadline(city: World) -> None:
    """The seven-day notice of a start ten days ahead is due on the third day at ten."""
    city.turn_to(city.monday + timedelta(days=3, minutes=-50))


def states(city: World, customer: str) -> list[tuple[str, str]]:
    return [(channel, state) for kind, channel, state in city.story(customer) if kind == "SEVEN_DAY"]


def test_while_there_is_time_the_rows_wait_and_then_the_next_channel_carries_them(city: World) -> None:
    homes = [city.customer() for _ in range(3)]
    city.script(REFUSED)
    reference = city.approved()
    city.first_wave()
    assert city.reconcile().hurried == 0
    near_the_deadline(city)
    city.work()
    assert city.reconcile().hurried == 3
    city.work()
    assert sorted(city.reached()) == sorted(("voice", city.address(one, Channel.VOICE)) for one in homes)
    assert states(city, homes[0]) == [("sms", "WITHDRAWN"), ("voice", "DELIVERED")]
    assert "little time is left" in str(explain(city.rt, reference, homes[0]))
    # The numbers are as good as before: the provider mended, the day-ahead notice goes by text.
    city.script()
    city.turn_to(city.monday + timedelta(days=9))
    city.work()
    assert [channel for channel, _ in city.reached()] == ["voice"] * 3 + ["sms"] * 3
    assert city.reconcile().holds


def test_one_that_is_refused_again_and_again_holds_on_to_its_channel_no_longer(city: World) -> None:
    stuck, other = city.customer(), city.customer()
    city.script({"to": city.address(stuck, Channel.SMS), "do": {"api": "429", "retry_after": 30}})
    city.approved()
    near_the_deadline(city)
    for tries in (1, 2, 3):
        assert city.reconcile().hurried == 0
        city.work()
        assert city.deliveries(stuck)[0].tries == tries
        city.pass_time(minutes=1)
    assert city.reconcile().hurried == 1
    city.script()
    city.work()
    assert states(city, stuck) == [("sms", "WITHDRAWN"), ("voice", "DELIVERED")]
    assert states(city, other) == [("sms", "DELIVERED")]


def test_what_has_no_quicker_way_goes_on_waiting(city: World) -> None:
    """A letter would come later than a mail that waits: nothing is withdrawn for it."""
    home = city.customer(sms=None, voice=None)
    city.script({"channel": "email", "do": "mailbox_later"})
    city.approved()
    near_the_deadline(city)
    for _ in range(4):
        city.work()
        city.pass_time(minutes=11)
    assert city.reconcile().hurried == 0
    city.script()
    city.work()
    assert states(city, home) == [("email", "ACCEPTED")]


def test_of_two_who_share_a_number_both_must_have_another_way(city: World) -> None:
    phone = "+8613900009996"
    city.customer(sms=phone, voice=None, email=None)
    city.customer(sms=phone)
    city.script(REFUSED)
    city.approved()
    city.first_wave()
    near_the_deadline(city)
    assert city.reconcile().hurried == 0
    city.script()
    city.work()
    assert city.reached() == [("sms", phone)]


def test_what_may_have_left_once_is_not_told_by_another_way(city: World) -> None:
    home = city.customer()
    city.script({"times": 1, "do": {"api": "dropped"}})
    city.approved()
    city.first_wave()
    for _ in range(2):
        city.pass_time(seconds=151)
        city.reconcile()
    assert city.deliveries(home)[0].state is S.READY
    city.script(REFUSED)
    city.work()
    near_the_deadline(city)
    assert city.reconcile().hurried == 0
    city.script()
    city.work()
    assert city.reached() == [("sms", city.address(home, Channel.SMS))]


def test_a_sender_that_a_person_holds_is_not_gone_round(city: World) -> None:
    home = city.customer()
    city.approved()
    hold_sender.hold(city.rt, "paul", "twilio-sms", 72, "the texts are wrong")
    city.first_wave()
    near_the_deadline(city)
    assert city.reconcile().hurried == 0
    assert states(city, home) == [("sms", "READY")]
