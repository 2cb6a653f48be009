"""Who carries a channel now: the first sender of its line, or who stands in while that one fails.

A sender is down when it refuses our own configuration, or when several calls in a row came back
without a proper answer (5xx, time-outs, refused connections). "Asked to wait" (429) is
no failure. While it is down the next one of the line carries. Each minute the provider of
one that is down is asked whether account and endpoint work; if so, one message of the
lowest tier tries it, and a proper answer brings it back. A row is never handed
to another sender while it is in doubt: the one that may have taken it is asked.

All of this stands in the database, so that every worker does the same. Called twice, or by a
worker that dies midway, the worst is one more trial.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from channels.model import Channel, FaultClass, Outcome, OutcomeKind
from channels.sender import Sender
from outage_notify.services.runtime import Runtime
from outage_notify.store import pacing, sender_health
from outage_notify.store.pacing import Bucket
from outage_notify.store.sender_tables import SenderState
from outage_notify.store.work_queries import SYSTEM, close_tasks_named, open_task, record
from outage_notify.store.work_tables import TaskKind

log = structlog.get_logger()

# So many calls in a row without a proper answer are no accident any more.
TROUBLES = 5
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(minutes=15)  # between two trials


@dataclass(frozen=True)
class Turn:
    """Whose turn it is. `most`: no more than so many messages, because it is being tried; 0: no limit."""

    sender: Sender
    buckets: tuple[Bucket, ...]
    most: int = 0


def choose(session: Session, rt: Runtime, channel: Channel, now: datetime) -> Turn:
    """Whose turn it is in this claim. The trial of a sender that was down is given to one claim alone."""
    line = rt.line(channel)
    known = sender_health.states(session, [one.name for one in line]) if len(line) > 1 else {}
    for sender in line:
        state = known.get(sender.name)
        if state is None or state.down_since is None:
            return Turn(sender, _buckets(rt, channel, sender))
        if state.trial:
            # Less often the longer it lasts: whoever is the trial may have to wait for the doubt to end.
            pause = min(max(FIRST_PAUSE, (now - state.down_since) / 2), LONGEST_PAUSE)
            sender_health.tried(session, sender.name, now + pause)
            return Turn(sender, _buckets(rt, channel, sender), most=1)
    # All are down, or there is one alone: each is tried as soon as it is not held any more.
    best = min(line, key=lambda one: _held_until(known.get(one.name), now))
    return Turn(best, _buckets(rt, channel, best))


def another_carries(session: Session, rt: Runtime, channel: Channel, sender: str, now: datetime) -> bool:
    """Whether a row that this sender refused can go to another one now."""
    others = [one.name for one in rt.line(channel) if one.name != sender]
    known = sender_health.states(session, others)
    return any(one not in known or known[one].down_since is None for one in others)


def down_for(session: Session, rt: Runtime, channel: Channel, now: datetime) -> timedelta:
    """For how long nobody has carried this channel, because every sender of its line is down; 0: somebody does.

    One that a person holds is not down: that is a decision, and nothing goes round it.
    """
    line = [one.name for one in rt.line(channel)]
    known = sender_health.states(session, line)
    since = [known[one].down_since if one in known else None for one in line]
    down = [one for one in since if one is not None]
    return now - max(down) if down and len(down) == len(line) else timedelta(0)


def note(
    session: Session, rt: Runtime, channel: Channel, done: Sequence[tuple[str, Outcome]], now: datetime
) -> None:
    """Learn from what calls came to, in their order; (name of the sender, outcome)."""
    for name in dict.fromkeys(sender for sender, _ in done):
        outcomes = [outcome for sender, outcome in done if sender == name and outcome.code != "not_called"]
        _learn(session, rt, channel, name, outcomes, now)


def _learn(
    session: Session, rt: Runtime, channel: Channel, name: str, outcomes: Sequence[Outcome], now: datetime
) -> None:
    at_end, proper = 0, False
    for outcome in outcomes:
        if _in_trouble(channel, outcome):
            at_end += 1
        elif outcome.kind is OutcomeKind.ACCEPTED or outcome.fault is not FaultClass.CONFIGURATION:
            at_end, proper = 0, proper or outcome.kind is not OutcomeKind.LATER
    state = sender_health.states(session, [name]).get(name)
    if state is None:
        return
    refused = [one for one in outcomes if one.fault is FaultClass.CONFIGURATION]
    if at_end or state.troubles:
        at_end = sender_health.count_troubles(session, name, at_end, added=not proper)
    if refused:
        _down(session, rt, channel, name, refused[-1].code, "refuses our configuration", now)
    elif at_end >= TROUBLES:
        code = next(one.code or "no answer" for one in reversed(outcomes) if _in_trouble(channel, one))
        _down(session, rt, channel, name, code, "gives no proper answers", now)
        if not another_carries(session, rt, channel, name, now):
            # Nobody stands in: each try would put some more people in doubt, so these become fewer.
            pause = timedelta(seconds=rt.settings.lease_seconds / 2)
            pacing.hold(session, name, now + pause, "no proper answers")
    elif proper and state.down_since is not None and sender_health.bring_up(session, name):
        closed = close_tasks_named(session, TaskKind.SENDER, f"sender:{name}:", now, SYSTEM)
        record(session, now, SYSTEM, "sender_back", sender=name, tasks=closed)
        log.info("sender is back", sender=name)


def _in_trouble(channel: Channel, outcome: Outcome) -> bool:
    """No proper answer: lost or 5xx, or nobody there. A mail server's "later" may mean one mailbox alone."""
    if outcome.kind is OutcomeKind.UNKNOWN:
        return True
    refused = outcome.kind is OutcomeKind.LATER and not outcome.code and outcome.retry_after is None
    return refused and outcome.fault is FaultClass.TRANSIENT and channel is not Channel.EMAIL


