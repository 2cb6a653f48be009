"""Signing: who may answer what, what is signed, and what follows from an answer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from channels.model import Channel
from channels.signing import verify_receipt
from outage_notify.domain.acknowledgement import AckState, AckWay
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.errors import Conflict, IllegalMove, InvalidInput
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageState, RevisionState
from outage_notify.services import acknowledge
from outage_notify.services.acknowledge import Answer
from outage_notify.services.runtime import Runtime
from outage_notify.store import acknowledgement_queries as acks
from outage_notify.store.acknowledgement_tables import Acknowledgement, SignedReceipt
from outage_notify.store.outage_tables import Outage
from outage_notify.store.people_tables import Customer
from outage_notify.store.work_queries import events_of, open_task, open_tasks
from outage_notify.store.work_tables import TaskKind
from tests.factories.people import NOW, add_customer, add_delivery, add_notice, add_outage, add_revision
from tests.factories.runtimes import make_runtime

SIGNED = Answer(AckState.ACKNOWLEDGED, AckWay.LINK, "Dr. Anna Brandt", "head of engineering")
REFUSED = Answer(AckState.REFUSED, AckWay.VISIT, "Anna Brandt", reason="not convenient", witness="Ines Vogt")
OBJECTED = Answer(AckState.OBJECTED, AckWay.LINK, "Anna Brandt", reason="surgery", wished="a Sunday")


@pytest.fixture
def rt(migrated_url: str, tmp_path: Path) -> Iterator[Runtime]:
    runtime = make_runtime(migrated_url, tmp_path)
    yield runtime
    runtime.database.close()


def ask(rt: Runtime, customers: int = 1) -> list[int]:
    """An approved outage whose key customers were asked; their acknowledgements."""
    with rt.database.write() as session:
        asked = [add_customer(session) for _ in range(customers)]
        outage = add_outage(session, asked)
        acknowledge.request_for(session, rt, outage, outage.standing, [one.id for one in asked], NOW)
        return [one.id for one in acks.of_revision(session, outage.id, 1)]


def state_of(rt: Runtime, ack: int) -> AckState:
    with rt.database.read() as session:
        return session.get_one(Acknowledgement, ack).state


def test_asking_twice_asks_once(rt: Runtime) -> None:
    with rt.database.write() as session:
        customers = [add_customer(session) for _ in range(3)]
        outage = add_outage(session, customers)
        ids = [one.id for one in customers]
        assert acknowledge.request_for(session, rt, outage, outage.standing, ids[:2], NOW) == 2
        assert acknowledge.request_for(session, rt, outage, outage.standing, ids, NOW) == 1
        assert acknowledge.request_for(session, rt, outage, outage.standing, ids, NOW) == 0
        assert len(acks.of_revision(session, outage.id, 1)) == 3


def test_what_is_signed_is_the_text_that_was_shown(rt: Runtime) -> None:
    (ack,) = ask(rt)
    with rt.database.read() as session:
        text, sha256 = acknowledge.notice_text(session, rt, session.get_one(Acknowledgement, ack))
    assert "1 River Road" in text
    assert "http" not in text
    receipt = acknowledge.answer(rt, ack, replace(SIGNED, shown_sha256=sha256))
    signed = verify_receipt(receipt.jws, rt.signing_key.public_jwks)
    assert signed.text_sha256 == sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert (signed.sequence, signed.answer, signed.way) == (1, "ACKNOWLEDGED", "link")
    assert (signed.signer_name, signed.signer_role) == ("Dr. Anna Brandt", "head of engineering")
    assert signed.at == NOW
    with rt.database.read() as session:
        row = session.get_one(Acknowledgement, ack)
        assert (row.text, row.text_sha256) == (text, sha256)
        assert (row.state, row.answered_at, row.next_step_at) == (AckState.ACKNOWLEDGED, NOW, None)
        assert list(acks.kept_keys(session)) == [rt.signing_key.kid]


def test_a_text_that_changed_since_it_was_shown_is_not_signed(rt: Runtime) -> None:
    (ack,) = ask(rt)
    with rt.database.write() as session:
        row = session.get_one(Acknowledgement, ack)
        _, shown = acknowledge.notice_text(session, rt, row)
        row.customer.service_points[0].place = "2 River Road"
    with pytest.raises(Conflict, match="changed after it was shown"):
        acknowledge.answer(rt, ack, replace(SIGNED, shown_sha256=shown))
    assert state_of(rt, ack) is AckState.REQUESTED
    with rt.database.read() as session:
        assert session.scalar(select(func.count()).select_from(SignedReceipt)) == 0


def test_the_second_answer_learns_what_stands(rt: Runtime) -> None:
    (ack,) = ask(rt)
    acknowledge.answer(rt, ack, SIGNED)
    with pytest.raises(
        IllegalMove, match=r"is ACKNOWLEDGED since 2026-03-02 08:00:00 UTC \(link\)"
    ) as caught:
        acknowledge.answer(rt, ack, REFUSED)
    assert "Anna" not in str(caught.value)
    assert state_of(rt, ack) is AckState.ACKNOWLEDGED


def test_an_objection_becomes_a_task_and_can_be_settled(rt: Runtime) -> None:
    (ack,) = ask(rt)
    acknowledge.answer(rt, ack, OBJECTED)
    with rt.database.read() as session:
        (task,) = open_tasks(session)
        assert task.kind is TaskKind.OBJECTION
        assert task.note == "Wished: a Sunday. surgery"
    receipt = acknowledge.answer(rt, ack, SIGNED, by="dispatcher")
    assert receipt.sequence == 2
    with rt.database.read() as session:
        assert open_tasks(session) == []


def test_an_answer_ends_visit_and_reminders_of_that_customer_only(rt: Runtime) -> None:
    mine, other = ask(rt, 2)
    with rt.database.write() as session:
        rows = [session.get_one(Acknowledgement, one) for one in (mine, other)]
        notice = add_notice(session, rows[0].outage, NoticeKind.REMINDER)
        first = add_notice(session, rows[0].outage)
        waiting = [add_delivery(session, notice, [row.customer], Channel.EMAIL) for row in rows]
        shared = add_delivery(
            session, notice, [row.customer for row in rows], Channel.SMS, address="+4930231259"
        )
        announcement = add_delivery(session, first, [rows[0].customer], Channel.SMS)
        ids = [one.id for one in (*waiting, shared, announcement)]
        for row in rows:
            open_task(
                session, TaskKind.VISIT, f"v:{row.id}", NOW, outage=row.outage_ref, customer=row.customer_ref
            )
    acknowledge.answer(rt, mine, SIGNED)
    with rt.database.read() as session:
        states = [session.get_one(type(waiting[0]), one).state for one in ids]
        ready = DeliveryState.READY
        assert states == [DeliveryState.WITHDRAWN, ready, ready, ready]
        assert [task.dedupe for task in open_tasks(session)] == [f"v:{other}"]


@pytest.mark.parametrize("change", [{"reason": " "}, {"witness": ""}])
def test_a_refusal_needs_witness_and_reason(change: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="witness"):
        replace(REFUSED, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("way", [AckWay.LINK, AckWay.REPLY, AckWay.KEY_PRESS])
def test_who_is_alone_with_a_page_or_a_phone_refuses_nothing(way: AckWay) -> None:
    with pytest.raises(InvalidInput, match="at a visit, or on paper"):
        replace(REFUSED, way=way)
    assert replace(REFUSED, way=AckWay.PAPER).state is AckState.REFUSED


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"signer_name": "  "}, "signer_name"),
        ({"signer_name": "x" * 201}, "signer_name"),
        ({"signer_role": "a\x00b"}, "signer_role"),
        ({"state": AckState.UNREACHED}, "UNREACHED"),
        ({"state": AckState.OBJECTED}, "objection"),
        ({"slip_date": NOW.date()}, "slip_date"),
    ],
)
def test_an_answer_that_cannot_stand_names_its_field(fields: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        replace(SIGNED, **fields)  # type: ignore[arg-type]


def test_witness_and_date_of_the_slip_are_in_the_receipt(rt: Runtime) -> None:
    (ack,) = ask(rt)
    with pytest.raises(InvalidInput, match="future"):
        acknowledge.answer(rt, ack, replace(REFUSED, slip_date=NOW.date() + timedelta(days=1)))
    receipt = acknowledge.answer(rt, ack, replace(REFUSED, slip_date=NOW.date()))
    signed = verify_receipt(receipt.jws, rt.signing_key.public_jwks)
    wanted = {"reason": "not convenient", "witness": "Ines Vogt", "slip_date": "2026-03-02"}
    wanted["level"] = "witnessed"
    assert dict(signed.details) == wanted


def revise(rt: Runtime, ack: int) -> tuple[int, int]:
    """A revision 2 is approved and asked for; the outage and its customer."""
    with rt.database.write() as session:
        row = session.get_one(Acknowledgement, ack)
        outage, customer = row.outage, row.customer
        revision = add_revision(session, outage, [customer], number=2)
        acknowledge.supersede(session, outage, 2, NOW)
        acknowledge.request_for(session, rt, outage, revision, [customer.id], NOW)
        return outage.id, customer.id


def test_a_revision_makes_old_answers_stale_and_asks_again(rt: Runtime) -> None:
    (ack,) = ask(rt)
    first = acknowledge.answer(rt, ack, SIGNED)
    outage, customer = revise(rt, ack)
    assert state_of(rt, ack) is AckState.SUPERSEDED
    with pytest.raises(IllegalMove, match="replaced by revision 2"):
        acknowledge.answer(rt, ack, SIGNED)
    with rt.database.read() as session:
        again = acks.standing_of(session, outage, customer)
        assert again is not None
        assert (again.revision, again.state) == (2, AckState.REQUESTED)
    second = acknowledge.answer(rt, again.id, SIGNED)
    assert (second.sequence, second.previous_sha256) == (2, first.sha256)


def test_a_key_pressed_on_a_stale_call_signs_nothing(rt: Runtime) -> None:
    (ack,) = ask(rt)
    outage, customer = revise(rt, ack)

    def press(revision: int) -> SignedReceipt | None:
        with rt.database.write() as session:
            return acknowledge.answer_by_customer(
                session, rt, customer, outage, AckWay.KEY_PRESS, "Anna Brandt", NOW, revision=revision
            )

    assert press(1) is None
    receipt, again = press(2), press(2)
    assert receipt is not None
    assert again is not None
    assert again.sequence == receipt.sequence == 1


def test_a_customer_who_was_not_asked_signs_nothing(rt: Runtime) -> None:
    with rt.database.write() as session:
        customer = add_customer(session)
        outage = add_outage(session, [customer])
        done = acknowledge.answer_by_customer(
            session, rt, customer.id, outage.id, AckWay.REPLY, "Anna Brandt", NOW, revision=1
        )
        assert done is None


def test_at_the_start_silence_is_unreached_and_an_answer_comes_too_late(rt: Runtime) -> None:
    silent, signed = ask(rt, 2)
    acknowledge.answer(rt, signed, SIGNED)
    with rt.database.write() as session:
        outage = session.get_one(Acknowledgement, silent).outage
        outage.state = OutageState.ACTIVE
        session.flush()
        assert acknowledge.close_at_start(session, rt, outage, NOW) == 1
        assert acknowledge.close_at_start(session, rt, outage, NOW) == 0
        assert "ack_unreached" in {event.what for event in events_of(session, outage.id)}
    assert (state_of(rt, silent), state_of(rt, signed)) == (AckState.UNREACHED, AckState.ACKNOWLEDGED)
    with pytest.raises(IllegalMove, match="UNREACHED"):
        acknowledge.answer(rt, silent, SIGNED)


@pytest.mark.parametrize("state", [OutageState.CANCELLED, OutageState.COMPLETED])
def test_what_is_over_takes_no_answer(rt: Runtime, state: OutageState) -> None:
    (ack,) = ask(rt)
    with rt.database.write() as session:
        session.get_one(Acknowledgement, ack).outage.state = state
    with pytest.raises(IllegalMove, match=state):
        acknowledge.answer(rt, ack, SIGNED)


def test_a_pending_revision_leaves_the_standing_one_to_be_signed(rt: Runtime) -> None:
    (ack,) = ask(rt)
    with rt.database.write() as session:
        outage: Outage = session.get_one(Acknowledgement, ack).outage
        customer: Customer = session.get_one(Acknowledgement, ack).customer
        add_revision(session, outage, [customer], number=2, state=RevisionState.SUBMITTED)
    acknowledge.answer(rt, ack, SIGNED)
    assert state_of(rt, ack) is AckState.ACKNOWLEDGED


def test_a_key_pressed_too_late_signs_nothing_and_breaks_nothing(rt: Runtime) -> None:
    (ack,) = ask(rt)
    with rt.database.write() as session:
        row = session.get_one(Acknowledgement, ack)
        acknowledge.close_at_start(session, rt, row.outage, NOW)
        done = acknowledge.answer_by_customer(
            session, rt, row.customer_ref, row.outage_ref, AckWay.KEY_PRESS, "Anna Brandt", NOW, revision=1
        )
        assert done is None
        row.customer.name = "written after it"
    with rt.database.read() as session:
        assert session.get_one(Acknowledgement, ack).customer.name == "written after it"
