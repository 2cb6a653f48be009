"""A window that moves: who hears of the change, who of the end, who for the first time, and who waits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from channels.model import Channel
from outage_notify.domain.audience import Tier
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.outage import OutageKind
from outage_notify.services import plan_outage, run_outage
from outage_notify.services.outage_views import outage_view
from outage_notify.store import claims
from tests.factories.world import World

S = DeliveryState
GRACE = timedelta(seconds=151)


def kinds(city: World, customer: str) -> list[str]:
    """What a customer was or will be told, without what was withdrawn."""
    return [kind for kind, _, state in city.story(customer) if state != "WITHDRAWN"]


def test_what_is_unsent_pauses_until_the_revision_is_decided(city: World) -> None:
    home = city.customer()
    reference = city.approved()
    plan_outage.revise(city.rt, "petra", reference, city.request(days=12))
    city.first_wave()
    assert city.reached() == []
    assert outage_view(city.rt, reference)["paused"] == 2
    plan_outage.drop_revision(city.rt, "petra", reference)
    assert city.work() == 1
    assert kinds(city, home) == ["SEVEN_DAY", "DAY_AHEAD"]
    assert city.reconcile().holds


def test_who_was_told_hears_of_the_change_and_all_others_a_first_notice(city: World) -> None:
    told, other = city.customer("load:2"), city.customer("load:1")
    reference = city.approved()
    city.first_wave()
    city.revised(reference, days=12, work=("line:1",))
    city.work()
    city.turn_to(city.monday + timedelta(days=4, minutes=1))
    city.work()
    assert kinds(city, told) == ["SEVEN_DAY", "CHANGED", "DAY_AHEAD"]
    assert kinds(city, other) == ["SEVEN_DAY", "DAY_AHEAD"]
    texts = [one["text"] for one in city.ledger(city.address(told, Channel.SMS))]
    assert len(texts) == 2
    new, old = city.monday + timedelta(days=12), city.monday + timedelta(days=10)
    assert f"{new.day}" in texts[1]
    assert f"{old.day}" in texts[1]
    assert city.reconcile().holds


def test_the_change_goes_the_way_that_reached_them(city: World) -> None:
    home = city.customer()
    city.script({"to": city.address(home, Channel.SMS), "do": "dead_number"})
    reference = city.approved()
    city.first_wave()
    city.reconcile()
    city.work()
    city.revised(reference, days=12)
    city.work()
    assert city.story(home)[-2:] == [("CHANGED", "voice", "DELIVERED"), ("DAY_AHEAD", "voice", "READY")]


def test_who_is_spared_by_the_revision_is_told_so_once_and_nothing_more(city: World) -> None:
    spared, stays = city.customer("load:1"), city.customer("load:2")
    reference = city.approved(work=("line:1",))
    city.first_wave()
    city.revised(reference, work=("line:2",))
    city.work()
    assert kinds(city, spared) == ["SEVEN_DAY", "CANCELLED"]
    # A further revision and the day itself are not their business any more.
    city.revised(reference, days=11, work=("line:2",))
    city.work()
    city.turn_to(city.monday + timedelta(days=11, minutes=1))
    city.work()
    run_outage.start(city.rt, "petra", reference)
    run_outage.overrun(city.rt, "petra", reference, city.monday + timedelta(days=11, hours=6))
    run_outage.complete(city.rt, "petra", reference)
    city.work()
    assert kinds(city, spared) == ["SEVEN_DAY", "CANCELLED"]
    assert kinds(city, stays)[-1] == "RESTORED"


def test_who_was_spared_is_not_told_a_second_time_when_all_is_called_off(city: World) -> None:
    spared, stays = city.customer("load:1"), city.customer("load:2")
    reference = city.approved(work=("line:1",))
    city.first_wave()
    city.revised(reference, work=("line:2",))
    city.work()
    run_outage.cancel(city.rt, "petra", reference, "the crew is ill")
    city.work()
    assert kinds(city, spared) == ["SEVEN_DAY", "CANCELLED"]
    assert kinds(city, stays) == ["SEVEN_DAY", "CHANGED", "CANCELLED"]


def test_who_was_spared_and_is_hit_again_gets_a_first_notice(city: World) -> None:
    home = city.customer("load:1")
    city.customer("load:2")
    reference = city.approved(work=("line:1",), days=20)
    city.turn_to(city.monday + timedelta(days=12, minutes=1))
    city.work()
    city.revised(reference, days=20, work=("line:2",))
    city.work()
    city.revised(reference, days=21, work=("line:1",))
    city.turn_to(city.monday + timedelta(days=13, minutes=1))
    city.work()
    assert kinds(city, home) == ["SEVEN_DAY", "CANCELLED", "SEVEN_DAY", "DAY_AHEAD"]


@pytest.mark.parametrize("taken", [True, False])
def test_who_is_in_doubt_waits_and_then_gets_the_right_word(city: World, taken: bool) -> None:
    home = city.customer()
    city.script({"times": 1, "do": {"api": "lost" if taken else "dropped", "callback_drop": True}})
    reference = city.approved()
    city.first_wave()
    city.revised(reference, days=12)
    city.work()
    assert kinds(city, home) == ["SEVEN_DAY", "DAY_AHEAD"]
    for _ in range(2):
        city.turn_to(city.now() + GRACE)
        city.reconcile()
    city.turn_to(city.monday + timedelta(days=4, minutes=1))
    city.work()
    # In the order in which they were made: the old one, the day-ahead notice, and then the right word.
    if taken:
        assert kinds(city, home) == ["SEVEN_DAY", "DAY_AHEAD", "CHANGED"]
        assert len(city.ledger(city.address(home, Channel.SMS))) == 2
    else:
        assert kinds(city, home) == ["DAY_AHEAD", "SEVEN_DAY"]
        assert len(city.ledger(city.address(home, Channel.SMS))) == 1
    assert city.reconcile().holds


def test_everybody_in_doubt_when_little_time_is_left_is_told_in_the_end(city: World) -> None:
    """No notice of the new revision exists that could remember them."""
    home = city.customer()
    city.script({"times": 1, "do": {"api": "lost", "callback_drop": True}})
    reference = city.approved(kind=OutageKind.TEMPORARY, days=2)
    city.turn_to(city.monday + timedelta(hours=22, minutes=1))
    city.work()
    assert city.states() == {S.IN_DOUBT: 1}
    city.revised(reference, kind=OutageKind.TEMPORARY, days=2.1)
    city.turn_to(city.now() + GRACE)
    city.reconcile()
    city.work()
    assert "CHANGED" in kinds(city, home)
    assert city.reconcile().holds


def test_a_mail_in_doubt_counts_as_read_when_the_revision_makes_it_stale(city: World) -> None:
    """Nobody can say whether it was taken; who may have read it has to hear of the change."""
    home = city.customer(sms=None, voice=None)
    city.script({"channel": "email", "times": 1, "do": "lost_mail_answer"})
    reference = city.approved()
    city.first_wave()
    city.revised(reference, days=12)
    city.turn_to(city.now() + GRACE)
    city.reconcile()
    city.work()
    assert kinds(city, home) == ["SEVEN_DAY", "DAY_AHEAD", "CHANGED"]


def test_an_answer_later_does_not_bring_back_what_was_revised(city: World) -> None:
    home = city.customer()
    reference = city.approved()
    city.turn_to(city.monday + timedelta(days=2, minutes=1))
    with city.rt.database.write() as session:
        now, lease = city.rt.now(session), timedelta(seconds=60)
        (held,) = claims.claim(session, Channel.SMS, "w", now, lease, 1)
        claims.begin(session, held, "w", "sms", now, lease)
    city.revised(reference, days=12)
    with city.rt.database.write() as session:
        claims.back_to_ready(session, held.delivery, city.rt.now(session), fence=held.fence)
    assert city.work() == 0
    assert city.story(home)[0] == ("SEVEN_DAY", "sms", "WITHDRAWN")
    city.reconcile()
    city.turn_to(city.monday + timedelta(days=4, minutes=1))
    city.work()
    assert len(city.reached()) == 1


def test_the_next_channel_waits_as_well_while_a_revision_is_pending(city: World) -> None:
    city.customer()
    city.script({"channel": "sms", "do": "dead_number"})
    reference = city.approved()
    city.first_wave()
    plan_outage.revise(city.rt, "petra", reference, city.request(days=12))
    city.reconcile()
    assert city.work() == 0
    plan_outage.drop_revision(city.rt, "petra", reference)
    city.work()
    assert [channel for channel, _ in city.reached()] == ["voice"]


def test_old_signatures_are_stale_after_a_revision(city: World) -> None:
    works = city.customer(tier=Tier.FIRST)
    reference = city.approved()
    city.first_wave()
    city.revised(reference, days=12)
    assert city.signatures(works) == ["SUPERSEDED", "REQUESTED"]
