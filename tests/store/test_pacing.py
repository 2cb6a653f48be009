"""The senders' budgets: never more than the rate allows, however many ask, and nothing while held."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.model import Channel
from outage_notify.store import migrate, pacing
from outage_notify.store.database import Database
from outage_notify.store.pacing import Bucket
from tests.factories.people import NOW

RATE = 10.0
BURST = int(RATE * pacing.BURST_SECONDS)
TEN = Bucket("a", RATE, Channel.SMS)


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    found = Database(migrated_url)
    yield found
    found.close()


@pytest.fixture(scope="module")
def plain() -> Iterator[Database]:
    """In memory; each example takes it back to the beginning."""
    found = Database("sqlite://")
    migrate.ensure(found)
    yield found
    found.close()


def spend(database: Database, wanted: int, at: float = 0.0, rate: float = RATE) -> int:
    with database.write() as session:
        return pacing.spend(session, [Bucket("a", rate, Channel.SMS)], wanted, NOW + timedelta(seconds=at))


def test_the_first_one_finds_a_full_bucket_and_no_more(database: Database) -> None:
    assert spend(database, 1000) == BURST
    assert spend(database, 1000) == 0


def test_it_fills_at_the_rate_and_not_above_the_brim(database: Database) -> None:
    spend(database, 1000)
    assert spend(database, 1000, 0.25) == 2
    assert spend(database, 1000, 0.5) == 3  # the half token was kept
    assert spend(database, 1000, 3600) == BURST


def test_a_sender_slower_than_one_per_burst_still_sends(database: Database) -> None:
    assert spend(database, 5, 0, rate=0.1) == 1
    assert spend(database, 5, 5, rate=0.1) == 0
    assert spend(database, 5, 10, rate=0.1) == 1


def test_what_found_no_row_is_given_back(database: Database) -> None:
    with database.write() as session:
        assert pacing.spend(session, [TEN], BURST, NOW) == BURST
        pacing.give_back(session, [TEN], BURST - 3)
    assert spend(database, 1000) == BURST - 3


def test_nothing_is_spent_when_the_transaction_is_rolled_back(database: Database) -> None:
    spend(database, 0)
    with pytest.raises(RuntimeError), database.write() as session:
        assert pacing.spend(session, [TEN], BURST, NOW) == BURST
        raise RuntimeError
    assert spend(database, 1000) == BURST


def test_a_held_sender_sends_nothing_until_then(database: Database) -> None:
    spend(database, 1)
    with database.write() as session:
        pacing.hold(session, "a", NOW + timedelta(seconds=30), "asked to wait")
        # An earlier end does not shorten it.
        pacing.hold(session, "a", NOW + timedelta(seconds=5), "asked to wait")
    assert spend(database, 1, 29.9) == 0
    assert spend(database, 1, 30) == 1


def test_one_held_sender_does_not_hold_another(database: Database) -> None:
    spend(database, 1)
    with database.write() as session:
        pacing.hold(session, "a", NOW + timedelta(hours=1), "asked to wait")
        assert pacing.spend(session, [Bucket("b", RATE)], 3, NOW) == 3


def test_many_workers_together_spend_no_more_than_one(database: Database) -> None:
    spend(database, 0)
    workers = 8
    together = Barrier(workers)

    def work(number: int) -> int:
        together.wait()
        # Each took its time before it waited for the others: some come with an older one.
        return sum(spend(database, 4, 0.5 - number * 0.05) for _ in range(10))

    with ThreadPoolExecutor(workers) as pool:
        spent = sum(pool.map(work, range(workers)))
    assert BURST <= spent <= BURST + RATE * 0.5


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(0, 50)), max_size=30))
def test_over_any_span_no_more_than_rate_and_burst(plain: Database, asked: list[tuple[float, int]]) -> None:
    """Requests may come in any order of their times: a worker may have waited for the lock."""
    last: datetime = NOW
    with plain.write() as session:
        session.execute(pacing.SenderState.__table__.delete())
        spent = 0
        for seconds, wanted in asked:
            at = NOW + timedelta(seconds=seconds)
            last = max(last, at)
            granted = pacing.spend(session, [TEN], wanted, at)
            assert 0 <= granted <= wanted
            spent += granted
        first = min((NOW + timedelta(seconds=seconds) for seconds, _ in asked), default=NOW)
        assert spent <= BURST + RATE * (last - first).total_seconds() + 1e-6


def test_senders_of_one_account_share_its_rate_besides_their_own(database: Database) -> None:
    account = Bucket("account twilio", 3.0)
    with database.write() as session:
        assert pacing.spend(session, [TEN, account], 100, NOW) == 6
        assert pacing.spend(session, [Bucket("calls", 100.0, Channel.VOICE), account], 100, NOW) == 0
        # What the account refused was not taken out of the number's own bucket.
        assert pacing.spend(session, [TEN], 100, NOW) == BURST - 6


def test_parts_of_a_row_add_up_to_the_share_of_the_rest(database: Database) -> None:
    spend(database, 0)
    with database.write() as session:
        kept = [pacing.rest_of(session, "a", 1, 0.25) for _ in range(8)]
        assert (sum(kept), set(kept)) == (2, {0, 1})
        assert sum(pacing.rest_of(session, "a", 7, 0.1) for _ in range(10)) == 7
        # Never all of a claim that has room for both.
        assert pacing.rest_of(session, "a", 2, 0.99) == 1


def test_a_clock_that_was_set_back_for_good_does_not_freeze_the_sender(database: Database) -> None:
    spend(database, 1000, 7200)
    assert spend(database, 1000, 0) == 0
    assert spend(database, 1000, 1) == 10
