"""Steps of the utility's own at work: 12, 9 and 5 days ahead beside the seven of the law, frozen at approval."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from channels.model import Channel
from outage_notify.domain.errors import Conflict, InvalidInput, NotFound, NotPermitted
from outage_notify.services import explain, own_steps, run_outage
from outage_notify.store.delivery_tables import Notice
from outage_notify.store.work_tables import Event
from tests.factories.world import World


def enter(city: World, values: str, applies_to: str = "all") -> None:
    seen, _, _ = own_steps.view(city.rt)
    own_steps.add(city.rt, "paul", seen, applies_to, ["planned"], values, "calendar_day", "our promise")


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
