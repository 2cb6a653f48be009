"""What stops a double send: every change of a delivery's state, each one a guarded UPDATE.

The WHERE of each statement holds the legal predecessors out of `domain.delivery` and, for
a worker's own moves, its fencing token; the row count tells whether it won. Nothing else
in the program writes `Delivery.state` but the moves of many rows at once, next door in
`wave_claims`, which are named here too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Update, func, or_, select, update
from sqlalchemy.orm import Session

from channels.model import Channel, Outcome
from outage_notify.domain.delivery import UNSENT, UNSETTLED, DeliveryState, predecessors
from outage_notify.domain.notice import NoticeKind
from outage_notify.store.delivery_tables import Attempt, Delivery, Notice
from outage_notify.store.wave_claims import Claim as Claim
from outage_notify.store.wave_claims import accepted_many as accepted_many
from outage_notify.store.wave_claims import begin as begin
from outage_notify.store.wave_claims import begin_many as begin_many
from outage_notify.store.wave_claims import claim as claim
from outage_notify.store.wave_claims import take_over as take_over
from outage_notify.store.wave_claims import unbegin as unbegin

S = DeliveryState
UNHEARD = "unheard"  # outcome of a call that was taken and told nobody


def _changed(session: Session, statement: Update) -> int:
    """Execute and say how many rows were changed."""
    result = session.execute(statement.execution_options(synchronize_session=False))
    return cast(CursorResult[Any], result).rowcount


def _won(session: Session, statement: Update) -> bool:
    return _changed(session, statement) == 1


def _move(delivery: int, to: DeliveryState, fence: int | None = None) -> Update:
    statement = update(Delivery).where(Delivery.id == delivery, Delivery.state.in_(predecessors(to)))
    if fence is not None:
        statement = statement.where(Delivery.fence == fence)
    return statement.values(state=to)


def end_attempt(session: Session, held: Claim, outcome: Outcome, now: datetime) -> None:
    """Note what the call came to; kept even where a callback has already moved the delivery on."""
    session.execute(
        update(Attempt)
        .where(Attempt.delivery_ref == held.delivery, Attempt.fence == held.fence)
        .values(ended_at=now, outcome=outcome.kind.value, code=outcome.code, provider_id=outcome.provider_id)
    )


def accepted(
    session: Session,
    delivery: int,
    now: datetime,
    *,
    fence: int | None = None,
    provider_id: str = "",
    check_at: datetime | None = None,
) -> bool:
    """The provider took it. `fence` where a worker speaks, none where the provider itself does."""
    statement = _move(delivery, S.ACCEPTED, fence)
    values: dict[str, Any] = {"accepted_at": now, "lease_until": None, "next_check_at": check_at}
    if provider_id:
        values["provider_id"] = provider_id
    return _won(session, statement.values(**values))


def delivered(session: Session, delivery: int, now: datetime, provider_id: str = "") -> bool:
    """It reached the person; nothing outranks that."""
    values: dict[str, Any] = {"delivered_at": now, "lease_until": None, "next_check_at": None}
    if provider_id:
        values["provider_id"] = provider_id
    statement = _move(delivery, S.DELIVERED).values(**values)
    won = _won(session, statement)
    if won:
        session.execute(
            update(Delivery)
            .where(Delivery.id == delivery, Delivery.accepted_at.is_(None))
            .values(accepted_at=now)
            .execution_options(synchronize_session=False)
        )
    return won


def failed(
    session: Session,
    delivery: int,
    now: datetime,
    *,
    fence: int | None = None,
    code: str = "",
    fault: str = "",
    detail: str = "",
    provider_id: str = "",
) -> bool:
    """It will not reach the person this way. The ladder below it is looked at by `step_ladder`."""
    values: dict[str, Any] = {
        "ended_at": now,
        "code": code,
        "fault": fault,
        "detail": detail[:500],
        "lease_until": None,
        "next_check_at": None,
        "stepped": False,
    }
    if provider_id:
        values["provider_id"] = provider_id
    return _won(session, _move(delivery, S.FAILED, fence).values(**values))


def in_doubt(session: Session, held: Claim, now: datetime, check_at: datetime, detail: str) -> bool:
    """The answer was lost: nobody knows whether the provider took it."""
    statement = _move(held.delivery, S.IN_DOUBT, held.fence).where(Delivery.state == S.SUBMITTING)
    return _won(
        session,
        statement.values(
            doubt_since=now, doubt_asked=0, next_check_at=check_at, detail=detail[:500], lease_until=None
        ),
    )


def back_to_ready(
    session: Session,
    delivery: int,
    due_at: datetime,
    *,
    fence: int | None = None,
    code: str = "",
    origin: DeliveryState | None = None,
    absent: bool = False,
) -> bool:
    """This call was not taken by the provider, or it may be repeated: try again at `due_at`.

    `absent`: the provider was asked and has nothing. Only that ends an earlier doubt; otherwise
    `doubt_since` stays, and `withdraw_unsent` knows that the row may have been taken before.
    """
    statement = _move(delivery, S.READY, fence).where(Delivery.state != S.ACCEPTED)
    if origin is not None:
        statement = statement.where(Delivery.state == origin)
    values: dict[str, Any] = {"doubt_since": None} if absent else {}
    return _won(
        session,
        statement.values(
            due_at=due_at,
            code=code,
            lease_until=None,
            claimed_by=None,
            doubt_asked=0,
            next_check_at=None,
            provider_id=None,
            **values,
        ),
    )


def call_again(session: Session, delivery: int, provider_id: str, due_at: datetime) -> bool:
    """A call was taken and ended without our words: READY again, and its id is kept as one that told nobody."""
    fence = select(Delivery.fence).where(Delivery.id == delivery).scalar_subquery()
    statement = _move(delivery, S.READY).where(Delivery.state.in_(UNSETTLED | {S.ACCEPTED}))
    won = _won(
        session,
        statement.values(
            due_at=due_at,
            code="not_heard",
            spoken_at=None,
            lease_until=None,
            claimed_by=None,
            doubt_since=None,
            doubt_asked=0,
            next_check_at=None,
            provider_id=None,
        ),
    )
    if won:
        mine = (Attempt.delivery_ref == delivery, Attempt.fence == fence)
        _changed(session, update(Attempt).where(*mine).values(outcome=UNHEARD, provider_id=provider_id))
    return won


def times_unheard(session: Session, delivery: int) -> int:
    """How many calls of one delivery ended without our words."""
    mine = (Attempt.delivery_ref == delivery, Attempt.outcome == UNHEARD)
    return session.scalar(select(func.count()).select_from(Attempt).where(*mine)) or 0


def withdraw(
    session: Session, delivery: int, now: datetime, why: str, origin: DeliveryState | None = None
) -> bool:
    """Take back one that is not on its way."""
    statement = _move(delivery, S.WITHDRAWN)
    if origin is not None:
        statement = statement.where(Delivery.state == origin)
    return _won(session, statement.values(ended_at=now, detail=why, lease_until=None, stepped=True))


def take_back(session: Session, delivery: int, now: datetime, why: str) -> None:
    """Withdraw a claimed one; into doubt instead if an earlier call for it may have been taken."""
    held = update(Delivery).where(Delivery.id == delivery, Delivery.state == S.CLAIMED)
    if not _changed(session, _doubted_again(held, now)):
        withdraw(session, delivery, now, why, S.CLAIMED)


def _doubted_again(statement: Update, now: datetime) -> Update:
    """Of unsent rows those that an earlier call may have brought to the person; to be looked at soon."""
    return statement.where(Delivery.state.in_(UNSENT), Delivery.doubt_since.is_not(None)).values(
        state=S.IN_DOUBT, doubt_asked=0, next_check_at=now, lease_until=None, paused=False
    )


def hold(session: Session, deliveries: Iterable[int]) -> None:
    """Lock rows that this transaction is going to change, in the one order in which everybody does.

    Two transactions that change many rows in orders of their own would wait for each other.
    """
    _lock(session, Delivery.id.in_(list(deliveries)))


def _lock(session: Session, *conditions: ColumnElement[bool]) -> None:
    if session.get_bind().dialect.name == "sqlite":
        return  # It has one writer at a time.
    rows = select(Delivery.id).where(*conditions).order_by(Delivery.id).with_for_update(key_share=True)
    # Counted there: a hundred thousand ids need not come here to be locked.
    session.execute(select(func.count()).select_from(rows.subquery()))


def _free(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Rows that nobody is changing at this moment; the others are looked at the next time."""
    rows = select(Delivery.id).where(*conditions).with_for_update(skip_locked=True, key_share=True)
    return Delivery.id.in_(rows)


