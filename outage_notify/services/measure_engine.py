"""What whoever watches the sending engine wants to know, as numbers with names.

Counted in the database, so that every web process says the same and a worker that hangs can't
hide it. No number of a person, no address, no reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from channels.model import Channel
from outage_notify.domain.delivery import DeliveryState
from outage_notify.services.runtime import Runtime
from outage_notify.store import audit_mark_queries, outbox_queries
from outage_notify.store.audit_mark_tables import AuditMark
from outage_notify.store.sender_tables import SenderState

RECENT = timedelta(minutes=5)


@dataclass(frozen=True)
class Gauge:
    """One name with a value for each combination of labels."""

    name: str
    help: str
    values: Mapping[tuple[tuple[str, str], ...], float] = field(default_factory=dict)


def measure(rt: Runtime) -> Iterable[Gauge]:
    """The state of the outbox now, and what providers answered in the last five minutes."""
    with rt.database.read() as session:
        now = rt.now(session)
        states = outbox_queries.by_state(session)
        oldest = outbox_queries.oldest_due(session, now)
        doubt = outbox_queries.oldest_doubt(session)
        outcomes = outbox_queries.outcomes_since(session, now - RECENT)
        senders = outbox_queries.senders(session)
        audit = audit_mark_queries.last(session)
    waits = {one: (now - oldest[one]).total_seconds() if one in oldest else 0.0 for one in Channel}
    in_doubt = sum(count for (_, state), count in states.items() if state is DeliveryState.IN_DOUBT)
    yield Gauge(
        "outage_notify_deliveries",
        "Deliveries by channel and state.",
        {(("channel", c.value), ("state", s.value)): float(n) for (c, s), n in states.items()},
    )
    yield Gauge(
        "outage_notify_oldest_due_seconds",
        "How long the row that has waited longest has been due.",
        {(("channel", one.value),): seconds for one, seconds in waits.items() if one is not Channel.LETTER},
    )
    yield Gauge("outage_notify_in_doubt", "Deliveries whose answer was lost.", {(): float(in_doubt)})
    yield Gauge(
        "outage_notify_oldest_doubt_seconds",
        "How long the longest doubt has lasted.",
        {(): (now - doubt).total_seconds() if doubt else 0.0},
    )
    yield Gauge(
        "outage_notify_calls_recent",
        "Calls to providers that ended in the last five minutes, by sender and outcome.",
        {(("sender", sender), ("outcome", word)): float(n) for (sender, word), n in outcomes.items()},
    )
    yield Gauge(
        "outage_notify_sender_limit_per_second",
        "What a sender may send in a second.",
        {labels(one): one.per_second for one in senders},
    )
    yield Gauge(
        "outage_notify_sender_held_seconds",
        "For how much longer nothing is sent, because the provider asked or refused our configuration.",
        {labels(one): _seconds(now, one.held_until) for one in senders},
    )
    yield Gauge(
        "outage_notify_sender_down_seconds",
        "For how long a sender has been failing; another one stands in if there is one.",
        {labels(one): _seconds(one.down_since, now) for one in senders if one.channel},
    )
    yield from _heartbeat(audit, now)


def _heartbeat(audit: AuditMark | None, now: datetime) -> Iterable[Gauge]:
    """Without a sample where there was no audit yet, or none that held: whoever watches asks for that as well."""

    def value(found: float | None) -> dict[tuple[tuple[str, str], ...], float]:
        return {} if found is None else {(): found}

    yield Gauge(
        "outage_notify_heartbeat_age_seconds",
        "How long ago the last audit was made that holds: nobody untold, nobody told twice.",
        value(_seconds(audit.held_at, now) if audit and audit.held_at else None),
    )
    yield Gauge(
        "outage_notify_audit_age_seconds",
        "How long ago the last audit was made, whatever it found.",
        value(_seconds(audit.made_at, now) if audit else None),
    )
    yield Gauge(
        "outage_notify_untold",
        "Notices that somebody should have by the last audit and has not.",
        value(float(audit.untold) if audit else None),
    )
    yield Gauge(
        "outage_notify_told_twice",
        "Deliveries that a provider has taken twice, by the last audit.",
        value(float(audit.twice) if audit else None),
    )


def labels(one: SenderState) -> tuple[tuple[str, str], ...]:
    return (("channel", one.channel.value if one.channel else ""), ("sender", one.sender))


def _seconds(since: datetime | None, until: datetime | None) -> float:
    return max(0.0, (until - since).total_seconds()) if since and until else 0.0
