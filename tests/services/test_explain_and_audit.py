"""Why was this person told, or not: the story in order. And the question whether anybody was forgotten."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete

from channels.model import Channel
from outage_notify.domain.audience import Tier
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.errors import NotFound
from outage_notify.domain.notice import NoticeKind
from outage_notify.services.explain import explain
from outage_notify.store.delivery_tables import Delivery, DeliveryRecipient
from tests.factories.world import World, world

FIRST = NoticeKind.SEVEN_DAY


def lose(city: World, customer: str, kind: str) -> None:
    """A row vanishes from the outbox, as no code of ours would do."""
    for one in city.deliveries(customer):
        if one.notice.kind == kind:
            with city.rt.database.write() as session:
                session.execute(delete(DeliveryRecipient).where(DeliveryRecipient.delivery_ref == one.id))
                session.execute(delete(Delivery).where(Delivery.id == one.id))


@pytest.mark.parametrize(("kind", "name"), [("SEVEN_DAY", "first"), ("DAY_AHEAD", "day_ahead")])
def test_the_audit_finds_whom_the_outbox_forgot(city: World, kind: str, name: str) -> None:
    home = city.customer()
    city.customer()
    reference = city.approved()
    assert city.reconcile().holds
    lose(city, home, kind)
    found = city.reconcile()
    assert not found.holds
    assert found.audit["untold"] == [{"outage": reference, "customer": home, "notice": name}]


@pytest.mark.parametrize(("lost", "holds"), [(Channel.LETTER, False), (Channel.SMS, False), (None, True)])
def test_a_text_does_not_stand_for_the_letter_that_the_law_asks_for_beside_it(
    migrated_sqlite_copy: str, tmp_path: Path, lost: Channel | None, holds: bool
) -> None:
    with world(migrated_sqlite_copy, tmp_path, POLICY="ie") as city:
        home = city.customer(voice=None, email=None)
        reference = city.approved(days=20)
        (letter,) = [one.id for one in city.deliveries(home, FIRST) if one.channel is Channel.LETTER]
        (text,) = [one.id for one in city.deliveries(home, FIRST) if one.channel is Channel.SMS]
        assert city.reconcile().holds
        gone = {Channel.LETTER: [letter], Channel.SMS: [text, letter], None: [text]}[lost]
        for one in gone:
            city.change(Delivery, one, lambda row: setattr(row, "state", DeliveryState.WITHDRAWN))
        found = city.reconcile()
        assert found.holds is holds
        missed = [{"outage": reference, "customer": home, "notice": "first"}]
        assert found.audit["untold"] == ([] if holds else missed)


def test_a_task_to_mend_an_address_does_not_excuse_an_untold_person(city: World) -> None:
    home = city.customer()
    city.script({"channel": "sms", "do": "dead_number"})
    city.approved()
    city.first_wave()
    city.reconcile()
    assert ("contact_bad", home) in city.tasks()
    for one in city.deliveries(home):
        city.change(Delivery, one.id, lambda row: setattr(row, "state", DeliveryState.WITHDRAWN))
    assert not city.reconcile().holds


def test_a_withdrawn_row_is_not_a_told_person(city: World) -> None:
    home = city.customer()
    city.approved()
    row = city.deliveries(home)[0].id
    city.change(Delivery, row, lambda one: setattr(one, "state", DeliveryState.WITHDRAWN))
    assert not city.reconcile().holds


def test_the_audit_holds_through_a_whole_life(city: World) -> None:
    city.customer()
    city.customer(tier=Tier.FIRST)
    city.customer(sms=None, voice=None, email=None)
    city.approved()
    for days in (1, 2.01, 3, 9, 9.5):
        city.turn_to(city.monday + timedelta(days=days))
        city.work()
        assert city.reconcile().holds, f"on day {days}"


def test_what_was_never_sent_expires_and_is_on_record(city: World) -> None:
    home = city.customer()
    reference = city.approved()
    city.turn_to(city.monday + timedelta(days=10, minutes=1))
    assert city.work() == 0
    assert city.reconcile().expired == 2
    assert city.story(home) == [("SEVEN_DAY", "sms", "WITHDRAWN"), ("DAY_AHEAD", "sms", "WITHDRAWN")]
    assert "expired" in " ".join(one["why"] for one in explain(city.rt, reference, home))


def test_explain_tells_the_whole_story_in_order(city: World) -> None:
    home = city.customer()
    city.script({"channel": "sms", "do": "dead_number"})
    reference = city.approved()
    city.first_wave()
    city.reconcile()
    city.work()
    entries = explain(city.rt, reference, home)
    what = [one["what"] for one in entries]
    assert what[0] == "traced"
    assert entries[0]["told"] is True
    assert "switch:3" in entries[0]["why"]
    for one in ("planned", "attempt", "failed", "next_channel", "delivered", "task_contact_bad"):
        assert one in what, one
    assert what.index("failed") < what.index("delivered")
    failed = next(one for one in entries if one["what"] == "failed")
    assert "30005" in failed["why"]
    times = [one["at"] for one in entries if one["at"]]
    assert times == sorted(times)
    # Explanations are shown to many: they hold no address.
    assert city.address(home, Channel.SMS) not in str(entries)


def test_explain_says_why_somebody_was_not_told(city: World) -> None:
    spared, shop = city.customer(load="load:5"), city.customer(tier=Tier.GENERAL)
    city.add_point(shop, "load:5", "S0")
    reference = city.approved()
    (only,) = explain(city.rt, reference, spared)
    assert only["told"] is False
    assert "load:5 keeps its supply" in only["why"]
    (first, *_) = explain(city.rt, reference, shop)
    assert first["told"] is False
    assert "REDUCED_REDUNDANCY" in first["why"]


def test_explain_names_what_does_not_exist(city: World) -> None:
    home = city.customer()
    reference = city.approved()
    with pytest.raises(NotFound, match="PO-1999-0001"):
        explain(city.rt, "PO-1999-0001", home)
    with pytest.raises(NotFound, match="C-none"):
        explain(city.rt, reference, "C-none")