def withdraw_unsent(
    session: Session,
    outage: int,
    now: datetime,
    why: str,
    below_revision: int | None = None,
    keep: Collection[NoticeKind] = (),
) -> int:
    """Withdraw every unsent delivery of an outage (of revisions before `below_revision`), but
    those of the kinds `keep`.

    Races with a worker's `begin` are decided by the row lock: either it is withdrawn, or it
    was begun and will be settled, and whoever it reaches is told of the change afterwards.
    So is whoever an earlier call may have reached: such a row goes into doubt.
    """
    which = [Delivery.outage_ref == outage, Delivery.state.in_(UNSENT)]
    if below_revision is not None:
        which.append(Delivery.revision < below_revision)
    if keep:
        kept = select(Notice.id).where(Notice.outage_ref == outage, Notice.kind.in_(tuple(keep)))
        which.append(Delivery.notice_ref.not_in(kept))
    _lock(session, *which)
    _changed(session, _doubted_again(update(Delivery).where(*which), now))
    gone = {"ended_at": now, "detail": why, "lease_until": None, "stepped": True, "paused": False}
    return _changed(session, update(Delivery).where(*which).values(state=S.WITHDRAWN, **gone))


def pause(session: Session, outage: int, paused: bool) -> int:
    """Pause, or let go again, every unsent delivery of an outage; returns how many rows that are.

    Those under way or in doubt as well: it has no effect on the call that is made, but they
    may come back as READY, and must wait like the others then.
    """
    which = (Delivery.outage_ref == outage, Delivery.state.in_(UNSENT | UNSETTLED))
    _lock(session, *which)
    return _changed(session, update(Delivery).where(*which).values(paused=paused))


