"""What providers say later: late, repeated, out of order, about nothing we know. None of it is dropped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from channels.model import Channel
from outage_notify.domain.delivery import DeliveryState
from outage_notify.services import send_batch
from outage_notify.services.report_intake import Intake, Told
from outage_notify.store import audit_queries
from outage_notify.store.delivery_tables import Delivery, ProviderReport
from tests.factories.world import World

S = DeliveryState


def first(city: World, customer: str) -> Delivery:
    return city.deliveries(customer)[0]


def form(delivery: Delivery, status: str, sid: str = "", **more: str) -> dict[str, str]:
    return {"MessageSid": sid or delivery.provider_id or "", "MessageStatus": status, **more}


def report(city: World, delivery: Delivery, status: str, sid: str = "", **more: str) -> str:
    return take(city, delivery.id, form(delivery, status, sid, **more))


def take(city: World, delivery: int | None, given: dict[str, str]) -> str:
    """What came of it."""
    Intake(city.rt).take(Told(Channel.SMS, delivery, given))
    with city.rt.database.read() as session:
        newest = select(ProviderReport.verdict).order_by(ProviderReport.id.desc()).limit(1)
        return session.scalars(newest).one()


@pytest.fixture
def sent(city: World) -> Iterator[tuple[World, str]]:
    """One text that the provider took and about which it says nothing more."""
    home = city.customer()
    city.script({"do": "no_callbacks"})
    city.approved()
    city.first_wave()
    assert first(city, home).state is S.ACCEPTED
    yield city, home


def test_reports_out_of_order_and_repeated_end_at_the_highest(sent: tuple[World, str]) -> None:
    city, home = sent
    row = first(city, home)
    verdicts = [report(city, row, one) for one in ("delivered", "sent", "delivered", "queued", "undelivered")]
    assert verdicts == ["applied", *["outranked"] * 4]
    assert first(city, home).state is S.DELIVERED
    with city.rt.database.read() as session:
        assert session.query(ProviderReport).filter(ProviderReport.applied_at.is_(None)).count() == 0
        assert session.query(ProviderReport).count() == 5


def test_a_report_about_an_unknown_message_is_kept(sent: tuple[World, str]) -> None:
    city, _ = sent
    given = {"MessageSid": "SM" + "f" * 32, "MessageStatus": "delivered"}
    assert take(city, None, given) == "unknown message"
    assert take(city, 999_999, given) == "unknown message"
    assert take(city, None, {"what": "ever"}) == "not understood"


def test_a_report_without_our_token_is_found_by_the_provider_s_id(sent: tuple[World, str]) -> None:
    city, home = sent
    given = form(first(city, home), "delivered")
    assert take(city, None, given) == "applied"
    assert first(city, home).state is S.DELIVERED


def test_a_report_that_a_crash_left_is_applied_by_the_next_run(sent: tuple[World, str]) -> None:
    city, home = sent
    with city.rt.database.write() as session:
        row = first(city, home)
        session.add(
            ProviderReport(
                received_at=city.monday, channel=Channel.SMS, delivery_ref=row.id, form=form(row, "delivered")
            )
        )
    assert city.reconcile().reports == 1
    assert first(city, home).state is S.DELIVERED


def test_where_no_callback_comes_the_provider_is_asked_how_it_ended(sent: tuple[World, str]) -> None:
    city, home = sent
    city.pass_time(minutes=11)
    city.reconcile()
    assert first(city, home).state is S.DELIVERED


def test_it_is_asked_as_well_where_only_the_first_callback_came(city: World) -> None:
    """The row was ACCEPTED by a callback, before the worker could say so."""
    home = city.customer()
    city.script({"do": {"api": "lost", "callback_drop": True}})
    city.approved()
    city.first_wave()
    row = first(city, home)
    (taken,) = city.simulator.messages.records.listed()
    assert report(city, row, "sent", taken["sid"]) == "applied"
    assert first(city, home).state is S.ACCEPTED
    city.pass_time(minutes=11)
    city.reconcile()
    assert first(city, home).state is S.DELIVERED


def test_a_callback_may_come_before_the_answer(city: World) -> None:
    home = city.customer()
    city.script({"do": {"answer_delay": 0.4}})
    city.approved()
    city.turn_to(city.monday + timedelta(days=2, minutes=1))
    assert send_batch.send_due(city.rt) == 1
    assert first(city, home).state is S.DELIVERED
    assert city.simulator.settle()
    assert len(city.reached()) == 1


def test_two_messages_under_one_delivery_are_never_hidden(sent: tuple[World, str]) -> None:
    city, home = sent
    row = first(city, home)
    assert report(city, row, "undelivered", "SM" + "a" * 32, ErrorCode="30003") == "outranked"
    assert first(city, home).state is S.ACCEPTED
    report(city, row, "delivered", "SM" + "a" * 32)
    with city.rt.database.read() as session:
        assert len(audit_queries.found_twice(session)) == 1
    assert not city.reconcile().holds
