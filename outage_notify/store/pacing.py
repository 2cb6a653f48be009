"""What each sender may send now: token buckets, spent in the claim's transaction, shared by all workers."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.store.delivery_tables import SenderBudget

# A bucket holds what may be sent in this many seconds, so that a pause is made good but not a night.
BURST_SECONDS = 2.0
# No transaction waits that long for its turn: a time further back than this is a changed clock.
CLOCK_SET_BACK = timedelta(minutes=2)


def spend(session: Session, channel: Channel, per_second: float, wanted: int, now: datetime) -> int:
    """Take up to `wanted` whole tokens and say how many there were; 0 while the sender is held.

    The bucket's row stays locked until the transaction ends, so no two workers spend the
    same token; on roll-back nothing was spent. A changed rate counts from the next call.
    """
    burst = max(1.0, per_second * BURST_SECONDS)
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(
        insert(SenderBudget)
        .values(
            channel=channel, per_second=per_second, burst=burst, tokens=burst, refilled_at=now, held_reason=""
        )
        .on_conflict_do_nothing(index_elements=["channel"])
    )
    bucket = session.execute(
        select(SenderBudget).where(SenderBudget.channel == channel).with_for_update()
    ).scalar_one()
    session.refresh(bucket)
    if bucket.held_until is not None and bucket.held_until > now:
        return 0
    # Whoever waited for this lock may come with an older `now` than the one before: the time
    # between the two was paid out already and must not count again. A clock that was set back
    # for good must not freeze the bucket either.
    set_back = bucket.refilled_at - now > CLOCK_SET_BACK
    since = now if set_back else bucket.refilled_at
    tokens = min(burst, bucket.tokens + max(0.0, (now - since).total_seconds()) * per_second)
    taken = min(wanted, int(tokens))
    bucket.tokens = tokens - taken
    bucket.refilled_at = max(since, now)
    bucket.per_second, bucket.burst = per_second, burst
    session.flush()
    return taken


def give_back(session: Session, channel: Channel, tokens: int) -> None:
    """Return tokens that found no row to be spent on, in the same transaction."""
    if tokens > 0:
        session.execute(
            update(SenderBudget)
            .where(SenderBudget.channel == channel)
            .values(tokens=SenderBudget.tokens + tokens)
        )


def hold(session: Session, channel: Channel, until: datetime, reason: str) -> None:
    """Nothing of this channel is claimed before `until`. A later moment already set stays."""
    session.execute(
        update(SenderBudget)
        .where(
            SenderBudget.channel == channel,
            (SenderBudget.held_until.is_(None)) | (SenderBudget.held_until < until),
        )
        .values(held_until=until, held_reason=reason)
    )


def wave_time(count: int, per_second: float) -> timedelta:
    """How long `count` messages take at a rate."""
    return timedelta(seconds=count / per_second)
