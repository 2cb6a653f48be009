"""From approval to the mailbox: who gets which message, how often, and what follows when it can't be sent."""

from __future__ import annotations

from datetime import timedelta

from channels.model import Channel
from outage_notify.domain.audience import Tier
from outage_notify.domain.delivery import DeliveryState
from outage_notify.services import begin_batch, send_batch
from outage_notify.services.runtime import Runtime
from outage_notify.store import claims
from outage_notify.store.delivery_tables import Attempt, Delivery
from outage_notify.store.people_tables import ContactPoint
from tests.factories.world import World

S = DeliveryState


def test_a_household_is_told_once_by_text(city: World) -> None:
    home = city.customer()
    city.approved()
    assert city.work() == 0
    assert city.first_wave() == 1
    assert city.reached() == [("sms", city.address(home, Channel.SMS))]
    assert city.story(home) == [("SEVEN_DAY", "sms", "DELIVERED"), ("DAY_AHEAD", "sms", "READY")]
    assert city.work() == 0
    assert city.reconcile().holds


def test_forty_meters_of_one_customer_make_one_message_that_lists_them(city: World) -> None:
    places = [f"{number} Meter Lane" for number in range(1, 41)]
    school = city.customer(sms=None, voice=None, places=places)
    city.approved()
    assert city.first_wave() == 1
    (mail,) = city.ledger()
    assert mail["to"] == city.address(school, Channel.EMAIL)
    assert all(place in mail["text"] for place in places)


def test_a_shared_telephone_gets_one_message_for_both(city: World) -> None:
    phone = "+8613900009999"
    one = city.customer(sms=phone, places=["1 Left Street"])
    two = city.customer(sms=phone, places=["2 Right Street"])
    city.approved()
    assert city.first_wave() == 1
    (text,) = city.ledger(phone)
    assert "1 Left Street" in text["text"]
    assert "2 Right Street" in text["text"]
    assert city.story(one) == city.story(two)
    assert city.reconcile().holds


def test_a_dead_number_falls_back_to_the_next_channel_and_is_marked(city: World) -> None:
    home = city.customer()
    number = city.address(home, Channel.SMS)
    city.script({"to": number, "do": "dead_number"})
    city.approved()
    city.first_wave()
    assert city.story(home)[0] == ("SEVEN_DAY", "sms", "FAILED")
    assert city.contact(home, Channel.SMS).bad_reason == "provider code 30005"
    assert ("contact_bad", home) in city.tasks()
    assert city.reconcile().stepped == 1
    city.work()
    assert city.reached() == [("voice", city.address(home, Channel.VOICE))]
    # The day-ahead notice was planned for the dead number: it doesn't knock there again.
    city.turn_to(city.monday + timedelta(days=9))
    city.work()
    city.work()
    assert city.story(home)[1:] == [
        ("DAY_AHEAD", "sms", "WITHDRAWN"),
        ("SEVEN_DAY", "voice", "DELIVERED"),
        ("DAY_AHEAD", "voice", "DELIVERED"),
    ]
    assert city.reconcile().holds


def test_a_dead_number_is_marked_for_everybody_who_gave_it(city: World) -> None:
    phone = "+8613900009998"
    one, two = city.customer(sms=phone), city.customer(sms=phone)
    city.script({"to": phone, "do": "invalid_number"})
    city.approved()
    city.first_wave()
    city.reconcile()
    city.work()
    assert {city.contact(each, Channel.SMS).usable for each in (one, two)} == {False}
    assert sorted(city.reached()) == sorted(
        ("voice", city.address(each, Channel.VOICE)) for each in (one, two)
    )


def test_who_falls_back_to_a_number_that_is_known_dead_goes_on_to_the_next(city: World) -> None:
    phone = "+862100009997"
    one = city.customer(sms=None, voice=phone)
    two = city.customer(voice=phone)
    city.script(
        {"channel": "voice", "to": phone, "do": "no_answer"}, {"channel": "sms", "do": "invalid_number"}
    )
    city.approved()
    city.first_wave()
    city.reconcile()
    city.work()
    assert sorted(city.reached()) == sorted(("email", city.address(who, Channel.EMAIL)) for who in (one, two))
    assert ("SEVEN_DAY", "voice", "FAILED") in city.story(two)


def test_nobody_left_to_write_to_becomes_a_task(city: World) -> None:
    silent = city.customer(sms=None, voice=None, email=None)
    city.approved()
    assert city.tasks() == [("contact_missing", silent)]
    city.first_wave()
    assert city.reconcile().holds


def test_when_every_channel_of_a_household_fails_a_person_is_told(city: World) -> None:
    home = city.customer(voice=None)
    city.script({"channel": "sms", "do": "invalid_number"}, {"channel": "email", "do": "bad_mailbox"})
    city.approved()
    city.first_wave()
    for _ in range(3):
        city.reconcile()
        city.work()
    assert [(kind, channel) for kind, channel, _ in city.story(home)] == [
        ("SEVEN_DAY", "sms"),
        ("DAY_AHEAD", "sms"),
        ("SEVEN_DAY", "email"),
        ("SEVEN_DAY", "letter"),
    ]
    assert city.reached() == []


