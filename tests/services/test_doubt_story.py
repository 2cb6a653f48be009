"""A lost answer is a third outcome: asked about, never guessed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from channels.model import Channel, Message, Outcome, Sighting
from channels.sender import Sender
from outage_notify.domain.audience import Tier
from outage_notify.domain.delivery import DeliveryState
from outage_notify.services import begin_batch, settle_batch
from outage_notify.store import claims
from outage_notify.store.delivery_tables import Delivery
from tests.factories.tally import tally
from tests.factories.world import World

S = DeliveryState
LOST = {"api": "lost", "callback_drop": True}
DROPPED = {"api": "dropped"}
GRACE = timedelta(seconds=151)
INTERVAL = timedelta(seconds=61)


def first(city: World, customer: str) -> Delivery:
    return city.deliveries(customer)[0]


def ask(city: World) -> None:
    """The grace is over: the provider is asked, and asked again."""
    for wait in (GRACE, INTERVAL):
        city.turn_to(city.now() + wait)
        city.reconcile()


def test_a_lost_answer_is_a_doubt_until_the_provider_is_asked(city: World) -> None:
    home = city.customer()
    city.script({"times": 1, "do": LOST})
    city.approved()
    city.first_wave()
    assert first(city, home).state is S.IN_DOUBT
    # Before the grace is over nobody asks: the worker may only be slow.
    city.reconcile()
    assert first(city, home).state is S.IN_DOUBT
    city.turn_to(city.now() + GRACE)
    assert city.reconcile().found == 1
    assert first(city, home).state is S.DELIVERED
    assert len(city.reached()) == 1
    assert city.work() == 0


def test_a_callback_ends_a_doubt_without_a_question(city: World) -> None:
    home = city.customer()
    city.script({"times": 1, "do": "lost_answer"})
    city.approved()
    city.first_wave()
    assert first(city, home).state is S.DELIVERED
    assert first(city, home).provider_id
    assert len(city.reached()) == 1


def test_a_message_that_never_left_is_asked_for_twice_and_sent_once(city: World) -> None:
    home = city.customer()
    city.script({"times": 1, "do": DROPPED})
    city.approved()
    city.first_wave()
    city.turn_to(city.now() + GRACE)
    assert city.reconcile().resent == 0
    assert (first(city, home).state, first(city, home).doubt_asked) == (S.IN_DOUBT, 1)
    city.turn_to(city.now() + INTERVAL)
    assert city.reconcile().resent == 1
    assert city.work() == 1
    assert (first(city, home).state, first(city, home).tries) == (S.DELIVERED, 2)
    assert len(city.reached()) == 1


def test_a_message_that_the_list_shows_late_is_found_by_the_second_question(city: World) -> None:
    city.customer()
    city.script({"times": 1, "do": {**LOST, "list_lag": 180}})
    city.approved()
    city.first_wave()
    city.turn_to(city.now() + GRACE)
    assert city.reconcile().found == 0
    city.turn_to(city.now() + INTERVAL)
    assert city.reconcile().found == 1
    city.work()
    assert len(city.reached()) == 1


def test_a_mail_in_doubt_is_repeated_as_the_same_mail(city: World) -> None:
    home = city.customer(sms=None, voice=None)
    city.script({"channel": "email", "times": 1, "do": "lost_mail_answer"})
    city.approved()
    city.first_wave()
    assert first(city, home).state is S.IN_DOUBT
    city.turn_to(city.now() + GRACE)
    assert city.reconcile().resent == 1
    city.work()
    (mail,) = city.ledger()
    assert mail["times"] == 2
    assert first(city, home).state is S.ACCEPTED


def test_a_call_in_doubt_is_found_but_without_a_key_it_is_no_proof(city: World) -> None:
    works = city.customer(tier=Tier.FIRST, sms=None, email=None, backup="+862188888888")
    city.script({"channel": "voice", "times": 1, "do": LOST})
    city.approved()
    city.first_wave()
    assert first(city, works).state is S.IN_DOUBT
    city.turn_to(city.now() + GRACE)
    assert city.reconcile().found == 1
    assert (first(city, works).state, first(city, works).code) == (S.FAILED, "no_key")
    city.work()
    assert ("sms", "+862188888888") in city.reached()


def test_a_worker_that_died_in_the_call_leaves_a_doubt_that_is_settled(city: World) -> None:
    home = city.customer()
    city.approved()
    city.turn_to(city.monday + timedelta(days=2, minutes=1))
    with city.rt.database.write() as session:
        now, lease = city.rt.now(session), timedelta(seconds=60)
        (held,) = claims.claim(session, Channel.SMS, "w", now, lease, 10)
        assert claims.begin(session, held, "w", "twilio-sms", now, lease)
    assert city.work() == 0
    city.pass_time(seconds=61)
    assert city.reconcile().doubted == 1
    ask(city)
    assert city.work() == 1
    assert city.story(home)[0] == ("SEVEN_DAY", "sms", "DELIVERED")


def test_a_worker_that_died_before_the_call_leaves_nothing_to_doubt(city: World) -> None:
    city.customer()
    city.approved()
    city.turn_to(city.monday + timedelta(days=2, minutes=1))
    with city.rt.database.write() as session:
        claims.claim(session, Channel.SMS, "w", city.rt.now(session), timedelta(seconds=60), 10)
    assert city.work() == 0
    city.pass_time(seconds=61)
    assert city.reconcile().released == 1
    assert city.work() == 1


def test_a_provider_that_can_not_be_asked_becomes_a_task_and_life_support_is_told_again(city: World) -> None:
    home, lung = city.customer(email=None, voice=None), city.customer(life_support=True, email=None)
    city.script({"times": 2, "do": DROPPED})
    city.approved()
    city.first_wave()
    sender = city.rt.senders[Channel.SMS]
    city.rt.senders[Channel.SMS] = Deaf(sender)
    ask(city)
    city.pass_time(hours=2)
    city.reconcile()
    assert [kind for kind, _ in city.tasks() if kind != "letters"] == ["doubtful", "doubtful"]
    assert (first(city, home).state, first(city, home).code) == (S.FAILED, "in_doubt")
    city.work()
    assert first(city, lung).state is S.DELIVERED


class Deaf:
    """A sender whose provider sends, but answers no question."""

    def __init__(self, sender: Sender, answer: list[Sighting] | None = None) -> None:
        self.name, self.channel, self.repeatable = sender.name, sender.channel, False
        self._sender, self._answer = sender, answer
        self.parse_receipt, self.check, self.fetch = sender.parse_receipt, sender.check, sender.fetch

    def send(self, message: Message) -> Outcome:
        return self._sender.send(message)

    def find(self, message: Message, began: datetime, known: frozenset[str]) -> list[Sighting] | None:
        return self._answer


@pytest.mark.parametrize("asks", [True, False])
def test_without_the_question_people_are_told_twice(city: World, asks: bool) -> None:
    """The drill's count must be able to fail: with `find` made to say "never seen" it does."""
    homes = [city.customer(voice=None, email=None) for _ in range(25)]
    city.script({"share": 0.2, "do": LOST}, {"share": 0.1, "do": DROPPED})
    if not asks:
        city.rt.senders[Channel.SMS] = Deaf(city.rt.senders[Channel.SMS], [])
    city.approved()
    city.first_wave()
    for _ in range(4):
        ask(city)
        city.work()
    counted = tally(city.ledger(), [city.address(one, Channel.SMS) for one in homes])
    assert counted.untold == 0
    assert (counted.twice == 0) is asks
    assert city.states().get(S.IN_DOUBT, 0) == 0


