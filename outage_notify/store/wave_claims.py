"""A worker's moves of many rows at once: claim them, begin them, note what the provider took.

The same guards as in `claims`: legal predecessors and the fencing token of each row stand
in the WHERE, and RETURNING says which rows were won. One statement moves a whole chunk,
because a statement for each row costs more than the call to the provider.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Executable,
    FromClause,
    Integer,
    String,
    Table,
    bindparam,
    case,
    delete,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.orm import Session

from channels.model import Channel, OutcomeKind
from outage_notify.domain.audience import PRIORITIES
from outage_notify.domain.delivery import DeliveryState, predecessors
from outage_notify.store.delivery_tables import Attempt, Delivery
from outage_notify.store.listed import dialect_of, rows_of, table_of

S = DeliveryState
D = cast(Table, Delivery.__table__)
A = cast(Table, Attempt.__table__)
# Spelled out in the statement and no parameter: the indices of what is due and what is open hold
# certain states alone, and a plan that is kept must know that it may use them.
_READY: ColumnElement[str] = literal_column(f"'{S.READY.value}'")


@dataclass(frozen=True)
class Claim:
    """A row held by a worker: only the holder of this fence may begin or settle it."""

    delivery: int
    fence: int


def claim(
    session: Session,
    channel: Channel,
    worker: str,
    now: datetime,
    lease: timedelta,
    limit: int,
    rest: int = 0,
) -> list[Claim]:
    """Hold up to `limit` due rows of a channel, the most important first.

    `rest` of them are kept for the priorities below the one that would fill the claim alone, so
    that a wave of key customers slows down everybody else's and does not stop it.

    One statement for each priority, so that each reads the first rows of an index and
    nothing else, however many wait behind them or are not due yet; rows that another worker is
    claiming are skipped. Dies midway: the lease runs out and `release_expired` makes them
    READY again, since nothing was sent.
    """
    held: list[Claim] = []
    if rest >= limit:
        # A claim of one row or two, and this time it is the others' turn.
        for priority in reversed(PRIORITIES):
            if len(held) < limit:
                held += _take(session, channel, priority, worker, now, lease, limit - len(held))
        return held
    for priority in PRIORITIES:
        below = range(priority + 1, PRIORITIES.stop)
        kept = rest if below else 0
        if (room := limit - kept - len(held)) > 0:
            held += _take(session, channel, priority, worker, now, lease, room)
        if len(held) >= limit - kept:
            for lower in below if kept else ():
                # An equal part for each, so that those in the middle are not passed over either.
                part = min(limit - len(held), max(1, kept // len(below)))
                if part > 0:
                    held += _take(session, channel, lower, worker, now, lease, part)
            # What is left of the share goes to whoever is below, and to the highest again if nobody is.
            for again in (*below, priority):
                if len(held) < limit and kept:
                    held += _take(session, channel, again, worker, now, lease, limit - len(held))
            break
    return held


def _take(
    session: Session,
    channel: Channel,
    priority: int,
    worker: str,
    now: datetime,
    lease: timedelta,
    most: int,
) -> list[Claim]:
    given = {
        "wanted_channel": channel,
        "wanted_priority": priority,
        "now": now,
        "most": most,
        "worker": worker,
        "lease_ends": now + lease,
    }
    rows = session.execute(_claim(), given).all()
    return [Claim(row.id, row.fence) for row in sorted(rows, key=lambda row: (row.due_at, row.id))]


@cache
def _claim() -> Executable:
    due = (
        select(D.c.id)
        .where(
            D.c.state == _READY,
            D.c.channel == bindparam("wanted_channel"),
            D.c.priority == bindparam("wanted_priority"),
            D.c.due_at <= bindparam("now"),
            D.c.not_after > bindparam("now"),
            D.c.paused.is_(False),
        )
        .order_by(D.c.due_at, D.c.id)
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    return (
        update(D)
        .where(D.c.id.in_(select(due.c.id)), D.c.state == _READY)
        .values(
            state=S.CLAIMED,
            claimed_by=bindparam("worker"),
            lease_until=bindparam("lease_ends"),
            fence=D.c.fence + 1,
        )
        .returning(D.c.id, D.c.fence, D.c.due_at)
    )


def begin(session: Session, held: Claim, worker: str, sender: str, now: datetime, lease: timedelta) -> bool:
    """`begin_many` of one row: whether it was won."""
    return bool(begin_many(session, [held], worker, sender, now, lease))


def begin_many(
    session: Session,
    held: Sequence[Claim],
    worker: str,
    sender: str,
    now: datetime,
    lease: timedelta,
    words: int = 0,
) -> set[int]:
    """CLAIMED > SUBMITTING, each with its attempt on record. Only after this commits may the calls be made.

    Returns the deliveries that were won. Of the others the lease ran out, or they were
    withdrawn or paused: do not send. `words`: the own words they were made with; what may be out
    already keeps those of that time, so that it is the same message.
    """
    if not held:
        return set()
    dialect = dialect_of(session)
    until = {"now": now, "lease_ends": now + lease, "through": sender, "words": words}
    won = set(session.scalars(_begin(dialect), {**_held(dialect, held), **until}))
    begun = [one for one in held if one.delivery in won]
    if begun:
        noted = {"by": worker, "through": sender, "now": now}
        session.execute(_attempts(dialect), {**_held(dialect, begun), **noted})
    return won


@cache
def _begin(dialect: str) -> Executable:
    held = _held_table(dialect)
    return (
        update(D)
        .where(
            *_under_fence(held),
            _may_become(S.SUBMITTING),
            D.c.lease_until > bindparam("now"),
            D.c.not_after > bindparam("now"),
            D.c.paused.is_(False),
        )
        .values(
            state=S.SUBMITTING,
            sender=bindparam("through"),
            began_at=bindparam("now"),
            lease_until=bindparam("lease_ends"),
            tries=D.c.tries + 1,
            words=case(
                (D.c.doubt_since.is_(None), bindparam("words", type_=BigInteger)),
                else_=D.c.words,
            ),
        )
        .returning(D.c.id)
    )


@cache
def _attempts(dialect: str) -> Executable:
    held = _held_table(dialect)
    begun = select(
        held.c.id,
        held.c.fence,
        bindparam("by", type_=A.c.worker.type),
        bindparam("through", type_=A.c.sender.type),
        bindparam("now", type_=A.c.began_at.type),
        literal_column("''"),
        literal_column("''"),
        literal_column("''"),
    )
    columns = ["delivery_ref", "fence", "worker", "sender", "began_at", "outcome", "code", "provider_id"]
    return insert(A).from_select(columns, begun, include_defaults=False)


def accepted_many(
    session: Session, taken: Mapping[Claim, str], now: datetime, check_at: datetime | None
) -> set[int]:
    """`end_attempt` and `accepted` of many calls at once: each claim with the provider's id.

    Returns the deliveries that were won; the others had moved on and are looked at one by one.
    """
    if not taken:
        return set()
    dialect = dialect_of(session)
    rows = _held(dialect, taken, list(taken.values()))
    session.execute(_end_attempts(dialect), {**rows, "now": now})
    return set(session.scalars(_accept(dialect), {**rows, "now": now, "check_at": check_at}))


@cache
def _end_attempts(dialect: str) -> Executable:
    taken = _held_table(dialect, with_id=True)
    return (
        update(A)
        .where(A.c.delivery_ref == taken.c.id, A.c.fence == taken.c.fence)
        .values(
            ended_at=bindparam("now"), outcome=OutcomeKind.ACCEPTED.value, provider_id=taken.c.provider_id
        )
    )


@cache
def _accept(dialect: str) -> Executable:
    taken = _held_table(dialect, with_id=True)
    return (
        update(D)
        .where(*_under_fence(taken), _may_become(S.ACCEPTED))
        .values(
            state=S.ACCEPTED,
            accepted_at=bindparam("now"),
            lease_until=None,
            next_check_at=bindparam("check_at"),
            provider_id=taken.c.provider_id,
        )
        .returning(D.c.id)
    )


def unbegin(session: Session, held: Claim, now: datetime) -> bool:
    """Begun, and then the provider was certainly not called: READY again, without a trace of an attempt.

    Under the same fence that holds even for a row that was put in doubt meanwhile: nobody
    else can have called for it.
    """
    statement = (
        update(D)
        .where(
            D.c.id == held.delivery, D.c.fence == held.fence, _may_become(S.READY), D.c.state != S.ACCEPTED
        )
        .values(
            state=S.READY,
            due_at=now,
            tries=D.c.tries - 1,
            claimed_by=None,
            lease_until=None,
            # What the lease's end put in doubt is certain again; what earlier calls left open is not.
            doubt_since=case((D.c.tries <= 1, None), else_=D.c.doubt_since),
            doubt_asked=0,
            next_check_at=None,
        )
        .returning(D.c.id)
    )
    session.execute(delete(A).where(A.c.delivery_ref == held.delivery, A.c.fence == held.fence))
    return session.scalar(statement) is not None


def take_over(session: Session, deliveries: Collection[int]) -> frozenset[int]:
    """Doubtful rows for which another call is made now: whoever held them before can't give them back any more.

    A worker that slept through its lease says afterwards that it never called, and is right; but a row
    that went back to READY by that, and was withdrawn, would be withdrawn under a call. Returns
    those that are still in doubt.
    """
    statement = (
        update(D)
        .where(D.c.id.in_(deliveries), D.c.state == S.IN_DOUBT)
        .values(fence=D.c.fence + 1)
        .returning(D.c.id)
    )
    return frozenset(session.scalars(statement))


def _held_table(dialect: str, with_id: bool = False) -> FromClause:
    """Claims as a table to be joined; `with_id`: each with the provider's id beside it."""
    columns = {"id": BigInteger(), "fence": Integer()}
    return table_of(dialect, "held", {**columns, "provider_id": String()} if with_id else columns)


def _held(dialect: str, held: Iterable[Claim], ids: Sequence[str] | None = None) -> dict[str, Any]:
    """The parameters of `_held_table`, in the order of the rows: who locks many of them does it in one order."""
    rows: list[tuple[Any, ...]] = [(one.delivery, one.fence) for one in held]
    if ids is not None:
        rows = [(*row, id) for row, id in zip(rows, ids, strict=True)]
    return rows_of(dialect, "held", sorted(rows))


def _under_fence(held: FromClause) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Rows that are still held under the same fences."""
    return D.c.id == held.c.id, D.c.fence == held.c.fence


def _may_become(target: DeliveryState) -> ColumnElement[bool]:
    return D.c.state.in_([literal_column(f"'{one.value}'") for one in sorted(predecessors(target))])