def _down(
    session: Session, rt: Runtime, channel: Channel, name: str, code: str, why: str, now: datetime
) -> None:
    """Take it down, and call a person once."""
    if not sender_health.take_down(session, name, now, f"{why} ({code})"):
        return
    line = [one.name for one in rt.line(channel)]
    known = sender_health.states(session, line)
    carries = next((one for one in line if one not in known or known[one].down_since is None), "")
    then = f"{carries} stands in" if carries else "nobody stands in"
    note = f"{channel.value}: {name} {why} (provider code {code}); {then}. Run `outage-notify doctor`."
    open_task(
        session,
        TaskKind.SENDER,
        f"sender:{name}:{now.isoformat(timespec='seconds')}",
        now,
        due_at=now,
        note=note,
    )
    record(
        session, now, SYSTEM, "sender_stopped", channel=channel.value, sender=name, code=code, carries=carries
    )
    log.error("sender stopped", channel=channel.value, sender=name, code=code, carries=carries)


def check_again(rt: Runtime) -> int:
    """Ask the providers of senders that are down whether account and endpoint work again; those that
    do are tried with one message. Returns how many that are. No transaction is open while they are asked."""
    with rt.database.read() as session:
        down = set(sender_health.to_ask(session, rt.now(session)))
    well = 0
    for channel in rt.senders:
        line = rt.line(channel)
        for sender in line:
            # One alone is tried by itself, as soon as it is not held any more.
            if sender.name in down and len(line) > 1 and not sender.check():
                with rt.database.write() as session:
                    well += sender_health.let_try(session, sender.name)
    return well


def rate_of(rt: Runtime, channel: Channel, sender: str = "") -> float | None:
    """Messages per second of a channel's sender (of the first one); none for letters, which people post."""
    settings, line = rt.settings, rt.line(channel)
    first = not sender or not line or line[0].name == sender
    return {
        Channel.SMS: settings.sms_per_second if first else settings.second_sms_per_second,
        Channel.VOICE: settings.voice_per_second if first else settings.second_voice_per_second,
        Channel.EMAIL: settings.email_per_second if first else settings.second_email_per_second,
    }.get(channel)


def _buckets(rt: Runtime, channel: Channel, sender: Sender) -> tuple[Bucket, ...]:
    own = Bucket(sender.name, rate_of(rt, channel, sender.name) or 1.0, channel)
    provider, shared = getattr(sender, "provider", ""), rt.settings.twilio_per_second
    return (own, Bucket(f"account {provider}", shared)) if provider and shared else (own,)


def _held_until(state: SenderState | None, now: datetime) -> datetime:
    return state.held_until if state is not None and state.held_until is not None else now
