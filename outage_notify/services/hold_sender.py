"""A sender held by an administrator, and let go again: nothing goes out by it meanwhile.

Promises: a hold ends by itself after the hours that were given, so that none is forgotten; nothing is lost, what is due
waits and goes out afterwards within its own time; a provider that answers again does not end it. Who, when and why are
on record. Another sender does not stand in: whoever wants that takes the sender out of the settings.
"""

from __future__ import annotations

from datetime import timedelta

from channels.model import Channel
from outage_notify.domain.errors import InvalidInput, NotFound
from outage_notify.services import stand_in
from outage_notify.services.given_reason import given_reason
from outage_notify.services.runtime import Runtime
from outage_notify.store import pacing, sender_health, user_lookup
from outage_notify.store.pacing import Bucket
from outage_notify.store.user_tables import Role
from outage_notify.store.work_queries import record

LONGEST_HOURS = 72


def hold(rt: Runtime, by: str, name: str, hours: int, reason: str) -> None:
    """Hold a sender from now on. Twice: the later end counts. NotFound for one that is not configured."""
    why = given_reason(reason, "Say why.", 200)
    if not 1 <= hours <= LONGEST_HOURS:
        raise InvalidInput(f"{hours} hours can't be held.", f"Choose 1 to {LONGEST_HOURS} hours.")
    channel = _channel(rt, name)
    with rt.database.write() as session:
        now = rt.now(session)
        user_lookup.require(session, by, Role.ADMIN)
        # A sender that was never used has no row yet.
        pacing.spend(session, [Bucket(name, stand_in.rate_of(rt, channel, name) or 1.0, channel)], 0, now)
        until = now + timedelta(hours=hours)
        pacing.hold(session, name, until, f"{sender_health.HELD_BY}{by}: {why}")
        record(session, now, by, "sender_held", sender=name, until=until.isoformat(), reason=why)


def resume(rt: Runtime, by: str, name: str, reason: str) -> None:
    """Let a sender go on at once, whoever held it. Twice is harmless."""
    why = given_reason(reason, "Say why.", 200)
    _channel(rt, name)
    with rt.database.write() as session:
        now = rt.now(session)
        user_lookup.require(session, by, Role.ADMIN)
        if sender_health.release(session, name):
            record(session, now, by, "sender_resumed", sender=name, reason=why)


def _channel(rt: Runtime, name: str) -> Channel:
    for channel in (Channel.SMS, Channel.VOICE, Channel.EMAIL):
        if any(one.name == name for one in rt.line(channel)):
            return channel
    raise NotFound("There is no such sender.", "Look at the list of senders again.")
