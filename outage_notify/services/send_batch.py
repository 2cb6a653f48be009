"""Sends what is due: claim, begin, send, settle.

No transaction is open while a provider is called. Each begun message stands on record
before its call, so that a crash between any two lines leaves a row that says how far it
came; `reconcile` finishes what a dead worker left behind. Calling this twice, or from many
workers at once, sends nothing twice: the claim decides.
"""

from __future__ import annotations

import os
import random
import socket
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from channels.model import Channel, FaultClass, Message, Outcome, OutcomeKind
from channels.sender import Sender
from outage_notify.domain.delivery import DeliveryState
from outage_notify.services.notice_facts import message_for
from outage_notify.services.record_receipts import FIRST_CHECK
from outage_notify.services.runtime import Runtime
from outage_notify.services.settle import note_bad_contact, note_twice, of_use, step_ladder
from outage_notify.store import claims, delivery_queries, pacing
from outage_notify.store.claims import Claim
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.outage_tables import Outage
from outage_notify.store.work_queries import SYSTEM, open_task, record
from outage_notify.store.work_tables import TaskKind

log = structlog.get_logger()

BATCH = 200
MOST_BACKOFF = timedelta(minutes=10)
CONFIGURATION_HOLD = timedelta(minutes=10)


@dataclass(frozen=True)
class _Ready:
    """A begun message: from here on it may reach the person."""

    held: Claim
    message: Message
    lease_ends: float  # on the monotonic clock of this process


def worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def send_due(rt: Runtime, stop: Sequence[bool] = ()) -> int:
    """Send everything that is due now, channel by channel, until nothing is left or the
    senders' budgets are spent. Returns how many messages were handed over.

    `stop` is looked at between chunks (a list that the signal handler fills): what is
    claimed and not begun is then left to its lease.
    """
    sent = 0
    for channel, sender in rt.senders.items():
        while not stop:
            handed, more = _send_batch(rt, channel, sender, stop)
            sent += handed
            if not more:
                break
    return sent


def _send_batch(rt: Runtime, channel: Channel, sender: Sender, stop: Sequence[bool]) -> tuple[int, bool]:
    """One claim of a channel: (messages handed over, whether to go on)."""
    settings = rt.settings
    lease = timedelta(seconds=settings.lease_seconds)
    rate = {
        Channel.SMS: settings.sms_per_second,
        Channel.VOICE: settings.voice_per_second,
        Channel.EMAIL: settings.email_per_second,
    }[channel]
    with rt.database.write() as session:
        now = rt.now(session)
        allowed = pacing.spend(session, channel, rate, BATCH, now)
        if not allowed:
            return 0, False
        held = claims.claim(session, channel, worker_name(), now, lease, allowed)
        pacing.give_back(session, channel, allowed - len(held))
    if not held:
        return 0, False
    handed = 0
    with ThreadPoolExecutor(settings.send_threads) as pool:
        for at in range(0, len(held), settings.send_threads):
            if stop:
                break
            ready = _begin(rt, sender, held[at : at + settings.send_threads], lease)
            outcomes = list(pool.map(lambda one: _send(sender, one), ready))
            handed += len(ready)
            if _settle(rt, channel, list(zip(ready, outcomes, strict=True))):
                # The sender is held: the rest of the batch would only knock at a closed door.
                _let_go(rt, held[at + settings.send_threads :])
                return handed, False
    return handed, len(held) == allowed


def _let_go(rt: Runtime, held: Sequence[Claim]) -> None:
    if held:
        with rt.database.write() as session:
            claims.release(session, held)


def _begin(rt: Runtime, sender: Sender, held: Sequence[Claim], lease: timedelta) -> list[_Ready]:
    """Recheck and put on record. What may not go out now is given back or withdrawn here."""
    ready: list[_Ready] = []
    with rt.database.write() as session:
        now, ends = rt.now(session), time.monotonic() + lease.total_seconds()
        fences = {one.delivery: one for one in held}
        for delivery in delivery_queries.with_recipients(session, list(fences)):
            claim = fences[delivery.id]
            if delivery.fence != claim.fence or not _may_go(session, rt, delivery, now):
                continue
            message = _message(session, rt, delivery, now)
            if message and claims.begin(session, claim, worker_name(), sender.name, now, lease):
                ready.append(_Ready(claim, message, ends))
    return ready


def _message(session: Session, rt: Runtime, delivery: Delivery, now: datetime) -> Message | None:
    """The message, or None if it can't be made: one such row must not hold up all the others.

    It is tried again later, and a person is told.
    """
    try:
        return message_for(session, rt, delivery, now)
    except Exception:
        log.exception("message can't be made", delivery=delivery.id)
        claims.back_to_ready(session, delivery.id, now + MOST_BACKOFF, fence=delivery.fence, code="no_text")
        open_task(
            session,
            TaskKind.DOUBTFUL,
            f"text:{delivery.id}",
            now,
            outage=delivery.outage_ref,
            customer=delivery.recipients[0].customer_ref if delivery.recipients else None,
            delivery=delivery.id,
            due_at=now,
            note="the text can't be made; see the log of the worker",
        )
        return None


