"""Silence is followed up: each step once, in the policy's order, until a visit stands or an answer comes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from channels.model import Channel
from outage_notify.domain.acknowledgement import AckState, AckWay
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageState, RevisionState
from outage_notify.services import acknowledge, escalate
from outage_notify.services.acknowledge import Answer
from outage_notify.services.runtime import Runtime
from outage_notify.store import acknowledgement_queries as acks
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.delivery_tables import Delivery, Notice
from outage_notify.store.work_queries import events_of, open_tasks
from outage_notify.store.work_tables import TaskKind
from tests.factories.people import (
    NOW,
    START,
    add_customer,
    add_delivery,
    add_grid_manager,
    add_notice,
    add_outage,
    add_revision,
)
from tests.factories.runtimes import make_runtime

DAY = timedelta(days=1)


@pytest.fixture
def rt(migrated_url: str, tmp_path: Path) -> Iterator[Runtime]:
    runtime = make_runtime(migrated_url, tmp_path)
    yield runtime
    runtime.database.close()


def ask(
    rt: Runtime, *, told: datetime = NOW, start: datetime = START, channels: tuple[Channel, ...] = ()
) -> int:
    """One silent key customer whose first notice is due at `told`."""
    everything = (Channel.SMS, Channel.VOICE, Channel.EMAIL)
    with rt.database.write() as session:
        manager = add_grid_manager(session)
        customer = add_customer(
            session, grid_manager=manager, channels=channels or everything, backup=not channels
        )
        outage = add_outage(session, [customer], start=start)
        acknowledge.request_for(session, rt, outage, outage.standing, [customer.id], NOW)
        add_delivery(session, add_notice(session, outage, due_at=told), [customer], due_at=told)
        return acks.of_revision(session, outage.id, 1)[0].id


def row(rt: Runtime, ack: int) -> Acknowledgement:
    with rt.database.read() as session:
        return session.get_one(Acknowledgement, ack)


def reminders(rt: Runtime) -> list[tuple[int, str, bool]]:
    """(serial, channel, to the backup contact) of each reminder."""
    with rt.database.read() as session:
        statement = (
            select(Delivery)
            .join(Notice)
            .where(Notice.kind == NoticeKind.REMINDER)
            .order_by(Notice.serial, Delivery.channel)
        )
        return [
            (one.notice.serial, one.channel.value, "31253" in one.address)
            for one in session.scalars(statement)
        ]


def test_the_whole_way_from_silence_to_a_visit(rt: Runtime) -> None:
    ack = ask(rt)
    taken = [escalate.escalate_at(rt, NOW + days * DAY + timedelta(hours=1)) for days in range(6)]
    assert taken == [0, 1, 1, 1, 1, 0]
    assert reminders(rt) == [
        (1, "email", False),
        (1, "sms", False),
        (2, "voice", False),
        (3, "sms", True),
        (3, "voice", True),
    ]
    found = row(rt, ack)
    assert (found.state, found.step, found.next_step_at) == (AckState.ESCALATED, 4, None)
    with rt.database.read() as session:
        (task,) = open_tasks(session)
        assert task.kind is TaskKind.VISIT
        assert task.grid_manager is not None
        assert task.due_at == START - DAY
        escalations = [one for one in events_of(session, found.outage_ref) if one.what == "ack_escalated"]
        assert [one.detail["action"] for one in reversed(escalations)] == [
            "reminder",
            "call",
            "backup",
            "visit",
        ]


def test_steps_count_from_when_the_customer_is_told(rt: Runtime) -> None:
    ack = ask(rt, told=NOW + 2 * DAY)
    assert escalate.escalate_at(rt, NOW + 2 * DAY) == 0
    assert row(rt, ack).next_step_at == NOW + 3 * DAY
    assert row(rt, ack).state is AckState.REQUESTED
    assert escalate.escalate_at(rt, NOW + 3 * DAY) == 1


def test_a_step_is_taken_once_by_many_at_once(rt: Runtime) -> None:
    ask(rt)
    escalate.escalate_at(rt, NOW)
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: escalate.escalate_at(rt, NOW + DAY), range(4)))
    assert sum(taken) == 1
    assert len(reminders(rt)) == 2


def test_a_step_that_was_interrupted_is_taken_again_whole(rt: Runtime) -> None:
    ack = ask(rt)
    with pytest.raises(RuntimeError, match="power cut"), rt.database.write() as session:
        assert escalate.escalate_one(session, rt, ack, NOW + DAY)
        raise RuntimeError("power cut")
    assert reminders(rt) == []
    assert escalate.escalate_at(rt, NOW + DAY) == 1
    assert len(reminders(rt)) == 2


def test_an_answer_stops_it(rt: Runtime) -> None:
    ack = ask(rt)
    escalate.escalate_at(rt, NOW + DAY)
    acknowledge.answer(rt, ack, Answer(AckState.ACKNOWLEDGED, AckWay.LINK, "Anna Brandt"))
    assert [escalate.escalate_at(rt, NOW + days * DAY) for days in range(2, 6)] == [0, 0, 0, 0]


def test_a_contact_that_is_missing_is_passed_over(rt: Runtime) -> None:
    ask(rt, channels=(Channel.EMAIL,))
    assert sum(escalate.escalate_at(rt, NOW + days * DAY) for days in range(6)) == 4
    assert reminders(rt) == [(1, "email", False)]
    with rt.database.read() as session:
        assert [task.kind for task in open_tasks(session)] == [TaskKind.VISIT]


def test_it_rests_while_a_revision_is_pending_and_goes_on_when_that_is_dropped(rt: Runtime) -> None:
    ack = ask(rt)
    with rt.database.write() as session:
        outage = session.get_one(Acknowledgement, ack).outage
        pending = add_revision(session, outage, number=2, state=RevisionState.SUBMITTED)
    assert escalate.escalate_at(rt, NOW + DAY) == 0
    with rt.database.write() as session:
        session.merge(pending).state = RevisionState.DROPPED
    assert escalate.escalate_at(rt, NOW + DAY) == 1


@pytest.mark.parametrize("state", [OutageState.ACTIVE, OutageState.CANCELLED])
def test_only_an_approved_outage_is_followed_up(rt: Runtime, state: OutageState) -> None:
    ack = ask(rt)
    with rt.database.write() as session:
        session.get_one(Acknowledgement, ack).outage.state = state
    assert escalate.escalate_at(rt, NOW + 6 * DAY) == 0


def test_when_little_time_is_left_all_steps_come_before_the_start(rt: Runtime) -> None:
    start = NOW + timedelta(hours=30)
    ack = ask(rt, start=start)
    hours = [escalate.escalate_at(rt, NOW + timedelta(hours=hour)) for hour in range(30)]
    assert sum(hours) == 4
    assert row(rt, ack).step == 4
    with rt.database.read() as session:
        (task,) = open_tasks(session)
        assert task.due_at is not None
        assert task.due_at < start


@given(
    left=st.timedeltas(min_value=timedelta(minutes=1), max_value=timedelta(days=30)),
    reserve=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3)),
)
def test_a_visit_is_due_between_now_and_the_start(left: timedelta, reserve: timedelta) -> None:
    assert NOW < escalate.visit_due(NOW, NOW + left, reserve) <= NOW + left