def test_when_every_channel_of_a_key_customer_fails_somebody_goes_there(city: World) -> None:
    works = city.customer(tier=Tier.SECOND)
    city.script(
        {"channel": "sms", "do": "invalid_number"}, {"do": {"smtp": "reject", "outcome": "no-answer"}}
    )
    city.approved()
    city.first_wave()
    for _ in range(4):
        city.reconcile()
        city.work()
    assert ("visit", works) in city.tasks()
    assert city.reconcile().holds


def test_who_wrote_stop_is_told_by_another_channel(city: World) -> None:
    """Consent is asked for at the last moment, and losing it must not end the ladder."""
    home = city.customer()
    city.approved()
    contact = city.contact(home, Channel.SMS)
    city.change(ContactPoint, contact.id, lambda one: setattr(one, "opted_out_at", city.monday))
    city.first_wave()
    city.work()
    assert city.reached() == [("voice", city.address(home, Channel.VOICE))]
    assert city.story(home)[0] == ("SEVEN_DAY", "sms", "WITHDRAWN")
    assert city.reconcile().holds


def test_a_provider_that_knows_of_a_stop_is_believed(city: World) -> None:
    home = city.customer()
    city.script({"channel": "sms", "do": "opted_out"})
    city.approved()
    city.first_wave()
    assert city.contact(home, Channel.SMS).opted_out_at is not None
    city.reconcile()
    city.work()
    assert city.reached() == [("voice", city.address(home, Channel.VOICE))]


def test_too_many_requests_hold_the_sender_and_lose_nobody(city: World) -> None:
    for _ in range(30):
        city.customer()
    city.script({"channel": "sms", "times": 1, "do": {"api": "429", "retry_after": 20}})
    city.approved()
    city.first_wave()
    waiting = [one for one in city.deliveries() if one.notice.kind == "SEVEN_DAY" and one.state is S.READY]
    # What went out side by side with the refused one is out; all the rest waits.
    assert len(waiting) >= 30 - 2 * city.rt.settings.send_threads
    city.pass_time(seconds=10)
    assert city.work() == 0
    city.pass_time(seconds=16)
    city.work()
    assert len(city.reached()) == len(set(city.reached())) == 30


def test_what_one_worker_is_told_to_wait_for_another_one_waits_for_too(city: World) -> None:
    """The second one had claimed its rows before: it gives them back uncalled, and nobody is in doubt."""
    for _ in range(30):
        city.customer()
    city.approved()
    city.turn_to(city.monday + timedelta(days=2, minutes=1))
    lease = timedelta(seconds=60)
    with city.rt.database.write() as session:
        other = claims.claim(session, Channel.SMS, "other", city.rt.now(session), lease, 20)
    city.script({"channel": "sms", "do": {"api": "429", "retry_after": 20}})
    city.work()
    city.script()
    assert begin_batch.begin(city.rt, city.rt.senders[Channel.SMS], other, lease) == []
    again = Runtime.build(city.rt.settings)
    assert send_batch.send_due(again) == 0
    again.database.close()
    with city.rt.database.read() as session:
        assert session.query(Attempt).count() <= city.rt.settings.send_threads * 2
    assert city.states() == {S.READY: 60}
    city.pass_time(seconds=26)
    city.work()
    assert len(city.reached()) == len(set(city.reached())) == 30


def test_wrong_credentials_stop_the_sender_call_a_person_and_burn_nobody(city: World) -> None:
    for _ in range(30):
        city.customer()
    city.script({"channel": "sms", "do": {"api": "reject", "code": 20003}})
    city.approved()
    city.first_wave()
    assert city.work() == 0
    with city.rt.database.read() as session:
        assert session.query(Attempt).count() <= city.rt.settings.send_threads
    assert city.states() == {S.READY: 60}
    assert city.tasks() == [("sender", "")]
    assert city.reconcile().holds
    city.script()
    city.pass_time(minutes=11)
    city.work()
    assert len(city.reached()) == len(set(city.reached())) == 30


def test_one_number_in_a_country_that_is_not_enabled_does_not_close_the_door_for_all(city: World) -> None:
    foreign = city.customer(tier=Tier.GENERAL)
    for _ in range(20):
        city.customer()
    number = city.address(foreign, Channel.SMS)
    city.script({"to": number, "do": {"api": "reject", "code": 21408}})
    city.approved()
    city.first_wave()
    for _ in range(6):
        city.pass_time(minutes=11)
        city.work()
    assert len(city.reached()) == 20


def test_a_text_that_can_not_be_made_holds_up_nobody_else(city: World) -> None:
    broken = city.customer(tier=Tier.GENERAL)
    homes = [city.customer() for _ in range(10)]
    city.approved()
    row = city.deliveries(broken)[0].id
    # There is no such revision.
    city.change(Delivery, row, lambda one: setattr(one, "revision", 9))
    assert city.first_wave() == 10
    assert sorted(city.reached()) == sorted(("sms", city.address(one, Channel.SMS)) for one in homes)
    assert city.tasks() == [("doubtful", broken)]


def test_a_worker_that_is_told_to_end_leaves_the_rest_to_others(city: World) -> None:
    for _ in range(20):
        city.customer()
    city.approved()
    city.turn_to(city.monday + timedelta(days=2, minutes=1))
    assert send_batch.send_due(city.rt, stop=[True]) == 0
    assert city.work() == 20