def _may_go(session: Session, rt: Runtime, delivery: Delivery, now: datetime) -> bool:
    """Revision, consent and quiet hours, looked at again at the last moment.

    An answer "later" may have brought a row back after its outage was cancelled or revised.
    """
    outage = session.get_one(Outage, delivery.outage_ref)
    if delivery.not_after > now and not of_use(outage, delivery, now):
        claims.withdraw(session, delivery.id, now, "no longer true", DeliveryState.CLAIMED)
        return False
    contact = delivery_queries.contact_of(session, delivery)
    if contact is not None and not contact.usable:
        # Found out since this was planned. The next channel is tried at once.
        why = "opted out" if contact.opted_out_at else "the address is known to be wrong"
        if claims.withdraw(session, delivery.id, now, why, DeliveryState.CLAIMED):
            step_ladder(session, rt, delivery, now)
        return False
    if delivery.urgent or delivery.channel is Channel.EMAIL:
        return True
    zone = delivery_queries.zone_of(session, delivery)
    morning = rt.policy.quiet_hours.quiet_end(now, zone)
    # The schedule avoids the quiet hours unless the deadline leaves no choice; a row that
    # slipped into them (a paused revision, a held sender) waits if the deadline allows.
    if morning > now and morning <= delivery.notice.deadline - rt.policy.wave_margin:
        claims.back_to_ready(session, delivery.id, morning, fence=delivery.fence)
        return False
    return True


def _send(sender: Sender, one: _Ready) -> Outcome:
    if time.monotonic() >= one.lease_ends:
        # This process slept through its lease; the row may already be somebody else's.
        return Outcome(OutcomeKind.UNKNOWN, code="slept", detail="the worker slept through its lease")
    return sender.send(one.message)


def _settle(rt: Runtime, channel: Channel, done: Sequence[tuple[_Ready, Outcome]]) -> bool:
    """Put outcomes on record. Says whether the sender is held from now on."""
    if not done:
        return False
    stopped = False
    with rt.database.write() as session:
        now = rt.now(session)
        for ready, outcome in done:
            claims.end_attempt(session, ready.held, outcome, now)
            stopped |= _settle_one(session, rt, channel, ready.held, outcome, now)
    for ready, outcome in done:
        log.info(
            "delivery settled",
            delivery=ready.held.delivery,
            channel=channel.value,
            outcome=outcome.kind.value,
            code=outcome.code,
        )
    return stopped


def _settle_one(
    session: Session, rt: Runtime, channel: Channel, held: Claim, outcome: Outcome, now: datetime
) -> bool:
    """Settle one; says whether this holds the sender."""
    if outcome.kind is OutcomeKind.ACCEPTED:
        _taken(session, channel, held, outcome, now)
    elif outcome.kind is OutcomeKind.UNKNOWN:
        grace = timedelta(seconds=rt.settings.doubt_grace)
        claims.in_doubt(session, held, now, now + grace, outcome.code or outcome.detail)
    elif outcome.fault is FaultClass.CONFIGURATION:
        _our_fault(session, channel, held, outcome, now)
        return True
    elif outcome.kind is OutcomeKind.LATER:
        return _later(session, channel, held, outcome, now)
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
    return False


def _taken(session: Session, channel: Channel, held: Claim, outcome: Outcome, now: datetime) -> None:
    """The provider has it, and that is its word, not ours: it counts even from a worker that slept
    through its lease, and keeps whoever holds the row now from sending it again."""
    # A mail server can't be asked how it ended.
    check_at = None if channel is Channel.EMAIL else now + FIRST_CHECK
    if claims.accepted(session, held.delivery, now, provider_id=outcome.provider_id, check_at=check_at):
        return
    row = session.get_one(Delivery, held.delivery, populate_existing=True)
    if row.provider_id and row.provider_id != outcome.provider_id:
        note_twice(session, row, now)
    claims.remember_provider_id(session, held.delivery, outcome.provider_id)


def _later(session: Session, channel: Channel, held: Claim, outcome: Outcome, now: datetime) -> bool:
    """Nothing was taken: back off with jitter. For texts and calls there is one provider behind all
    numbers, so it holds the whole sender; a mail server may mean one mailbox alone."""
    tries = delivery_queries.tries_of(session, held.delivery)
    backoff = min(timedelta(seconds=2.0 ** min(tries, 12)), MOST_BACKOFF)
    wait = timedelta(seconds=outcome.retry_after) if outcome.retry_after else backoff
    whole = outcome.retry_after is not None or channel is not Channel.EMAIL
    if whole:
        pacing.hold(session, channel, now + wait, f"asked to wait ({outcome.code})")
    jitter = wait * random.uniform(0.0, 0.25)  # noqa: S311 - spreads retries, keeps no secret
    claims.back_to_ready(session, held.delivery, now + wait + jitter, fence=held.fence, code=outcome.code)
    return whole


def _our_fault(session: Session, channel: Channel, held: Claim, outcome: Outcome, now: datetime) -> None:
    """The provider refuses our own configuration: stop this sender and call a person; burn nothing.

    The row waits longer each time, so that one that alone is at fault (a country that is not
    enabled) does not close the door to all behind it, each time that it opens.
    """
    tries = delivery_queries.tries_of(session, held.delivery)
    due_at = now + CONFIGURATION_HOLD * max(1, min(tries, 6))
    claims.back_to_ready(session, held.delivery, due_at, fence=held.fence, code=outcome.code)
    pacing.hold(session, channel, now + CONFIGURATION_HOLD, f"refused our configuration ({outcome.code})")
    new = open_task(
        session,
        TaskKind.SENDER,
        f"sender:{channel.value}:{outcome.code}:{now:%Y-%m-%d}",
        now,
        due_at=now,
        note=f"{channel.value}: provider code {outcome.code}. Run `outage-notify doctor`.",
    )
    if new:
        record(session, now, SYSTEM, "sender_stopped", channel=channel.value, code=outcome.code)
        log.error("sender stopped", channel=channel.value, code=outcome.code)
