"""Who carries each channel, who stands in, whether they answer, and who is failing at present."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channels.model import Channel
from outage_notify.store import migrate, outbox_queries

if TYPE_CHECKING:
    from outage_notify.services.runtime import Runtime

OURS = ("twilio-", "smtp")


def is_foreign(rt: Runtime, channel: Channel) -> bool:
    """Whether a sender of another package carries it: then our own settings for it may be missing."""
    sender = rt.senders.get(channel)
    return sender is not None and not sender.name.startswith(OURS)


def look(rt: Runtime) -> tuple[list[str], list[str]]:
    """(what is wrong, who stands in for whom), in plain words. Asks each provider that stands in."""
    wrong, lines = _failing(rt), []
    for channel in rt.senders:
        first, *others = rt.line(channel)
        if others:
            lines.append(f"{channel}: {first.name}, then {', '.join(one.name for one in others)}")
        wrong += [f"{one.name}: {problem.rstrip('.')}." for one in others if (problem := one.check())]
    return wrong, lines


def _failing(rt: Runtime) -> list[str]:
    if migrate.current(rt.database) != migrate.head():
        # Nothing was sent yet, or the finding about the database says what to do first.
        return []
    with rt.database.read() as session:
        return [
            f"{one.sender} {one.down_reason} since {one.down_since:%Y-%m-%d %H:%M} UTC."
            for one in outbox_queries.senders(session)
            if one.down_since is not None
        ]