def release(session: Session, held: Sequence[Claim]) -> int:
    """Give back claimed rows that will not be begun; those that have moved on stay where they are."""
    won = 0
    for one in held:
        statement = _move(one.delivery, S.READY, one.fence).where(Delivery.state == S.CLAIMED)
        won += _won(session, statement.values(claimed_by=None, lease_until=None))
    return won


def release_expired(session: Session, now: datetime) -> int:
    """CLAIMED rows whose lease ran out were never begun: READY again."""
    statement = (
        update(Delivery)
        .where(_free(Delivery.state == S.CLAIMED, Delivery.lease_until <= now))
        .values(state=S.READY, claimed_by=None, lease_until=None)
    )
    return _changed(session, statement)


def doubt_expired(session: Session, now: datetime, check_at: datetime) -> int:
    """SUBMITTING rows whose lease ran out may or may not have reached the provider: IN_DOUBT.

    Letters are left alone: people post them, no worker holds a lease on them.
    """
    statement = (
        update(Delivery)
        .where(
            _free(
                Delivery.state == S.SUBMITTING,
                Delivery.channel != Channel.LETTER,
                or_(Delivery.lease_until.is_(None), Delivery.lease_until <= now),
            )
        )
        .values(
            state=S.IN_DOUBT,
            doubt_since=now,
            doubt_asked=0,
            next_check_at=check_at,
            lease_until=None,
            detail="the worker stopped during the call",
        )
    )
    return _changed(session, statement)


def take_questions(
    session: Session, state: DeliveryState, now: datetime, until: datetime, limit: int
) -> Sequence[int]:
    """Rows in this state (IN_DOUBT, or ACCEPTED without an end) about which the provider is to be asked now.

    The longest in doubt come first. They are this caller's until `until`: two that asked at the same moment
    would count as two questions, and a list that is late would be taken for an empty one. Who
    dies meanwhile leaves them due again.
    """
    due = (Delivery.state == state, Delivery.next_check_at <= now, Delivery.channel != Channel.LETTER)
    oldest = (Delivery.doubt_since, Delivery.next_check_at, Delivery.id)
    rows = select(Delivery.id).where(*due).order_by(*oldest).limit(limit)
    found = rows.with_for_update(skip_locked=True, key_share=True)
    taken = list(session.scalars(found))
    if taken:
        _changed(session, update(Delivery).where(Delivery.id.in_(taken)).values(next_check_at=until))
    return taken


def asked(session: Session, delivery: int, next_check_at: datetime, counted: bool) -> bool:
    """Note that the provider was asked about a doubtful row; `counted` if it gave an answer."""
    statement = update(Delivery).where(Delivery.id == delivery, Delivery.state == S.IN_DOUBT)
    more = 1 if counted else 0
    return _won(
        session, statement.values(next_check_at=next_check_at, doubt_asked=Delivery.doubt_asked + more)
    )


def remember_provider_id(session: Session, delivery: int, provider_id: str) -> None:
    """Note the provider's id on a row that a callback has already moved on."""
    if provider_id:
        _changed(
            session,
            update(Delivery)
            .where(Delivery.id == delivery, Delivery.provider_id.is_(None))
            .values(provider_id=provider_id),
        )


def spoken(session: Session, delivery: int, now: datetime) -> None:
    """Note when the words of a call were first fetched."""
    _changed(
        session,
        update(Delivery).where(Delivery.id == delivery, Delivery.spoken_at.is_(None)).values(spoken_at=now),
    )


def check_later(session: Session, delivery: int, next_check_at: datetime | None) -> None:
    """When the provider is next asked what became of an accepted message; None: never again."""
    _changed(
        session,
        update(Delivery)
        .where(Delivery.id == delivery, Delivery.state == S.ACCEPTED)
        .values(next_check_at=next_check_at),
    )


def expire(session: Session, now: datetime) -> Sequence[int]:
    """Withdraw unsent rows that are of no use any more; returns their ids."""
    statement = (
        update(Delivery)
        .where(_free(Delivery.state == S.READY, Delivery.not_after <= now))
        .values(state=S.WITHDRAWN, ended_at=now, detail="expired", stepped=True)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    )
    return session.scalars(statement).all()
