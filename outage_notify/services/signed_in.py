"""Who is signed in: sessions of people, from the secret in the browser to the user and back.

Promises: a session ends when it is ended here or elsewhere, when nobody used it for twelve hours, when the
user is switched off or the password is changed; only the hash of its secret is kept. Leaves to `users` how
a password is checked, to `web` where the secret is kept.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from outage_notify.domain.errors import NotFound
from outage_notify.services.runtime import Runtime
from outage_notify.store import session_queries
from outage_notify.store.user_tables import User, UserSession
from outage_notify.store.work_queries import record

IDLE = timedelta(hours=12)
# Not each click is written down.
_SEEN_EVERY = timedelta(minutes=10)


@dataclass(frozen=True)
class Here:
    """Somebody, by way of one session."""

    user: User
    session: int


def begin(rt: Runtime, user_id: int, device: str) -> str:
    """Sign in a user whose password was checked a moment ago; what the browser keeps from now on."""
    secret = secrets.token_urlsafe(32)
    with rt.database.write() as session:
        user = session.get_one(User, user_id)
        now = rt.now(session)
        session.add(
            UserSession(
                user_ref=user.id,
                secret_sha256=_hash(secret),
                device=" ".join(device.split())[:200],
                started_at=now,
                seen_at=now,
            )
        )
        record(session, now, user.username, "signed_in")
        return f"{_mark(user.password_hash)}:{secret}"


def find(rt: Runtime, identifier: str) -> Here | None:
    """Whose session it is; None if there is none (any more), or the password was changed since."""
    mark, _, secret = identifier.partition(":")
    if not secret:
        return None
    with rt.database.read() as session:
        found = session_queries.by_secret(session, _hash(secret))
        if found is None:
            return None
        row, user = found
        now = rt.now(session)
        if not user.active or not hmac.compare_digest(mark.encode(), _mark(user.password_hash).encode()):
            return None
        if now - row.seen_at > IDLE:
            return None
        here, last = Here(user, row.id), row.seen_at
        session.expunge_all()
    if now - last > _SEEN_EVERY:
        with rt.database.write() as session:
            session_queries.seen(session, here.session, now)
    return here


def listing(rt: Runtime, user_id: int) -> list[UserSession]:
    """Where a user is signed in, the session used last first; those that fell asleep are not shown."""
    with rt.database.read() as session:
        now = rt.now(session)
        rows = session_queries.open_sessions(session, user_id)
        return [one for one in rows if now - one.seen_at <= IDLE]


def end(rt: Runtime, by: str, user_id: int, session_id: int) -> None:
    """End one session of a user. NotFound if the user has no such session that is open."""
    with rt.database.write() as session:
        now = rt.now(session)
        if not session_queries.end(session, user_id, now, only=session_id):
            raise NotFound("There is no such session that is open.", "Look at the list again.")
        user = session.get_one(User, user_id)
        record(session, now, by, "sessions_ended", username=user.username, count=1)


def end_others(rt: Runtime, by: str, user_id: int, but: int | None = None) -> int:
    """End every session of a user, but the one at hand. How many that were; twice is harmless."""
    with rt.database.write() as session:
        now = rt.now(session)
        ended = session_queries.end(session, user_id, now, but=but)
        if ended:
            user = session.get_one(User, user_id)
            record(session, now, by, "sessions_ended", username=user.username, count=ended)
        return ended


def leave(rt: Runtime, here: Here) -> None:
    """Sign out. Twice is harmless."""
    with rt.database.write() as session:
        now: datetime = rt.now(session)
        if session_queries.end(session, here.user.id, now, only=here.session):
            record(session, now, here.user.username, "signed_out")


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _mark(password_hash: str) -> str:
    return sha256(password_hash.encode()).hexdigest()[:20]
