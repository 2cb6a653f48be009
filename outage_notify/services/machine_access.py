"""Machines at the JSON interface: tokens that act as a user, and requests that are done once per key.

Promises: a secret is shown once and only its hash is kept; a request repeated under the same
Idempotency-Key gets the answer that the first one got, and is not done again. A request that died
midway under a key is not repeated either: nobody knows how far it came, so a person looks.
Answers are kept for as long as the settings say (`api_reply_days`); `reconcile` drops older ones.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from outage_notify.domain.errors import Conflict, InvalidInput, NotFound
from outage_notify.services.runtime import Runtime
from outage_notify.store import api_queries, user_lookup
from outage_notify.store.api_tables import ApiReply, ApiToken
from outage_notify.store.user_tables import WORKING, Role
from outage_notify.store.work_queries import record

_LONGEST_LIFE = 3650
_DROPPED_AT_ONCE = 5000


@dataclass(frozen=True)
class Machine:
    token: int
    username: str


def new_token(rt: Runtime, by: str, username: str, name: str, days: int = 0) -> str:
    """A new token for a user; the secret, which is never shown again. It ends after `days`; 0: when it is revoked.

    The user must be in use and have a role that changes something: what may only be looked at is open data.
    """
    if not 0 <= days <= _LONGEST_LIFE:
        raise InvalidInput("days is out of range.", f"Use 1 to {_LONGEST_LIFE}, or 0 for no end.")
    if not name.strip():
        raise InvalidInput("The name is missing.", "Say which machine it is for.")
    secret = f"on_{secrets.token_urlsafe(32)}"
    with rt.database.write() as session:
        user = user_lookup.require_any(session, username, (*WORKING, Role.ADMIN))
        now = rt.now(session)
        session.add(
            ApiToken(
                name=name.strip()[:200],
                sha256=_hash(secret),
                user_ref=user.id,
                created_at=now,
                created_by=by,
                expires_at=now + timedelta(days=days) if days else None,
            )
        )
        record(session, now, by, "token_added", username=user.username, name=name.strip()[:200])
    return secret


def revoke(rt: Runtime, by: str, secret: str) -> None:
    """Put a token out of use. NotFound if there is none or it was revoked."""
    with rt.database.write() as session:
        token = api_queries.token_by_hash(session, _hash(secret))
        if token is None:
            raise NotFound("There is no such token in use.", "Give the secret as it was shown.")
        token.revoked_at = rt.now(session)
        record(session, token.revoked_at, by, "token_revoked", name=token.name)


def machine_of(rt: Runtime, secret: str) -> Machine | None:
    """Whose token it is; None if it is unknown, revoked or ended, or its user is out of use."""
    with rt.database.read() as session:
        token = api_queries.token_by_hash(session, _hash(secret))
        if token is None or not token.user.active:
            return None
        if token.expires_at is not None and token.expires_at <= rt.now(session):
            return None
        return Machine(token.id, token.user.username)


def require_worker(rt: Runtime, machine: Machine) -> None:
    """NotPermitted if the user of a token has lost every role that changes something."""
    with rt.database.read() as session:
        user_lookup.require_worker(session, machine.username)


def require_admin(rt: Runtime, machine: Machine) -> None:
    """NotPermitted unless the user of a token is an administrator."""
    with rt.database.read() as session:
        user_lookup.require(session, machine.username, Role.ADMIN)


def forget_old(rt: Runtime) -> int:
    """Drop the answers that are kept longer than the settings say, oldest first, some thousand a call.

    How many. A key of a dropped answer is free again: what comes under it is done once more.
    """
    with rt.database.read() as session:
        before = rt.now(session) - timedelta(days=rt.settings.api_reply_days)
        oldest = api_queries.oldest_reply(session)
    if oldest is None or oldest >= before:
        return 0
    with rt.database.write() as session:
        return api_queries.drop_replies(session, before, _DROPPED_AT_ONCE)


def listing(rt: Runtime) -> list[ApiToken]:
    """All tokens, oldest first; none of them holds its secret."""
    with rt.database.read() as session:
        return api_queries.all_tokens(session)


def begin(rt: Runtime, machine: Machine, key: str, request: bytes) -> tuple[int, str] | None:
    """None: do it now. Otherwise the answer that the first request under this key got.

    Conflict if the key was used for another request, or the first one has not ended.
    """
    digest = sha256(request).hexdigest()
    with rt.database.write() as session:
        fresh = ApiReply(
            token_ref=machine.token, key=key, request_sha256=digest, at=rt.now(session), status=0, body=""
        )
        if api_queries.begin(session, fresh):
            return None
        held = api_queries.reply_of(session, machine.token, key)
        if held is None or held.request_sha256 != digest:
            raise Conflict("This Idempotency-Key was used for another request.", "Use a new key.")
        if held.status == 0:
            raise Conflict(
                "A request under this key is under way, or ended unseen.",
                "Look at the outage before you use another key.",
            )
        return held.status, held.body


def end(rt: Runtime, machine: Machine, key: str, status: int, body: str) -> None:
    """Keep the answer. A refusal is forgotten, so that the mended request may use the key again."""
    with rt.database.write() as session:
        if status >= 400:
            api_queries.forget(session, machine.token, key)
            return
        held = api_queries.reply_of(session, machine.token, key)
        if held is not None:
            held.status, held.body = status, body


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
