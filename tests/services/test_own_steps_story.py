"""Steps of the utility's own at work: 12, 9 and 5 days ahead beside the seven of the law, frozen at approval."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from channels.model import Channel
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.errors import Conflict, InvalidInput, NotFound, NotPermitted
from outage_notify.domain.notice import NoticeKind
from outage_notify.services import approve_outage, explain, own_steps, resend_notice, run_outage
from outage_notify.store import delivery_queries
from outage_notify.store.delivery_queries import Planned
from outage_notify.store.delivery_tables import Delivery, DeliveryRecipient, Notice
from outage_notify.store.work_tables import Event
from tests.factories.world import World, world


def enter(city: World, values: str, applies_to: str = "all", unit: str = "calendar_day") -> None:
    seen, _, _ = own_steps.view(city.rt)
    own_steps.add(city.rt, "paul", seen, applies_to, ["planned"], values, unit, "our promise")


def notices(city: World) -> list[tuple[str, int, int]]:
    """(kind, serial, days before the start) in the order of their deadlines."""
    with city.rt.database.read() as session:
        found = session.scalars(select(Notice).order_by(Notice.deadline))
        start = city.monday + timedelta(days=20)
        return [(one.kind.value, one.serial, (start - one.deadline).days) for one in found]


def test_steps_add_to_the_law_and_are_told(city: World) -> None:
    home = city.customer()
    enter(city, "12, 9, 5")
    reference = city.approved(days=20)
    # The first notice comes forward to the twelfth day, nine and five are notices more, the day ahead stays.
    assert notices(city) == [("SEVEN_DAY", 1, 12), ("AGAIN", 2, 9), ("AGAIN", 3, 5), ("DAY_AHEAD", 1, 1)]
    for days in (8, 11, 15):
        city.turn_to(city.monday + timedelta(days=days, hours=1))
        city.work()
    texts = [one["text"] for one in city.ledger(city.address(home, Channel.SMS))]
    assert len(texts) == 3 and "Reminder" in texts[1] and "Reminder" in texts[2]
    assert "Reminder" not in texts[0]
    assert city.reconcile().holds
    told = explain.explain(city.rt, reference, home)
    assert any("own step 2" in one.get("why", "") for one in told)


def test_a_revision_keeps_the_steps_of_its_approval(city: World) -> None:
    city.customer()
    city.approved(days=20)
    enter(city, "9")
    assert notices(city) == [("SEVEN_DAY", 1, 7), ("DAY_AHEAD", 1, 1)]
    city.reconcile()
    assert notices(city) == [("SEVEN_DAY", 1, 7), ("DAY_AHEAD", 1, 1)]


def test_steps_that_are_past_at_approval_make_nothing_late(city: World) -> None:
    city.customer()
    enter(city, "30, 5")
    city.approved(days=20)
    assert notices(city) == [("SEVEN_DAY", 1, 7), ("AGAIN", 2, 5), ("DAY_AHEAD", 1, 1)]


def test_a_class_of_customers_alone(city: World) -> None:
    city.customer()
    enter(city, "9", "key")
    city.approved(days=20)
    assert notices(city) == [("SEVEN_DAY", 1, 7), ("DAY_AHEAD", 1, 1)]


def test_who_was_reminded_hears_of_the_end(city: World) -> None:
    home = city.customer()
    enter(city, "9")
    reference = city.approved(days=20)
    city.turn_to(city.monday + timedelta(days=11, hours=1))
    city.work()
    run_outage.cancel(city.rt, "petra", reference, "storm")
    city.work()
    assert [kind for kind, _, _ in city.story(home)][-1] == "CANCELLED"
    assert city.reconcile().holds


def test_the_audit_asks_for_each_step(city: World) -> None:
    home = city.customer()
    enter(city, "12, 9, 5")
    reference = city.approved(days=20)
    assert city.reconcile().holds
    (lost,) = [
        one.id
        for one in city.deliveries(home)
        if one.notice.kind == NoticeKind.AGAIN and one.notice.serial == 3
    ]
    with city.rt.database.write() as session:
        session.execute(delete(DeliveryRecipient).where(DeliveryRecipient.delivery_ref == lost))
        session.execute(delete(Delivery).where(Delivery.id == lost))
    found = city.reconcile()
    missed = [{"outage": reference, "customer": home, "notice": "own_step_3"}]
    assert not found.holds and found.audit["untold"] == missed


def test_whoever_is_spared_a_step_is_not_missed_by_the_audit(city: World) -> None:
    """An hour before the day-ahead notice, one message does for both. So does one of a changed window."""
    city.customer()
    enter(city, "9")
    enter(city, "25", unit="hour")
    reference = city.approved(days=20)
    assert notices(city) == [("SEVEN_DAY", 1, 9), ("DAY_AHEAD", 1, 1)]
    assert city.reconcile().holds
    city.turn_to(city.monday + timedelta(days=11))
    city.work()
    city.revised(reference, days=22)
    assert city.reconcile().holds


def test_the_audit_counts_one_message_on_each_rung(city: World) -> None:
    home = city.customer()
    enter(city, "9, 5")
    reference = city.approved(days=20)
    (row,) = city.deliveries(home, NoticeKind.AGAIN)
    again = Planned(
        row.recipients[0].customer_ref, row.channel, "+8613900000000", None, row.language, 5, row.due_at
    )
    with city.rt.database.write() as session:
        notice = session.get_one(Notice, row.notice_ref)
        assert delivery_queries.insert_deliveries(session, notice, [again]) == 1
    found = city.reconcile()
    doubled = [{"outage": reference, "customer": home, "notice": "own_step_2"}]
    assert not found.holds and found.audit["twice"] == doubled and not found.audit["untold"]
    # One that had failed, so that the other one followed, is none of two.
    city.change(Delivery, row.id, lambda one: setattr(one, "ended_at", one.due_at))
    city.change(Delivery, row.id, lambda one: setattr(one, "state", DeliveryState.DELIVERED))
    assert city.reconcile().holds


def test_a_step_sent_again_by_hand_takes_no_number_of_a_step(city: World) -> None:
    home = city.customer()
    enter(city, "12, 9, 5")
    reference = city.approved(days=20)
    city.turn_to(city.monday + timedelta(days=11, hours=1))
    city.work()
    resend_notice.resend(city.rt, "paul", reference, home)
    serials = [one.notice.serial for one in city.deliveries(home, NoticeKind.AGAIN)]
    assert serials[:2] == [2, 3] and serials[2] > 12
    city.work()
    assert city.reconcile().holds


def test_the_preflight_lists_the_steps_and_none_of_them_makes_a_plan_too_late(
    migrated_sqlite_copy: str, tmp_path: Path
) -> None:
    with world(migrated_sqlite_copy, tmp_path, SMS_PER_SECOND="0.002") as city:
        city.customer(voice=None, email=None)
        enter(city, "19, 12")
        reference = city.submitted(days=20)
        # Five minutes before the nineteenth day; one text takes more than eight.
        city.turn_to(city.monday + timedelta(days=1, minutes=-5))
        waves = approve_outage.preflight(city.rt, reference).wave_plans
        assert [(one.notice, one.step, one.late, one.behind) for one in waves] == [
            (NoticeKind.SEVEN_DAY, 0, False, True),
            (NoticeKind.AGAIN, 2, False, False),
            (NoticeKind.DAY_AHEAD, 0, False, False),
        ]
        assert "own step, which keeps nothing from being approved" in waves[0].sentence
        assert "AGAIN, own step of 12 calendar days: 1 messages by sms" in waves[1].sentence
        assert waves[1].as_dict()["step"] == 2
        approve_outage.approve(city.rt, "anton", reference)
        assert notices(city) == [("SEVEN_DAY", 1, 19), ("AGAIN", 2, 12), ("DAY_AHEAD", 1, 1)]


def test_each_change_is_a_set_of_its_own_and_on_record(city: World) -> None:
    enter(city, "12，9、5")
    seen, steps, _ = own_steps.view(city.rt)
    assert [one.lead.value for one in steps] == [12, 9, 5]
    own_steps.remove(city.rt, "paul", seen, 2, "not needed")
    assert [one.lead.value for one in own_steps.view(city.rt)[1]] == [12, 5]
    with pytest.raises(Conflict):
        own_steps.remove(city.rt, "paul", seen, 1, "at the same time")
    newest = own_steps.view(city.rt)[0]
    with pytest.raises(NotFound):
        own_steps.remove(city.rt, "paul", newest, 7, "x")
    with pytest.raises(InvalidInput, match="第二十八条"):
        enter(city, "7")
    with pytest.raises(InvalidInput, match="no number"):
        enter(city, "soon")
    with pytest.raises(InvalidInput, match="reason"):
        own_steps.add(city.rt, "paul", newest, "all", ["planned"], "3", "calendar_day", " ")
    with pytest.raises(NotPermitted):
        own_steps.add(city.rt, "petra", newest, "all", ["planned"], "3", "calendar_day", "x")
    with city.rt.database.read() as session:
        found = list(
            session.scalars(select(Event).where(Event.what == "own_steps_changed").order_by(Event.id))
        )
        assert [len(one.detail["after"]) for one in found] == [3, 2]
