"""Puts what calls came to on record, and draws the consequences that can't wait.

A lost database is no reason to forget an answer that is in our hands: it is tried again
while the lease holds. After that, or if this process dies, `reconcile` finds the row begun
and asks the provider. Settling twice changes nothing the second time.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from channels.model import Channel, FaultClass, Outcome, OutcomeKind
from outage_notify.services import stand_in
from outage_notify.services.begin_batch import Ready
from outage_notify.services.record_receipts import FIRST_CHECK
from outage_notify.services.runtime import Runtime
from outage_notify.services.settle import note_bad_contact, note_twice
from outage_notify.store import claims, delivery_queries, pacing
from outage_notify.store.claims import Claim
from outage_notify.store.delivery_tables import Delivery

log = structlog.get_logger()

MOST_BACKOFF = timedelta(minutes=10)
CONFIGURATION_HOLD = timedelta(minutes=10)
# The message was begun and, for a reason of our own, the provider never asked: surely not taken.
NOT_CALLED = Outcome(OutcomeKind.LATER, code="not_called", detail="the provider was not called")


def closes(channel: Channel, outcome: Outcome) -> bool:
    """Whether an outcome holds the whole sender. For texts and calls there is one provider behind
    all numbers; a mail server that says "later" without a time may mean one mailbox alone."""
    if outcome.kind in {OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN} or outcome is NOT_CALLED:
        return False
    if outcome.fault is FaultClass.CONFIGURATION:
        return True
    later = outcome.kind is OutcomeKind.LATER
    return later and (outcome.retry_after is not None or channel is not Channel.EMAIL)


def settle(rt: Runtime, channel: Channel, done: Sequence[tuple[Ready, Outcome]]) -> None:
    """Put the outcomes of one chunk on record, in one transaction."""
    if not done:
        return
    taken = {one.held: out.provider_id for one, out in done if out.kind is OutcomeKind.ACCEPTED}
    others = [(one, out) for one, out in done if out.kind is not OutcomeKind.ACCEPTED]
    outcomes = {one.held: out for one, out in done}

    def write(session: Session) -> None:
        claims.hold(session, (held.delivery for held in outcomes))
        now = rt.now(session)
        stand_in.note(session, rt, channel, [(one.sender, out) for one, out in done], now)
        won = claims.accepted_many(session, taken, now, _check_at(channel, now))
        for held in taken:
            if held.delivery not in won:
                _taken(session, channel, held, outcomes[held], now)
        for one, outcome in others:
            if outcome is NOT_CALLED:
                claims.unbegin(session, one.held, now)
                continue
            claims.end_attempt(session, one.held, outcome, now)
            _settle_one(session, rt, channel, one, outcome, now)

    rt.database.persist(write, rt.settings.lease_seconds)
    for held, outcome in outcomes.items():
        log.info(
            "delivery settled",
            delivery=held.delivery,
            channel=channel.value,
            outcome=outcome.kind.value,
            code=outcome.code,
        )


def _check_at(channel: Channel, now: datetime) -> datetime | None:
    """When the provider is asked how it ended. A mail server can't be asked."""
    return None if channel is Channel.EMAIL else now + FIRST_CHECK


def _settle_one(
    session: Session, rt: Runtime, channel: Channel, one: Ready, outcome: Outcome, now: datetime
) -> None:
    """Settle one that was not simply taken."""
    held = one.held
    if outcome.kind is OutcomeKind.UNKNOWN:
        grace = timedelta(seconds=rt.settings.doubt_grace)
        claims.in_doubt(session, held, now, now + grace, outcome.code or outcome.detail)
    elif outcome.fault is FaultClass.CONFIGURATION:
        _our_fault(session, rt, channel, one, outcome, now)
    elif outcome.kind is OutcomeKind.LATER:
        _later(session, channel, one, outcome, now)
    elif claims.failed(
        session,
        held.delivery,
        now,
        fence=held.fence,
        code=outcome.code,
        fault=outcome.fault.value,
        detail=outcome.detail,
    ):
        note_bad_contact(session, held.delivery, outcome.fault, outcome.code, now)


def _taken(session: Session, channel: Channel, held: Claim, outcome: Outcome, now: datetime) -> None:
    """The provider has it, and that is its word, not ours: it counts even from a worker that slept
    through its lease, and keeps whoever holds the row now from sending it again."""
    check_at = _check_at(channel, now)
    if claims.accepted(session, held.delivery, now, provider_id=outcome.provider_id, check_at=check_at):
        return
    row = session.get_one(Delivery, held.delivery, populate_existing=True)
    if row.provider_id and row.provider_id != outcome.provider_id:
        note_twice(session, row, now)
    claims.remember_provider_id(session, held.delivery, outcome.provider_id)


def _later(session: Session, channel: Channel, one: Ready, outcome: Outcome, now: datetime) -> None:
    """Nothing was taken: back off with jitter; where that `closes` the sender, for all workers."""
    held = one.held
    tries = delivery_queries.tries_of(session, held.delivery)
    backoff = min(timedelta(seconds=2.0 ** min(tries, 12)), MOST_BACKOFF)
    wait = timedelta(seconds=outcome.retry_after) if outcome.retry_after else backoff
    if closes(channel, outcome):
        pacing.hold(session, one.sender, now + wait, f"asked to wait ({outcome.code})")
    jitter = wait * random.uniform(0.0, 0.25)  # noqa: S311 - spreads retries, keeps no secret
    claims.back_to_ready(session, held.delivery, now + wait + jitter, fence=held.fence, code=outcome.code)


def _our_fault(
    session: Session, rt: Runtime, channel: Channel, one: Ready, outcome: Outcome, now: datetime
) -> None:
    """The provider refuses our own configuration: `stand_in` has stopped this sender; burn nothing.

    Where another one stands in, the row goes to it at once. Else it waits longer each time, so that one
    that alone is at fault (a country that is not enabled) does not close the door to all behind
    it, each time that it opens.
    """
    due_at = now
    if not stand_in.another_carries(session, rt, channel, one.sender, now):
        tries = delivery_queries.tries_of(session, one.held.delivery)
        due_at += CONFIGURATION_HOLD * max(1, min(tries // len(rt.line(channel)), 6))
    claims.back_to_ready(session, one.held.delivery, due_at, fence=one.held.fence, code=outcome.code)
    pacing.hold(session, one.sender, now + CONFIGURATION_HOLD, f"refused our configuration ({outcome.code})")
