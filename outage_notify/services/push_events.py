"""Notes what becomes public, in order, and pushes it to webhooks until it is taken or given up.

Promises: each thing that was said of an outage is one event, once, whoever rings how often; events
become visible in the order of their numbers, so that who asks for what came after one misses
nothing. A push is on record, with its next try, before it is made: a crash means another try,
and receivers know a message by its id. Payloads hold the public's facts and nothing else.
Leaves to others: who may be pushed to (`webhooks`), the call itself (`channels.push`).
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session

from channels import push
from channels.push import Pushed
from outage_notify.services import public_facts, publish_map, webhooks
from outage_notify.services.runtime import Runtime
from outage_notify.store import bulk, webhook_queries
from outage_notify.store.outage_tables import Outage
from outage_notify.store.webhook_tables import PublicEvent, PublicEventMark, WebhookPush

log = structlog.get_logger(__name__)

# When it is tried again after the first, second, ... failure; then it is given up, after three days.
BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 300, 600, 840, 1200, 1440))
AT_ONCE = 20
THREADS = 4
BATCH = 100
GONE = 410


@dataclass(frozen=True)
class _Call:
    push: int
    tries: int
    url: str
    headers: dict[str, str]
    body: bytes


def push_due(rt: Runtime) -> int:
    """Note, hand out and push all that is due; returns how many pushes were made."""
    with rt.database.read() as session:
        if not webhook_queries.is_due(session, rt.now(session)):
            return 0
    while note_events(rt) == BATCH:
        pass
    hand_out(rt)
    made = 0
    with ThreadPoolExecutor(THREADS, thread_name_prefix="push") as threads:
        while calls := _begin(rt):
            outcomes = threads.map(lambda call: _post(rt, call), calls)
            _settle(rt, list(zip(calls, outcomes, strict=True)))
            made += len(calls)
    return made


def note_events(rt: Runtime) -> int:
    """Note what was said of up to BATCH outages that changed; returns how many outages that were."""
    with rt.database.write() as session:
        # One at a time, so that numbers are committed in their order.
        bulk.lock(session, PublicEvent)
        now = rt.now(session)
        changed = webhook_queries.unnoted(session, BATCH)
        for outage in changed:
            _note(session, outage, now)
            session.merge(PublicEventMark(outage_ref=outage.id, version=outage.version))
        return len(changed)


def _note(session: Session, outage: Outage, now: datetime) -> None:
    history = publish_map.history_of(session, outage)
    known = webhook_queries.known_steps(session, outage.id)
    if known >= len(history):
        return
    public = publish_map.counted(session, outage, now)
    facts, steps = public_facts.properties(public), public_facts.written(public)["history"]
    for number, step in enumerate(history[known:], known + 1):
        said = {"outage": facts, "step": steps[number - 1]}
        session.add(
            PublicEvent(
                outage_ref=outage.id,
                number=number,
                type=f"outage.{step.what.value}",
                at=step.at,
                payload=json.dumps(said, ensure_ascii=False, separators=(",", ":"), sort_keys=True),
            )
        )
        # One by one, so that their numbers follow their order.
        session.flush()


def as_json(event: PublicEvent) -> dict[str, Any]:
    """An event as it is pushed and listed: `sequence` orders, `type` and `timestamp` say what and when."""
    return {
        "sequence": event.id,
        "type": event.type,
        "timestamp": event.at.isoformat(),
        "data": json.loads(event.payload),
    }


def listed(rt: Runtime, after: int, limit: int) -> list[dict[str, Any]]:
    """Events after one, in their order, as they were pushed."""
    with rt.database.read() as session:
        return [as_json(one) for one in webhook_queries.events_after(session, after, limit)]


def hand_out(rt: Runtime) -> int:
    """A push for each event and webhook that was not handed it yet; returns how many are new."""
    with rt.database.write() as session:
        now, new = rt.now(session), 0
        for hook in webhook_queries.behind(session):
            for event in webhook_queries.events_after(session, hook.last_event, 10_000):
                session.add(WebhookPush(webhook_ref=hook.id, event_ref=event.id, due_at=now))
                hook.last_event = event.id
                new += 1
        return new


def _begin(rt: Runtime) -> list[_Call]:
    """Put tries on record, with the next one, so that a crash is a failure like any other."""
    with rt.database.write() as session:
        now = rt.now(session)
        calls = []
        for row in webhook_queries.due(session, now, AT_ONCE):
            row.tries += 1
            row.due_at = now + BACK_OFF[min(row.tries, len(BACK_OFF)) - 1]
            body = json.dumps(as_json(row.event), ensure_ascii=False, separators=(",", ":")).encode()
            message_id, timestamp = f"evt_{row.event_ref}_{row.webhook_ref}", int(now.timestamp())
            mark = push.signature(webhooks.secrets_of(rt, row.webhook), message_id, timestamp, body)
            headers = {
                "Content-Type": "application/json",
                "User-Agent": "outage-notify-webhooks/1",
                "webhook-id": message_id,
                "webhook-timestamp": str(timestamp),
                "webhook-signature": mark,
            }
            calls.append(_Call(row.id, row.tries, row.webhook.url, headers, body))
        return calls


def _post(rt: Runtime, call: _Call) -> Pushed:
    settings = rt.settings
    return push.post(call.url, call.headers, call.body, settings.provider_timeout, settings.webhook_private)


def _settle(rt: Runtime, done: list[tuple[_Call, Pushed]]) -> None:
    with rt.database.write() as session:
        now = rt.now(session)
        for call, outcome in done:
            row = session.get(WebhookPush, call.push)
            if row is None or row.tries != call.tries:
                # Removed, or asked for anew in the meantime.
                continue
            row.status, row.detail = outcome.status, outcome.detail[:100]
            if outcome.taken:
                row.done_at = now
            elif outcome.status == GONE:
                row.dead_at = now
                row.webhook.stopped_at, row.webhook.stopped_why = now, "the receiver answered 410 Gone"
                log.warning("webhook stopped", webhook=row.webhook_ref, reason="410")
            elif call.tries > len(BACK_OFF):
                row.dead_at = now
                log.warning("push given up", webhook=row.webhook_ref, event_number=row.event_ref)
