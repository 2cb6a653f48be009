"""What each sender may send now: token buckets, spent in the claim's transaction, shared by all workers.

A sender has a bucket of its own (so many texts of one number in a second) and may share a second
one with the other senders of its provider (so many requests of one account).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.store.sender_tables import SenderState

# A bucket holds what may be sent in this many seconds, so that a pause is made good but not a night.
BURST_SECONDS = 2.0
# No transaction waits that long for its turn: a time further back than this is a changed clock.
CLOCK_SET_BACK = timedelta(minutes=2)


@dataclass(frozen=True)
class Bucket:
    """A sender's name, or a provider's (which has no channel), and its rate."""

    name: str
    per_second: float
    channel: Channel | None = None

    @property
    def burst(self) -> float:
        return max(1.0, self.per_second * BURST_SECONDS)


def spend(session: Session, buckets: Sequence[Bucket], wanted: int, now: datetime) -> int:
    """Take up to `wanted` whole tokens of each bucket and say how many there were in all of them;
    0 while one is held.

    The buckets' rows stay locked until the transaction ends, so no two workers spend the
    same token; on roll-back nothing was spent. A changed rate counts from the next call.
    """
    # Always in the same order, so that no two workers wait for each other.
    rows = [(one, _locked(session, one, now)) for one in sorted(buckets, key=lambda one: one.name)]
    if any(row.held_until is not None and row.held_until > now for _, row in rows):
        return 0
    taken = wanted
    for bucket, row in rows:
        # Whoever waited for this lock may come with an older `now` than the one before: the time
        # between the two was paid out already and must not count again. A clock that was set back
        # for good must not freeze the bucket either.
        set_back = row.refilled_at - now > CLOCK_SET_BACK
        since = now if set_back else row.refilled_at
        earned = max(0.0, (now - since).total_seconds()) * bucket.per_second
        row.tokens, row.refilled_at = min(bucket.burst, row.tokens + earned), max(since, now)
        row.per_second, row.burst = bucket.per_second, bucket.burst
        taken = min(taken, int(row.tokens))
    for _, row in rows:
        row.tokens -= taken
    session.flush()
    return taken


def _locked(session: Session, bucket: Bucket, now: datetime) -> SenderState:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(
        insert(SenderState)
        .values(
            sender=bucket.name,
            channel=bucket.channel,
            per_second=bucket.per_second,
            burst=bucket.burst,
            tokens=bucket.burst,
            refilled_at=now,
            rest_owed=0.0,
            held_reason="",
            troubles=0,
            down_reason="",
            trial=False,
        )
        .on_conflict_do_nothing(index_elements=["sender"])
    )
    statement = select(SenderState).where(SenderState.sender == bucket.name).with_for_update()
    return session.execute(statement.execution_options(populate_existing=True)).scalar_one()


def rest_of(session: Session, sender: str, allowed: int, share: float) -> int:
    """How many of `allowed` rows are kept for lower tiers. Parts of a row add up from claim to claim,
    so that a call every second keeps its share too."""
    row = session.get_one(SenderState, sender)
    owed = row.rest_owed + allowed * share
    # A whole claim is never kept: the highest tier goes first.
    row.rest_owed = owed - int(owed)
    return min(int(owed), allowed - 1) if allowed > 1 else int(owed)


def give_back(session: Session, buckets: Sequence[Bucket], tokens: int) -> None:
    """Return tokens that found no row to be spent on, in the same transaction."""
    if tokens > 0:
        session.execute(
            update(SenderState)
            .where(SenderState.sender.in_([one.name for one in buckets]))
            .values(tokens=SenderState.tokens + tokens)
        )


def hold(session: Session, sender: str, until: datetime, reason: str) -> None:
    """Nothing of this sender is claimed or begun before `until`. A later moment already set stays."""
    session.execute(
        update(SenderState)
        .where(
            SenderState.sender == sender,
            (SenderState.held_until.is_(None)) | (SenderState.held_until < until),
        )
        .values(held_until=until, held_reason=reason)
    )


def is_held(session: Session, sender: str, now: datetime) -> bool:
    """Whether somebody has been asked to wait since this worker claimed."""
    held = session.scalar(select(SenderState.held_until).where(SenderState.sender == sender))
    return held is not None and held > now


def wave_time(count: int, per_second: float) -> timedelta:
    """How long `count` messages take at a rate."""
    return timedelta(seconds=count / per_second)
