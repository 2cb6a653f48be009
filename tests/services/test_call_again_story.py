"""A call is taken, but our words can't be fetched: nobody heard anything, so it is made again, a few times."""

from __future__ import annotations

from datetime import timedelta

from channels.model import Channel
from outage_notify.domain.delivery import DeliveryState
from outage_notify.services import record_receipts, run_outage
from outage_notify.services.record_receipts import MOST_UNHEARD
from tests.factories.world import World

S = DeliveryState


def again(city: World) -> None:
    """The provider, whose callbacks did not arrive, is asked how the call ended; then what is due is done."""
    city.pass_time(minutes=11)
    city.reconcile()
    city.pass_time(seconds=21)
    city.work()


def test_it_is_made_again_when_the_words_are_there(city: World) -> None:
    home = city.customer(sms=None, email=None)
    city.approved()
    with city.web_away():
        assert city.first_wave() == 1
        assert city.reached() == []
        assert city.deliveries(home)[0].state is S.ACCEPTED
    again(city)
    (call,) = city.ledger()
    assert "1 River Road" in call["text"]
    told = city.deliveries(home)[0]
    assert (told.state, told.tries) == (S.DELIVERED, 2)
    found = city.reconcile()
    assert (found.holds, found.audit["twice"]) == (True, [])


def test_it_is_made_again_three_times_and_then_another_way_is_taken(city: World) -> None:
    home = city.customer(sms=None)
    city.approved()
    with city.web_away():
        city.first_wave()
        for _ in range(MOST_UNHEARD + 2):
            again(city)
    call = city.deliveries(home)[0]
    assert (call.state, call.code, call.tries) == (S.FAILED, "not_heard", 1 + 3)
    assert city.reached() == [("email", city.address(home, Channel.EMAIL))]
    # That says nothing about the number: it is called about the next outage, and again if need be.
    city.approved(days=20)
    city.turn_to(city.monday + timedelta(days=12, minutes=1))
    with city.web_away():
        city.work()
    again(city)
    calls = [one for one in city.deliveries(home) if one.channel is Channel.VOICE and one.tries]
    assert [(one.state, one.tries) for one in calls] == [(S.FAILED, 4), (S.DELIVERED, 2)]


def test_nobody_is_called_again_about_what_was_cancelled_meanwhile(city: World) -> None:
    home = city.customer(sms=None, email=None)
    reference = city.approved()
    with city.web_away():
        city.first_wave()
    run_outage.cancel(city.rt, "petra", reference, "not needed")
    for _ in range(2):
        again(city)
    assert city.deliveries(home)[0].state is S.FAILED
    # Nobody heard of the outage, so nobody hears that it is off.
    assert "CANCELLED" not in [kind for kind, _, _ in city.story(home)]
    assert city.reached() == []


def test_words_that_were_fetched_when_the_call_was_over_were_not_heard(city: World) -> None:
    home = city.customer(sms=None, email=None)
    city.approved()
    with city.web_away():
        city.first_wave()
    # An overloaded web server hands them out half a minute after the provider has hung up.
    city.pass_time(seconds=30)
    record_receipts.voice_spoken(city.rt, city.deliveries(home)[0].id)
    again(city)
    assert len(city.reached()) == 1
    assert (city.deliveries(home)[0].state, city.deliveries(home)[0].tries) == (S.DELIVERED, 2)


def test_a_call_that_still_rings_is_told_of_the_change_when_it_is_over(city: World) -> None:
    home = city.customer(sms=None, email=None)
    reference = city.approved()
    city.script({"channel": "voice", "do": {"callback_drop": True}})
    city.first_wave()
    run_outage.cancel(city.rt, "petra", reference, "not needed")
    city.reconcile()
    # Its end is not known yet: it may have been in vain.
    assert "CANCELLED" not in [kind for kind, _, _ in city.story(home)]
    assert city.reconcile().holds
    again(city)
    city.work()
    assert [kind for kind, _, state in city.story(home) if state != "WITHDRAWN"] == ["SEVEN_DAY", "CANCELLED"]
    assert ["Cancelled" in one["text"] for one in city.ledger()] == [False, True]
