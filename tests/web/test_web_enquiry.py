"""The hotline: found by phone, account, name or place; told what stands; noted, corrected, sent again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from channels.model import Channel
from outage_notify.domain.delivery import DeliveryState
from outage_notify.services import answer_enquiry
from outage_notify.services.audit import audit
from outage_notify.services.runtime import Runtime
from outage_notify.store.delivery_tables import Delivery, DeliveryRecipient, Notice
from outage_notify.store.enquiry_tables import Enquiry
from outage_notify.store.people_tables import ContactPoint, Customer
from outage_notify.store.work_queries import open_task
from outage_notify.store.work_tables import Task, TaskKind
from tests.factories import town
from tests.factories.people import NOW, START
from tests.web.conftest import Person

PAGE = "/desk/enquiry"


@pytest.fixture
def hotline(app: Flask) -> Person:
    return Person(app).sign_in(town.HOTLINE)


def told(rt: Runtime, customer: str) -> list[tuple[str, int, str, DeliveryState]]:
    with rt.database.read() as session:
        rows = session.execute(
            select(Notice.kind, Notice.serial, Delivery.channel, Delivery.state)
            .join(Delivery, Delivery.notice_ref == Notice.id)
            .join(DeliveryRecipient, DeliveryRecipient.delivery_ref == Delivery.id)
            .join(Customer, Customer.id == DeliveryRecipient.customer_ref)
            .where(Customer.customer_id == customer)
            .order_by(Delivery.id)
        )
        return [(kind.value, serial, channel.value, state) for kind, serial, channel, state in rows]


def sent(rt: Runtime) -> None:
    with rt.database.write() as session:
        first = select(Notice.id).where(Notice.kind == "SEVEN_DAY")
        session.execute(
            update(Delivery)
            .where(Delivery.notice_ref.in_(first))
            .values(state=DeliveryState.DELIVERED, delivered_at=NOW)
        )


@pytest.mark.parametrize("typed", ["W1", "+4930231251", "City Water", "5 North", "w1@example.com", "W1-5"])
def test_a_caller_is_found_whatever_is_typed(hotline: Person, rt: Runtime, typed: str) -> None:
    reference = town.approved(rt)
    with rt.database.read() as session:
        number = session.scalars(
            select(ContactPoint.address)
            .join(Customer)
            .where(Customer.customer_id == "W1", ContactPoint.channel == Channel.SMS)
        ).one()
    text = number.replace("+49", "0") if typed.startswith("+") else typed
    shown = hotline.get(PAGE, query_string={"q": text}).get_data(as_text=True)
    assert "City Water Works" in shown and reference in shown and "Replacing a cable" in shown


def test_of_very_many_outages_the_next_are_shown(
    hotline: Person, rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_enquiry, "MOST_CONCERNS", 1)
    first = town.approved(rt)
    shown = hotline.get(f"{PAGE}?customer=W1").get_data(as_text=True)
    assert first in shown and "There are later ones" not in shown
    second = town.approved(rt, START + timedelta(days=70))
    shown = hotline.get(f"{PAGE}?customer=W1").get_data(as_text=True)
    assert first in shown and second not in shown and "There are later ones" in shown


def test_several_are_listed_by_name_and_place_alone(hotline: Person, rt: Runtime) -> None:
    reference = town.approved(rt)
    shown = hotline.get(PAGE, query_string={"q": "北街 3"}).get_data(as_text=True)
    assert "Who is it?" in shown and "住户 3-1" in shown and reference not in shown
    assert "Nobody fits" in hotline.get(PAGE, query_string={"q": "100%"}).get_data(as_text=True)
    assert hotline.get(PAGE, query_string={"q": "x"}).status_code == 422
    assert hotline.get(PAGE, query_string={"customer": "nobody"}).status_code == 404
    away = hotline.get(PAGE, query_string={"customer": "C011"}).get_data(as_text=True)
    assert "No planned outage concerns" in away


def test_an_enquiry_is_noted_and_shown_to_the_next(hotline: Person, rt: Runtime) -> None:
    reference = town.approved(rt)
    page = f"{PAGE}?customer=W1"
    hotline.send(f"{PAGE}/log", {"reference": reference, "note": "asks <b>why</b>"}, page=page)
    shown = hotline.get(page).get_data(as_text=True)
    assert "asks &lt;b&gt;why" in shown and "Noted down" in shown
    hotline.send(f"{PAGE}/log", {"note": " "}, page=page)
    assert "The note is empty" in hotline.get(page).get_data(as_text=True)
    with rt.database.read() as session:
        assert [one.taken_by for one in session.scalars(select(Enquiry))] == [town.HOTLINE]


def test_a_corrected_number_replaces_the_wrong_one_and_closes_its_task(hotline: Person, rt: Runtime) -> None:
    page = f"{PAGE}?customer=W1"
    with rt.database.write() as session:
        customer = session.scalars(select(Customer).where(Customer.customer_id == "W1")).one()
        old = next(one.id for one in customer.contacts if one.channel is Channel.SMS)
        open_task(session, TaskKind.CONTACT_BAD, "bad:1", NOW, customer=customer.id)
    form = {"channel": "sms", "instead_of": str(old), "address": "12"}
    hotline.send(f"{PAGE}/contact", form, page=page)
    assert "Something in the form" in hotline.get(page).get_data(as_text=True)
    for _ in range(2):
        hotline.send(f"{PAGE}/contact", form | {"address": "+49 30 23125 177"}, page=page)
    with rt.database.read() as session:
        contacts = session.scalars(
            select(ContactPoint).where(
                ContactPoint.channel == Channel.SMS, ContactPoint.customer_ref == customer.id
            )
        ).all()
        assert {(one.address, one.usable) for one in contacts if not one.backup} >= {("+493023125177", True)}
        assert not session.get_one(ContactPoint, old).usable
        assert session.scalars(select(Task)).one().done_by == town.HOTLINE


def test_a_notice_is_sent_again_under_the_next_serial_and_not_twice(hotline: Person, rt: Runtime) -> None:
    reference = town.approved(rt)
    page = f"{PAGE}?customer=W1"
    form = {"reference": reference, "channel": "sms"}
    hotline.send(f"{PAGE}/resend", form, page=page)
    assert "was sent to this customer yet" in hotline.get(page).get_data(as_text=True)
    sent(rt)
    assert "Delivered" in hotline.get(page).get_data(as_text=True)
    for _ in range(2):
        hotline.send(f"{PAGE}/resend", form, page=page)
    assert "on its way already" in hotline.get(page).get_data(as_text=True)
    again = [one for one in told(rt, "W1") if one[1] == 2]
    assert again == [("SEVEN_DAY", 2, "sms", DeliveryState.READY)]
    with rt.database.read() as session:
        found = audit(session, rt, rt.now(session))
        assert (found["untold"], found["twice"]) == ([], [])


def test_a_looker_sees_and_changes_nothing(app: Flask, rt: Runtime) -> None:
    looker = Person(app).sign_in(town.LOOKER)
    town.approved(rt)
    shown = looker.get(f"{PAGE}?customer=W1").get_data(as_text=True)
    assert "City Water Works" in shown and "/resend" not in shown and "/contact" not in shown
