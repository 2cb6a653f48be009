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
from outage_notify.services.notice_facts import message_for
from outage_notify.services.runtime import Runtime
from outage_notify.services.settle import note_bad_contact
from outage_notify.store import claims, delivery_queries, pacing
from outage_notify.store.claims import Claim
from outage_notify.store.delivery_tables import Delivery
from outage_notify.store.work_queries import SYSTEM, open_task, record
from outage_notify.store.work_tables import TaskKind

log = structlog.get_logger()

BATCH = 200
MOST_BACKOFF = timedelta(minutes=10)
CONFIGURATION_HOLD = timedelta(minutes=10)
FIRST_CHECK = timedelta(minutes=10)


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
            _settle(rt, channel, list(zip(ready, outcomes, strict=True)))
            handed += len(ready)
    return handed, len(held) == allowed


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
            message = message_for(session, rt, delivery, now)
            if claims.begin(session, claim, worker_name(), sender.name, now, lease):
                ready.append(_Ready(claim, message, ends))
    return ready


def _may_go(session: Session, rt: Runtime, delivery: Delivery, now: datetime) -> bool:
    """Consent and quiet hours, looked at again at the last moment."""
    contact = delivery_queries.contact_of(session, delivery)
    if contact is not None and contact.opted_out_at is not None:
        claims.withdraw(session, delivery.id, now, "opted out")
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


def _settle(rt: Runtime, channel: Channel, done: Sequence[tuple[_Ready, Outcome]]) -> None:
    if not done:
        return
    with rt.database.write() as session:
        now = rt.now(session)
        for ready, outcome in done:
            claims.end_attempt(session, ready.held, outcome, now)
            _settle_one(session, rt, channel, ready.held, outcome, now)
    for ready, outcome in done:
        log.info(
            "delivery settled",
            delivery=ready.held.delivery,
            channel=channel.value,
            outcome=outcome.kind.value,
            code=outcome.code,
        )


def _settle_one(
    session: Session, rt: Runtime, channel: Channel, held: Claim, outcome: Outcome, now: datetime
) -> None:
    if outcome.kind is OutcomeKind.ACCEPTED:
        won = claims.accepted(
            session,
            held.delivery,
            now,
            fence=held.fence,
            provider_id=outcome.provider_id,
            check_at=now + FIRST_CHECK,
        )
        if not won:
            claims.remember_provider_id(session, held.delivery, outcome.provider_id)
    elif outcome.kind is OutcomeKind.UNKNOWN:
        grace = timedelta(seconds=rt.settings.doubt_grace)
        claims.in_doubt(session, held, now, now + grace, outcome.code or outcome.detail)
    elif outcome.kind is OutcomeKind.LATER:
        _later(session, channel, held, outcome, now)
    elif outcome.fault is FaultClass.CONFIGURATION:
        _our_fault(session, channel, held, outcome, now)
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


def _later(session: Session, channel: Channel, held: Claim, outcome: Outcome, now: datetime) -> None:
    """Nothing was taken: back off with jitter; a 429 holds the whole sender."""
    tries = delivery_queries.tries_of(session, held.delivery)
    backoff = min(timedelta(seconds=2.0 ** min(tries, 12)), MOST_BACKOFF)
    wait = timedelta(seconds=outcome.retry_after) if outcome.retry_after else backoff
    if outcome.retry_after:
        pacing.hold(session, channel, now + wait, f"asked to wait ({outcome.code})")
    jitter = wait * random.uniform(0.0, 0.25)  # noqa: S311 - spreads retries, keeps no secret
    claims.back_to_ready(session, held.delivery, now + wait + jitter, fence=held.fence, code=outcome.code)


def _our_fault(session: Session, channel: Channel, held: Claim, outcome: Outcome, now: datetime) -> None:
    """The provider refuses our own configuration: stop this sender and call a person; burn nothing."""
    claims.back_to_ready(session, held.delivery, now, fence=held.fence, code=outcome.code)
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