def test_a_worker_that_slept_is_believed_when_the_provider_has_taken_it(city: World) -> None:
    """It slept through lease, doubt and both questions; then it sent. Nobody may send again."""
    home = city.customer()
    city.approved()
    city.turn_to(city.monday + timedelta(days=2, minutes=1))
    lease = timedelta(seconds=60)
    sender = city.rt.senders[Channel.SMS]
    with city.rt.database.write() as session:
        now = city.rt.now(session)
        claim = claims.claim(session, Channel.SMS, "w", now, lease, 10)
    (ready,) = begin_batch.begin(city.rt, sender, claim, lease)
    city.pass_time(seconds=61)
    city.reconcile()
    ask(city)
    assert first(city, home).state is S.READY
    outcome = sender.send(ready.message)
    settle_batch.settle(city.rt, Channel.SMS, [(ready, outcome)])
    assert city.work() == 0
    assert len(city.reached()) == 1


def test_two_calls_in_doubt_to_one_number_are_two_calls_and_not_one_made_twice(city: World) -> None:
    number = "+862199990001"
    city.customer(sms=None, email=None, voice=number)
    city.customer(sms=None, email=None, voice=number, load="load:5")
    city.script({"channel": "voice", "times": 2, "do": LOST})
    city.approved()
    city.approved(work=("line:5",))
    city.first_wave()
    assert city.states()[S.IN_DOUBT] == 2
    city.turn_to(city.now() + GRACE)
    found = city.reconcile()
    assert (found.found, found.audit["twice"]) == (2, [])
    sent = [one for one in city.deliveries() if one.notice.kind == "SEVEN_DAY"]
    assert len({one.provider_id for one in sent}) == 2
    assert {one.state for one in sent} == {S.DELIVERED}
