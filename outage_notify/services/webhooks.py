"""Webhooks: who is pushed what becomes public. Added, listed, stopped, started, removed, replayed.

A secret is shown when the webhook is made or its secret is changed, and never stored: it is derived
from the installation's key. After the key is rotated, pushes carry a signature of each key that is
still kept, so that receivers go on without noticing; a changed secret counts at once.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy.orm import Session

from channels.push import UnsafeAddress, check_address, secret_text
from outage_notify.domain.errors import InvalidInput, NotFound
from outage_notify.services.runtime import Runtime
from outage_notify.store import webhook_queries
from outage_notify.store.webhook_queries import Counts
from outage_notify.store.webhook_tables import Webhook, WebhookPush
from outage_notify.store.work_queries import record

MOST = 100
NONE = Counts(0, 0, 0)


@dataclass(frozen=True)
class Made:
    """What is shown once."""

    id: int
    name: str
    url: str
    secret: str


@dataclass(frozen=True)
class Listed:
    """One webhook as the admin sees it."""

    id: int
    name: str
    url: str
    made_at: datetime
    made_by: str
    stopped_at: datetime | None
    stopped_why: str
    counts: Counts


@dataclass(frozen=True)
class GivenUp:
    """One push that nobody took."""

    sequence: int
    type: str
    reference: int
    tries: int
    dead_at: datetime | None
    status: int
    detail: str


def secrets_of(rt: Runtime, hook: Webhook) -> list[bytes]:
    """The secrets that a push is signed with, the present one first."""
    said = f"webhook {hook.id} {hook.serial}".encode()
    return [hmac.new(key, said, sha256).digest() for key in rt.signing_key.derive_all("webhooks")]


def add(rt: Runtime, by: str, name: str, url: str) -> Made:
    """A webhook for all that becomes public from now on. InvalidInput for an address that is not pushed to."""
    words, address = " ".join(name.split())[:100], url.strip()
    if not words:
        raise InvalidInput("The name is missing.", "Say who is behind the address.")
    try:
        check_address(address, rt.settings.webhook_private)
    except UnsafeAddress as error:
        raise InvalidInput(str(error), "Give a public https address.") from error
    with rt.database.write() as session:
        now = rt.now(session)
        if len(webhook_queries.webhooks(session)) >= MOST:
            raise InvalidInput(f"There are {MOST} webhooks already.", "Remove one first.")
        hook = Webhook(
            name=words,
            url=address,
            made_at=now,
            made_by=by,
            stopped_why="",
            last_event=webhook_queries.newest(session),
        )
        session.add(hook)
        session.flush()
        record(session, now, by, "webhook_added", webhook=hook.id)
        # The defaults of the row count from the flush on.
        return Made(hook.id, words, address, secret_text(secrets_of(rt, hook)[0]))


def new_secret(rt: Runtime, by: str, number: int) -> Made:
    """Another secret; the one before it is of no use any more."""
    with rt.database.write() as session:
        hook = _of(session, number)
        hook.serial += 1
        record(session, rt.now(session), by, "webhook_secret", webhook=number)
        return Made(hook.id, hook.name, hook.url, secret_text(secrets_of(rt, hook)[0]))


def secret(rt: Runtime, number: int) -> str:
    """The present secret, for whoever has just made it."""
    with rt.database.read() as session:
        return secret_text(secrets_of(rt, _of(session, number))[0])


def listing(rt: Runtime) -> list[Listed]:
    with rt.database.read() as session:
        counts = webhook_queries.counts(session)
        return [
            Listed(
                one.id,
                one.name,
                one.url,
                one.made_at,
                one.made_by,
                one.stopped_at,
                one.stopped_why,
                counts.get(one.id, NONE),
            )
            for one in webhook_queries.webhooks(session)
        ]


def given_up(rt: Runtime, number: int, limit: int = 200) -> list[GivenUp]:
    """What a webhook did not take in all its tries, the newest first."""
    with rt.database.read() as session:
        _of(session, number)
        return [_given_up(one) for one in webhook_queries.dead(session, number, limit)]


def _given_up(one: WebhookPush) -> GivenUp:
    event = one.event
    return GivenUp(event.id, event.type, event.outage_ref, one.tries, one.dead_at, one.status, one.detail)


def stop(rt: Runtime, by: str, number: int) -> None:
    """Push nothing until it is started again; what becomes public meanwhile waits. Twice is once."""
    with rt.database.write() as session:
        hook, now = _of(session, number), rt.now(session)
        if hook.stopped_at is None:
            hook.stopped_at, hook.stopped_why = now, f"by {by}"[:100]
            record(session, now, by, "webhook_stopped", webhook=number)


def start(rt: Runtime, by: str, number: int) -> None:
    """Push again, what waited first. Twice is once."""
    with rt.database.write() as session:
        hook = _of(session, number)
        if hook.stopped_at is not None:
            hook.stopped_at, hook.stopped_why = None, ""
            record(session, rt.now(session), by, "webhook_started", webhook=number)


def remove(rt: Runtime, by: str, number: int) -> None:
    with rt.database.write() as session:
        session.delete(_of(session, number))
        record(session, rt.now(session), by, "webhook_removed", webhook=number)


def replay(rt: Runtime, by: str, number: int, after: int | None = None) -> int:
    """Push again what was given up, or with `after` everything that came after that event; how many that are."""
    with rt.database.write() as session:
        _of(session, number)
        now = rt.now(session)
        if after is None:
            found = webhook_queries.revive(session, number, now)
        else:
            found = webhook_queries.again(session, number, after, now)
        record(session, now, by, "webhook_replayed", webhook=number, pushes=found)
        return found


def _of(session: Session, number: int) -> Webhook:
    hook = session.get(Webhook, number)
    if hook is None:
        raise NotFound(f"There is no webhook {number}.", "Look at the list of webhooks.")
    return hook
