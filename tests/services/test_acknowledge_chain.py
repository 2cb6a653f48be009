"""The chain under pressure: many signers at once, random sequences of moves, clocks that disagree."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from channels.signing import verify_chain
from outage_notify.domain.acknowledgement import ACK_MOVES, ANSWERED, AckState, AckWay
from outage_notify.domain.errors import IllegalMove
from outage_notify.services import acknowledge
from outage_notify.services.acknowledge import Answer
from outage_notify.services.runtime import Runtime
from outage_notify.store import acknowledgement_queries as acks
from outage_notify.store.acknowledgement_tables import Acknowledgement, SignedReceipt
from tests.factories.people import NOW, add_customer, add_outage
from tests.factories.runtimes import make_runtime

ANSWERS = {
    state: Answer(
        state,
        AckWay.VISIT if state is AckState.REFUSED else AckWay.LINK,
        "Anna Brandt",
        reason="surgery",
        witness="Ines Vogt",
    )
    for state in sorted(ANSWERED)
}


@pytest.fixture
def rt(migrated_url: str, tmp_path: Path) -> Iterator[Runtime]:
    runtime = make_runtime(migrated_url, tmp_path)
    yield runtime
    runtime.database.close()


def ask(rt: Runtime, customers: int) -> list[int]:
    with rt.database.write() as session:
        asked = [add_customer(session, backup=False, channels=()) for _ in range(customers)]
        outage = add_outage(session, asked)
        acknowledge.request_for(session, rt, outage, outage.standing, [one.id for one in asked], NOW)
        return [one.id for one in acks.of_revision(session, outage.id, 1)]


def lines(rt: Runtime) -> list[str]:
    with rt.database.read() as session:
        return list(session.scalars(select(SignedReceipt.jws).order_by(SignedReceipt.sequence)))


def test_signers_at_once_make_one_chain_without_a_gap(rt: Runtime) -> None:
    signers, each = 6, 5
    mine = ask(rt, signers * each)
    assert rt.signing_key.kid  # made before the race, as a server does at its start
    together = threading.Barrier(signers)

    def sign(number: int) -> None:
        together.wait()
        for ack in mine[number::signers]:
            acknowledge.answer(rt, ack, ANSWERS[AckState.ACKNOWLEDGED])

    with ThreadPoolExecutor(signers) as pool:
        list(pool.map(sign, range(signers)))
    report = verify_chain(lines(rt), rt.signing_key.public_jwks)
    assert report.ok, str(report)
    assert report.count == signers * each


def test_of_two_answers_at_once_exactly_one_wins(rt: Runtime) -> None:
    for ack in ask(rt, 8):
        together = threading.Barrier(2)

        def give(_: int, ack: int = ack, together: threading.Barrier = together) -> bool:
            together.wait()
            try:
                acknowledge.answer(rt, ack, ANSWERS[AckState.ACKNOWLEDGED])
            except IllegalMove as error:
                assert "is ACKNOWLEDGED since" in str(error)
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(give, range(2))) == [False, True]
    assert verify_chain(lines(rt), rt.signing_key.public_jwks).count == 8


def test_an_answer_that_fails_leaves_no_link(rt: Runtime) -> None:
    first, second = ask(rt, 2)
    with pytest.raises(RuntimeError, match="power cut"), rt.database.write() as session:
        row = session.get_one(Acknowledgement, first)
        acknowledge.answer_in(session, rt, row, ANSWERS[AckState.ACKNOWLEDGED], NOW)
        raise RuntimeError("power cut")
    assert acknowledge.answer(rt, second, ANSWERS[AckState.REFUSED]).sequence == 1
    with rt.database.read() as session:
        assert session.get_one(Acknowledgement, first).state is AckState.REQUESTED


def test_time_never_runs_backwards_along_the_chain(rt: Runtime) -> None:
    first, second = ask(rt, 2)
    with rt.database.write() as session:
        for ack, now in ((first, NOW), (second, NOW - timedelta(seconds=3))):
            row = session.get_one(Acknowledgement, ack)
            acknowledge.answer_in(session, rt, row, ANSWERS[AckState.ACKNOWLEDGED], now)
    report = verify_chain(lines(rt), rt.signing_key.public_jwks)
    assert report.ok, str(report)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(wanted=st.lists(st.sampled_from([*sorted(ANSWERED), "start", "supersede", "escalate"]), max_size=8))
def test_whatever_is_tried_only_legal_moves_happen(rt: Runtime, wanted: list[str]) -> None:
    (ack,) = ask(rt, 1)
    before = len(lines(rt))
    state, answers = AckState.REQUESTED, 0
    for step in wanted:
        with rt.database.write() as session:
            row = session.get_one(Acknowledgement, ack)
            if step == "start":
                target = AckState.UNREACHED
                acknowledge.close_at_start(session, rt, row.outage, NOW)
            elif step == "supersede":
                target = AckState.SUPERSEDED
                acknowledge.supersede(session, row.outage, 2, NOW)
            elif step == "escalate":
                target = AckState.ESCALATED
                acks.move(session, ack, target)
            else:
                target = AckState(step)
                legal = target in ACK_MOVES[state]
                try:
                    acknowledge.answer_in(session, rt, row, ANSWERS[target], NOW)
                    assert legal
                    answers += 1
                except IllegalMove:
                    assert not legal
        if target in ACK_MOVES[state]:
            state = target
        with rt.database.read() as session:
            assert session.get_one(Acknowledgement, ack).state is state
    report = verify_chain(lines(rt), rt.signing_key.public_jwks)
    assert report.ok, str(report)
    assert report.count == before + answers
