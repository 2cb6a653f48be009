"""Several claimers at once: a row has one holder, the important ones go first, nobody waits for a lock."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import text

from channels.model import Channel
from outage_notify.domain.delivery import DeliveryState
from outage_notify.store import claims
from outage_notify.store.claims import Claim
from outage_notify.store.database import Database
from outage_notify.store.delivery_tables import Delivery
from tests.factories.people import NOW, add_customer, add_delivery, add_notice, add_outage

LEASE = timedelta(minutes=1)
ROWS = 120
CLAIMERS = 6


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    found = Database(migrated_url)
    yield found
    found.close()


def fill(database: Database, count: int = ROWS) -> list[int]:
    with database.write() as session:
        customer = add_customer(session)
        notice = add_notice(session, add_outage(session, [customer]))
        return [
            add_delivery(session, notice, [customer], address=f"+49302312{number:05d}").id
            for number in range(count)
        ]


def claim(database: Database, worker: str, limit: int) -> list[Claim]:
    with database.write() as session:
        return claims.claim(session, Channel.SMS, worker, NOW, LEASE, limit)


def test_of_many_claimers_no_two_hold_the_same_row(database: Database) -> None:
    rows = fill(database)
    together = Barrier(CLAIMERS)

    def work(number: int) -> list[int]:
        together.wait()
        mine: list[int] = []
        # PostgreSQL's SKIP LOCKED may find nothing while the others hold their locks.
        empty = 0
        while empty < 20:
            found = [one.delivery for one in claim(database, f"w{number}", 7)]
            empty = 0 if found else empty + 1
            mine += found
        return mine

    with ThreadPoolExecutor(CLAIMERS) as pool:
        shares = list(pool.map(work, range(CLAIMERS)))
    everything = [one for share in shares for one in share]
    assert sorted(everything) == rows
    with database.read() as session:
        for number, share in enumerate(shares):
            for delivery in share:
                row = session.get_one(Delivery, delivery)
                assert (row.claimed_by, row.fence, row.state) == (f"w{number}", 1, DeliveryState.CLAIMED)


def test_of_many_beginners_one_begins(database: Database) -> None:
    fill(database, 1)
    (mine,) = claim(database, "w", 1)
    together = Barrier(CLAIMERS)

    def begin(number: int) -> bool:
        together.wait()
        with database.write() as session:
            return claims.begin(session, mine, "w", "sms", NOW, LEASE)

    with ThreadPoolExecutor(CLAIMERS) as pool:
        assert sum(pool.map(begin, range(CLAIMERS))) == 1


def test_either_it_is_withdrawn_or_it_was_begun(database: Database) -> None:
    """Cancel and begin at the same moment: never both, never neither."""
    rows = fill(database, 40)
    mine = claim(database, "w", 40)
    with database.read() as session:
        outage = session.get_one(Delivery, rows[0]).outage_ref
    together = Barrier(2)

    def begin() -> list[int]:
        together.wait()
        begun = []
        for one in mine:
            with database.write() as session:
                if claims.begin(session, one, "w", "sms", NOW, LEASE):
                    begun.append(one.delivery)
        return begun

    def withdraw() -> int:
        together.wait()
        with database.write() as session:
            return claims.withdraw_unsent(session, outage, NOW, "cancelled")

    with ThreadPoolExecutor(2) as pool:
        beginning, withdrawing = pool.submit(begin), pool.submit(withdraw)
        begun, withdrawn = beginning.result(), withdrawing.result()
    assert len(begun) + withdrawn == len(rows)
    with database.read() as session:
        states = {one: session.get_one(Delivery, one).state for one in rows}
    assert {one for one, state in states.items() if state is DeliveryState.SUBMITTING} == set(begun)


def test_the_most_important_goes_first_then_the_one_that_waits_longest(database: Database) -> None:
    rows = fill(database, 4)
    with database.write() as session:
        for delivery, priority, minutes in zip(rows, (2, 0, 2, 1), (1, 1, 9, 1), strict=True):
            row = session.get_one(Delivery, delivery)
            row.priority, row.due_at = priority, NOW - timedelta(minutes=minutes)
    found = [one.delivery for one in claim(database, "w", 3)]
    assert found == [rows[1], rows[3], rows[2]]


def test_what_is_not_due_paused_or_over_is_left_alone(database: Database) -> None:
    early, paused, over, other, due = fill(database, 5)
    with database.write() as session:
        session.get_one(Delivery, early).due_at = NOW + timedelta(seconds=1)
        session.get_one(Delivery, paused).paused = True
        session.get_one(Delivery, over).not_after = NOW
        session.get_one(Delivery, other).channel = Channel.EMAIL
    assert [one.delivery for one in claim(database, "w", 9)] == [due]


def test_each_claim_raises_the_fence(database: Database) -> None:
    fill(database, 1)
    (first,) = claim(database, "w1", 1)
    with database.write() as session:
        assert claims.release_expired(session, NOW + LEASE) == 1
    (second,) = claim(database, "w2", 1)
    assert second.fence == first.fence + 1
    with database.write() as session:
        assert not claims.begin(session, first, "w1", "sms", NOW, LEASE)
        assert claims.begin(session, second, "w2", "sms", NOW, LEASE)


def test_a_claimer_does_not_wait_for_another_ones_locks(postgres_url: str) -> None:
    from outage_notify.store import migrate

    database = Database(postgres_url)
    try:
        migrate.ensure(database)
        rows = fill(database, 6)
        with database.write() as first:
            held = claims.claim(first, Channel.SMS, "w1", NOW, LEASE, 4)
            with database.write() as second:
                second.execute(text("SET LOCAL lock_timeout = '2s'"))
                others = claims.claim(second, Channel.SMS, "w2", NOW, LEASE, 4)
        assert sorted(one.delivery for one in held) == rows[:4]
        assert sorted(one.delivery for one in others) == rows[4:]
    finally:
        database.close()


def test_letters_are_never_in_doubt_since_no_worker_holds_them(database: Database) -> None:
    (delivery,) = fill(database, 1)
    with database.write() as session:
        row = session.get_one(Delivery, delivery)
        row.channel, row.state = Channel.LETTER, DeliveryState.SUBMITTING
        session.flush()
        assert claims.doubt_expired(session, NOW, NOW) == 0


def fill_tiers(database: Database, counts: dict[int, int]) -> dict[int, int]:
    """{delivery: priority}"""
    with database.write() as session:
        customer = add_customer(session)
        notice = add_notice(session, add_outage(session, [customer]))
        made = {}
        for priority, count in counts.items():
            for number in range(count):
                address = f"+49302{priority}{number:06d}"
                row = add_delivery(session, notice, [customer], address=address)
                row.priority = priority
                made[row.id] = priority
        return made


def claimed(database: Database, tiers: dict[int, int], limit: int, rest: int) -> dict[int, int]:
    """How many rows of each priority one claim takes."""
    with database.write() as session:
        held = claims.claim(session, Channel.SMS, "w", NOW, LEASE, limit, rest)
    found: dict[int, int] = {}
    for one in held:
        found[tiers[one.delivery]] = found.get(tiers[one.delivery], 0) + 1
    return found


@pytest.mark.parametrize(
    ("waiting", "limit", "rest", "taken"),
    [
        # A wave of one tier that fills the claim leaves the share to all below it.
        ({1: 80, 6: 80}, 50, 5, {1: 45, 6: 5}),
        ({1: 80, 3: 80, 6: 80}, 50, 5, {1: 45, 3: 4, 6: 1}),
        # What nobody below needs is not lost.
        ({1: 80, 6: 2}, 50, 5, {1: 48, 6: 2}),
        ({6: 80}, 50, 5, {6: 50}),
        ({1: 10, 6: 80}, 50, 5, {1: 10, 6: 40}),
        # Without a share it is strictly by tier; one call at a time, the others have their turn whole.
        ({1: 80, 6: 80}, 50, 0, {1: 50}),
        ({1: 80, 6: 80}, 1, 1, {6: 1}),
    ],
)
def test_a_share_is_kept_for_the_lower_tiers(
    database: Database, waiting: dict[int, int], limit: int, rest: int, taken: dict[int, int]
) -> None:
    tiers = fill_tiers(database, waiting)
    found = claimed(database, tiers, limit, rest)
    assert found == taken
