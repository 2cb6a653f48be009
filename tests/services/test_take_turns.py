"""A planner who changes an outage and workers in the midst of its wave wait for each other in one order only.

On PostgreSQL, with a third transaction that holds one row until both stand before it: whoever
locked rows in an order of his own would then wait for the other for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy import select, text, update

from channels.model import Channel
from outage_notify.domain.delivery import DeliveryState
from outage_notify.services import begin_batch, plan_outage, run_outage
from outage_notify.store import claims
from outage_notify.store.claims import Claim
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.work_queries import record
from tests.factories.world import World, world

S = DeliveryState
LEASE = timedelta(minutes=5)
PEOPLE = 20
BLOCKED = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
pytestmark = pytest.mark.parametrize("migrated_url", ["postgresql"], indirect=True)


@pytest.fixture
def town(migrated_url: str, tmp_path: Path) -> Iterator[World]:
    with world(migrated_url, tmp_path) as made:
        for _ in range(PEOPLE):
            made.customer(voice=None, email=None)
        yield made


def claimed(town: World) -> tuple[str, list[Claim]]:
    """An approved outage, and its first wave in the hands of a worker."""
    reference = town.approved()
    town.turn_to(town.monday + timedelta(days=2, minutes=1))
    with town.rt.database.write() as session:
        held = claims.claim(session, Channel.SMS, "w", town.rt.now(session), LEASE, PEOPLE)
    assert len(held) == PEOPLE
    # In the table they come to stand the other way round, as they may after many a change: a statement
    # that goes through the table meets them in another order than one that goes by their ids.
    for one in sorted(held, key=lambda one: -one.delivery):
        with town.rt.database.write() as session:
            session.execute(update(Delivery).where(Delivery.id == one.delivery).values(detail="moved"))
    return reference, held


def until_blocked(town: World, count: int) -> None:
    """Wait until so many transactions wait for a lock."""
    deadline = monotonic() + 60
    while True:
        with town.rt.database.read() as session:
            if session.scalar(BLOCKED) == count:
                return
        assert monotonic() < deadline, "nobody came to wait"


@pytest.mark.parametrize("change", ["revise", "cancel"])
def test_begin_and_change_lock_in_one_order(town: World, change: str) -> None:
    reference, held = claimed(town)
    rows = sorted(one.delivery for one in held)

    def changed() -> object:
        if change == "cancel":
            return run_outage.cancel(town.rt, "petra", reference, "not needed")
        return plan_outage.revise(town.rt, "petra", reference, town.request(days=12))

    with ThreadPoolExecutor(2) as pool:
        with town.rt.database.write() as holder:
            holder.execute(select(Delivery.id).where(Delivery.id == rows[PEOPLE // 2]).with_for_update())
            begun = pool.submit(begin_batch.begin, town.rt, town.rt.senders[Channel.SMS], held, LEASE)
            until_blocked(town, 1)
            other = pool.submit(changed)
            until_blocked(town, 2)
        ready = begun.result(60)
        other.result(60)
    # One was first, and the other found things as the first had left them.
    assert len(ready) in {0, PEOPLE}
    after = [one.state for one in town.deliveries() if one.id in rows]
    gone = {"cancel": S.WITHDRAWN, "revise": S.CLAIMED}[change]
    assert set(after) == {S.SUBMITTING if ready else gone}


def test_a_worker_may_note_something_about_an_outage_that_is_being_changed(town: World) -> None:
    """Its rows are waited for by whoever has locked the outage: it must not wait for that lock in turn."""
    reference, held = claimed(town)
    outage = town.deliveries()[0].outage_ref
    with ThreadPoolExecutor(1) as pool:
        with town.rt.database.write() as worker:
            claims.hold(worker, [one.delivery for one in held])
            other = pool.submit(plan_outage.revise, town.rt, "petra", reference, town.request(days=12))
            until_blocked(town, 1)
            record(worker, town.rt.now(worker), "worker", "expired_unsent", outage=outage)
            worker.flush()
        other.result(60)
    paused = [one.paused for one in town.deliveries() if one.outage_ref == outage]
    assert all(paused)
