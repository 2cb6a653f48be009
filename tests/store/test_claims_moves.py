"""Every function that moves a delivery, from every state: the legal moves win, all others change nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.domain.delivery import DELIVERY_MOVES, DeliveryState
from outage_notify.store import claims
from outage_notify.store.claims import Claim
from outage_notify.store.database import Database
from outage_notify.store.delivery_tables import Attempt, Delivery
from tests.factories.people import NOW, add_customer, add_delivery, add_notice, add_outage

S = DeliveryState
LEASE = timedelta(minutes=1)
LATER = NOW + timedelta(minutes=5)
FENCE = 3
HELD_STATES = {S.CLAIMED, S.SUBMITTING}


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    found = Database(migrated_url)
    yield found
    found.close()


@dataclass(frozen=True)
class Move:
    """A function of `claims`, applied to one row at NOW; where it leads, and from which states."""

    act: Callable[[Session, int], object]
    to: DeliveryState
    origins: frozenset[DeliveryState]
    lease_over: bool = False
    useless: bool = False  # past its use
    doubted: bool = False  # an earlier call may have been taken


def held(delivery: int, fence: int = FENCE) -> Claim:
    return Claim(delivery, fence)


def move(act: Callable[[Session, int], object], to: DeliveryState, *origins: DeliveryState) -> Move:
    return Move(act, to, frozenset(origins))


MOVES = {
    "claim": move(lambda s, d: claims.claim(s, Channel.SMS, "w", NOW, LEASE, 10), S.CLAIMED, S.READY),
    "begin": move(lambda s, d: claims.begin(s, held(d), "w", "sms", NOW, LEASE), S.SUBMITTING, S.CLAIMED),
    "accepted": move(
        lambda s, d: claims.accepted(s, d, NOW), S.ACCEPTED, S.READY, S.CLAIMED, S.SUBMITTING, S.IN_DOUBT
    ),
    "accepted by the holder": move(
        lambda s, d: claims.accepted(s, d, NOW, fence=FENCE),
        S.ACCEPTED,
        *(S.READY, S.CLAIMED, S.SUBMITTING, S.IN_DOUBT),
    ),
    "delivered": move(
        lambda s, d: claims.delivered(s, d, NOW),
        S.DELIVERED,
        *(S.READY, S.CLAIMED, S.SUBMITTING, S.IN_DOUBT, S.ACCEPTED, S.FAILED),
    ),
    "failed": move(lambda s, d: claims.failed(s, d, NOW), S.FAILED, S.SUBMITTING, S.IN_DOUBT, S.ACCEPTED),
    "in_doubt": move(lambda s, d: claims.in_doubt(s, held(d), NOW, LATER, ""), S.IN_DOUBT, S.SUBMITTING),
    "back_to_ready": move(
        lambda s, d: claims.back_to_ready(s, d, NOW), S.READY, S.CLAIMED, S.SUBMITTING, S.IN_DOUBT
    ),
    "call_again": move(
        lambda s, d: claims.call_again(s, d, "CA1", NOW), S.READY, S.SUBMITTING, S.IN_DOUBT, S.ACCEPTED
    ),
    "withdraw": move(
        lambda s, d: claims.withdraw(s, d, NOW, "why"), S.WITHDRAWN, S.READY, S.CLAIMED, S.IN_DOUBT
    ),
    "withdraw_unsent": move(
        lambda s, d: claims.withdraw_unsent(s, s.get_one(Delivery, d).outage_ref, NOW, "why"),
        S.WITHDRAWN,
        *(S.READY, S.CLAIMED),
    ),
    "withdraw_unsent, may have been taken": Move(
        lambda s, d: claims.withdraw_unsent(s, s.get_one(Delivery, d).outage_ref, NOW, "why"),
        S.IN_DOUBT,
        frozenset({S.READY, S.CLAIMED}),
        doubted=True,
    ),
    "take_back": move(lambda s, d: claims.take_back(s, d, NOW, "why"), S.WITHDRAWN, S.CLAIMED),
    "take_back, may have been taken": Move(
        lambda s, d: claims.take_back(s, d, NOW, "why"), S.IN_DOUBT, frozenset({S.CLAIMED}), doubted=True
    ),
    "release_expired": Move(
        lambda s, d: claims.release_expired(s, NOW), S.READY, frozenset({S.CLAIMED}), lease_over=True
    ),
    "doubt_expired": Move(
        lambda s, d: claims.doubt_expired(s, NOW, LATER),
        S.IN_DOUBT,
        frozenset({S.SUBMITTING}),
        lease_over=True,
    ),
    "expire": Move(lambda s, d: claims.expire(s, NOW), S.WITHDRAWN, frozenset({S.READY}), useless=True),
    # None of these changes a state, whatever they are called on.
    "asked": move(lambda s, d: claims.asked(s, d, LATER, counted=True), S.IN_DOUBT),
    "pause": move(lambda s, d: claims.pause(s, s.get_one(Delivery, d).outage_ref, True), S.READY),
    "check_later": move(lambda s, d: claims.check_later(s, d, LATER), S.ACCEPTED),
    "remember_provider_id": move(lambda s, d: claims.remember_provider_id(s, d, "SM1"), S.ACCEPTED),
}


def put(session: Session, state: DeliveryState, given: Move | None = None) -> int:
    """One row in `state`, held with FENCE, as if all had gone well so far."""
    customer = add_customer(session)
    row = add_delivery(session, add_notice(session, add_outage(session, [customer])), [customer], state=state)
    row.fence = FENCE
    lease_over = given is not None and given.lease_over
    row.lease_until = (NOW if lease_over else NOW + LEASE) if state in HELD_STATES else None
    if given is not None and given.doubted:
        row.doubt_since = NOW
    if given is not None and given.useless:
        row.not_after = NOW
    session.flush()
    return row.id


def state_of(database: Database, delivery: int) -> DeliveryState:
    with database.read() as session:
        return session.get_one(Delivery, delivery).state


@pytest.mark.parametrize("name", MOVES)
def test_a_move_is_made_from_its_own_states_and_from_no_other(database: Database, name: str) -> None:
    given = MOVES[name]
    for state in DeliveryState:
        with database.write() as session:
            delivery = put(session, state, given)
        with database.write() as session:
            given.act(session, delivery)
        expected = given.to if state in given.origins else state
        assert state_of(database, delivery) is expected, f"{name} from {state}"
        # What the table of the domain forbids, no function does.
        assert expected is state or expected in DELIVERY_MOVES[state]
        with database.write() as session:
            # Out of the way of the next round, for the functions that look at all rows.
            row = session.get_one(Delivery, delivery)
            row.state, row.paused = S.WITHDRAWN, True


def test_every_legal_move_is_made_by_some_function() -> None:
    made = {(origin, one.to) for one in MOVES.values() for origin in one.origins}
    legal = {(origin, to) for origin, targets in DELIVERY_MOVES.items() for to in targets}
    assert legal == made


FENCED: dict[str, Callable[[Session, Claim], bool]] = {
    "begin": lambda s, one: claims.begin(s, one, "w", "sms", NOW, LEASE),
    "failed": lambda s, one: claims.failed(s, one.delivery, NOW, fence=one.fence),
    "in_doubt": lambda s, one: claims.in_doubt(s, one, NOW, LATER, "slow"),
    "later": lambda s, one: claims.back_to_ready(s, one.delivery, LATER, fence=one.fence),
    "accepted": lambda s, one: claims.accepted(s, one.delivery, NOW, fence=one.fence),
}


@pytest.mark.parametrize("name", FENCED)
def test_a_worker_that_lost_its_row_can_not_settle_it(database: Database, name: str) -> None:
    state = S.CLAIMED if name == "begin" else S.SUBMITTING
    with database.write() as session:
        delivery = put(session, state)
    with database.write() as session:
        assert not FENCED[name](session, held(delivery, FENCE - 1))
    assert state_of(database, delivery) is state
    with database.write() as session:
        assert FENCED[name](session, held(delivery))


def test_a_row_is_not_begun_when_the_lease_ran_out(database: Database) -> None:
    with database.write() as session:
        delivery = put(session, S.CLAIMED)
        assert not claims.begin(session, held(delivery), "w", "sms", NOW + LEASE, LEASE)
        assert session.query(Attempt).count() == 0


def test_a_row_is_not_begun_when_it_was_paused_or_is_of_no_use_any_more(database: Database) -> None:
    with database.write() as session:
        paused, late = put(session, S.CLAIMED), put(session, S.CLAIMED)
        session.get_one(Delivery, paused).paused = True
        session.get_one(Delivery, late).not_after = NOW
        session.flush()
        for delivery in (paused, late):
            assert not claims.begin(session, held(delivery), "w", "sms", NOW, LEASE)


def test_the_attempt_is_on_record_before_the_call(database: Database) -> None:
    with database.write() as session:
        delivery = put(session, S.CLAIMED)
        assert claims.begin(session, held(delivery), "w", "twilio-sms", NOW, LEASE)
    with database.read() as session:
        attempt = session.query(Attempt).one()
        assert (attempt.delivery_ref, attempt.fence, attempt.outcome) == (delivery, FENCE, "")
        row = session.get_one(Delivery, delivery)
        assert (row.tries, row.began_at, row.lease_until) == (1, NOW, NOW + LEASE)


def test_a_pause_holds_what_is_in_doubt_as_well(database: Database) -> None:
    """It may come back as READY while the revision is still pending, and must then wait like the others."""
    with database.write() as session:
        delivery = put(session, S.IN_DOUBT)
        outage = session.get_one(Delivery, delivery).outage_ref
        claims.pause(session, outage, True)
        assert claims.back_to_ready(session, delivery, NOW)
        assert claims.claim(session, Channel.SMS, "w", NOW, LEASE, 10) == []
        claims.pause(session, outage, False)
        assert len(claims.claim(session, Channel.SMS, "w", NOW, LEASE, 10)) == 1


def test_a_late_delivered_outranks_a_failed_that_came_before_it(database: Database) -> None:
    with database.write() as session:
        delivery = put(session, S.SUBMITTING)
        assert claims.failed(session, delivery, NOW, code="30003")
        assert claims.delivered(session, delivery, LATER, "SM1")
        assert not claims.failed(session, delivery, LATER)
    with database.read() as session:
        row = session.get_one(Delivery, delivery)
        assert (row.state, row.accepted_at, row.delivered_at) == (S.DELIVERED, LATER, LATER)
