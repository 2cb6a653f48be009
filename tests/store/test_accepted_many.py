"""What a provider took, put on record many rows at once: each row by its own fence, each with its own id."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from outage_notify.domain.delivery import DeliveryState
from outage_notify.store import claims
from outage_notify.store.claims import Claim
from outage_notify.store.database import Database
from outage_notify.store.delivery_tables import Attempt, Delivery
from tests.factories.people import NOW, add_customer, add_delivery, add_notice, add_outage

S = DeliveryState
LEASE = timedelta(minutes=1)
CHECK = NOW + timedelta(minutes=10)
ROWS = 7


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    found = Database(migrated_url)
    yield found
    found.close()


def begun(database: Database) -> list[Claim]:
    """Rows that a worker has begun."""
    with database.write() as session:
        customer = add_customer(session)
        notice = add_notice(session, add_outage(session, [customer]))
        for number in range(ROWS):
            add_delivery(session, notice, [customer], address=f"+49302312{number:05d}")
        held = claims.claim(session, claims.Channel.SMS, "w", NOW, LEASE, ROWS)
        assert claims.begin_many(session, held, "w", "sms", NOW, LEASE) == {one.delivery for one in held}
    return held


def rows(database: Database) -> dict[int, tuple[DeliveryState, str | None]]:
    with database.read() as session:
        found = session.execute(select(Delivery.id, Delivery.state, Delivery.provider_id))
        return {row[0]: (row[1], row[2]) for row in found}


def attempts(database: Database) -> dict[int, tuple[str, str]]:
    with database.read() as session:
        found = session.execute(select(Attempt.delivery_ref, Attempt.outcome, Attempt.provider_id))
        return {row[0]: (row[1], row[2]) for row in found}


def test_each_row_gets_its_own_id(database: Database) -> None:
    held = begun(database)
    with database.write() as session:
        taken = {one: f"SM{one.delivery}" for one in reversed(held)}
        won = claims.accepted_many(session, taken, NOW, CHECK)
    assert won == {one.delivery for one in held}
    assert rows(database) == {one.delivery: (S.ACCEPTED, f"SM{one.delivery}") for one in held}
    assert attempts(database) == {one.delivery: ("accepted", f"SM{one.delivery}") for one in held}


def test_twice_is_once_and_none_is_none(database: Database) -> None:
    held = begun(database)
    with database.write() as session:
        taken = dict.fromkeys(held, "SM1")
        assert claims.accepted_many(session, {}, NOW, CHECK) == set()
        claims.accepted_many(session, taken, NOW, CHECK)
        before = {one.delivery: (S.ACCEPTED, "SM1") for one in held}
        assert claims.accepted_many(session, taken, NOW, CHECK) == set()
    assert rows(database) == before


def test_an_older_fence_and_a_state_that_has_moved_on_win_nothing(database: Database) -> None:
    held = begun(database)
    stale, told, *others = held
    with database.write() as session:
        claims.delivered(session, told.delivery, NOW, "SM-told")
        taken = dict.fromkeys(others, "SM-new")
        taken[Claim(stale.delivery, stale.fence - 1)] = "SM-stale"
        taken[told] = "SM-late"
        won = claims.accepted_many(session, taken, NOW, CHECK)
    assert won == {one.delivery for one in others}
    assert rows(database)[stale.delivery] == (S.SUBMITTING, None)
    assert rows(database)[told.delivery] == (S.DELIVERED, "SM-told")
    # What the call came to stays on record, also where the provider's own report was faster.
    assert attempts(database)[told.delivery] == ("accepted", "SM-late")
    assert attempts(database)[stale.delivery] == ("", "")
