"""Who is signed in: from a session's identifier to the user and back.

Promises: a session ends when the user is switched off or the password is changed. Leaves
to `users` how a password is checked, to `web` where the identifier is kept.
"""

from __future__ import annotations

import hmac
from hashlib import sha256

from outage_notify.services.runtime import Runtime
from outage_notify.store.user_tables import User


def session_id(user: User) -> str:
    """What a session keeps: the user's number and a mark of the present password."""
    return f"{user.id}:{_mark(user.password_hash)}"


def user_of(rt: Runtime, identifier: str) -> User | None:
    """The user of a session; None if there is none (any more), or the password was changed since."""
    number, _, mark = identifier.partition(":")
    if not (number.isascii() and number.isdigit()):
        return None
    with rt.database.read() as session:
        user = session.get(User, int(number))
        if user is None or not user.active or not hmac.compare_digest(mark, _mark(user.password_hash)):
            return None
        session.expunge(user)
        return user


def user_with_id(rt: Runtime, number: int) -> User:
    """The row of a user whose password was checked a moment ago."""
    with rt.database.read() as session:
        user = session.get_one(User, number)
        session.expunge(user)
        return user


def _mark(password_hash: str) -> str:
    return sha256(password_hash.encode()).hexdigest()[:20]
