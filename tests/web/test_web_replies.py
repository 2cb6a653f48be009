"""What customers text back, and what is made of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from channels.model import Channel
from outage_notify.domain.acknowledgement import AckState, AckWay
from outage_notify.domain.delivery import DeliveryState
from outage_notify.services import plan_outage
from outage_notify.services.approve_outage import approve
from outage_notify.services.read_reply import Meaning, Verdict, meaning, read_reply
from outage_notify.services.runtime import Runtime
from outage_notify.store.acknowledgement_tables import Acknowledgement, SignedReceipt
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.people_tables import ContactPoint, Customer
from outage_notify.store.work_tables import InboundMessage, Task, TaskKind
from tests.factories import town
from tests.factories.people import NOW, START


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1", Meaning.AGREE),
        (" 1. ", Meaning.AGREE),
        ("１", Meaning.AGREE),
        ("y", Meaning.AGREE),
        ("Yes!", Meaning.AGREE),
        ("收到", Meaning.AGREE),
        ("收到。", Meaning.AGREE),
        ("1 PO-2026-0001", Meaning.AGREE),
        ("收到 K7F3Q2", Meaning.AGREE),
        ("STOP", Meaning.STOP),
        ("退订", Meaning.STOP),
        ("start", Meaning.START),
        ("Not me", Meaning.NOT_ME),
        ("That's not me!", Meaning.NOT_ME),
        ("不是我", Meaning.NOT_ME),
        ("打错了。", Meaning.NOT_ME),
        ("不是我的问题", Meaning.OTHER),
        ("not me but my neighbour has a ventilator", Meaning.OTHER),
        ("1 person here is on a ventilator", Meaning.OTHER),
        ("ok but not on Saturday", Meaning.OTHER),
        ("Stop the work, we operate that day", Meaning.OTHER),
        ("1 2", Meaning.OTHER),
        ("不同意", Meaning.OTHER),
        ("", Meaning.OTHER),
        ("???", Meaning.OTHER),
    ],
)
def test_what_a_text_means(text: str, meant: Meaning) -> None:
    assert meaning(text)[0] is meant


@given(st.text(max_size=200))
def test_every_text_means_something(text: str) -> None:
    found, words = meaning(text)
    assert isinstance(found, Meaning)
    assert all(word == word.upper() for word in words)


def number_of(rt: Runtime, customer: str) -> str:
    with rt.database.read() as session:
        return (
            session.scalars(
                select(ContactPoint.address)
                .join(Customer)
                .where(Customer.customer_id == customer, ContactPoint.channel == Channel.SMS)
            ).first()
            or ""
        )


def send_all(rt: Runtime) -> None:
    """As if every waiting text had gone out."""
    with rt.database.write() as session:
        for one in session.scalars(select(Delivery).where(Delivery.state == DeliveryState.READY)):
            one.state, one.began_at = DeliveryState.ACCEPTED, NOW


def reply(rt: Runtime, text: str, customer: str = "W1", sid: str = "SM-1") -> Verdict:
    return read_reply(rt, {"MessageSid": sid, "From": number_of(rt, customer), "Body": text})


def answers(rt: Runtime) -> list[tuple[AckState, AckWay | None, str]]:
    with rt.database.read() as session:
        rows = session.scalars(select(Acknowledgement).where(Acknowledgement.answered_at.is_not(None)))
        return [(row.state, row.way, row.signer_name) for row in rows]


def test_a_confirmation_signs_for_the_customer(rt: Runtime) -> None:
    town.approved(rt)
    send_all(rt)
    assert reply(rt, "1") is Verdict.ACKNOWLEDGED
    assert answers(rt) == [(AckState.ACKNOWLEDGED, AckWay.REPLY, "City Water Works")]


def test_the_same_text_twice_is_one_answer(rt: Runtime) -> None:
    town.approved(rt)
    send_all(rt)
    assert [reply(rt, "收到"), reply(rt, "收到"), reply(rt, "收到", sid="SM-2")] == [Verdict.ACKNOWLEDGED] * 3
    with rt.database.read() as session:
        assert len(session.scalars(select(SignedReceipt)).all()) == 1
        assert len(session.scalars(select(InboundMessage)).all()) == 2


def test_a_confirmation_of_what_was_replaced_signs_nothing(rt: Runtime) -> None:
    reference = town.approved(rt)
    send_all(rt)
    plan_outage.revise(rt, town.PLANNER, reference, town.request(hours=6))
    plan_outage.submit(rt, town.PLANNER, reference)
    approve(rt, town.APPROVER, reference)
    assert reply(rt, "1") is Verdict.NOTHING_OPEN
    assert [state for state, _, _ in answers(rt) if state is AckState.ACKNOWLEDGED] == []


def test_a_household_that_was_not_asked_signs_nothing(rt: Runtime) -> None:
    town.approved(rt)
    send_all(rt)
    assert reply(rt, "1", customer="C041") is Verdict.NOTHING_OPEN
    assert answers(rt) == []


def test_a_named_reference_decides_among_several(rt: Runtime) -> None:
    first, second = town.approved(rt), town.approved(rt, START.replace(day=20))
    send_all(rt)
    assert reply(rt, f"1 {first.lower()}") is Verdict.ACKNOWLEDGED
    assert reply(rt, f"1 {second}", sid="SM-2") is Verdict.ACKNOWLEDGED
    assert len(answers(rt)) == 2


def test_who_wants_no_more_texts_gets_none_until_he_wants_them_again(rt: Runtime) -> None:
    def opted_out() -> list[bool]:
        with rt.database.read() as session:
            rows = session.scalars(select(ContactPoint).where(ContactPoint.address == number_of(rt, "W1")))
            return [row.opted_out_at is not None for row in rows if row.channel is Channel.SMS]

    assert reply(rt, "STOP") is Verdict.OPTED_OUT
    assert all(opted_out())
    assert reply(rt, "START", sid="SM-2") is Verdict.OPTED_IN
    assert not any(opted_out())


def test_a_number_that_is_somebody_else_s_gets_no_more_and_a_person_tells_the_customer(rt: Runtime) -> None:
    town.approved(rt)
    send_all(rt)
    for sid in ("SM-1", "SM-1"):
        assert reply(rt, "不是我", sid=sid) is Verdict.NOT_ME
    with rt.database.read() as session:
        rows = session.scalars(select(ContactPoint).where(ContactPoint.address == number_of(rt, "W1"))).all()
        assert rows and {row.bad_reason for row in rows} == {"said: not me"}
        (task,) = session.scalars(select(Task).where(Task.kind == TaskKind.CONTACT_BAD))
        assert task.customer is not None and task.customer.customer_id == "W1"
        assert task.outage_ref is not None and "another way" in task.note
    assert answers(rt) == []


def test_a_stranger_s_not_me_is_a_reply_for_a_person(rt: Runtime) -> None:
    form = {"MessageSid": "SM-1", "From": "+493023125000", "Body": "wrong number"}
    assert read_reply(rt, form) is Verdict.TASK


def test_what_the_program_can_not_read_is_a_task(rt: Runtime) -> None:
    town.approved(rt)
    send_all(rt)
    for _ in range(2):
        assert reply(rt, "Please not on Saturday") is Verdict.TASK
    with rt.database.read() as session:
        tasks = session.scalars(select(Task).where(Task.kind == TaskKind.REPLY)).all()
        assert [task.note for task in tasks] == ["Please not on Saturday"]
        assert tasks[0].outage_ref is not None and tasks[0].customer_ref is not None


def test_a_text_from_a_stranger_is_a_task_too(rt: Runtime) -> None:
    form = {"MessageSid": "SM-1", "From": "+493023125000", "Body": "wann kommt der Strom?"}
    assert read_reply(rt, form) is Verdict.TASK
