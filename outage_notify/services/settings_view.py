"""What is set, as an administrator reads it: senders and how they fare, the policy in force.

Reads only, and never a secret: settings are environment variables, the policy is a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from channels.model import Channel
from outage_notify.domain.policy import Policy
from outage_notify.services import stand_in
from outage_notify.services.runtime import Runtime
from outage_notify.store import sender_health


@dataclass(frozen=True)
class SenderRow:
    """One sender of a channel. `place` 0 carries it, the others stand in; times are None while all is well."""

    channel: Channel
    name: str
    place: int
    per_second: float | None
    down_since: datetime | None = None
    down_reason: str = ""
    held_until: datetime | None = None
    troubles: int = 0
    held_reason: str = ""


def senders(rt: Runtime) -> list[SenderRow]:
    """Every sender that is configured, channel by channel; nobody is called up for it."""
    lines = [(channel, rt.line(channel)) for channel in (Channel.SMS, Channel.VOICE, Channel.EMAIL)]
    names = [one.name for _, line in lines for one in line]
    with rt.database.read() as session:
        now = rt.now(session)
        known = sender_health.states(session, names)
    found = []
    for channel, line in lines:
        for place, one in enumerate(line):
            rate, state = stand_in.rate_of(rt, channel, one.name), known.get(one.name)
            if state is None:
                found.append(SenderRow(channel, one.name, place, rate))
                continue
            held = state.held_until if state.held_until is not None and state.held_until > now else None
            found.append(
                SenderRow(
                    channel,
                    one.name,
                    place,
                    rate,
                    state.down_since,
                    state.down_reason,
                    held,
                    state.troubles,
                    state.held_reason if held else "",
                )
            )
    return found


def policy(rt: Runtime) -> Policy:
    return rt.policy
